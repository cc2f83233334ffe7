#include "transfer/direction.h"

#include "base/clock.h"
#include "base/majors.h"
#include "base/text.h"
#include "pg/catalog.h"
#include "transfer/textsearch.h"

typedef enum Verdict { REFUSED, REWRITTEN, PERHAPS } Verdict;

/* One thing a major brought (`since`). The query names the objects that have it; it runs on
 * sources from `since` on, when the target is older. */
typedef struct Feature {
        int since;
        Verdict verdict;
        const char *what, *how, *sql;
} Feature;

#define NOT_EXT(class, oid) CAT_NOT_EXT(class, oid)
#define OBJECT(class, oid)  "select pg_describe_object('" class "'::regclass, " oid ", 0) "
#define CONSTRAINTS(where)                                                                         \
        OBJECT("pg_constraint", "k.oid")                                                           \
        "from pg_constraint k where k.oid >= 16384 and k.conparentid = 0 and " where               \
        " and " NOT_EXT("pg_class", "k.conrelid")
#define COLUMNS(where)                                                                             \
        "select pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum) "                   \
        "from pg_attribute a join pg_class c on c.oid = a.attrelid where c.oid >= 16384 and "      \
        "a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c') "     \
        "and " where " and " NOT_EXT("pg_class", "c.oid")
#define FUNCTIONS(where)                                                                           \
        OBJECT("pg_proc", "p.oid")                                                                 \
        "from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid >= 16384 "       \
        "and " where " and " NOT_EXT("pg_proc", "p.oid")
/* Text of a function in plpgsql or SQL: a word of it may stand in a comment, so: perhaps. */
#define BODIES(pattern)                                                                            \
        FUNCTIONS("p.prolang in (select oid from pg_language where lanname in ('sql', "            \
                  "'plpgsql')) and p.prosrc ~* '" pattern "'")

/* Parsed expressions are kept as node trees; a node a major brought is a word in them. */
#define RULE_TREES                                                                                 \
        "select pg_describe_object('pg_class'::regclass, r.ev_class, 0) as o, "                    \
        "r.ev_action::text || r.ev_qual::text as t, r.oid as i from pg_rewrite r where not "       \
        "exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid "      \
        "= r.ev_class and e.deptype = 'e')"
#define DEFAULT_TREES                                                                              \
        "select pg_describe_object('pg_class'::regclass, d.adrelid, d.adnum), "                    \
        "d.adbin::text, d.oid from pg_attrdef d"
#define CONSTRAINT_TREES                                                                           \
        "select pg_describe_object('pg_constraint'::regclass, k.oid, 0), k.conbin::text, "         \
        "k.oid from pg_constraint k"
#define INDEX_TREES                                                                                \
        "select pg_describe_object('pg_class'::regclass, x.indexrelid, 0), "                       \
        "concat(x.indexprs::text, x.indpred::text), x.indexrelid from pg_index x"
#define POLICY_TREES                                                                               \
        "select pg_describe_object('pg_policy'::regclass, l.oid, 0), "                             \
        "concat(l.polqual::text, l.polwithcheck::text), l.oid from pg_policy l"
#define TRIGGER_TREES                                                                              \
        "select pg_describe_object('pg_trigger'::regclass, g.oid, 0), g.tgqual::text, g.oid "      \
        "from pg_trigger g"
#define BODY_TREES                                                                                 \
        "select pg_describe_object('pg_proc'::regclass, p.oid, 0), p.prosqlbody::text, "           \
        "p.oid from pg_proc p"
#define TREES(pattern)                                                                             \
        "select distinct o from (" RULE_TREES " union all " DEFAULT_TREES                          \
        " union all " CONSTRAINT_TREES " union all " INDEX_TREES " union all " POLICY_TREES        \
        " union all " TRIGGER_TREES " union all " BODY_TREES                                       \
        ") x where i >= 16384 and t ~ '" pattern "'"

/* 19 made inet_ops the default of GiST, which were btree_gist's operators before. A key WITHOUT
 * OVERLAPS always takes the default. */
