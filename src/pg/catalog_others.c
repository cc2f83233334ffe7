/* catalog_others.c: the database itself, its roles' settings, functions, types, publications. */
#include "pg/catalog.h"

/* clang-format off */
#define DATABASE(provider)                                                                       \
        "select 'database', jsonb_build_object('owner', pg_get_userbyid(d.datdba), 'acl', "     \
        CAT_ACL("d.datacl", "'d'", "d.datdba") ", 'connlimit', d.datconnlimit, 'encoding', "    \
        "pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype, "       \
        provider ", 'comment', shobj_description(d.oid, 'pg_database'), 'settings', (select "   \
        "jsonb_agg(o.v order by o.v collate \"C\") from pg_db_role_setting s, unnest(s.setconfig) o(v) " \
        "where s.setdatabase = d.oid and s.setrole = 0 and split_part(o.v, '=', 1) <> '" PG_BETWEEN "'), 'security_labels', (select jsonb_agg(l.provider || ': ' || l.label "    \
        "order by l.provider collate \"C\") from pg_shseclabel l where l.objoid = d.oid and "   \
        "l.classoid = 'pg_database'::regclass))" CAT_KNOWN("d", "daticurules", "icu_rules", "")  \
        " from pg_database d where d.datname = current_database()"

/* FOR ALL TABLES EXCEPT, of 19 */
#define EXCEPTED "coalesce((to_jsonb(r) ->> 'prexcept')::boolean, false)"
#define PUBLICATION(more)                                                                        \
        "select quote_ident(p.pubname), jsonb_build_object('owner', pg_get_userbyid(p.pubowner)" \
        ", 'all_tables', p.puballtables, 'insert', p.pubinsert, 'update', p.pubupdate, "        \
        "'delete', p.pubdelete, 'truncate', p.pubtruncate, 'tables', (select jsonb_agg("        \
        CAT_REL("n", "c") " order by " CAT_REL("n", "c") " collate \"C\") from "                \
        "pg_publication_rel r join pg_class c on c.oid = r.prrelid join pg_namespace n on "     \
        "n.oid = c.relnamespace where r.prpubid = p.oid and not " EXCEPTED "), 'except', (select " \
        "jsonb_agg(" CAT_REL("n", "c") " order by " CAT_REL("n", "c") " collate \"C\") from "    \
        "pg_publication_rel r join pg_class c on c.oid = r.prrelid join pg_namespace n on "     \
        "n.oid = c.relnamespace where r.prpubid = p.oid and " EXCEPTED ")" more ")"             \
        CAT_KNOWN("p", "puballsequences", "all_sequences", "false")                              \
        CAT_KNOWN("p", "pubviaroot", "via_root", "false")                                        \
        CAT_KNOWN("p", "pubgencols", "generated", "n") " from pg_publication p where "           \
        CAT_NOT_EXT("pg_publication", "p.oid")

/* All that CREATE AGGREGATE may say; a function that is not there is "-". */
#define AGGREGATE                                                                                \
        "(select jsonb_build_object('kind', a.aggkind, 'transition', " CAT_PROC("a.aggtransfn")  \
        ", 'final', " CAT_PROC("a.aggfinalfn") ", 'combine', " CAT_PROC("a.aggcombinefn") ", "    \
        "'serial', " CAT_PROC("a.aggserialfn") ", 'deserial', " CAT_PROC("a.aggdeserialfn") ", "  \
        "'moving', " CAT_PROC("a.aggmtransfn") ", 'moving inverse', " CAT_PROC("a.aggminvtransfn") \
        ", 'moving final', " CAT_PROC("a.aggmfinalfn") ", 'extra', a.aggfinalextra, "             \
        "'moving extra', a.aggmfinalextra, 'modify', a.aggfinalmodify, 'moving modify', "        \
        "a.aggmfinalmodify, 'sort', " CAT_OPER("a.aggsortop") ", 'type', "                        \
        CAT_TYPE("a.aggtranstype", "null") ", 'space', a.aggtransspace, 'moving type', "          \
        CAT_TYPE("a.aggmtranstype", "null") ", 'moving space', a.aggmtransspace, 'initial', "     \
        "a.agginitval, 'moving initial', a.aggminitval) from pg_aggregate a where a.aggfnoid = "  \
        "p.oid)"

/* Not pg_get_functiondef(): in pieces, a difference says what it is. The functions that a range
 * type brings itself (14 brings more of them) hang on it internally and are left out. */
