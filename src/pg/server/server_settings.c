#include "pg/server_settings.h"

#include "base/digest.h"
#include "base/majors.h"
#include "base/text.h"
#include "pg/facts.h"
#include "pg/roles.h"

/* Written by initdb or the image, on most machines as here. NULL: whatever it wrote is a locale or
 * a time zone that the new server's initdb chooses in the same way. */
static bool as_initdb(const char *name, const char *value)
{
        static const struct {
                const char *name, *value;
        } made[] = {
                { "max_connections", "100" },
                { "shared_buffers", "128MB" },
                { "max_wal_size", "1GB" },
                { "min_wal_size", "80MB" },
                { "listen_addresses", "*" },
                { "dynamic_shared_memory_type", "posix" },
                { "datestyle", "iso, mdy" },
                { "log_timezone", "Etc/UTC" },
                { "timezone", "Etc/UTC" },
                { "log_timezone", "UTC" },
                { "timezone", "UTC" },
                { "default_text_search_config", "pg_catalog.english" },
                { "lc_messages", NULL },
                { "lc_monetary", NULL },
                { "lc_numeric", NULL },
                { "lc_time", NULL },
                { "password_encryption", "scram-sha-256" },
        };
        for (size_t i = 0; i < LEN(made); i++)
                if (strcasecmp(made[i].name, name) == 0 &&
                    (!made[i].value || str_eq(made[i].value, value)))
                        return true;
        return false;
}

/* What may hold a password or a key. */
static bool may_be_told(const char *name)
{
        static const char *const secret[] = { "conninfo", "command", "password", "passphrase",
                                              "." };
        for (size_t i = 0; i < LEN(secret); i++)
                if (strstr(name, secret[i]))
                        return str_eq(name, "password_encryption");
        return true;
}

static json_t *entry(const char *name, const char *value, const char *from, const char *fate,
                     const char *words)
{
        json_t *e = json_object();
        jx_set_str(e, "name", name);
        jx_set_str(e, "value", may_be_told(name) ? value : NULL);
        jx_set_str(e, "from", from);
        jx_set_str(e, "fate", fate);
        jx_set_str(e, "words", words);
        return e;
}

/* ---- files ---- */

/* Files that a server in a container has in its data directory do not go along. */
static bool names_a_file_inside(const char *name, const char *value, const char *dir)
{
        static const char *const files[] = { "ssl_cert_file",      "ssl_key_file",
                                             "ssl_ca_file",        "ssl_crl_file",
                                             "ssl_dh_params_file", "krb_server_keyfile",
                                             "config_file",        "hba_file",
                                             "ident_file",         "data_directory" };
        for (size_t i = 0; i < LEN(files); i++)
                if (strcasecmp(files[i], name) == 0)
                        return *value && (*value != '/' || str_starts(value, dir));
        return false;
}

static void one_of_a_file(json_t *list, const json_t *s, const char *dir, int to)
{
        const char *name = jx_str(s, "name", ""), *value = jx_str(s, "setting", "");
        const char *file = jx_str(s, "file", "");
        SettingFate f = setting_fate(name, value, to);
        size_t n = strlen(dir);
        bool inside = strncmp(file, dir, n) == 0 && file[n] == '/';
        AUTO_FREE char *from =
                xasprintf("%s:%lld", inside ? file + n + 1 : file, (long long)jx_int(s, "line", 0));
        if (inside && as_initdb(name, value))
                return;
        if (!inside && f.verdict != SETTING_SAME) {
                AUTO_FREE char *words =
                        xasprintf("PostgreSQL %d does not take it and would not start: %s%s%s. "
                                  "Change the line before",
                                  to, f.why, f.now ? ", it is called " : "", f.now ? f.now : "");
                json_array_append_new(list, entry(name, value, from, "decide", words));
        } else if (!inside) {
                json_array_append_new(list, entry(name, value, from, "stays",
                                                  "its file is not in the data directory"));
        } else if (f.verdict == SETTING_LEFT_OUT) {
                json_array_append_new(list, entry(name, value, from, "dropped", f.why));
        } else if (f.verdict == SETTING_RENAMED) {
                AUTO_FREE char *words = xasprintf("it is called %s there: %s", f.now, f.why);
                json_array_append_new(list, entry(name, value, from, "renamed", words));
        } else if (names_a_file_inside(name, value, dir)) {
                json_array_append_new(
                        list,
                        entry(name, value, from, "decide",
                              "it names a file in the data directory, "
                              "which stays behind: put that file into a mount, and its path here"));
        } else {
                json_array_append_new(list,
                                      entry(name, value, from, "carried", "with ALTER SYSTEM"));
        }
}

