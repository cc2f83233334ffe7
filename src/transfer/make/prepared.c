#include "transfer/make/prepared.h"

#include "pg/facts.h"
#include "transfer/make/prepared_kept.h"
#include "transfer/read/props.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

/* ---- what it is ---- */

static bool prepared_describe(Pg *in, json_t **ret, Err *err)
{
        AUTO_JSON props = NULL;
        AUTO_JSON within = NULL;
        if (!props_read(in, &props, err) || !prepared_inside(in, &within, err))
                return false;
        *ret = json_object();
        jx_set(*ret, "props", json_incref(props));
        jx_set(*ret, "inside", json_incref(within));
        return true;
}

static const char *const locale_words[] = { "encoding", "collate", "ctype",
                                            "provider", "locale",  "icu_rules" };

static bool untouched(const json_t *there, const json_t *usual, bool ours)
{
        const json_t *p = jx_get(there, "props"), *u = jx_get(usual, "props");
        bool is = ours && usual && !jx_bool(p, "own_acl", false) &&
                  jx_int(p, "connlimit", -1) == -1 && !jx_str(p, "comment", NULL) &&
                  !json_array_size(jx_get(p, "settings")) && prepared_same(p, u, "tablespace") &&
                  prepared_same(there, usual, "inside");
        for (size_t i = 0; is && i < LEN(locale_words); i++)
                is = prepared_same(p, u, locale_words[i]);
        return is;
}

bool transfer_prepared(Pg *in, json_t **ret, Err *err)
{
        AUTO_PG Pg *first = NULL;
        AUTO_JSON there = NULL;
        AUTO_JSON usual = NULL;
        AUTO_PGRES PgRes *r = NULL;
        AUTO_ERR closed = { 0 };
        *ret = NULL;
        if (!prepared_describe(in, &there, err) ||
            !pg_ask(in,
                    "select d.datdba = r.oid and r.rolsuper from pg_database d, pg_roles r "
                    "where d.datname = current_database() and r.rolname = "
                    "current_user",
                    &r, err))
                return err_wrap(err, "looking at what was prepared in database %s",
                                pg_database(in));
        /* Nobody may look into template1: then what is here is not known to be usual, and stays. */
        if (!pg_reopen(in, "template1", &first, &closed) ||
            !prepared_describe(first, &usual, &closed))
                usual = NULL;
        if (untouched(there, usual, pg_cell_bool(r, 0, 0)))
                return true;
        jx_set(there, "usual", usual ? json_incref(jx_get(usual, "inside")) : json_null());
        *ret = there;
        there = NULL;
        return true;
}

void prepared_create_sql(const json_t *prepared, const char *into, Sql *q)
{
        const json_t *props = jx_get(prepared, "props");
        sql_add(q, "CREATE DATABASE ");
        sql_ident(q, into);
        sql_add(q, " TEMPLATE ");
        sql_ident(q, jx_str(props, "name", ""));
        sql_add(q, " OWNER ");
        sql_ident(q, jx_str(props, "owner", ""));
}

/* ---- the database itself ---- */

static void over_locale(const json_t *ours, json_t *props, json_t *kept)
{
        json_t *entry = NULL;
        if (!prepared_same(ours, props, "encoding"))
                kept_unproved(kept_add(kept, "encoding", jx_str(ours, "encoding", ""),
                                       jx_str(props, "encoding", "")),
                              "database", NULL, "encoding");
        for (size_t i = 1; i < LEN(locale_words); i++) {
                if (prepared_same(ours, props, locale_words[i]))
                        continue;
                if (!entry)
                        entry = kept_add(kept, "locale",
                                         jx_str(ours, "locale", jx_str(ours, "collate", "")),
                                         jx_str(props, "locale", jx_str(props, "collate", "")));
                kept_unproved(entry, "database", NULL, locale_words[i]);
        }
        for (size_t i = 0; i < LEN(locale_words); i++)
                jx_set(props, locale_words[i], json_incref(jx_get(ours, locale_words[i])));
}

