-- statistics.sql: extended statistics. Their target is of 13; -1 was "the default" before 17 says
-- null.
select quote_ident(n.nspname) || '.' || quote_ident(x.stxname),
    jsonb_build_object(
        'owner', pg_get_userbyid(x.stxowner), 'definition', pg_get_statisticsobjdef(x.oid),
\if :since_13
        'target', nullif(x.stxstattarget, -1)
\else
        'target', null
\endif
    )
from pg_statistic_ext x
join pg_namespace n on n.oid = x.stxnamespace
where n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_statistic_ext'::regclass and e.objid = x.oid and e.deptype = 'e'
    );
