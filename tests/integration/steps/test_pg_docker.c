/* A server in a container, reached and asked without a published port. */
#include <stdio.h>
#include <unistd.h>

#include "lab.h"
#include "proc/proc.h"
#include "step_ctx_fake.h"

extern const StepKind step_pg_clients, step_pg_extension_available, step_pg_ready, step_pg_sql;

int main(int argc, char **argv)
{
        if (!str_eq(getenv("PGSHERPA_LAB_DOCKER"), "1")) {
                fprintf(stderr, "skipped: PGSHERPA_LAB_DOCKER is not set: no Docker engine of the "
                                "lab (./dev lab up)\n");
                return 77;
        }
        return lab_main(argc, argv, (int[]){ 17, 0 });
}

static bool docker(const char *const *words, const char *last)
{
        AUTO_ERR err = { 0 };
        AUTO_ARGV a = { 0 };
        AUTO_PROC r = { 0 };
        argv_add(&a, "docker");
        argv_add_all(&a, words);
        if (last)
                argv_add(&a, last);
        return proc_run(&a, &(ProcOptions){ .timeout_ms = 60000 }, &r, &err);
}

static void remove_container(const char *name)
{
        docker((const char *const[]){ "rm", "--force", "--volumes", NULL }, name);
}

#define MUST(ok, err) cr_assert((ok), "%s", (err).message)

Test(pg_ready, waits_for_the_real_server_of_a_container, .timeout = 120)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = xasprintf("test_%d_ready", (int)getpid());
        AUTO_FREE char *arg = xasprintf("--name=%s", name);
        char password[] = "canary";
        const char *const run[] = { "run",
                                    "--detach",
                                    "--pull",
                                    "never",
                                    arg,
                                    "--env",
                                    "POSTGRES_PASSWORD=canary",
                                    "--env",
                                    "POSTGRES_DB=app",
                                    NULL };
        cr_assert(docker(run, "postgres:17"), "docker run");
        AUTO_SECRET s = secret_take("password", password, strlen(password));
        FakeStep f = fake_step(&step_pg_ready, "{\"within\": 60000, \"database\": \"app\"}");
        f.password = s;
        fake_target(&f, "on",
                    json_pack("{s:s, s:{s:s}, s:s, s:s}", "kind", "postgres", "via", "container",
                              name, "user", "postgres", "database", "app"));
        fake_on(&f, "on");
        bool ok = fake_run(&f, &err);
        remove_container(name);
        MUST(ok, err);
        cr_assert_eq(jx_int(f.results, "major", 0), 17);
        err_clear(&err);
        json_object_set_new(f.params, "within", json_integer(100));
        cr_assert_not(fake_run(&f, &err), "the container is gone, and yet it was ready");
        cr_assert_not_null(strstr(err.message, name), "%s", err.message);
        fake_step_done(&f);
}

Test(pg_extension_available, looks_into_an_image)
{
        AUTO_ERR err = { 0 };
        FakeStep f = fake_step(&step_pg_extension_available,
                               "{\"image\": \"postgres:17\", \"need\": [{\"name\": \"pgcrypto\", "
                               "\"version\": \"1.3\"}, [\"pg_trgm\", \"plpgsql\"], \"vchord\"]}");
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *missing = json_dumps(jx_get(f.results, "missing"), JSON_COMPACT);
        cr_assert_str_eq(missing, "[\"vchord\"]");
        fake_step_done(&f);
        f = fake_step(&step_pg_extension_available,
                      "{\"image\": \"pgsherpa-test-none:1\", \"need\": [], \"pull\": false}");
        cr_assert_not(fake_run(&f, &err));
        cr_assert_not_null(err.hint);
        fake_step_done(&f);
}

/* With no client on the host, one in an image that is here does. */
Test(pg_clients, finds_one_in_an_image)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        lab_params(17, NULL, &p);
        unsetenv("PGSHERPA_PG_BIN_17");
        FakeStep f = fake_step(&step_pg_clients, "{}");
        f.password = p.password;
        fake_target(&f, "on",
                    json_pack("{s:s, s:{s:s, s:i}, s:s}", "kind", "postgres", "via", "host", p.host,
                              "port", p.port, "user", p.user));
        fake_on(&f, "on");
        MUST(fake_run(&f, &err), err);
        cr_assert(jx_bool(f.results, "usable", false), "%s", f.report);
        cr_assert_eq(jx_int(f.results, "dump_major", 0), 17);
        cr_assert_str_eq(jx_str(f.results, "dump_where", ""), "postgres:17");
        fake_step_done(&f);
}
