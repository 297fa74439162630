create table users (
    id            uuid        constraint users_pkey primary key,
    -- Trimmed and lower case, so that letter case dodges neither uniqueness nor the throttle.
    email         text        not null constraint users_email_key unique
                              constraint users_email_normal check (email = lower(trim(email)) and length(email) between 3 and 254),
    name          text        not null constraint users_name_length check (length(name) between 1 and 100),
    role          text        not null constraint users_role check (role in ('administrator', 'viewer')),
    -- argon2id as a PHC string.
    password_hash text        not null,
    theme         text        not null default 'system' constraint users_theme check (theme in ('system', 'light', 'dark')),
    created_at    timestamptz not null default now(),
    disabled_at   timestamptz
);

create table sessions (
    -- SHA-256 of the cookie's value: a dump signs nobody in.
    id_hash          bytea       constraint sessions_pkey primary key,
    user_id          uuid        not null constraint sessions_user_id_fkey references users on delete cascade,
    created_at       timestamptz not null default now(),
    last_seen_at     timestamptz not null default now(),
    -- When the password was last entered; some acts ask again after ten minutes.
    authenticated_at timestamptz not null default now(),
    ip               text,
    user_agent       text,
    -- What the last deed wants to say on the next page.
    banner           jsonb
);
create index sessions_user_id on sessions (user_id);

create table set_up_links (
    code_hash  bytea       constraint set_up_links_pkey primary key,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    spent_at   timestamptz
);

-- Counted here and not in the process, so that replicas share the count and parallel tries cannot dodge it.
create table throttle (
    bucket     text        constraint throttle_pkey primary key,
    started_at timestamptz not null,
    count      integer     not null
);
