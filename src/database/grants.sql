-- The grants and revocations that the runtime role $1 still needs, as statements. Only what the owner owns in its schema counts.
with ours as (
    select oid, nspname from pg_namespace where nspname = current_schema()
), tables as (
    select c.oid, case
        -- A partition is written through its table; there, rows are added and never changed.
        when c.relispartition then array[]::text[]
        when c.relname in ('audit_events', 'audit_links') then array['select', 'insert']
        when c.relname = '_sqlx_migrations' then array['select']
        else array['select', 'insert', 'update', 'delete']
    end as allowed
    from pg_class c join ours on c.relnamespace = ours.oid
    where c.relkind in ('r', 'p') and pg_has_role(c.relowner, 'usage')
), rights as (
    select tables.oid, kind, kind = any(allowed) as is_allowed, has_table_privilege($1::text::name, tables.oid, kind) as is_held
    from tables cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) kind
)
select format('grant usage on schema %I to %I', nspname, $1::text) as "statement!"
from ours where not has_schema_privilege($1::text::name, ours.oid, 'usage')
union all
select format('revoke create on schema %I from %I', nspname, $1::text)
from ours where has_schema_privilege($1::text::name, ours.oid, 'create')
union all
select format('grant %s on %s to %I', kind, rights.oid::regclass, $1::text) from rights where is_allowed and not is_held
union all
select format('revoke %s on %s from %I', kind, rights.oid::regclass, $1::text) from rights where is_held and not is_allowed
union all
select format('grant execute on function %s to %I', p.oid::regprocedure, $1::text)
from pg_proc p join ours on p.pronamespace = ours.oid
where p.prosecdef and p.proname like 'audit\_%' and pg_has_role(p.proowner, 'usage') and not has_function_privilege($1::text::name, p.oid, 'execute')
