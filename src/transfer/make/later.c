#include "transfer/make/later.h"

#include "base/limits.h"
#include "base/text.h"
#include "pg/extension.h"
#include "transfer/choose/content.h"
#include "transfer/make/entry_owner.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

bool later_made(Transfer *t, Pg *pg, const char *extension, Err *err)
{
        const PgExtension *x = pg_extension_find(extension);
        AUTO_SQL where = { 0 };
        AUTO_SQL call = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        if (!x || !x->before)
                return true;
        sql_add(&where, "select n.nspname from pg_extension e join pg_namespace n on n.oid = "
                        "e.extnamespace where e.extname = ");
        sql_value(&where, extension);
        if (!pg_query(pg, &where, &r, err))
                return false;
        if (pg_rows(r) == 0) /* it could not be made, and that was tolerated */
                return true;
        sql_add(&call, "select ");
        sql_qname(&call, pg_cell(r, 0, 0), x->before);
        sql_add(&call, "()");
        if (!pg_exec(pg, &call, err))
                return err_wrap(err, "%s() of extension %s", x->before, extension);
        transfer_say(t,
                     "extension %s: %s() was called, %s() will be when the database has its name",
                     extension, x->before, x->after);
        return true;
}

/* ---- which ---- */

static const PgExtension *of_home(const TocEntry *e)
{
        const PgExtension *x = str_eq(e->class, "EXTENSION") ? pg_extension_find(e->name) : NULL;
        return x && x->home ? x : NULL;
}

static bool needs_one(const Toc *toc, const TocEntry *e)
{
        for (size_t i = 0; i < e->n_needs; i++)
                for (size_t k = 0; k < toc->n; k++)
                        if (toc->entries[k].later && toc->entries[k].id == e->needs[i])
                                return true;
        return false;
}

/* Grants on an extension's own objects name no entry they need: they stand in its schema, or speak
 * of it. */
static bool stands_in(const TocEntry *e, const PgExtension *x)
{
        AUTO_FREE char *schema = xasprintf("SCHEMA %s", x->schema);
        AUTO_FREE char *quoted = xasprintf("SCHEMA \"%s\"", x->schema);
        return str_eq(e->schema, x->schema) || str_eq(e->name, schema) || str_eq(e->name, quoted);
}

static bool later_mark(Toc *toc)
{
        const PgExtension *homes[8];
        size_t n = 0;
        for (size_t i = 0; i < toc->n && n < LEN(homes); i++)
                if (of_home(&toc->entries[i])) {
                        homes[n++] = of_home(&toc->entries[i]);
                        toc->entries[i].later = true;
                }
        for (bool more = n > 0; more;) {
                more = false;
                for (size_t i = 0; i < toc->n; i++) {
                        TocEntry *e = &toc->entries[i];
                        bool also = !e->later && needs_one(toc, e);
                        for (size_t k = 0; k < n && !e->later; k++)
                                also = also || stands_in(e, homes[k]);
                        if (also)
                                e->later = more = true;
                }
        }
        return n > 0;
}

/* ---- entries ---- */

/* As a comparison calls it: what kind is missing from the target until then. */
static const char *kind_of(const TocEntry *e)
{
        static const char *const kinds[][2] = { { "EXTENSION", "extension" },
                                                { "TABLE", "table" },
                                                { "VIEW", "table" },
                                                { "MATERIALIZED VIEW", "table" },
                                                { "FUNCTION", "function" },
                                                { "PROCEDURE", "function" },
                                                { "TRIGGER", "trigger" },
                                                { "INDEX", "index" },
                                                { "CONSTRAINT", "constraint" },
                                                { "FK CONSTRAINT", "constraint" },
                                                { "RULE", "rule" } };
        for (size_t i = 0; i < LEN(kinds); i++)
                if (str_eq(kinds[i][0], e->class))
                        return kinds[i][1];
        return "";
}

