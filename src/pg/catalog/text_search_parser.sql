-- text_search_parser.sql: text search parsers
select regexp_replace(
        (pg_identify_object('pg_ts_parser'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'functions', jsonb_build_array(
            o.prsstart::regproc::text, o.prstoken::regproc::text, o.prsend::regproc::text,
            o.prsheadline::regproc::text, o.prslextype::regproc::text
        )
    )
from pg_ts_parser o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_ts_parser'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
