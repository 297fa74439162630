-- Somebody who was invited has no password until the link is used.
alter table users alter column password_hash drop not null;
-- Outlives the sessions, for the list of users.
alter table users add column last_seen_at timestamptz;

-- What a form calls a session; the hash of its id stays here.
alter table sessions add column handle uuid not null default gen_random_uuid() constraint sessions_handle_key unique;

-- Whom a link lets in; null for the first administrator, who is nobody yet.
alter table set_up_links add column user_id uuid constraint set_up_links_user_id_fkey references users on delete cascade;
create index set_up_links_user_id on set_up_links (user_id) where user_id is not null;

-- A session gets a new id when its password is entered again, and what was typed in it stays its own.
alter table unsaved_credentials
    drop constraint unsaved_credentials_session_fkey,
    add constraint unsaved_credentials_session_fkey
        foreign key (session_hash) references sessions (id_hash) on delete cascade on update cascade;
