/* verify.c: is every byte as it was written?
 *
 * Listing a dump proves nothing: of 500 damaged pg_dump files `pg_restore -l` found none. So
 * every member is read, hashed as stored, opened, hashed as content, and a table's rows are
 * counted; then the file as a whole, so that headers and padding are vouched for too. Members
 * are found by the manifest's offsets, not by walking the tar: one damaged header does not
 * hide the members behind it. */
#include "bundle/internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"

typedef struct Verify {
        Bundle                  *b;
        const BundleVerifyHooks *hooks;
        BundleReport            *r;
        json_t                  *rows;          /* member -> rows counted */
        int64_t                  total;
} Verify;

static bool cancelled(const Verify *v, Err *err)
{
        if (v->hooks->cancel && *v->hooks->cancel) {
                err_set(err, ERR_CANCELLED, "stopped while reading the bundle");
                return true;
        }
        return false;
}

static void found_bad(Verify *v, const char *member, const char *why)
{
        json_t *bad = json_object();
        jx_set_str(bad, "member", member);
        jx_set_str(bad, "why", why);
        json_array_append_new(v->r->bad, bad);
}

static void note(Verify *v, const char *text)
{
        jx_append_str(v->r->notes, text);
}

typedef struct Count {
        Verify *v;
        int64_t lines, bytes;
        Err    *err;
} Count;

