-- constraint.sql: constraints of tables. Those of NOT NULL, which have rows of their own since 18
-- (17 for domains), are their column's.
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(k.conname),
    jsonb_build_object(
        'type', k.contype, 'definition', pg_get_constraintdef(k.oid),
        'validated', k.convalidated
    )
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_constraint k on k.conrelid = c.oid
where k.contype in ('c', 'f', 'p', 'u', 'x')
    and not (k.contype = 'f' and k.conparentid <> 0)
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and c.relpersistence <> 't'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    );
