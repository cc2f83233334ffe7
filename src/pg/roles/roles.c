#include "pg/roles.h"

#include "base/buf.h"
#include "pg/facts.h"

bool pg_roles_needed(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        /* The bootstrap superuser is pinned: pg_shdepend does not know what it owns, so owners
         * are looked up as well. */
        sql_add(&q,
                "with recursive db as (select oid, datdba from pg_database where datname = "
                "current_database()), direct as (select s.refobjid as oid from pg_shdepend s, db "
                "where s.refclassid = 'pg_authid'::regclass and s.deptype <> 'p' and (s.dbid = "
                "db.oid or s.dbid = 0 and s.classid = 'pg_database'::regclass and s.objid = "
                "db.oid) union select datdba from db union select setrole from pg_db_role_setting "
                "s, db where s.setdatabase = db.oid and s.setrole <> 0 union select relowner from "
                "pg_class where oid >= 16384 union select proowner from pg_proc where oid >= 16384 "
                "union select nspowner from pg_namespace where oid >= 16384 union select typowner "
                "from pg_type where oid >= 16384 union select lomowner from "
                "pg_largeobject_metadata), down as (select oid from direct union select m.member "
                "from pg_auth_members m join down d on m.roleid = d.oid join pg_roles g on g.oid "
                "= m.roleid where g.rolname !~ '^pg_'), up as (select oid from down union select "
                "m.roleid from pg_auth_members m join up u on m.member = u.oid) select "
                "to_json(r.rolname) from pg_roles r join up on up.oid = r.oid where r.rolname !~ "
                "'^pg_' order by r.rolname");
        return pg_json_rows(pg, &q, ret, err) || err_wrap(err, "finding the roles it needs");
}

bool pg_role_describe(Pg *pg, const char *name, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q,
                "select json_build_object('name', r.rolname, 'login', r.rolcanlogin, "
                "'superuser', r.rolsuper, 'createdb', r.rolcreatedb, 'createrole', "
                "r.rolcreaterole, 'inherit', r.rolinherit, 'replication', r.rolreplication, "
                "'bypassrls', r.rolbypassrls, 'connlimit', r.rolconnlimit, 'valid_until', "
                "r.rolvaliduntil, 'comment', shobj_description(r.oid, 'pg_authid'), 'settings', "
                "coalesce((select to_json(s.setconfig) from pg_db_role_setting s where s.setrole "
                "= r.oid and s.setdatabase = 0), '[]'), 'member_of', coalesce((select json_agg("
                "m.one order by m.role) from (select g.rolname as role, json_build_object('role', "
                "g.rolname, 'admin', bool_or(m.admin_option)");
        /* From 16 on one membership may stand there several times, by its grantors: what any of
         * them allows is allowed. */
        if (pg_major(pg) >= 16)
                sql_add(&q, ", 'inherit', bool_or(m.inherit_option), 'set', bool_or(m.set_option), "
                            "'grants', json_agg(json_build_object('by', case when m.grantor <> 10 "
                            "then pg_get_userbyid(m.grantor) end, 'admin', m.admin_option, "
                            "'inherit', m.inherit_option, 'set', m.set_option) order by m.grantor "
                            "<> 10, pg_get_userbyid(m.grantor))");
        sql_add(&q, ") as one from pg_auth_members m join pg_roles g on g.oid = m.roleid where "
                    "m.member = r.oid group by g.rolname) m), '[]')) from pg_roles r where "
                    "r.rolname = ");
        sql_value(&q, name);
        return pg_json_value(pg, &q, ret, err) || err_wrap(err, "describing role %s", name);
}

bool pg_role_exists(Pg *pg, const char *name, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select from pg_roles where rolname = ");
        sql_value(&q, name);
        if (!pg_query(pg, &q, &r, err))
                return err_wrap(err, "looking for role %s", name);
        *ret = pg_rows(r) > 0;
        return true;
}

bool pg_role_verifier(Pg *pg, const char *name, Secret **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *label = xasprintf("verifier of %s", name);
        sql_add(&q, "select rolpassword from pg_authid where rolname = ");
        sql_value(&q, name);
        return pg_query_secret(pg, &q, label, ret, err) ||
               err_wrap(err, "reading the verifier of role %s", name);
}

void pg_role_create_sql(const RoleSpec *r, const Secret *verifier, Sql *q)
{
        sql_add(q, "create role ");
        sql_ident(q, r->name);
        sql_add_literal_(q, r->login ? " login" : " nologin");
        if (r->superuser)
                sql_add(q, " superuser");
        if (r->createdb)
                sql_add(q, " createdb");
        if (r->createrole)
                sql_add(q, " createrole");
        if (r->replication)
                sql_add(q, " replication");
        if (r->bypassrls)
                sql_add(q, " bypassrls");
        if (r->noinherit)
                sql_add(q, " noinherit");
        if (r->connlimit >= 0) {
                sql_add(q, " connection limit ");
                sql_int(q, r->connlimit);
        }
        if (r->valid_until && *r->valid_until) {
                sql_add(q, " valid until ");
                sql_value(q, r->valid_until);
        }
        if (verifier) {
                sql_add(q, " password ");
                sql_secret(q, verifier);
        }
}

