-- Each row of the activity becomes a link of a hash chain: SHA-256 over the link before and the whole row (audit::chain). A row that
-- is changed, removed or added behind our back breaks it. Links are made after the commit, by one process at a time: a link made
-- in the transaction of the change would make every change wait for the one before it.

alter table audit_events add constraint audit_events_at_finite check (isfinite(at));

create table audit_links (
    position bigint      constraint audit_links_pkey primary key constraint audit_links_position check (position > 0),
    event_id uuid        not null constraint audit_links_event_id_key unique,
    event_at timestamptz not null,
    hash     bytea       not null constraint audit_links_hash_length check (length(hash) = 32)
);
create trigger audit_links_append_only before update or delete or truncate on audit_links
    for each statement execute function refuse_change();
revoke update, delete, truncate on audit_links from current_user;

-- Rows that wait for their link, in the order in which they get it.
create table audit_unlinked (
    event_id uuid        constraint audit_unlinked_pkey primary key,
    event_at timestamptz not null
);
create index audit_unlinked_order on audit_unlinked (event_at, event_id);

create function audit_note_unlinked() returns trigger language plpgsql as $$
begin
    insert into audit_unlinked (event_id, event_at) values (new.id, new.at);
    return null;
end
$$;
create trigger audit_events_note_unlinked after insert on audit_events
    for each row execute function audit_note_unlinked();
insert into audit_unlinked (event_id, event_at) select id, at from audit_events;

-- When the head of the chain was last reported to the log and the webhook: one row, so that one process does it a day.
create table audit_head_reports (
    id          boolean     constraint audit_head_reports_pkey primary key default true constraint audit_head_reports_one_row check (id),
    reported_at timestamptz
);
insert into audit_head_reports default values;
