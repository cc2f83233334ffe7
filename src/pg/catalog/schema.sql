-- schema.sql: schemas. 15 gave public to pg_database_owner.
select quote_ident(n.nspname),
    jsonb_build_object(
        'owner', pg_get_userbyid(n.nspowner),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select concat(
                    case x.grantee
                        when 0 then 'PUBLIC'
                        else pg_get_userbyid(x.grantee)::text
                    end,
                    '=', x.privilege_type, case when x.is_grantable then '*' end,
                    case when x.grantor <> n.nspowner then '/' || pg_get_userbyid(x.grantor) end
                ) as t
                from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
                group by 1
            ) g
        ),
        'usual_owner', case
            when n.nspname <> 'public' then null
            when current_setting('server_version_num')::int >= 150000 then pg_get_userbyid(
                n.nspowner
            ) = 'pg_database_owner'
            else n.nspowner = 10
        end
    )
from pg_namespace n
where n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e'
    );
