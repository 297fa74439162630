-- Opens, renames and saves a cart with the statements of the program. The benchmark fails if they differ.
\set n random(1, 1000000000)
select id, website_name, store_host, is_practice, is_active, status, version, credential_kind, client_id,
    substring(secret from 1 for 9) as secret_head,
    secret_ending, secret_added_by, secret_added_at, credential_fingerprint, passed_at, shop_id, shop_name, last_test_id, last_class,
    last_title, missing_count, failing_since, retired_by, is_disconnected, locations_gone, activate_on_pass,
    (select h.last_checked_at from cart_health h where h.cart_id = carts.id) as last_checked_at,
    (select h.next_check_at from cart_health h where h.cart_id = carts.id) as next_check_at, secret_version,
    last_submission_id, last_submission_digest, updated_at, updated_by, updated_by_id from carts where id = :cart;
begin;
select id, website_name, store_host, is_practice, is_active, status, version, credential_kind, client_id,
    substring(secret from 1 for 9) as secret_head,
    secret_ending, secret_added_by, secret_added_at, credential_fingerprint, passed_at, shop_id, shop_name, last_test_id, last_class,
    last_title, missing_count, failing_since, retired_by, is_disconnected, locations_gone, activate_on_pass,
    (select h.last_checked_at from cart_health h where h.cart_id = carts.id) as last_checked_at,
    (select h.next_check_at from cart_health h where h.cart_id = carts.id) as next_check_at, secret_version,
    last_submission_id, last_submission_digest, updated_at, updated_by, updated_by_id from carts where id = :cart for update;
with account as materialized (
    select id from users where id = :actor and disabled_at is null and (role = 'administrator' or not :change) for share ),
    session as materialized (
    select id_hash from sessions where id_hash = :session and user_id = (select id from account)
    and created_at > now() - make_interval(mins => :longest) and created_at <= now() + interval '1 minute'
    and last_seen_at > now() - make_interval(mins => :idle) and last_seen_at <= now() + interval '1 minute' for share )
    select case when :session::bytea is null then exists (select from account) else exists (select from session) end as "is_live!";
select credential_kind, client_id, platform, store_key, store_host, secret, secret_ending, created_at > now() - interval '30 minutes' as "is_fresh!"
    from unsaved_credentials where id = gen_random_uuid() and session_hash = :session and cart_id is not distinct from :cart;
delete from unsaved_credentials where session_hash = :session and (id = gen_random_uuid() or cart_id = :cart);
update carts set website_name = :n, name_twin = case when name_key(website_name) = name_key(:n) then name_twin else 0 end,
    retired_by = case when is_active and not :active then :person else retired_by end,
    is_active = :active, status = :status, version = version + 1, updated_at = now(), updated_by = :person,
    last_submission_id = gen_random_uuid(), activate_on_pass = :later, last_submission_digest = :digest, updated_by_id = :actor
    where id = :cart;
select website_name, store_host, is_active, passed_at is not null as "has_passed!", status, locations_gone, version,
    credential_kind, credential_fingerprint, last_class, last_title, missing_count, granted, failing_since, streak, streak_since,
    last_good_at, leased_until, (select class from cart_problems p where p.cart_id = c.id and ended_at is null) as problem,
    now() as "at!" from carts c join cart_health h on h.cart_id = c.id where c.id = :cart for no key update of c, h;
insert into audit_events (id, actor_kind, actor_id, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent,
    what, actor_email)
    values (gen_random_uuid(), :kind, :actor, :person, :event, :cart, :n, :changes, :request, :ip, :agent, :what, :email);
insert into cart_changes (kind, cart_id, data)
    select :feed, id, jsonb_build_object('website_name', website_name, 'store', store_host, 'status', status,
    'class', last_class, 'title', last_title) from carts where id = :cart and not exists (
    select from cart_changes where xid = pg_current_xact_id() and cart_id = :cart and kind = :feed);
commit;