/* What was the source's owner's is the prepared one's owner's. */
static void over_owner(const json_t *ours, json_t *props, json_t *kept)
{
        const char *owner = jx_str(ours, "owner", "");
        AUTO_FREE char *before = xstrdup(jx_str(props, "owner", ""));
        size_t i;
        json_t *g;
        if (str_eq(owner, before))
                return;
        json_t *entry = kept_add(kept, "owner", owner, before);
        kept_unproved(entry, "database", NULL, "owner");
        kept_unproved(entry, "database", NULL, "acl"); /* names the owner, whoever set it */
        jx_set_str(props, "owner", owner);
        json_array_foreach(jx_get(props, "acl"), i, g)
                if (str_eq(jx_str(g, "grantee", ""), before))
                        jx_set_str(g, "grantee", owner);
}

static void over_grants(const json_t *ours, json_t *props, json_t *kept)
{
        if (!jx_bool(ours, "own_acl", false))
                return;
        if (!jx_bool(props, "own_acl", false) || !prepared_same(ours, props, "acl")) {
                AUTO_FREE char *a = kept_grant_words(jx_get(ours, "acl"));
                AUTO_FREE char *b = jx_bool(props, "own_acl", false)
                                            ? kept_grant_words(jx_get(props, "acl"))
                                            : xstrdup("nothing granted");
                kept_unproved(kept_add(kept, "grants", a, b), "database", NULL, "acl");
        }
        jx_set_bool(props, "own_acl", true);
        jx_set(props, "acl", json_incref(jx_get(ours, "acl")));
}

static bool same_setting(const json_t *a, const json_t *b)
{
        const char *x = jx_str(a, "set", ""), *y = jx_str(b, "set", "");
        size_t n = strcspn(x, "=");
        return str_eq(jx_str(a, "role", NULL), jx_str(b, "role", NULL)) && strcspn(y, "=") == n &&
               strncmp(x, y, n) == 0;
}

/* By their names alone: people keep keys in settings. */
static void over_settings(const json_t *ours, json_t *props, json_t *kept)
{
        size_t i, k;
        json_t *a, *b;
        json_t *merged = json_array();
        json_array_foreach(jx_get(props, "settings"), i, a) {
                bool over = false;
                json_array_foreach(jx_get(ours, "settings"), k, b)
                        over = over || same_setting(a, b);
                if (!over)
                        json_array_append(merged, a);
        }
        json_array_foreach(jx_get(ours, "settings"), i, a) {
                const char *role = jx_str(a, "role", NULL), *text = jx_str(a, "set", "");
                bool equal = false;
                json_array_append(merged, a);
                json_array_foreach(jx_get(props, "settings"), k, b)
                        equal = equal || json_equal(a, b);
                if (equal)
                        continue;
                AUTO_FREE char *name = xstrndup(text, strcspn(text, "="));
                AUTO_FREE char *words =
                        role ? xasprintf("setting of role %s", role) : xstrdup("setting");
                AUTO_FREE char *object = role ? kept_ident(role) : NULL;
                kept_unproved(kept_add(kept, words, name, NULL), role ? "role setting" : "database",
                              object, role ? NULL : "settings");
        }
        jx_set(props, "settings", merged);
}

static void over_words(const json_t *ours, json_t *props, json_t *kept)
{
        int64_t limit = jx_int(ours, "connlimit", -1), before = jx_int(props, "connlimit", -1);
        const char *comment = jx_str(ours, "comment", NULL),
                   *theirs = jx_str(props, "comment", NULL);
        if (limit != -1 && limit != before) {
                AUTO_FREE char *a = xasprintf("%lld", (long long)limit);
                AUTO_FREE char *b =
                        before == -1 ? xstrdup("none") : xasprintf("%lld", (long long)before);
                kept_unproved(kept_add(kept, "connection limit", a, b), "database", NULL,
                              "connlimit");
                jx_set_int(props, "connlimit", limit);
        }
        if (comment && !str_eq(comment, theirs)) {
                kept_unproved(kept_add(kept, "comment", comment, theirs ? theirs : "none"),
                              "database", NULL, "comment");
                jx_set_str(props, "comment", comment);
        }
}

