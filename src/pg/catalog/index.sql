-- index.sql: indexes. Thousands of them have a few keys of classes among them, which are worded
-- once.
select quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    jsonb_build_object(
        'table', (
            select quote_ident(tn.nspname) || '.' || quote_ident(t.relname)
            from pg_class t
            join pg_namespace tn on tn.oid = t.relnamespace
            where t.oid = i.indrelid
        ),
        'definition', pg_get_indexdef(i.indexrelid), 'opclasses', k.names,
        'valid', i.indisvalid and i.indisready, 'partitioned', c.relkind = 'I',
        'clustered', i.indisclustered, 'replica_identity', i.indisreplident,
        'options', (
            select jsonb_agg(o.v order by o.v collate "C") from unnest(c.reloptions) o(v)
        )
    )
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_index i on i.indexrelid = c.oid
left join (
    select x.classes,
        (
            select jsonb_agg(
                (
                    select quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) || ' for '
                        || regexp_replace(
                        format_type(oc.opcintype, null),
                        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                    ) || ' in ' || quote_ident(ofn.nspname) || '.' || quote_ident(opf.opfname)
                    from pg_namespace ocn, pg_opfamily opf
                    join pg_namespace ofn on ofn.oid = opf.opfnamespace
                    where ocn.oid = oc.opcnamespace and opf.oid = oc.opcfamily
                )
                order by ou.n
            )
            from unnest(x.classes) with ordinality ou(oid, n)
            join pg_opclass oc on oc.oid = ou.oid
        ) as names
    from (select distinct indclass as classes from pg_index where indexrelid >= 16384) x
) k on k.classes = i.indclass
where c.relkind in ('i', 'I')
    and n.nspname <> 'pg_toast'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = i.indrelid and e.deptype = 'e'
    )
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and c.relpersistence <> 't'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    );
