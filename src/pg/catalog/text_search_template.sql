-- text_search_template.sql: text search templates
select regexp_replace(
        (pg_identify_object('pg_ts_template'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'functions', jsonb_build_array(o.tmplinit::regproc::text, o.tmpllexize::regproc::text)
    )
from pg_ts_template o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_ts_template'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
