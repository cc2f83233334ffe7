-- text_search_configuration.sql: text search configurations, by the numbers of their tokens: a
-- parser of somebody's own would be called for names.
select regexp_replace(
        (pg_identify_object('pg_ts_config'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'owner', pg_get_userbyid(o.cfgowner),
        'parser', regexp_replace(
            (pg_identify_object('pg_ts_parser'::regclass, o.cfgparser, 0)).identity,
            '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
        ),
        'mappings', (
            select jsonb_agg(
                'token ' || m.maptokentype || ' ' || regexp_replace(
                    (pg_identify_object('pg_ts_dict'::regclass, m.mapdict, 0)).identity,
                    '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                )
                order by m.maptokentype, m.mapseqno
            )
            from pg_ts_config_map m
            where m.mapcfg = o.oid
        )
    )
from pg_ts_config o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_ts_config'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
