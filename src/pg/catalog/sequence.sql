-- sequence.sql: sequences; their values are read from each of them. Of one in an extension's
-- configuration: the value only, the rest is the extension's own.
select quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    jsonb_build_object(
        'owner', pg_get_userbyid(c.relowner),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select concat(
                    case x.grantee
                        when 0 then 'PUBLIC'
                        else pg_get_userbyid(x.grantee)::text
                    end,
                    '=', x.privilege_type, case when x.is_grantable then '*' end,
                    case when x.grantor <> c.relowner then '/' || pg_get_userbyid(x.grantor) end
                ) as t
                from aclexplode(coalesce(c.relacl, acldefault('s', c.relowner))) x
                group by 1
            ) g
        ),
        'persistence', c.relpersistence, 'type', format_type(s.seqtypid, null),
        'start', s.seqstart, 'min', s.seqmin, 'max', s.seqmax, 'increment', s.seqincrement,
        'cache', s.seqcache, 'cycle', s.seqcycle,
        'owned_by', (
            select quote_ident(tn.nspname) || '.' || quote_ident(t.relname) || '.' ||
                quote_ident(a.attname)
            from pg_depend d
            join pg_class t on t.oid = d.refobjid
            join pg_namespace tn on tn.oid = t.relnamespace
            join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
            where d.classid = 'pg_class'::regclass
                and d.objid = c.oid
                and d.refclassid = 'pg_class'::regclass
                and d.deptype in ('a', 'i')
        )
    )
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_sequence s on s.seqrelid = c.oid
where n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and c.relpersistence <> 't'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
union all
select quote_ident(n.nspname) || '.' || quote_ident(c.relname), '{}'
from pg_extension e, unnest(e.extconfig) u(oid)
join pg_class c on c.oid = u.oid
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S';
