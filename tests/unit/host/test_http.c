/* test_http.c: against a server of forty lines in a thread, on a port of its own. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/http.h"

static int listener = -1, port;

static void answer(int fd, const char *path)
{
        char head[512];
        if (strcmp(path, "/away") == 0) {
                snprintf(head, sizeof head,
                         "HTTP/1.1 302 x\r\nLocation: http://localhost:%d/ok\r\nContent-Length: "
                         "0\r\nConnection: close\r\n\r\n",
                         port);
        } else if (strcmp(path, "/next") == 0) {
                snprintf(head, sizeof head,
                         "HTTP/1.1 302 x\r\nLocation: /ok\r\nContent-Length: 0\r\nConnection: "
                         "close\r\n\r\n");
        } else if (strcmp(path, "/round") == 0) {
                snprintf(head, sizeof head,
                         "HTTP/1.1 302 x\r\nLocation: /round\r\nContent-Length: 0\r\nConnection: "
                         "close\r\n\r\n");
        } else if (strcmp(path, "/sad") == 0) {
                snprintf(head, sizeof head,
                         "HTTP/1.1 503 x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsad\n");
        } else if (strcmp(path, "/file") == 0) {
                snprintf(head, sizeof head,
                         "HTTP/1.1 302 x\r\nLocation: file:///etc/passwd\r\nContent-Length: "
                         "0\r\nConnection: close\r\n\r\n");
        } else if (strcmp(path, "/endless") == 0) {
                snprintf(head, sizeof head, "HTTP/1.1 200 x\r\nConnection: close\r\n\r\n");
                char block[65536];
                memset(block, 'x', sizeof block);
                ssize_t n = write(fd, head, strlen(head));
                for (int i = 0; i < 64 && n > 0; i++)
                        n = write(fd, block, sizeof block);
                return;
        } else {
                snprintf(head, sizeof head,
                         "HTTP/1.1 200 x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
        }
        ssize_t ignored = write(fd, head, strlen(head));
        (void)ignored;
}

static void *serve(void *arg)
{
        for (;;) {
                int fd = accept(listener, NULL, NULL);
                if (fd < 0)
                        return NULL;
                char request[2048] = "", path[256] = "";
                ssize_t n = read(fd, request, sizeof request - 1);
                if (n > 0 && sscanf(request, "GET %255s", path) == 1)
                        answer(fd, path);
                close(fd);
        }
}

static void start(void)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof a;
        listener = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert_eq(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
        cr_assert_eq(listen(listener, 8), 0);
        cr_assert_eq(getsockname(listener, (struct sockaddr *)&a, &len), 0);
        port = ntohs(a.sin_port);
        pthread_t t;
        cr_assert_eq(pthread_create(&t, NULL, serve, NULL), 0);
        pthread_detach(t);
}

static bool get(const char *path, HttpAnswer *a, Err *err)
{
        AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d%s", port, path);
        return http_get(&(HttpRequest){ .url = url, .timeout_ms = 5000 }, a, err);
}

Test(http, any_status_is_an_answer, .init = start)
{
        HttpAnswer a = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(get("/ok", &a, &err), "%s", err.message);
        cr_assert_eq(a.status, 200);
        cr_assert_str_eq(buf_str(&a.body), "ok\n");
        http_answer_done(&a);
        cr_assert(get("/sad", &a, &err));
        cr_assert_eq(a.status, 503);
        http_answer_done(&a);
}

Test(http, follows_within_the_host_and_not_beyond, .init = start)
{
        HttpAnswer a = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(get("/next", &a, &err), "%s", err.message);
        cr_assert_eq(a.status, 200);
        cr_assert(str_ends(a.url, "/ok"));
        http_answer_done(&a);
        cr_assert_not(get("/away", &a, &err));
        cr_assert_not_null(strstr(err.message, "to another place"), "%s", err.message);
        http_answer_done(&a);
        err_clear(&err);
        cr_assert_not(get("/file", &a, &err));
        http_answer_done(&a);
        err_clear(&err);
        cr_assert_not(get("/round", &a, &err));
        cr_assert_not_null(strstr(err.message, "redirecting"), "%s", err.message);
        http_answer_done(&a);
}

Test(http, keeps_no_more_of_a_body_than_its_limit, .init = start)
{
        HttpAnswer a = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(get("/endless", &a, &err), "%s", err.message);
        cr_assert_eq(a.body.len, LIMIT_HTTP_BODY);
        http_answer_done(&a);
}

Test(http, refuses_what_is_no_page)
{
        static const char *const bad[] = { "file:///etc/passwd",
                                           "ftp://x/",
                                           "http://user:pw@127.0.0.1/",
                                           "",
                                           "http://",
                                           "nonsense" };
        for (size_t i = 0; i < LEN(bad); i++) {
                HttpAnswer a = { 0 };
                AUTO_ERR err = { 0 };
                cr_expect_not(
                        http_get(&(HttpRequest){ .url = bad[i], .timeout_ms = 1000 }, &a, &err),
                        "%s", bad[i]);
                cr_expect_eq(err.kind, ERR_USER, "%s: %s", bad[i], err.message);
                cr_expect_null(strstr(err.message, "pw@"), "%s", err.message);
                http_answer_done(&a);
        }
}

Test(http, says_that_nobody_listens)
{
        HttpAnswer a = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(http_get(&(HttpRequest){ .url = "http://127.0.0.1:1/", .timeout_ms = 2000 },
                               &a, &err));
        cr_assert_eq(err.kind, ERR_LINK, "%s", err.message);
        http_answer_done(&a);
}
