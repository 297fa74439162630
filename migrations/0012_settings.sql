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

-- The list by status, worst first, and by the last check; each filter has its own way into an index, so that a page costs the same
-- at 100,000 carts.
alter table carts add column status_rank smallint not null generated always as (
    case status when 'not-connected' then 0 when 'needs-attention' then 1 when 'draft' then 2 when 'connected' then 3 else 4 end) stored;
create index carts_by_status on carts (status_rank, lower(website_name), id);
create index cart_health_by_check on cart_health ((coalesce(last_checked_at, '1970-01-01 00:00:00+00'::timestamptz)), cart_id);
create index carts_active_by_status on carts (is_active, status_rank, lower(website_name), id);
create index carts_attention_list on carts (lower(website_name), id) where status in ('needs-attention', 'not-connected');
create index carts_attention_by_status on carts (status_rank, lower(website_name), id) where status in ('needs-attention', 'not-connected');
create index carts_attention_by_check on carts ((coalesce(last_checked_at, '1970-01-01 00:00:00+00'::timestamptz)), id)
    where status in ('needs-attention', 'not-connected');

-- Part of a name or an address is found by its runs of three characters. In a table of its own, so that a check, which changes a cart
-- every few minutes, does not touch them; without an extension, since not every Postgres has one.
create function grams(words text) returns text[] language sql immutable parallel safe as $$
    select coalesce(array_agg(distinct substr(words, at, 3)), '{}') from generate_series(1, length(words) - 2) at
$$;
create table cart_search (
    cart_id uuid   constraint cart_search_pkey primary key constraint cart_search_cart_id_fkey references carts on delete cascade,
    grams   text[] not null
);
create index cart_search_grams on cart_search using gin (grams);
create function note_cart_search() returns trigger language plpgsql as $$
begin
    insert into cart_search (cart_id, grams) values (new.id, grams(lower(new.website_name) || chr(10) || new.store_host))
    on conflict (cart_id) do update set grams = excluded.grams;
    return null;
end
$$;
create trigger carts_search after insert or update of website_name, store_host on carts
    for each row execute function note_cart_search();
insert into cart_search select id, grams(lower(website_name) || chr(10) || store_host) from carts;

-- Work on many carts, done in the background: one row a cart, taken by lease, so that any replica goes on where another stopped.
create table jobs (
    id           uuid        constraint jobs_pkey primary key,
    kind         text        not null constraint jobs_kind check (kind in ('test', 'turn-off')),
    made_by      uuid,
    made_by_name text        not null,
    made_at      timestamptz not null default now(),
    total        integer     not null default 0,
    cancelled_at timestamptz,
    finished_at  timestamptz
);
create index jobs_open on jobs (made_at) where finished_at is null and cancelled_at is null;
create table job_items (
    job_id       uuid        not null constraint job_items_job_id_fkey references jobs on delete cascade,
    position     integer     not null,
    -- No reference: a cart may be deleted before its turn comes.
    cart_id      uuid        not null,
    leased_until timestamptz,
    -- What came of it, in one word; null while it is open.
    outcome      text,
    constraint job_items_pkey primary key (job_id, position)
);
create index job_items_open on job_items (job_id, position) where outcome is null;
