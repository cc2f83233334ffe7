-- conversion.sql: conversions
select regexp_replace(
        (pg_identify_object('pg_conversion'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'owner', pg_get_userbyid(o.conowner), 'from', pg_encoding_to_char(o.conforencoding),
        'to', pg_encoding_to_char(o.contoencoding), 'function', o.conproc::regproc::text,
        'default', o.condefault
    )
from pg_conversion o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_conversion'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
