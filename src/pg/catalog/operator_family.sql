-- operator_family.sql: operator families and their members
select regexp_replace(
        (pg_identify_object('pg_opfamily'::regclass, o.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'owner', pg_get_userbyid(o.opfowner),
        'members', (
            select jsonb_agg(x.t order by x.t collate "C")
            from (
                select 'operator ' || m.amopstrategy || ' ' || regexp_replace(
                    m.amopopr::regoperator::text, '(?<![."])("pg_catalog"[.])?"json"(?![."])',
                    'json', 'g'
                ) || case
                    when m.amopsortfamily <> 0 then ' for order by ' || regexp_replace(
                        (pg_identify_object('pg_opfamily'::regclass, m.amopsortfamily, 0)).
                            identity,
                        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                    )
                    else ''
                end as t
                from pg_amop m
                where m.amopfamily = o.oid
                union all
                select 'function ' || p.amprocnum || ' (' || regexp_replace(
                    format_type(p.amproclefttype, null),
                    '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                ) || ', ' || regexp_replace(
                    format_type(p.amprocrighttype, null),
                    '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
                ) || ') ' || regexp_replace(
                    p.amproc::regprocedure::text, '(?<![."])("pg_catalog"[.])?"json"(?![."])',
                    'json', 'g'
                )
                from pg_amproc p
                where p.amprocfamily = o.oid
            ) x
        )
    )
from pg_opfamily o
where o.oid >= 16384
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_opfamily'::regclass and e.objid = o.oid and e.deptype = 'e'
    );
