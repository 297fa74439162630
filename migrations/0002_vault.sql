-- Which keys have sealed here. No key is stored: a check value only tells whether the key file still holds the same one.
create table vault_keys (
    key_id       bytea       constraint vault_keys_pkey primary key constraint vault_keys_key_id_length check (length(key_id) = 8),
    check_value  bytea       not null constraint vault_keys_check_value_length check (length(check_value) = 32),
    -- Seals reserved so far, in blocks; random nonces allow 2^32 a key.
    sealed_count bigint      not null default 0,
    created_at   timestamptz not null default now(),
    -- Set by `keys forget`: rows under this key ask for their secret again.
    retired_at   timestamptz
);
