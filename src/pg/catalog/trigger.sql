-- trigger.sql: triggers. The clones of a partitioned table's follow their parent; tgparentid is of
-- 13.
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(t.tgname),
    jsonb_build_object('definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_trigger t on t.tgrelid = c.oid
where not t.tgisinternal
\if :since_13
    and t.tgparentid = 0
\endif
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and c.relpersistence <> 't'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    );
