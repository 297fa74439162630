-- A store is known by its platform and a key that is unique there, and called at its host. For Shopify the key is the handle: the ID of
-- the shop is unknown before the first test. On other platforms many stores can have one host.
alter table carts add column store_key text;
alter table unsaved_credentials add column store_key text, add column platform text not null default 'shopify'
    constraint unsaved_credentials_platform check (platform in ('shopify'));
update carts set store_key = split_part(store_host, '.', 1);
update unsaved_credentials set store_key = split_part(store_host, '.', 1);

-- Servers of the previous version write the host alone while they run beside this one, so the key follows it. A later migration drops
-- these triggers, the default above and carts_store_host_key, which those servers know by name.
create function store_key_follows_host() returns trigger language plpgsql as $$
begin
    new.store_key := split_part(new.store_host, '.', 1);
    return new;
end
$$;
create trigger carts_store_key_of_insert before insert on carts
    for each row when (new.store_key is null) execute function store_key_follows_host();
create trigger carts_store_key_of_update before update of store_host on carts
    for each row when (new.store_host <> old.store_host and new.store_key = old.store_key) execute function store_key_follows_host();
create trigger unsaved_credentials_store_key_of_insert before insert on unsaved_credentials
    for each row when (new.store_key is null) execute function store_key_follows_host();
create trigger unsaved_credentials_store_key_of_update before update of store_host on unsaved_credentials
    for each row when (new.store_host <> old.store_host and new.store_key = old.store_key) execute function store_key_follows_host();

alter table carts alter column store_key set not null,
    add constraint carts_store_key_length check (length(store_key) between 1 and 255),
    add constraint carts_store_key_key unique (platform, store_key);
alter table unsaved_credentials alter column store_key set not null;

comment on column carts.secret_version is
    'the version in which the secret was last entered or deleted: part of what its seal authenticates, and recorded in the activity';
