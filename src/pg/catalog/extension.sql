-- extension.sql: extensions; what belongs to one is in no other file.
select quote_ident(e.extname),
    jsonb_build_object('version', e.extversion, 'schema', quote_ident(n.nspname))
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace;
