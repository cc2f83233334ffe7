/* roles_copy.c: from one server's roles to another's, nothing overwritten. */
#include "base/buf.h"
#include "base/majors.h"
#include "base/text.h"
#include "pg/facts.h"
#include "pg/roles.h"

typedef struct RolesCopy {
        Pg *source, *target;
        const RolesCopyOptions *o;
        json_t *report;  /* lists: see pg_roles_copy() */
        json_t *fresh;   /* name -> description of a role to be made */
        json_t *late;    /* memberships that another role granted */
        json_t *changed; /* the same of one that is there and becomes alike (whole) */
} RolesCopy;

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

static void differs(RolesCopy *c, const char *role, const char *what, const char *a, const char *b)
{
        json_t *d = json_object();
        jx_set_str(d, "role", role);
        jx_set_str(d, "what", what);
        jx_set_str(d, "source", a);
        jx_set_str(d, "target", b);
        json_array_append_new(list_of(c->report, "differences"), d);
}

static bool keeps_superuser(const RolesCopy *c)
{
        return c->o->whole || c->o->keep_superuser;
}

/* Verifiers of the same password differ by their salt, so a difference is news, not proof. */
static bool compare_password(RolesCopy *c, const char *name, Err *err)
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

static bool compare_present(RolesCopy *c, const char *name, const json_t *source, Err *err)
{
        AUTO_JSON target = NULL;
        const char *key;
        json_t *a;
        json_array_append_new(list_of(c->report, "present"), json_string(name));
        if (!pg_role_describe(c->target, name, &target, err))
                return false;
        if (c->o->whole) {
                if (!json_equal(source, target)) {
                        json_object_set(c->changed, name, (json_t *)(uintptr_t)source);
                        json_array_append_new(list_of(c->report, "altered"), json_string(name));
                }
                return true;
        }
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

static bool settings(RolesCopy *c, const char *name, const json_t *list, Err *err);

static bool look(RolesCopy *c, const json_t *names, Err *err)
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
                        if (c->o->dry && !settings(c, name, jx_get(role, "settings"), err))
                                return false;
                }
        }
        return true;
}

static bool create_one(RolesCopy *c, const char *name, const json_t *role, Err *err)
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
        if (super && !keeps_superuser(c))
                differs(c, name, "superuser", "true", "false, a plain owner,");
        RoleSpec spec = {
                .name = name,
                .verifier = verifier,
                .login = jx_bool(role, "login", false),
                .createdb = jx_bool(role, "createdb", false) && (keeps_superuser(c) || !super),
                .createrole = jx_bool(role, "createrole", false) && (keeps_superuser(c) || !super),
                .superuser = super && keeps_superuser(c),
                .replication = (c->o->keep_replication || c->o->whole) &&
                               jx_bool(role, "replication", false),
                .bypassrls = jx_bool(role, "bypassrls", false) && (keeps_superuser(c) || !super),
                .noinherit = !jx_bool(role, "inherit", true),
                .connlimit = (int)jx_int(role, "connlimit", -1),
                .valid_until = jx_str(role, "valid_until", NULL)
        };
        return pg_role_create(c->target, &spec, err);
}

static bool comment(RolesCopy *c, const char *name, const json_t *role, Err *err)
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

static bool set_one(RolesCopy *c, const char *name, const char *entry, Err *err)
{
        AUTO_SQL first = { 0 }, q = { 0 };
        sql_add(&q, "alter role ");
        if (name)
                sql_ident(&q, name);
        else
                sql_add(&q, "all");
        pg_setting_sql(&first, &q, entry, pg_major(c->target));
        return (!first.n || pg_exec(c->target, &first, err)) && pg_exec(c->target, &q, err);
}

/* What the server does not take would fail the whole; it is named instead. */
static bool try_one(RolesCopy *c, const char *name, const char *entry, const char *key, Err *err)
{
        AUTO_ERR no = { 0 };
        if (!pg_do(c->target, "savepoint pgsherpa_setting", err))
                return false;
        if (set_one(c, name, entry, &no))
                return pg_do(c->target, "release savepoint pgsherpa_setting", err);
        if (no.kind != ERR_SERVER) {
                err_move(err, &no);
                return err_wrap(err, "setting %s of role %s", key, name ? name : "(all)");
        }
        differs(c, name ? name : "(all)", "setting", entry, no.message);
        return pg_do(c->target, "rollback to savepoint pgsherpa_setting", err);
}

