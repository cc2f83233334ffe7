/* catalog_rare.c: what few databases have, and what is missed all the more when it is gone:
 * collations, casts, operators, text search, languages, foreign data, labels. */
#include "pg/catalog.h"

/* clang-format off */
#define OWN(class, table, oid) " from " table " o where " oid " >= 16384 and " CAT_NOT_EXT(class, oid)

/* "for integer on language sql" is without its "on" since 16. */
#define TRANSFORM(identity) "replace(" identity ", ' on language ', ' language ')"
/* Of whatever has a comment or a label. */
#define ANY_NAME(i)                                                                              \
        "case " i ".type when 'transform' then " TRANSFORM(CAT_JSON(i ".identity")) " else "      \
        CAT_JSON(i ".identity") " end"

/* Only superusers may read its connection, and so not the row as a whole; before 14 they alone know
 * subsynccommit. What is usual is null. */
#define SUBSCRIPTION(more)                                                                       \
        "select quote_ident(s.subname), jsonb_build_object('owner', pg_get_userbyid(s.subowner), " \
        "'publications', " CAT_SORTED("s.subpublications") ", 'slot', s.subslotname" more ") from pg_subscription s join pg_database d " \
        "on d.oid = s.subdbid where d.datname = current_database()"
#define SINCE_14(streaming) ", 'synchronous_commit', s.subsynccommit, 'binary', nullif(s.subbinary, false), 'streaming', " streaming
#define STREAMING           "case s.substream when 'p' then 'parallel' when 't' then 'on' end"
#define SINCE_15                                                                                 \
        ", 'two_phase', nullif(s.subtwophasestate <> 'd', false), 'disable_on_error', "          \
        "nullif(s.subdisableonerr, false)"
#define SINCE_16                                                                                 \
        ", 'origin', nullif(s.suborigin, 'any'), 'password_required', nullif("                    \
        "s.subpasswordrequired, true), 'run_as_owner', nullif(s.subrunasowner, false)"
#define SINCE_17 ", 'failover', nullif(s.subfailover, false)"
#define SINCE_19                                                                                 \
        ", 'server', (select quote_ident(f.srvname) from pg_foreign_server f where f.oid = "      \
        "s.subserver), 'retain_dead_tuples', nullif(s.subretaindeadtuples, false), "              \
        "'max_retention_duration', nullif(s.submaxretention, 0), 'wal_receiver_timeout', "       \
        "nullif(s.subwalrcvtimeout, '-1')"

