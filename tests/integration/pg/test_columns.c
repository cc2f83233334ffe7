/* test_columns.c: is there a column of a catalog that nobody reads?
 *
 * Each query of the catalog (pg/catalog.h) is made a view on every server of the lab, and the
 * server says which columns of which catalogs the view needs (the rule's tree in pg_rewrite:
 * selectedCols). Every other column stands in catalog_unread.txt with the reason why it is not
 * compared. So what a new major adds to a catalog fails here with its name, until somebody has
 * decided what it is to the proof. */
#include <ctype.h>
#include <stdio.h>

#include "base/io.h"
#include "base/jsonx.h"
#include "base/majors.h"
#include "lab.h"
#include "pg/catalog.h"

#define LOW (-7) /* FirstLowInvalidHeapAttributeNumber since 12: selectedCols counts from there */

/* {"pg_class.relname": true, ..} of all the numbers behind :selectedCols. */
static void add_columns(const char *tree, const json_t *names, json_t *read)
{
        const char *relid = NULL;
        for (const char *p = tree; (p = strchr(p, ':')); p++) {
                if (str_starts(p, ":relid "))
                        relid = p + 7;
                if (!relid || !str_starts(p, ":selectedCols (b"))
                        continue;
                const char *end = strchr(p, ')');
                AUTO_FREE char *table = xasprintf("%ld", strtol(relid, NULL, 10));
                json_t *columns = jx_get(names, table);
                for (const char *n = p + 16; n < end;) {
                        char *next;
                        long number = strtol(n, &next, 10) + LOW;
                        AUTO_FREE char *key = xasprintf("%ld", number);
                        if (jx_str(columns, key, NULL))
                                jx_set_bool(read, jx_str(columns, key, ""), true);
                        n = next == n ? end : next + strspn(next, " ");
                }
                relid = NULL;
        }
}

static void add_query(Pg *pg, const SqlFile *f, const json_t *names, json_t *read)
{
        AUTO_ERR err = { 0 };
        AUTO_SQL q = { 0 };
        sql_add(&q, "create temp view pgsherpa_columns(o, a) as ");
        sql_file(&q, f, pg_major(pg));
        cr_assert(pg_exec(pg, &q, &err), "%s: %s", f->name, err.message);
        AUTO_FREE char *tree = lab_value(
                pg,
                "select ev_action from pg_rewrite where ev_class = 'pgsherpa_columns'::regclass");
        add_columns(tree, names, read);
        lab_do(pg, "drop view pgsherpa_columns");
}

/* {"1259": {"2": "pg_class.relname"}}, of catalogs and of what else is in pg_catalog (views come
 * and go). */
static json_t *columns_of(Pg *pg)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *text = lab_value(pg, "select json_object_agg(attrelid::oid, columns) from "
                                             "(select attrelid, json_object_agg(attnum, c.relname "
                                             "|| '.' || a.attname) as columns from pg_attribute a "
                                             "join pg_class c on c.oid = a.attrelid where "
                                             "c.relnamespace = 'pg_catalog'::regnamespace and "
                                             "c.relkind = 'r' and attnum > 0 and not attisdropped "
                                             "group by 1) x");
        json_t *names = jx_parse(text, strlen(text), &err);
        cr_assert_gt(json_object_size(names), 50, "%s", err.message);
        return names;
}

/* Lines of catalog_unread.txt: a column (or pg_catalog's whole table: pg_proc.*), blanks, the
 * reason. */
static json_t *unread(void)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        json_t *list = json_object();
        cr_assert(io_read_file(UNREAD, 1 << 20, &text, &n, &err), "%s", err.message);
        for (char *line = text, *end; *line; line = end) {
                end = line + strcspn(line, "\n");
                size_t name = strcspn(line, " \n"), blanks = strspn(line + name, " ");
                AUTO_FREE char *column = xstrndup(line, name);
                AUTO_FREE char *reason =
                        xstrndup(line + name + blanks, (size_t)(end - line) - name - blanks);
                if (*column && *column != '#') {
                        cr_expect_geq(strlen(reason), 10, "%s has no reason", column);
                        cr_expect_null(jx_get(list, column), "%s stands there twice", column);
                        jx_set_str(list, column, reason);
                }
                end += *end == '\n';
        }
        return list;
}

static bool listed(const json_t *list, const char *column, json_t *used)
{
        AUTO_FREE char *table = xasprintf("%.*s.*", (int)strcspn(column, "."), column);
        const char *key = jx_get(list, column) ? column : jx_get(list, table) ? table : NULL;
        if (key)
                jx_set_bool(used, key, true);
        return key != NULL;
}

static size_t lab_majors(int *ret, size_t max)
{
        size_t n = 0;
        const char *p = getenv("PGSHERPA_LAB_MAJORS");
        for (int major, used; p && n < max && sscanf(p, "%d%n", &major, &used) == 1; p += used)
                ret[n++] = major;
        return n;
}

Test(columns, of_every_catalog_are_read_or_there_is_a_reason)
{
        int majors[32];
        size_t n = lab_majors(majors, LEN(majors));
        AUTO_JSON list = unread();
        AUTO_JSON used = json_object();
        const char *relid, *number, *column;
        json_t *columns, *v;
        for (size_t i = 0; i < n; i++) {
                AUTO_PG Pg *pg = lab_open(majors[i], NULL);
                AUTO_JSON names = columns_of(pg);
                AUTO_JSON read = json_object();
                for (const SqlFile *f = pg_catalog_files; f->name; f++)
                        add_query(pg, f, names, read);
                cr_expect_gt(json_object_size(read), 150, "%d: %zu", majors[i],
                             json_object_size(read));
                json_object_foreach(names, relid, columns)
                        json_object_foreach(columns, number, v) {
                                const char *name = json_string_value(v);
                                cr_expect(jx_get(read, name) || listed(list, name, used),
                                          "PostgreSQL "
                                          "%d: %s "
                                          "is "
                                          "neither "
                                          "read by "
                                          "a query "
                                          "of the "
                                          "catalog "
                                          "nor in "
                                          "catalog_unread.txt "
                                          "with a "
                                          "reason",
                                          majors[i], name);
                        }
        }
        /* Of all majors: a reason that no server needs is none. */
        json_object_foreach(list, column, v)
                cr_expect(jx_get(used, column) || n < MAJOR_NEWEST - MAJOR_OLDEST + 1,
                          "%s is in catalog_unread.txt for nothing", column);
}

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}
