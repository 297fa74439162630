-- The person ticked Active and the cart could not be turned on yet: the first pass of exactly what is saved turns it on. Means
-- nothing while the cart is active.
alter table carts add column activate_on_pass boolean not null default false;
