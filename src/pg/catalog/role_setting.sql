-- role_setting.sql: ALTER ROLE .. IN DATABASE .. SET
select quote_ident(r.rolname),
    jsonb_build_object(
        'role', r.rolname,
        'settings', (
            select jsonb_agg(o.v order by o.v collate "C") from unnest(s.setconfig) o(v)
        )
    )
from pg_db_role_setting s
join pg_database d on d.oid = s.setdatabase
join pg_roles r on r.oid = s.setrole
where d.datname = current_database();