static void attribute(Sql *q, const json_t *role, const char *key, const char *yes, const char *no)
{
        sql_add_literal_(q, jx_bool(role, key, false) ? yes : no);
}

bool pg_role_alter(Pg *pg, const json_t *role, Err *err)
{
        const char *name = jx_str(role, "name", "");
        AUTO_SQL alter = { 0 }, reset = { 0 }, comment = { 0 };
        sql_add(&alter, "alter role ");
        sql_ident(&alter, name);
        attribute(&alter, role, "login", " login", " nologin");
        attribute(&alter, role, "superuser", " superuser", " nosuperuser");
        attribute(&alter, role, "createdb", " createdb", " nocreatedb");
        attribute(&alter, role, "createrole", " createrole", " nocreaterole");
        attribute(&alter, role, "inherit", " inherit", " noinherit");
        attribute(&alter, role, "replication", " replication", " noreplication");
        attribute(&alter, role, "bypassrls", " bypassrls", " nobypassrls");
        sql_add(&alter, " connection limit ");
        sql_int(&alter, jx_int(role, "connlimit", -1));
        if (jx_str(role, "valid_until", NULL)) {
                sql_add(&alter, " valid until ");
                sql_value(&alter, jx_str(role, "valid_until", NULL));
        }
        sql_add(&reset, "alter role ");
        sql_ident(&reset, name);
        sql_add(&reset, " reset all");
        sql_add(&comment, "comment on role ");
        sql_ident(&comment, name);
        sql_add(&comment, " is ");
        sql_value(&comment, jx_str(role, "comment", NULL));
        return (pg_exec(pg, &alter, err) && pg_exec(pg, &reset, err) &&
                pg_exec(pg, &comment, err)) ||
               err_wrap(err, "altering role %s", name);
}

bool pg_role_create(Pg *pg, const RoleSpec *r, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_SECRET made = NULL;
        if (r->password && !pg_scram_verifier(pg, r->name, r->password, &made, err))
                return false;
        pg_role_create_sql(r, r->verifier ? r->verifier : made, &q);
        return pg_exec(pg, &q, err) || err_wrap(err, "creating role %s", r->name);
}

bool pg_role_set_password(Pg *pg, const char *name, const Secret *password, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_SECRET verifier = NULL;
        if (!pg_scram_verifier(pg, name, password, &verifier, err))
                return false;
        sql_add(&q, "alter role ");
        sql_ident(&q, name);
        sql_add(&q, " password ");
        sql_secret(&q, verifier);
        return pg_exec(pg, &q, err) || err_wrap(err, "setting the password of role %s", name);
}

/* ---- settings ---- */

/* One element of a quoted list of names, as it was before it was quoted. */
static const char *next_element(const char *p, Buf *element)
{
        while (*p == ' ' || *p == ',')
                p++;
        if (*p != '"') {
                while (*p && *p != ',')
                        buf_addc(element, *p++);
                while (element->len && element->data[element->len - 1] == ' ')
                        element->data[--element->len] = '\0';
                return p;
        }
        for (p++; *p && !(*p == '"' && p[1] != '"'); p++) {
                if (*p == '"')
                        p++;
                buf_addc(element, *p);
        }
        return *p ? p + 1 : p;
}

/* A dotted name is two identifiers to the parser: "a.b" in one pair of quotes is not. */
void pg_setting_name_sql(Sql *q, const char *name)
{
        AUTO_FREE char *copy = xstrdup(name);
        for (char *part = copy, *dot; part; part = dot ? dot + 1 : NULL) {
                if ((dot = strchr(part, '.')))
                        *dot = '\0';
                sql_ident(q, part);
                if (dot) {
                        sql_add(q, ".");
                }
        }
}

static void empty_list(Sql *first, Sql *q, const char *name, int major)
{
        if (major >= 19) {
                sql_add(q, " to null");
                return;
        }
        sql_add(first, "select pg_catalog.set_config(");
        sql_value(first, name);
        sql_add(first, ", '', false)");
        sql_add(q, " from current");
}

void pg_setting_sql(Sql *first, Sql *q, const char *entry, int major)
{
        static const char *const lists[] = {
                "local_preload_libraries",  "search_path",      "session_preload_libraries",
                "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"
        };
        const char *eq = strchr(entry, '=');
        AUTO_FREE char *name = xstrndup(entry, eq ? (size_t)(eq - entry) : strlen(entry));
        const char *value = eq ? eq + 1 : "";
        sql_add(q, " set ");
        pg_setting_name_sql(q, name);
        bool list = false;
        for (size_t i = 0; i < LEN(lists); i++)
                list = list || str_eq(name, lists[i]);
        if (list && !*value) {
                empty_list(first, q, name, major);
                return;
        }
        sql_add(q, " to ");
        if (!list) {
                sql_value(q, value);
                return;
        }
        for (int i = 0; *value; i++) {
                AUTO_BUF element = buf_init(strlen(value) + 1);
                value = next_element(value, &element);
                if (i)
                        sql_add(q, ", ");
                sql_value(q, buf_str(&element));
                while (*value == ' ')
                        value++;
        }
}