static bool put_entry(Pg *to, const TocEntry *e, Arena *a, Err *err)
{
        AUTO_BUF sql = buf_init(LIMIT_SQL);
        AUTO_SQL owner = { 0 };
        AUTO_SQL name = { 0 };
        if (e->schema)
                sql_qname(&name, e->schema, e->name);
        else
                sql_ident(&name, e->name);
        AUTO_FREE char *object = plain_sql(&name);
        buf_adds(&sql, e->sql);
        if (entry_owner_sql(e, &owner)) {
                AUTO_FREE char *text = plain_sql(&owner);
                buf_printf(&sql, "\n%s;\n", text);
        }
        if (sql.overflow)
                return err_set(err, ERR_USER, "%s: its SQL is too long", toc_object(a, e));
        return pg_later_statement(to, str_eq(e->class, "EXTENSION"), kind_of(e), object,
                                  buf_str(&sql), err);
}

/* Whatever the extension brings is not to be missed meanwhile: a statement that does nothing stands
 * for it. */
static bool put_schemas(Pg *to, const Toc *toc, Err *err)
{
        for (size_t i = 0; i < toc->n; i++) {
                const PgExtension *x = of_home(&toc->entries[i]);
                AUTO_SQL name = { 0 };
                if (!x)
                        continue;
                sql_ident(&name, x->schema);
                AUTO_FREE char *quoted = plain_sql(&name);
                if (!pg_later_statement(to, false, "", quoted, "do 'begin end'", err))
                        return false;
        }
        return true;
}

static bool put_entries(Pg *to, const Toc *toc, Arena *a, Err *err)
{
        if (!put_schemas(to, toc, err))
                return false;
        for (int pass = TOC_PASS_MAIN; pass <= TOC_PASS_POST_ACL; pass++)
                for (size_t i = 0; i < toc->n; i++) {
                        TocEntry e = toc->entries[i];
                        bool mine = e.later && (int)e.pass == pass;
                        e.later = false;
                        if (mine && toc_is_schema(&e) && !put_entry(to, &e, a, err))
                                return false;
                }
        return true;
}

/* ---- rows, sequences ---- */

static const PgExtension *home_of_schema(const Toc *toc, const char *schema)
{
        for (size_t i = 0; i < toc->n; i++) {
                const PgExtension *x = of_home(&toc->entries[i]);
                if (x && str_eq(x->schema, schema))
                        return x;
        }
        return NULL;
}

static bool put_tables(Pg *to, const Toc *toc, Content *c, Arena *a, Err *err)
{
        for (size_t i = 0; i < c->n_tables; i++) {
                Table *t = &c->tables[i];
                AUTO_FREE char *mine = NULL;
                if (t->ours_alone || !home_of_schema(toc, t->schema))
                        continue;
                if (!pg_later_table(to, t->schema, t->name, t->columns, t->n_columns, &mine, err))
                        return err_wrap(err, "a place for the rows of %s.%s", t->schema, t->name);
                t->later = true;
                t->root_schema = PG_LATER;
                t->root_name = arena_strdup(a, mine);
        }
        return true;
}

static bool put_sequence(Pg *to, const Sequence *s, Err *err)
{
        AUTO_SQL name = { 0 };
        AUTO_SQL q = { 0 };
        sql_qname(&name, s->schema, s->name);
        AUTO_FREE char *quoted = plain_sql(&name);
        sql_add(&q, "select pg_catalog.setval(");
        sql_value(&q, quoted);
        sql_add(&q, ", ");
        sql_value(&q, s->value);
        sql_add_literal_(&q, s->is_called ? ", true)" : ", false)");
        AUTO_FREE char *sql = plain_sql(&q);
        return pg_later_statement(to, false, "sequence", quoted, sql, err);
}

/* Those of other schemas first: sequences_set() stops there. */
static bool put_sequences(Pg *to, const Toc *toc, Content *c, Arena *a, Err *err)
{
        Sequence *sorted = arena_new_array(a, Sequence, c->n_sequences + 1);
        size_t n = 0;
        for (int later = 0; later < 2; later++) {
                for (size_t i = 0; i < c->n_sequences; i++) {
                        const Sequence *s = &c->sequences[i];
                        if ((home_of_schema(toc, s->schema) != NULL) != later)
                                continue;
                        sorted[n++] = *s;
                        if (later && !put_sequence(to, s, err))
                                return false;
                }
                if (!later)
                        c->n_sequences_later = c->n_sequences - n;
        }
        c->sequences = sorted;
        return true;
}

