#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "journal/event_table.h"
#include "journal/failpoint.h"
#include "journal/fields.h"
#include "journal/record.h"
#include "journal/recover.h"

enum { BALLAST = 1024 * 1024 };

struct Journal {
        char *dir;
        int fd;
        off_t size; /* of good records */
        Chain chain;
        Buf line;
        json_t *last; /* the event handed out by the last append */
        char *dead;   /* why nothing may be appended any more, or NULL */
};

/* ---- the ballast: a megabyte to give back when the disk is full ---- */

static void ballast_make(const Journal *j)
{
        AUTO_FREE char *path = io_join(j->dir, "ballast");
        AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0 || st.st_size >= BALLAST)
                return;
        /* Real random-free bytes: a hole or a KEEP_SIZE extent gives nothing back on btrfs. */
        AUTO_FREE char *block = xmalloc(65536);
        memset(block, 'b', 65536);
        AUTO_ERR err = { 0 };
        for (int i = 0; i < BALLAST / 65536; i++)
                if (!io_write_all(fd, block, 65536, &err))
                        break; /* a full disk: the first append will say so */
}

static void ballast_free(const Journal *j)
{
        AUTO_FREE char *path = io_join(j->dir, "ballast");
        unlink(path);
}

/* ---- open ---- */

static bool refuse_known_bad_disk(const char *run_dir, Err *err)
{
        AUTO_FREE char *path = io_join(run_dir, "io-error.json");
        if (!io_exists(path))
                return true;
        err_set(err, ERR_SYSTEM, "the disk failed while this run was journaled (see %s)", path);
        return err_hint(err, "copy the directory to a healthy disk, check it with `pgsherpa "
                             "journal verify`, then remove io-error.json there and resume");
}

static bool open_file(Journal *j, Err *err)
{
        AUTO_FREE char *path = io_join(j->dir, "journal.jsonl");
        j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (j->fd < 0)
                return err_set_errno(err, errno, "opening %s", path);
        if (flock(j->fd, LOCK_EX | LOCK_NB) < 0) {
                err_set(err, ERR_USER, "%s is being written by another process", path);
                return err_hint(err, "attach to that run instead: `pgsherpa attach`");
        }
        return true;
}

Journal *journal_open(const char *run_dir, Err *err)
{
        Journal *j = xcalloc(1, sizeof *j);
        j->dir = xstrdup(run_dir);
        j->fd = -1;
        j->line = buf_init(LIMIT_RECORD);
        Recovered r = { 0 };
        struct stat st;
        if (!refuse_known_bad_disk(run_dir, err) || !open_file(j, err) ||
            !recover_file(run_dir, j->fd, &r, err)) {
                err_wrap(err, "opening the journal of %s", run_dir);
                return journal_close(j);
        }
        if (fstat(j->fd, &st) < 0) {
                err_set_errno(err, errno, "looking at the journal of %s", run_dir);
                return journal_close(j);
        }
        j->size = st.st_size;
        j->chain = r.chain;
        ballast_make(j);
        if (!r.cut)
                return j;
        json_t *fields = json_object();
        jx_set_int(fields, "bytes", r.cut);
        jx_set_str(fields, "file", r.kept_as);
        if (!journal_append(j, EV_JOURNAL_RECOVERED, NULL, fields, NULL, err))
                return journal_close(j);
        return j;
}

Journal *journal_close(Journal *j)
{
        if (!j)
                return NULL;
        if (j->fd >= 0)
                close(j->fd);
        json_decref(j->last);
        buf_done(&j->line);
        free(j->dead);
        free(j->dir);
        free(j);
        return NULL;
}

/* ---- append ---- */

static RecordTime now(void)
{
        return (RecordTime){ .wall_ms = clock_wall_ms(), .boot_ms = clock_boot_ms() };
}

