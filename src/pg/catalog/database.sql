-- database.sql: the database itself. Settings that a restore makes for itself are not told.
select 'database',
    jsonb_build_object(
        'owner', pg_get_userbyid(d.datdba),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select concat(
                    case x.grantee
                        when 0 then 'PUBLIC'
                        else pg_get_userbyid(x.grantee)::text
                    end,
                    '=', x.privilege_type, case when x.is_grantable then '*' end,
                    case when x.grantor <> d.datdba then '/' || pg_get_userbyid(x.grantor) end
                ) as t
                from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
                group by 1
            ) g
        ),
        'connlimit', d.datconnlimit, 'encoding', pg_encoding_to_char(d.encoding),
        'collate', d.datcollate, 'ctype', d.datctype,
\if :since_15
        'provider', d.datlocprovider,
\if :since_17
        'locale', d.datlocale,
\else
        'locale', d.daticulocale,
\endif
\else
        'provider', 'c', 'locale', null,
\endif
\if :since_16
        'icu_rules', nullif(d.daticurules, ''),
\endif
        'comment', shobj_description(d.oid, 'pg_database'),
        'settings', (
            select jsonb_agg(o.v order by o.v collate "C")
            from pg_db_role_setting s, unnest(s.setconfig) o(v)
            where s.setdatabase = d.oid
                and s.setrole = 0
                and split_part(o.v, '=', 1) <> 'timescaledb.restoring'
        ),
        'security_labels', (
            select jsonb_agg(l.provider || ': ' || l.label order by l.provider collate "C")
            from pg_shseclabel l
            where l.objoid = d.oid and l.classoid = 'pg_database'::regclass
        )
    )
from pg_database d
where d.datname = current_database();
