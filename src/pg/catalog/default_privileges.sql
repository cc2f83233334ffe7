-- default_privileges.sql: ALTER DEFAULT PRIVILEGES
select quote_ident(pg_get_userbyid(a.defaclrole)) || ' in ' || coalesce(
        quote_ident(n.nspname), 'every schema'
    ) || ' on ' || case a.defaclobjtype
        when 'r' then 'tables'
        when 'S' then 'sequences'
        when 'f' then 'functions'
        when 'T' then 'types'
        when 'n' then 'schemas'
        else a.defaclobjtype::text
    end,
    jsonb_build_object(
        'role', pg_get_userbyid(a.defaclrole),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select case x.grantee
                    when 0 then 'PUBLIC'
                    else pg_get_userbyid(x.grantee)::text
                end || '=' || x.privilege_type || case when x.is_grantable then '*' else '' end
                    as t
                from aclexplode(a.defaclacl) x
            ) g
        )
    )
from pg_default_acl a
left join pg_namespace n on n.oid = a.defaclnamespace;
