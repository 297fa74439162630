-- Tokens handed to programs: one row per key, cart and minute, counted before a token leaves. The first of a minute is in the audit
-- log at once, in the same transaction; the others follow as one row of it when the minute is over, and until then `times` is larger
-- than `recorded`. No foreign key to carts: what was handed out is recorded even if the cart is deleted first.
create table token_uses (
    cart_id   uuid        not null,
    key_id    uuid        not null constraint token_uses_key_id_fkey references api_keys,
    minute    timestamptz not null,
    -- As the cart was called then.
    cart_name text        not null,
    times     bigint      not null,
    recorded  bigint      not null,
    last_at   timestamptz not null,
    constraint token_uses_pkey primary key (cart_id, key_id, minute),
    constraint token_uses_recorded check (recorded between 1 and times)
);
create index token_uses_unrecorded on token_uses (minute) where recorded < times;
create index token_uses_minute on token_uses (minute);

-- The last failed renewal of a token: it is not repeated for each program that asks. Counts only for this `mint_version`.
alter table carts
    add column renewal_failed_at      timestamptz,
    add column renewal_failed_class   text,
    add column renewal_failed_version bigint;

-- What happened to carts, for programs that follow it. A row is written in the transaction of the change and read in the order of
-- (xid, position), up to the oldest transaction that still runs: so no row appears before one that was read already. The id of a row
-- is the cursor behind it. The newest row is always kept, so that a reader of a quiet feed keeps its place.
create table cart_changes (
    id       uuid        constraint cart_changes_pkey primary key default gen_random_uuid(),
    xid      xid8        not null default pg_current_xact_id(),
    position bigint      not null generated always as identity,
    at       timestamptz not null default now(),
    kind     text        not null,
    -- Null for a change of the whole integration, and for the row that begins the feed.
    cart_id  uuid,
    -- The closed set of carts::changes::ChangeFacts; no secret has a place in it.
    data     jsonb       not null default '{}'
);
create unique index cart_changes_order on cart_changes (xid, position);
create index cart_changes_at on cart_changes (at);
insert into cart_changes (kind) values ('feed.begun');
