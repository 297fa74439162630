-- Keys for programs that use the API. A key is stored as its SHA-256 and shown once; the last four characters tell keys apart.
create table api_keys (
    id            uuid        constraint api_keys_pkey primary key,
    name          text        not null constraint api_keys_name_length check (char_length(name) between 1 and 80),
    key_hash      bytea       not null constraint api_keys_key_hash_key unique
                              constraint api_keys_key_hash_length check (length(key_hash) = 32),
    ending        text        not null constraint api_keys_ending_length check (char_length(ending) = 4),
    scopes        text[]      not null constraint api_keys_scopes_count check (cardinality(scopes) between 1 and 20),
    -- Null: all carts. A list keeps the carts that were deleted since.
    carts         uuid[]      constraint api_keys_carts_count check (cardinality(carts) between 1 and 1000),
    -- In CIDR notation. Null: from everywhere.
    networks      text[]      constraint api_keys_networks_count check (cardinality(networks) between 1 and 50),
    created_at    timestamptz not null default now(),
    created_by    text        not null,
    created_by_id uuid,
    ends_at       timestamptz not null
                              constraint api_keys_ends_at check (ends_at > created_at and ends_at <= created_at + interval '366 days'),
    revoked_at    timestamptz,
    revoked_by    text,
    -- The key that this one was made to replace.
    replaces      uuid        constraint api_keys_replaces_fkey references api_keys,
    -- When people were notified that the key ends soon.
    notified_at   timestamptz,
    constraint api_keys_revoked check ((revoked_at is null) = (revoked_by is null))
);
create index api_keys_name on api_keys (lower(name));
create index api_keys_ending_soon on api_keys (ends_at) where revoked_at is null and notified_at is null;

-- The last use of each key, written at most once a minute. A table of its own, because a change that a program makes locks the
-- row of its key until it commits, and its next request must not wait for that.
create table api_key_uses (
    key_id  uuid        constraint api_key_uses_pkey primary key constraint api_key_uses_key_id_fkey references api_keys,
    used_at timestamptz not null default now(),
    ip      text
);

-- A program that uses a key is an actor of the activity.
alter table audit_events drop constraint audit_events_actor_kind;
alter table audit_events add constraint audit_events_actor_kind
    check (actor_kind in ('person', 'program', 'system', 'operator', 'stranger'));
