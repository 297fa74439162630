-- The path of a webhook's address is often its receiver's key, so the address is stored sealed, for its row and its host.
-- Addresses of earlier versions are sealed when the first server starts that knows this column.
alter table alert_webhooks
    alter column address drop not null,
    add column sealed_address bytea,
    -- The address without path and query, as pages show it.
    add column shown_address text,
    add constraint alert_webhooks_one_address check ((address is null) = (sealed_address is not null)),
    add constraint alert_webhooks_shown_address check ((sealed_address is null) = (shown_address is null));
