/* source_roles.c: the roles of a pg_dumpall, made where they are missing.
 *
 * They stand in front of its first database. Of a role that is there nothing is run: what it may do
 * on this server is this server's business. It is compared with what the file says, and what
 * differs is told; of a password only that it does. */
#include <strings.h>

#include "base/text.h"
#include "dumps/rolesql.h"
#include "dumps/sqltext.h"
#include "transfer/foreign/foreign.h"
#include "transfer/foreign/source_stream.h"
#include "transfer/foreign/source_words.h"
#include "transfer/source_file.h"
#include "transfer/state/harmless.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

typedef struct Roles {
        Transfer *t;
        Pg *pg;
        json_t *made, *present, *differences, *left_out;
} Roles;

static bool roles_has(const json_t *list, const char *name)
{
        size_t i;
        json_t *j;
        json_array_foreach(list, i, j)
                if (str_eq(json_string_value(j), name))
                        return true;
        return false;
}

/* ---- a role that is there ---- */

static void roles_differs(Roles *w, const char *role, const char *words)
{
        AUTO_FREE char *text =
                xasprintf("role %s is there and stays as it is; the file has it %s", role, words);
        AUTO_FREE char *clean = text_clean_str(text);
        transfer_say(w->t, "%s", clean);
        jx_append_str(w->differences, clean);
}

/* One word of ALTER ROLE .. WITH, and what pg_roles says of it. */
static void compare_word(Roles *w, const char *role, const PgRes *r, const char *word, size_t n)
{
        static const char *const words[] = { "SUPERUSER", "INHERIT",     "CREATEROLE", "CREATEDB",
                                             "LOGIN",     "REPLICATION", "BYPASSRLS" };
        bool no = n > 2 && strncasecmp(word, "NO", 2) == 0;
        for (size_t i = 0; i < LEN(words); i++) {
                const char *bare = no ? word + 2 : word;
                if (n - (no ? 2 : 0) != strlen(words[i]) ||
                    strncasecmp(bare, words[i], strlen(words[i])) != 0)
                        continue;
                if (pg_cell_bool(r, 0, (int)i) == no) {
                        AUTO_FREE char *what = xasprintf("%s%s", no ? "NO" : "", words[i]);
                        roles_differs(w, role, what);
                }
        }
}

static bool password_of(const char *sql, char **ret)
{
        const char *start;
        for (size_t n; (n = sqltext_token(sql, &start)) > 0; sql = start + n)
                if (n == 8 && strncasecmp(start, "PASSWORD", 8) == 0) {
                        n = sqltext_token(start + n, &start);
                        if (n < 2 || *start != '\'')
                                return false;
                        *ret = xstrndup(start + 1, n - 2); /* a verifier has no quote in it */
                        return true;
                }
        return false;
}

static bool compare_password(Roles *w, const char *role, const char *sql, Err *err)
{
        AUTO_FREE char *verifier = NULL;
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        AUTO_ERR why = { 0 };
        if (!password_of(sql, &verifier))
                return true;
        sql_add(&q, "select rolpassword is not distinct from ");
        sql_value(&q, verifier);
        sql_add(&q, " from pg_catalog.pg_authid where rolname = ");
        sql_value(&q, role);
        bool ok = pg_query(w->pg, &q, &r, &why);
        explicit_bzero(verifier, strlen(verifier));
        if (ok && pg_rows(r) && !pg_cell_bool(r, 0, 0))
                roles_differs(w, role, "with another password");
        if (ok || why.kind == ERR_SERVER) /* only superusers see it: then nobody can say */
                return true;
        err_move(err, &why);
        return false;
}

static bool roles_compare(Roles *w, const char *role, const char *sql, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        const char *start, *p = sql;
        sql_add(&q, "select rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, "
                    "rolreplication, rolbypassrls from pg_catalog.pg_roles where rolname = ");
        sql_value(&q, role);
        if (!pg_query(w->pg, &q, &r, err))
                return false;
        bool with = false;
        for (size_t n; pg_rows(r) && (n = sqltext_token(p, &start)) > 0; p = start + n) {
                if (with)
                        compare_word(w, role, r, start, n);
                with = with || (n == 4 && strncasecmp(start, "WITH", 4) == 0);
        }
        return compare_password(w, role, sql, err);
}