/* The last line that names a setting; what the server could not read has no name. */
static bool file_lines(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('name', lower(name), 'setting', setting, 'file', "
                    "sourcefile, 'line', sourceline) from (select distinct on (lower(name)) * from "
                    "pg_file_settings where name is not null order by lower(name), seqno desc) f "
                    "order by seqno");
        return pg_json_rows(pg, &q, ret, err) || err_wrap(err, "reading the configuration files");
}

static bool from_files(Pg *pg, int to, json_t *list, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_JSON lines = NULL;
        AUTO_FREE char *dir = NULL;
        size_t i;
        json_t *s;
        sql_add(&q, "select current_setting('data_directory')");
        if (!pg_query_value(pg, &q, &dir, err) || !file_lines(pg, &lines, err))
                return false;
        json_array_foreach(lines, i, s)
                one_of_a_file(list, s, dir, to);
        return true;
}

static bool from_command(Pg *pg, int to, json_t *list, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(pg,
                    "select name, current_setting(name), source from pg_settings where source "
                    "in ('command line', 'environment variable') and name not in "
                    "('data_directory', 'config_file', 'hba_file', 'ident_file', "
                    "'listen_addresses') and context <> 'internal' order by name",
                    &r, err))
                return err_wrap(err, "reading the settings of the command line");
        for (int i = 0; i < pg_rows(r); i++) {
                const char *name = pg_cell(r, i, 0), *value = pg_cell(r, i, 1);
                SettingFate f = setting_fate(name, value, to);
                bool stays = f.verdict == SETTING_SAME;
                AUTO_FREE char *words =
                        stays ? xstrdup("whoever starts the server gives it to the new one as well")
                              : xasprintf("PostgreSQL %d does not take it and would not start: %s",
                                          to, f.why);
                json_array_append_new(list, entry(name, value, pg_cell(r, i, 2),
                                                  stays ? "stays" : "decide", words));
        }
        return true;
}

/* ---- pg_hba.conf, pg_ident.conf ---- */

/* Lines that the image's initdb and its entry point write. The last one asks for what the server
 * stores passwords as: md5 up to 13, which later images do not say any more. */
static bool hba_lines(Pg *pg, json_t *list, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(pg,
                    "select h.line_number, concat_ws(' ', h.type, array_to_string(h.database, "
                    "','), array_to_string(h.user_name, ','), h.address, h.netmask, "
                    "h.auth_method, (select string_agg(split_part(o, '=', 1), ' ') from "
                    "unnest(h.options) o)), current_setting('hba_file'), "
                    "starts_with(current_setting('hba_file'), "
                    "current_setting('data_directory')), h.error from pg_hba_file_rules h "
                    "where h.error is not null or not (h.options is null and (h.database = "
                    "'{all}' or h.database = '{replication}') and h.user_name = '{all}' and "
                    "(h.type = 'local' or h.address in ('127.0.0.1', '::1')) and h.auth_method "
                    "= 'trust' or h.options is null and h.type = 'host' and h.database = "
                    "'{all}' and h.user_name = '{all}' and h.address = 'all' and "
                    "(h.auth_method = 'scram-sha-256' or h.auth_method = 'md5' and not exists "
                    "(select from pg_authid where rolcanlogin and rolpassword like 'md5%'))) "
                    "order by 1",
                    &r, err))
                return err_wrap(err, "reading pg_hba.conf");
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_FREE char *from = xasprintf("pg_hba.conf:%s", pg_cell(r, i, 0));
                bool inside = pg_cell_bool(r, i, 3);
                const char *error = pg_cell(r, i, 4);
                json_t *e = entry("pg_hba.conf", pg_cell(r, i, 1), from,
                                  error    ? "decide"
                                  : inside ? "carried"
                                           : "stays",
                                  error    ? error
                                  : inside ? "the file goes along as it is"
                                           : "its file is not in the data directory");
                jx_set_str(e, "value", pg_cell(r, i, 1));
                json_array_append_new(list, e);
        }
        return true;
}

