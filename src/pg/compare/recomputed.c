#include "pg/compare/recomputed.h"

#include "pg/compare/rules.h"

bool recomputed_differs(const json_t *s, const json_t *t)
{
        const json_t *a = jx_get(s, "computed"), *b = jx_get(t, "computed");
        return a && b && json_equal(jx_get(s, "rows"), jx_get(t, "rows")) &&
               json_equal(jx_get(s, "hash"), jx_get(t, "hash")) && !json_equal(a, b);
}

/* ---- the target's columns ---- */

enum { NAME, EXPRESSION, TYPE, STORED, USERS_FUNCTION, OWNER, TRUSTED };

static bool columns_of(const Recomputed *c, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select a.attname, pg_get_expr(d.adbin, d.adrelid), format_type(a.atttypid, "
                    "a.atttypmod), a.attgenerated = 's', (select "
                    "min(pg_describe_object(u.refclassid, u.refobjid, 0)) from pg_depend u where "
                    "((u.classid = 'pg_attrdef'::regclass and u.objid = d.oid) or (u.classid = "
                    "'pg_class'::regclass and u.objid = d.adrelid and u.objsubid = d.adnum)) and "
                    "u.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass) and u.refobjid "
                    ">= 16384), o.rolname, o.rolsuper or o.rolname = session_user from pg_class c "
                    "join pg_attribute a on a.attrelid = c.oid join pg_attrdef d on d.adrelid = "
                    "a.attrelid and d.adnum = a.attnum join pg_roles o on o.oid = c.relowner where "
                    "a.attgenerated <> '' and not a.attisdropped and c.oid = ");
        sql_int(&q, c->t->oid);
        sql_add(&q, " order by a.attname collate \"C\"");
        return pg_query(c->target, &q, ret, err) ||
               err_wrap(err, "listing the generated columns of %s", c->t->key);
}

/* A function that may not be run with our rights, or NULL. */
static const char *foreign_function(const PgRes *columns)
{
        for (int i = 0; i < pg_rows(columns); i++)
                if (pg_cell(columns, i, USERS_FUNCTION) && !pg_cell_bool(columns, i, TRUSTED))
                        return pg_cell(columns, i, USERS_FUNCTION);
        return NULL;
}

static json_t *names_of(const PgRes *columns)
{
        json_t *names = json_array();
        for (int i = 0; i < pg_rows(columns); i++)
                jx_append_str(names, pg_cell(columns, i, NAME));
        return names;
}

/* ---- is each what its expression gives? ---- */

/* By the bytes of two values: 1.0 is not 1.00. */
static void unlike_sql(Sql *q, const PgRes *columns)
{
        sql_add(q, "select count(*) from (select ");
        for (int i = 0; i < pg_rows(columns); i++) {
                if (!pg_cell_bool(columns, i, STORED))
                        continue; /* virtual: it is nothing but its expression */
                sql_add(q, "record_image_eq(row(pgsherpa_row.");
                sql_ident(q, pg_cell(columns, i, NAME));
                sql_add(q, "), row((");
                sql_rendered(q, pg_cell(columns, i, EXPRESSION));
                sql_add(q, ")::");
                sql_rendered(q, pg_cell(columns, i, TYPE));
                sql_add(q, ")) and ");
        }
        sql_add(q, "true as pgsherpa_same");
}

static bool compute(const Recomputed *c, const PgRes *columns, int64_t *ret_unlike, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        unlike_sql(&q, columns);
        table_from_sql(&q, c->t);
        sql_add(&q, ") x where not x.pgsherpa_same");
        pg_as_owner(c->target, pg_cell(columns, 0, OWNER));
        if (!pg_query(c->target, &q, &r, err))
                return false;
        *ret_unlike = pg_cell_int(r, 0, 0);
        return true;
}

