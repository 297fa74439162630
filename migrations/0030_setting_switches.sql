-- The switches of a cart that are on, by name: a further switch needs no column.
alter table cart_settings add column switches text[];

-- Servers of the previous version read and write one column for each switch while they run beside this one, so the two forms follow
-- each other: a write to one updates the other. A later migration drops the columns and this trigger.
create function cart_settings_keep_both_forms() returns trigger language plpgsql as $$
declare
    former constant text[] := array['update_order_status', 'update_inventory', 'calculate_buildable', 'include_purchase_orders',
        'include_vendor_quantity', 'import_products', 'write_products'];
begin
    if (tg_op = 'INSERT' and new.switches is not null) or (tg_op = 'UPDATE' and new.switches is distinct from old.switches) then
        new.update_order_status := 'update_order_status' = any (new.switches);
        new.update_inventory := 'update_inventory' = any (new.switches);
        new.calculate_buildable := 'calculate_buildable' = any (new.switches);
        new.include_purchase_orders := 'include_purchase_orders' = any (new.switches);
        new.include_vendor_quantity := 'include_vendor_quantity' = any (new.switches);
        new.import_products := 'import_products' = any (new.switches);
        new.write_products := 'write_products' = any (new.switches);
    else
        new.switches := array(select unnest(new.switches) except select unnest(former)) || array_remove(array[
            case when new.update_order_status then 'update_order_status' end,
            case when new.update_inventory then 'update_inventory' end,
            case when new.calculate_buildable then 'calculate_buildable' end,
            case when new.include_purchase_orders then 'include_purchase_orders' end,
            case when new.include_vendor_quantity then 'include_vendor_quantity' end,
            case when new.import_products then 'import_products' end,
            case when new.write_products then 'write_products' end], null);
    end if;
    return new;
end
$$;
create trigger cart_settings_both_forms before insert or update on cart_settings
    for each row execute function cart_settings_keep_both_forms();

update cart_settings set switches = null;
alter table cart_settings alter column switches set not null;
