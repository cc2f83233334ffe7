-- cast.sql: casts. 14 makes one from each range to its multirange, which hangs on it internally.
select regexp_replace(
        (pg_identify_object('pg_cast'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'context', o.castcontext, 'method', o.castmethod,
        'function', regexp_replace(
            o.castfunc::regprocedure::text, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json',
            'g'
        )
    )
from pg_cast o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend i
        where i.classid = 'pg_cast'::regclass and i.objid = o.oid and i.deptype = 'i'
    )
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_cast'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
