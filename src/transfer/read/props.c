/* props.c: what pg_dump without -C leaves behind: the database itself.
 *
 * Encoding, locale and owner are given when it is made; its grants, settings (also of roles in
 * it), comment and connection limit when it is whole. */
#include "transfer/read/props.h"

#include "base/majors.h"
#include "pg/roles.h"
#include "transfer/read/opclasses.h"

/* The words of a 15 and later locale; older servers have only libc. */
static void locale_columns(Sql *q, int major)
{
        if (major >= 17)
                sql_add(q, ", 'provider', d.datlocprovider, 'locale', d.datlocale, "
                           "'icu_rules', d.daticurules");
        else if (major == 16)
                sql_add(q, ", 'provider', d.datlocprovider, 'locale', d.daticulocale, "
                           "'icu_rules', d.daticurules");
        else if (major == 15)
                sql_add(q, ", 'provider', d.datlocprovider, 'locale', d.daticulocale");
        else
                sql_add(q, ", 'provider', 'c'");
}

bool props_read(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *text = NULL;
        sql_add(&q, "select json_build_object('name', d.datname, 'encoding', "
                    "pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', "
                    "d.datctype, 'owner', pg_get_userbyid(d.datdba), 'connlimit', d.datconnlimit, "
                    "'template', d.datistemplate, 'tablespace', (select s.spcname from "
                    "pg_tablespace s where s.oid = d.dattablespace and s.spcname <> 'pg_default'), "
                    "'comment', shobj_description(d.oid, 'pg_database'), 'own_acl', d.datacl is "
                    "not null, 'acl', (select coalesce(json_agg(json_build_object('grantee', case "
                    "x.grantee when 0 then null else pg_get_userbyid(x.grantee) end, 'privilege', "
                    "x.privilege_type, 'grantable', x.is_grantable, 'by', case when x.grantor <> "
                    "d.datdba then pg_get_userbyid(x.grantor) end) order by x.grantor <> d.datdba, "
                    "n), '[]') from aclexplode(d.datacl) with ordinality x(grantor, grantee, "
                    "privilege_type, is_grantable, n)), 'settings', (select "
                    "coalesce(json_agg(json_build_object('role', r.rolname, 'set', c.v) order by "
                    "r.rolname nulls first, c.n), '[]') from pg_db_role_setting s left join "
                    "pg_roles r on r.oid = s.setrole, unnest(s.setconfig) with ordinality c(v, n) "
                    "where s.setdatabase = d.oid), 'lacks', (select coalesce(json_agg(l.what), "
                    "'[]') from (select 'EXTENSION plpgsql' as what where not exists (select from "
                    "pg_language where lanname = 'plpgsql') union all select 'SCHEMA public' where "
                    "not exists (select from pg_namespace where nspname = 'public')) l)");
        locale_columns(&q, pg_major(pg));
        sql_add(&q, ") from pg_database d where d.datname = current_database()");
        if (!pg_query_value(pg, &q, &text, err))
                return err_wrap(err, "reading the database's own settings");
        AUTO_JSON props = jx_parse(text, strlen(text), err);
        json_t *opclasses = NULL;
        if (!props || !opclasses_read(pg, &opclasses, err))
                return false;
        jx_set(props, "opclasses", opclasses);
        *ret = json_incref(props);
        return true;
}

