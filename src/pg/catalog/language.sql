-- language.sql: procedural languages
select regexp_replace(
        (pg_identify_object('pg_language'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'owner', pg_get_userbyid(o.lanowner),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select concat(
                    case x.grantee
                        when 0 then 'PUBLIC'
                        else pg_get_userbyid(x.grantee)::text
                    end,
                    '=', x.privilege_type, case when x.is_grantable then '*' end,
                    case when x.grantor <> o.lanowner then '/' || pg_get_userbyid(x.grantor) end
                ) as t
                from aclexplode(coalesce(o.lanacl, acldefault('l', o.lanowner))) x
                group by 1
            ) g
        ),
        'trusted', o.lanpltrusted,
        'functions', jsonb_build_array(
            o.lanplcallfoid::regproc::text, o.laninline::regproc::text,
            o.lanvalidator::regproc::text
        )
    )
from pg_language o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_language'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