static bool is_dead(const Journal *j, Err *err)
{
        if (!j->dead)
                return false;
        err_set(err, ERR_SYSTEM, "the journal cannot be written any more: %s", j->dead);
        err_hint(err, "the run stops here; make room or replace the disk, then resume it");
        return true;
}

/* The last words: into the journal when the disk was only full, else beside it and to stderr,
 * which the engine keeps in output/engine.log. */
static bool die(Journal *j, int sys_errno, const char *what, Err *err)
{
        err_set_errno(err, sys_errno, "%s record %lld of the journal in %s", what,
                      (long long)j->chain.seq + 1, j->dir);
        j->dead = xstrdup(err->message);
        fprintf(stderr, "pgsherpa: %s\n", err->message);
        bool full = sys_errno == ENOSPC || sys_errno == EDQUOT;
        if (full)
                ballast_free(j);
        AUTO_JSON fields = json_object();
        jx_set_str(fields, "message", err->message);
        jx_set_int(fields, "errno", sys_errno);
        Chain next = j->chain;
        AUTO_BUF line = buf_init(LIMIT_RECORD);
        if (full && ftruncate(j->fd, j->size) == 0 &&
            record_encode(&j->chain, EV_IO_ERROR, NULL, fields, now(), &line, &next) &&
            write(j->fd, buf_str(&line), line.len) == (ssize_t)line.len && fdatasync(j->fd) == 0) {
                j->chain = next;
                j->size += (off_t)line.len;
                return err_hint(err, "make room on this disk, then resume the run");
        }
        AUTO_ERR ignored = { 0 };
        AUTO_FREE char *path = io_join(j->dir, "io-error.json");
        AUTO_FREE char *text = jx_dump(fields);
        if (!full && !io_replace_file(path, text, strlen(text), 0600, &ignored))
                fprintf(stderr, "pgsherpa: %s\n", ignored.message);
        return err_hint(err,
                        "nothing more is started; what is on this disk may not be what was "
                        "written: check it, copy %s elsewhere, and resume from there",
                        j->dir);
}

static bool write_head(Journal *j, Err *err)
{
        AUTO_FREE char *path = io_join(j->dir, "head");
        AUTO_FREE char *text =
                xasprintf("{\"seq\":%lld,\"h\":\"%s\"}\n", (long long)j->chain.seq, j->chain.hash);
        if (io_replace_file(path, text, strlen(text), 0600, err))
                return true;
        j->dead = xstrdup(err->message);
        if (err->sys_errno == ENOSPC || err->sys_errno == EDQUOT)
                ballast_free(j);
        return err_wrap(err, "noting the head of the journal");
}

/* One record, already encoded in j->line, to disk as far as its type asks for. */
static bool put_line(Journal *j, EventType type, const Chain *next, Err *err)
{
        unsigned traits = event_traits(type);
        int fail = failpoint(next->seq, FAIL_BEFORE_WRITE);
        if (fail)
                return die(j, fail, "writing", err);
        ssize_t n;
        do
                n = write(j->fd, buf_str(&j->line), j->line.len);
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t)j->line.len)
                return die(j, n < 0 ? errno : ENOSPC, "writing", err);
        fail = failpoint(next->seq, FAIL_AFTER_WRITE);
        if ((traits & EVENT_DURABLE) && (fail || fdatasync(j->fd) < 0))
                return die(j, fail ? fail : errno, "waiting for the disk after", err);
        bool begins = j->chain.seq == 0;
        j->chain = *next;
        j->size += n;
        if ((begins || (traits & EVENT_DIR)) && !io_fsync_dir(j->dir, err)) {
                j->dead = xstrdup(err->message);
                return false;
        }
        if ((traits & EVENT_HEAD) && !write_head(j, err))
                return false;
        (void)failpoint(next->seq, FAIL_AFTER_FSYNC);
        return true;
}

