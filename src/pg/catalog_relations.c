/* catalog_relations.c: tables and what hangs on them. */
#include "pg/catalog.h"

/* clang-format off */
#define USER_REL(c, n) CAT_USER_SCHEMA(n) " and " c ".relpersistence <> 't' and "               \
        CAT_NOT_EXT("pg_class", c ".oid")
#define FROM_REL " from pg_class c join pg_namespace n on n.oid = c.relnamespace "

/* Compression (14) and stattarget (NULL since 17, -1 before) are told in the same words. */
#define COLUMN(compression)                                                                      \
        "select " CAT_REL("n", "c") " || '.' || quote_ident(a.attname), jsonb_build_object("    \
        "'position', row_number() over (partition by a.attrelid order by a.attnum), "           \
        "'type', " CAT_TYPE("a.atttypid", "a.atttypmod") ", 'notnull', a.attnotnull, "            \
        "'child', not c.relispartition and exists (select from pg_inherits h where h.inhrelid = "     \
        "c.oid), 'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity, "               \
        "'generated', a.attgenerated, 'collation', case when a.attcollation <> t.typcollation " \
        "then (select quote_ident(ln.nspname) || '.' || quote_ident(l.collname) from "          \
        "pg_collation l join pg_namespace ln on ln.oid = l.collnamespace where l.oid = "        \
        "a.attcollation) end, 'storage', nullif(a.attstorage, t.typstorage), 'stattarget', "    \
        "nullif(a.attstattarget, -1), 'options', (select jsonb_agg(o.v order by o.v collate "   \
        "\"C\") from unnest(a.attoptions) o(v) where o.v !~ '^pg_attver='), 'fdw_options', "    \
        CAT_SORTED("a.attfdwoptions") ", 'acl', case when a.attacl is null then '[]'::jsonb "   \
        "else " CAT_ACL("a.attacl", "'c'", "c.relowner") " end" compression ") "                \
        FROM_REL "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not "          \
        "a.attisdropped join pg_type t on t.oid = a.atttypid left join pg_attrdef d on "        \
        "d.adrelid = a.attrelid and d.adnum = a.attnum where c.relkind in "                     \
        "('r', 'p', 'f', 'v', 'm', 'c') and " USER_REL("c", "n") " and not (c.relkind = 'c' and "  \
        "exists (select from pg_depend e where e.classid = 'pg_type'::regclass and e.objid = "    \
        "c.reltype and e.deptype = 'e'))"

#define COMPRESSION ", 'compression', nullif(a.attcompression, '')"
/* What is usual is null: valid, inherited, and called as 18 would call it by itself. */
#define NOT_NULL                                                                                 \
        ") || coalesce((select jsonb_build_object('notnull_name', nullif(k.conname, c.relname || " \
        "'_' || a.attname || '_not_null'), 'notnull_valid', nullif(k.convalidated, true), "      \
        "'notnull_inherits', nullif(not k.connoinherit, true)) from pg_constraint k where "       \
        "k.conrelid = c.oid and k.contype = 'n' and k.conkey[1] = a.attnum limit 1), '{}'"

/* Thousands of indexes have a few keys of classes among them. */
#define KEYS                                                                                     \
        "(select x.classes, " CAT_OPCLASSES("x.classes") " as names from (select distinct indclass as " \
        "classes from pg_index where indexrelid >= 16384) x)"

/* The clones of a partitioned table's triggers follow their parent; tgparentid is of 13. */
#define TRIGGER(clone)                                                                           \
        "select " CAT_REL("n", "c") " || '.' || quote_ident(t.tgname), jsonb_build_object("     \
        "'definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled) " FROM_REL             \
        "join pg_trigger t on t.tgrelid = c.oid where not t.tgisinternal and " clone            \
        USER_REL("c", "n")

