/* verify.c: is every byte as it was written?
 *
 * Listing a dump proves nothing: of 500 damaged pg_dump files `pg_restore -l` found none. So every
 * member is read, hashed as stored, opened, hashed as content, and a table's rows are counted and
 * hashed one by one, in memory that does not grow with them; headers and padding between them are
 * compared with what our writer makes. Members are found by the manifest's offsets, not by walking
 * the tar: one damaged header does not hide the members behind it. One thread a core takes one
 * member after the other. */
#include "bundle/verify_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/rowhash.h"
#include "base/text.h"

#define THREADS_MAX 32

static bool cancelled(const Verify *v, Err *err)
{
        if (!v->stop && !(v->hooks->cancel && flag_up(v->hooks->cancel)))
                return false;
        err_set(err, ERR_CANCELLED, "stopped while reading the bundle");
        return true;
}

void verify_found_bad(BundleReport *r, const char *member, const char *why)
{
        json_t *bad = json_object();
        jx_set_str(bad, "member", member);
        jx_set_str(bad, "why", why);
        json_array_append_new(r->bad, bad);
}

void verify_note(Verify *v, const char *text)
{
        jx_append_str(v->r->notes, text);
}

/* ---- one member ---- */

/* What is no COPY stream although it should be is found when its table is added up. */
bool verify_read_on(void *arg, const void *bytes, size_t n, Err *err)
{
        VerifyReading *r = arg;
        r->bytes += (int64_t)n;
        if (r->walk && !rowwalk_add(r->walk, bytes, n))
                r->walk = NULL;
        return !cancelled(r->v, err);
}

static bool holds_rows(const char *name)
{
        return strstr(name, "/data/") && (verify_is_binary(name) || str_ends(name, ".copy.zst"));
}

static void walked(Member *m, const RowWalk *w)
{
        m->rows_of = true;
        m->rows = w->rows;
        m->hash = w->hash;
        m->unhashed = w->unhashed;
        m->whole = rowwalk_whole(w);
        m->header = w->header;
        m->over = w->over;
}

static bool one_member(Verify *v, Member *m, Err *err)
{
        RowWalk CLEANUP(rowwalk_done) walk = rowwalk_init(verify_is_binary(m->name), v->seed);
        VerifyReading r = { .v = v, .walk = holds_rows(m->name) ? &walk : NULL };
        AUTO_ERR why = { 0 };
        bool as_written;
        int64_t size = jx_int(m->m, "size", 0);
        BundleHeader header = { m->name, jx_int(m->m, "offset", 0), size, v->mtime_s };
        if (!bundle_gap(v->b, m->before, &header, &as_written, err))
                return false;
        m->odd_header = !as_written;
        if (!bundle_read(v->b, m->name, verify_read_on, &r, &why)) {
                if (why.kind == ERR_CANCELLED) {
                        err_move(err, &why);
                        return false;
                }
                m->why = xstrdup(why.message);
        }
        if (r.walk)
                walked(m, r.walk);
        pthread_mutex_lock(&v->lock);
        v->r->members++;
        v->r->bytes += size;
        v->r->plain_bytes += r.bytes;
        if (v->hooks->progress)
                v->hooks->progress(v->hooks->arg, v->r->bytes, v->total, m->name);
        pthread_mutex_unlock(&v->lock);
        return true;
}

static void *work(void *arg)
{
        Verify *v = arg;
        for (size_t i; (i = v->next++) < v->n;) {
                AUTO_ERR err = { 0 };
                if (!cancelled(v, &err) && one_member(v, &v->members[i], &err))
                        continue;
                pthread_mutex_lock(&v->lock);
                if (v->failed.kind == ERR_NONE)
                        err_move(&v->failed, &err);
                pthread_mutex_unlock(&v->lock);
                v->stop = true;
                break;
        }
        return NULL;
}

static bool members(Verify *v, Err *err)
{
        pthread_t threads[THREADS_MAX];
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        size_t wanted = MIN((size_t)MAX(cores, 1), (size_t)THREADS_MAX), n = 0;
        wanted = MIN(wanted, v->n);
        while (n + 1 < wanted && pthread_create(&threads[n], NULL, work, v) == 0)
                n++;
        work(v);
        while (n > 0)
                pthread_join(threads[--n], NULL);
        if (v->failed.kind == ERR_NONE)
                return true;
        err_move(err, &v->failed);
        return false;
}

