#include "sample.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/io.h"
#include "config.h"

static void ensure_role(Pg *pg, const char *name, const char *how)
{
        AUTO_FREE char *there =
                xasprintf("select count(*) from pg_roles where rolname = '%s'", name);
        AUTO_FREE char *n = lab_value(pg, there);
        if (!str_eq(n, "0"))
                return;
        AUTO_ERR err = { 0 };
        AUTO_FREE char *sql = xasprintf("create role %s %s", name, how);
        (void)!pg_exec_dumped(pg, sql, &err); /* another test may have been quicker */
}

/* Lines for psql (\set) and the roles are ours, and psql's word for the database's name. */
static void load_file(Pg *pg, const char *name, const char *database)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path =
                xasprintf(PGSHERPA_SOURCEDIR "/tests/e2e/fixtures/makapix/sql/%s", name);
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        cr_assert(io_read_file(path, 1024 * 1024, &text, &n, &err), "%s", err.message);
        AUTO_BUF out = buf_init(1024 * 1024);
        for (char *line = text, *end; line && *line; line = end ? end + 1 : NULL) {
                end = strchr(line, '\n');
                size_t len = end ? (size_t)(end - line) : strlen(line);
                AUTO_FREE char *one = xstrndup(line, len);
                if (str_starts(one, "\\set") || strstr(one, "create role api_worker") ||
                    str_starts(one, "set password_encryption"))
                        continue;
                const char *at = strstr(one, ":\"DBNAME\"");
                if (at) {
                        buf_add(&out, one, (size_t)(at - one));
                        buf_printf(&out, "\"%s\"%s", database, at + strlen(":\"DBNAME\""));
                } else {
                        buf_adds(&out, one);
                }
                buf_addc(&out, '\n');
        }
        lab_do(pg, buf_str(&out));
}

void sample_roles(int major)
{
        AUTO_PG Pg *pg = lab_open(major, NULL);
        ensure_role(pg, "api_worker", "login password 'api' connection limit 40");
        ensure_role(pg, "owner", "login superuser");
}

void sample_load(int major, const char *database)
{
        static const char *const files[] = { "10-roles-types.sql", "20-app.sql",
                                             "30-billing-audit.sql", "40-odd.sql", "50-data.sql" };
        AUTO_PG Pg *pg = lab_open(major, database);
        sample_roles(major);
        lab_do(pg, "set search_path = public; set timezone = 'UTC'");
        for (size_t i = 0; i < LEN(files); i++)
                load_file(pg, files[i], database);
        if (major >= 15)
                load_file(pg, "60-since-15.sql", database);
}
