-- What the rotation of the encryption key leaves behind.
alter table vault_keys
    -- When a start or a command last found this very key in its key file.
    add column checked_at     timestamptz,
    -- Secrets sealed again under this key by a rotation that has not ended: killed and run again, it tells the whole number.
    add column resealed_count bigint not null default 0;
