-- The API lists carts by id, and by the time of their last change: each page is read through one of these indexes.
create index carts_status_id on carts (status, id);
create index carts_updated_at on carts (updated_at, id);
