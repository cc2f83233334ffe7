#include "dumps/sqlmeaning.h"

#include <ctype.h>
#include <strings.h>

#define FILES "it reads or writes a file, or runs a program, on the server"

static SqlCursor cursor(const SqlReadItem *i)
{
        return (SqlCursor){ .p = i->text, .end = i->text + i->len, .backslashes = i->backslashes };
}

static bool next_is(SqlCursor *c, const char *word)
{
        return sqlcursor_next(c) && sqlcursor_is(c, word);
}

static bool is_one_of(const SqlCursor *c, const char *const *words)
{
        for (; *words; words++)
                if (sqlcursor_is(c, *words))
                        return true;
        return false;
}

/* The cursor stands on the name. */
static void named(const SqlCursor *c, SqlMeaning *m, SqlReach reach)
{
        m->reach = reach;
        m->name = sqlcursor_text(c);
        m->at = c->at;
        m->n = c->n;
}

static void after_if_exists(SqlCursor *c, SqlMeaning *m, SqlReach reach)
{
        if (!sqlcursor_next(c))
                return;
        while (sqlcursor_is(c, "if") || sqlcursor_is(c, "not") || sqlcursor_is(c, "exists"))
                if (!sqlcursor_next(c))
                        return;
        named(c, m, reach);
}

/* ROLE, USER, GROUP, TABLESPACE, DATABASE; a USER MAPPING is a thing of one database. */
static bool shared_object(SqlCursor *c, SqlMeaning *m, SqlReach database)
{
        static const char *const cluster[] = { "role", "user", "group", "tablespace", NULL };
        if (sqlcursor_is(c, "database")) {
                after_if_exists(c, m, database);
                return true;
        }
        if (!is_one_of(c, cluster))
                return false;
        SqlCursor ahead = *c;
        if (sqlcursor_is(c, "user") && next_is(&ahead, "mapping"))
                return false;
        after_if_exists(c, m, SQL_OF_CLUSTER);
        return true;
}

static bool has(SqlCursor c, const char *first, const char *second)
{
        for (bool seen = false; sqlcursor_next(&c);) {
                if (seen && sqlcursor_is(&c, second))
                        return true;
                seen = sqlcursor_is(&c, first);
                if (seen && !second)
                        return true;
        }
        return false;
}

static void alter(SqlCursor c, SqlMeaning *m)
{
        SqlCursor whole = c;
        if (!sqlcursor_next(&c))
                return;
        if (sqlcursor_is(&c, "system")) {
                m->reach = SQL_FORBIDDEN;
                m->why = "it changes the configuration of the whole server";
                return;
        }
        SqlCursor role = c;
        if ((sqlcursor_is(&c, "role") || sqlcursor_is(&c, "user")) && sqlcursor_next(&role) &&
            next_is(&role, "in") && next_is(&role, "database") && sqlcursor_next(&role)) {
                named(&role, m, SQL_OF_DATABASE);
                return;
        }
        if (shared_object(&c, m, SQL_OF_DATABASE))
                return;
        if (has(whole, "owner", "to"))
                m->reach = SQL_OWNER;
        else if (has(whole, "drop", NULL))
                m->reach = SQL_REMOVES;
}

/* COMMENT ON, SECURITY LABEL .. ON. */
static void said_of(SqlCursor c, SqlMeaning *m)
{
        while (sqlcursor_next(&c))
                if (sqlcursor_is(&c, "on")) {
                        if (sqlcursor_next(&c))
                                (void)!shared_object(&c, m, SQL_OF_DATABASE);
                        return;
                }
}

/* GRANT a TO b is about roles; GRANT .. ON DATABASE, TABLESPACE, PARAMETER about shared things. */
static void grant(SqlCursor c, SqlMeaning *m)
{
        m->reach = SQL_OF_CLUSTER;
        for (int parens = 0; sqlcursor_next(&c);) {
                parens += sqlcursor_is(&c, "(") - sqlcursor_is(&c, ")");
                if (parens > 0)
                        continue;
                if (sqlcursor_is(&c, "to") || sqlcursor_is(&c, "from"))
                        return;
                if (sqlcursor_is(&c, "on")) {
                        m->reach = SQL_GRANT;
                        if (sqlcursor_next(&c) && !shared_object(&c, m, SQL_OF_DATABASE) &&
                            sqlcursor_is(&c, "parameter"))
                                m->reach = SQL_OF_CLUSTER;
                        return;
                }
        }
}

