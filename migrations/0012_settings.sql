-- What the last pass of exactly the saved credential was granted, and since when a permission that was there is not any more:
-- from these alone follows which setting may be used. Written by the statement that links the pass.
alter table carts
    add column granted        text[],
    add column lost_scopes    jsonb   not null default '{}',
    -- None of the locations that stock is limited to exists any more: stock pauses, and an active cart needs attention.
    add column locations_gone boolean not null default false,
    -- The version in which the secret was last entered or forgotten, for whoever edits an older one.
    add column secret_version bigint  not null default 1,
    -- The form that was saved last: the same one sent twice is no change of somebody else's.
    add column last_submission_id uuid;

update carts set granted = (
    select array(select jsonb_array_elements_text(tests.verdict -> 'granted'))
    from connection_tests tests
    where tests.fingerprint = carts.credential_fingerprint and tests.passed
    order by tests.started_at desc limit 1)
where passed_at is not null;

-- The other General settings; a cart without a row has none of them on.
create table cart_settings (
    cart_id                 uuid    constraint cart_settings_pkey primary key
                                    constraint cart_settings_cart_id_fkey references carts on delete cascade,
    update_order_status     boolean not null,
    update_inventory        boolean not null,
    calculate_buildable     boolean not null,
    include_purchase_orders boolean not null,
    include_vendor_quantity boolean not null,
    import_products         boolean not null,
    -- Free text: the groups themselves live in the sync service's system.
    item_group              text    not null constraint cart_settings_item_group_length check (length(item_group) <= 80),
    write_products          boolean not null
);
create index cart_settings_item_group on cart_settings (item_group) where item_group <> '';

-- The store's locations as it last told them, and which of them stock is limited to; none chosen means all.
create table cart_locations (
    cart_id     uuid    not null constraint cart_locations_cart_id_fkey references carts on delete cascade,
    -- The digits of gid://shopify/Location/{digits}.
    location_id text    not null constraint cart_locations_id_form check (location_id ~ '^[0-9]{1,20}$'),
    name        text    not null constraint cart_locations_name_length check (length(name) <= 255),
    is_chosen   boolean not null default false,
    -- Chosen, and not in the list that was read last.
    is_gone     boolean not null default false,
    constraint cart_locations_pkey primary key (cart_id, location_id)
);
alter table carts add column locations_read_at timestamptz;
