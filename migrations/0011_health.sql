-- What checks over time add up to, one narrow row a cart: leases and results touch it alone, so that the wide row of the cart and
-- its indexes are written only when something changed.
create table cart_health (
    cart_id            uuid        constraint cart_health_pkey primary key
                                   constraint cart_health_cart_id_fkey references carts on delete cascade,
    -- When the next check is due; null while the cart is not active.
    next_check_at      timestamptz,
    -- One process checks until then; after it another may.
    leased_until       timestamptz,
    last_checked_at    timestamptz,
    last_good_at       timestamptz,
    -- Checks in a row that failed for a reason that may pass, and when the first of them was.
    streak             integer     not null default 0,
    streak_since       timestamptz,
    -- The last 30 checks, 8 bytes each: seconds since 1970 (4), class (1), milliseconds (3).
    recent             bytea       not null default '',
    -- What Shopify last said of the store, its permissions and the API version.
    store              jsonb,
    -- When a check last looked whether customer details are readable.
    customers_asked_at timestamptz,
    constraint cart_health_recent_is_short check (octet_length(recent) <= 240 and octet_length(recent) % 8 = 0)
);
create index cart_health_due on cart_health (next_check_at);

-- Checks of one day, in UTC. Kept for 90 days; a cart's old days go when its first check of a new day comes.
create table cart_days (
    cart_id    uuid     constraint cart_days_cart_id_fkey references carts on delete cascade,
    day        date     not null,
    checks     smallint not null,
    failed     smallint not null,
    -- Of those that passed; null when none did.
    slowest_ms integer,
    constraint cart_days_pkey primary key (cart_id, day)
);

-- A stretch in which a cart needed attention or was not connected.
create table cart_problems (
    cart_id  uuid        constraint cart_problems_cart_id_fkey references carts on delete cascade,
    began_at timestamptz not null,
    -- Null while it lasts.
    ended_at timestamptz,
    -- Who ended it by a change; null when it ended by itself.
    ended_by text,
    class    text        not null,
    title    text        not null,
    constraint cart_problems_pkey primary key (cart_id, began_at)
);
create unique index cart_problems_one_lasts on cart_problems (cart_id) where ended_at is null;

-- The schedule follows from the cart, whoever changes it: a cart that is turned on is checked a few minutes later, and a new
-- credential starts with a clean slate.
create function cart_health_begins() returns trigger language plpgsql as $$
begin
    -- the test that it was saved with was its first
    insert into cart_health (cart_id, next_check_at, last_checked_at, last_good_at)
        select id, case when is_active then now() + interval '2 minutes' + random() * interval '2 minutes' end, passed_at, passed_at
        from added;
    return null;
end
$$;
create trigger cart_health_begins after insert on carts
    referencing new table as added for each statement execute function cart_health_begins();

create function cart_health_follows() returns trigger language plpgsql as $$
begin
    update cart_health set
        next_check_at = case when new.is_active then now() + interval '2 minutes' + random() * interval '2 minutes' end,
        leased_until = null, streak = 0, streak_since = null,
        last_good_at = case when old.secret_added_at is not distinct from new.secret_added_at then last_good_at end
        where cart_id = new.id;
    return null;
end
$$;
create trigger cart_health_follows after update of is_active, secret_added_at on carts for each row
    when (old.is_active <> new.is_active or old.secret_added_at is distinct from new.secret_added_at)
    execute function cart_health_follows();

insert into cart_health (cart_id, next_check_at, last_checked_at, last_good_at)
    select id, case when is_active then now() + random() * interval '15 minutes' end, last_checked_at, passed_at from carts;
