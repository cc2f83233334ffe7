-- access_method.sql: access methods
select regexp_replace(
        (pg_identify_object('pg_am'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object('type', o.amtype, 'handler', o.amhandler::regproc::text)
from pg_am o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_am'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