#define GIST_DEFAULT "GiST by the default operators for inet or cidr"
#define GIST_BY_NAME "they are named there, where others are the default"
#define GIST_KEY                                                                                   \
        "drop the key first, and make it there by the operators that are the default "             \
        "there"
#define GIST_NETWORK(unless)                                                                       \
        OBJECT("pg_class", "x.indexrelid")                                                         \
        "from pg_index x join pg_class c on c.oid = x.indexrelid join pg_am a on "                 \
        "a.oid = c.relam where c.oid >= 16384 and a.amname = 'gist' and exists (select from "      \
        "unnest(x.indclass) u(oid) join pg_opclass o on o.oid = u.oid where o.opcdefault and "     \
        "o.opcintype in ('inet'::regtype, 'cidr'::regtype)) and " unless                           \
        " exists (select from pg_constraint k where k.conindid = x.indexrelid and "                \
        "k.contype in ('p', 'u')) and " NOT_EXT("pg_class", "x.indrelid")

static const Feature features[] = {
        { 14, REFUSED, "function with a body in SQL itself (BEGIN ATOMIC, RETURN)",
          "write it with AS '..' and a quoted body first", FUNCTIONS("p.prosqlbody is not null") },
        { 14, REFUSED, "procedure with OUT arguments", "use INOUT first",
          FUNCTIONS("p.prokind = 'p' and 'o' = any(p.proargmodes)") },
        { 14, REFUSED, "multirange", "keep ranges in an array, or in rows of their own, first",
          COLUMNS("(select coalesce(e.typtype, t.typtype) from pg_type t left join pg_type e on "
                  "e.oid = t.typelem and t.typcategory = 'A' where t.oid = a.atttypid) = 'm'") },
        { 14, REFUSED, "multirange", "keep ranges in an array, or in rows of their own, first",
          FUNCTIONS("exists (select from pg_type t where t.typtype = 'm' and (t.oid = p.prorettype "
                    "or t.oid = any(p.proargtypes))) and not exists (select from pg_depend i where "
                    "i.classid = 'pg_proc'::regclass and i.objid = p.oid and i.deptype = 'i')") },
        { 14, REFUSED, "statistics on an expression", "drop them first; they only help the planner",
          OBJECT("pg_statistic_ext",
                 "s.oid") "from pg_statistic_ext s where s.stxexprs is not null" },
        { 14, REFUSED, "SEARCH or CYCLE of a recursive query, or GROUP BY DISTINCT",
          "write it out first", TREES("CTE(SEARCH|CYCLE)CLAUSE|groupDistinct true") },
        { 14, REFUSED, "EXTRACT, which gives numeric since 14 and double precision before",
          "write date_part('..', ..), which is the same on both",
          TREES(":funcid (6199|620[0-4]) ") },
        { 14, REWRITTEN, "method of compression of a column", "left out: the rows are the same",
          COLUMNS("a.attcompression <> ''") },
        { 15, REFUSED, "NULLS NOT DISTINCT",
          "there NULLs would be distinct: two of them are let in",
          OBJECT("pg_class", "i.indexrelid") "from pg_index i where i.indnullsnotdistinct "
                                             "and " NOT_EXT("pg_class", "i.indrelid") },
        { 15, REFUSED, "view with security_invoker",
          "there it would read with its owner's rights, past the reader's policies",
          OBJECT("pg_class", "c.oid") "from pg_class c where exists (select from "
                                      "pg_options_to_table(c.reloptions) o where o.option_name = "
                                      "'security_invoker' and "
                                      "o.option_value in ('true', 'on', '1', 'yes'))" },
        { 15, REFUSED, "ON DELETE SET NULL or DEFAULT of some columns only",
          "there all columns of the key would be set",
          CONSTRAINTS("k.confdelsetcols is not null") },
        { 15, REFUSED, "publication of whole schemas, of columns or of chosen rows",
          "drop it first; a subscriber would get other rows",
          OBJECT("pg_publication", "p.oid") "from pg_publication p where p.oid in (select pnpubid "
                                            "from pg_publication_namespace union select prpubid "
                                            "from pg_publication_rel where "
                                            "prqual is not null or prattrs is not null)" },
        { 15, REWRITTEN, "sequence that is not logged", "is logged there: safer, not faster",
          OBJECT("pg_class", "c.oid") "from pg_class c where c.relkind = 'S' and "
                                      "c.relpersistence = 'u'" },
        { 15, REFUSED, "MERGE", "write INSERT .. ON CONFLICT, or UPDATE and INSERT, first",
          TREES(":commandType 5") },
        { 15, PERHAPS, "MERGE", "write INSERT .. ON CONFLICT, or UPDATE and INSERT, first",
          BODIES("\\mmerge\\s+into\\M") },
        { 15, REFUSED, "database with a locale of ICU",
          "make it anew with a locale of the C library",
          "select 'database ' || quote_ident(datname) from pg_database where datname = "
          "current_database() and datlocprovider = 'i'" },
        { 15, REFUSED, "numeric with a scale below zero or above its precision",
          "give it another precision first",
          COLUMNS("(select b.oid from pg_type b where b.oid = a.atttypid or b.typarray = "
                  "a.atttypid order "
                  "by b.typarray = a.atttypid desc limit 1) = 'numeric'::regtype and a.atttypmod "
                  ">= 4 and "
                  "((a.atttypmod - 4) & 2047) > (((a.atttypmod - 4) >> 16) & 65535)") },
        { 16, REFUSED, "SQL/JSON constructor or IS JSON",
          "use json_build_object() and its like first",
          TREES("JSONCONSTRUCTOREXPR|JSONISPREDICATE") },
        { 16, REFUSED, "collation with ICU rules", "sorting would be another",
          OBJECT("pg_collation", "c.oid") "from pg_collation c where c.oid >= 16384 and "
                                          "c.collicurules is not null" },
        { 16, REFUSED, "database with ICU rules", "sorting would be another",
          "select 'database ' || quote_ident(datname) from pg_database where datname = "
          "current_database() and daticurules is not null" },
        { 17, REFUSED, "SQL/JSON query (JSON_TABLE, JSON_VALUE, JSON_QUERY, JSON_EXISTS)",
          "use the jsonb_path_ functions first", TREES("\\{JSONEXPR") },
        { 17, PERHAPS, "SQL/JSON query", "use the jsonb_path_ functions first",
          BODIES("\\mjson_(table|value|query|exists|scalar|serialize)\\s*\\(") },
        { 17, REFUSED, "MERGE .. RETURNING or WHEN NOT MATCHED BY SOURCE", "write it out first",
          TREES("MERGESUPPORTFUNC") },
        { 17, PERHAPS, "MERGE with RETURNING or NOT MATCHED BY SOURCE", "write it out first",
          BODIES("not\\s+matched\\s+by\\s+source|\\mmerge_action\\s*\\(") },
        { 17, REFUSED, "collation of the builtin provider", "take one of the C library first",
          OBJECT("pg_collation", "c.oid") "from pg_collation c where c.oid >= 16384 and "
                                          "c.collprovider = 'b'" },
        { 17, REWRITTEN, "database with the builtin locale C", "C of the C library: the same order",
          "select 'database ' || quote_ident(datname) from pg_database where datname = "
          "current_database() and datlocprovider = 'b' and datlocale = 'C'" },
        { 17, REFUSED, "database with a builtin locale",
          "make it anew with a locale of the C library",
          "select 'database ' || quote_ident(datname) from pg_database where datname = "
          "current_database() and datlocprovider = 'b' and datlocale <> 'C'" },
        { 17, REFUSED, "identity column of a partitioned table",
          "there rows put into a partition itself would get no number",
          COLUMNS("a.attidentity <> '' and c.relispartition") },
        { 17, REFUSED, "EXCLUDE constraint of a partitioned table",
          "put it on the partitions first",
          CONSTRAINTS("k.contype = 'x' and exists (select from pg_class c where c.oid = k.conrelid "
                      "and c.relkind = 'p')") },
        { 17, REFUSED, "event trigger for logins", "drop it first",
          OBJECT("pg_event_trigger",
                 "e.oid") "from pg_event_trigger e where e.evtevent = 'login'" },
        { 17, REWRITTEN, "privilege MAINTAIN", "left out: only owners maintain there",
          OBJECT("pg_class",
                 "c.oid") "from pg_class c where c.oid >= 16384 and exists (select "
                          "from aclexplode(c.relacl) x where x.privilege_type = 'MAINTAIN' and "
                          "x.grantee <> "
                          "c.relowner) and " NOT_EXT("pg_class", "c.oid") },
        { 18, REWRITTEN, "virtual generated column",
          "becomes a stored one: the same values, on disk", COLUMNS("a.attgenerated = 'v'") },
        { 18, REFUSED, "key WITHOUT OVERLAPS or PERIOD",
          "there an EXCLUDE constraint does it, and no foreign key", CONSTRAINTS("k.conperiod") },
        { 18, REFUSED, "constraint NOT ENFORCED", "drop it first: there it would be enforced",
          CONSTRAINTS("not k.conenforced") },
        { 18, REFUSED, "NOT NULL that is not valid, or not inherited",
          "validate it, or drop it, first",
          CONSTRAINTS("k.contype = 'n' and (not k.convalidated or k.connoinherit)") },
        { 18, REWRITTEN, "name of its own of a NOT NULL", "left out: the column stays NOT NULL",
          CONSTRAINTS("k.contype = 'n' and k.conislocal and k.conname <> (select c.relname || '_' "
                      "|| a.attname || '_not_null' from pg_class c join pg_attribute a on "
                      "a.attrelid = c.oid where c.oid = k.conrelid and a.attnum = k.conkey[1])") },
        { 18, REFUSED, "comment on a NOT NULL", "there it is no object of its own",
          CONSTRAINTS("k.contype = 'n' and exists (select from pg_description d where d.classoid = "
                      "'pg_constraint'::regclass and d.objoid = k.oid)") },
        { 18, REFUSED, "foreign key of a partitioned table that is not valid", "validate it first",
          CONSTRAINTS("k.contype = 'f' and not k.convalidated and exists (select from pg_class c "
                      "where c.oid = k.conrelid and c.relkind = 'p')") },
        { 18, REFUSED, "RETURNING OLD or NEW", "write it out first",
          TREES("RETURNINGEXPR|varreturningtype [12]") },
        { 18, PERHAPS, "RETURNING OLD or NEW",
          "write it out first; it is read there, and fails or "
          "means a trigger's row",
          BODIES("\\mreturning\\s[^;]*\\m(old|new)\\.") },
        { 18, REFUSED, "default privileges on large objects",
          "revoke them first: there are none there",
          OBJECT("pg_default_acl", "d.oid") "from pg_default_acl d where d.defaclobjtype = 'L'" },
        { 18, REFUSED, "publication of generated columns", "leave them out first",
          OBJECT("pg_publication", "p.oid") "from pg_publication p where p.pubgencols <> 'n'" },
        { 19, REFUSED, "publication of all sequences, or of all tables but some",
          "name the tables in it first; sequences go by themselves with a copy",
          OBJECT("pg_publication",
                 "p.oid") "from pg_publication p where p.puballsequences or exists (select from "
                          "pg_publication_rel r where r.prpubid = p.oid and r.prexcept)" },
        { 19, REFUSED, "subscription that connects by a SERVER", "give it a CONNECTION first",
          "select 'subscription ' || quote_ident(s.subname) from pg_subscription s join "
          "pg_database d on d.oid = s.subdbid where d.datname = current_database() and s.subserver "
          "<> 0" },
        { 19, REWRITTEN, "subscription that retains dead tuples, or has a time limit of its own",
          "left out: conflicts are not told apart there, and the server's own limit holds",
          "select 'subscription ' || quote_ident(s.subname) from pg_subscription s join "
          "pg_database d on d.oid = s.subdbid where d.datname = current_database() and "
          "(s.subretaindeadtuples or s.submaxretention <> 0 or s.subwalrcvtimeout <> '-1')" },
        { 19, REFUSED, "foreign data wrapper with a CONNECTION function",
          "drop it, or make it without, first",
          OBJECT("pg_foreign_data_wrapper",
                 "w.oid") "from pg_foreign_data_wrapper w where w.oid >= 16384 and "
                          "w.fdwconnection <> 0 and " NOT_EXT("pg_foreign_data_wrapper", "w.oid") },
        { 19, REWRITTEN, GIST_DEFAULT, GIST_BY_NAME, GIST_NETWORK("not") },
        { 19, REFUSED, GIST_DEFAULT, GIST_KEY, GIST_NETWORK("") },
};

