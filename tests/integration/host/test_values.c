/* test_values.c: values of a compose file that has no container yet, as Docker Compose reads
 * them. */
#include "kit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"

int main(int argc, char **argv)
{
        return kit_main(argc, argv);
}

static void write_in(const char *dir, const char *name, const char *text)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(dir, name);
        cr_assert(io_replace_file(path, text, strlen(text), 0600, &err), "%s", err.message);
}

/* The password that a service named `service` would get, as the journeys read it. */
static void expect_password(const char *dir, const char *service, const char *want)
{
        AUTO_ERR err = { 0 };
        AUTO_COMPOSE c = NULL;
        AUTO_SECRET s = NULL;
        cr_assert(compose_open(dir, NULL, &c, &err), "%s", err.message);
        cr_assert(compose_service_secret(c, service, "POSTGRES_PASSWORD", "pg", &s, &err), "%s: %s",
                  service, err.message);
        cr_expect_str_eq(secret_expose(s), want, "service %s", service);
}

/* `docker compose config` prints every dollar twice: what it prints is a compose file again. */
Test(values, have_as_many_dollars_as_the_container_will_see)
{
        char dir[] = "/tmp/labtest-values-XXXXXX";
        AUTO_ERR err = { 0 };
        cr_assert_not_null(mkdtemp(dir));
        AUTO_FREE char *odd = io_join(dir, "a$b");
        cr_assert(io_mkdir_p(odd, 0700, &err), "%s", err.message);
        write_in(dir, "a$b/pass$word", "out$of$$a file\n");
        write_in(dir, ".env", "FROM_ENV='in$ide'\nPLAIN=two$$dollars\n");
        write_in(dir, "db.env", "POSTGRES_PASSWORD='raw$one$$two'\n");
        write_in(dir, "compose.yaml",
                 "x-common: &common {image: 'postgres:17'}\n"
                 "services:\n"
                 "  escaped: {<<: *common, environment: {POSTGRES_PASSWORD: 'pa$$word'}}\n"
                 "  many: {<<: *common, environment: {POSTGRES_PASSWORD: '$$a$$$$b$$'}}\n"
                 "  braces: {<<: *common, environment: ['POSTGRES_PASSWORD=$${x}']}\n"
                 "  variable: {<<: *common, environment: {POSTGRES_PASSWORD: '${FROM_ENV}'}}\n"
                 "  default: {<<: *common, environment: {POSTGRES_PASSWORD: '${NOT_SET:-a$$b}'}}\n"
                 "  env_file: {<<: *common, env_file: db.env}\n"
                 "  file: {<<: *common, environment: {POSTGRES_PASSWORD_FILE: /run/secrets/p}, "
                 "secrets: [p]}\n"
                 "secrets: {p: {file: './a$$b/pass$$word'}}\n");
        expect_password(dir, "escaped", "pa$word");
        expect_password(dir, "many", "$a$$b$");
        expect_password(dir, "braces", "${x}");
        expect_password(dir, "variable", "in$ide");
        expect_password(dir, "default", "a$b");
        expect_password(dir, "env_file", "raw$one$$two");
        expect_password(dir, "file", "out$of$$a file");
        cr_expect(io_remove_tree(dir, &err), "%s", err.message);
}
