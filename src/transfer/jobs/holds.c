#include "transfer/jobs/holds.h"

#include "pg/catalog.h"

/* Every query lists: the object, its table's owner, a query that counts the rows it does not hold
 * for (and fails as the load would), one that finds them or NULL, the first function of a user in
 * it or NULL, the table's bytes. They run with an empty search_path, so all names in these texts
 * are whole. */
typedef struct Question {
        int since, until;   /* majors; 0: all */
        bool deep;          /* only then */
        const char *broken; /* what is counted */
        const char *how;
        const char *sql;
} Question;

/* Something a user made, which may change its mind. */
#define CALLS(class, oid)                                                                          \
        "(select min(pg_describe_object(d.refclassid, d.refobjid, 0)) from pg_depend d where "     \
        "d.classid = '" class "'::regclass and d.objid = " oid                                     \
                              " and d.refclassid in ('pg_proc'::regclass, "                        \
                              "'pg_operator'::regclass) and d.refobjid >= 16384)"
#define BYTES "pg_relation_size(c.oid)"
#define PLAIN                                                                                      \
        "c.relkind = 'r' and c.relpersistence <> 't' and c.oid >= 16384 and " CAT_NOT_EXT(         \
                "pg_class", "c.oid")

#define GENERATED                                                                                  \
        "(select min(pg_describe_object(d.refclassid, d.refobjid, 0)) from pg_depend d where "     \
        "((d.classid = 'pg_attrdef'::regclass and d.objid = f.oid) or (d.classid = "               \
        "'pg_class'::regclass and d.objid = f.adrelid and d.objsubid = f.adnum)) and "             \
        "d.refclassid in "                                                                         \
        "('pg_proc'::regclass, 'pg_operator'::regclass) and d.refobjid >= 16384)"

/* A key's columns, or expressions, as they are written, each with the collation of its index and
 * not with its own; NULLs in it are no duplicates. */
#define KEYS                                                                                       \
        "lateral (select string_agg(x.key, ', ' order by n) as list, string_agg(x.key || ' is "    \
        "not null', ' and ' "                                                                      \
        "order by n) as known from generate_series(1, i.indnkeyatts) n, lateral (select '(' || "   \
        "pg_get_indexdef(i.indexrelid, n, false) || ')' || coalesce((select format(' collate "     \
        "%I.%I', s.nspname, "                                                                      \
        "l.collname) from pg_collation l join pg_namespace s on s.oid = l.collnamespace where "    \
        "l.oid = "                                                                                 \
        "i.indcollation[n - 1]), '') as key) x) k"
/* The index that let them in would not find them. */
#define NO_INDEX                                                                                   \
        "set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = "     \
        "off; "
/* An operator class of one's own may call others equal than GROUP BY does. */
#define EQUAL_AS_EVER                                                                              \
        "not exists (select from unnest(i.indclass::oid[]) o(id) join pg_opclass p on p.oid = "    \
        "o.id where not "                                                                          \
        "p.opcdefault and p.oid >= 16384)"

#define DUPLICATES(nulls)                                                                          \
        "select pg_describe_object('pg_class'::regclass, i.indexrelid, 0), "                       \
        "pg_get_userbyid(c.relowner), "                                                            \
        "format('select coalesce(sum(n), 0) from (select count(*) as n from only %s where %s%s "   \
        "group by %s "                                                                             \
        "having count(*) > 1) d', c.oid::regclass, " nulls ", p.w, k.list), "                      \
        "format('" NO_INDEX "select %s, count(*), array_agg(ctid) from only %s where %s%s group "  \
        "by %s having count(*) > 1', "                                                             \
        "k.list, c.oid::regclass, " nulls ", p.w, k.list), null, " BYTES                           \
        " from pg_index i join pg_class c on c.oid = "                                             \
        "i.indrelid, " KEYS ", lateral (select coalesce(' and (' || pg_get_expr(i.indpred, "       \
        "i.indrelid) || ')', '') as w) p "                                                         \
        "where i.indisunique and i.indisvalid and " EQUAL_AS_EVER " and " PLAIN

