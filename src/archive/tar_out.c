/* tar_out.c: the writing half: libarchive makes the headers, we keep count of the bytes. */
#include "archive/internal.h"

#include "base/text.h"

struct TarOut {
        struct archive *a;
        TarWriteFn write;
        void *arg;
        int64_t written;
        int64_t left;   /* of the member that is being written */
        bool abandoned; /* freed unfinished: bytes go nowhere */
        Err failed;     /* what the caller's write() said */
};

bool archive_err(struct archive *a, const char *doing, Err *err)
{
        const char *text = archive_error_string(a);
        AUTO_FREE char *clean = text_clean_str(text ? text : "unknown error of libarchive");
        return err_set(err, ERR_SYSTEM, "%s: %s", doing, clean);
}

static la_ssize_t on_write(struct archive *a, void *arg, const void *bytes, size_t n)
{
        TarOut *out = arg;
        if (out->abandoned)
                return (la_ssize_t)n;
        if (!out->write(out->arg, bytes, n, &out->failed)) {
                archive_set_error(a, EIO, "write failed");
                return -1;
        }
        out->written += (int64_t)n;
        return (la_ssize_t)n;
}

static bool failed(TarOut *out, const char *doing, Err *err)
{
        if (out->failed.kind == ERR_NONE)
                return archive_err(out->a, doing, err);
        err_move(err, &out->failed);
        return err_wrap(err, "%s", doing);
}

bool tar_out_open(TarWriteFn write, void *arg, TarOut **ret, Err *err)
{
        TarOut *out = xcalloc(1, sizeof *out);
        out->write = write;
        out->arg = arg;
        out->a = archive_write_new();
        if (!out->a)
                abort();
        /* No blocking: what was written is what was counted, so offsets are exact. */
        if (archive_write_set_format_pax_restricted(out->a) != ARCHIVE_OK ||
            archive_write_add_filter_none(out->a) != ARCHIVE_OK ||
            archive_write_set_bytes_per_block(out->a, 0) != ARCHIVE_OK ||
            archive_write_set_bytes_in_last_block(out->a, 1) != ARCHIVE_OK ||
            archive_write_open(out->a, out, NULL, on_write, NULL) != ARCHIVE_OK) {
                archive_err(out->a, "starting a tar", err);
                tar_out_free(out);
                return false;
        }
        *ret = out;
        return true;
}

bool tar_out_begin(TarOut *out, const char *name, int64_t size, int64_t mtime_s,
                   int64_t *ret_offset, Err *err)
{
        const char *why;
        if (!tar_name_is_safe(name, &why))
                return err_set(err, ERR_USER, "cannot write a member with this name: %s", why);
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, name);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0600);
        archive_entry_set_size(e, size);
        archive_entry_set_mtime(e, mtime_s, 0);
        int rc = archive_write_header(out->a, e);
        archive_entry_free(e);
        if (rc != ARCHIVE_OK)
                return failed(out, "writing the header of a tar member", err);
        out->left = size;
        if (ret_offset)
                *ret_offset = out->written;
        return true;
}

bool tar_out_write(TarOut *out, const void *bytes, size_t n, Err *err)
{
        assert((int64_t)n <= out->left);
        for (const char *p = bytes; n > 0;) {
                la_ssize_t done = archive_write_data(out->a, p, n);
                if (done <= 0)
                        return failed(out, "writing a tar member", err);
                p += done;
                n -= (size_t)done;
                out->left -= done;
        }
        return true;
}

bool tar_out_end(TarOut *out, Err *err)
{
        assert(out->left == 0);
        if (archive_write_finish_entry(out->a) != ARCHIVE_OK)
                return failed(out, "ending a tar member", err);
        return true;
}

bool tar_out_member(TarOut *out, const char *name, const void *bytes, size_t n, int64_t mtime_s,
                    int64_t *ret_offset, Err *err)
{
        return tar_out_begin(out, name, (int64_t)n, mtime_s, ret_offset, err) &&
               tar_out_write(out, bytes, n, err) && tar_out_end(out, err);
}

bool tar_out_close(TarOut *out, Err *err)
{
        if (archive_write_close(out->a) != ARCHIVE_OK)
                return failed(out, "ending the tar", err);
        return true;
}

TarOut *tar_out_free(TarOut *out)
{
        if (out) {
                /* Freeing an unfinished archive still writes its end: nobody wants to read that.
                 * Not archive_write_fail(): libarchive 3.6.2 then forgets to free its buffers. */
                out->abandoned = true;
                archive_write_free(out->a);
                err_clear(&out->failed);
                free(out);
        }
        return NULL;
}
