/* source_opclass.c: an index of a dump whose server had another default operator class than this
 * one.
 *
 * GiST's for inet and cidr were btree_gist's before 19, and are the core's inet_ops since. A dump
 * says neither; here, where the table is, its columns' types say which was meant. */
#include "transfer/foreign/source_opclass.h"

#include "base/limits.h"
#include "base/majors.h"
#include "base/text.h"
#include "dumps/opclass.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

#define CORE_SINCE 19

static bool class_of(Pg *pg, const OpclassKey *k, const char *column, int from, char **ret,
                     Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        AUTO_FREE char *bare = xstrdup(column);
        sql_add(&q, "select quote_ident(n.nspname) || '.' || quote_ident(o.opcname) from "
                    "pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid, "
                    "pg_catalog.pg_opclass o join pg_catalog.pg_am m on m.oid = o.opcmethod join "
                    "pg_catalog.pg_namespace n on n.oid = o.opcnamespace where a.attrelid = ");
        sql_value(&q, k->table);
        sql_add(&q, "::pg_catalog.regclass and pg_catalog.quote_ident(a.attname) = "
                    "pg_catalog.quote_ident((pg_catalog.parse_ident(");
        sql_value(&q, bare);
        sql_add(&q, "))[1]) and m.amname = 'gist' and case coalesce(nullif(t.typbasetype, 0), "
                    "t.oid) when 'pg_catalog.inet'::pg_catalog.regtype then o.opcname = ");
        sql_value(&q, from >= CORE_SINCE ? "inet_ops" : "gist_inet_ops");
        sql_add(&q, " when 'pg_catalog.cidr'::pg_catalog.regtype then o.opcname = ");
        sql_value(&q, from >= CORE_SINCE ? "inet_ops" : "gist_cidr_ops");
        sql_add(&q, " end limit 1");
        if (!pg_query(pg, &q, &r, err))
                return false;
        *ret = pg_rows(r) ? xstrdup(pg_cell(r, 0, 0)) : NULL;
        return true;
}

static void classes_done(char *(*classes)[OPCLASS_MOST])
{
        for (size_t i = 0; i < OPCLASS_MOST; i++)
                free((*classes)[i]);
}

bool source_opclasses(Transfer *t, Pg *pg, int from, const char *sql, char **ret, Err *err)
{
        OpclassKey CLEANUP(opclass_key_done) k = { 0 };
        char *CLEANUP(classes_done) classes[OPCLASS_MOST] = { 0 };
        bool any = false;
        *ret = NULL;
        if (from == 0 || (from < CORE_SINCE) == (pg_major(pg) < CORE_SINCE) ||
            !opclass_key(sql, &k) || !str_eq(k.method, "gist"))
                return true;
        for (size_t i = 0; i < k.n; i++) {
                if (k.columns[i] && !class_of(pg, &k, k.columns[i], from, &classes[i], err))
                        return false;
                any = any || classes[i];
        }
        AUTO_FREE char *words = text_clean(sql, MIN(strcspn(sql, "\n"), 160));
        if (k.expressions)
                transfer_say(t,
                             "look at the operator class of an expression, which PostgreSQL %d "
                             "may have by another default than %d: "
                             "%s",
                             pg_major(pg), from, words);
        AUTO_BUF said = buf_init(strlen(sql) + LIMIT_SQL);
        if (!any || !opclass_say(sql, (const char *const *)classes, k.n, &said))
                return true;
        transfer_say(t, "with the operator classes of PostgreSQL %d, by their names: %s", from,
                     words);
        *ret = buf_take(&said, NULL);
        return true;
}
