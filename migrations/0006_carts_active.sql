-- The list filters and counts by Active: without this, counting the few inactive carts reads all the others.
create index carts_active_list on carts (is_active, lower(website_name), id);
