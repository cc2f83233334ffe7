-- domain_constraint.sql: CHECKs of domains; their NOT NULL is the type's.
select quote_ident(n.nspname) || '.' || quote_ident(t.typname) || '.' || quote_ident(k.conname),
    jsonb_build_object('definition', pg_get_constraintdef(k.oid), 'validated', k.convalidated)
from pg_constraint k
join pg_type t on t.oid = k.contypid
join pg_namespace n on n.oid = t.typnamespace
where k.contype = 'c'
    and n.nspname !~ '^(pg_|information_schema$|pgsherpa_later$)'
    and not exists (
        select
        from pg_depend e
        where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e'
    );
