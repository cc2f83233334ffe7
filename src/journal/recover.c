#include "journal/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

/* A week of progress, one a second, is 200 MB; more than this is not one of our journals. */
enum { JOURNAL_MAX = 1024 * 1024 * 1024 };

typedef struct Head {
        int64_t seq;
        char hash[RECORD_HASH + 1];
        bool damaged, missing;
} Head;

static Head read_head(const char *dir)
{
        Head h = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(dir, "head");
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_read_file(path, 4096, &text, &n, &err)) {
                h.missing = err.sys_errno == ENOENT;
                h.damaged = !h.missing;
                return h;
        }
        AUTO_JSON j = jx_parse(text, n, &err);
        const char *hash = jx_str(j, "h", "");
        h.seq = jx_int(j, "seq", 0);
        h.damaged = h.seq <= 0 || strlen(hash) != RECORD_HASH;
        if (!h.damaged)
                memcpy(h.hash, hash, RECORD_HASH);
        return h;
}

/* Of a journal that was sent alone there is no head, and none is missed: NULL. */
static char *dir_beside(const char *path)
{
        const char *slash = strrchr(path, '/');
        char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
        AUTO_FREE char *head = io_join(dir, "head");
        if (io_exists(head))
                return dir;
        free(dir);
        return NULL;
}

/* `opened`: the journal begins as every run's does; only that first record may be older than its
 * head. */
static char *damage_words(const Scan *s, const Head *h, bool opened)
{
        if (s->state == JOURNAL_CORRUPT)
                return xasprintf("journal.jsonl line %lld %s", (long long)s->line, s->why);
        if (h->damaged)
                return xstrdup("the file \"head\" beside journal.jsonl is damaged");
        if (h->missing && opened && s->chain.seq > 1)
                return xstrdup("the file \"head\" beside journal.jsonl is gone: nothing says "
                               "whether the journal's end is still there");
        if (s->chain.seq < h->seq)
                return xasprintf("journal.jsonl ends at record %lld, but \"head\" knows record "
                                 "%lld: its end was removed, or the disk went back in time",
                                 (long long)s->chain.seq, (long long)h->seq);
        if (h->seq && !str_eq(s->head_hash, h->hash))
                return xasprintf("record %lld of journal.jsonl is not the one \"head\" knows: "
                                 "the journal was written anew",
                                 (long long)h->seq);
        return NULL;
}

static bool begins_a_run(const char *bytes, size_t n)
{
        static const char mark[] = ",\"ev\":\"run.open\"";
        const char *end = memchr(bytes, '\n', n);
        return end && memmem(bytes, MIN((size_t)(end - bytes), 200), mark, sizeof mark - 1);
}

/* `dir` NULL: nobody knows where the head is. */
static bool look(const char *file, const char *dir, Scan *ret, char **ret_bytes, size_t *ret_n,
                 char **ret_words, Err *err)
{
        *ret_words = NULL;
        /* The head first: an engine may be at work, and writes the journal before it. */
        Head head = dir ? read_head(dir) : (Head){ 0 };
        if (!io_read_file(file, JOURNAL_MAX, ret_bytes, ret_n, err))
                return false;
        Chain start = chain_start();
        *ret = record_scan(&start, *ret_bytes, *ret_n, 0, head.seq);
        *ret_words = damage_words(ret, &head, begins_a_run(*ret_bytes, *ret_n));
        if (*ret_words)
                ret->state = JOURNAL_CORRUPT;
        return true;
}

bool recover_look(const char *path, Scan *ret, char **ret_words, Err *err)
{
        struct stat st;
        if (stat(path, &st) < 0)
                return err_set_errno(err, errno, "looking for the journal at %s", path);
        bool is_dir = S_ISDIR(st.st_mode);
        AUTO_FREE char *file = is_dir ? io_join(path, "journal.jsonl") : xstrdup(path);
        AUTO_FREE char *dir = is_dir ? xstrdup(path) : dir_beside(path);
        AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        if (!look(file, dir, ret, &bytes, &n, ret_words, err))
                return false;
        if (ret->state == JOURNAL_TORN)
                *ret_words = xasprintf("journal.jsonl line %lld %s (%zu bytes); resuming the run "
                                       "keeps a copy and cuts it",
                                       (long long)ret->line, ret->why, n - ret->good);
        return true;
}

static bool keep_tail(const char *run_dir, const char *bytes, size_t n, char kept_as[64], Err *err)
{
        char iso[32];
        clock_iso(clock_wall_ms(), iso);
        snprintf(kept_as, 64, "journal.torn.%s", iso);
        for (int i = 1;; i++) {
                AUTO_FREE char *path = io_join(run_dir, kept_as);
                AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
                if (fd < 0 && errno == EEXIST && i < 100) {
                        snprintf(kept_as, 64, "journal.torn.%s.%d", iso, i);
                        continue;
                }
                if (fd < 0)
                        return err_set_errno(err, errno, "creating %s", path);
                if (!io_write_all(fd, bytes, n, err))
                        return err_wrap(err, "copying the torn end of the journal to %s", path);
                if (fsync(fd) < 0)
                        return err_set_errno(err, errno, "fsync of %s", path);
                return io_fsync_dir(run_dir, err);
        }
}

bool recover_file(const char *run_dir, int fd, Recovered *ret, Err *err)
{
        AUTO_FREE char *file = io_join(run_dir, "journal.jsonl");
        AUTO_FREE char *bytes = NULL;
        AUTO_FREE char *words = NULL;
        size_t n = 0;
        Scan scan;
        *ret = (Recovered){ 0 };
        if (!look(file, run_dir, &scan, &bytes, &n, &words, err))
                return false;
        if (scan.state == JOURNAL_CORRUPT) {
                err_set(err, ERR_USER, "%s", words);
                return err_hint(err,
                                "nothing was changed; read it with `pgsherpa log %s`, and "
                                "look for a good copy of the directory before going on",
                                run_dir);
        }
        ret->chain = scan.chain;
        if (scan.state == JOURNAL_TORN) {
                ret->cut = (int64_t)(n - scan.good);
                if (!keep_tail(run_dir, bytes + scan.good, n - scan.good, ret->kept_as, err))
                        return false;
                if (ftruncate(fd, (off_t)scan.good) < 0)
                        return err_set_errno(err, errno, "cutting the torn end of %s", file);
        }
        if (scan.no_newline && !io_write_all(fd, "\n", 1, err))
                return err_wrap(err, "completing the last line of %s", file);
        if ((ret->cut || scan.no_newline) && fsync(fd) < 0)
                return err_set_errno(err, errno, "fsync of %s", file);
        return true;
}