/* ---- all of it ---- */

bool later_is_ours(const char *schema, Err *err)
{
        if (!str_eq(schema, PG_LATER))
                return true;
        err_set(err, ERR_USER,
                "the source has a schema " PG_LATER
                ": what stands in one of that name is run when a load ends, "
                "and so only pgsherpa may have made it");
        return err_hint(err, "rename it first: ALTER SCHEMA " PG_LATER
                             " RENAME TO ..; or, where a load was not finished, "
                             "finish that one");
}

/* Whoever may make a schema in the source would else have statements run on the target, with our
 * rights. */
static bool place_is_free(const Toc *toc, Err *err)
{
        for (size_t i = 0; i < toc->n; i++) {
                const TocEntry *e = &toc->entries[i];
                if (!later_is_ours(str_eq(e->class, "SCHEMA") ? e->name : e->schema, err))
                        return false;
        }
        return true;
}

bool later_home_fits(Transfer *t, Pg *to, const PgExtension *x, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select pg_catalog.current_setting(");
        sql_value(&q, x->home);
        sql_add(&q, ", true)");
        if (!pg_query(to, &q, &r, err))
                return false;
        const char *home = pg_cell(r, 0, 0);
        if (!home) {
                err_set(err, ERR_USER,
                        "extension %s is not loaded on the target's server: it has no setting %s",
                        x->name, x->home);
                return err_hint(err,
                                "put %s into shared_preload_libraries there, set %s to the "
                                "database's name, restart that server",
                                x->name, x->home);
        }
        if (t->name && !str_eq(t->name, home)) {
                err_set(err, ERR_USER,
                        "on the target's server extension %s can only be in the "
                        "database that %s names: "
                        "%s, not %s",
                        x->name, x->home, home, t->name);
                return err_hint(err,
                                "set %s to %s there and restart that server, or give the copy "
                                "the other name (db=)",
                                x->home, t->name);
        }
        transfer_say(t,
                     "extension %s and its rows wait until the database is called as %s says: %s",
                     x->name, x->home, home);
        return true;
}

static bool homes_fit(Transfer *t, Pg *to, const Toc *toc, Err *err)
{
        for (size_t i = 0; i < toc->n; i++) {
                const PgExtension *x = of_home(&toc->entries[i]);
                if (x && !later_home_fits(t, to, x, err))
                        return false;
        }
        return true;
}

bool later_versions_fit(Pg *to, const json_t *extensions, Err *err)
{
        size_t i;
        json_t *e;
        json_array_foreach(extensions, i, e) {
                const char *name = jx_str(e, "name", ""), *here = jx_str(e, "version", "");
                const PgExtension *x = pg_extension_find(name);
                AUTO_SQL q = { 0 };
                AUTO_PGRES PgRes *r = NULL;
                if (!x || !x->same_version)
                        continue;
                sql_add(&q, "select extversion from pg_extension where extname = ");
                sql_value(&q, name);
                if (!pg_query(to, &q, &r, err))
                        return false;
                if (pg_rows(r) == 0 || str_eq(pg_cell(r, 0, 0), here))
                        continue;
                err_set(err, ERR_USER,
                        "extension %s is %s in the source and %s on the target: its "
                        "rows only fit the version "
                        "that wrote them",
                        name, here, pg_cell(r, 0, 0));
                return err_hint(err,
                                "bring both to one version first: ALTER EXTENSION %s UPDATE "
                                "on the older side, or the package of that version on the "
                                "other",
                                name);
        }
        return true;
}

bool later_put(Transfer *t, Pg *to, Toc *toc, Content *c, Arena *a, bool *ret_any, Err *err)
{
        *ret_any = false;
        if (!place_is_free(toc, err))
                return false;
        *ret_any = later_mark(toc);
        return !*ret_any ||
               (homes_fit(t, to, toc, err) && pg_later_begin(to, err) &&
                put_entries(to, toc, a, err) &&
                (!c || (put_tables(to, toc, c, a, err) && put_sequences(to, toc, c, a, err))));
}
