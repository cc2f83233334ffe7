#include "pg/server.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/text.h"
#include "pg/database.h"
#include "pg/facts.h"
#include "pg/server_settings.h"

#define KEY_MAX 40 /* bytes of a key: it is a part of ids and file names */

typedef struct Look {
        Pg *pg;
        const ServerOptions *o;
        json_t *out;
} Look;

static void tell(Look *l, const char *list, const char *fmt, ...) PRINTF(3, 4);

static void tell(Look *l, const char *list, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *raw = xvasprintf(fmt, ap);
        va_end(ap);
        AUTO_FREE char *text = text_clean_str(raw);
        jx_append_str(jx_get(l->out, list), text);
}

static bool among(const json_t *names, const char *name)
{
        size_t i;
        json_t *v;
        json_array_foreach(names, i, v)
                if (str_eq(json_string_value(v), name))
                        return true;
        return false;
}

static bool general(Look *l, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_JSON facts = NULL;
        sql_add(&q, "select json_build_object('system', case when "
                    "has_function_privilege('pg_control_system()', 'execute') then (select "
                    "system_identifier::text from pg_control_system()) end, 'version', "
                    "split_part(current_setting('server_version'), ' ', 1), 'major', "
                    "current_setting('server_version_num')::int / 10000, 'encoding', "
                    "pg_encoding_to_char(d.encoding), 'locale', d.datcollate, 'data_directory', "
                    "current_setting('data_directory'), 'size', (select sum(pg_database_size(oid)) "
                    "from pg_database where datconnlimit <> -2), 'superuser', (select rolsuper "
                    "from pg_roles where rolname = current_user), 'recovery', pg_is_in_recovery(), "
                    "'bootstrap', pg_get_userbyid(10), 'roles', (select json_agg(rolname order by "
                    "rolname) from pg_roles where rolname !~ '^pg_'), 'tablespaces', (select "
                    "coalesce(json_agg(spcname order by spcname), '[]') from pg_tablespace where "
                    "spcname !~ '^pg_'), 'slots', (select coalesce(json_agg(slot_name order by "
                    "slot_name), '[]') from pg_replication_slots where not temporary)) from "
                    "pg_database d where d.datname = 'template0'");
        if (!pg_json_value(l->pg, &q, &facts, err))
                return err_wrap(err, "looking at the server");
        json_object_update(l->out, facts);
        return true;
}

static bool md5_roles(Look *l, Err *err)
{
        AUTO_SQL q = { 0 };
        json_t *list = NULL;
        sql_add(&q, "select to_json(rolname) from pg_authid where rolcanlogin and rolpassword like "
                    "'md5%' order by rolname");
        if (!pg_json_rows(l->pg, &q, &list, err))
                return err_wrap(err, "looking for md5 passwords");
        jx_set(l->out, "md5_roles", list);
        return true;
}

/* ---- databases ---- */

/* Letters an id may have, each key once: "a.b" and "a b" are "a_b" and "a_b_2". */
static char *key_of(const char *name, json_t *seen)
{
        AUTO_FREE char *key = xstrdup(name);
        if (strlen(key) > KEY_MAX)
                key[KEY_MAX] = '\0';
        for (char *c = key; *c; c++)
                if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
                        *c = '_';
        char *mine = xstrdup(*key ? key : "_");
        for (int n = 2; jx_get(seen, mine); n++) {
                free(mine);
                mine = xasprintf("%s_%d", key, n);
        }
        jx_set_bool(seen, mine, true);
        return mine;
}