/* "public"."orders": as it is written. */
static char *relation(SqlCursor *c)
{
        const char *from = c->at, *to = c->at + c->n;
        while (sqlcursor_next(c) && (sqlcursor_is(c, ".") || *(c->at - 1) == '.'))
                to = c->at + c->n;
        return xstrndup(from, (size_t)(to - from));
}

static void copy(SqlCursor c, SqlMeaning *m)
{
        m->reach = SQL_FORBIDDEN;
        m->why = FILES;
        if (!sqlcursor_next(&c) || sqlcursor_is(&c, "("))
                return;
        m->name = relation(&c);
        for (int parens = 0;;) {
                parens += sqlcursor_is(&c, "(") - sqlcursor_is(&c, ")");
                if (parens == 0 && sqlcursor_is(&c, "to"))
                        return;
                if (parens == 0 && sqlcursor_is(&c, "from")) {
                        if (next_is(&c, "stdin"))
                                m->reach = SQL_COPY_IN;
                        return;
                }
                if (!sqlcursor_next(&c))
                        return;
        }
}

static void insert(SqlCursor c, SqlMeaning *m)
{
        m->reach = SQL_INSERT;
        if (next_is(&c, "into") && sqlcursor_next(&c))
                m->name = relation(&c);
}

/* The major that brought the function a dump with --statistics calls; 0: it is none of them. */
static int statistics_since(const SqlCursor *c)
{
        if (sqlcursor_is(c, "pg_restore_relation_stats") ||
            sqlcursor_is(c, "pg_restore_attribute_stats"))
                return 18;
        return sqlcursor_is(c, "pg_restore_extended_stats") ? 19 : 0;
}

static void select_(SqlCursor c, SqlMeaning *m)
{
        static const char *const lo[] = { "lo_create",     "lo_open",  "lowrite", "lo_close",
                                          "lo_from_bytea", "lo_creat", NULL };
        while (sqlcursor_next(&c)) {
                if (sqlcursor_is(&c, "pg_catalog") || sqlcursor_is(&c, ".") ||
                    sqlcursor_is(&c, "*") || sqlcursor_is(&c, "from"))
                        continue;
                if (is_one_of(&c, lo))
                        m->reach = SQL_LARGE_OBJECT;
                else if (sqlcursor_is(&c, "lo_unlink"))
                        m->reach = SQL_REMOVES;
                else if (sqlcursor_is(&c, "setval"))
                        m->reach = SQL_SEQUENCE;
                else if (sqlcursor_is(&c, "set_config"))
                        m->reach = SQL_SESSION;
                else if ((m->since = statistics_since(&c)) > 0)
                        m->reach = SQL_STATISTICS;
                return;
        }
}

void sqlmeaning_of(const SqlReadItem *item, SqlMeaning *ret)
{
        static const char *const session[] = { "set", "reset", "discard", NULL };
        static const char *const transaction[] = { "begin", "commit",   "start",
                                                   "end",   "rollback", NULL };
        SqlCursor c = cursor(item);
        *ret = (SqlMeaning){ .reach = SQL_ORDINARY };
        if (!sqlcursor_next(&c))
                return;
        SqlCursor second = c;
        if (is_one_of(&c, session)) {
                ret->reach = SQL_SESSION;
        } else if (is_one_of(&c, transaction)) {
                ret->reach = SQL_LARGE_OBJECT;
        } else if (sqlcursor_is(&c, "select")) {
                select_(c, ret);
        } else if (sqlcursor_is(&c, "copy")) {
                copy(c, ret);
        } else if (sqlcursor_is(&c, "insert")) {
                insert(c, ret);
        } else if (sqlcursor_is(&c, "alter")) {
                alter(c, ret);
        } else if (sqlcursor_is(&c, "create")) {
                if (sqlcursor_next(&second))
                        (void)!shared_object(&second, ret, SQL_CREATE_DATABASE);
        } else if (sqlcursor_is(&c, "drop")) {
                ret->reach = SQL_REMOVES;
                if (next_is(&second, "owned"))
                        ret->reach = SQL_OF_CLUSTER;
                else
                        (void)!shared_object(&second, ret, SQL_DROP_DATABASE);
        } else if (sqlcursor_is(&c, "comment") || sqlcursor_is(&c, "security")) {
                said_of(c, ret);
        } else if (sqlcursor_is(&c, "grant") || sqlcursor_is(&c, "revoke")) {
                grant(c, ret);
        } else if (sqlcursor_is(&c, "load")) {
                ret->reach = SQL_FORBIDDEN;
                ret->why = FILES;
        } else if (sqlcursor_is(&c, "refresh")) {
                ret->reach = SQL_REFRESH;
        } else if (sqlcursor_is(&c, "reassign")) {
                ret->reach = SQL_OF_CLUSTER;
        } else if (sqlcursor_is(&c, "update") && has(c, "pg_database", NULL)) {
                ret->reach = SQL_OF_CLUSTER; /* pg_dumpall -c unlocks template1 this way */
        }
}

