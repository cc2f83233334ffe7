/* roles_copy.c: from one server's roles to another's, nothing overwritten. */
#include "base/buf.h"
#include "base/text.h"
#include "pg/facts.h"
#include "pg/roles.h"

typedef struct Copy {
        Pg *source, *target;
        const RolesCopyOptions *o;
        json_t *report;                 /* lists: see pg_roles_copy()                            */
        json_t *fresh;                  /* name -> description of a role to be made              */
} Copy;

static bool has(const json_t *list, const char *name)
{
        size_t i;
        json_t *v;
        json_array_foreach(list, i, v)
                if (str_eq(json_string_value(v), name))
                        return true;
        return false;
}

static json_t *list_of(json_t *report, const char *key)
{
        if (!jx_get(report, key))
                jx_set(report, key, json_array());
        return jx_get(report, key);
}

static void differs(Copy *c, const char *role, const char *what, const char *a, const char *b)
{
        json_t *d = json_object();
        jx_set_str(d, "role", role);
        jx_set_str(d, "what", what);
        jx_set_str(d, "source", a);
        jx_set_str(d, "target", b);
        json_array_append_new(list_of(c->report, "differences"), d);
}

/* Verifiers of the same password differ by their salt, so a difference is news, not proof. */
static bool compare_password(Copy *c, const char *name, Err *err)
{
        AUTO_SECRET a = NULL;
        AUTO_SECRET b = NULL;
        AUTO_ERR unseen = { 0 };
        if (!pg_role_verifier(c->source, name, &a, &unseen))
                return str_eq(unseen.sqlstate, "42501") || (err_move(err, &unseen), false);
        if (!pg_role_verifier(c->target, name, &b, &unseen))
                return str_eq(unseen.sqlstate, "42501") || (err_move(err, &unseen), false);
        if (!a && !b)
                return true;
        if (!a || !b || !secret_equal(a, b))
                differs(c, name, "password", a ? "one verifier" : "none",
                        b ? "another verifier" : "none");
        return true;
}

static bool compare_present(Copy *c, const char *name, const json_t *source, Err *err)
{
        AUTO_JSON target = NULL;
        const char *key;
        json_t *a;
        json_array_append_new(list_of(c->report, "present"), json_string(name));
        if (!pg_role_describe(c->target, name, &target, err))
                return false;
        json_object_foreach((json_t *)source, key, a) {
                json_t *b = jx_get(target, key);
                if (str_eq(key, "member_of") || json_equal(a, b))
                        continue;
                AUTO_FREE char *wa = jx_words(a);
                AUTO_FREE char *wb = jx_words(b);
                differs(c, name, key, wa, wb);
        }
        return compare_password(c, name, err);
}

static bool look(Copy *c, const json_t *names, Err *err)
{
        size_t i;
        json_t *v;
        json_array_foreach(names, i, v) {
                const char *name = json_string_value(v);
                AUTO_JSON role = NULL;
                bool there = false;
                if (has(c->o->skip, name)) {
                        json_array_append(list_of(c->report, "skipped"), v);
                        continue;
                }
                if (!pg_role_describe(c->source, name, &role, err) ||
                    !pg_role_exists(c->target, name, &there, err))
                        return false;
                if (!json_is_object(role)) {
                        json_array_append(list_of(c->report, "missing"), v);
                        continue;
                }
                if (there && !compare_present(c, name, role, err))
                        return false;
                if (!there) {
                        json_object_set(c->fresh, name, role);
                        json_array_append(list_of(c->report, "created"), v);
                }
        }
        return true;
}

static bool create_one(Copy *c, const char *name, const json_t *role, Err *err)
{
        AUTO_SECRET verifier = NULL;
        AUTO_ERR unseen = { 0 };
        bool super = jx_bool(role, "superuser", false);
        if (!pg_role_verifier(c->source, name, &verifier, &unseen)) {
                if (!str_eq(unseen.sqlstate, "42501")) {
                        err_move(err, &unseen);
                        return false;
                }
                json_array_append_new(list_of(c->report, "without_password"), json_string(name));
        }
        if (verifier && str_starts(secret_expose(verifier), "md5"))
                json_array_append_new(list_of(c->report, "md5"), json_string(name));
        if (super && !c->o->keep_superuser)
                differs(c, name, "superuser", "true", "false, a plain owner,");
        RoleSpec spec = { .name = name, .verifier = verifier,
                          .login = jx_bool(role, "login", false),
                          .createdb = jx_bool(role, "createdb", false) &&
                                      (c->o->keep_superuser || !super),
                          .createrole = jx_bool(role, "createrole", false) &&
                                        (c->o->keep_superuser || !super),
                          .superuser = super && c->o->keep_superuser,
                          .replication = c->o->keep_replication &&
                                         jx_bool(role, "replication", false),
                          .bypassrls = jx_bool(role, "bypassrls", false) &&
                                       (c->o->keep_superuser || !super),
                          .noinherit = !jx_bool(role, "inherit", true),
                          .connlimit = (int)jx_int(role, "connlimit", -1),
                          .valid_until = jx_str(role, "valid_until", NULL) };
        return pg_role_create(c->target, &spec, err);
}

static bool comment(Copy *c, const char *name, const json_t *role, Err *err)
{
        const char *text = jx_str(role, "comment", NULL);
        AUTO_SQL q = { 0 };
        if (!text)
                return true;
        sql_add(&q, "comment on role ");
        sql_ident(&q, name);
        sql_add(&q, " is ");
        sql_value(&q, text);
        return pg_exec(c->target, &q, err) || err_wrap(err, "commenting role %s", name);
}