/* What an initdb does not make, beside relations, functions and types. */
static bool has_rare_objects(Pg *in, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *yes = NULL;
        sql_add(&q, "select exists (select from pg_namespace where oid >= 16384 and nspname !~ "
                    "'^pg_') or exists (select from pg_extension where oid >= 16384) or exists "
                    "(select from pg_publication) or exists (select from pg_event_trigger) or "
                    "exists (select from pg_foreign_data_wrapper) or exists (select from "
                    "pg_default_acl) or exists (select from pg_cast where oid >= 16384) or exists "
                    "(select from pg_language where oid >= 16384) or exists (select from "
                    "pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = "
                    "current_database()) or exists (select from pg_namespace n join pg_init_privs "
                    "i on i.objoid = n.oid and i.classoid = 'pg_namespace'::regclass where "
                    "n.nspacl::text is distinct from i.initprivs::text)");
        if (!pg_query_value(in, &q, &yes, err))
                return false;
        *ret = str_eq(yes, "t");
        return true;
}

/* Has somebody used or changed a database that every server has? */
static bool touched(Look *l, const json_t *d, bool *ret, Err *err)
{
        const char *name = jx_str(d, "name", "");
        AUTO_PG Pg *in = NULL;
        bool empty = false, rare = false;
        *ret = jx_bool(d, "changed", false);
        if (*ret || !jx_bool(d, "connectable", false))
                return true;
        if (!pg_database_is_empty(l->pg, name, &empty, NULL, err) ||
            !pg_reopen_beside(l->pg, name, &in, err) || !has_rare_objects(in, &rare, err))
                return err_wrap(err, "looking into database %s", name);
        *ret = !empty || rare;
        return true;
}

/* What keeps it from being carried; said, true. */
static bool cannot_go(Look *l, const json_t *d)
{
        const char *name = jx_str(d, "name", "");
        AUTO_FREE char *clean = text_clean_str(name);
        if (!str_eq(clean, name)) /* the journal escapes them: after a crash nobody would find it */
                tell(l, "refused",
                     "database %s has control characters in its name: ALTER DATABASE .. RENAME TO "
                     "another one",
                     name);
        else if (jx_int(d, "connlimit", -1) == -2)
                tell(l, "refused",
                     "database %s is half dropped: nothing can read it. DROP DATABASE it, or "
                     "leave it out by naming the others",
                     name);
        else if (!jx_bool(d, "connectable", false))
                tell(l, "refused",
                     "database %s lets nobody in. ALTER DATABASE .. ALLOW_CONNECTIONS true, or "
                     "leave it out by naming the others",
                     name);
        else
                return false;
        return true;
}

static void carry(Look *l, const json_t *d, json_t *keys)
{
        json_t *one = json_object();
        AUTO_FREE char *key = key_of(jx_str(d, "name", ""), keys);
        jx_set_str(one, "name", jx_str(d, "name", ""));
        jx_set_str(one, "key", key);
        jx_set_int(one, "size", jx_int(d, "size", 0));
        jx_set_str(one, "owner", jx_str(d, "owner", ""));
        jx_set_bool(one, "template", jx_bool(d, "template", false));
        json_array_append_new(jx_get(l->out, "databases"), one);
        if (jx_get(d, "tablespace") && !json_is_null(jx_get(d, "tablespace")))
                tell(l, "notes", "database %s is in tablespace %s: it arrives in the default one",
                     jx_str(d, "name", ""), jx_str(d, "tablespace", ""));
}

static bool sort_out(Look *l, const json_t *d, json_t *keys, Err *err)
{
        const char *name = jx_str(d, "name", "");
        const json_t *wanted = l->o->databases;
        bool own = str_eq(name, "postgres") || str_eq(name, "template1"), used = true;
        bool asked = json_array_size(wanted) ? among(wanted, name) : true;
        if (own && !touched(l, d, &used, err))
                return false;
        if (str_eq(name, "template1")) {
                if (used)
                        tell(l, "notes",
                             "template1 was changed: what is in it does not go along, and new "
                             "databases of the new server will not have it");
                return true;
        }
        bool always =
                str_eq(name, l->o->always) || (json_array_size(wanted) && among(wanted, name));
        if (!used && !always)
                return true;
        if (asked || str_eq(name, l->o->always)) {
                if (!cannot_go(l, d))
                        carry(l, d, keys);
                return true;
        }
        json_t *one = json_object();
        jx_set_str(one, "name", name);
        jx_set_int(one, "size", jx_int(d, "size", 0));
        json_array_append_new(jx_get(l->out, "left_out"), one);
        return true;
}