void props_create_sql(const json_t *props, const char *name, int target_major, Sql *q)
{
        const char *provider = jx_str(props, "provider", "c");
        const char *locale = jx_str(props, "locale", NULL),
                   *rules = jx_str(props, "icu_rules", NULL);
        sql_add(q, "CREATE DATABASE ");
        sql_ident(q, name);
        sql_add(q, " TEMPLATE template0 ENCODING ");
        sql_value(q, jx_str(props, "encoding", "UTF8"));
        sql_add(q, " LC_COLLATE ");
        sql_value(q, jx_str(props, "collate", "C"));
        sql_add(q, " LC_CTYPE ");
        sql_value(q, jx_str(props, "ctype", "C"));
        if (target_major >= 15 && str_eq(provider, "i") && locale) {
                sql_add(q, " LOCALE_PROVIDER icu ICU_LOCALE ");
                sql_value(q, locale);
                if (rules && target_major >= 16) {
                        sql_add(q, " ICU_RULES ");
                        sql_value(q, rules);
                }
        } else if (target_major >= 17 && str_eq(provider, "b") && locale) {
                sql_add(q, " LOCALE_PROVIDER builtin BUILTIN_LOCALE ");
                sql_value(q, locale);
        } else if (target_major >= 15) {
                sql_add(q, " LOCALE_PROVIDER libc");
        }
        sql_add(q, " OWNER ");
        sql_ident(q, jx_str(props, "owner", "postgres"));
}

typedef bool (*Each)(void *arg, const char *what, const Sql *q, Err *err);

static void database_name(Sql *q, const char *name)
{
        if (name)
                sql_ident(q, name);
        else
                sql_add(q, ":\"DBNAME\""); /* psql's variable: the database it is in */
}

static void privilege(Sql *q, const char *word)
{
        if (str_eq(word, "CREATE"))
                sql_add(q, "CREATE");
        else if (str_eq(word, "CONNECT"))
                sql_add(q, "CONNECT");
        else
                sql_add(q, "TEMPORARY");
}

static void grantee(Sql *q, const char *role)
{
        if (role)
                sql_ident(q, role);
        else
                sql_add(q, "PUBLIC");
}

/* As pg_dump has it: who passed a grant on is who passes it on. NULL: the owner, whoever runs
 * it. */
static bool granted_by(const char *by, const char *what, const Sql *q, Each each, void *arg,
                       Err *err)
{
        AUTO_SQL become = { 0 }, again = { 0 };
        if (!by)
                return each(arg, what, q, err);
        sql_add(&become, "SET SESSION AUTHORIZATION ");
        sql_ident(&become, by);
        sql_add(&again, "RESET SESSION AUTHORIZATION");
        return each(arg, what, &become, err) && each(arg, what, q, err) &&
               each(arg, what, &again, err);
}

static bool props_grants(const json_t *props, const char *name, Each each, void *arg, Err *err)
{
        if (!jx_bool(props, "own_acl", false))
                return true;
        AUTO_SQL clean = { 0 };
        sql_add(&clean, "REVOKE ALL ON DATABASE ");
        database_name(&clean, name);
        sql_add(&clean, " FROM PUBLIC, ");
        sql_ident(&clean, jx_str(props, "owner", "postgres"));
        if (!each(arg, "REVOKE on the database", &clean, err))
                return false;
        size_t i;
        json_t *g;
        json_array_foreach(jx_get(props, "acl"), i, g) {
                const char *role = jx_str(g, "grantee", NULL), *word = jx_str(g, "privilege", "");
                AUTO_SQL q = { 0 };
                sql_add(&q, "GRANT ");
                privilege(&q, word);
                sql_add(&q, " ON DATABASE ");
                database_name(&q, name);
                sql_add(&q, " TO ");
                grantee(&q, role);
                if (jx_bool(g, "grantable", false))
                        sql_add(&q, " WITH GRANT OPTION");
                AUTO_FREE char *what =
                        xasprintf("GRANT %s on the database to %s", word, role ? role : "PUBLIC");
                if (!granted_by(jx_str(g, "by", NULL), what, &q, each, arg, err))
                        return false;
        }
        return true;
}

