/* control.c: the socket of a run: many viewers, frames of JSON, nobody but the owner. */
#include "engine/desk/desk_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"

/* sun_path holds 108 bytes and run directories may be deep: bind through the descriptor. */
static bool bind_here(Engine *e, int fd, Err *err)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/control.sock", e->dir_fd);
        (void)unlinkat(e->dir_fd, "control.sock", 0); /* the lock says nobody listens there */
        mode_t old = umask(0177);
        int rc = bind(fd, (struct sockaddr *)&a, sizeof a);
        int why = errno;
        umask(old);
        if (rc < 0)
                return err_set_errno(err, why, "making the control socket in %s", e->c->run_dir);
        if (listen(fd, 16) < 0)
                return err_set_errno(err, errno, "listening on the control socket");
        return true;
}

static bool check_dir(Engine *e, Err *err)
{
        struct stat st;
        if (fstat(e->dir_fd, &st) < 0)
                return err_set_errno(err, errno, "looking at %s", e->c->run_dir);
        if (st.st_uid != geteuid() || (st.st_mode & 077)) {
                err_set(err, ERR_USER, "run directory %s must be yours alone (mode 0700)",
                        e->c->run_dir);
                return err_hint(err, "chmod 0700 %s", e->c->run_dir);
        }
        return true;
}

static void control_hang_up(Engine *e, Client *cl, const char *cause)
{
        if (cl->fd < 0)
                return;
        if (cl->greeted && cl->told)
                record_run_detach(e, &cl->who, cause);
        base_closep_(&cl->fd);
        cl->fd = -1;
        frame_reader_done(&cl->in);
        buf_done(&cl->out);
}

static void control_peer_name(uid_t uid, char *out, size_t n)
{
        struct passwd pw, *found = NULL;
        char scratch[4096];
        if (getpwuid_r(uid, &pw, scratch, sizeof scratch, &found) == 0 && found)
                snprintf(out, n, "%s", found->pw_name);
        else
                snprintf(out, n, "uid %u", (unsigned)uid);
}

static void control_accept(Engine *e)
{
        for (;;) {
                int fd = accept4(e->desk->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd < 0)
                        return;
                struct ucred who;
                socklen_t n = sizeof who;
                Client *place = NULL;
                for (size_t i = 0; i < (size_t)DESK_CLIENTS && !place; i++)
                        if (e->desk->clients[i].fd < 0)
                                place = &e->desk->clients[i];
                bool ours = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
                            (who.uid == geteuid() || who.uid == 0);
                if (!ours || !place) {
                        close(fd);
                        continue;
                }
                *place = (Client){ .fd = fd,
                                   .in = frame_reader_init(),
                                   .who = { .uid = who.uid, .pid = who.pid },
                                   .out = buf_init(4 * LIMIT_FRAME) };
                control_peer_name(who.uid, place->who.by, sizeof place->who.by);
        }
}

static void control_queue(Client *cl, const json_t *message)
{
        AUTO_FREE char *text = jx_dump(message);
        uint32_t n = (uint32_t)strlen(text);
        unsigned char head[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
                                  (unsigned char)(n >> 8), (unsigned char)n };
        buf_add(&cl->out, head, sizeof head);
        buf_add(&cl->out, text, n);
}

static void control_flush(Engine *e, Client *cl)
{
        size_t sent = 0;
        while (sent < cl->out.len) {
                ssize_t n = send(cl->fd, cl->out.data + sent, cl->out.len - sent,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n <= 0)
                        break;
                sent += (size_t)n;
        }
        if (sent == 0)
                return;
        memmove(cl->out.data, cl->out.data + sent, cl->out.len - sent);
        cl->out.len -= sent;
}

static void control_tell(Engine *e)
{
        pthread_mutex_lock(&e->journal_lock);
        int64_t seq = e->state.last_seq;
        pthread_mutex_unlock(&e->journal_lock);
        for (size_t i = 0; i < (size_t)DESK_CLIENTS; i++) {
                Client *cl = &e->desk->clients[i];
                if (cl->fd < 0 || !cl->greeted || cl->sent_seq >= seq)
                        continue;
                if (cl->out.len > 65536)
                        continue; /* slow reader: it hears of the newest later */
                cl->sent_seq = seq;
                AUTO_JSON j = json_object();
                jx_set_int(j, "seq", seq);
                control_queue(cl, j);
                control_flush(e, cl);
        }
}

