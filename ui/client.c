#include "ui/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void client_init(Client *c, bool watch)
{
        *c = (Client){ .fd = -1, .watch = watch, .reader = frame_reader_init() };
}

static void hang_up(Client *c)
{
        if (c->fd >= 0)
                close(c->fd);
        c->fd = -1;
        frame_reader_done(&c->reader);
        c->reader = frame_reader_init();
}

void client_done(Client *c)
{
        if (c->fd >= 0) {
                AUTO_ERR err = { 0 };
                AUTO_JSON bye = json_pack("{s:s}", "cmd", "bye");
                (void)!frame_send(c->fd, bye, &err);
        }
        hang_up(c);
        frame_reader_done(&c->reader);
        free(c->problem);
        c->problem = NULL;
}

bool client_connect(Client *c, const char *run_dir, const char *who)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        if (c->fd >= 0)
                return true;
        /* sun_path has 108 bytes; a state directory may be deeper than that. */
        AUTO_FD int dir = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return false;
        snprintf(sa.sun_path, sizeof sa.sun_path, "/proc/self/fd/%d/control.sock", dir);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return false;
        if (connect(fd, (struct sockaddr *)&sa, sizeof sa)) {
                close(fd);
                return false;
        }
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        c->fd = fd;
        const char *tty = ttyname(0);
        AUTO_FREE char *user = xstrndup(who, strcspn(who, "@"));
        return client_send(c, json_pack("{s:s,s:s,s:s,s:b,s:b}", "cmd", "hello", "by", user, "tty",
                                        tty && str_starts(tty, "/dev/") ? tty + 5 : "", "watch",
                                        c->watch, "quiet", c->quiet));
}

static void heard(Client *c, const json_t *m)
{
        c->seq = MAX(c->seq, jx_int(m, "seq", 0));
        if (jx_get(m, "ok") && !jx_bool(m, "ok", true)) {
                const char *hint = jx_str(m, "hint", NULL);
                free(c->problem);
                c->problem = xasprintf("%s%s%s", jx_str(m, "error", "the run refused"),
                                       hint ? "; " : "", hint ? hint : "");
        }
}

bool client_read(Client *c)
{
        bool any = false, eof = false;
        if (c->fd < 0)
                return false;
        struct pollfd p = { .fd = c->fd, .events = POLLIN };
        while (poll(&p, 1, 0) > 0) {
                AUTO_ERR err = { 0 };
                if (!frame_fill(&c->reader, c->fd, &eof, &err) || eof) {
                        hang_up(c);
                        return true;
                }
                for (;;) {
                        AUTO_JSON m = NULL;
                        if (!frame_next(&c->reader, &m, &err)) {
                                hang_up(c);
                                return true;
                        }
                        if (!m)
                                break;
                        heard(c, m);
                        any = true;
                }
        }
        return any;
}

bool client_send(Client *c, json_t *command)
{
        AUTO_JSON m = command;
        AUTO_ERR err = { 0 };
        if (c->fd >= 0 && frame_send(c->fd, m, &err))
                return true;
        hang_up(c);
        free(c->problem);
        c->problem = xstrdup("this run does not answer; nothing was sent");
        return false;
}

char *client_problem(Client *c)
{
        char *p = c->problem;
        c->problem = NULL;
        return p;
}
