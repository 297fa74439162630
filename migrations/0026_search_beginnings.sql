-- A search of one or two characters asks how names and addresses begin. These indexes are in the order of bytes, whatever the
-- database's locale, so that a beginning is one range of them; reading every cart for a short text slowed everybody at 100,000.
create index carts_name_beginning on carts (lower(website_name) text_pattern_ops);
create index carts_host_beginning on carts (store_host text_pattern_ops);
