#include "kit/discover.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

static const struct {
        int major;
        const char *day, *words;
} eol[] = {
        { 10, "2022-11-10", "Nov 2022" }, { 11, "2023-11-09", "Nov 2023" },
        { 12, "2024-11-21", "Nov 2024" }, { 13, "2025-11-13", "Nov 2025" },
        { 14, "2026-11-12", "Nov 2026" }, { 15, "2027-11-11", "Nov 2027" },
        { 16, "2028-11-09", "Nov 2028" }, { 17, "2029-11-08", "Nov 2029" },
        { 18, "2030-11-14", "Nov 2030" },
};

char *kit_support_words(int major, int64_t wall_ms)
{
        for (size_t i = 0; i < LEN(eol); i++) {
                if (eol[i].major != major)
                        continue;
                AUTO_FREE char *iso = xasprintf("%sT00:00:00.000Z", eol[i].day);
                int64_t end = 0;
                if (!clock_parse_iso(iso, &end))
                        break;
                int64_t days = (end - wall_ms) / 86400000;
                if (end <= wall_ms)
                        return xasprintf("ended %s", eol[i].words);
                return days <= 180 ? xasprintf("ends in %lld days", (long long)days)
                                   : xasprintf("to %s", eol[i].words);
        }
        return major > 0 && major < 10 ? xstrdup("ended before 2022") : xstrdup("");
}

void kit_server_warn(json_t *server, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *text = xvasprintf(fmt, ap);
        va_end(ap);
        json_t *list = jx_get(server, "warnings");
        if (!list) {
                list = json_array();
                jx_set(server, "warnings", list);
        }
        AUTO_FREE char *clean = text_clean_str(text);
        jx_append_str(list, clean);
}

static void read_databases(Pg *pg, json_t *server)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        AUTO_ERR ignored = { 0 };
        /* pg_database_size() of a database one may not connect to is an error (needs CONNECT). */
        sql_add(&q, "select d.datname, r.rolname, case when "
                    "pg_catalog.has_database_privilege(d.oid, 'CONNECT') then "
                    "pg_catalog.pg_database_size(d.oid) end from pg_catalog.pg_database d left "
                    "join pg_catalog.pg_roles r on r.oid = d.datdba where not d.datistemplate and "
                    "d.datallowconn order by d.datname");
        if (!pg_query(pg, &q, &r, &ignored))
                return;
        json_t *list = json_array();
        int64_t sum = 0;
        for (int i = 0; i < pg_rows(r); i++) {
                json_t *db = json_object();
                jx_set_str(db, "name", pg_cell(r, i, 0));
                jx_set_str(db, "owner", pg_cell(r, i, 1));
                if (pg_cell(r, i, 2))
                        jx_set_int(db, "size", pg_cell_int(r, i, 2));
                sum += pg_cell_int(r, i, 2);
                json_array_append_new(list, db);
        }
        jx_set_int(server, "dbs", (int64_t)json_array_size(list));
        jx_set(server, "databases", list);
        jx_set_int(server, "size", sum);
        jx_set_int(server, "size_bytes", sum);
}

bool kit_server_read(StepCtx *ctx, const PgParams *p, json_t *server, char **ret_why)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = NULL;
        *ret_why = NULL;
        if (!pg_open(p, &pg, &err)) {
                *ret_why = xstrdup(err.message);
                return false;
        }
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select pg_catalog.current_setting('server_version'), "
                    "pg_catalog.current_setting('data_directory', true), "
                    "(select system_identifier::text from pg_catalog.pg_control_system()), "
                    "pg_catalog.pg_is_in_recovery()");
        if (!pg_query(pg, &q, &r, &err)) {
                *ret_why = xstrdup(err.message);
                return false;
        }
        AUTO_FREE char *version = xstrndup(pg_cell(r, 0, 0), strcspn(pg_cell(r, 0, 0), " "));
        jx_set_int(server, "major", pg_major(pg));
        jx_set_str(server, "version", version);
        if (pg_cell(r, 0, 1))
                jx_set_str(server, "data_dir", pg_cell(r, 0, 1));
        jx_set_str(server, "system", pg_cell(r, 0, 2));
        if (pg_cell_bool(r, 0, 3))
                kit_server_warn(server, "this is a standby; upgrade its primary");
        read_databases(pg, server);
        return true;
}
