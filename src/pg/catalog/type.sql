-- type.sql: types of every kind, and what their range is made of.
select quote_ident(n.nspname) || '.' || quote_ident(t.typname),
    jsonb_build_object(
        'kind', t.typtype, 'owner', pg_get_userbyid(t.typowner),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select concat(
                    case x.grantee
                        when 0 then 'PUBLIC'
                        else pg_get_userbyid(x.grantee)::text
                    end,
                    '=', x.privilege_type, case when x.is_grantable then '*' end,
                    case when x.grantor <> t.typowner then '/' || pg_get_userbyid(x.grantor) end
                ) as t
                from aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) x
                group by 1
            ) g
        ),
        'labels', (
            select jsonb_agg(e.enumlabel order by e.enumsortorder)
            from pg_enum e
            where e.enumtypid = t.oid
        ),
        'base', case
            when t.typbasetype <> 0 then regexp_replace(
                format_type(t.typbasetype, t.typtypmod),
                '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
            )
        end,
        'notnull', t.typnotnull, 'default', t.typdefault,
        'subtype', (
            select regexp_replace(
                format_type(r.rngsubtype, null), '(?<![."])("pg_catalog"[.])?"json"(?![."])',
                'json', 'g'
            )
            from pg_range r
            where r.rngtypid = t.oid
        ),
        'range', (
            select jsonb_build_object(
                'opclass', (
                    select quote_ident(ocn.nspname) || '.' || quote_ident(o.opcname) || ' for '
                        || regexp_replace(
                        format_type(o.opcintype, null),
                        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                    ) || ' in ' || quote_ident(ofn.nspname) || '.' || quote_ident(opf.opfname)
                    from pg_namespace ocn, pg_opfamily opf
                    join pg_namespace ofn on ofn.oid = opf.opfnamespace
                    where ocn.oid = o.opcnamespace and opf.oid = o.opcfamily
                ),
                'collation', (
                    select quote_ident(con.nspname) || '.' || quote_ident(co.collname)
                    from pg_collation co
                    join pg_namespace con on con.oid = co.collnamespace
                    where co.oid = r.rngcollation
                ),
                'canonical', regexp_replace(
                    r.rngcanonical::regprocedure::text,
                    '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                ),
                'difference', regexp_replace(
                    r.rngsubdiff::regprocedure::text,
                    '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                )
            )
            from pg_range r
            join pg_opclass o on o.oid = r.rngsubopc
            where r.rngtypid = t.oid
        ),
        'domain_collation', case
            when t.typtype = 'd' then (
                select quote_ident(con.nspname) || '.' || quote_ident(co.collname)
                from pg_collation co
                join pg_namespace con on con.oid = co.collnamespace
                where co.oid = t.typcollation
            )
        end
    )
\if :since_14
    || coalesce(
        (
            select jsonb_build_object('multirange', r.rngmultitypid::regtype::text)
            from pg_range r
            where r.rngtypid = t.oid
        ),
        '{}'
    )
\endif
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid
where t.typtype in ('b', 'c', 'd', 'e', 'r')
    and (t.typrelid = 0 or c.relkind = 'c')
    and not exists (select from pg_type a where a.typarray = t.oid)
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e'
    );
