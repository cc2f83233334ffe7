/* server_lines.c: what a server holds as text, object by object, and what differs between two. */
#include "base/majors.h"
#include "base/text.h"
#include "pg/facts.h"
#include "pg/server.h"
#include "pg/server_settings.h"

#define GRANTED_BY "granted by"
#define VALUE(c)   "substr(" c ", strpos(" c ", '=') + 1)"
#define HASH(expr) "encode(sha256(convert_to(" expr ", 'UTF8')), 'hex')"

/* The lines of one kind of object: "object", "what", "text". */
typedef struct Part {
        int since, before; /* majors; before 0: to the newest */
        const char *sql;
        bool settings; /* a fourth column, name=value: as the major `to` has it */
        /* only for a server of this major and later: before it means nothing */
        int to_since;
} Part;

static const Part parts[] = {
        { 0, 0,
          "select 'role ' || quote_ident(r.rolname), a.what, a.text from pg_roles r, lateral "
          "(values ('login', rolcanlogin::text), ('superuser', rolsuper::text), ('createdb', "
          "rolcreatedb::text), ('createrole', rolcreaterole::text), ('inherit', "
          "rolinherit::text), ('replication', rolreplication::text), ('bypassrls', "
          "rolbypassrls::text), ('connlimit', rolconnlimit::text), ('valid_until', "
          "rolvaliduntil::text), ('comment', shobj_description(r.oid, 'pg_authid'))) a(what, "
          "text) where r.rolname !~ '^pg_'" },
        { 0, 0,
          "select 'role ' || quote_ident(r.rolname), 'password', " HASH(
                  "r.rolpassword") " from pg_authid r where r.rolname !~ '^pg_'" },
        /* Before 16 a membership inherits as its member does, and whoever is one may SET ROLE. */
        { 0, 16,
          "select format('member %I of %I', r.rolname, g.rolname), a.what, a.text from "
          "(select roleid, member, bool_or(admin_option) as admin from pg_auth_members "
          "group by 1, 2) m join pg_roles r on r.oid = m.member join pg_roles g on g.oid = "
          "m.roleid, lateral (values ('admin', m.admin::text), ('inherit', "
          "r.rolinherit::text), ('set', 'true')) a(what, text) where r.rolname !~ '^pg_'" },
        { 16, 0,
          "select format('member %I of %I', r.rolname, g.rolname), '" GRANTED_BY
          "', string_agg(case m.grantor when 10 "
          "then 'the first superuser' else pg_get_userbyid(m.grantor) end, ', ' order by "
          "m.grantor <> 10, pg_get_userbyid(m.grantor)) from pg_auth_members m join "
          "pg_roles r on r.oid = m.member join pg_roles g on g.oid = m.roleid where "
          "r.rolname !~ '^pg_' group by 1",
          .to_since = 16 },
        { 16, 0,
          "select format('member %I of %I', r.rolname, g.rolname), a.what, a.text from "
          "(select roleid, member, bool_or(admin_option) as admin, bool_or(inherit_option) "
          "as inherit, bool_or(set_option) as set from pg_auth_members group by 1, 2) m "
          "join pg_roles r on r.oid = m.member join pg_roles g on g.oid = m.roleid, lateral "
          "(values ('admin', m.admin::text), ('inherit', m.inherit::text), ('set', "
          "m.set::text)) a(what, text) where r.rolname !~ '^pg_'" },
        { 0, 0,
          "select coalesce('role ' || quote_ident(r.rolname), 'every role'), '', " HASH(
                  VALUE("c")) ", c from "
                              "pg_db_role_setting s left join pg_roles r on r.oid = s.setrole, "
                              "unnest(s.setconfig) c where s.setdatabase = 0",
          true },
        { 0, 0,
          "select 'database ' || quote_ident(d.datname), coalesce(' for role ' || "
          "quote_ident(r.rolname), ''), " HASH(
                  VALUE("c")) ", c from pg_db_role_setting s join pg_database d on d.oid = "
                              "s.setdatabase left join "
                              "pg_roles r on r.oid = s.setrole, unnest(s.setconfig) c",
          true },
        { 0, 0,
          "select 'database ' || quote_ident(d.datname), a.what, a.text from pg_database d, "
          "lateral (values ('owner', pg_get_userbyid(datdba)::text), ('encoding', "
          "pg_encoding_to_char(encoding)::text), ('collate', datcollate::text), ('ctype', "
          "datctype::text), ('connlimit', datconnlimit::text), ('template', "
          "datistemplate::text), ('connectable', datallowconn::text), ('comment', "
          "shobj_description(d.oid, 'pg_database')), ('acl', (select string_agg(x.line, ', ' "
          "order by x.line) from (select case e.grantee when 0 then 'public' else "
          "quote_ident(pg_get_userbyid(e.grantee)) end || ' ' || e.privilege_type || case "
          "when e.is_grantable then ' with grant option' else '' end as line from "
          "aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) e) x))) a(what, text)" },
        { 15, 0,
          "select 'parameter ' || p.parname, 'acl', (select string_agg(x.line, ', ' order "
          "by x.line) from (select case e.grantee when 0 then 'public' else "
          "quote_ident(pg_get_userbyid(e.grantee)) end || ' ' || e.privilege_type || case "
          "when e.is_grantable then ' with grant option' else '' end as line from "
          "aclexplode(p.paracl) e where e.grantee <> 10) x) from pg_parameter_acl p" },
};

