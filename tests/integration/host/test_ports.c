/* test_ports.c: a service's published port is held by somebody else while it is to start. */
#include "kit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/ports.h"

static int web_port(const Kit *k)
{
        AUTO_FREE char *env = kit_file((Kit *)k, ".env");
        const char *at = strstr(env, "WEB_PORT=");
        cr_assert_not_null(at);
        return atoi(at + 9);
}

/* The engine lets go of a stopped container's port a moment after it said that it is down. */
static int listen_on(int port)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
        cr_assert_geq(fd, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        for (int i = 0; i < 50; i++) {
                if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 5) == 0)
                        return fd;
                usleep(100 * 1000);
        }
        cr_assert_fail("port %d is not free", port);
        return -1;
}

static void *let_go_after_two_seconds(void *arg)
{
        sleep(2);
        close(*(int *)arg);
        return NULL;
}

Test(ports, one_that_is_let_go_after_two_seconds_is_waited_for)
{
        AUTO_KIT k = kit_new(15);
        kit_run(&k, "stop", "compose.stop", json_pack("{s:[s]}", "services", "web"));
        int fd = listen_on(web_port(&k));
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, let_go_after_two_seconds, &fd), 0);
        kit_run(&k, "up", "compose.up", json_pack("{s:[s]}", "services", "web"));
        pthread_join(thread, NULL);
        kit_expect(&k, "web", "running healthy");

        /* The same on the way back, where `docker start` does it. */
        kit_run(&k, "stop2", "compose.stop", json_pack("{s:[s]}", "services", "web"));
        fd = listen_on(web_port(&k));
        cr_assert_eq(pthread_create(&thread, NULL, let_go_after_two_seconds, &fd), 0);
        kit_undo(&k, "stop2");
        pthread_join(thread, NULL);
        kit_expect(&k, "web", "running healthy");
}

Test(ports, one_that_stays_taken_is_named_with_its_holder)
{
        AUTO_KIT k = kit_new(15);
        AUTO_ERR err = { 0 };
        int port = web_port(&k);
        kit_run(&k, "stop", "compose.stop", json_pack("{s:[s]}", "services", "web"));
        int fd = listen_on(port);
        cr_assert_not(kit_try(&k, "run", "up", "compose.up",
                              json_pack("{s:[s]}", "services", "web"), &err));
        AUTO_FREE char *me = xasprintf("(process %d)", (int)getpid());
        AUTO_FREE char *where = xasprintf("port 127.0.0.1:%d is taken by", port);
        cr_expect_not_null(strstr(err.message, where), "%s", err.message);
        cr_expect_not_null(strstr(err.message, me), "%s", err.message);
        cr_expect_not_null(strstr(err.hint, "retry"), "%s", err.hint);
        close(fd);
        err_clear(&err);

        AUTO_FREE char *publish = xasprintf("127.0.0.1:%d:8080", port);
        AUTO_FREE char *name = xasprintf("%s-squatter", k.project);
        free(kit_docker("run", "--detach", "--name", name, "--publish", publish, "--entrypoint",
                        "sleep", "postgres:15", "600", NULL));
        bool ok = kit_try(&k, "run", "start", "compose.start",
                          json_pack("{s:[s]}", "services", "web"), &err);
        free(kit_docker("rm", "--force", name, NULL));
        cr_assert_not(ok);
        AUTO_FREE char *who = xasprintf("is taken by container %s", name);
        cr_expect_not_null(strstr(err.message, who), "%s", err.message);
        kit_run(&k, "start", "compose.start", json_pack("{s:[s]}", "services", "web"));
        kit_expect(&k, "web", "running healthy");
}

int main(int argc, char **argv)
{
        return kit_main(argc, argv);
}
