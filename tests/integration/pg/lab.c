#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "proc/proc.h"

static const char *lab_env(const char *fmt, int major)
{
        char name[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(name, sizeof name, fmt, major);
#pragma GCC diagnostic pop
        const char *value = getenv(name);
        return value && *value ? value : NULL;
}

int lab_main(int argc, char **argv, const int *majors)
{
        for (; *majors; majors++)
                if (!lab_env("PGSHERPA_LAB_%d_PORT", *majors)) {
                        fprintf(stderr,
                                "skipped: PGSHERPA_LAB_%d_PORT is not set: no PostgreSQL "
                                "%d of the lab (./dev lab up)\n",
                                *majors, *majors);
                        return 77;
                }
        struct criterion_test_set *tests = criterion_initialize();
        int rc = 0;
        if (criterion_handle_args(argc, argv, true))
                rc = !criterion_run_all_tests(tests);
        criterion_finalize(tests);
        return rc;
}

static Secret *password(void)
{
        AUTO_ERR err = { 0 };
        const char *path = getenv("PGSHERPA_LAB_PASSWORD_FILE");
        char *text = NULL;
        size_t n = 0;
        cr_assert(path && io_read_file(path, 4096, &text, &n, &err), "no password file");
        n = strcspn(text, "\n");
        Secret *s = secret_take("lab password", text, n);
        free(text);
        return s;
}

bool lab_params(int major, const char *database, PgParams *ret)
{
        const char *port = lab_env("PGSHERPA_LAB_%d_PORT", major);
        static Secret *secret;
        if (!secret)
                secret = password();
        *ret = (PgParams){ .host = getenv("PGSHERPA_LAB_HOST"),
                           .port = port ? atoi(port) : 0,
                           .user = getenv("PGSHERPA_LAB_USER"),
                           .password = secret,
                           .database = database ? database : "postgres",
                           .app = "pgsherpa/test" };
        return port != NULL;
}

Pg *lab_open(int major, const char *database)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        Pg *pg = NULL;
        cr_assert(lab_params(major, database, &p));
        cr_assert(pg_open(&p, &pg, &err), "%s", err.message);
        return pg;
}

void lab_do(Pg *pg, const char *sql)
{
        AUTO_ERR err = { 0 };
        cr_assert(pg_exec_dumped(pg, sql, &err), "%s\nin: %s", err.message, sql);
}

char *lab_value(Pg *pg, const char *sql)
{
        AUTO_ERR err = { 0 };
        AUTO_SQL q = { 0 };
        char *value = NULL;
        sql_operator(&q, sql);
        cr_assert(pg_query_value(pg, &q, &value, &err), "%s\nin: %s", err.message, sql);
        return value;
}

char *lab_database(int major, const char *word)
{
        AUTO_ERR err = { 0 };
        AUTO_SQL q = { 0 };
        AUTO_PG Pg *pg = lab_open(major, NULL);
        char *name = xasprintf("test_%d_%s", (int)getpid(), word);
        sql_add(&q, "create database ");
        sql_ident(&q, name);
        sql_add(&q, " template template0 encoding 'UTF8' lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'");
        cr_assert(pg_exec(pg, &q, &err), "%s", err.message);
        return name;
}

void lab_drop(int major, const char *database)
{
        AUTO_ERR err = { 0 };
        AUTO_SQL q = { 0 };
        AUTO_PG Pg *pg = lab_open(major, NULL);
        sql_add(&q, "drop database if exists ");
        sql_ident(&q, database);
        sql_add(&q, " with (force)");
        cr_assert(pg_exec(pg, &q, &err), "%s", err.message);
}

static void run_client(const Argv *a, const char *what)
{
        AUTO_ERR err = { 0 };
        AUTO_PROC r = { 0 };
        const char *file = getenv("PGSHERPA_LAB_PASSWORD_FILE");
        char *text = NULL;
        size_t n = 0;
        cr_assert(io_read_file(file, 4096, &text, &n, &err));
        text[strcspn(text, "\n")] = '\0';
        char *env = xasprintf("PGPASSWORD=%s", text);
        const char *const vars[] = { env, NULL };
        bool ok = proc_run(a, &(ProcOptions){ .env = vars, .timeout_ms = 120000 }, &r, &err);
        cr_assert(ok, "%s: %s\n%s", what, err.message, buf_str(&r.err));
        free(env);
        free(text);
}

static void client(Argv *a, int bin, const char *program, int server, const char *database)
{
        argv_addf(a, "%s/%s", lab_env("PGSHERPA_PG_BIN_%d", bin), program);
        argv_addf(a, "--host=%s", getenv("PGSHERPA_LAB_HOST"));
        argv_addf(a, "--port=%s", lab_env("PGSHERPA_LAB_%d_PORT", server));
        argv_addf(a, "--username=%s", getenv("PGSHERPA_LAB_USER"));
        argv_addf(a, "--dbname=%s", database);
}

void lab_clone(int from, const char *source, int to, const char *target)
{
        AUTO_FREE char *file = xasprintf("/tmp/pgsherpa-test-%d-clone.dump", (int)getpid());
        AUTO_ARGV dump = { 0 };
        AUTO_ARGV restore = { 0 };
        /* The source's own: 18.6 would write 15.20's pg_attver, which 18 rejects. */
        client(&dump, from, "pg_dump", from, source);
        argv_add(&dump, "--format=custom");
        argv_addf(&dump, "--file=%s", file);
        run_client(&dump, "pg_dump");
        client(&restore, to, "pg_restore", to, target);
        argv_add(&restore, "--exit-on-error");
        argv_add(&restore, file);
        run_client(&restore, "pg_restore");
        unlink(file);
}
