-- Opens, renames and saves a cart with the statements of the program. The benchmark fails if they differ.
\set n random(1, 1000000000)
select id, website_name, store_host, is_practice, is_active, status, version, credential_kind, client_id, secret,
    secret_ending, secret_added_by, secret_added_at, credential_fingerprint, passed_at, shop_id, shop_name, last_test_id, last_class,
    last_title, missing_count, last_checked_at, failing_since, retired_by, is_disconnected, locations_gone, secret_version,
    last_submission_id, updated_at, updated_by from carts where id = :cart;
begin;
select id, website_name, store_host, is_practice, is_active, status, version, credential_kind, client_id, secret,
    secret_ending, secret_added_by, secret_added_at, credential_fingerprint, passed_at, shop_id, shop_name, last_test_id, last_class,
    last_title, missing_count, last_checked_at, failing_since, retired_by, is_disconnected, locations_gone, secret_version,
    last_submission_id, updated_at, updated_by from carts where id = :cart for update;
select credential_kind, client_id, store_host, secret, secret_ending, created_at > now() - interval '30 minutes' as "is_fresh!"
    from unsaved_credentials where id = gen_random_uuid() and session_hash = :session and cart_id is not distinct from :cart;
delete from unsaved_credentials where session_hash = :session and (id = gen_random_uuid() or cart_id = :cart);
update carts set website_name = :n, retired_by = case when is_active and not :active then :person else retired_by end,
    is_active = :active, status = :status, version = version + 1, updated_at = now(), updated_by = :person,
    last_submission_id = gen_random_uuid() where id = :cart;
select website_name, store_host, is_active, passed_at is not null as "has_passed!", status, locations_gone, version,
    credential_fingerprint, last_class, last_title, missing_count, granted, failing_since, streak, streak_since, last_good_at,
    leased_until, (select class from cart_problems p where p.cart_id = c.id and ended_at is null) as problem, now() as "at!"
    from carts c join cart_health h on h.cart_id = c.id where c.id = :cart for no key update of c, h;
insert into audit_events (id, actor_kind, actor_id, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent, what)
    values (gen_random_uuid(), :kind, :actor, :person, :event, :cart, :n, :changes, :request, :ip, :agent, :what);
commit;
