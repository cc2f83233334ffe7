/* bundle_roles.c: the roles a bundle keeps, made where they are missing.
 *
 * globals.sql is what pg_dumpall wrote: CREATE ROLE, then ALTER ROLE with password and rights,
 * then memberships and settings. Of a role that is there nothing is run: what it may do on this
 * server is this server's business. */
#include "base/limits.h"
#include "base/text.h"
#include "dumps/rolesql.h"
#include "dumps/sqltext.h"
#include "transfer/foreign/source_words.h"
#include "transfer/state/harmless.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

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
        char name[ROLE_NAME_SIZE];
        bool there;
        RoleVerb verb = rolesql_verb(sql, name);
        *ret = verb != ROLE_OTHER && json_object_get(made, name);
        if (verb != ROLE_CREATE)
                return true;
        if (!is_there(pg, name, &there, err))
                return false;
        if (!there)
                json_object_set_new(made, name, json_true());
        *ret = !there;
        return true;
}

/* A setting whose name or value another major does not know is no reason not to have the role. */
static bool roles_one(Transfer *t, Pg *pg, const char *sql, Err *err)
{
        char name[ROLE_NAME_SIZE];
        AUTO_FREE char *other =
                rolesql_verb(sql, name) == ROLE_SET ? transfer_setting_in_words(t, pg, sql) : NULL;
        if (pg_exec_dumped(pg, other ? other : sql, err))
                return true;
        bool unknown = harmless_setting(err);
        if (!unknown || rolesql_verb(sql, name) != ROLE_SET)
                return false;
        AUTO_FREE char *clean = text_clean(sql, MIN(strcspn(sql, "\n"), 200));
        transfer_say(t, "left out: %s: %s", clean, err->message);
        err_clear(err);
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
                AUTO_FREE char *text = xstrndup(start, (size_t)(p + n - start));
                ok = wanted(text, made, pg, &run, err) && (!run || roles_one(t, pg, text, err));
                explicit_bzero(text, strlen(text)); /* a password's hash */
                p += n;
        }
        explicit_bzero(sql, len);
        transfer_disconnect(t, &pg);
        *ret_made = (int)json_object_size(made);
        return ok || err_wrap(err, "making the roles of the bundle");
}