#define FUNCTION(more)                                                                           \
        "select " CAT_NAME("pg_proc", "p.oid") ", "                                             \
        "jsonb_build_object('kind', p.prokind, 'owner', pg_get_userbyid(p.proowner), 'acl', "   \
        CAT_ACL("p.proacl", "'f'", "p.proowner") ", 'language', l.lanname, 'arguments', "       \
        "pg_get_function_arguments(p.oid), 'result', " CAT_JSON("pg_get_function_result(p.oid)") ", " \
        "'source', p.prosrc, 'binary', p.probin, 'settings', " CAT_SORTED("p.proconfig") ", "   \
        "'volatile', p.provolatile, 'strict', p.proisstrict, 'security_definer', p.prosecdef, " \
        "'leakproof', p.proleakproof, 'parallel', p.proparallel, 'cost', p.procost, 'rows', "   \
        "p.prorows, 'support', nullif(p.prosupport::regproc::text, '-'), 'transforms', (select "   \
        "jsonb_agg(" CAT_TYPE("u.oid", "null") " order by u.n) from unnest(p.protrftypes) with "  \
        "ordinality u(oid, n)), 'aggregate', " AGGREGATE " " more ") "        \
        "from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on "   \
        "l.oid = p.prolang where " CAT_USER_SCHEMA("n") " and " CAT_NOT_EXT("pg_proc", "p.oid") \
        " and not exists (select from pg_depend i where i.classid = 'pg_proc'::regclass and "   \
        "i.objid = p.oid and i.deptype = 'i')"

