-- rule.sql: rules
select
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(r.rulename),
    jsonb_build_object('definition', pg_get_ruledef(r.oid), 'enabled', r.ev_enabled)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_rewrite r on r.ev_class = c.oid
where r.rulename <> '_RETURN'
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and c.relpersistence <> 't'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    );
