#include "base/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

FrameReader frame_reader_init(void)
{
        return (FrameReader){ .in = buf_secret(LIMIT_FRAME + 4 + 65536) };
}

void frame_reader_done(FrameReader *r)
{
        buf_done(&r->in);
}

bool frame_fill(FrameReader *r, int fd, bool *ret_eof, Err *err)
{
        char block[16384];
        *ret_eof = false;
        ssize_t n = read(fd, block, sizeof block);
        bool room = n <= 0 || buf_add(&r->in, block, (size_t)n);
        explicit_bzero(block, n > 0 ? (size_t)n : 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return true;
        if (n < 0)
                return err_set_errno(err, errno, "reading from the control socket");
        *ret_eof = n == 0;
        if (!room)
                return err_set(err, ERR_USER, "a control message is larger than %d bytes",
                               LIMIT_FRAME);
        return true;
}

bool frame_next(FrameReader *r, json_t **ret, Err *err)
{
        *ret = NULL;
        if (r->in.len < 4)
                return true;
        uint32_t len;
        memcpy(&len, r->in.data, 4);
        len = ntohl(len);
        if (len > LIMIT_FRAME)
                return err_set(err, ERR_USER, "a control message claims %u bytes", len);
        if (r->in.len < 4 + (size_t)len)
                return true;
        *ret = jx_parse(r->in.data + 4, len, err);
        buf_cut(&r->in, 4 + (size_t)len);
        return *ret != NULL || err_wrap(err, "control message");
}

static bool send_all(int fd, const char *out, size_t n, Err *err)
{
        for (size_t at = 0; at < n;) {
                ssize_t k = send(fd, out + at, n - at, MSG_NOSIGNAL);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0 && errno == EAGAIN) {
                        /* A viewer that does not read for two seconds is gone. */
                        struct pollfd p = { .fd = fd, .events = POLLOUT };
                        if (poll(&p, 1, 2000) > 0)
                                continue;
                }
                if (k < 0)
                        return err_set_errno(err, errno, "writing to the control socket");
                at += (size_t)k;
        }
        return true;
}

bool frame_send(int fd, const json_t *message, Err *err)
{
        AUTO_FREE char *text = jx_dump(message);
        AUTO_BUF out = buf_secret(LIMIT_FRAME + 4);
        size_t n = strlen(text);
        uint32_t len = htonl((uint32_t)n);
        bool fits = n <= LIMIT_FRAME && buf_add(&out, &len, 4) && buf_add(&out, text, n);
        explicit_bzero(text, n);
        if (!fits)
                return err_set(err, ERR_USER, "a control message of %zu bytes is too large", n);
        return send_all(fd, out.data, out.len, err);
}
