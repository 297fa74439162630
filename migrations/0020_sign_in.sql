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

-- Failed sign-ins recorded what was typed as an e-mail address, sometimes a password. Keep it only where it is the address of
-- an account.
grant update on audit_events to current_user;
alter table audit_events disable trigger audit_events_append_only;
update audit_events set
    data = coalesce((select jsonb_build_object('account', email) from users where email = data ->> 'email'), '{}'),
    user_agent = null
where event = 'could_not_sign_in';
alter table audit_events enable trigger audit_events_append_only;
revoke update on audit_events from current_user;

-- Viewers see the activity without failed sign-ins, of which an attack may leave many.
create index audit_events_no_failed_sign_in on audit_events (at desc, id desc) where event <> 'could_not_sign_in';
create index audit_events_what_no_failed_sign_in on audit_events (what, at desc, id desc) where event <> 'could_not_sign_in';