static const Question questions[] = {
        { 0, 0, false, "rows that do not satisfy it any more",
          "correct them; or drop the constraint and add it NOT VALID: a copy keeps that",
          "select pg_describe_object('pg_constraint'::regclass, k.oid, 0), "
          "pg_get_userbyid(c.relowner), format('select count(*) from only %s where not (%s)', "
          "c.oid::regclass, e.x), format('select ctid, * from only %s where not (%s)', "
          "c.oid::regclass, e.x), " CALLS(
                  "pg_constraint",
                  "k.oid") ", " BYTES
                           " from pg_constraint k join pg_class c on c.oid = k.conrelid, "
                           "lateral (select pg_get_expr(k.conbin, k.conrelid) as x) e where "
                           "k.contype = 'c' and "
                           "k.convalidated and " PLAIN },
        { 0, 0, false, "rows that have another value in it than its expression gives now",
          "write these rows once more (update .. set a column = itself): they get the value they "
          "will get anyhow",
          "select pg_describe_object('pg_class'::regclass, c.oid, a.attnum), "
          "pg_get_userbyid(c.relowner), "
          "format('select count(*) from only %s where (%s)::text is distinct from (%I)::text', "
          "c.oid::regclass, e.x, "
          "a.attname), format('select ctid, %2$s, %3$I from only %1$s where (%2$s)::text is "
          "distinct from (%3$I)::text', "
          "c.oid::regclass, e.x, a.attname), " GENERATED ", " BYTES
          " from pg_attrdef f join pg_class c on c.oid = f.adrelid "
          "join pg_attribute a on a.attrelid = c.oid and a.attnum = f.adnum, lateral (select "
          "pg_get_expr(f.adbin, f.adrelid) as x) e where a.attgenerated = 's' and " PLAIN },
        { 0, 0, false, "rows that do not fit it any more", "correct them first",
          "select pg_describe_object('pg_class'::regclass, i.indexrelid, 0), "
          "pg_get_userbyid(c.relowner), format('select count(row(%s)) * 0 from only %s where %s', "
          "coalesce(pg_get_expr(i.indexprs, i.indrelid), '1'), c.oid::regclass, "
          "coalesce(pg_get_expr(i.indpred, i.indrelid), 'true')), null, " CALLS(
                  "pg_class",
                  "i.indexrelid") ", " BYTES
                                  " from pg_index i join pg_class c on c.oid = i.indrelid where "
                                  "(i.indexprs is not null or i.indpred is not null) and "
                                  "i.indisvalid and " PLAIN },
        { 0, 0, false, "rows that do not fit its type any more", "correct them first",
          "select pg_describe_object('pg_class'::regclass, c.oid, a.attnum), "
          "pg_get_userbyid(c.relowner), "
          "format('select count((%I::text)::%s) * 0 from only %s', a.attname, "
          "format_type(a.atttypid, a.atttypmod), "
          "c.oid::regclass), null, " CALLS(
                  "pg_constraint", "k.oid") ", " BYTES
                                            " from pg_constraint k join pg_attribute a on "
                                            "a.atttypid = k.contypid join pg_class c on c.oid = "
                                            "a.attrelid where k.contypid <> 0 and "
                                            "k.contype = 'c' and k.convalidated and a.attnum > 0 "
                                            "and not a.attisdropped and " PLAIN },
        { 0, 0, false, "rows that cannot be read",
          "correct its query first, or make it again WITH NO DATA",
          "select pg_describe_object('pg_class'::regclass, c.oid, 0), pg_get_userbyid(c.relowner), "
          "format('select count(q) * 0 from (%s) q', rtrim(pg_get_viewdef(c.oid), ';')), "
          "null, " CALLS("pg_rewrite",
                         "w.oid") ", " BYTES " from pg_class c join pg_rewrite w on w.ev_class = "
                                  "c.oid where c.relkind = 'm' "
                                  "and c.relispopulated and c.oid >= 16384 and " CAT_NOT_EXT(
                                          "pg_class", "c.oid") },
        { 0, 15, true, "rows that share their key (a corrupt index let them in)",
          "keep one of each, and REINDEX it", DUPLICATES("k.known") },
        { 15, 0, true, "rows that share their key (a corrupt index let them in)",
          "keep one of each, and REINDEX it",
          DUPLICATES("case when i.indnullsnotdistinct then 'true' else k.known end") },
        { 0, 0, true, "rows that point to one that is not there",
          "give them one, or remove them; or drop the constraint and add it NOT VALID: a copy "
          "keeps that",
          "select pg_describe_object('pg_constraint'::regclass, k.oid, 0), "
          "pg_get_userbyid(c.relowner), "
          "format('select count(*) from %s f where %s and not exists (select from %s p where %s)', "
          "c.oid::regclass, "
          "j.known, k.confrelid::regclass, j.same), format('" NO_INDEX
          "select f.* from %s f where %s and not exists (select from "
          "%s p where %s)', c.oid::regclass, j.known, k.confrelid::regclass, j.same), null, " BYTES
          " from pg_constraint k join "
          "pg_class c on c.oid = k.conrelid, lateral (select string_agg(format('f.%I is not null', "
          "a.attname), ' and ') "
          "as known, string_agg(format('p.%I operator(%I.%s) f.%I%s', b.attname, n.nspname, "
          "o.oprname, a.attname, "
          "(select format(' collate %I.%I', s.nspname, l.collname) from pg_collation l join "
          "pg_namespace s on s.oid = "
          "l.collnamespace where l.oid = b.attcollation)), ' and ') as same from unnest(k.conkey, "
          "k.confkey, k.conpfeqop) u(f, p, op) join pg_attribute a on a.attrelid "
          "= k.conrelid and a.attnum = u.f join pg_attribute b on b.attrelid = k.confrelid and "
          "b.attnum = u.p join "
          "pg_operator o on o.oid = u.op join pg_namespace n on n.oid = o.oprnamespace) j where "
          "k.contype = 'f' and "
          "k.convalidated and k.conparentid = 0 and c.oid >= 16384 and not exists (select from "
          "pg_operator o where "
          "o.oid = any(k.conpfeqop) and o.oprname <> '=') and " CAT_NOT_EXT("pg_class", "c.oid") },
};

