#include "pg/facts.h"

bool pg_json_value(Pg *pg, const Sql *q, json_t **ret, Err *err)
{
        AUTO_FREE char *text = NULL;
        if (!pg_query_value(pg, q, &text, err))
                return false;
        if (!text) {
                *ret = json_null();
                return true;
        }
        json_error_t why;
        *ret = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
        return *ret || err_set(err, ERR_SERVER, "the server's JSON cannot be read: %s", why.text);
}

bool pg_json_rows(Pg *pg, const Sql *q, json_t **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_query(pg, q, &r, err))
                return false;
        AUTO_JSON list = json_array();
        for (int i = 0; i < pg_rows(r); i++) {
                json_error_t why;
                json_t *row = json_loads(pg_cell(r, i, 0), JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
                if (!row)
                        return err_set(err, ERR_SERVER, "the server's JSON cannot be read: %s",
                                       why.text);
                json_array_append_new(list, row);
        }
        *ret = list;
        list = NULL;
        return true;
}

bool pg_identity(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object("
                    "'major', current_setting('server_version_num')::int / 10000, "
                    "'version', split_part(current_setting('server_version'), ' ', 1), 'system', ");
        /* Since 10 a plain role may not call pg_control_system() unless granted. */
        sql_add(&q, "case when has_function_privilege('pg_control_system()', 'execute') "
                    "then (select system_identifier::text from pg_control_system()) end)");
        return pg_json_value(pg, &q, ret, err);
}

static void database_facts(Pg *pg, Sql *q)
{
        sql_add(q, "select json_build_object('database', d.datname, 'owner', "
                   "pg_get_userbyid(d.datdba), 'encoding', pg_encoding_to_char(d.encoding), "
                   "'collate', d.datcollate, 'ctype', d.datctype, 'connlimit', d.datconnlimit, "
                   "'size', pg_database_size(d.oid), 'stats_commits', "
                   "(select xact_commit from pg_stat_database s where s.datid = d.oid), ");
        if (pg_major(pg) >= 15)
                sql_add(q, "'provider', case d.datlocprovider when 'i' then 'icu' when 'b' then "
                           "'builtin' else 'libc' end, 'collversion', d.datcollversion, "
                           "'collversion_actual', pg_database_collation_actual_version(d.oid), ");
        else
                sql_add(q, "'provider', 'libc', 'collversion', null, 'collversion_actual', null, ");
        if (pg_major(pg) >= 17)
                sql_add(q, "'locale', d.datlocale");
        else if (pg_major(pg) >= 15)
                sql_add(q, "'locale', d.daticulocale");
        else
                sql_add(q, "'locale', null");
        sql_add(q, ") from pg_database d where d.datname = current_database()");
}

static void server_facts(Sql *q)
{
        sql_add(q,
                "select json_build_object("
                "'version', split_part(current_setting('server_version'), ' ', 1), "
                "'version_num', current_setting('server_version_num')::int, "
                "'major', current_setting('server_version_num')::int / 10000, "
                "'system_identifier', case when has_function_privilege('pg_control_system()', "
                "'execute') then (select system_identifier::text from pg_control_system()) end, "
                /* pg_settings leaves out what a role may not see; current_setting() would fail. */
                "'data_directory', (select setting from pg_settings where name = "
                "'data_directory'), "
                "'data_checksums', current_setting('data_checksums', true), "
                "'superuser', (select rolsuper from pg_roles where rolname = current_user), "
                "'user', current_user, 'in_recovery', pg_is_in_recovery(), "
                "'preload', (select setting from pg_settings where name = "
                "'shared_preload_libraries'), "
                "'password_encryption', current_setting('password_encryption'), "
                "'max_connections', current_setting('max_connections')::int, "
                "'max_used_connections', (select sum(numbackends) from pg_stat_database), "
                "'prepared_xacts', (select count(*) from pg_prepared_xacts where database = "
                "current_database()), "
                "'started_at', pg_postmaster_start_time()::text)");
}

static bool settings(Pg *pg, json_t *facts, Err *err)
{
        AUTO_SQL q = { 0 };
        json_t *list = NULL;
        /* Values of settings that hold a command or a connection string may hold a password. */
        sql_add(&q, "select json_build_object('name', name, 'setting', case when name ~ "
                    "'conninfo|command|password|passphrase' then '(not kept)' else setting end, "
                    "'unit', unit, 'source', source) "
                    "from pg_settings where source in ('configuration file', 'command line', "
                    "'environment variable') order by name");
        if (!pg_json_rows(pg, &q, &list, err))
                return false;
        jx_set(facts, "settings", list);
        return true;
}