/* A value that does not fit a line goes to a file of its own, and the line points to it. */
static bool spill_fact(Journal *j, json_t *fields, Err *err)
{
        AUTO_FREE char *text = jx_dump(jx_get(fields, "value"));
        AUTO_FREE char *name = xasprintf("output/fact-%lld.json", (long long)j->chain.seq + 1);
        AUTO_FREE char *dir = io_join(j->dir, "output");
        AUTO_FREE char *path = io_join(j->dir, name);
        char hex[65];
        if (!io_mkdir_p(dir, 0700, err) || !io_replace_file(path, text, strlen(text), 0600, err))
                return err_wrap(err, "writing the fact %s", jx_str(fields, "name", "?"));
        digest_hex_of(text, strlen(text), hex);
        json_object_del(fields, "value");
        jx_set_str(fields, "ref", name);
        jx_set_str(fields, "sha256", hex);
        return true;
}

static bool append_prepared(Journal *j, EventType type, const char *step, json_t *fields, Err *err);

/* What is remembered may be long (the rows of a role file): several records, merged on the way
 * back. Nobody acts on a part: step_remember() returns only when all of it is on disk. */
static bool split_remember(Journal *j, const char *step, json_t *data, Err *err)
{
        AUTO_JSON first = json_object();
        AUTO_JSON second = json_object();
        size_t i = 0, n = json_object_size(data);
        const char *key;
        json_t *value;
        json_object_foreach(data, key, value)
                json_object_set(i++ < n / 2 ? first : second, key, value);
        for (i = 0; i < 2; i++) {
                AUTO_JSON fields = json_object();
                json_object_set(fields, "data", i ? second : first);
                if (!append_prepared(j, EV_STEP_REMEMBER, step, fields, err))
                        return false;
        }
        return true;
}

static bool make_room(Journal *j, EventType type, json_t *fields, Err *err)
{
        if (type == EV_FACT && jx_get(fields, "value"))
                return spill_fact(j, fields, err);
        if (type == EV_RUN_OPEN && json_object_size(jx_get(fields, "vars")) &&
            !jx_get(jx_get(fields, "vars"), "$ref")) {
                json_t *ref = json_object();
                jx_set_str(ref, "$ref", "plan.json");
                jx_set(fields, "vars", ref);
                return true;
        }
        if (fields_shrink(fields))
                return true;
        err_set(err, ERR_USER,
                "a %s record is larger than %d bytes and holds nothing that may "
                "be cut",
                event_name(type), LIMIT_RECORD);
        return err_hint(err, "keep large values in a file of the run directory and remember its "
                             "name");
}

static bool append_prepared(Journal *j, EventType type, const char *step, json_t *fields, Err *err)
{
        Chain next;
        RecordTime when = now();
        while (!record_encode(&j->chain, type, step, fields, when, &j->line, &next)) {
                json_t *data = type == EV_STEP_REMEMBER ? jx_get(fields, "data") : NULL;
                if (json_object_size(data) > 1)
                        return split_remember(j, step, data, err);
                if (!make_room(j, type, fields, err))
                        return false;
        }
        return put_line(j, type, &next, err);
}

bool journal_append(Journal *j, EventType type, const char *step, json_t *fields, Event *ev,
                    Err *err)
{
        AUTO_JSON stolen = fields;
        assert(type > EV_NONE && type < EV_COUNT_);
        if (is_dead(j, err))
                return false;
        AUTO_JSON prepared = fields_prepare(stolen);
        if (!append_prepared(j, type, step, prepared, err))
                return false;
        if (!ev)
                return true;
        json_decref(j->last);
        j->last = NULL;
        if (!record_parse(buf_str(&j->line), j->line.len - 1, ev, err))
                return err_wrap(err, "reading back record %lld", (long long)j->chain.seq);
        j->last = ev->fields;
        if (type == EV_STEP_REMEMBER) /* all of it, also when it was split */
                json_object_set(ev->fields, "data", jx_get(prepared, "data"));
        return true;
}

int64_t journal_seq(const Journal *j)
{
        return j->chain.seq;
}

const char *journal_head_hash(const Journal *j)
{
        return j->chain.hash;
}