/* What a newer major no longer has. */
static const Feature gone[] = {
        { 14, REFUSED, "operator behind its only argument", "14 has none: drop it first",
          OBJECT("pg_operator", "o.oid") "from pg_operator o where o.oid >= 16384 and "
                                         "o.oprright = 0 and o.oprleft <> 0" },
        { 18, REWRITTEN, "UNLOGGED of a partitioned table",
          "left out: it meant nothing, its partitions stay as they are",
          OBJECT("pg_class", "c.oid") "from pg_class c where c.oid >= 16384 and c.relkind = 'p' "
                                      "and c.relpersistence "
                                      "= 'u' and " NOT_EXT("pg_class", "c.oid") },
        { 19, REWRITTEN, GIST_DEFAULT, GIST_BY_NAME, GIST_NETWORK("not") },
        { 19, REFUSED, GIST_DEFAULT, GIST_KEY, GIST_NETWORK("") },
};

/* Of any major to any other. */
static const Feature always[] = {
        { 0, PERHAPS, "index that is not valid",
          "stays behind, as in every dump: REINDEX or drop it first, or build it there",
          OBJECT("pg_class", "x.indexrelid") "from pg_index x join pg_class c on c.oid = "
                                             "x.indexrelid where not "
                                             "x.indisvalid and c.relkind = 'i' and " NOT_EXT(
                                                     "pg_class", "x.indrelid") },
        { 0, REFUSED, "schema with a name of pgsherpa's own",
          "what stands there would be run when a load ends: rename it first",
          OBJECT("pg_namespace", "n.oid") "from pg_namespace n where n.nspname = '" PG_LATER "'" },
        { 0, REFUSED, "partition that is half detached",
          "no dump says so, and it would be back among the others: ALTER TABLE .. DETACH PARTITION "
          ".. FINALIZE first",
          OBJECT("pg_class", "i.inhrelid") "from pg_inherits i where to_jsonb(i) ->> "
                                           "'inhdetachpending' = 'true'" },
        { 0, PERHAPS, "operator without a function",
          "stays behind, as in every dump: another one only named it, and it cannot be used",
          OBJECT("pg_operator", "o.oid") "from pg_operator o where o.oid >= 16384 and o.oprcode = "
                                         "0 and " NOT_EXT("pg_operator", "o.oid") },
        { 0, PERHAPS, "subscription",
          "is made disabled, with the slot the old server uses: enable one of both, never drop one "
          "before its slot_name is NONE",
          "select 'subscription ' || quote_ident(s.subname) from pg_subscription s join "
          "pg_database d on d.oid = s.subdbid where d.datname = current_database()" },
};

