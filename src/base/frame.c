#include "base/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

FrameReader frame_reader_init(void)
{
        return (FrameReader){ .in = buf_init(LIMIT_FRAME + 4 + 65536) };
}

void frame_reader_done(FrameReader *r)
{
        buf_done(&r->in);
}

bool frame_fill(FrameReader *r, int fd, bool *ret_eof, Err *err)
{
        char block[65536];
        *ret_eof = false;
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return true;
        if (n < 0)
                return err_set_errno(err, errno, "reading from the control socket");
        if (n == 0)
                *ret_eof = true;
        else if (!buf_add(&r->in, block, (size_t)n))
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
        size_t rest = r->in.len - 4 - len;
        memmove(r->in.data, r->in.data + 4 + len, rest);
        r->in.len = rest;
        r->in.data[rest] = '\0';
        return *ret != NULL || err_wrap(err, "control message");
}

bool frame_send(int fd, const json_t *message, Err *err)
{
        AUTO_FREE char *text = jx_dump(message);
        size_t n = strlen(text);
        if (n > LIMIT_FRAME)
                return err_set(err, ERR_USER, "a control message of %zu bytes is too large", n);
        AUTO_FREE char *out = xmalloc(n + 4);
        uint32_t len = htonl((uint32_t)n);
        memcpy(out, &len, 4);
        memcpy(out + 4, text, n);
        for (size_t at = 0; at < n + 4;) {
                ssize_t k = send(fd, out + at, n + 4 - at, MSG_NOSIGNAL);
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
