-- The token that Client ID and Client secret were last exchanged for: sealed, with its end, renewed by one replica at a time.
alter table carts
    add column minted_token   bytea,
    add column minted_at      timestamptz,
    add column minted_ends_at timestamptz,
    -- Counts renewals: who was refused a token asks for another than that one.
    add column mint_version   bigint not null default 0,
    -- One replica renews until then; after it another may.
    add column minting_until  timestamptz,
    add constraint carts_minted_is_whole check ((minted_token is null) = (minted_ends_at is null));