const CatalogQuery pg_catalog_rare[] = {
        /* Versions are the library's of each server; 15 moved an ICU locale into a column of its
         * own, 17 renamed that. */
        { "collation", 0, 0,
          "select quote_ident(n.nspname) || '.' || quote_ident(c.collname), jsonb_build_object("
          "'owner', pg_get_userbyid(c.collowner), 'provider', c.collprovider, 'deterministic', "
          "c.collisdeterministic, 'locale', case when c.collprovider <> 'c' then coalesce("
          "to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate::text) end, "
          "'collate', case c.collprovider when 'c' then c.collcollate::text end, 'ctype', case "
          "c.collprovider when 'c' then c.collctype::text end)"
          CAT_KNOWN("c", "collicurules", "rules", "") " from pg_collation c join pg_namespace n on "
          "n.oid = c.collnamespace where c.oid >= 16384 and " CAT_USER_SCHEMA("n") " and "
          CAT_NOT_EXT("pg_collation", "c.oid") },
        { "cast", 0, 0,
          "select " CAT_NAME("pg_cast", "o.oid") ", jsonb_build_object('context', o.castcontext, "
          "'method', o.castmethod, 'function', " CAT_PROC("o.castfunc") ") from pg_cast o "
          "where o.oid >= 16384 and "
          /* 14 makes a cast from each range to its multirange */
          "not exists (select from pg_depend i where i.classid = 'pg_cast'::regclass and "
          "i.objid = o.oid and i.deptype = 'i') and " CAT_NOT_EXT("pg_cast", "o.oid") },
        { "operator", 0, 0,
          "select " CAT_NAME("pg_operator", "o.oid") ", jsonb_build_object('owner', "
          "pg_get_userbyid(o.oprowner), 'function', " CAT_PROC("o.oprcode") ", 'commutator', "
          CAT_OPER("o.oprcom") ", 'negator', " CAT_OPER("o.oprnegate") ", 'result', " CAT_TYPE("o.oprresult", "null") ", 'merges', "
          "o.oprcanmerge, 'hashes', o.oprcanhash, 'restrict', o.oprrest::regproc::text, 'join', "
          "o.oprjoin::regproc::text)" OWN("pg_operator", "pg_operator", "o.oid") },
        { "operator class", 0, 0,
          "select " CAT_NAME("pg_opclass", "o.oid") ", jsonb_build_object('owner', "
          "pg_get_userbyid(o.opcowner), 'family', " CAT_NAME("pg_opfamily", "o.opcfamily") ", "
          "'type', " CAT_TYPE("o.opcintype", "null") ", 'default', o.opcdefault, 'stored', case "
          "when o.opckeytype <> 0 then " CAT_TYPE("o.opckeytype", "null") " end)"
          OWN("pg_opclass", "pg_opclass", "o.oid") },
        { "operator family", 0, 0,
          "select " CAT_NAME("pg_opfamily", "o.oid") ", jsonb_build_object('owner', "
          "pg_get_userbyid(o.opfowner), 'members', (select jsonb_agg(x.t order by x.t collate "
          "\"C\") from (select 'operator ' || m.amopstrategy || ' ' || " CAT_OPER("m.amopopr") " "
          "|| case when m.amopsortfamily <> 0 then ' for order by ' || "
          CAT_NAME("pg_opfamily", "m.amopsortfamily") " else '' end as t from pg_amop m where "
          "m.amopfamily = o.oid union all select 'function ' || p.amprocnum || ' (' || "
          CAT_TYPE("p.amproclefttype", "null") " || ', ' || " CAT_TYPE("p.amprocrighttype", "null")
          " || ') ' || " CAT_PROC("p.amproc") " from pg_amproc p where p.amprocfamily = o.oid) "
          "x))" OWN("pg_opfamily", "pg_opfamily", "o.oid") },
        { "conversion", 0, 0,
          "select " CAT_NAME("pg_conversion", "o.oid") ", jsonb_build_object('owner', "
          "pg_get_userbyid(o.conowner), 'from', pg_encoding_to_char(o.conforencoding), 'to', "
          "pg_encoding_to_char(o.contoencoding), 'function', o.conproc::regproc::text, 'default', "
          "o.condefault)" OWN("pg_conversion", "pg_conversion", "o.oid") },
        /* By the numbers of their tokens: a parser of somebody's own would be called for names. */
        { "text search configuration", 0, 0,
          "select " CAT_NAME("pg_ts_config", "o.oid") ", jsonb_build_object('owner', "
          "pg_get_userbyid(o.cfgowner), 'parser', " CAT_NAME("pg_ts_parser", "o.cfgparser") ", "
          "'mappings', (select jsonb_agg('token ' || m.maptokentype || ' ' || "
          CAT_NAME("pg_ts_dict", "m.mapdict") " order by m.maptokentype, m.mapseqno) from "
          "pg_ts_config_map m where m.mapcfg = o.oid))" OWN("pg_ts_config", "pg_ts_config", "o.oid") },
        { "text search dictionary", 0, 0,
          "select " CAT_NAME("pg_ts_dict", "o.oid") ", jsonb_build_object('owner', "
          "pg_get_userbyid(o.dictowner), 'template', " CAT_NAME("pg_ts_template", "o.dicttemplate")
          ", 'options', o.dictinitoption)" OWN("pg_ts_dict", "pg_ts_dict", "o.oid") },
        { "text search parser", 0, 0,
          "select " CAT_NAME("pg_ts_parser", "o.oid") ", jsonb_build_object('functions', "
          "jsonb_build_array(o.prsstart::regproc::text, o.prstoken::regproc::text, "
          "o.prsend::regproc::text, o.prsheadline::regproc::text, o.prslextype::regproc::text))"
          OWN("pg_ts_parser", "pg_ts_parser", "o.oid") },
        { "text search template", 0, 0,
          "select " CAT_NAME("pg_ts_template", "o.oid") ", jsonb_build_object('functions', "
          "jsonb_build_array(o.tmplinit::regproc::text, o.tmpllexize::regproc::text))"
          OWN("pg_ts_template", "pg_ts_template", "o.oid") },
        { "language", 0, 0,
          "select " CAT_NAME("pg_language", "o.oid") ", jsonb_build_object('owner', "
          "pg_get_userbyid(o.lanowner), 'acl', " CAT_ACL("o.lanacl", "'l'", "o.lanowner") ", "
          "'trusted', o.lanpltrusted, 'functions', jsonb_build_array(o.lanplcallfoid::regproc::text, "
          "o.laninline::regproc::text, o.lanvalidator::regproc::text))"
          OWN("pg_language", "pg_language", "o.oid") },
        { "transform", 0, 0,
          "select " TRANSFORM(CAT_NAME("pg_transform", "o.oid")) ", jsonb_build_object('from_sql', "
          CAT_PROC("o.trffromsql") ", 'to_sql', " CAT_PROC("o.trftosql") ")"
          OWN("pg_transform", "pg_transform", "o.oid") },
        { "access method", 0, 0,
          "select " CAT_NAME("pg_am", "o.oid") ", jsonb_build_object('type', o.amtype, 'handler', "
          "o.amhandler::regproc::text)" OWN("pg_am", "pg_am", "o.oid") },
        { "foreign data wrapper", 0, 0,
          "select " CAT_NAME("pg_foreign_data_wrapper", "o.oid") ", jsonb_build_object('owner', "
          "pg_get_userbyid(o.fdwowner), 'acl', " CAT_ACL("o.fdwacl", "'F'", "o.fdwowner") ", "
          "'handler', o.fdwhandler::regproc::text, 'validator', o.fdwvalidator::regproc::text, "
          CAT_FOREIGN("o.fdwoptions", "o.fdwname") ")" CAT_OID_KNOWN("o", "fdwconnection", "connection", "regproc")
          OWN("pg_foreign_data_wrapper", "pg_foreign_data_wrapper", "o.oid") },
        { "server", 0, 0,
          "select quote_ident(s.srvname), jsonb_build_object('owner', pg_get_userbyid(s.srvowner), "
          "'acl', " CAT_ACL("s.srvacl", "'S'", "s.srvowner") ", 'wrapper', quote_ident(w.fdwname), "
          "'type', s.srvtype, 'version', s.srvversion, " CAT_FOREIGN("s.srvoptions", "s.srvname")
          ") from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw where "
          CAT_NOT_EXT("pg_foreign_server", "s.oid") },
        /* All of their options are for logging in. Who may not see them sees null. */
        { "user mapping", 0, 0,
          "select quote_ident(srvname) || ' for ' || quote_ident(usename), jsonb_build_object('role', "
          "usename, 'secrets', " CAT_SECRETS("umoptions", "srvname", "true") ") from "
          "pg_user_mappings" },
        /* Not the connection, which holds a password; a copy does not follow by itself. */
        { "subscription", 0, 14, SUBSCRIPTION("") },
        { "subscription", 14, 15, SUBSCRIPTION(SINCE_14("case when s.substream then 'on' end")) },
        { "subscription", 15, 16, SUBSCRIPTION(SINCE_14("case when s.substream then 'on' end") SINCE_15) },
        { "subscription", 16, 17, SUBSCRIPTION(SINCE_14(STREAMING) SINCE_15 SINCE_16) },
        { "subscription", 17, 19, SUBSCRIPTION(SINCE_14(STREAMING) SINCE_15 SINCE_16 SINCE_17) },
        { "subscription", 19, 0, SUBSCRIPTION(SINCE_14(STREAMING) SINCE_15 SINCE_16 SINCE_17 SINCE_19) },
        { "security label", 0, 0,
          "select i.type || ' ' || " ANY_NAME("i") " || ' for ' || l.provider, jsonb_build_object('text', "
          "l.label) from pg_seclabel l, lateral pg_identify_object(l.classoid, l.objoid, "
          "l.objsubid) i where i.identity is not null and not exists (select from pg_depend e "
          "where e.classid = l.classoid and e.objid = l.objoid and e.deptype = 'e')" },
        /* Not those of the server's own objects, nor of a session's (a trigger of its table), nor of an
         * index that is not valid: the index is told. */
        { "comment", 0, 0,
          "select i.type || ' ' || " ANY_NAME("i") ", jsonb_build_object('text', d.description) from "
          "pg_description d, lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) i where "
          "(d.objoid >= 16384 or d.classoid in ('pg_namespace'::regclass, "
          "'pg_largeobject'::regclass) and d.description <> 'standard public schema') and "
          "d.classoid <> 'pg_extension'::regclass and i.identity is not null and case when "
          "d.classoid = 'pg_namespace'::regclass then i.identity else coalesce(i.schema, '') end "
          "!~ '^\"?(pg_|information_schema\"?$)' and i.identity !~ ' on \"pg_temp_[0-9]+\"[.]' and "
          "not exists (select from pg_depend e where e.classid = d.classoid and e.objid = d.objoid "
          "and e.deptype = 'e') and not exists (select from pg_index x join pg_class c on c.oid = "
          "x.indexrelid where d.classoid = 'pg_class'::regclass and x.indexrelid = d.objoid and not "
          "x.indisvalid and c.relkind = 'i')" },
        { 0 },
};
