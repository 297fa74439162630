create table audit_events (
    id         uuid        constraint audit_events_pkey primary key,
    at         timestamptz not null default now(),
    actor_kind text        not null constraint audit_events_actor_kind check (actor_kind in ('person', 'system', 'operator', 'stranger')),
    actor_id   uuid,
    actor_name text        not null,
    -- The closed set of audit::Event.
    event      text        not null,
    cart_id    uuid,
    -- As it was called then; carts are renamed and deleted, the activity stays.
    cart_name  text,
    -- Before and after of what is not secret.
    data       jsonb       not null default '{}',
    request_id text,
    ip         text,
    user_agent text
);
create index audit_events_at on audit_events (at desc, id desc);
create index audit_events_cart on audit_events (cart_id, at desc, id desc) where cart_id is not null;

create trigger audit_events_append_only before update or delete or truncate on audit_events
    for each statement execute function refuse_change();
