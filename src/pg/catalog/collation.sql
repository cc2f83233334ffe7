-- collation.sql: collations. Versions are the library's of each server; 15 moved an ICU locale into
-- a column of its own, 17 renamed that.
select quote_ident(n.nspname) || '.' || quote_ident(c.collname),
    jsonb_build_object(
        'owner', pg_get_userbyid(c.collowner), 'provider', c.collprovider,
        'deterministic', c.collisdeterministic,
        'locale', case
\if :since_17
            when c.collprovider <> 'c' then coalesce(c.colllocale, c.collcollate)
\else
\if :since_15
            when c.collprovider <> 'c' then coalesce(c.colliculocale, c.collcollate)
\else
            when c.collprovider <> 'c' then c.collcollate::text
\endif
\endif
        end,
\if :since_16
        'rules', nullif(c.collicurules, ''),
\endif
        'collate', case c.collprovider when 'c' then c.collcollate::text end,
        'ctype', case c.collprovider when 'c' then c.collctype::text end
    )
from pg_collation c
join pg_namespace n on n.oid = c.collnamespace
where c.oid >= 16384
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_collation'::regclass and e.objid = c.oid and e.deptype = 'e'
    );
