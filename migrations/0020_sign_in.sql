-- Throttle buckets are named by a digest, so that text typed by a client neither spells another bucket nor is stored here.
-- `remaining` counts down: a bucket at 0 refuses until `ends_at`, and a refused attempt writes nothing.
drop table throttle;
create table throttle (
    kind      text        not null,
    key       bytea       not null constraint throttle_key_length check (length(key) = 32),
    remaining integer     not null constraint throttle_remaining check (remaining >= 0),
    ends_at   timestamptz not null,
    constraint throttle_pkey primary key (kind, key)
);