/* ---- one that is made ---- */

/* Who granted it is a role of the other server; since 16 it must have the right, too. */
static bool granted_by_us(Roles *w, const char *sql, Err *err)
{
        const char *by = strcasestr(sql, " GRANTED BY ");
        AUTO_ERR again = { 0 };
        if (!by)
                return false;
        AUTO_FREE char *shorter = xstrndup(sql, (size_t)(by - sql));
        if (!pg_exec_dumped(w->pg, shorter, &again))
                return false;
        err_clear(err);
        return true;
}

static bool roles_run(Roles *w, RoleVerb verb, const char *sql, Err *err)
{
        AUTO_FREE char *other =
                verb == ROLE_SET ? transfer_setting_in_words(w->t, w->pg, sql) : NULL;
        if (pg_exec_dumped(w->pg, other ? other : sql, err) ||
            (verb == ROLE_GRANT && granted_by_us(w, sql, err)))
                return true;
        bool unknown = harmless_setting(err);
        if (err->kind != ERR_SERVER || !unknown || verb != ROLE_SET)
                return false;
        AUTO_FREE char *clean = text_clean(sql, MIN(strcspn(sql, "\n"), 200));
        transfer_say(w->t, "left out: %s: %s", clean, err->message);
        err_clear(err);
        return true;
}

static bool create(Roles *w, const char *name, const char *sql, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select from pg_catalog.pg_roles where rolname = ");
        sql_value(&q, name);
        if (!pg_query(w->pg, &q, &r, err))
                return false;
        if (pg_rows(r)) {
                jx_append_str(w->present, name);
                return true;
        }
        if (!roles_run(w, ROLE_CREATE, sql, err))
                return false;
        jx_append_str(w->made, name);
        return true;
}

static bool roles_statement(Roles *w, const SqlReadItem *i, Err *err)
{
        AUTO_SQLMEANING m = { 0 };
        char name[ROLE_NAME_SIZE];
        sqlmeaning_of(i, &m);
        if (m.reach != SQL_OF_CLUSTER)
                return true;
        RoleVerb verb = rolesql_verb(i->text, name);
        if (verb == ROLE_OTHER) {
                AUTO_FREE char *clean = text_clean(i->text, MIN(strcspn(i->text, "\n;"), 100));
                transfer_say(w->t, "not run: %s (a tablespace is a directory of one machine)",
                             clean);
                jx_append_str(w->left_out, clean);
                return true;
        }
        bool ok = verb == ROLE_CREATE        ? create(w, name, i->text, err)
                  : roles_has(w->made, name) ? roles_run(w, verb, i->text, err)
                  : verb == ROLE_ALTER       ? roles_compare(w, name, i->text, err)
                                             : true;
        return ok || err_wrap(err, "line %lld: role %s", (long long)i->line, name);
}

static bool each(Roles *w, SqlRead *r, Err *err)
{
        for (;;) {
                SqlReadItem i;
                if (transfer_stopped(w->t, err) || !sqlread_next(r, &i, err))
                        return false;
                if (i.kind == SQLREAD_END ||
                    (i.kind == SQLREAD_NOTE && str_eq(i.text, "-- PostgreSQL database dump")))
                        return true;
                if (i.kind == SQLREAD_STATEMENT && !roles_statement(w, &i, err))
                        return false;
        }
}

bool source_file_roles(Transfer *t, SourceFile *f, const PgParams *target, json_t **ret, Err *err)
{
        AUTO_SOURCESTREAM s = NULL;
        Roles w = { .t = t,
                    .made = json_array(),
                    .present = json_array(),
                    .differences = json_array(),
                    .left_out = json_array() };
        f->t = t;
        *ret = json_object();
        jx_set(*ret, "made", w.made);
        jx_set(*ret, "present", w.present);
        jx_set(*ret, "differences", w.differences);
        jx_set(*ret, "left_out", w.left_out);
        if (!source_stream_of(f, false, &s, err) || !transfer_connect(t, target, NULL, &w.pg, err))
                return false;
        AUTO_SQLREAD r = sqlread_new(source_stream_read, s);
        bool ok = each(&w, r, err);
        transfer_disconnect(t, &w.pg);
        return ok || err_wrap(err, "making the roles of %s", f->words);
}