static bool says_something(const char *text)
{
        for (const char *line = text; *line;) {
                const char *p = line + strspn(line, " \t\r");
                if (*p && *p != '#' && *p != '\n')
                        return true;
                line += strcspn(line, "\n");
                line += *line == '\n';
        }
        return false;
}

static bool ident_lines(Pg *pg, json_t *list, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *text = NULL;
        AUTO_FREE char *inside = NULL;
        sql_add(&q, "select starts_with(current_setting('ident_file'), "
                    "current_setting('data_directory'))");
        if (!pg_query_value(pg, &q, &inside, err) ||
            !pg_server_file_read(pg, "ident_file", &text, err))
                return false;
        if (says_something(text))
                json_array_append_new(
                        list, entry("pg_ident.conf", NULL, "pg_ident.conf",
                                    str_eq(inside, "t") ? "carried" : "stays",
                                    str_eq(inside, "t") ? "the file goes along as it is"
                                                        : "its file is not in the data directory"));
        return true;
}

/* ---- of roles and databases ---- */

/* They go with their role or database, in the new major's words or not at all: here that is only
 * said. */
static bool of_roles(Pg *pg, int to, json_t *list, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(pg,
                    "select split_part(c, '=', 1), substr(c, strpos(c, '=') + 1), concat_ws(' "
                    "', case when s.setrole <> 0 then 'role ' || "
                    "quote_ident(pg_get_userbyid(s.setrole)) end, case when s.setdatabase <> 0 "
                    "then 'database ' || quote_ident(d.datname) end, case when s.setrole = 0 "
                    "and s.setdatabase = 0 then 'every role' end) from pg_db_role_setting s "
                    "left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c "
                    "order by 3, 1",
                    &r, err))
                return err_wrap(err, "reading the settings of roles and databases");
        for (int i = 0; i < pg_rows(r); i++) {
                SettingFate f = setting_fate_own(pg_cell(r, i, 0), pg_cell(r, i, 1), to);
                if (f.verdict == SETTING_SAME)
                        continue;
                AUTO_FREE char *words =
                        f.now ? xasprintf("it is called %s there: %s", f.now, f.why)
                              : xasprintf("PostgreSQL %d does not take it: %s", to, f.why);
                json_array_append_new(list, entry(pg_cell(r, i, 0), NULL, pg_cell(r, i, 2),
                                                  f.now ? "renamed" : "dropped", words));
        }
        return true;
}

bool pg_server_settings(Pg *pg, int to, json_t **ret, Err *err)
{
        AUTO_JSON list = json_array();
        int major = to ? to : pg_major(pg);
        if (!from_files(pg, major, list, err) || !from_command(pg, major, list, err) ||
            !hba_lines(pg, list, err) || !ident_lines(pg, list, err) ||
            !of_roles(pg, major, list, err))
                return false;
        *ret = json_incref(list);
        return true;
}

/* ---- carrying ---- */

