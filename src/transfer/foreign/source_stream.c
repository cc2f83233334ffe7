#include "transfer/foreign/source_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "archive/plain.h"
#include "base/io.h"
#include "transfer/read/dump.h"
#include "transfer/state/transfer_state.h"

#define PIECE         ((size_t)256 << 10)
#define LOOK_EVERY_MS 200 /* for a wish to stop, while pg_restore says nothing */

struct SourceStream {
        SourceBytes what;
        int file; /* -1: a directory */
        PlainIn *in;
        _Atomic int64_t position;
        /* of an archive */
        pthread_t runner;
        bool running, joined, ok, at_end;
        volatile bool stop;
        int out, write_end; /* pg_restore writes, we read */
        Err err;
        /* of a tar: where its next header is */
        unsigned char header[512];
        int64_t to_header;
        size_t in_header;
        bool tar_ended;
};

/* ---- pg_restore, in a thread of its own ---- */

/* The size in a header of a tar: octal, or (from 8 GB on) binary behind a byte of 0x80. */
static int64_t tar_size(const unsigned char *field)
{
        int64_t n = 0;
        for (int i = 1; i < 12 && field[0] == 0x80; i++)
                n = (int64_t)((uint64_t)n << 8 | field[i]);
        for (int i = 0; i < 12 && field[0] != 0x80; i++)
                if (field[i] >= '0' && field[i] <= '7')
                        n = n * 8 + (field[i] - '0');
        return n < 0 ? 0 : n;
}

/* Follows the headers as they pass: pg_restore (13) turns for ever on a tar that was cut off. */
static void tar_passes(SourceStream *s, const char *p, size_t n)
{
        static const unsigned char zeros[512];
        while (n > 0 && !s->tar_ended) {
                size_t step = s->to_header > 0 ? (size_t)MIN(s->to_header, (int64_t)n)
                                               : MIN(sizeof s->header - s->in_header, n);
                if (s->to_header > 0) {
                        s->to_header -= (int64_t)step;
                } else {
                        memcpy(s->header + s->in_header, p, step);
                        s->in_header += step;
                }
                if (s->in_header == sizeof s->header) {
                        s->in_header = 0;
                        s->to_header = (tar_size(s->header + 124) + 511) / 512 * 512;
                        s->tar_ended = memcmp(s->header, zeros, sizeof zeros) == 0;
                }
                p += step;
                n -= step;
        }
}

/* Writes the archive, unpacked should it be packed, into pg_restore. */
static bool feed_all(SourceStream *s, int to, Err *err)
{
        AUTO_FREE char *piece = xmalloc(PIECE);
        for (;;) {
                size_t n = 0;
                if (s->stop)
                        return err_set(err, ERR_CANCELLED, "stopped on request");
                if (!plain_in_read(s->in, piece, PIECE, &n, err))
                        return false;
                atomic_store(&s->position, plain_in_position(s->in));
                if (s->what.kind == SOURCE_TAR)
                        tar_passes(s, piece, n);
                if (n == 0 && s->what.kind == SOURCE_TAR && !s->tar_ended)
                        return err_set(err, ERR_USER, "the tar was cut off: it has no end");
                if (n == 0)
                        return true;
                if (!io_write_all(to, piece, n, err))
                        return false;
        }
}

static bool stream_feed(void *arg, int to, Err *err)
{
        SourceStream *s = arg;
        bool ok = feed_all(s, to, err);
        if (!ok && err->sys_errno != EPIPE)
                s->stop = true; /* pg_restore need not wait for more */
        return ok;
}

static void *stream_run(void *arg)
{
        SourceStream *s = arg;
        bool directory = s->what.kind == SOURCE_DIRECTORY;
        DumpRun d = { .client = s->what.client,
                      .cancel = &s->stop,
                      .see = directory ? s->what.path : NULL };
        DumpSql w = { .directory = directory ? s->what.path : NULL,
                      .feed = stream_feed,
                      .arg = s,
                      .to = s->write_end,
                      .schema_only = s->what.schema_only };
        s->ok = dump_as_sql(&d, &w, &s->err);
        close(s->write_end);
        s->write_end = -1;
        return NULL;
}

static bool stream_start(SourceStream *s, Err *err)
{
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return err_set_errno(err, errno, "making a pipe for pg_restore");
        s->out = ends[0];
        s->write_end = ends[1];
        int why = pthread_create(&s->runner, NULL, stream_run, s);
        if (why != 0)
                return err_set_errno(err, why, "starting a thread");
        s->running = true;
        return true;
}

bool source_stream_open(const SourceBytes *b, SourceStream **ret, Err *err)
{
        AUTO_SOURCESTREAM s = xcalloc(1, sizeof *s);
        s->what = *b;
        s->file = s->out = s->write_end = -1;
        if (b->kind != SOURCE_DIRECTORY) {
                s->file = open(b->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
                if (s->file < 0)
                        return err_set_errno(err, errno, "opening it");
                s->in = plain_in_new(s->file);
        }
        if (b->kind != SOURCE_SQL && !stream_start(s, err))
                return false;
        *ret = s;
        s = NULL;
        return true;
}

static bool from_pipe(SourceStream *s, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        for (;;) {
                struct pollfd fd = { .fd = s->out, .events = POLLIN };
                if (transfer_stopped(s->what.t, err))
                        return false;
                int ready = poll(&fd, 1, LOOK_EVERY_MS);
                if (ready < 0 && errno != EINTR)
                        return err_set_errno(err, errno, "waiting for pg_restore");
                if (ready <= 0)
                        continue;
                ssize_t got = read(s->out, bytes, n);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return err_set_errno(err, errno, "reading from pg_restore");
                *ret_n = (size_t)got;
                s->at_end = got == 0;
                return true;
        }
}

bool source_stream_read(void *stream, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        SourceStream *s = stream;
        if (s->what.kind != SOURCE_SQL)
                return from_pipe(s, bytes, n, ret_n, err);
        if (transfer_stopped(s->what.t, err) || !plain_in_read(s->in, bytes, n, ret_n, err))
                return false;
        atomic_store(&s->position, plain_in_position(s->in));
        return true;
}

int64_t source_stream_position(SourceStream *s)
{
        return atomic_load(&s->position);
}

static void join(SourceStream *s)
{
        if (s->running && !s->joined)
                pthread_join(s->runner, NULL);
        s->joined = true;
}

bool source_stream_end(SourceStream *s, Err *err)
{
        if (!s->at_end)
                return true; /* SQL; or we stopped reading, and it is still writing */
        join(s);
        if (s->ok)
                return true;
        err_move(err, &s->err);
        return false;
}

SourceStream *source_stream_free(SourceStream *s)
{
        if (s) {
                s->stop = true;
                if (s->out >= 0)
                        close(s->out); /* whoever still writes is told so */
                join(s);
                if (s->write_end >= 0)
                        close(s->write_end);
                err_clear(&s->err);
                s->in = plain_in_free(s->in);
                if (s->file >= 0)
                        close(s->file);
                free(s);
        }
        return NULL;
}