static bool databases(Look *l, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_JSON all = NULL;
        AUTO_JSON keys = json_object();
        AUTO_JSON there = json_array();
        size_t i;
        json_t *d;
        sql_add(&q, "select json_build_object('name', d.datname, 'owner', "
                    "pg_get_userbyid(d.datdba), 'size', case when d.datconnlimit = -2 then 0 else "
                    "pg_database_size(d.oid) end, 'template', d.datistemplate, 'connectable', "
                    "d.datallowconn, 'connlimit', d.datconnlimit, 'tablespace', (select spcname "
                    "from pg_tablespace t where t.oid = d.dattablespace and spcname <> "
                    "'pg_default'), 'changed', d.datdba <> 10 or d.datconnlimit <> -1 or exists "
                    "(select from pg_db_role_setting s where s.setdatabase = d.oid) or (d.datname "
                    "= 'postgres' and (d.datacl is not null or d.datistemplate or "
                    "shobj_description(d.oid, 'pg_database') is distinct from 'default "
                    "administrative connection database')) or exists (select from pg_database o "
                    "where o.datname = 'template0' and (o.datcollate, o.datctype, o.encoding) is "
                    "distinct from (d.datcollate, d.datctype, d.encoding))) from pg_database d "
                    "where d.datname <> 'template0' order by d.datname collate \"C\"");
        if (!pg_json_rows(l->pg, &q, &all, err))
                return err_wrap(err, "listing the databases");
        json_array_foreach(all, i, d) {
                json_array_append(there, jx_get(d, "name"));
                if (!sort_out(l, d, keys, err))
                        return false;
        }
        json_array_foreach(l->o->databases, i, d)
                if (!among(there, json_string_value(d)))
                        tell(l, "refused", "there is no database %s on this server",
                             json_string_value(d));
        return true;
}

/* ---- what is said of the rest ---- */

static void remarks(Look *l)
{
        size_t i;
        json_t *v;
        if (!jx_bool(l->out, "superuser", false))
                tell(l, "refused",
                     "only a superuser sees the roles' passwords and all settings: give one");
        if (jx_bool(l->out, "recovery", false))
                tell(l, "refused",
                     "this server is a standby: move the primary, and make the standby anew");
        json_array_foreach(jx_get(l->out, "tablespaces"), i, v)
                tell(l, "notes",
                     "tablespace %s is a directory beside the volume: what is in it arrives in the "
                     "default one",
                     json_string_value(v));
        json_array_foreach(jx_get(l->out, "slots"), i, v)
                tell(l, "notes",
                     "replication slot %s does not go along: whoever reads it begins anew",
                     json_string_value(v));
}

bool pg_server_look(Pg *pg, const ServerOptions *o, json_t **ret, Err *err)
{
        static const char *const lists[] = { "databases", "left_out", "refused", "notes" };
        AUTO_JSON out = json_object();
        json_t *settings = NULL;
        Look l = { .pg = pg, .o = o, .out = out };
        for (size_t i = 0; i < LEN(lists); i++)
                jx_set(out, lists[i], json_array());
        if (!general(&l, err))
                return false;
        remarks(&l);
        if (!jx_bool(out, "superuser", false)) {
                jx_set(out, "md5_roles", json_array());
                jx_set(out, "settings", json_array());
        } else if (!md5_roles(&l, err) || !pg_server_settings(pg, o->to, &settings, err)) {
                return false;
        } else {
                jx_set(out, "settings", settings);
        }
        if (!databases(&l, err))
                return false;
        *ret = json_incref(out);
        return true;
}
