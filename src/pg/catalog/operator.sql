-- operator.sql: operators
select regexp_replace(
        (pg_identify_object('pg_operator'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'owner', pg_get_userbyid(o.oprowner),
        'function', regexp_replace(
            o.oprcode::regprocedure::text, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json',
            'g'
        ),
        'commutator', regexp_replace(
            o.oprcom::regoperator::text, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json',
            'g'
        ),
        'negator', regexp_replace(
            o.oprnegate::regoperator::text, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json',
            'g'
        ),
        'result', regexp_replace(
            format_type(o.oprresult, null), '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json',
            'g'
        ),
        'merges', o.oprcanmerge, 'hashes', o.oprcanhash, 'restrict', o.oprrest::regproc::text,
        'join', o.oprjoin::regproc::text
    )
from pg_operator o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_operator'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