static bool count_lines(void *arg, const void *bytes, size_t n, Err *err)
{
        Count *c = arg;
        c->bytes += (int64_t)n;
        for (const char *p = bytes, *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
                c->lines++;
        return !cancelled(c->v, err);
}

static bool members(Verify *v, Err *err)
{
        const char *name;
        json_t *m;
        json_object_foreach(jx_get(v->b->manifest, "members"), name, m)
        {
                Count c = { .v = v };
                AUTO_ERR why = { 0 };
                if (cancelled(v, err))
                        return false;
                if (v->hooks->progress)
                        v->hooks->progress(v->hooks->arg, v->r->bytes, v->total, name);
                if (!bundle_read(v->b, name, count_lines, &c, &why)) {
                        if (why.kind == ERR_CANCELLED) {
                                err_move(err, &why);
                                return false;
                        }
                        found_bad(v, name, why.message);
                }
                v->r->members++;
                v->r->bytes += jx_int(m, "size", 0);
                v->r->plain_bytes += c.bytes;
                if (str_eq(jx_str(m, "kind", ""), "data"))
                        json_object_set_new(v->rows, name, json_integer(c.lines));
        }
        return true;
}

/* COPY text has one line a row: line ends inside values are written as \n. */
static void tables(Verify *v, const json_t *database)
{
        size_t i;
        json_t *t;
        json_array_foreach(jx_get(database, "tables"), i, t)
        {
                AUTO_JSON parts = bundle_parts(v->b, jx_str(t, "dir", "?"));
                int64_t rows = 0, want = jx_int(t, "rows", -1);
                size_t j;
                json_t *part;
                json_array_foreach(parts, j, part)
                        rows += jx_int(v->rows, json_string_value(part), 0);
                v->r->rows += rows;
                bool missing = (int64_t)json_array_size(parts) != jx_int(t, "parts", -1);
                if (rows == want && !missing)
                        continue;
                AUTO_FREE char *why = xasprintf(
                        missing ? "parts of it are missing (%lld rows there, %lld in the manifest)"
                                : "%lld rows, the manifest says %lld",
                        (long long)rows, (long long)want);
                AUTO_FREE char *name = xasprintf("table %s.%s", jx_str(t, "schema", ""),
                                                 jx_str(t, "name", ""));
                found_bad(v, name, why);
        }
}

static bool dumps(Verify *v, const json_t *database, Err *err)
{
        const char *stem = jx_str(database, "dump", NULL);
        if (!stem)
                return true;
        AUTO_JSON parts = bundle_parts(v->b, stem);
        if (!v->hooks->dump) {
                AUTO_FREE char *text = xasprintf("%s: compared by SHA-256, not read by pg_restore", stem);
                note(v, text);
                return true;
        }
        AUTO_ERR why = { 0 };
        AUTO_FREE char *text = NULL;
        if (v->hooks->dump(v->hooks->arg, v->b, parts, &text, &why)) {
                AUTO_FREE char *line = xasprintf("%s: %s", stem, text ? text : "read to its end");
                note(v, line);
                return true;
        }
        if (why.kind == ERR_CANCELLED) {
                err_move(err, &why);
                return false;
        }
        found_bad(v, stem, why.message);
        return true;
}

/* Everything before the manifest's header as one hash, the header, and the zeros at the end. */
static bool whole_file(Verify *v, Err *err)
{
        const json_t *tail = jx_get(v->b->manifest, "tail");
        enum { PIECE = 1024 * 1024 };
        AUTO_FREE char *piece = xmalloc(PIECE);
        AUTO_DIGEST before = digest_new();
        int64_t content_end = v->b->manifest_header + TAR_BLOCK + (int64_t)v->b->manifest_size;
        bool zeros = true;
        for (int64_t at = 0; at < v->b->size;) {
                ssize_t n = pread(v->b->fd, piece, PIECE, at);
                if (n <= 0)
                        return err_set_errno(err, n < 0 ? errno : EIO, "reading %s", v->b->path);
                if (cancelled(v, err))
                        return false;
                if (at < v->b->manifest_header)
                        digest_add(before, piece, (size_t)MIN(n, v->b->manifest_header - at));
                for (int64_t i = MAX(0, content_end - at); i < n; i++)
                        zeros = zeros && piece[i] == '\0';
                at += n;
        }
        char hex[65];
        digest_hex(before, hex);
        bool same = str_eq(hex, jx_str(tail, "before", ""));
        if (!str_eq(v->b->header_sha256, jx_str(tail, "header", "")) || !zeros)
                found_bad(v, MANIFEST_NAME, "damaged: its tar header or the end of the archive");
        if (!same && json_array_size(v->r->bad) == 0)
                found_bad(v, "(tar)", "damaged: a header or padding between members");
        return true;
}

/* What `tar -t` would say: same names, same order, nothing else, nothing dangerous. */
static bool walk(Verify *v, Err *why)
{
        if (lseek(v->b->fd, 0, SEEK_SET) < 0)
                return err_set_errno(why, errno, "reading %s", v->b->path);
        AUTO_TARIN in = NULL;
        if (!tar_in_open(v->b->fd, &(TarLimits){ 0 }, &in, why))
                return false;
        json_t *all = jx_get(v->b->manifest, "members");
        size_t n = 0;
        for (;;) {
                TarEntry e;
                bool more;
                if (!tar_in_next(in, &e, &more, why))
                        return false;
                if (!more)
                        break;
                n++;
                const json_t *m = json_object_get(all, e.name);
                if (!str_eq(e.name, MANIFEST_NAME) && (!m || jx_int(m, "size", -1) != e.size))
                        return err_set(why, ERR_USER, "member `%s` is not in the manifest", e.name);
        }
        return n == json_object_size(all) + 1 ||
               err_set(why, ERR_USER, "%zu members, the manifest says %zu", n,
                       json_object_size(all) + 1);
}

bool bundle_verify(const char *path, const BundleVerifyHooks *hooks, BundleReport *ret, Err *err)
{
        static const BundleVerifyHooks none = { 0 };
        *ret = (BundleReport){ .bad = json_array(), .notes = json_array() };
        AUTO_JSON rows = json_object();
        Verify v = { .hooks = hooks ? hooks : &none, .r = ret, .rows = rows };
        AUTO_BUNDLE b = NULL;
        AUTO_ERR why = { 0 };
        if (!bundle_open(path, &b, &why)) {
                if (why.kind == ERR_SYSTEM) {   /* not there, no permission, disk error */
                        err_move(err, &why);
                        return false;
                }
                found_bad(&v, MANIFEST_NAME, why.message);
                return true;
        }
        v.b = b;
        v.total = b->size;
        if (!members(&v, err))
                return false;
        size_t i;
        json_t *db;
        json_array_foreach(jx_get(b->manifest, "databases"), i, db)
        {
                tables(&v, db);
                if (!dumps(&v, db, err))
                        return false;
        }
        if (!whole_file(&v, err))
                return false;
        if (!walk(&v, &why))
                found_bad(&v, "(tar)", why.message);
        if (hooks && hooks->progress)
                hooks->progress(hooks->arg, v.total, v.total, "");
        return true;
}

bool bundle_note_verify(const char *path, const BundleReport *r, Err *err)
{
        AUTO_JSON j = json_object();
        char iso[32];
        jx_set_str(j, "when", clock_iso(clock_wall_ms(), iso));
        jx_set_str(j, "level", "full");
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
        *r = (BundleReport){ 0 };
}