bool pg_server_file_read(Pg *pg, const char *setting, char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select pg_read_file(current_setting(");
        sql_value(&q, setting);
        sql_add(&q, "))");
        return pg_query_value(pg, &q, ret, err) ||
               err_wrap(err, "reading the server's %s", setting);
}

static bool export_it(Pg *pg, const char *setting, const char *text, Err *err)
{
        AUTO_SQL make = { 0 }, out = { 0 };
        AUTO_FREE char *oid = NULL;
        sql_add(&make, "select lo_from_bytea(0, convert_to(");
        sql_value(&make, text);
        sql_add(&make, ", 'UTF8'))");
        if (!pg_query_value(pg, &make, &oid, err))
                return false;
        sql_add(&out, "select lo_export(");
        sql_int(&out, atoll(oid));
        sql_add(&out, ", current_setting(");
        sql_value(&out, setting);
        sql_add(&out, "))");
        return pg_exec(pg, &out, err);
}

/* Its bytes become a large object of a transaction that never commits: lo_export() writes them as
 * they are, into the file that is there, whose mode and owner stay. */
bool pg_server_file_write(Pg *pg, const char *setting, const char *text, Err *err)
{
        AUTO_ERR ignored = { 0 };
        if (!pg_do(pg, "begin", err))
                return false;
        bool ok = export_it(pg, setting, text, err);
        return (pg_do(pg, "rollback", ok ? err : &ignored) && ok) ||
               err_wrap(err, "writing the server's %s", setting);
}

/* wal_keep_segments counts files of 16 MB, or of what initdb was told; wal_keep_size bytes. */
static bool new_value(Pg *source, const char *name, const char *now, const char *value, char **ret,
                      Err *err)
{
        AUTO_SQL q = { 0 };
        if (now && strcasecmp(name, "wal_keep_segments") == 0)
                sql_add(&q, "select (current_setting('wal_keep_segments')::bigint * pg_size_bytes("
                            "current_setting('wal_segment_size')) / 1048576)::text || 'MB'");
        else if (now && strcasecmp(name, "wal_keep_size") == 0)
                sql_add(&q, "select ceil(pg_size_bytes(current_setting('wal_keep_size'))::numeric "
                            "/ pg_size_bytes(current_setting('wal_segment_size')))::text");
        else
                *ret = xstrdup(value);
        return q.n == 0 || pg_query_value(source, &q, ret, err);
}

static bool set_one(Pg *source, Pg *target, const json_t *line, json_t *report, Err *err)
{
        const char *name = jx_str(line, "name", "");
        const char *now = setting_fate(name, NULL, pg_major(target)).now;
        AUTO_FREE char *value = NULL;
        AUTO_SQL q = { 0 };
        AUTO_ERR no = { 0 };
        if (!new_value(source, name, now, jx_str(line, "setting", ""), &value, err))
                return false;
        AUTO_FREE char *both = xasprintf("%s=%s", now ? now : name, value);
        AUTO_SQL none = { 0 };
        sql_add(&q, "alter system");
        if (*value) {
                pg_setting_sql(&none, &q, both, pg_major(target));
        } else { /* of a file: for a list, too, it is the empty text */
                sql_add(&q, " set ");
                pg_setting_name_sql(&q, now ? now : name);
                sql_add(&q, " to ''");
        }
        if (pg_exec(target, &q, &no)) {
                jx_append_str(jx_get(report, "settings"), now ? now : name);
                return true;
        }
        if (no.kind != ERR_SERVER) {
                err_move(err, &no);
                return false;
        }
        AUTO_FREE char *words = may_be_told(name) ? xasprintf("%s: %s", name, no.message)
                                                  : xasprintf("%s: SQLSTATE %s", name, no.sqlstate);
        jx_append_str(jx_get(report, "refused"), words);
        return true;
}

/* What a role or database has of its own goes with it, not with the files. */
static bool of_a_file(const json_t *fate)
{
        const char *from = jx_str(fate, "from", "");
        return !str_starts(from, "role ") && !str_starts(from, "database ") &&
               !str_eq(from, "every role");
}

static bool carried(const json_t *fates, const char *name)
{
        size_t i;
        json_t *f;
        json_array_foreach(fates, i, f)
                if (str_eq(jx_str(f, "name", ""), name) && of_a_file(f) &&
                    (str_eq(jx_str(f, "fate", ""), "carried") ||
                     str_eq(jx_str(f, "fate", ""), "renamed")))
                        return true;
        return false;
}

/* Lists are written with and without spaces and quotes. */
static char *hash_of(const char *value)
{
        AUTO_FREE char *bare = xstrdup(value);
        char hex[65], *to = bare;
        for (const char *p = bare; *p; p++)
                if (*p != ' ' && *p != '"')
                        *to++ = *p;
        *to = '\0';
        digest_hex_of(bare, strlen(bare), hex);
        return xstrdup(hex);
}

bool pg_server_settings_lines(Pg *pg, int to, json_t **ret, Err *err)
{
        AUTO_JSON fates = NULL;
        AUTO_JSON lines = NULL;
        AUTO_JSON out = json_object();
        size_t i;
        json_t *s;
        if (!pg_server_settings(pg, to, &fates, err) || !file_lines(pg, &lines, err))
                return false;
        json_array_foreach(lines, i, s) {
                const char *name = jx_str(s, "name", ""), *now = setting_fate(name, NULL, to).now;
                AUTO_FREE char *value = NULL;
                if (!carried(fates, name))
                        continue;
                if (!new_value(pg, name, now, jx_str(s, "setting", ""), &value, err))
                        return false;
                AUTO_FREE char *what = xasprintf("set %s", now ? now : name);
                AUTO_FREE char *hash = hash_of(value);
                jx_set_str(out, what, hash);
        }
        *ret = json_incref(out);
        return true;
}

static bool hba_error(Pg *target, char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select 'line ' || line_number || ': ' || error from pg_hba_file_rules where "
                    "error is not null order by line_number limit 1");
        return pg_query_value(target, &q, ret, err);
}

/* The server reads the file for the view anew, not what it loaded: wrong lines are seen before a
 * start. */
static bool carry_file(Pg *source, Pg *target, const char *setting, const char *name, bool only_try,
                       json_t *report, Err *err)
{
        AUTO_FREE char *text = NULL;
        AUTO_FREE char *before = NULL;
        AUTO_FREE char *wrong = NULL;
        if (!pg_server_file_read(source, setting, &text, err) ||
            !pg_server_file_read(target, setting, &before, err) ||
            !pg_server_file_write(target, setting, text, err) || !hba_error(target, &wrong, err))
                return false;
        AUTO_FREE char *words = wrong ? xasprintf("%s: %s", name, wrong) : xstrdup(name);
        jx_append_str(jx_get(report, wrong ? "refused" : "files"), words);
        return (!wrong && !only_try) || pg_server_file_write(target, setting, before, err);
}

bool pg_server_settings_carry(Pg *source, Pg *target, bool try_files, json_t **ret_report, Err *err)
{
        AUTO_JSON fates = NULL;
        AUTO_JSON lines = NULL;
        AUTO_JSON report = json_object();
        size_t i;
        json_t *s;
        jx_set(report, "settings", json_array());
        jx_set(report, "files", json_array());
        jx_set(report, "refused", json_array());
        if (!pg_server_settings(source, pg_major(target), &fates, err) ||
            !file_lines(source, &lines, err))
                return false;
        json_array_foreach(lines, i, s)
                if (carried(fates, jx_str(s, "name", "")) &&
                    !set_one(source, target, s, report, err))
                        return false;
        if ((carried(fates, "pg_hba.conf") &&
             !carry_file(source, target, "hba_file", "pg_hba.conf", try_files, report, err)) ||
            (carried(fates, "pg_ident.conf") &&
             !carry_file(source, target, "ident_file", "pg_ident.conf", try_files, report, err)))
                return false;
        *ret_report = json_incref(report);
        return true;
}

bool pg_server_settings_reset(Pg *target, const json_t *names, Err *err)
{
        size_t i;
        json_t *v;
        json_array_foreach(names, i, v) {
                AUTO_SQL q = { 0 };
                sql_add(&q, "alter system reset ");
                pg_setting_name_sql(&q, json_string_value(v));
                if (!pg_exec(target, &q, err))
                        return err_wrap(err, "resetting %s", json_string_value(v));
        }
        return true;
}
