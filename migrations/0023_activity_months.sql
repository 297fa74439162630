-- The activity is kept by month, so that old months can be dropped whole. Rows whose month has no partition yet go to
-- audit_events_other, so that no insert fails; making the month moves them.

alter table audit_events rename to audit_events_before;
create table audit_events (like audit_events_before including defaults including constraints) partition by range (at);
create table audit_events_other partition of audit_events default;

-- Makes the partition of a month (UTC). A table is filled first and attached then, which does not block those who insert.
create function audit_make_month(month date) returns void language plpgsql as $$
declare
    starts timestamptz := date_trunc('month', month::timestamp) at time zone 'UTC';
    ends   timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC';
    name   text := 'audit_events_' || to_char(month, 'YYYY_MM');
begin
    if to_regclass(name) is not null then
        return;
    end if;
    execute format('create table %I (like audit_events including defaults including constraints)', name);
    if exists (select from audit_events_other where at >= starts and at < ends) then
        alter table audit_events_other disable trigger audit_events_append_only;
        execute format(
            'with moved as (delete from audit_events_other where at >= %L and at < %L returning *) insert into %I select * from moved',
            starts, ends, name);
        alter table audit_events_other enable trigger audit_events_append_only;
    end if;
    execute format('alter table audit_events attach partition %I for values from (%L) to (%L)', name, starts, ends);
    -- Triggers for a statement are not inherited.
    execute format(
        'create trigger audit_events_append_only before update or delete or truncate on %I
            for each statement execute function refuse_change()', name);
end
$$;

create trigger audit_events_append_only before update or delete or truncate on audit_events_other
    for each statement execute function refuse_change();
do $$
declare
    month date;
begin
    for month in
        select date_trunc('month', at at time zone 'UTC')::date from audit_events_before
        union
        -- An insert that finds audit_events_other and waits while its month is attached fails: months are made before they are needed.
        select (date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead))::date from generate_series(0, 3) ahead
    loop
        perform audit_make_month(month);
    end loop;
end
$$;

insert into audit_events select * from audit_events_before;
drop table audit_events_before;

alter table audit_events add constraint audit_events_pkey primary key (id, at);
create index audit_events_at on audit_events (at desc, id desc);
create index audit_events_cart on audit_events (cart_id, at desc, id desc) where cart_id is not null;
create index audit_events_what on audit_events (what, at desc, id desc);
create index audit_events_person on audit_events (coalesce(actor_id::text, actor_kind), at desc, id desc);
create index audit_events_person_what on audit_events (coalesce(actor_id::text, actor_kind), what, at desc, id desc);
create index audit_events_cart_what on audit_events (cart_id, what, at desc, id desc) where cart_id is not null;
create index audit_events_cart_person on audit_events (cart_id, coalesce(actor_id::text, actor_kind), at desc, id desc)
    where cart_id is not null;
create index audit_events_no_failed_sign_in on audit_events (at desc, id desc) where event <> 'could_not_sign_in';
create index audit_events_what_no_failed_sign_in on audit_events (what, at desc, id desc) where event <> 'could_not_sign_in';
-- Says where the kept activity starts.
create index audit_events_month_dropped on audit_events (at desc) where event = 'activity_month_dropped';

create trigger audit_events_append_only before update or delete or truncate on audit_events
    for each statement execute function refuse_change();
create trigger audit_events_note_unlinked after insert on audit_events
    for each row execute function audit_note_unlinked();
revoke update, delete, truncate on audit_events from current_user;

-- The functions that the runtime role may call: with the owner's rights, and so with fixed paths. What they refuse, nobody can do
-- without the owner's password.

-- This month and the next three, and every month of which a row came before it was made.
create function audit_make_months() returns void language plpgsql security definer as $$
declare
    month  date;
    months date[];