void sqlmeaning_done(SqlMeaning *m)
{
        free(m->name);
        *m = (SqlMeaning){ 0 };
}

/* ---- CREATE DATABASE ---- */

static void property(json_t *props, const char *key, const char *value)
{
        static const struct {
                const char *key, *ours;
        } known[] = { { "encoding", "encoding" },     { "lc_collate", "collate" },
                      { "lc_ctype", "ctype" },        { "icu_locale", "locale" },
                      { "builtin_locale", "locale" }, { "icu_rules", "icu_rules" } };
        for (size_t i = 0; i < LEN(known); i++)
                if (str_eq(key, known[i].key))
                        jx_set_str(props, known[i].ours, value);
        if (str_eq(key, "locale_provider"))
                jx_set_str(props, "provider",
                           str_eq(value, "icu")       ? "i"
                           : str_eq(value, "builtin") ? "b"
                                                      : "c");
        if (str_eq(key, "locale")) { /* both, unless said one by one */
                if (!jx_get(props, "collate"))
                        jx_set_str(props, "collate", value);
                if (!jx_get(props, "ctype"))
                        jx_set_str(props, "ctype", value);
        }
}

json_t *sqlmeaning_properties(const SqlReadItem *item)
{
        SqlCursor c = cursor(item);
        json_t *props = json_object();
        AUTO_FREE char *key = NULL;
        while (sqlcursor_next(&c)) {
                if (sqlcursor_is(&c, "=") && key && sqlcursor_next(&c)) {
                        AUTO_FREE char *value = sqlcursor_text(&c);
                        property(props, key, value);
                }
                free(key);
                key = sqlcursor_text(&c);
        }
        if (str_eq(jx_str(props, "provider", NULL), "b") && !jx_get(props, "locale"))
                jx_set_str(props, "locale", jx_str(props, "collate", "C"));
        return props;
}

/* ---- \connect ---- */

/* \connect app; \connect "a b"; \connect -reuse-previous=on "dbname='a b'" (what pg_dump writes
 * for a name that could be taken for a connection string: appendPsqlMetaConnect()). */
char *sqlmeaning_connect(const char *command)
{
        static const char option[] = "-reuse-previous=on";
        if (!str_starts(command, "\\connect") || !isspace((unsigned char)command[8]))
                return NULL;
        const char *p = command + 8;
        while (isspace((unsigned char)*p))
                p++;
        bool conninfo = str_starts(p, option);
        if (conninfo)
                for (p += sizeof option - 1; isspace((unsigned char)*p); p++)
                        ;
        char *out = xmalloc(strlen(p) + 1), *q = out;
        char quote = *p == '"' || *p == '\'' ? *p++ : 0;
        for (; *p && (quote ? *p != quote || p[1] == quote : !isspace((unsigned char)*p)); p++) {
                if (quote && *p == quote)
                        p++;
                *q++ = *p;
        }
        *q = '\0';
        if (!conninfo || !str_starts(out, "dbname='"))
                return out;
        q = out;
        for (p = out + strlen("dbname='"); *p && *p != '\''; p++) {
                if (*p == '\\' && p[1])
                        p++;
                *q++ = *p;
        }
        *q = '\0';
        return out;
}