bool props_settings(const json_t *props, const char *name, Each each, void *arg, Err *err)
{
        size_t i;
        json_t *s;
        json_array_foreach(jx_get(props, "settings"), i, s) {
                const char *text = jx_str(s, "set", ""), *role = jx_str(s, "role", NULL);
                size_t n = strcspn(text, "=");
                if (!text[n])
                        continue;
                AUTO_FREE char *param = xstrndup(text, n);
                AUTO_SQL first = { 0 }, q = { 0 };
                if (role) {
                        sql_add(&q, "ALTER ROLE ");
                        sql_ident(&q, role);
                        sql_add(&q, " IN DATABASE ");
                } else {
                        sql_add(&q, "ALTER DATABASE ");
                }
                database_name(&q, name);
                pg_setting_sql(&first, &q, text, 0);
                AUTO_FREE char *what =
                        xasprintf("ALTER %s SET %s", role ? "ROLE in DATABASE" : "DATABASE", param);
                if ((first.n && !each(arg, what, &first, err)) || !each(arg, what, &q, err))
                        return false;
        }
        return true;
}

json_t *props_on(const json_t *props, int major, json_t *left_out)
{
        json_t *all = json_deep_copy(props), *kept = json_array(), *s;
        size_t i;
        json_array_foreach(jx_get(props, "settings"), i, s) {
                const char *text = jx_str(s, "set", ""), *role = jx_str(s, "role", NULL);
                size_t n = strcspn(text, "=");
                AUTO_FREE char *param = xstrndup(text, n);
                SettingFate f = setting_fate_own(param, text[n] ? text + n + 1 : NULL, major);
                json_t *there = json_deep_copy(s);
                AUTO_FREE char *renamed = xasprintf("%s%s", f.now ? f.now : param, text + n);
                jx_set_str(there, "set", renamed);
                if (f.verdict != SETTING_LEFT_OUT)
                        json_array_append(kept, there);
                if (f.verdict != SETTING_SAME) {
                        AUTO_FREE char *object = xasprintf(
                                "ALTER %s SET %s", role ? "ROLE in DATABASE" : "DATABASE", param);
                        AUTO_FREE char *how =
                                f.now ? xasprintf("it is called %s there: %s", f.now, f.why)
                                      : xasprintf("left out, PostgreSQL %d does not take it: %s",
                                                  major, f.why);
                        json_array_append_new(left_out,
                                              json_pack("{s:s, s:s, s:s?}", "object", object, "how",
                                                        how, "role", role));
                }
                json_decref(there);
        }
        jx_set(all, "settings", kept);
        return all;
}

bool props_lacking(const json_t *props, Each each, void *arg, Err *err)
{
        static const char *const known[] = { "EXTENSION plpgsql", "SCHEMA public" };
        size_t i;
        json_t *what;
        json_array_foreach(jx_get(props, "lacks"), i, what)
                for (size_t k = 0; k < LEN(known); k++)
                        if (str_eq(json_string_value(what), known[k])) {
                                AUTO_SQL q = { 0 };
                                AUTO_FREE char *words = xasprintf("DROP %s", known[k]);
                                sql_add(&q, "DROP ");
                                sql_rendered(&q, known[k]);
                                if (!each(arg, words, &q, err))
                                        return false;
                        }
        return true;
}

bool props_each(const json_t *props, const char *name, Each each, void *arg, Err *err)
{
        /* Without a name they are for a file, which is run in the database. */
        if ((!name && !props_lacking(props, each, arg, err)) ||
            !props_grants(props, name, each, arg, err) ||
            !props_settings(props, name, each, arg, err))
                return false;
        AUTO_SQL limit = { 0 };
        sql_add(&limit, "ALTER DATABASE ");
        database_name(&limit, name);
        sql_add(&limit, " CONNECTION LIMIT ");
        sql_int(&limit, jx_int(props, "connlimit", -1));
        AUTO_SQL comment = { 0 };
        sql_add(&comment, "COMMENT ON DATABASE ");
        database_name(&comment, name);
        sql_add(&comment, " IS ");
        sql_value(&comment, jx_str(props, "comment", NULL));
        return each(arg, "ALTER DATABASE CONNECTION LIMIT", &limit, err) &&
               each(arg, "COMMENT ON DATABASE", &comment, err);
}