/* Passwords that cannot log in where pg_hba.conf says scram: only a superuser sees them. */
static bool md5_roles(Pg *pg, json_t *facts, Err *err)
{
        AUTO_SQL q = { 0 };
        json_t *list = NULL;
        if (!jx_bool(facts, "superuser", false)) {
                jx_set(facts, "md5_roles", json_null());
                return true;
        }
        sql_add(&q, "select to_json(rolname) from pg_authid where rolcanlogin and rolpassword "
                    "like 'md5%' order by rolname");
        if (!pg_json_rows(pg, &q, &list, err))
                return false;
        jx_set(facts, "md5_roles", list);
        return true;
}

bool pg_facts(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL server = { 0 }, database = { 0 };
        AUTO_JSON facts = NULL;
        AUTO_JSON more = NULL;
        server_facts(&server);
        database_facts(pg, &database);
        if (!pg_json_value(pg, &server, &facts, err) || !pg_json_value(pg, &database, &more, err))
                return err_wrap(err, "asking the server about itself");
        json_object_update(facts, more);
        if (!settings(pg, facts, err) || !md5_roles(pg, facts, err))
                return err_wrap(err, "asking the server about its settings");
        *ret = facts;
        facts = NULL;
        return true;
}

/* ---- the application's own migration revision ---- */

static void revision_query(const char *kind, const char *schema, const char *table, Sql *q)
{
        if (str_eq(kind, "alembic"))
                sql_add(q, "select string_agg(version_num::text, ', ' order by version_num::text "
                           "collate \"C\") from ");
        else if (str_eq(kind, "flyway"))
                sql_add(q,
                        "select (array_agg(version::text order by installed_rank desc))[1] from ");
        else if (str_eq(kind, "rails"))
                sql_add(q, "select max(version::text collate \"C\") from ");
        else if (str_eq(kind, "django"))
                sql_add(q, "select count(*) || ' applied, last ' || coalesce((array_agg(app || "
                           "'.' || name order by id desc))[1], 'none') from ");
        else if (str_eq(kind, "knex"))
                sql_add(q, "select (array_agg(name order by id desc))[1] from ");
        else
                sql_add(q, "select max(migration_name::text collate \"C\") from ");
        sql_qname(q, schema, table);
}

bool pg_migrations(Pg *pg, json_t **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_JSON list = json_array();
        /* A table counts only when it has the columns the revision is read from, of plain types of
         * the core: one that somebody made comes with casts that would run with our rights. */
        if (!pg_ask(pg,
                    "select n.nspname, c.relname, k.kind from pg_class c join pg_namespace n "
                    "on n.oid = c.relnamespace join (values "
                    "('alembic_version', 'alembic', '{version_num}'::text[]), "
                    "('flyway_schema_history', 'flyway', '{version,installed_rank}'), "
                    "('schema_migrations', 'rails', '{version}'), "
                    "('django_migrations', 'django', '{id,app,name}'), "
                    "('knex_migrations', 'knex', '{id,name}'), "
                    "('_prisma_migrations', 'prisma', '{migration_name}')) k(relname, kind, cols) "
                    "on k.relname = c.relname where c.relkind = 'r' and k.cols <@ (select "
                    "array_agg(attname::text) from pg_attribute a where a.attrelid = c.oid and "
                    "a.attnum > 0 and not a.attisdropped and a.atttypid::regtype in ('int2', "
                    "'int4', 'int8', 'text', 'varchar', 'bpchar')) and has_table_privilege(c.oid, "
                    "'select') order by k.kind, n.nspname",
                    &r, err))
                return err_wrap(err, "looking for migration tables");
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_SQL q = { 0 };
                AUTO_FREE char *revision = NULL;
                AUTO_FREE char *name = xasprintf("%s.%s", pg_cell(r, i, 0), pg_cell(r, i, 1));
                revision_query(pg_cell(r, i, 2), pg_cell(r, i, 0), pg_cell(r, i, 1), &q);
                if (!pg_query_value(pg, &q, &revision, err))
                        return err_wrap(err, "reading the revision in %s", name);
                json_t *m = json_object();
                jx_set_str(m, "table", name);
                jx_set_str(m, "kind", pg_cell(r, i, 2));
                jx_set_str(m, "revision", revision);
                json_array_append_new(list, m);
        }
        *ret = list;
        list = NULL;
        return true;
}
