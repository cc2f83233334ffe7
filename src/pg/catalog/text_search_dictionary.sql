-- text_search_dictionary.sql: text search dictionaries
select regexp_replace(
        (pg_identify_object('pg_ts_dict'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'owner', pg_get_userbyid(o.dictowner),
        'template', regexp_replace(
            (pg_identify_object('pg_ts_template'::regclass, o.dicttemplate, 0)).identity,
            '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
        ),
        'options', o.dictinitoption
    )
from pg_ts_dict o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_ts_dict'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