const CatalogQuery pg_catalog_relations[] = {
        { "schema", 0, 0,
          "select quote_ident(n.nspname), jsonb_build_object('owner', pg_get_userbyid("
          "n.nspowner), 'acl', " CAT_ACL("n.nspacl", "'n'", "n.nspowner") ", 'usual_owner', case when "
          "n.nspname <> 'public' then null when current_setting('server_version_num')::int >= 150000 "
          "then pg_get_userbyid(n.nspowner) = 'pg_database_owner' else n.nspowner = 10 end) from "
          "pg_namespace n "
          "where " CAT_USER_SCHEMA("n") " and " CAT_NOT_EXT("pg_namespace", "n.oid") },
        { "table", 0, 0,
          "select " CAT_REL("n", "c") ", jsonb_build_object('kind', c.relkind, 'owner', "
          "pg_get_userbyid(c.relowner), 'acl', " CAT_ACL("c.relacl", "'r'", "c.relowner") ", "
          "'persistence', c.relpersistence, 'options', " CAT_SORTED("c.reloptions") ", "
          "'toast_options', (select " CAT_SORTED("tc.reloptions") " from pg_class tc where "
          "tc.oid = c.reltoastrelid), 'row_security', c.relrowsecurity, 'force_row_security', "
          "c.relforcerowsecurity, 'replica_identity', c.relreplident, 'partition_key', "
          "pg_get_partkeydef(c.oid), 'partition_opclasses', (select " CAT_OPCLASSES("pt.partclass") " from "
          "pg_partitioned_table pt where pt.partrelid = c.oid), 'bound', pg_get_expr(c.relpartbound, c.oid), 'parents', "
          "(select jsonb_agg(" CAT_REL("pn", "p") " || case when to_jsonb(i) ->> 'inhdetachpending' = 'true' then "
          "' detach pending' else '' end order by i.inhseqno) from pg_inherits i join "
          "pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace "
          "where i.inhrelid = c.oid), 'of_type', case when c.reloftype <> 0 then " CAT_TYPE("c.reloftype", "null") " end, 'access_method', (select am.amname from pg_am am where "
          "am.oid = c.relam), 'tablespace', (select spcname from pg_tablespace s where s.oid = "
          "c.reltablespace), 'definition', case when c.relkind in ('v', 'm') then "
          "pg_get_viewdef(c.oid) end, 'refers_to', case when c.relkind in ('v', 'm') then (select "
          "jsonb_agg(x.t order by x.t collate \"C\") from (select distinct "
          CAT_JSON("(pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid)).identity") " as t from pg_rewrite r join "
          "pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid where r.ev_class "
          "= c.oid and d.deptype = 'n' and d.refobjid <> c.oid) x) end, 'populated', case when "
          "c.relkind = 'm' then "
          "c.relispopulated end, 'server', (select s.srvname from pg_foreign_table f join "
          "pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = c.oid)) || coalesce((select "
          "jsonb_build_object('foreign_options', " CAT_SORTED("f.ftoptions") ") from pg_foreign_table f "
          "where f.ftrelid = c.oid), '{}') " FROM_REL
          "where c.relkind in ('r', 'p', 'f', 'v', 'm') and " USER_REL("c", "n") },
        { "column", 0, 14, COLUMN("") },
        { "column", 14, 18, COLUMN(COMPRESSION) },
        { "column", 18, 0, COLUMN(COMPRESSION NOT_NULL) },
        /* Those of NOT NULL, which have rows of their own since 18 (17 for domains), are their column's. */
        { "constraint", 0, 0,
          "select " CAT_REL("n", "c") " || '.' || quote_ident(k.conname), jsonb_build_object("
          "'type', k.contype, 'definition', pg_get_constraintdef(k.oid), 'validated', "
          "k.convalidated) " FROM_REL "join pg_constraint k on k.conrelid = c.oid where "
          "k.contype in ('c', 'f', 'p', 'u', 'x') and not (k.contype = 'f' and k.conparentid "
          "<> 0) and " USER_REL("c", "n") },
        { "index", 0, 0,
          "select " CAT_REL("n", "c") ", jsonb_build_object('table', (select "
          CAT_REL("tn", "t") " from pg_class t join pg_namespace tn on tn.oid = t.relnamespace "
          "where t.oid = i.indrelid), 'definition', pg_get_indexdef(i.indexrelid), 'opclasses', k.names, 'valid', "
          "i.indisvalid and i.indisready, 'partitioned', c.relkind = 'I', 'clustered', i.indisclustered, 'replica_identity', "
          "i.indisreplident, 'options', " CAT_SORTED("c.reloptions") ") " FROM_REL
          "join pg_index i on i.indexrelid = c.oid left join " KEYS " k on k.classes = i.indclass where c.relkind in "
          "('i', 'I') and "
          "n.nspname <> 'pg_toast' and not exists (select from pg_depend e where e.classid = "
          "'pg_class'::regclass and e.objid = i.indrelid and e.deptype = 'e') and "
          USER_REL("c", "n") },
        { "sequence", 0, 0,
          "select " CAT_REL("n", "c") ", jsonb_build_object('owner', pg_get_userbyid("
          "c.relowner), 'acl', " CAT_ACL("c.relacl", "'s'", "c.relowner") ", 'persistence', c.relpersistence, 'type', "
          "format_type(s.seqtypid, null), 'start', s.seqstart, 'min', s.seqmin, 'max', s.seqmax, "
          "'increment', s.seqincrement, 'cache', s.seqcache, 'cycle', s.seqcycle, 'owned_by', "
          "(select " CAT_REL("tn", "t") " || '.' || quote_ident(a.attname) from pg_depend d join "
          "pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace join "
          "pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid where d.classid = "
          "'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and "
          "d.deptype in ('a', 'i'))) " FROM_REL
          "join pg_sequence s on s.seqrelid = c.oid where " USER_REL("c", "n")
          /* of an extension's configuration: its value; the rest is the extension's own */
          " union all select " CAT_REL("n", "c") ", '{}' from pg_extension e, unnest(e.extconfig) "
          "u(oid) join pg_class c on c.oid = u.oid join pg_namespace n on n.oid = c.relnamespace "
          "where c.relkind = 'S'" },
        { "trigger", 0, 13, TRIGGER("") },
        { "trigger", 13, 0, TRIGGER("t.tgparentid = 0 and ") },
        { "rule", 0, 0,
          "select " CAT_REL("n", "c") " || '.' || quote_ident(r.rulename), jsonb_build_object("
          "'definition', pg_get_ruledef(r.oid), 'enabled', r.ev_enabled) " FROM_REL
          "join pg_rewrite r on r.ev_class = c.oid where r.rulename <> '_RETURN' and "
          USER_REL("c", "n") },
        { "policy", 0, 0,
          "select " CAT_REL("n", "c") " || '.' || quote_ident(p.polname), jsonb_build_object("
          "'command', p.polcmd, 'permissive', p.polpermissive, 'roles', (select jsonb_agg(case "
          "r.v when 0 then 'PUBLIC' else pg_get_userbyid(r.v)::text end order by case r.v when 0 "
          "then 'PUBLIC' else pg_get_userbyid(r.v)::text end collate \"C\") from "
          "unnest(p.polroles) r(v)), 'using', pg_get_expr(p.polqual, p.polrelid), 'check', "
          "pg_get_expr(p.polwithcheck, p.polrelid)) " FROM_REL
          "join pg_policy p on p.polrelid = c.oid where " USER_REL("c", "n") },
        { "statistics", 0, 0,
          "select quote_ident(n.nspname) || '.' || quote_ident(x.stxname), jsonb_build_object("
          "'owner', pg_get_userbyid(x.stxowner), 'definition', pg_get_statisticsobjdef(x.oid), "
          /* since 13; -1 was "the default" before 17 says null */
          "'target', nullif((to_jsonb(x) ->> 'stxstattarget')::int, -1)) "
          "from pg_statistic_ext x join pg_namespace n on n.oid = x.stxnamespace where "
          CAT_USER_SCHEMA("n") " and " CAT_NOT_EXT("pg_statistic_ext", "x.oid") },
        { 0 },
};
