-- A cart that is turned on after a while is shown by a test that may be old: it is checked at once, unless its last check is younger
-- than the normal interval.
create or replace function cart_health_follows() returns trigger language plpgsql as $$
begin
    update cart_health set
        next_check_at = case
            when not new.is_active then null
            when coalesce(greatest(last_checked_at, new.passed_at), '-infinity') < now() - interval '15 minutes' then now()
            else now() + interval '2 minutes' + random() * interval '2 minutes' end,
        leased_until = null, streak = 0, streak_since = null,
        last_good_at = case when old.secret_added_at is not distinct from new.secret_added_at then last_good_at end
        where cart_id = new.id;
    return null;
end
$$;
