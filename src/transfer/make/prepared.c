#include "transfer/make/prepared.h"

#include "pg/facts.h"
#include "transfer/read/props.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/state.h"
#include "transfer/transfer.h"

/* ---- what it is ---- */

/* What is in it besides objects of users, of which there are none. */
static bool inside(Pg *in, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('extensions', (select coalesce(json_agg(e.extname "
                    "order by e.extname), '[]') from pg_extension e), 'schemas', (select "
                    "coalesce(json_agg(json_build_object('name', n.nspname, 'owner', "
                    "pg_get_userbyid(n.nspowner), 'acl', (select "
                    "coalesce(json_agg(json_build_object('grantee', case x.grantee when 0 then "
                    "null else pg_get_userbyid(x.grantee) end, 'privilege', x.privilege_type, "
                    "'grantable', x.is_grantable) order by x.grantee::regrole::text, "
                    "x.privilege_type), '[]') from aclexplode(coalesce(n.nspacl, acldefault('n', "
                    "n.nspowner))) x)) order by n.nspname), '[]') from pg_namespace n where "
                    "n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not exists "
                    "(select from pg_depend d where d.classid = 'pg_namespace'::regclass and "
                    "d.objid = n.oid and d.deptype = 'e')), 'defaults', (select "
                    "coalesce(json_agg(pg_describe_object('pg_default_acl'::regclass, a.oid, 0) || "
                    "' ' || a.defaclacl::text order by a.oid), '[]') from pg_default_acl a))");
        return pg_json_value(in, &q, ret, err);
}

static bool describe(Pg *in, json_t **ret, Err *err)
{
        AUTO_JSON props = NULL;
        AUTO_JSON within = NULL;
        if (!props_read(in, &props, err) || !inside(in, &within, err))
                return false;
        *ret = json_object();
        jx_set(*ret, "props", json_incref(props));
        jx_set(*ret, "inside", json_incref(within));
        return true;
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
        const json_t *x = jx_get(a, key), *y = jx_get(b, key);
        return (!x || json_is_null(x)) && (!y || json_is_null(y)) ? true
                                                                  : x && y && json_equal(x, y);
}

static const char *const locale_words[] = { "encoding", "collate", "ctype",
                                            "provider", "locale",  "icu_rules" };

static bool untouched(const json_t *there, const json_t *usual, bool ours)
{
        const json_t *p = jx_get(there, "props"), *u = jx_get(usual, "props");
        bool is = ours && usual && !jx_bool(p, "own_acl", false) &&
                  jx_int(p, "connlimit", -1) == -1 && !jx_str(p, "comment", NULL) &&
                  !json_array_size(jx_get(p, "settings")) && same(p, u, "tablespace") &&
                  same(there, usual, "inside");
        for (size_t i = 0; is && i < LEN(locale_words); i++)
                is = same(p, u, locale_words[i]);
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
        if (!describe(in, &there, err) ||
            !pg_ask(in,
                    "select d.datdba = r.oid and r.rolsuper from pg_database d, pg_roles r "
                    "where d.datname = current_database() and r.rolname = "
                    "current_user",
                    &r, err))
                return err_wrap(err, "looking at what was prepared in database %s",
                                pg_database(in));
        /* Nobody may look into template1: then what is here is not known to be usual, and stays. */
        if (!pg_reopen(in, "template1", &first, &closed) || !describe(first, &usual, &closed))
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

/* ---- what of it is kept, and what the proof must not wonder about ---- */

static void unproved(json_t *entry, const char *kind, const char *object, const char *what)
{
        json_t *list = jx_get(entry, "not_compared"), *j = json_object();
        if (!list) {
                list = json_array();
                jx_set(entry, "not_compared", list);
        }
        jx_set_str(j, "kind", kind);
        jx_set_str(j, "object", object); /* NULL: all of that kind */
        jx_set_str(j, "what", what);     /* NULL: whatever differs */
        json_array_append_new(list, j);
}

static json_t *keep(json_t *kept, const char *what, const char *ours, const char *source)
{
        json_t *entry = json_object();
        jx_set_str(entry, "what", what);
        jx_set_str(entry, "kept", ours);
        jx_set_str(entry, "source", source);
        json_array_append_new(kept, entry);
        return entry;
}

static char *ident(const char *name)
{
        AUTO_SQL q = { 0 };
        sql_ident(&q, name);
        return plain_sql(&q);
}

json_t *transfer_kept_ignored(const json_t *kept)
{
        json_t *all = json_array(), *entry;
        size_t i;
        json_array_foreach(kept, i, entry)
                if (jx_get(entry, "not_compared"))
                        json_array_extend(all, jx_get(entry, "not_compared"));
        return all;
}

void prepared_say(Transfer *t, const json_t *kept)
{
        size_t i;
        json_t *k;
        json_array_foreach(kept, i, k)
                if (jx_str(k, "source", NULL))
                        transfer_say(t, "kept as it was prepared: %s %s (the source's: %s)",
                                     jx_str(k, "what", ""), jx_str(k, "kept", ""),
                                     jx_str(k, "source", ""));
                else
                        transfer_say(t, "kept as it was prepared: %s %s", jx_str(k, "what", ""),
                                     jx_str(k, "kept", ""));
}

/* ---- the database itself ---- */

static void over_locale(const json_t *ours, json_t *props, json_t *kept)
{
        json_t *entry = NULL;
        if (!same(ours, props, "encoding"))
                unproved(keep(kept, "encoding", jx_str(ours, "encoding", ""),
                              jx_str(props, "encoding", "")),
                         "database", NULL, "encoding");
        for (size_t i = 1; i < LEN(locale_words); i++) {
                if (same(ours, props, locale_words[i]))
                        continue;
                if (!entry)
                        entry = keep(kept, "locale",
                                     jx_str(ours, "locale", jx_str(ours, "collate", "")),
                                     jx_str(props, "locale", jx_str(props, "collate", "")));
                unproved(entry, "database", NULL, locale_words[i]);
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
        json_t *entry = keep(kept, "owner", owner, before);
        unproved(entry, "database", NULL, "owner");
        unproved(entry, "database", NULL, "acl"); /* names the owner, whoever set it */
        jx_set_str(props, "owner", owner);
        json_array_foreach(jx_get(props, "acl"), i, g)
                if (str_eq(jx_str(g, "grantee", ""), before))
                        jx_set_str(g, "grantee", owner);
}

static char *grant_words(const json_t *acl)
{
        AUTO_JSON words = json_array();
        size_t i;
        json_t *g;
        json_array_foreach(acl, i, g) {
                AUTO_FREE char *w = xasprintf(
                        "%s to %s%s", jx_str(g, "privilege", ""), jx_str(g, "grantee", "PUBLIC"),
                        jx_bool(g, "grantable", false) ? " with grant option" : "");
                jx_append_str(words, w);
        }
        return json_array_size(words) ? jx_words(words) : xstrdup("nobody");
}

static void over_grants(const json_t *ours, json_t *props, json_t *kept)
{
        if (!jx_bool(ours, "own_acl", false))
                return;
        if (!jx_bool(props, "own_acl", false) || !same(ours, props, "acl")) {
                AUTO_FREE char *a = grant_words(jx_get(ours, "acl"));
                AUTO_FREE char *b = jx_bool(props, "own_acl", false)
                                            ? grant_words(jx_get(props, "acl"))
                                            : xstrdup("nothing granted");
                unproved(keep(kept, "grants", a, b), "database", NULL, "acl");
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
                AUTO_FREE char *object = role ? ident(role) : NULL;
                unproved(keep(kept, words, name, NULL), role ? "role setting" : "database", object,
                         role ? NULL : "settings");
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
                unproved(keep(kept, "connection limit", a, b), "database", NULL, "connlimit");
                jx_set_int(props, "connlimit", limit);
        }
        if (comment && !str_eq(comment, theirs)) {
                unproved(keep(kept, "comment", comment, theirs ? theirs : "none"), "database", NULL,
                         "comment");
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
                AUTO_FREE char *object = ident(name);
                if (!str_eq(name, "plpgsql"))
                        unproved(keep(kept, "extension", name, NULL), "extension", object,
                                 "only on the target");
        }
        json_array_foreach(jx_get(jx_get(prepared, "inside"), "schemas"), i, j) {
                AUTO_FREE char *object = ident(jx_str(j, "name", ""));
                if (!str_eq(jx_str(j, "name", ""), "public"))
                        unproved(keep(kept, "schema", jx_str(j, "name", ""), NULL), "schema",
                                 object, NULL);
        }
        if (json_array_size(jx_get(jx_get(prepared, "inside"), "defaults")))
                unproved(keep(kept, "default privileges", "that were there", NULL),
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

/* ---- schemas ---- */

static void schema_owner(const char *name, const char *owner, Sql *q)
{
        sql_add(q, "ALTER SCHEMA ");
        sql_ident(q, name);
        sql_add(q, " OWNER TO ");
        sql_ident(q, owner);
}

static void grantee(Sql *q, const json_t *g)
{
        if (jx_str(g, "grantee", NULL))
                sql_ident(q, jx_str(g, "grantee", NULL));
        else
                sql_add(q, "PUBLIC");
}

static void schema_grants(const char *name, const json_t *now, const json_t *before, Sql *q)
{
        size_t i;
        json_t *g;
        json_array_foreach(now, i, g) {
                sql_add(q, "REVOKE ALL ON SCHEMA ");
                sql_ident(q, name);
                sql_add(q, " FROM ");
                grantee(q, g);
                sql_add(q, "; ");
        }
        json_array_foreach(before, i, g) {
                if (str_eq(jx_str(g, "privilege", ""), "CREATE"))
                        sql_add(q, "GRANT CREATE ON SCHEMA ");
                else
                        sql_add(q, "GRANT USAGE ON SCHEMA ");
                sql_ident(q, name);
                sql_add(q, " TO ");
                grantee(q, g);
                if (jx_bool(g, "grantable", false))
                        sql_add(q, " WITH GRANT OPTION; ");
                else
                        sql_add(q, "; ");
        }
}

static const json_t *schema_of(const json_t *inside, const char *name)
{
        size_t i;
        json_t *s;
        json_array_foreach(jx_get(inside, "schemas"), i, s)
                if (str_eq(jx_str(s, "name", ""), name))
                        return s;
        return NULL;
}

/* Its owner, always; its grants, where they were not what every new database's schema has. */
static bool one_schema(Pg *in, const json_t *now, const json_t *before, const json_t *usual,
                       json_t *kept, Err *err)
{
        const char *name = jx_str(before, "name", "");
        AUTO_FREE char *object = ident(name);
        AUTO_FREE char *owned = xasprintf("owner of schema %s", name);
        AUTO_FREE char *granted = xasprintf("grants on schema %s", name);
        if (!same(now, before, "owner")) {
                AUTO_SQL q = { 0 };
                schema_owner(name, jx_str(before, "owner", ""), &q);
                if (!pg_exec(in, &q, err))
                        return false;
                json_t *entry =
                        keep(kept, owned, jx_str(before, "owner", ""), jx_str(now, "owner", ""));
                unproved(entry, "schema", object, "owner");
                unproved(entry, "schema", object, "acl"); /* names its owner */
        }
        if (same(now, before, "acl") ||
            (usual && same(before, usual, "acl") && same(before, usual, "owner")))
                return true;
        AUTO_SQL q = { 0 };
        AUTO_FREE char *a = grant_words(jx_get(before, "acl"));
        AUTO_FREE char *b = grant_words(jx_get(now, "acl"));
        schema_grants(name, jx_get(now, "acl"), jx_get(before, "acl"), &q);
        unproved(keep(kept, granted, a, b), "schema", object, "acl");
        return pg_exec(in, &q, err);
}

bool prepared_schemas(Pg *in, const json_t *prepared, json_t *kept, Err *err)
{
        AUTO_JSON now = NULL;
        size_t i;
        json_t *before;
        if (!inside(in, &now, err))
                return err_wrap(err, "looking at the schemas");
        json_array_foreach(jx_get(jx_get(prepared, "inside"), "schemas"), i, before) {
                const char *name = jx_str(before, "name", "");
                const json_t *here = schema_of(now, name);
                if (here && !one_schema(in, here, before,
                                        schema_of(jx_get(prepared, "usual"), name), kept, err))
                        return err_wrap(err, "schema %s as it was prepared", name);
        }
        return true;
}

/* ---- after a file has had its say ---- */

static bool run_one(void *pg, const char *what, const Sql *q, Err *err)
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
                grantee(&q, g);
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
               props_each(props, into, run_one, in, err);
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
                prepared_say(t, kept);
        return ok || err_wrap(err, "what was prepared in the database");
}
