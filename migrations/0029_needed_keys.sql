-- A key that a stored secret names is needed, whichever server stored it: also one that was not restarted after a rotation and still
-- seals with an old key. So storing a secret clears the retirement of its key. The lock makes a rotation that is about to retire the key
-- wait for this transaction, and this transaction wait for a rotation that came first.
create function vault_key_is_needed() returns trigger language plpgsql as $$
declare
    sealed bytea;
begin
    case tg_argv[0]
        when 'secret' then sealed := new.secret;
        when 'minted_token' then sealed := new.minted_token;
        when 'sealed_address' then sealed := new.sealed_address;
    end case;
    perform from vault_keys where key_id = substring(sealed from 2 for 8) for key share;
    update vault_keys set retired_at = null where key_id = substring(sealed from 2 for 8) and retired_at is not null;
    return null;
end
$$;
create trigger carts_secret_needs_key after insert or update of secret on carts
    for each row when (new.secret is not null) execute function vault_key_is_needed('secret');
create trigger carts_minted_token_needs_key after insert or update of minted_token on carts
    for each row when (new.minted_token is not null) execute function vault_key_is_needed('minted_token');
create trigger unsaved_credentials_secret_needs_key after insert or update of secret on unsaved_credentials
    for each row execute function vault_key_is_needed('secret');
create trigger alert_webhooks_secret_needs_key after insert or update of secret on alert_webhooks
    for each row execute function vault_key_is_needed('secret');
create trigger alert_webhooks_sealed_address_needs_key after insert or update of sealed_address on alert_webhooks
    for each row when (new.sealed_address is not null) execute function vault_key_is_needed('sealed_address');

-- Seals are not counted any more: each secret has a key of its own, derived from its key of the key file. The column stays, because
-- servers of the previous version read and write it while they run beside this one.
comment on column vault_keys.sealed_count is 'not used any more';
