/* roles.c: the roles a bundle keeps, made where they are missing.
 *
 * globals.sql is what pg_dumpall wrote: CREATE ROLE, then ALTER ROLE with password and rights,
 * then memberships and settings. Of a role that is there nothing is run: what it may do on this
 * server is this server's business. */
#include "transfer/internal.h"

#include <stdio.h>

#include "base/limits.h"
#include "dumps/sqltext.h"

/* The name behind "CREATE ROLE " or "ALTER ROLE ", unquoted, into `to`; false: none. */
static bool role_name(const char *sql, char to[static LIMIT_NAME * 2])
{
        size_t n = 0;
        bool quoted = *sql == '"';
        for (sql += quoted; *sql && n < LIMIT_NAME * 2 - 1; sql++) {
                if (quoted ? *sql == '"' && *++sql != '"' : strchr(" ;\n", *sql) != NULL)
                        break;
                to[n++] = *sql;
        }
        to[n] = '\0';
        return n > 0;
}

static bool is_there(Pg *pg, const char *role, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select 1 from pg_roles where rolname = ");
        sql_value(&q, role);
        if (!pg_query(pg, &q, &r, err))
                return false;
        *ret = pg_rows(r) > 0;
        return true;
}

/* Which statements are run: those of roles we made. Memberships: of a made role in any. */
static bool wanted(const char *sql, json_t *made, Pg *pg, bool *ret, Err *err)
{
        char name[LIMIT_NAME * 2];
        bool there;
        *ret = false;
        if (str_starts(sql, "CREATE ROLE ") && role_name(sql + 12, name)) {
                if (!is_there(pg, name, &there, err))
                        return false;
                if (!there)
                        json_object_set_new(made, name, json_true());
                *ret = !there;
        } else if (str_starts(sql, "ALTER ROLE ") && role_name(sql + 11, name)) {
                *ret = json_object_get(made, name) != NULL;
        } else if (str_starts(sql, "GRANT ")) {
                const char *to = strstr(sql, " TO ");
                *ret = to && role_name(to + 4, name) && json_object_get(made, name);
        }
        return true;
}

bool transfer_bundle_roles(Transfer *t, const Bundle *b, const PgParams *target, int *ret_made,
                           Err *err)
{
        AUTO_FREE char *sql = NULL;
        AUTO_JSON made = json_object();
        Pg *pg = NULL;
        size_t len = 0;
        bool ok = true;
        *ret_made = 0;
        if (!bundle_has(b, "globals.sql.zst"))
                return true;
        if (!bundle_read_all(b, "globals.sql.zst", LIMIT_SQL, &sql, &len, err) ||
            !transfer_connect(t, target, NULL, &pg, err))
                return false;
        for (const char *p = sql; ok;) {
                const char *start;
                size_t n = sqltext_next(p, &start);
                bool run = false;
                if (n == 0)
                        break;
                AUTO_FREE char *one = xstrndup(start, (size_t)(p + n - start));
                ok = wanted(one, made, pg, &run, err) && (!run || pg_exec_dumped(pg, one, err));
                explicit_bzero(one, strlen(one));       /* a password's hash */
                p += n;
        }
        explicit_bzero(sql, len);
        transfer_disconnect(t, &pg);
        *ret_made = (int)json_object_size(made);
        return ok || err_wrap(err, "making the roles of the bundle");
}