/* A setting the target does not know would fail the whole; it is named instead. */
static bool settings(Copy *c, const char *name, const json_t *role, Err *err)
{
        size_t i;
        json_t *v;
        json_array_foreach(jx_get(role, "settings"), i, v) {
                const char *entry = json_string_value(v);
                AUTO_FREE char *key = xstrndup(entry, strcspn(entry, "="));
                AUTO_SQL known = { 0 }, q = { 0 };
                AUTO_PGRES PgRes *r = NULL;
                sql_add(&known, "select from pg_settings where name = lower(");
                sql_value(&known, key);
                sql_add(&known, ")");
                if (!pg_query(c->target, &known, &r, err))
                        return false;
                if (!pg_rows(r) && !strchr(key, '.')) {
                        differs(c, name, "setting", entry, "unknown to this major");
                        continue;
                }
                sql_add(&q, "alter role ");
                sql_ident(&q, name);
                pg_setting_sql(&q, entry);
                if (!pg_exec(c->target, &q, err))
                        return err_wrap(err, "setting %s of role %s", key, name);
        }
        return true;
}

static bool grant_one(Copy *c, const char *member, const json_t *m, Err *err)
{
        const char *group = jx_str(m, "role", "");
        bool there = false;
        AUTO_SQL q = { 0 };
        if (!pg_role_exists(c->target, group, &there, err))
                return false;
        if (!there) {
                differs(c, member, "member of", group, "that role is not there");
                return true;
        }
        sql_add(&q, "grant ");
        sql_ident(&q, group);
        sql_add(&q, " to ");
        sql_ident(&q, member);
        if (pg_major(c->target) >= 16) {
                sql_add_literal_(&q, jx_bool(m, "admin", false) ? " with admin true"
                                                                : " with admin false");
                if (jx_get(m, "inherit"))
                        sql_add_literal_(&q, jx_bool(m, "inherit", true) ? ", inherit true"
                                                                         : ", inherit false");
                if (jx_get(m, "set"))
                        sql_add_literal_(&q, jx_bool(m, "set", true) ? ", set true"
                                                                     : ", set false");
        } else {
                if (jx_bool(m, "admin", false))
                        sql_add(&q, " with admin option");
                if (!jx_bool(m, "set", true))
                        differs(c, member, "membership", "with set false", "as usual");
        }
        return pg_exec(c->target, &q, err) || err_wrap(err, "granting %s to %s", group, member);
}

/* Memberships of new roles, and of old roles in new ones. */
static bool memberships(Copy *c, const json_t *names, Err *err)
{
        size_t i, k;
        json_t *v, *m;
        json_array_foreach(names, i, v) {
                const char *member = json_string_value(v);
                AUTO_JSON role = NULL;
                bool fresh = jx_get(c->fresh, member) != NULL;
                if (has(c->o->skip, member))
                        continue;
                if (!pg_role_describe(c->source, member, &role, err))
                        return false;
                json_array_foreach(jx_get(role, "member_of"), k, m) {
                        bool new_group = jx_get(c->fresh, jx_str(m, "role", "")) != NULL;
                        if ((fresh || new_group) && !grant_one(c, member, m, err))
                                return false;
                }
        }
        return true;
}

static bool create_all(Copy *c, const json_t *names, Err *err)
{
        const char *name;
        json_t *role;
        if (!pg_do(c->target, "begin", err))
                return false;
        json_object_foreach(c->fresh, name, role)
                if (!create_one(c, name, role, err) || !comment(c, name, role, err) ||
                    !settings(c, name, role, err))
                        return false;
        return memberships(c, names, err) && pg_do(c->target, "commit", err);
}

bool pg_roles_copy(Pg *source, Pg *target, const RolesCopyOptions *o, json_t **ret_report,
                   Err *err)
{
        static const char *const lists[] = { "created", "present", "skipped", "md5", "differences",
                                             "without_password", "missing" };
        AUTO_JSON report = json_object();
        AUTO_JSON fresh = json_object();
        AUTO_JSON needed = NULL;
        Copy c = { .source = source, .target = target, .o = o, .report = report, .fresh = fresh };
        for (size_t i = 0; i < LEN(lists); i++)
                list_of(report, lists[i]);
        if (!o->only && !pg_roles_needed(source, &needed, err))
                return false;
        const json_t *names = o->only ? o->only : needed;
        if (!look(&c, names, err))
                return false;
        if (!o->dry && json_object_size(fresh) && !create_all(&c, names, err)) {
                AUTO_ERR ignored = { 0 };
                (void)!pg_do(target, "rollback", &ignored);
                return err_wrap(err, "copying roles");
        }
        *ret_report = report;
        report = NULL;
        return true;
}

static void say(json_t *words, const char *fmt, ...) PRINTF(2, 3);

static void say(json_t *words, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *raw = xvasprintf(fmt, ap);
        va_end(ap);
        AUTO_FREE char *text = text_clean_str(raw);
        jx_append_str(words, text);
}

json_t *pg_roles_words(const json_t *report)
{
        json_t *words = json_array(), *d;
        size_t i;
        json_array_foreach(jx_get(report, "differences"), i, d)
                say(words, "role %s: %s is %s there and %s here", jx_str(d, "role", ""), jx_str(d, "what", ""),
                    jx_str(d, "source", ""), jx_str(d, "target", ""));
        json_array_foreach(jx_get(report, "md5"), i, d)
                say(words, "role %s has an md5 password; set it again so that it becomes scram", json_string_value(d));
        json_array_foreach(jx_get(report, "without_password"), i, d)
                say(words, "role %s came without its password, which the role that reads the source may not see; "
                    "set it before it is used", json_string_value(d));
        json_array_foreach(jx_get(report, "missing"), i, d)
                say(words, "role %s is not on the source", json_string_value(d));
        return words;
}
