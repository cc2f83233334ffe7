/* verify_bundle.c: a bundle's proof, with a real pg_restore for the dumps in it. */
#include <stdio.h>

#include "base/io.h"
#include "base/text.h"
#include "dumps/kind.h"
#include "transfer/read/bundle_schema.h"
#include "transfer/read/dump.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

static bool into_fd(void *arg, const void *bytes, size_t n, Err *err)
{
        return io_write_all(*(int *)arg, bytes, n, err);
}

typedef struct Feed {
        const Bundle *b;
        const json_t *parts;
} Feed;

static bool verify_feed(void *arg, int fd, Err *err)
{
        Feed *f = arg;
        return bundle_read_parts(f->b, f->parts, into_fd, &fd, err);
}

/* The format says which pg_restore can read it; the first of that or any newer major. */
static bool first_bytes(void *arg, const void *bytes, size_t n, Err *err)
{
        Buf *b = arg;
        if (b->len < 8)
                buf_add(b, bytes, MIN(n, 8));
        return true;
}

static bool read_dump(void *arg, const Bundle *b, const json_t *parts, char **ret_note, Err *err)
{
        Transfer *t = arg;
        AUTO_BUF head = buf_init(16);
        if (!bundle_read(b, json_string_value(json_array_get(parts, 0)), first_bytes, &head, err))
                return false;
        int least = archive_reader_major(buf_str(&head), head.len);
        if (least == 0)
                return err_set(err, ERR_USER, "this is not a pg_dump in custom format");
        AUTO_PGCLIENT client = { 0 };
        AUTO_ERR none = { 0 };
        if (!pg_clients_from(least, NULL, &client, &none)) {
                *ret_note = xasprintf("compared by SHA-256 only: no pg_restore of %d or later here",
                                      least);
                return true;
        }
        DumpRun d = { .client = &client, .cancel = transfer_cancel_flag(t) };
        Feed f = { b, parts };
        bool ok = dump_read_through(&d, verify_feed, &f, err);
        if (ok)
                *ret_note = xasprintf("read to its end by pg_restore %s", client.version);
        return ok;
}

static bool schema_fits(void *arg, const Bundle *b, const json_t *database, Err *err)
{
        AUTO_ARENA a = arena_new();
        BundleSchema CLEANUP(bundle_schema_done) s = { 0 };
        size_t i;
        json_t *line;
        json_array_foreach(jx_get(database, "to_restore"), i, line) {
                AUTO_FREE char *clean = text_clean_str(json_string_value(line));
                transfer_say(arg, "to restore it: %s", clean);
        }
        return !transfer_stopped(arg, err) && bundle_schema_read(b, database, a, &s, err);
}

static void verify_show(void *arg, int64_t done, int64_t total, const char *member)
{
        Transfer *t = arg;
        t->total = total;
        progress_set(t, done, done == total ? 1 : 0, &(ProgressRow){ .name = member });
}

bool transfer_verify(Transfer *t, const char *path, BundleReport *ret, Err *err)
{
        BundleVerifyHooks h = { .progress = verify_show,
                                .dump = read_dump,
                                .schema = schema_fits,
                                .cancel = transfer_cancel_flag(t),
                                .arg = t };
        progress_stage(t, "reading every byte", "bytes", 0, 1);
        if (!bundle_verify(path, &h, ret, err))
                return false;
        AUTO_ERR note = { 0 }; /* a read-only directory is no reason to fail */
        if (!bundle_note_verify(path, ret, &note))
                transfer_say(t, "the verdict could not be noted beside the bundle: %s",
                             note.message);
        return true;
}
