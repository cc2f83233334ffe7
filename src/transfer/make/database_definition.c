/* database_definition.c: an empty database, put down so that it can be made again.
 *
 * What it is (locale, owner), who may what in it, its limit and comment, its extensions. Values of
 * its settings are not taken down: people keep keys in them (app.jwt_secret), and this goes into
 * journals. */
#include "transfer/read/props.h"
#include "transfer/transfer.h"

/* "DATABASE SET name", "ROLE r SET name"; no value. */
static json_t *names_of(const json_t *settings)
{
        json_t *names = json_array(), *s;
        size_t i;
        json_array_foreach(settings, i, s) {
                const char *text = jx_str(s, "set", ""), *role = jx_str(s, "role", NULL);
                int n = (int)strcspn(text, "=");
                AUTO_FREE char *words = role ? xasprintf("%.*s of role %s", n, text, role)
                                             : xstrndup(text, (size_t)n);
                jx_append_str(names, words);
        }
        return names;
}

static bool extensions(Pg *in, json_t *into, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(in,
                    "select e.extname, e.extversion, n.nspname from pg_extension e join "
                    "pg_namespace n on n.oid = e.extnamespace where e.extname <> 'plpgsql' "
                    "order by e.oid",
                    &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                json_t *e = json_object();
                jx_set_str(e, "name", pg_cell(r, i, 0));
                jx_set_str(e, "version", pg_cell(r, i, 1));
                jx_set_str(e, "schema", pg_cell(r, i, 2));
                json_array_append_new(into, e);
        }
        return true;
}

bool transfer_database_definition(Pg *in, json_t **ret, Err *err)
{
        AUTO_JSON all = json_array();
        AUTO_JSON props = NULL;
        if (!props_read(in, &props, err) || !extensions(in, all, err))
                return err_wrap(err, "taking down what database %s is", pg_database(in));
        jx_set(props, "set", names_of(jx_get(props, "settings")));
        json_object_del(props, "settings");
        jx_set(props, "extensions", json_incref(all));
        *ret = props;
        props = NULL;
        return true;
}

static bool definition_run_one(void *pg, const char *what, const Sql *q, Err *err)
{
        return pg_exec(pg, q, err) || err_wrap(err, "%s", what);
}

static bool make_extension(Pg *in, const json_t *e, Err *err)
{
        AUTO_SQL schema = { 0 }, q = { 0 };
        sql_add(&schema, "create schema if not exists ");
        sql_ident(&schema, jx_str(e, "schema", "public"));
        sql_add(&q, "create extension if not exists ");
        sql_ident(&q, jx_str(e, "name", ""));
        sql_add(&q, " schema ");
        sql_ident(&q, jx_str(e, "schema", "public"));
        sql_add(&q, " version ");
        sql_value(&q, jx_str(e, "version", ""));
        return (str_starts(jx_str(e, "schema", ""), "pg_") || pg_exec(in, &schema, err)) &&
               pg_exec(in, &q, err);
}

bool transfer_database_recreate(Pg *pg, const json_t *outline, const char *name, Err *err)
{
        AUTO_PG Pg *in = NULL;
        AUTO_SQL q = { 0 };
        size_t i;
        json_t *e;
        AUTO_JSON said = json_array();
        AUTO_JSON here = props_on(outline, pg_major(pg), said);
        props_create_sql(outline, name, pg_major(pg), &q);
        if (!pg_exec(pg, &q, err) || !props_each(here, name, definition_run_one, pg, err) ||
            !pg_reopen(pg, name, &in, err) || !props_lacking(outline, definition_run_one, in, err))
                return err_wrap(err, "making database %s again", name);
        json_array_foreach(jx_get(outline, "extensions"), i, e)
                if (!make_extension(in, e, err))
                        return err_wrap(err, "making database %s again", name);
        return true;
}
