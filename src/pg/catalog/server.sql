-- server.sql: foreign servers. Of secrets: foreign_data_wrapper.sql.
select quote_ident(s.srvname),
    jsonb_build_object(
        'owner', pg_get_userbyid(s.srvowner),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select concat(
                    case x.grantee
                        when 0 then 'PUBLIC'
                        else pg_get_userbyid(x.grantee)::text
                    end,
                    '=', x.privilege_type, case when x.is_grantable then '*' end,
                    case when x.grantor <> s.srvowner then '/' || pg_get_userbyid(x.grantor) end
                ) as t
                from aclexplode(coalesce(s.srvacl, acldefault('S', s.srvowner))) x
                group by 1
            ) g
        ),
        'wrapper', quote_ident(w.fdwname), 'type', s.srvtype, 'version', s.srvversion,
        'options', (
            select jsonb_agg(opt.v order by opt.v collate "C")
            from unnest(s.srvoptions) opt(v)
            where opt.v !~* '^[^=]*(pass|secret|token|key|cred)'
        ),
        'secrets', (
            select jsonb_agg(
                split_part(opt.v, '=', 1) || ' ' || hashtextextended(
                    opt.v || ' ' || s.srvname collate "C", 0
                )
                order by opt.v collate "C"
            )
            from unnest(s.srvoptions) opt(v)
            where opt.v ~* '^[^=]*(pass|secret|token|key|cred)'
        )
    )
from pg_foreign_server s
join pg_foreign_data_wrapper w on w.oid = s.srvfdw
where not exists (
    select
    from pg_depend e
    where e.classid = 'pg_foreign_server'::regclass and e.objid = s.oid and e.deptype = 'e'
);
