-- policy.sql: row security policies
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(p.polname),
    jsonb_build_object(
        'command', p.polcmd, 'permissive', p.polpermissive,
        'roles', (
            select jsonb_agg(
                case r.v when 0 then 'PUBLIC' else pg_get_userbyid(r.v)::text end
                order by case r.v when 0 then 'PUBLIC' else pg_get_userbyid(r.v)::text end
                    collate "C"
            )
            from unnest(p.polroles) r(v)
        ),
        'using', pg_get_expr(p.polqual, p.polrelid),
        'check', pg_get_expr(p.polwithcheck, p.polrelid)
    )
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_policy p on p.polrelid = c.oid
where n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and c.relpersistence <> 't'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    );