const CatalogQuery pg_catalog_others[] = {
        { "database", 0, 15, DATABASE("'provider', 'c', 'locale', null") },
        { "database", 15, 17, DATABASE("'provider', d.datlocprovider, 'locale', d.daticulocale") },
        { "database", 17, 0, DATABASE("'provider', d.datlocprovider, 'locale', d.datlocale") },
        { "role setting", 0, 0,
          "select quote_ident(r.rolname), jsonb_build_object('role', r.rolname, 'settings', "
          CAT_SORTED("s.setconfig") ") from pg_db_role_setting s join pg_database d on d.oid = "
          "s.setdatabase join pg_roles r on r.oid = s.setrole where d.datname = "
          "current_database()" },
        { "extension", 0, 0,
          "select quote_ident(e.extname), jsonb_build_object('version', e.extversion, 'schema', "
          "quote_ident(n.nspname)) from pg_extension e join pg_namespace n on n.oid = "
          "e.extnamespace" },
        { "function", 0, 14, FUNCTION("") },
        { "function", 14, 0, FUNCTION(", 'body', pg_get_function_sqlbody(p.oid)") },
        { "type", 0, 0,
          "select quote_ident(n.nspname) || '.' || quote_ident(t.typname), jsonb_build_object("
          "'kind', t.typtype, 'owner', pg_get_userbyid(t.typowner), 'acl', "
          CAT_ACL("t.typacl", "'T'", "t.typowner") ", 'labels', (select jsonb_agg(e.enumlabel "
          "order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), 'base', case when "
          "t.typbasetype <> 0 then " CAT_TYPE("t.typbasetype", "t.typtypmod") " end, 'notnull', "
          "t.typnotnull, 'default', t.typdefault, 'subtype', (select " CAT_TYPE("r.rngsubtype", "null")
          " from pg_range r where r.rngtypid = t.oid), 'range', (select jsonb_build_object('opclass', " CAT_OPCLASS("o")
          ", 'collation', " CAT_COLLATION("r.rngcollation") ", 'canonical', " CAT_PROC("r.rngcanonical")
          ", 'difference', " CAT_PROC("r.rngsubdiff") ") from pg_range r join pg_opclass o on o.oid = r.rngsubopc where "
          "r.rngtypid = t.oid), 'domain_collation', case when t.typtype = 'd' then " CAT_COLLATION("t.typcollation") " end)"
          " || coalesce((select jsonb_build_object('multirange', (to_jsonb(r) ->> 'rngmultitypid')::oid::regtype::text) from "
          "pg_range r where r.rngtypid = t.oid and to_jsonb(r) ? 'rngmultitypid'), '{}') from pg_type t join pg_namespace n "
          "on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid where t.typtype "
          "in ('b', 'c', 'd', 'e', 'r') and (t.typrelid = 0 or c.relkind = 'c') and not exists "
          "(select from pg_type a where a.typarray = t.oid) and " CAT_USER_SCHEMA("n") " and "
          CAT_NOT_EXT("pg_type", "t.oid") },
        /* What CREATE TYPE says of one that is nothing else. */
        { "base type", 0, 0,
          "select quote_ident(n.nspname) || '.' || quote_ident(t.typname), jsonb_build_object('input', " CAT_PROC("t.typinput")
          ", 'output', " CAT_PROC("t.typoutput") ", 'receive', " CAT_PROC("t.typreceive") ", 'send', " CAT_PROC("t.typsend")
          ", 'modifier_in', " CAT_PROC("t.typmodin") ", 'modifier_out', " CAT_PROC("t.typmodout") ", 'analyze', "
          CAT_PROC("t.typanalyze") ", 'length', t.typlen, 'by_value', t.typbyval, 'align', t.typalign, 'storage', "
          "t.typstorage, 'category', t.typcategory, 'preferred', t.typispreferred, 'delimiter', t.typdelim, 'element', case "
          "when t.typelem <> 0 then " CAT_TYPE("t.typelem", "null") " end, 'collatable', t.typcollation <> 0)"
          CAT_KNOWN("t", "typsubscript", "subscript", "-") " from pg_type t join pg_namespace n on n.oid = "
          "t.typnamespace where t.typtype = 'b' and not exists (select from pg_type a where a.typarray = t.oid) and "
          CAT_USER_SCHEMA("n") " and " CAT_NOT_EXT("pg_type", "t.oid") },
        { "domain constraint", 0, 0,
          "select quote_ident(n.nspname) || '.' || quote_ident(t.typname) || '.' || "
          "quote_ident(k.conname), jsonb_build_object('definition', pg_get_constraintdef(k.oid), "
          "'validated', k.convalidated) from pg_constraint k join pg_type t on t.oid = k.contypid "
          "join pg_namespace n on n.oid = t.typnamespace where k.contype = 'c' and "
          CAT_USER_SCHEMA("n") " and " CAT_NOT_EXT("pg_type", "t.oid") },
        { "default privileges", 0, 0,
          "select quote_ident(pg_get_userbyid(a.defaclrole)) || ' in ' || coalesce(quote_ident("
          "n.nspname), 'every schema') || ' on ' || case a.defaclobjtype when 'r' then 'tables' "
          "when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' "
          "then 'schemas' else a.defaclobjtype::text end, jsonb_build_object('role', "
          "pg_get_userbyid(a.defaclrole), 'acl', (select "
          "coalesce(jsonb_agg(g.t order by g.t collate \"C\"), '[]') from (select case x.grantee "
          "when 0 then 'PUBLIC' else pg_get_userbyid(x.grantee)::text end || '=' || "
          "x.privilege_type || case when x.is_grantable then '*' else '' end as t from "
          "aclexplode(a.defaclacl) x) g)) from pg_default_acl a left join pg_namespace n on "
          "n.oid = a.defaclnamespace" },
        { "event trigger", 0, 0,
          "select quote_ident(t.evtname), jsonb_build_object('owner', pg_get_userbyid("
          "t.evtowner), 'event', t.evtevent, 'enabled', t.evtenabled, 'function', "
          "t.evtfoid::regprocedure::text, 'tags', " CAT_SORTED("t.evttags") ") from "
          "pg_event_trigger t where " CAT_NOT_EXT("pg_event_trigger", "t.oid") },
        { "publication", 0, 15, PUBLICATION("") },
        { "publication", 15, 0,
          PUBLICATION(", 'schemas', (select jsonb_agg(quote_ident(sn.nspname) order by "
                      "sn.nspname collate \"C\") from pg_publication_namespace ps join "
                      "pg_namespace sn on sn.oid = ps.pnnspid where ps.pnpubid = p.oid), "
                      "'filters', (select jsonb_agg(r.prrelid::regclass || ' ' || coalesce("
                      "pg_get_expr(r.prqual, r.prrelid), '') || ' ' || coalesce((select "
                      "string_agg(quote_ident(a.attname), ' ' order by a.attname collate \"C\") from "
                      "pg_attribute a where a.attrelid = r.prrelid and a.attnum = any("
                      "r.prattrs)), '') order by r.prrelid::regclass::text collate \"C\") from "
                      "pg_publication_rel r where r.prpubid = p.oid and (r.prqual is not null or "
                      "r.prattrs is not null))") },
        { 0 },
};
