#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "host/container_server.h"
#include "host/container.h"
#include "tests/fakes/scratch.h"

static json_t *parse(const char *text)
{
        AUTO_ERR err = { 0 };
        json_t *j = jx_parse(text, strlen(text), &err);
        cr_assert_not_null(j, "%s", err.message);
        return j;
}

Test(container, finds_the_mount_that_really_holds_the_data)
{
        AUTO_JSON c = parse("{\"Config\": {\"Env\": [\"PG_MAJOR=18\", "
                            "\"PGDATA=/var/lib/postgresql/18/docker\"]},\"Mounts\": [{\"Name\": "
                            "\"named\", \"Destination\": \"/var/lib/postgresql/data\"},{\"Name\": "
                            "\"outer\", \"Destination\": \"/var/lib/postgresql\"},{\"Name\": "
                            "\"near\", \"Destination\": \"/var/lib/postgres\"}]}");
        const json_t *m = container_mount_of(c, container_pgdata(c));
        cr_assert_str_eq(jx_str(m, "Name", ""), "outer");
        cr_assert_str_eq(jx_str(container_mount_of(c, "/var/lib/postgresql/data"), "Name", ""),
                         "named");
        cr_assert_null(container_mount_of(c, "/srv"));
        cr_assert_eq(container_pg_major(c), 18);
}

Test(container, does_not_take_a_longer_name_for_the_one_asked)
{
        AUTO_JSON c = parse("{\"Config\": {\"Env\": [\"POSTGRES_PASSWORD_FILE=/run/x\", "
                            "\"POSTGRES_USER=a=b\"]}}");
        cr_assert_null(container_env(c, "POSTGRES_PASSWORD"));
        cr_assert_str_eq(container_env(c, "POSTGRES_USER"), "a=b");
        cr_assert_str_eq(container_health(c), "none");
}

