-- transform.sql: transforms. "for integer on language sql" is without its "on" since 16.
select replace(
        regexp_replace(
            (pg_identify_object('pg_transform'::regclass, o.oid, 0)).identity,
            '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
        ),
        ' on language ', ' language '
    ),
    jsonb_build_object(
        'from_sql', regexp_replace(
            o.trffromsql::regprocedure::text, '(?<![."])("pg_catalog"[.])?"json"(?![."])',
            'json', 'g'
        ),
        'to_sql', regexp_replace(
            o.trftosql::regprocedure::text, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json',
            'g'
        )
    )
from pg_transform o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_transform'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
