-- table.sql: tables, views, materialized views and foreign tables.
select quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    jsonb_build_object(
        'kind', c.relkind, 'owner', pg_get_userbyid(c.relowner),
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
                from aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
                group by 1
            ) g
        ),
        'persistence', c.relpersistence,
        'options', (
            select jsonb_agg(o.v order by o.v collate "C") from unnest(c.reloptions) o(v)
        ),
        'toast_options', (
            select (
                select jsonb_agg(o.v order by o.v collate "C") from unnest(tc.reloptions) o(v)
            )
            from pg_class tc
            where tc.oid = c.reltoastrelid
        ),
        'row_security', c.relrowsecurity, 'force_row_security', c.relforcerowsecurity,
        'replica_identity', c.relreplident, 'partition_key', pg_get_partkeydef(c.oid),
        'partition_opclasses', (
            select (
                select jsonb_agg(
                    (
                        select quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) ||
                            ' for ' || regexp_replace(
                            format_type(oc.opcintype, null),
                            '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                        ) || ' in ' || quote_ident(ofn.nspname) || '.' || quote_ident(
                            opf.opfname
                        )
                        from pg_namespace ocn, pg_opfamily opf
                        join pg_namespace ofn on ofn.oid = opf.opfnamespace
                        where ocn.oid = oc.opcnamespace and opf.oid = oc.opcfamily
                    )
                    order by ou.n
                )
                from unnest(pt.partclass) with ordinality ou(oid, n)
                join pg_opclass oc on oc.oid = ou.oid
            )
            from pg_partitioned_table pt
            where pt.partrelid = c.oid
        ),
        'bound', pg_get_expr(c.relpartbound, c.oid),
        'parents', (
            select jsonb_agg(
                quote_ident(pn.nspname) || '.' || quote_ident(p.relname)
\if :since_14
                || case when i.inhdetachpending then ' detach pending' else '' end
\endif
                order by i.inhseqno
            )
            from pg_inherits i
            join pg_class p on p.oid = i.inhparent
            join pg_namespace pn on pn.oid = p.relnamespace
            where i.inhrelid = c.oid
        ),
        'of_type', case
            when c.reloftype <> 0 then regexp_replace(
                format_type(c.reloftype, null), '(?<![."])("pg_catalog"[.])?"json"(?![."])',
                'json', 'g'
            )
        end,
        'access_method', (select am.amname from pg_am am where am.oid = c.relam),
        'tablespace', (select spcname from pg_tablespace s where s.oid = c.reltablespace),
        'definition', case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
        'refers_to', case
            when c.relkind in ('v', 'm') then (
                select jsonb_agg(x.t order by x.t collate "C")
                from (
                    select distinct regexp_replace(
                        (pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid)).identity,
                        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                    ) as t
                    from pg_rewrite r
                    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                    where r.ev_class = c.oid and d.deptype = 'n' and d.refobjid <> c.oid
                ) x
            )
        end,
        'populated', case when c.relkind = 'm' then c.relispopulated end,
        'server', (
            select s.srvname
            from pg_foreign_table f
            join pg_foreign_server s on s.oid = f.ftserver
            where f.ftrelid = c.oid
        )
    ) || coalesce(
        (
            select jsonb_build_object(
                'foreign_options', (
                    select jsonb_agg(o.v order by o.v collate "C") from unnest(f.ftoptions) o(v)
                )
            )
            from pg_foreign_table f
            where f.ftrelid = c.oid
        ),
        '{}'
    )
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'v', 'm')
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and c.relpersistence <> 't'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    );
