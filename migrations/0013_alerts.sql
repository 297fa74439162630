-- Who is told when a cart starts or stops needing attention: one row, nothing on by default.
create table alert_settings (
    id              boolean     constraint alert_settings_pkey primary key default true constraint alert_settings_one_row check (id),
    email_on        boolean     not null default false,
    email_addresses text[]      not null default '{}' constraint alert_settings_addresses check (cardinality(email_addresses) <= 20),
    -- Raised by each change of settings or webhook, so that nobody overwrites what they have not seen.
    version         bigint      not null default 1,
    changed_at      timestamptz not null default now(),
    changed_by      text
);
insert into alert_settings default values;

-- The webhook, while there is one.
create table alert_webhooks (
    id            uuid        constraint alert_webhooks_pkey primary key,
    is_only       boolean     not null default true constraint alert_webhooks_only_one unique constraint alert_webhooks_is_only check (is_only),
    address       text        not null,
    -- The host that will be called, and part of what the seal authenticates.
    host          text        not null,
    secret        bytea       not null,
    secret_ending text        not null,
    -- The receiver answered 410: nothing is sent until a person saves the address again.
    gone_at       timestamptz,
    failing_since timestamptz,
    created_at    timestamptz not null default now()
);

-- The outbox. A row is written in the transaction of the change that it tells, and goes when nobody has to be told any more.
create table alerts (
    id   uuid        constraint alerts_pkey primary key,
    at   timestamptz not null default now(),
    -- The closed set of alerts::Alert; no secret has a place in it.
    data jsonb       not null
);

-- One row for everybody who has to be told; it goes when that is done or given up.
create table alert_deliveries (
    -- Stays the same for each retry.
    id           uuid        constraint alert_deliveries_pkey primary key,
    alert_id     uuid        not null constraint alert_deliveries_alert_id_fkey references alerts on delete cascade,
    channel      text        not null constraint alert_deliveries_channel check (channel in ('email', 'webhook')),
    -- Where a mail goes; a webhook goes where alert_webhooks says when it is sent.
    address      text        constraint alert_deliveries_address check ((channel = 'email') = (address is not null)),
    -- News of one cart goes out in its order.
    cart_id      uuid,
    place        bigint      not null generated always as identity,
    attempts     integer     not null default 0,
    due_at       timestamptz not null default now(),
    -- One replica has it until then; after that another may.
    leased_until timestamptz,
    created_at   timestamptz not null default now()
);
create index alert_deliveries_webhook_due on alert_deliveries (due_at, place) where channel = 'webhook';
create index alert_deliveries_webhook_cart on alert_deliveries (cart_id, place) where channel = 'webhook';
create index alert_deliveries_email on alert_deliveries (address, place) where channel = 'email';
create index alert_deliveries_alert on alert_deliveries (alert_id);

-- The pace of each mail address: at most one message in five minutes.
create table alert_recipients (
    address      text        constraint alert_recipients_pkey primary key,
    next_at      timestamptz not null default now(),
    attempts     integer     not null default 0,
    leased_until timestamptz
);

-- The message that told of a cart's trouble, so that its end goes into the same thread.
create table alert_threads (
    cart_id    uuid        not null,
    address    text        not null,
    message_id text        not null,
    at         timestamptz not null default now(),
    constraint alert_threads_pkey primary key (cart_id, address)
);

-- What was delivered and what was not, for the page; the sweeper keeps the newest.
create table alert_log (
    id           uuid        constraint alert_log_pkey primary key,
    at           timestamptz not null default now(),
    channel      text        not null constraint alert_log_channel check (channel in ('email', 'webhook')),
    recipient    text        not null,
    -- Such as "answered 200"; never anything that the receiver wrote.
    outcome      text        not null,
    is_delivered boolean     not null,
    subject      text        not null
);
create index alert_log_at on alert_log (at desc, id desc);
