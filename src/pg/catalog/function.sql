-- function.sql: functions, procedures and aggregates, with all that CREATE AGGREGATE may say. Not
-- pg_get_functiondef(): in pieces, a difference says what it is. The functions that a range type
-- brings itself (14 brings more of them) hang on it internally and are left out. A function that is
-- not there is "-".
select regexp_replace(
        (pg_identify_object('pg_proc'::regclass, p.oid, 0)).identity,
        '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
    ),
    jsonb_build_object(
        'kind', p.prokind, 'owner', pg_get_userbyid(p.proowner),
        'acl', (
            select coalesce(jsonb_agg(g.t order by g.t collate "C"), '[]')
            from (
                select concat(
                    case x.grantee
                        when 0 then 'PUBLIC'
                        else pg_get_userbyid(x.grantee)::text
                    end,
                    '=', x.privilege_type, case when x.is_grantable then '*' end,
                    case when x.grantor <> p.proowner then '/' || pg_get_userbyid(x.grantor) end
                ) as t
                from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
                group by 1
            ) g
        ),
        'language', l.lanname, 'arguments', pg_get_function_arguments(p.oid),
        'result', regexp_replace(
            pg_get_function_result(p.oid), '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json',
            'g'
        ),
        'source', p.prosrc, 'binary', p.probin,
        'settings', (
            select jsonb_agg(o.v order by o.v collate "C") from unnest(p.proconfig) o(v)
        ),
        'volatile', p.provolatile, 'strict', p.proisstrict, 'security_definer', p.prosecdef,
        'leakproof', p.proleakproof, 'parallel', p.proparallel, 'cost', p.procost,
        'rows', p.prorows, 'support', nullif(p.prosupport::regproc::text, '-'),
        'transforms', (
            select jsonb_agg(
                regexp_replace(
                    format_type(u.oid, null), '(?<![."])("pg_catalog"[.])?"json"(?![."])',
                    'json', 'g'
                )
                order by u.n
            )
            from unnest(p.protrftypes) with ordinality u(oid, n)
        ),
\if :since_14
        'body', pg_get_function_sqlbody(p.oid),
\endif
        'aggregate', (
            select jsonb_build_object(
                'kind', a.aggkind, 'extra', a.aggfinalextra, 'moving extra', a.aggmfinalextra,
                'modify', a.aggfinalmodify, 'moving modify', a.aggmfinalmodify,
                'space', a.aggtransspace, 'moving space', a.aggmtransspace,
                'initial', a.agginitval, 'moving initial', a.aggminitval
            ) || (
                select jsonb_object_agg(
                    v.k,
                    regexp_replace(v.t, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g')
                )
                from (
                    values ('transition', a.aggtransfn::regprocedure::text),
                        ('final', a.aggfinalfn::regprocedure::text),
                        ('combine', a.aggcombinefn::regprocedure::text),
                        ('serial', a.aggserialfn::regprocedure::text),
                        ('deserial', a.aggdeserialfn::regprocedure::text),
                        ('moving', a.aggmtransfn::regprocedure::text),
                        ('moving inverse', a.aggminvtransfn::regprocedure::text),
                        ('moving final', a.aggmfinalfn::regprocedure::text),
                        ('sort', a.aggsortop::regoperator::text),
                        ('type', format_type(a.aggtranstype, null)),
                        ('moving type', format_type(a.aggmtranstype, null))
                ) v(k, t)
            )
            from pg_aggregate a
            where a.aggfnoid = p.oid
        )
    )
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
where n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
    and not exists (
        select
        from pg_depend i
        where i.classid = 'pg_proc'::regclass and i.objid = p.oid and i.deptype = 'i'
    );
