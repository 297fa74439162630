-- One row: the switch Active of the whole integration.
create table ecommerce_integration (
    id         boolean     constraint ecommerce_integration_pkey primary key default true constraint ecommerce_integration_one_row check (id),
    is_active  boolean     not null,
    changed_at timestamptz not null default now(),
    changed_by text
);
insert into ecommerce_integration (is_active) values (false);

create table carts (
    id              uuid        constraint carts_pkey primary key,
    -- Drawn with the form: a form sent twice makes one cart.
    submission_id   uuid        not null constraint carts_submission_id_key unique,
    platform        text        not null constraint carts_platform check (platform in ('shopify')),
    website_name    text        not null constraint carts_website_name_length check (length(website_name) between 1 and 80),
    -- The host that will be called, and part of what the seal authenticates.
    store_host      text        not null constraint carts_store_host_form check (store_host ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.]myshopify[.]com$'),
    -- Made against the practice store: never called where practice is off.
    is_practice     boolean     not null default false,
    -- What the person wants; true only once exactly the saved credential has passed.
    is_active       boolean     not null,
    -- Written by the statement that writes the facts it follows from.
    status          text        not null constraint carts_status check (status in ('draft', 'connected', 'needs-attention', 'not-connected', 'inactive')),
    version         bigint      not null default 1,

    credential_kind text        constraint carts_credential_kind check (credential_kind in ('access_token', 'client_credentials')),
    client_id       text,
    -- Sealed for this row and this host; null after a disconnection.
    secret          bytea,
    secret_ending   text,
    secret_added_by text,
    secret_added_at timestamptz,
    -- HMAC over credential and host: "exactly what was tested".
    credential_fingerprint bytea,
    -- HMAC over the credential alone: "the same token as another cart".
    token_fingerprint      bytea,

    -- When exactly what is saved last passed; null makes a Draft.
    passed_at       timestamptz,
    shop_id         text,
    shop_name       text,
    last_test_id    uuid,
    last_class      text,
    last_title      text,
    missing_count   integer     not null default 0,
    last_checked_at timestamptz,
    failing_since   timestamptz,
    -- Who turned it off or disconnected it, for the line under the status.
    retired_by      text,
    is_disconnected boolean     not null default false,

    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    updated_by      text        not null,

    constraint carts_store_host_key unique (platform, store_host),
    constraint carts_shop_id_key unique (platform, shop_id),
    constraint carts_active_has_passed check (not is_active or (passed_at is not null and secret is not null)),
    constraint carts_secret_is_whole check ((secret is null) = (credential_kind is null) and (secret is null) = (credential_fingerprint is null))
);
create unique index carts_website_name_key on carts (lower(website_name));
create index carts_list on carts (lower(website_name), id);
create index carts_status_list on carts (status, lower(website_name), id);
create index carts_token_fingerprint on carts (token_fingerprint);

create table connection_tests (
    id              uuid        constraint connection_tests_pkey primary key,
    cart_id         uuid        constraint connection_tests_cart_id_fkey references carts on delete cascade,
    submission_id   uuid        not null,
    tested_by       uuid        not null,
    tested_by_name  text        not null,
    store_host      text        not null,
    credential_kind text        not null,
    fingerprint     bytea       not null,
    -- Whether what was tested is what the cart held then.
    was_saved       boolean     not null,
    started_at      timestamptz not null default now(),
    finished_at     timestamptz,
    passed          boolean,
    class           text,
    verdict         jsonb
);
create index connection_tests_fingerprint on connection_tests (fingerprint, started_at desc);
create index connection_tests_cart on connection_tests (cart_id, started_at desc);
create index connection_tests_running on connection_tests (tested_by) where finished_at is null;

-- A secret that was typed and not yet saved: sealed, for one form, one session and one host, for thirty minutes.
create table unsaved_credentials (
    -- The form's submission id.
    id              uuid        constraint unsaved_credentials_pkey primary key,
    session_hash    bytea       not null constraint unsaved_credentials_session_fkey references sessions (id_hash) on delete cascade,
    cart_id         uuid        constraint unsaved_credentials_cart_id_fkey references carts on delete cascade,
    store_host      text        not null,
    credential_kind text        not null,
    client_id       text,
    secret          bytea       not null,
    secret_ending   text,
    created_at      timestamptz not null default now()
);
create index unsaved_credentials_created_at on unsaved_credentials (created_at);
