#include "pg/clients.h"

#include <stdio.h>
#include <unistd.h>

#include "base/majors.h"
#include "base/text.h"
#include "proc/proc.h"

/* "pg_dump (PostgreSQL) 17.6 (Debian 17.6-1)" -> "17.6", 170006; "18beta1" -> 180000. */
static bool parse_version(const char *text, PgClient *c)
{
        const char *p = strstr(text, ") ");
        if (!p)
                return false;
        p += 2;
        size_t n = strcspn(p, " \n");
        if (n == 0 || n >= sizeof c->version)
                return false;
        memcpy(c->version, p, n);
        c->version[n] = '\0';
        int major = 0, minor = 0;
        if (sscanf(c->version, "%d.%d", &major, &minor) < 1)
                return false;
        c->version_num = major * 10000 + minor;
        return c->major == major;
}

static bool ask_version(PgClient *c)
{
        AUTO_ERR err = { 0 };
        AUTO_ARGV a = { 0 };
        AUTO_PROC r = { 0 };
        pg_client_argv(c, "pg_dump", NULL, &a);
        argv_add(&a, "--version");
        return proc_run(&a, &(ProcOptions){ .timeout_ms = 30000 }, &r, &err) &&
               parse_version(buf_str(&r.out), c);
}

static bool try_dir(const char *dir, PgClient *c)
{
        AUTO_FREE char *dump = xasprintf("%s/pg_dump", dir);
        AUTO_FREE char *restore = xasprintf("%s/pg_restore", dir);
        if (access(dump, X_OK) != 0 || access(restore, X_OK) != 0)
                return false;
        c->where = PG_CLIENT_DIR;
        c->dir = xstrdup(dir);
        if (ask_version(c))
                return true;
        free(c->dir);
        c->dir = NULL;
        return false;
}

static bool try_image(const char *image, PgClient *c)
{
        AUTO_ERR err = { 0 };
        AUTO_ARGV a = { 0 };
        AUTO_PROC r = { 0 };
        AUTO_FREE char *docker = proc_which("docker");
        if (!docker)
                return false;
        static const char *const words[] = { "docker",  "image", "inspect", "--format",
                                             "{{.Id}}", "--",    NULL };
        argv_add_all(&a, words);
        argv_add(&a, image);
        if (!proc_run(&a, &(ProcOptions){ .timeout_ms = 20000 }, &r, &err))
                return false; /* not there: never pulled behind the operator's back */
        c->where = PG_CLIENT_IMAGE;
        c->image = xstrdup(image);
        if (ask_version(c))
                return true;
        free(c->image);
        c->image = NULL;
        return false;
}

bool pg_clients_find(int major, const char *image, PgClient *ret, Err *err)
{
        *ret = (PgClient){ .major = major };
        char name[32], dir[64], standard[32];
        snprintf(name, sizeof name, "PGSHERPA_PG_BIN_%d", major);
        snprintf(dir, sizeof dir, "/usr/lib/postgresql/%d/bin", major);
        snprintf(standard, sizeof standard, "postgres:%d", major);
        const char *told = getenv(name);
        if (told && *told && try_dir(told, ret))
                return true;
        if (try_dir(dir, ret))
                return true;
        if (image && *image && try_image(image, ret))
                return true;
        if (try_image(standard, ret))
                return true;
        *ret = (PgClient){ .major = major };
        err_set(err, ERR_USER, "no pg_dump and pg_restore of PostgreSQL %d on this machine", major);
        return err_hint(err,
                        "install postgresql-client-%d, pull the image postgres:%d, or point "
                        "%s at a directory that has them",
                        major, major, name);
}

bool pg_clients_from(int from, const char *image, PgClient *ret, Err *err)
{
        if (pg_clients_find(from, image, ret, err))
                return true;
        for (int major = from + 1; major <= MAJOR_LOOKED_FOR; major++) {
                AUTO_ERR ignored = { 0 };
                if (pg_clients_find(major, NULL, ret, &ignored)) {
                        err_clear(err);
                        return true;
                }
        }
        return false;
}

#define WHOLE 15

bool pg_clients_whole(int from, const char *image, PgClient *ret, Err *err)
{
        AUTO_ERR ignored = { 0 };
        return (from < WHOLE && pg_clients_from(WHOLE, NULL, ret, &ignored)) ||
               pg_clients_from(from, image, ret, err);
}

void pg_client_argv(const PgClient *c, const char *program, const char *const *mount, Argv *argv)
{
        if (c->where != PG_CLIENT_IMAGE) {
                argv_addf(argv, "%s/%s", c->dir, program);
                return;
        }
        static const char *const words[] = {
                "docker",       "run",        "--rm",      "-i",
                "--pull",       "never",      "--network", "host",
                "--env",        "PGPASSFILE", "--env",     "PGAPPNAME",
                "--env",        "PGOPTIONS",  "--label",   "pgsherpa.client=1",
                "--entrypoint", NULL
        };
        argv_add_all(argv, words);
        argv_add(argv, program);
        for (; mount && *mount; mount++) {
                argv_add(argv, "--volume");
                argv_addf(argv, "%s:%s", *mount, *mount);
        }
        argv_add(argv, c->image);
}

char *pg_client_words(const PgClient *c)
{
        if (c->where == PG_CLIENT_IMAGE)
                return xasprintf("PostgreSQL %s in image %s", c->version, c->image);
        return xasprintf("PostgreSQL %s in %s", c->version, c->dir);
}

bool pg_client_knows_restrict(const PgClient *c)
{
        static const int first[] = { 130022, 140019, 150014, 160010, 170006 };
        for (size_t i = 0; i < LEN(first); i++)
                if (first[i] / 10000 == c->version_num / 10000)
                        return c->version_num >= first[i];
        return c->version_num / 10000 > first[LEN(first) - 1] / 10000;
}

void pg_client_done(PgClient *c)
{
        free(c->dir);
        free(c->image);
        *c = (PgClient){ 0 };
}
