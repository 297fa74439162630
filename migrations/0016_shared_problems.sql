-- Problems of this server, such as its network, that make many carts fail: the operator gets one alert for all of them. One row a
-- cause, locked by whoever decides, so that several replicas decide once.
create table shared_problems (
    cause    text        constraint shared_problems_pkey primary key,
    -- Null while no such problem lasts.
    told_at  timestamptz,
    began_at timestamptz,
    class    text,
    -- How many carts failed for it when it was told.
    carts    bigint,
    constraint shared_problems_is_whole check (num_nulls(told_at, began_at, class, carts) in (0, 4))
);