static void list_members(Verify *v)
{
        json_t *all = jx_get(v->b->manifest, "members"), *m;
        int64_t end = 0;
        const char *name;
        v->members = xcalloc(json_object_size(all) + 1, sizeof *v->members);
        json_object_foreach(all, name, m) {
                v->members[v->n++] = (Member){ .name = name, .m = m, .before = end };
                end = jx_int(m, "offset", 0) + jx_int(m, "size", 0);
        }
}

/* ---- dumps ---- */

static bool dumps(Verify *v, const json_t *database, Err *err)
{
        const char *stem = jx_str(database, "dump", NULL);
        if (!stem)
                return true;
        AUTO_JSON parts = bundle_parts(v->b, stem);
        if (json_array_size(parts) == 0) {
                verify_found_bad(v->r, stem, "no part of it is there");
                return true;
        }
        if (!v->hooks->dump) {
                AUTO_FREE char *text =
                        xasprintf("%s: compared by SHA-256, not read by pg_restore", stem);
                verify_note(v, text);
                return true;
        }
        AUTO_ERR why = { 0 };
        AUTO_FREE char *text = NULL;
        if (v->hooks->dump(v->hooks->arg, v->b, parts, &text, &why)) {
                AUTO_FREE char *line = xasprintf("%s: %s", stem, text ? text : "read to its end");
                verify_note(v, line);
                return true;
        }
        if (why.kind == ERR_CANCELLED) {
                err_move(err, &why);
                return false;
        }
        verify_found_bad(v->r, stem, why.message);
        return true;
}

static bool schema(Verify *v, const json_t *database, Err *err)
{
        AUTO_ERR why = { 0 };
        if (!v->hooks->schema || v->hooks->schema(v->hooks->arg, v->b, database, &why))
                return true;
        if (why.kind == ERR_CANCELLED) {
                err_move(err, &why);
                return false;
        }
        verify_found_bad(v->r, "manifest.json", why.message);
        return true;
}

/* ---- what is around the members ---- */

static bool around(Verify *v, Err *err)
{
        const Bundle *b = v->b;
        const Member *last = v->n ? &v->members[v->n - 1] : NULL;
        int64_t end = last ? jx_int(last->m, "offset", 0) + jx_int(last->m, "size", 0) : 0;
        int64_t content_end = b->manifest_header + TAR_BLOCK + (int64_t)b->manifest_size;
        bool before, after, same = true, odd = false;
        if (!bundle_only_zeros(b, end, b->manifest_header, &before, err) ||
            !bundle_only_zeros(b, content_end, b->size, &after, err))
                return false;
        if (!str_eq(b->header_sha256, jx_str(jx_get(b->manifest, "tail"), "header", "")) || !after)
                verify_found_bad(v->r, MANIFEST_NAME,
                                 "damaged: its tar header or the end of the archive");
        for (size_t i = 0; i < v->n; i++)
                odd = odd || v->members[i].odd_header;
        if ((odd || !before) && !bundle_whole_hash(b, v->hooks->cancel, &same, err))
                return false;
        for (size_t i = 0; i < v->n && !same; i++)
                if (v->members[i].odd_header)
                        verify_found_bad(v->r, v->members[i].name,
                                         "damaged: its tar header, or the padding before it");
        if (!before && !same)
                verify_found_bad(v->r, MANIFEST_NAME, "damaged: the padding before its tar header");
        return true;
}

/* What `tar -t` would say: same names, same order, same places, nothing dangerous. */
static bool walk(Verify *v, Err *why)
{
        if (lseek(v->b->fd, 0, SEEK_SET) < 0)
                return err_set_errno(why, errno, "reading %s", v->b->path);
        AUTO_TARIN in = NULL;
        if (!tar_in_open(v->b->fd, &(TarLimits){ 0 }, &in, why))
                return false;
        for (size_t i = 0;; i++) {
                TarEntry e;
                bool more;
                if (!tar_in_next(in, &e, &more, why))
                        return false;
                const Member *m = i < v->n ? &v->members[i] : NULL;
                const char *name = m ? m->name : MANIFEST_NAME;
                if (!more && i == v->n + 1)
                        return true;
                if (!more || i > v->n)
                        return err_set(why, ERR_USER, "tar sees %zu members, the manifest says %zu",
                                       more ? i + 1 : i, v->n + 1);
                if (!str_eq(e.name, name))
                        return err_set(why, ERR_USER, "tar sees `%s` where `%s` should be", e.name,
                                       name);
                if (m && (e.size != jx_int(m->m, "size", -1) ||
                          e.header_offset >= jx_int(m->m, "offset", 0)))
                        return err_set(why, ERR_USER,
                                       "`%s` is elsewhere for tar than for the manifest", name);
        }
}

