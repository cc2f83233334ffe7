-- foreign_data_wrapper.sql: foreign data wrappers. Options of foreign things that may be a password
-- are told as a number, and in "secrets", which no report shows; with the name, so that the same
-- one elsewhere is another number.
select regexp_replace(
        (pg_identify_object('pg_foreign_data_wrapper'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
\if :since_19
        'connection', nullif(o.fdwconnection::regproc::text, '-'),
\endif
        'owner', pg_get_userbyid(o.fdwowner),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select concat(
                    case x.grantee
                        when 0 then 'PUBLIC'
                        else pg_get_userbyid(x.grantee)::text
                    end,
                    '=', x.privilege_type, case when x.is_grantable then '*' end,
                    case when x.grantor <> o.fdwowner then '/' || pg_get_userbyid(x.grantor) end
                ) as t
                from aclexplode(coalesce(o.fdwacl, acldefault('F', o.fdwowner))) x
                group by 1
            ) g
        ),
        'handler', o.fdwhandler::regproc::text, 'validator', o.fdwvalidator::regproc::text,
        'options', (
            select jsonb_agg(opt.v order by opt.v collate "C")
            from unnest(o.fdwoptions) opt(v)
            where opt.v !~* '^[^=]*(pass|secret|token|key|cred)'
        ),
        'secrets', (
            select jsonb_agg(
                split_part(opt.v, '=', 1) || ' ' || hashtextextended(
                    opt.v || ' ' || o.fdwname collate "C", 0
                )
                order by opt.v collate "C"
            )
            from unnest(o.fdwoptions) opt(v)
            where opt.v ~* '^[^=]*(pass|secret|token|key|cred)'
        )
    )
from pg_foreign_data_wrapper o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_foreign_data_wrapper'::regclass
            and e.objid = o.oid
            and e.deptype = 'e'
    );
