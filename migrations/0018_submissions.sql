-- A form sent twice is one save only if it says the same. Keyed digests, since what was typed may hold a secret.
alter table carts
    add column submission_digest      bytea,
    add column last_submission_digest bytea,
    -- The account behind updated_by, to tell a person's own change from somebody else's of the same name.
    add column updated_by_id          uuid;
-- The same form with something else in it may make another cart.
alter table carts drop constraint carts_submission_id_key;
alter table carts add constraint carts_submission_key unique (submission_id, submission_digest);