static void holds_add(json_t *found, const PgRes *r, int row, const char *what, const char *how,
                      const char *find)
{
        json_t *j = json_object();
        jx_set_str(j, "object", pg_cell(r, row, 0));
        jx_set_str(j, "what", what);
        jx_set_str(j, "verdict", "refused");
        jx_set_str(j, "how", how);
        jx_set_str(j, "find", find);
        json_array_append_new(found, j);
}

static void fails(json_t *found, const PgRes *r, int row, const Err *why)
{
        const char *function = pg_cell(r, row, 4);
        bool path = function && (str_eq(why->sqlstate, "42883") || str_eq(why->sqlstate, "42P01") ||
                                 str_eq(why->sqlstate, "42704") || str_eq(why->sqlstate, "3F000"));
        AUTO_FREE char *what = xasprintf("fails for rows that are there: %s", why->message);
        AUTO_FREE char *how =
                path ? xasprintf("%s finds what it needs only by a search_path, and a load has "
                                 "none; give it one of its own: ALTER FUNCTION .. SET search_path "
                                 "= .., with the schemas it needs",
                                 function)
                     : xstrdup("correct the rows, or what it calls, first");
        AUTO_FREE char *find =
                xasprintf("begin; set local search_path = ''; %s", pg_cell(r, row, 2));
        holds_add(found, r, row, what, how, find);
}

/* What cannot be tried read only, or not with the owner's rights, says nothing about the load. */
static bool says_nothing(const Err *why)
{
        return str_eq(why->sqlstate, "25006") || str_eq(why->sqlstate, "42501");
}

/* A function of somebody who may do less than we would run with our rights, should it want to. */
static bool trusted(Pg *pg, const char *owner, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q,
                "select o.rolsuper or o.rolname = session_user from pg_roles o where o.rolname = ");
        sql_value(&q, owner);
        if (!pg_query(pg, &q, &r, err))
                return false;
        *ret = pg_rows(r) == 1 && pg_cell_bool(r, 0, 0);
        return true;
}

static void not_run(json_t *found, const PgRes *r, int row)
{
        AUTO_FREE char *what = xasprintf("not tried on its rows: it calls %s, and role %s, whose "
                                         "table it is, "
                                         "may do less "
                                         "than yours",
                                         pg_cell(r, row, 4), pg_cell(r, row, 1));
        AUTO_FREE char *find =
                xasprintf("begin; set local search_path = ''; %s", pg_cell(r, row, 2));
        holds_add(found, r, row, what, "read the function, and ask the query yourself", find);
        jx_set_str(json_array_get(found, json_array_size(found) - 1), "verdict", "perhaps");
}