begin
    -- before anything is read: two processes that read and then made months would wait for each other
    perform pg_advisory_xact_lock(71082930471);
    -- a table cannot be altered while a loop reads it
    months := array(
        select (date_trunc('month', now()) + make_interval(months => ahead))::date from generate_series(0, 3) ahead
        union
        (select distinct date_trunc('month', at)::date from audit_events_other
         where at >= '2020-01-01' and at < now() + interval '4 months' order by 1 limit 100));
    foreach month in array months loop
        perform audit_make_month(month);
    end loop;
end
$$;

-- Drops the oldest month with its event in the activity, and returns how many rows it had. Refuses a month that ended less than a
-- month ago, is not the oldest, or has rows without a link.
create function audit_drop_month(month date) returns bigint language plpgsql security definer as $$
declare
    starts timestamptz := date_trunc('month', month::timestamp);
    ends   timestamptz := starts + interval '1 month';
    name   text := 'audit_events_' || to_char(month, 'YYYY_MM');
    count  bigint;
    head   text;
begin
    if ends > now() - interval '1 month' then
        raise exception 'the month % ended less than a month ago', to_char(month, 'YYYY-MM') using errcode = 'restrict_violation';
    end if;
    -- the lock that the process making links holds
    perform pg_advisory_xact_lock(71082930472);
    if name <> (select min(c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where i.inhparent = 'audit_events'::regclass and c.relname ~ '^audit_events_[0-9]{4}_[0-9]{2}$') then
        raise exception 'the month % is not the oldest', to_char(month, 'YYYY-MM') using errcode = 'restrict_violation';
    end if;
    if exists (select from audit_unlinked where event_at >= starts and event_at < ends) then
        raise exception 'the month % has rows without a link', to_char(month, 'YYYY-MM') using errcode = 'restrict_violation';
    end if;
    execute format('select count(*) from %I', name) into count;
    select position || ':' || encode(hash, 'hex') into head from audit_links order by position desc limit 1;
    execute format('drop table %I', name);
    insert into audit_events (id, actor_kind, actor_name, event, data, what)
        values (gen_random_uuid(), 'system', 'System', 'activity_month_dropped',
                jsonb_build_object('month', to_char(month, 'YYYY-MM'), 'rows', count, 'head', coalesce(head, '')), 'people');
    return count;
end
$$;

-- Removes up to 20,000 links of dropped months and returns how many. The last of them stays: the first kept row hangs on it.
create function audit_trim_links() returns bigint language plpgsql security definer as $$
declare
    kept_since timestamptz := (
        select to_date(max(data ->> 'month'), 'YYYY-MM') + interval '1 month' from audit_events where event = 'activity_month_dropped');
    oldest timestamptz := (
        select to_date(right(min(c.relname), 7), 'YYYY_MM') from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'audit_events'::regclass and c.relname ~ '^audit_events_[0-9]{4}_[0-9]{2}$');
    anchor bigint;
    count  bigint;
begin
    perform pg_advisory_xact_lock(71082930472);
    anchor := coalesce((select min(position) from audit_links where event_at >= least(kept_since, oldest)) - 1,
                       (select max(position) from audit_links));
    if kept_since is null or not exists (select from audit_links where position < anchor) then
        return 0;
    end if;
    alter table audit_links disable trigger audit_links_append_only;
    grant delete on audit_links to current_user;
    delete from audit_links where position in (select position from audit_links where position < anchor order by position limit 20000);
    get diagnostics count = row_count;
    revoke delete on audit_links from current_user;
    alter table audit_links enable trigger audit_links_append_only;
    return count;
end
$$;

revoke execute on function audit_make_month(date) from public;
do $$
declare
    callable regprocedure;
begin
    foreach callable in array array['audit_make_months()', 'audit_drop_month(date)', 'audit_trim_links()']::regprocedure[] loop
        execute format('alter function %s set search_path = %I, pg_temp', callable, current_schema());
        execute format('alter function %s set timezone = ''UTC''', callable);
        execute format('revoke execute on function %s from public', callable);
    end loop;
end
$$;
