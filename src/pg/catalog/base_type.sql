-- base_type.sql: what CREATE TYPE says of a type that is nothing else.
select quote_ident(n.nspname) || '.' || quote_ident(t.typname),
    jsonb_build_object(
        'length', t.typlen, 'by_value', t.typbyval, 'align', t.typalign, 'storage', t.typstorage,
        'category', t.typcategory, 'preferred', t.typispreferred, 'delimiter', t.typdelim,
\if :since_14
        'subscript', nullif(t.typsubscript::text, '-'),
\endif
        'collatable', t.typcollation <> 0
    ) || (
        select jsonb_object_agg(
            v.k, regexp_replace(v.t, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g')
        )
        from (
            values ('input', t.typinput::regprocedure::text),
                ('output', t.typoutput::regprocedure::text),
                ('receive', t.typreceive::regprocedure::text),
                ('send', t.typsend::regprocedure::text),
                ('modifier_in', t.typmodin::regprocedure::text),
                ('modifier_out', t.typmodout::regprocedure::text),
                ('analyze', t.typanalyze::regprocedure::text),
                ('element', case when t.typelem <> 0 then format_type(t.typelem, null) end)
        ) v(k, t)
    )
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
where t.typtype = 'b'
    and not exists (select from pg_type a where a.typarray = t.oid)
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e'
    );
