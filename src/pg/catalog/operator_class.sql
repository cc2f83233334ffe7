-- operator_class.sql: operator classes
select regexp_replace(
        (pg_identify_object('pg_opclass'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'owner', pg_get_userbyid(o.opcowner),
        'family', regexp_replace(
            (pg_identify_object('pg_opfamily'::regclass, o.opcfamily, 0)).identity,
            '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
        ),
        'type', regexp_replace(
            format_type(o.opcintype, null), '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json',
            'g'
        ),
        'default', o.opcdefault,
        'stored', case
            when o.opckeytype <> 0 then regexp_replace(
                format_type(o.opckeytype, null), '(?<![."])("pg_catalog"[.])?"json"(?![."])',
                'json', 'g'
            )
        end
    )
from pg_opclass o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_opclass'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
