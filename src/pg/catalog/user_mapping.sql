-- user_mapping.sql: user mappings. All of their options are for logging in; who may not see them
-- sees null.
select quote_ident(srvname) || ' for ' || quote_ident(usename),
    jsonb_build_object(
        'role', usename,
        'secrets', (
            select jsonb_agg(
                split_part(opt.v, '=', 1) || ' ' || hashtextextended(
                    opt.v || ' ' || srvname collate "C", 0
                )
                order by opt.v collate "C"
            )
            from unnest(umoptions) opt(v)
            where true
        )
    )
from pg_user_mappings;