/* What only the prepared one has, the proof finds on the target alone; a schema that both have is
 * the prepared one's, with its owner and grants. */
static void over_inside(const json_t *prepared, json_t *kept)
{
        size_t i;
        json_t *j;
        json_array_foreach(jx_get(jx_get(prepared, "inside"), "extensions"), i, j) {
                const char *name = json_string_value(j);
                AUTO_FREE char *object = kept_ident(name);
                if (!str_eq(name, "plpgsql"))
                        kept_unproved(kept_add(kept, "extension", name, NULL), "extension", object,
                                      "only on the target");
        }
        json_array_foreach(jx_get(jx_get(prepared, "inside"), "schemas"), i, j) {
                AUTO_FREE char *object = kept_ident(jx_str(j, "name", ""));
                if (!str_eq(jx_str(j, "name", ""), "public"))
                        kept_unproved(kept_add(kept, "schema", jx_str(j, "name", ""), NULL),
                                      "schema", object, NULL);
        }
        if (json_array_size(jx_get(jx_get(prepared, "inside"), "defaults")))
                kept_unproved(kept_add(kept, "default privileges", "that were there", NULL),
                              "default privileges", NULL, NULL);
}

json_t *prepared_over(const json_t *prepared, const json_t *props, json_t *kept)
{
        const json_t *ours = jx_get(prepared, "props");
        json_t *all = json_deep_copy(props);
        over_owner(ours, all, kept);
        over_locale(ours, all, kept);
        over_grants(ours, all, kept);
        over_words(ours, all, kept);
        over_settings(ours, all, kept);
        over_inside(prepared, kept);
        /* A schema public that is there was prepared, too. */
        json_object_del(all, "lacks");
        json_object_del(all, "tablespace");
        return all;
}

/* ---- after a file has had its say ---- */

static bool prepared_run_one(void *pg, const char *what, const Sql *q, Err *err)
{
        return pg_exec(pg, q, err) || err_wrap(err, "%s", what);
}

/* Everybody the file granted something to. */
static bool revoke_all(Pg *in, const char *into, const json_t *acl, Err *err)
{
        size_t i;
        json_t *g;
        json_array_foreach(acl, i, g) {
                AUTO_SQL q = { 0 };
                sql_add(&q, "REVOKE ALL ON DATABASE ");
                sql_ident(&q, into);
                sql_add(&q, " FROM ");
                kept_grantee(&q, g);
                if (!pg_exec(in, &q, err))
                        return false;
        }
        return true;
}

static bool put_on(Pg *in, const json_t *prepared, const char *into, const json_t *said,
                   json_t *kept, Err *err)
{
        AUTO_JSON now = NULL;
        if (!props_read(in, &now, err))
                return false;
        json_object_update(now, (json_t *)said);
        AUTO_JSON props = prepared_over(prepared, now, kept);
        bool granted = jx_bool(jx_get(prepared, "props"), "own_acl", false);
        return prepared_schemas(in, prepared, kept, err) &&
               (!granted || revoke_all(in, into, jx_get(now, "acl"), err)) &&
               props_each(props, into, prepared_run_one, in, err);
}

bool prepared_put_on(Transfer *t, const PgParams *p, const json_t *prepared, const char *into,
                     const json_t *said, json_t *kept, Err *err)
{
        Pg *in = NULL;
        if (!transfer_connect(t, p, into, &in, err))
                return false;
        bool ok = put_on(in, prepared, into, said, kept, err);
        transfer_disconnect(t, &in);
        if (ok)
                kept_say(t, kept);
        return ok || err_wrap(err, "what was prepared in the database");
}