/* In the names that the target has for them; what it has not is told. `name` NULL: of all. */
static bool settings(RolesCopy *c, const char *name, const json_t *list, Err *err)
{
        size_t i;
        json_t *v;
        json_array_foreach(list, i, v) {
                const char *entry = json_string_value(v), *equals = strchr(entry, '=');
                AUTO_FREE char *key = xstrndup(entry, strcspn(entry, "="));
                SettingFate f =
                        setting_fate_own(key, equals ? equals + 1 : NULL, pg_major(c->target));
                AUTO_FREE char *there =
                        xasprintf("%s%s", f.now ? f.now : key, equals ? equals : "=");
                if (f.verdict == SETTING_LEFT_OUT) {
                        AUTO_FREE char *why = xasprintf("left out: %s", f.why);
                        differs(c, name ? name : "(all)", "setting", entry, why);
                } else {
                        if (f.verdict == SETTING_RENAMED)
                                differs(c, name ? name : "(all)", "setting", entry, there);
                        if (!c->o->dry && !try_one(c, name, there, key, err))
                                return false;
                }
        }
        return true;
}

static void grant_sql(const RolesCopy *c, const char *group, const char *member, const json_t *m,
                      const char *by, Sql *q)
{
        sql_add(q, "grant ");
        sql_ident(q, group);
        sql_add(q, " to ");
        sql_ident(q, member);
        if (pg_major(c->target) >= 16) {
                sql_add_literal_(q, jx_bool(m, "admin", false) ? " with admin true"
                                                               : " with admin false");
                if (jx_get(m, "inherit"))
                        sql_add_literal_(q, jx_bool(m, "inherit", true) ? ", inherit true"
                                                                        : ", inherit false");
                if (jx_get(m, "set"))
                        sql_add_literal_(q, jx_bool(m, "set", true) ? ", set true" : ", set false");
        } else if (jx_bool(m, "admin", false)) {
                sql_add(q, " with admin option");
        }
        if (by) {
                sql_add(q, " granted by ");
                sql_ident(q, by);
        }
}

/* Before 16 who granted a membership had no meaning. Since then it may only be somebody who has it
 * with ADMIN: *ret_done false when that is not so here (yet). */
static bool grant_by(RolesCopy *c, const char *group, const char *member, const json_t *m,
                     const char *by, bool *ret_done, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_ERR no = { 0 };
        grant_sql(c, group, member, m, by, &q);
        if (!by) {
                *ret_done = true;
                return pg_exec(c->target, &q, err) ||
                       err_wrap(err, "granting %s to %s", group, member);
        }
        if (!pg_do(c->target, "savepoint pgsherpa_grant", err))
                return false;
        *ret_done = pg_exec(c->target, &q, &no);
        if (*ret_done)
                return pg_do(c->target, "release savepoint pgsherpa_grant", err);
        if (no.kind == ERR_SERVER)
                return pg_do(c->target, "rollback to savepoint pgsherpa_grant", err);
        err_move(err, &no);
        return false;
}

static bool grant_one(RolesCopy *c, const char *member, const json_t *m, Err *err)
{
        const char *group = jx_str(m, "role", "");
        bool there = false, done;
        size_t i;
        json_t *g;
        const json_t *grants = jx_get(m, "grants");
        if (!pg_role_exists(c->target, group, &there, err))
                return false;
        if (!there) {
                differs(c, member, "member of", group, "that role is not there");
                return true;
        }
        if (pg_major(c->target) < 16 && !jx_bool(m, "set", true))
                differs(c, member, "membership", "with set false", "as usual");
        if (!grants || pg_major(c->target) < 16)
                return grant_by(c, group, member, m, NULL, &done, err);
        json_array_foreach(grants, i, g) {
                const char *by = jx_str(g, "by", NULL);
                if (!by && !grant_by(c, group, member, g, NULL, &done, err))
                        return false;
                if (by) {
                        json_t *late = json_pack("{s:s, s:s, s:O}", "group", group, "member",
                                                 member, "grant", g);
                        json_array_append_new(c->late, late);
                }
        }
        return true;
}

/* Each round gives somebody ADMIN who may grant in the next. Who is left is granted by us, and
 * told. */
static bool late_grants(RolesCopy *c, Err *err)
{
        size_t i, left = json_array_size(c->late) + 1;
        json_t *l;
        for (bool by_us = false; json_array_size(c->late);
             by_us = json_array_size(c->late) == left) {
                AUTO_JSON again = json_array();
                left = json_array_size(c->late);
                json_array_foreach(c->late, i, l) {
                        const char *group = jx_str(l, "group", ""),
                                   *member = jx_str(l, "member", "");
                        const json_t *g = jx_get(l, "grant");
                        const char *by = jx_str(g, "by", "");
                        bool done = false;
                        if (!grant_by(c, group, member, g, by_us ? NULL : by, &done, err))
                                return false;
                        if (by_us)
                                differs(c, member, "membership", by, "granted by whoever copies");
                        if (!done)
                                json_array_append(again, l);
                }
                json_array_clear(c->late);
                json_array_extend(c->late, again);
        }
        return true;
}