/* Without its manifest nothing can be proved, but a person wants to know how far it goes. */
static void how_far(const char *path, BundleReport *r)
{
        AUTO_ERR why = { 0 };
        AUTO_FREE char *text = NULL;
        AUTO_FREE char *last = NULL;
        struct stat st;
        AUTO_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        AUTO_TARIN in = NULL;
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
            !tar_in_open(fd, &(TarLimits){ 0 }, &in, &why))
                return;
        for (;;) {
                TarEntry e;
                bool more;
                if (!tar_in_next(in, &e, &more, &why) || !more)
                        break;
                r->members++;
                free(last);
                last = xstrdup(e.name);
                if (e.header_offset + TAR_BLOCK + e.size > st.st_size)
                        break;
        }
        if (last && !str_eq(last, MANIFEST_NAME))
                verify_found_bad(
                        r, last,
                        "the last member that can be found: the file ends in it or behind it");
        else if (!last)
                verify_found_bad(r, "(tar)", "no member can be found");
}

static bool with_manifest(Verify *v, Err *err)
{
        size_t i;
        json_t *db;
        AUTO_ERR why = { 0 };
        list_members(v);
        v->r->members = 1; /* the manifest: bundle_open() proved it */
        v->total = v->b->size;
        v->mtime_s = bundle_mtime(v->b);
        v->seed = bundle_row_seed(v->b->manifest);
        if (v->seed == ROW_HASH_OLDER)
                verify_note(v, BUNDLE_OLDER_HASH);
        if (!members(v, err))
                return false;
        for (i = 0; i < v->n; i++)
                if (v->members[i].why)
                        verify_found_bad(v->r, v->members[i].name, v->members[i].why);
        json_array_foreach(jx_get(v->b->manifest, "databases"), i, db) {
                if (!verify_tables(v, db, err) || !schema(v, db, err) || !dumps(v, db, err))
                        return false;
        }
        if (!around(v, err))
                return false;
        if (json_array_size(v->r->bad) == 0 && !walk(v, &why))
                verify_found_bad(v->r, "(tar)", why.message);
        if (v->hooks->progress)
                v->hooks->progress(v->hooks->arg, v->total, v->total, "");
        return true;
}

bool bundle_verify(const char *path, const BundleVerifyHooks *hooks, BundleReport *ret, Err *err)
{
        static const BundleVerifyHooks none = { 0 };
        *ret = (BundleReport){ .bad = json_array(), .notes = json_array() };
        Verify v = { .hooks = hooks ? hooks : &none, .r = ret };
        AUTO_BUNDLE b = NULL;
        AUTO_ERR why = { 0 };
        bool other;
        if (!bundle_open_or_other(path, &b, &other, &why)) {
                if (why.kind == ERR_SYSTEM || other) { /* not there, no permission, no bundle */
                        err_move(err, &why);
                        return false;
                }
                verify_found_bad(ret, MANIFEST_NAME, why.message);
                how_far(path, ret);
                return true;
        }
        v.b = b;
        snprintf(ret->self, sizeof ret->self, "%s",
                 jx_str(jx_get(b->manifest, "tail"), "self", ""));
        pthread_mutex_init(&v.lock, NULL);
        bool ok = with_manifest(&v, err);
        for (size_t i = 0; i < v.n; i++)
                free(v.members[i].why);
        free(v.members);
        err_clear(&v.failed);
        pthread_mutex_destroy(&v.lock);
        return ok;
}

bool bundle_note_verify(const char *path, const BundleReport *r, Err *err)
{
        if (!str_ends(path, BUNDLE_SUFFIX))
                return true; /* a mistyped path gets no files beside it */
        AUTO_JSON j = json_object();
        char iso[32];
        jx_set_str(j, "when", clock_iso(clock_wall_ms(), iso));
        jx_set_str(j, "level", r->restored_on ? "restored" : "full");
        jx_set_str(j, "restored_on", r->restored_on);
        jx_set_str(j, "bundle", r->self);
        jx_set_bool(j, "good", json_array_size(r->bad) == 0);
        jx_set_int(j, "members", r->members);
        jx_set_int(j, "bytes", r->bytes);
        jx_set_int(j, "rows", r->rows);
        json_object_set(j, "bad", r->bad);
        json_object_set(j, "notes", r->notes);
        AUTO_FREE char *text = jx_dump(j);
        AUTO_FREE char *file = xasprintf("%s.verify.json", path);
        return io_replace_file(file, text, strlen(text), 0600, err);
}

void bundle_report_done(BundleReport *r)
{
        json_decref(r->bad);
        json_decref(r->notes);
        free(r->restored_on);
        *r = (BundleReport){ 0 };
}