Test(container, knows_a_volume_that_nobody_named)
{
        cr_assert(volume_is_anonymous(
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
        cr_assert_not(volume_is_anonymous("pgdata"));
}

Test(container, address_of_a_stopped_one_names_its_state)
{
        AUTO_JSON c = parse("{\"Name\": \"/app-db-1\", \"State\": {\"Status\": \"exited\", "
                            "\"Running\": false}}");
        AUTO_ERR err = { 0 };
        AUTO_CONTAINER_ADDRESS at = { 0 };
        cr_assert_not(container_address(NULL, c, &at, &err));
        cr_assert_not_null(strstr(err.message, "app-db-1 is not running (exited)"), "%s",
                           err.message);
        cr_assert_eq(err.kind, ERR_LINK);
}

Test(container, server_says_where_it_listens)
{
        AUTO_CONTAINER_SERVER s = { 0 };
        cr_assert(container_server_parse("1\n/var/lib/postgresql/data\n1700000000\n55433\n/var/run/"
                                         "postgresql\n*\n  5432001 0\nready   \n",
                                         &s));
        cr_assert_eq(s.port, 55433);
        cr_assert_str_eq(s.listens, "*");
        cr_assert_str_eq(s.socket_dir, "/var/run/postgresql");
        AUTO_CONTAINER_SERVER none = { 0 };
        cr_assert(container_server_parse("1\n/d\n1\n5432\n\n\n", &none));
        cr_assert_str_eq(none.listens, "");
        AUTO_CONTAINER_SERVER cut = { 0 };
        cr_assert_not(container_server_parse("1\n/d\n1\n", &cut));
        cr_assert_not(container_server_parse("", &cut));
        cr_assert_not(container_server_parse("1\n/d\n1\nport\n\n\n", &cut));
}

Test(container, reads_every_form_of_user_and_database)
{
        char path[] = "/tmp/labtest-secret-XXXXXX";
        int fd = mkstemp(path);
        cr_assert(fd >= 0 && write(fd, "\"; drop $(rm)\n\n", 15) == 15);
        close(fd);
        AUTO_FREE char *text = xasprintf("{\"Config\": {\"Env\": "
                                         "[\"POSTGRES_USER_FILE=/run/secrets/u\"]}, \"Mounts\": "
                                         "[{\"Source\": \"%s\", \"Destination\": "
                                         "\"/run/secrets/u\"}]}",
                                         path);
        AUTO_JSON c = parse(text);
        AUTO_FREE char *user = NULL, *db = NULL;
        AUTO_ERR err = { 0 };
        cr_assert(container_login(NULL, c, &user, &db, &err), "%s", err.message);
        cr_assert_str_eq(user, "\"; drop $(rm)");
        cr_assert_str_eq(db, user);
        unlink(path);
}

Test(docker, tells_no_daemon_from_no_permission)
{
        AUTO_ERR err = { 0 };
        docker_explain(
                &err,
                "permission denied while trying to connect to the Docker daemon socket at unix");
        cr_assert_not_null(strstr(err.message, "no permission"));
        cr_assert_not_null(strstr(err.hint, "group docker"));
        err_clear(&err);
        docker_explain(
                &err,
                "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?");
        cr_assert_eq(err.kind, ERR_LINK);
        err_clear(&err);
        docker_explain(&err, "No such object: x");
        cr_assert_eq(err.kind, ERR_NONE);
}

Test(docker, says_that_the_command_is_missing)
{
        setenv("PATH", "/nowhere", 1);
        AUTO_ERR err = { 0 };
        cr_assert_not(docker_usable(NULL, &err));
        cr_assert_str_eq(err.message, "the docker command was not found");
}

/* A docker that only answers what the test wants. Its directory goes with the test. */
static char *dir;

static void remove_docker(void)
{
        AUTO_ERR err = { 0 };
        cr_assert(io_remove_tree(dir, &err), "%s", err.message);
        free(dir);
}

static void fake_docker(const char *docker, const char *v1)
{
        dir = scratch_dir();
        AUTO_ERR err = { 0 };
        AUTO_FREE char *a = xasprintf("%s/docker", dir);
        AUTO_FREE char *b = xasprintf("%s/docker-compose", dir);
        AUTO_FREE char *path = xasprintf("%s:/usr/bin:/bin", dir);
        cr_assert(io_replace_file(a, docker, strlen(docker), 0755, &err));
        cr_assert(!v1 || io_replace_file(b, v1, strlen(v1), 0755, &err));
        setenv("PATH", path, 1);
}

Test(docker, names_compose_v1_and_refuses_it, .fini = remove_docker)
{
        AUTO_ERR err = { 0 };
        fake_docker("#!/bin/sh\necho \"docker: 'compose' is not a docker command.\" >&2; exit 1\n",
                    "#!/bin/sh\necho 1.29.2\n");
        cr_assert_not(docker_compose_usable(NULL, &err));
        cr_assert_not_null(strstr(err.message, "only Docker Compose v1"), "%s", err.message);
        cr_assert_not_null(err.hint);
}

Test(docker, says_when_there_is_no_compose_or_an_old_one, .fini = remove_docker)
{
        AUTO_ERR err = { 0 };
        fake_docker("#!/bin/sh\necho v1.9; exit 0\n", NULL);
        cr_assert_not(docker_compose_usable(NULL, &err));
        cr_assert_not_null(strstr(err.message, "needs version 2"), "%s", err.message);
}

Test(docker, tells_a_daemon_that_is_not_there, .fini = remove_docker)
{
        AUTO_ERR err = { 0 };
        fake_docker("#!/bin/sh\n"
                    "echo '{\"ServerErrors\": [\"Cannot connect to the Docker daemon at unix:///x. "
                    "Is the docker daemon running?\"]}'\n",
                    NULL);
        cr_assert_not(docker_usable(NULL, &err));
        cr_assert_eq(err.kind, ERR_LINK);
        cr_assert_str_eq(err.message, "the Docker engine does not answer");
}

Test(docker, repeats_what_docker_said_and_nothing_around_it, .fini = remove_docker)
{
        AUTO_ERR err = { 0 };
        AUTO_ARGV a = { 0 };
        fake_docker("#!/bin/sh\necho pulling >&2; echo 'Error response from daemon: manifest "
                    "unknown' >&2; exit 1\n",
                    NULL);
        argv_add_all(&a, (const char *const[]){ "docker", "pull", "--", "x:1", NULL });
        cr_assert_not(docker_do(NULL, &a, NULL, &err));
        cr_assert_str_eq(err.message, "docker pull: manifest unknown");
        cr_assert_eq(err.exit_status, 1);
}