static bool holds_one(Pg *pg, const Question *w, const PgRes *r, int row, json_t *found, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_ERR why = { 0 };
        AUTO_PGRES PgRes *answer = NULL;
        bool may = true;
        if (pg_cell(r, row, 4) && !trusted(pg, pg_cell(r, row, 1), &may, err))
                return false;
        if (!may) {
                not_run(found, r, row);
                return true;
        }
        if (!pg_do(pg, "savepoint one", err))
                return false;
        pg_as_owner(pg, pg_cell(r, row, 1));
        sql_rendered(&q, pg_cell(r, row, 2));
        if (!pg_query(pg, &q, &answer, &why)) {
                if (why.kind != ERR_SERVER || str_eq(why.sqlstate, "57014")) {
                        err_move(err, &why);
                        return false;
                }
                if (!says_nothing(&why))
                        fails(found, r, row, &why);
        } else if (pg_cell_int(answer, 0, 0) > 0) {
                int64_t n = pg_cell_int(answer, 0, 0);
                AUTO_FREE char *what = xasprintf("%s: %lld", w->broken, (long long)n);
                holds_add(found, r, row, what, w->how, pg_cell(r, row, 3));
        }
        return pg_do(pg, "rollback to savepoint one", err);
}

/* ---- all of them ---- */

typedef struct Asking {
        Pg *pg;
        const HoldsAsked *o;
        json_t *found;
        PgRes *lists[LEN(questions)]; /* NULL: not one of this server's */
        HoldsState now;
} Asking;

static void asking_done(Asking *a)
{
        for (size_t i = 0; i < LEN(a->lists); i++)
                pg_res_free(a->lists[i]);
}

static bool holds_counts(const Asking *a, const PgRes *r, int row)
{
        return (a->o->deep || pg_cell(r, row, 4)) && pg_cell(r, row, 2);
}

static bool holds_list(Asking *a, size_t i, Err *err)
{
        const Question *w = &questions[i];
        AUTO_SQL q = { 0 };
        int major = pg_major(a->pg);
        if ((w->since && major < w->since) || (w->until && major >= w->until) ||
            (w->deep && !a->o->deep))
                return true;
        sql_rendered(&q, w->sql);
        sql_add(&q, " order by 1");
        if (!pg_query(a->pg, &q, &a->lists[i], err))
                return err_wrap(err, "listing what rows must satisfy");
        for (int row = 0; row < pg_rows(a->lists[i]); row++)
                if (holds_counts(a, a->lists[i], row)) {
                        a->now.total++;
                        a->now.bytes_total += pg_cell_int(a->lists[i], row, 5);
                }
        return true;
}

static bool holds_ask(Asking *a, size_t i, Err *err)
{
        const PgRes *r = a->lists[i];
        for (int row = 0; r && row < pg_rows(r); row++) {
                if (!holds_counts(a, r, row))
                        continue;
                a->now.object = pg_cell(r, row, 0);
                if (a->o->told)
                        a->o->told(a->o->arg, &a->now);
                if (!holds_one(a->pg, &questions[i], r, row, a->found, err))
                        return err_wrap(err, "%s", a->now.object);
                a->now.done++;
                a->now.bytes += pg_cell_int(r, row, 5);
        }
        return true;
}

/* Indexes are not asked: one of them may be what is broken. */
static bool ask_all(Asking *a, Err *err)
{
        if (!pg_do(a->pg,
                   "set local search_path = ''; set local enable_indexscan = off; set local "
                   "enable_bitmapscan = off; set local enable_indexonlyscan = off; set "
                   "local statement_timeout = 0; set local row_security = off",
                   err))
                return false;
        for (size_t i = 0; i < LEN(questions); i++)
                if (!holds_list(a, i, err))
                        return false;
        for (size_t i = 0; i < LEN(questions); i++)
                if (!holds_ask(a, i, err))
                        return false;
        return true;
}

bool holds_check(Pg *source, const HoldsAsked *o, json_t *found, Err *err)
{
        Asking CLEANUP(asking_done) a = { .pg = source, .o = o, .found = found };
        AUTO_ERR ignored = { 0 };
        if (!pg_do(source, "begin transaction isolation level repeatable read, read only", err))
                return false;
        bool ok = ask_all(&a, err);
        return pg_do(source, "rollback", ok ? err : &ignored) && ok;
}