static void add_line(json_t *lines, const char *object, const char *what, const char *text)
{
        AUTO_FREE char *name = text_clean_str(object);
        AUTO_FREE char *aspect = text_clean_str(what);
        if (!jx_get(lines, name))
                jx_set(lines, name, json_object());
        jx_set_str(jx_get(lines, name), aspect, text);
}

/* What the other major does not take goes nowhere, and is no difference; what it calls otherwise is
 * the same. */
static void add_setting(json_t *lines, const PgRes *r, int i, int to)
{
        const char *entry = pg_cell(r, i, 3), *equals = strchr(entry, '=');
        AUTO_FREE char *name = xstrndup(entry, strcspn(entry, "="));
        SettingFate f = setting_fate_own(name, equals ? equals + 1 : NULL, to);
        AUTO_FREE char *what = xasprintf("set %s%s", f.now ? f.now : name, pg_cell(r, i, 1));
        if (f.verdict != SETTING_LEFT_OUT)
                add_line(lines, pg_cell(r, i, 0), what, pg_cell(r, i, 2));
}

static bool add_part(Pg *pg, const Part *part, int to, json_t *lines, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_SQL q = { 0 };
        if (to < part->to_since || pg_major(pg) < part->since ||
            (part->before && pg_major(pg) >= part->before))
                return true;
        sql_add_literal_(&q, part->sql);
        if (!pg_query(pg, &q, &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                if (part->settings)
                        add_setting(lines, r, i, to);
                else if (pg_cell(r, i, 2))
                        add_line(lines, pg_cell(r, i, 0), pg_cell(r, i, 1), pg_cell(r, i, 2));
        return true;
}

/* As the server quotes it, and as the lines have it. */
static bool object_of(Pg *pg, const char *database, char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *raw = NULL;
        sql_add(&q, "select 'database ' || quote_ident(");
        sql_value(&q, database);
        sql_add(&q, ")");
        if (!pg_query_value(pg, &q, &raw, err))
                return false;
        *ret = text_clean_str(raw);
        return true;
}

static bool keep_databases(Pg *pg, const json_t *databases, json_t *lines, Err *err)
{
        AUTO_JSON kept = json_object();
        size_t i;
        json_t *v;
        const char *object;
        void *next;
        json_array_foreach(databases, i, v) {
                AUTO_FREE char *name = NULL;
                if (!object_of(pg, json_string_value(v), &name, err))
                        return false;
                jx_set_bool(kept, name, true);
        }
        json_object_foreach_safe(lines, next, object,
                                 v) if (str_starts(object, "database ") && !jx_get(kept, object))
                json_object_del(lines, object);
        return true;
}

bool pg_server_lines(Pg *pg, const json_t *databases, int to, json_t **ret, Err *err)
{
        AUTO_JSON lines = json_object();
        json_t *server = NULL;
        if (!pg_server_settings_lines(pg, to, &server, err))
                return false;
        jx_set(lines, "server", server);
        for (size_t i = 0; i < LEN(parts); i++)
                if (!add_part(pg, &parts[i], to ? to : pg_major(pg), lines, err))
                        return err_wrap(err, "reading what the server holds");
        if (!keep_databases(pg, databases, lines, err))
                return false;
        *ret = json_incref(lines);
        return true;
}

/* ---- comparing ---- */

typedef struct Compare {
        const json_t *rules;
        json_t *list, *excused;
} Compare;

static void differs(Compare *c, const char *object, const char *what, const char *source,
                    const char *target)
{
        AUTO_FREE char *key = xasprintf("%s\n%s", object, what);
        const char *rule = jx_str(c->rules, key, NULL);
        if (rule) {
                jx_set_int(c->excused, rule, jx_int(c->excused, rule, 0) + 1);
                return;
        }
        json_t *d = json_object();
        jx_set_str(d, "object", object);
        jx_set_str(d, "what", what);
        jx_set_str(d, "source", source);
        jx_set_str(d, "target", target);
        json_array_append_new(c->list, d);
}

/* Before 16 who granted a membership meant nothing, and is not told. */
static void compare_object(Compare *c, const char *object, const json_t *a, const json_t *b)
{
        const char *what;
        json_t *v;
        if (!a || !b) {
                differs(c, object, "existence", a ? "there" : "not there",
                        b ? "there" : "not there");
                return;
        }
        json_object_foreach((json_t *)(uintptr_t)a, what, v)
                if (!json_equal(v, jx_get(b, what)))
                        differs(c, object, what, json_string_value(v), jx_str(b, what, NULL));
        json_object_foreach((json_t *)(uintptr_t)b, what, v)
                if (!jx_get(a, what) && !str_eq(object, "server") && !str_eq(what, GRANTED_BY))
                        differs(c, object, what, NULL, json_string_value(v));
}

json_t *pg_server_differences(const json_t *source, const json_t *target, const json_t *rules,
                              json_t **ret_rules)
{
        Compare c = { .rules = rules, .list = json_array(), .excused = json_object() };
        const char *object;
        json_t *v;
        json_object_foreach((json_t *)(uintptr_t)source, object, v)
                compare_object(&c, object, v, jx_get(target, object));
        json_object_foreach((json_t *)(uintptr_t)target, object, v)
                if (!jx_get(source, object))
                        compare_object(&c, object, NULL, v);
        *ret_rules = c.excused;
        return c.list;
}