/* *ret_unlike: rows; -1: the server would not say, and `why` has its words. */
static bool count_unlike(const Recomputed *c, const PgRes *columns, int64_t *ret_unlike, Err *why,
                         Err *err)
{
        if (!pg_do(c->target, "savepoint pgsherpa_computed", err))
                return false;
        *ret_unlike = -1;
        if (!compute(c, columns, ret_unlike, why) && why->kind != ERR_SERVER) {
                err_move(err, why);
                return false;
        }
        return pg_do(c->target, "rollback to savepoint pgsherpa_computed", err);
}

/* ---- how many rows have another value ---- */

typedef struct Stream {
        PgRows rows;
        size_t next;
} Stream;

static void stream_done(Stream *s)
{
        pg_rows_done(&s->rows);
}

static bool begin(Pg *pg, const TableRef *t, uint64_t seed, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "copy (select ");
        table_hash_sql(&q, t, t->n_columns - t->n_computed, seed);
        sql_add(&q, ", ");
        table_hash_sql(&q, t, t->n_columns, seed);
        table_from_sql(&q, t);
        sql_add(&q, " order by 1, 2) to stdout");
        return pg_copy_out_begin(pg, &q, err);
}

static bool next(Pg *pg, Stream *s, const char **ret, size_t *ret_n, Err *err)
{
        if (s->next == s->rows.rows) {
                s->next = 0;
                if (!pg_copy_read_rows(pg, &s->rows, err))
                        return false;
        }
        size_t start = s->next ? s->rows.ends[s->next - 1] : 0;
        *ret = s->rows.rows ? s->rows.bytes + start : NULL;
        *ret_n = s->rows.rows ? s->rows.ends[s->next++] - start : 0;
        return true;
}

/* Both sides sorted by what was carried, which is the same: line by line, and no row is kept. */
static bool count_changed(const Recomputed *c, int64_t *ret, Err *err)
{
        Stream CLEANUP(stream_done) a = { 0 };
        Stream CLEANUP(stream_done) b = { 0 };
        const char *x, *y;
        size_t n, m;
        *ret = 0;
        if (!begin(c->source, c->s, c->seed, err) || !begin(c->target, c->t, c->seed, err))
                return false;
        for (;;) {
                if (!next(c->source, &a, &x, &n, err) || !next(c->target, &b, &y, &m, err))
                        return false;
                if (!x && !y)
                        return true;
                *ret += !x || !y || n != m || memcmp(x, y, n) != 0;
        }
}

/* ---- the verdict ---- */

static void differs(const Recomputed *c, Report *r, const json_t *names, int64_t unlike,
                    const char *foreign, const Err *why)
{
        AUTO_JSON there = NULL;
        AUTO_FREE char *words =
                unlike > 0 ? xasprintf("%lld rows have not what the expression gives there",
                                       (long long)unlike)
                : foreign  ? xasprintf("not computed here: %s belongs to somebody "
                                        "who may do less than you",
                                       foreign)
                           : xasprintf("the target cannot compute it: %s",
                                      why->message ? why->message : "");
        there = jx_text(words);
        json_t *d = report_differ(r, "table", c->t->key, "generated columns", names, there);
        if (d)
                jx_set_str(d, "rows_unnamed", "they were computed, not carried");
}

static bool excuse(const Recomputed *c, Report *r, json_t *names, Err *err)
{
        int64_t changed = -1;
        if (c->source && c->countable && !count_changed(c, &changed, err))
                return err_wrap(err, "counting the rows of %s with another value", c->t->key);
        report_recomputed(r, c->t->key, names, changed);
        return true;
}

bool recomputed_judge(const Recomputed *c, Report *report, bool *ret_fine, Err *err)
{
        AUTO_PGRES PgRes *columns = NULL;
        AUTO_ERR why = { 0 };
        int64_t unlike = -1;
        if (!columns_of(c, &columns, err))
                return false;
        AUTO_JSON names = names_of(columns);
        const char *foreign = foreign_function(columns);
        if (!foreign && pg_rows(columns) && !count_unlike(c, columns, &unlike, &why, err))
                return err_wrap(err, "computing the generated columns of %s again", c->t->key);
        *ret_fine = unlike == 0;
        if (*ret_fine)
                return excuse(c, report, names, err);
        differs(c, report, names, unlike, foreign, &why);
        return true;
}
