-- column.sql: columns. Compression is of 14; 17 says NULL for the usual statistics target, which
-- was -1 before. Since 18 a NOT NULL has a name of its own; what is usual is null: valid,
-- inherited, and called as 18 calls it by itself.
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(a.attname),
    jsonb_build_object(
        'position', row_number() over (partition by a.attrelid order by a.attnum),
        'type', regexp_replace(
            format_type(a.atttypid, a.atttypmod), '(?<![."])("pg_catalog"[.])?"json"(?![."])',
            'json', 'g'
        ),
        'notnull', a.attnotnull,
        'child', not c.relispartition and exists (
            select from pg_inherits h where h.inhrelid = c.oid
        ),
        'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity,
        'generated', a.attgenerated,
        'collation', case
            when a.attcollation <> t.typcollation then (
                select quote_ident(ln.nspname) || '.' || quote_ident(l.collname)
                from pg_collation l
                join pg_namespace ln on ln.oid = l.collnamespace
                where l.oid = a.attcollation
            )
        end,
        'storage', nullif(a.attstorage, t.typstorage),
        'stattarget', nullif(a.attstattarget, -1),
        'options', (
            select jsonb_agg(o.v order by o.v collate "C")
            from unnest(a.attoptions) o(v)
            where o.v !~ '^pg_attver='
        ),
        'fdw_options', (
            select jsonb_agg(o.v order by o.v collate "C") from unnest(a.attfdwoptions) o(v)
        ),
\if :since_14
        'compression', nullif(a.attcompression, ''),
\endif
        'acl', case
            when a.attacl is null then '[]'::jsonb
            else (
                select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
                from (
                    select concat(
                        case x.grantee
                            when 0 then 'PUBLIC'
                            else pg_get_userbyid(x.grantee)::text
                        end,
                        '=', x.privilege_type, case when x.is_grantable then '*' end,
                        case
                            when x.grantor <> c.relowner then '/' || pg_get_userbyid(x.grantor)
                        end
                    ) as t
                    from aclexplode(coalesce(a.attacl, acldefault('c', c.relowner))) x
                    group by 1
                ) g
            )
        end
    )
\if :since_18
    || coalesce(
        (
            select jsonb_build_object(
                'notnull_name', nullif(k.conname, c.relname || '_' || a.attname || '_not_null'),
                'notnull_valid', nullif(k.convalidated, true),
                'notnull_inherits', nullif(not k.connoinherit, true)
            )
            from pg_constraint k
            where k.conrelid = c.oid and k.contype = 'n' and k.conkey[1] = a.attnum
            limit 1
        ),
        '{}'
    )
\endif
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and c.relpersistence <> 't'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
    and not (
        c.relkind = 'c'
        and exists (
            select
            from pg_depend e
            where e.classid = 'pg_type'::regclass and e.objid = c.reltype and e.deptype = 'e'
        )
    );