static void control_greet(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        jx_set_str(reply, "run", e->run);
        pthread_mutex_lock(&e->journal_lock);
        jx_set_int(reply, "seq", e->state.last_seq);
        pthread_mutex_unlock(&e->journal_lock);
        jx_set_bool(reply, "ok", true);
        if (cl->greeted)
                return;
        const char *by = jx_str(m, "by", "");
        if (*by && cl->who.uid == 0) /* root may say for whom it acts (sudo) */
                snprintf(cl->who.by, sizeof cl->who.by, "%s", by);
        snprintf(cl->who.tty, sizeof cl->who.tty, "%s", jx_str(m, "tty", ""));
        cl->who.watch = jx_bool(m, "watch", false);
        cl->greeted = true;
        cl->told = !jx_bool(m, "quiet", false); /* `pgsherpa ctl`: one word and gone */
        if (!cl->told)
                return;
        record_run_attach(e, &cl->who);
}

static bool take_message(Engine *e, Client *cl, const json_t *m)
{
        const char *cmd = jx_str(m, "cmd", "");
        AUTO_JSON reply = json_object();
        bool bye = str_eq(cmd, "bye");
        if (str_eq(cmd, "hello"))
                control_greet(e, cl, m, reply);
        else if (bye)
                jx_set_bool(reply, "ok", true);
        else
                control_command(e, cl, m, reply);
        json_t *id = jx_get(m, "id");
        if (id)
                json_object_set(reply, "id", id);
        control_queue(cl, reply);
        control_flush(e, cl);
        return !bye;
}

static void control_read(Engine *e, Client *cl)
{
        AUTO_ERR err = { 0 };
        bool eof = false;
        bool ok = frame_fill(&cl->in, cl->fd, &eof, &err);
        while (ok) {
                AUTO_JSON m = NULL;
                ok = frame_next(&cl->in, &m, &err);
                if (!ok || !m)
                        break;
                if (!take_message(e, cl, m)) {
                        control_hang_up(e, cl, "bye");
                        return;
                }
        }
        if (!ok)
                control_hang_up(e, cl, "bad message");
        else if (eof)
                control_hang_up(e, cl, "connection lost");
}

/* ---- in the loop ---- */

static size_t control_wants(Engine *e, struct pollfd *fds, size_t room)
{
        assert(room > DESK_CLIENTS);
        control_tell(e);
        fds[0] = (struct pollfd){ .fd = e->desk->listen_fd, .events = POLLIN };
        for (size_t i = 0; i < DESK_CLIENTS; i++) {
                const Client *cl = &e->desk->clients[i];
                short events = (short)(POLLIN | (cl->out.len ? POLLOUT : 0));
                fds[1 + i] = (struct pollfd){ .fd = cl->fd, .events = events };
        }
        return 1 + DESK_CLIENTS;
}

static void control_ready(Engine *e, const struct pollfd *fds, size_t n)
{
        if (fds[0].revents)
                control_accept(e);
        for (size_t i = 0; i < DESK_CLIENTS; i++) {
                Client *cl = &e->desk->clients[i];
                const struct pollfd *p = &fds[1 + i];
                if (p->fd < 0 || p->fd != cl->fd)
                        continue;
                if (p->revents & POLLOUT)
                        control_flush(e, cl);
                if (p->revents & (POLLIN | POLLHUP | POLLERR))
                        control_read(e, cl);
        }
}

static const LoopUser control_user = { .wants = control_wants,
                                       .ready = control_ready,
                                       .tick = control_tell };

bool control_open(Engine *e, Err *err)
{
        if (!check_dir(e, err))
                return false;
        e->desk->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (e->desk->listen_fd < 0)
                return err_set_errno(err, errno, "making the control socket");
        if (!bind_here(e, e->desk->listen_fd, err))
                return false;
        loop_serve(e, &control_user);
        return true;
}

void control_close(Engine *e)
{
        for (size_t i = 0; i < (size_t)DESK_CLIENTS; i++) {
                Client *cl = &e->desk->clients[i];
                if (cl->fd >= 0)
                        control_flush(e, cl);
                cl->told = false; /* the run is closed: nobody left, we did */
                control_hang_up(e, cl, "engine");
        }
        if (e->desk->listen_fd >= 0)
                (void)unlinkat(e->dir_fd, "control.sock", 0);
        base_closep_(&e->desk->listen_fd);
        e->desk->listen_fd = -1;
}