static const char *verdict_word(Verdict v)
{
        return v == REFUSED ? "refused" : v == REWRITTEN ? "rewritten" : "perhaps";
}

static void add(json_t *found, const char *object, const char *what, int since, Verdict v,
                const char *how)
{
        json_t *j = json_object();
        jx_set_str(j, "object", object);
        jx_set_str(j, "what", what);
        jx_set_int(j, "since", since);
        jx_set_str(j, "verdict", verdict_word(v));
        jx_set_str(j, "how", how);
        json_array_append_new(found, j);
}

static bool look(Pg *pg, const Feature *f, json_t *found, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add_literal_(&q, f->sql);
        if (!pg_query(pg, &q, &r, err))
                return err_wrap(err, "looking on the source for what may not go there (%s)",
                                f->what);
        for (int i = 0; i < pg_rows(r); i++)
                add(found, pg_cell(r, i, 0), f->what, f->since, f->verdict, f->how);
        return true;
}

/* Nothing in this file speaks of a major that it does not know; the rehearsal asks the server
 * itself. */
static void newer_than_known(int source, int target, json_t *found)
{
        const int majors[] = { source, target };
        for (size_t i = 0; i < LEN(majors); i++) {
                AUTO_FREE char *object = xasprintf("PostgreSQL %d", majors[i]);
                AUTO_FREE char *what =
                        xasprintf("newer than %d, the newest this pgsherpa knows", MAJOR_NEWEST);
                if (majors[i] > MAJOR_NEWEST && (i == 0 || target != source))
                        add(found, object, what, 0, PERHAPS,
                            "what it does not take, the rehearsal finds");
        }
}

