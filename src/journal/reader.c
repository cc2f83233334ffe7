#include "journal/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "journal/record.h"
#include "journal/recover.h"

struct JournalReader {
        char *path;
        int fd; /* -1: the file is not there yet */
        Chain chain;
        off_t offset; /* of the first byte of `block` in the file */
        char *block;
        size_t at, len; /* block[at..len) is read and not yet looked at */
        json_t *last;
        bool skip_progress;
};

enum { BLOCK = 256 * 1024 }; /* >= LIMIT_RECORD: a whole line always fits */

JournalReader *journal_reader_open(const char *run_dir, Err *err)
{
        struct stat st;
        if (stat(run_dir, &st) < 0) {
                err_set_errno(err, errno, "looking for the run in %s", run_dir);
                return NULL;
        }
        JournalReader *r = xcalloc(1, sizeof *r);
        r->path = S_ISDIR(st.st_mode) ? io_join(run_dir, "journal.jsonl") : xstrdup(run_dir);
        r->fd = -1;
        r->chain = chain_start();
        r->block = xmalloc(BLOCK);
        return r;
}

JournalReader *journal_reader_close(JournalReader *r)
{
        if (!r)
                return NULL;
        if (r->fd >= 0)
                close(r->fd);
        json_decref(r->last);
        free(r->block);
        free(r->path);
        free(r);
        return NULL;
}

void journal_reader_skip_progress(JournalReader *r)
{
        r->skip_progress = true;
}

const char *journal_reader_hash(const JournalReader *r)
{
        return r->chain.hash;
}

/* Reads anew from the first byte not yet consumed: the tail of a growing file may have been
 * half a line, or a torn one that was cut since. */
static bool refill(JournalReader *r, Err *err)
{
        if (r->fd < 0 && (r->fd = open(r->path, O_RDONLY | O_CLOEXEC)) < 0) {
                if (errno == ENOENT)
                        return true;
                return err_set_errno(err, errno, "opening %s", r->path);
        }
        r->offset += (off_t)r->at;
        r->at = r->len = 0;
        ssize_t n;
        do
                n = pread(r->fd, r->block, BLOCK, r->offset);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return err_set_errno(err, errno, "reading %s", r->path);
        r->len = (size_t)n;
        return true;
}

/* A line that does not fit: torn tails are the end (for now), all else is damage. */
static bool is_end(JournalReader *r, Err *err)
{
        Scan s;
        AUTO_FREE char *words = NULL;
        if (!recover_look(r->path, &s, &words, err))
                return false;
        if (s.state == JOURNAL_CORRUPT && s.chain.seq <= r->chain.seq)
                return err_set(err, ERR_USER, "%s", words);
        return true;
}

static bool take(JournalReader *r, const char *line, size_t n, Event *ev, Err *err)
{
        if (!record_parse(line, n, ev, err))
                return err_wrap(err, "%s record %lld", r->path, (long long)r->chain.seq);
        r->last = ev->fields;
        return true;
}

bool journal_next(JournalReader *r, Event *ev, Err *err)
{
        bool filled = false;
        *ev = (Event){ 0 };
        json_decref(r->last);
        r->last = NULL;
        for (;;) {
                const char *line = r->block + r->at;
                const char *end = memchr(line, '\n', r->len - r->at);
                if (!end && filled)
                        return r->len - r->at < LIMIT_RECORD || is_end(r, err);
                if (!end) {
                        if (!refill(r, err))
                                return false;
                        filled = true;
                        continue;
                }
                size_t n = (size_t)(end - line);
                if (!record_follows(&r->chain, line, n)) {
                        if (filled)
                                return is_end(r, err);
                        if (!refill(r, err)) /* a torn tail may have been cut meanwhile */
                                return false;
                        filled = true;
                        continue;
                }
                r->at += n + 1;
                if (r->skip_progress && record_is_progress(line, n))
                        continue;
                if (!take(r, line, n, ev, err))
                        return false;
                if (ev->type != EV_NONE)
                        return true;
                json_decref(r->last); /* a word of a newer version: not for us */
                r->last = NULL;
                ev->fields = NULL;
        }
}

bool journal_verify(const char *run_dir, JournalState *ret, int64_t *ret_records, char **ret_words,
                    Err *err)
{
        Scan s;
        *ret_words = NULL;
        if (!recover_look(run_dir, &s, ret_words, err))
                return false;
        *ret = s.state;
        *ret_records = s.chain.seq;
        return true;
}
