/* What a server of ours takes from a service's container, and what it says that it does not. */
#include <criterion/criterion.h>

#include "base/buf.h"
#include "kit/layout.h"
#include "kit/run_as.h"

static json_t *parsed(const char *text)
{
        json_error_t e;
        json_t *j = json_loads(text, 0, &e);
        cr_assert_not_null(j, "%s: %s", e.text, text);
        return j;
}

#define IMAGE                                                                                      \
        "{\"Config\": {\"Entrypoint\": [\"docker-entrypoint.sh\"], \"Cmd\": [\"postgres\"], "      \
        "\"Env\": [\"PATH=/bin\", \"LANG=en_US.utf8\", \"PGDATA=/var/lib/postgresql/data\"]}}"

static json_t *with(const char *config)
{
        AUTO_FREE char *text =
                xasprintf("{\"Id\": \"x\", \"HostConfig\": {}, \"Config\": {\"Entrypoint\": "
                          "[\"docker-entrypoint.sh\"], \"Env\": [], %s}}",
                          config);
        return parsed(text);
}

static char *command(const char *config)
{
        AUTO_JSON service = with(config);
        AUTO_JSON image = parsed(IMAGE);
        AUTO_ARGV a = { 0 };
        PgLayout layout = { .pgdata = (char *)"/data", .mount = (char *)"/data" };
        argv_add(&a, "IMAGE");
        kit_service_command(service, image, &layout, &a);
        return argv_for_humans(&a);
}

static char *differs(const char *config)
{
        AUTO_JSON service = with(config);
        AUTO_JSON image = parsed(IMAGE);
        AUTO_JSON list = kit_differs_from_service(NULL, service, image);
        return jx_dump(list);
}

Test(run_like, options_are_taken_and_ours_come_last)
{
        AUTO_FREE char *text = command(
                "\"Cmd\": [\"postgres\", \"-c\", \"port=6000\", \"--work_mem=7MB\", \"-c\", "
                "\"archive_mode=on\"]");
        const char *theirs = strstr(text, "port=6000"), *ours = strstr(text, "port=5432");
        cr_expect(theirs && ours && theirs < ours, "%s", text);
        cr_expect_not_null(strstr(text, "--work_mem=7MB"), "%s", text);
        cr_expect(strstr(text, "archive_mode=on") < strstr(text, "archive_mode=off"), "%s", text);
        cr_expect_not_null(strstr(text, "hba_file=/data/pg_hba.conf"), "%s", text);
}

Test(run_like, a_plain_command_stays_plain)
{
        AUTO_FREE char *one = command("\"Cmd\": [\"postgres\"]"), *none = command("\"Cmd\": null");
        cr_expect_str_eq(one, "IMAGE");
        cr_expect_str_eq(none, "IMAGE");
        AUTO_FREE char *says = differs("\"Cmd\": [\"postgres\"]");
        cr_expect_str_eq(says, "[]");
}

Test(run_like, a_password_on_a_command_line_is_left_out_and_named)
{
        static const char config[] =
                "\"Cmd\": [\"-c\", \"primary_conninfo=host=a password=pl4nted\", \"-c\", "
                "\"app.secret_key=pl4nted\", \"--x.url=s3://a:pl4nted@b\", \"-c\", "
                "\"work_mem=7MB\"]";
        AUTO_FREE char *text = command(config), *says = differs(config);
        cr_expect_null(strstr(text, "pl4nted"), "%s", text);
        cr_expect_not_null(strstr(text, "work_mem=7MB"), "%s", text);
        cr_expect_null(strstr(says, "pl4nted"), "%s", says);
        cr_expect_not_null(strstr(says, "primary_conninfo on the command line"), "%s", says);
        cr_expect_not_null(strstr(says, "app.secret_key on the command line"), "%s", says);
}

Test(run_like, a_program_around_the_server_is_said)
{
        AUTO_FREE char *shell =
                differs("\"Cmd\": [\"sh\", \"-c\", \"exec postgres -c password=pl4nted\"]");
        cr_expect_not_null(strstr(shell, "a program around the server (sh)"), "%s", shell);
        cr_expect_null(strstr(shell, "pl4nted"), "%s", shell);
        AUTO_JSON service = parsed("{\"HostConfig\": {}, \"Config\": {\"Entrypoint\": "
                                   "[\"/wrap.sh\"], \"Cmd\": [\"postgres\"]}}");
        AUTO_JSON image = parsed(IMAGE);
        AUTO_JSON list = kit_differs_from_service(NULL, service, image);
        AUTO_FREE char *own = jx_dump(list);
        cr_expect_not_null(strstr(own, "an entrypoint of its own (/wrap.sh)"), "%s", own);
}

Test(run_like, limits_and_places_are_said)
{
        AUTO_JSON service =
                parsed("{\"HostConfig\": {\"Memory\": 268435456, \"CpuQuota\": 50000, "
                       "\"PidsLimit\": 90}, "
                       "\"Config\": {\"Entrypoint\": [\"docker-entrypoint.sh\"], \"Env\": "
                       "[\"POSTGRES_INITDB_WALDIR=/wal\", \"NOTE=a\\nb\"]}}");
        AUTO_JSON image = parsed(IMAGE);
        AUTO_JSON list = kit_differs_from_service(NULL, service, image);
        AUTO_FREE char *text = jx_dump(list);
        cr_expect_not_null(strstr(text, "(256.0 MB of memory, a share of the CPUs, 90 processes)"),
                           "%s", text);
        cr_expect_not_null(strstr(text, "POSTGRES_INITDB_WALDIR (/wal)"), "%s", text);
        cr_expect_not_null(strstr(text, "NOTE holds a line break"), "%s", text);
}

/* Everything but what the image says itself, what is given by name, and what is for clients. */
Test(run_like, the_environment_is_taken)
{
        AUTO_JSON service = with("\"x\": 0");
        AUTO_JSON image = parsed(IMAGE);
        json_object_set_new(jx_get(service, "Config"), "Env",
                            json_pack("[s,s,s,s,s,s,s,s,s]", "PATH=/mine", "LANG=en_US.utf8",
                                      "LC_ALL=de_DE.utf8", "TZ=UTC", "POSTGRES_PASSWORD=p",
                                      "PGHOST=x", "A B=c", "E==x # y", "POSTGRES_INITDB_ARGS=-k"));
        AUTO_BUF b = buf_init(4096);
        AUTO_FREE char *initdb = NULL;
        AUTO_ERR err = { 0 };
        cr_assert(kit_service_environment(NULL, service, image, &initdb, &b, &err));
        cr_expect_str_eq(buf_str(&b), "LC_ALL=de_DE.utf8\nTZ=UTC\nE==x # y\n");
        cr_expect_str_eq(initdb, "-k");
}