/* Who goes up wants to be there for a while. */
static void out_of_fixes(int source, int target, json_t *found)
{
        const Major *m = major_find(target);
        char now[32];
        if (target <= source || !m || !m->last_fix ||
            strcmp(clock_iso(clock_wall_ms(), now), m->last_fix) < 0)
                return;
        AUTO_FREE char *object = xasprintf("PostgreSQL %d", target);
        AUTO_FREE char *what = xasprintf("got its last fixes on %s", m->last_fix);
        add(found, object, what, 0, PERHAPS, "a newer one is kept in repair for longer");
}

static bool look_for_all(Pg *source, int target_major, json_t *found, Err *err)
{
        int major = pg_major(source);
        for (size_t i = 0; i < LEN(features); i++)
                if (target_major < features[i].since && major >= features[i].since &&
                    !look(source, &features[i], found, err))
                        return false;
        for (size_t i = 0; i < LEN(gone); i++)
                if (major < gone[i].since && target_major >= gone[i].since &&
                    !look(source, &gone[i], found, err))
                        return false;
        if (!direction_settings(source, target_major, found, err))
                return false;
        newer_than_known(major, target_major, found);
        out_of_fixes(major, target_major, found);
        for (size_t i = 0; i < LEN(always); i++)
                if (!look(source, &always[i], found, err))
                        return false;
        return true;
}