/* Memberships of new roles, and of old roles in new ones. */
static bool memberships(RolesCopy *c, const json_t *names, Err *err)
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
                        if ((fresh || new_group || c->o->whole) && !grant_one(c, member, m, err))
                                return false;
                }
        }
        return late_grants(c, err);
}

/* ---- what holds for all roles of a server ---- */

static bool settings_of_all(RolesCopy *c, Err *err)
{
        AUTO_SQL q = { 0 };
        json_t *list = NULL;
        sql_add(&q, "select to_json(c) from pg_db_role_setting s, unnest(s.setconfig) c where "
                    "s.setrole = 0 and s.setdatabase = 0");
        if (!pg_json_rows(c->source, &q, &list, err))
                return err_wrap(err, "reading the settings of all roles");
        bool ok = settings(c, NULL, list, err);
        json_decref(list);
        return ok;
}

static bool grant_parameter(RolesCopy *c, const PgRes *r, int i, Err *err)
{
        const char *parameter = pg_cell(r, i, 0), *grantee = pg_cell(r, i, 1);
        AUTO_SQL q = { 0 };
        bool set = str_eq(pg_cell(r, i, 2), "SET");
        sql_add_literal_(&q, set ? "grant set on parameter " : "grant alter system on parameter ");
        pg_setting_name_sql(&q, parameter);
        sql_add(&q, " to ");
        if (grantee)
                sql_ident(&q, grantee);
        else
                sql_add(&q, "public");
        if (pg_cell_bool(r, i, 3))
                sql_add(&q, " with grant option");
        return pg_exec(c->target, &q, err) || err_wrap(err, "granting on parameter %s", parameter);
}

/* From 15 on. What the first superuser has of it, it has anyway. */
static bool parameters(RolesCopy *c, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (pg_major(c->source) < 15 || pg_major(c->target) < 15)
                return true;
        if (!pg_ask(c->source,
                    "select p.parname, case when e.grantee <> 0 then "
                    "pg_get_userbyid(e.grantee) end, e.privilege_type, e.is_grantable "
                    "from pg_parameter_acl p, aclexplode(p.paracl) e where e.grantee <> "
                    "10 order by 1, 2, 3",
                    &r, err))
                return err_wrap(err, "reading grants on parameters");
        for (int i = 0; i < pg_rows(r); i++)
                if (!grant_parameter(c, r, i, err))
                        return false;
        return true;
}

static bool become_alike(RolesCopy *c, Err *err)
{
        const char *name;
        json_t *role;
        if (!c->o->whole)
                return true;
        json_object_foreach(c->changed, name, role)
                if (!pg_role_alter(c->target, role, err) ||
                    !settings(c, name, jx_get(role, "settings"), err))
                        return false;
        return settings_of_all(c, err) && parameters(c, err);
}

static bool create_all(RolesCopy *c, const json_t *names, Err *err)
{
        const char *name;
        json_t *role;
        if (!pg_do(c->target, "begin", err))
                return false;
        json_object_foreach(c->fresh, name, role)
                if (!create_one(c, name, role, err) || !comment(c, name, role, err) ||
                    !settings(c, name, jx_get(role, "settings"), err))
                        return false;
        return memberships(c, names, err) && become_alike(c, err) &&
               pg_do(c->target, "commit", err);
}

static bool every_role(Pg *source, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q,
                "select to_json(rolname) from pg_roles where rolname !~ '^pg_' order by rolname");
        return pg_json_rows(source, &q, ret, err) || err_wrap(err, "listing the roles");
}

bool pg_roles_copy(Pg *source, Pg *target, const RolesCopyOptions *o, json_t **ret_report, Err *err)
{
        static const char *const lists[] = { "created",          "present", "altered",
                                             "skipped",          "md5",     "differences",
                                             "without_password", "missing" };
        AUTO_JSON report = json_object();
        AUTO_JSON fresh = json_object();
        AUTO_JSON changed = json_object();
        AUTO_JSON late = json_array();
        AUTO_JSON needed = NULL;
        RolesCopy c = { .source = source,
                        .target = target,
                        .o = o,
                        .report = report,
                        .fresh = fresh,
                        .late = late,
                        .changed = changed };
        for (size_t i = 0; i < LEN(lists); i++)
                list_of(report, lists[i]);
        if ((o->whole || !o->only) &&
            !(o->whole ? every_role(source, &needed, err) : pg_roles_needed(source, &needed, err)))
                return false;
        const json_t *names = needed ? needed : o->only;
        if (!look(&c, names, err))
                return false;
        if (!o->dry && (o->whole || json_object_size(fresh)) && !create_all(&c, names, err)) {
                AUTO_ERR ignored = { 0 };
                (void)!pg_do(target, "rollback", &ignored);
                return err_wrap(err, "copying roles");
        }
        *ret_report = report;
        report = NULL;
        return true;
}