bool direction_check(Pg *source, int target_major, json_t **ret, Err *err)
{
        AUTO_JSON found = json_array();
        AUTO_ERR ignored = { 0 };
        if (!pg_begin_reading(source, NULL, err))
                return false;
        bool ok = look_for_all(source, target_major, found, err) &&
                  textsearch_check(source, target_major, found, err);
        if (!pg_do(source, "rollback", ok ? err : &ignored) || !ok)
                return false;
        *ret = found;
        found = NULL;
        return true;
}

size_t direction_refused(const json_t *found)
{
        size_t i, n = 0;
        json_t *j;
        json_array_foreach(found, i, j)
                n += str_eq(jx_str(j, "verdict", ""), "refused");
        return n;
}

char *direction_words(const json_t *j)
{
        int64_t since = jx_int(j, "since", 0);
        const char *how = jx_str(j, "how", "");
        AUTO_FREE char *major = since ? xasprintf(" (of %lld)", (long long)since) : xstrdup("");
        const char *find = jx_str(j, "find", NULL);
        AUTO_FREE char *text = xasprintf("%s: %s%s%s%s%s%s", jx_str(j, "object", ""),
                                         jx_str(j, "what", ""), major, *how ? ": " : "", how,
                                         find ? "; look at them with: " : "", find ? find : "");
        const json_t *followers = jx_get(j, "followers");
        AUTO_FREE char *names = followers ? jx_words(followers) : NULL;
        AUTO_FREE char *all =
                names ? xasprintf("%s; and with it what needs it: %s", text, names) : xstrdup(text);
        return text_clean_str(all);
}
