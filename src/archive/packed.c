#include "archive/packed.h"

#include "archive/internal.h"
#include "base/text.h"

#define PIECE ((size_t)128 << 10)

struct Packed {
        struct archive *a;
        PackedMore more;
        void *arg;
        char *piece, *name; /* name: of the file that is read */
        bool tar, opened, over;
        Err below; /* what went wrong under libarchive */
};

Packed *packed_new(PackedMore more, void *arg, bool tar)
{
        Packed *p = xcalloc(1, sizeof *p);
        p->more = more;
        p->arg = arg;
        p->tar = tar;
        p->piece = xmalloc(PIECE);
        p->a = archive_read_new();
        if (!p->a)
                abort();
        return p;
}

static la_ssize_t give(struct archive *a, void *arg, const void **ret)
{
        Packed *p = arg;
        size_t n = 0;
        *ret = p->piece;
        if (p->more(p->arg, p->piece, PIECE, &n, &p->below))
                return (la_ssize_t)n;
        archive_set_error(a, EIO, "reading");
        return -1;
}

static bool failed(Packed *p, Err *err)
{
        const char *words = archive_error_string(p->a);
        AUTO_FREE char *clean = text_clean_str(words ? words : "no reason given");
        if (p->below.kind == ERR_NONE)
                return err_set(err, ERR_USER, "what it is packed in is damaged, or was cut off: %s",
                               clean);
        err_move(err, &p->below);
        return false;
}

static bool formats(Packed *p)
{
        if (p->tar)
                return archive_read_support_format_tar(p->a) == ARCHIVE_OK;
        /* A warning says that an outside program would do it: Debian's library needs none. */
        return archive_read_support_filter_xz(p->a) == ARCHIVE_OK &&
               archive_read_support_filter_bzip2(p->a) == ARCHIVE_OK &&
               archive_read_support_filter_lz4(p->a) == ARCHIVE_OK &&
               archive_read_support_format_zip_streamable(p->a) == ARCHIVE_OK &&
               archive_read_support_format_raw(p->a) == ARCHIVE_OK;
}

/* The next regular file; *ret_name NULL: there is none. Directories are passed over. */
static bool next_file(Packed *p, char **ret_name, Err *err)
{
        *ret_name = NULL;
        for (;;) {
                struct archive_entry *e;
                int rc = archive_read_next_header(p->a, &e);
                if (rc == ARCHIVE_EOF)
                        return true;
                if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
                        return failed(p, err);
                if (archive_entry_filetype(e) == AE_IFDIR)
                        continue;
                const char *name = archive_entry_pathname(e);
                AUTO_FREE char *clean = text_clean_str(name ? name : "(no name)");
                if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
                        return err_set(err, ERR_USER, "%s in it is no file", clean);
                *ret_name = xstrdup(clean);
                return true;
        }
}

static bool begin(Packed *p, Err *err)
{
        if (!formats(p) || archive_read_open(p->a, p, NULL, give, NULL) != ARCHIVE_OK)
                return failed(p, err);
        p->opened = true;
        if (!next_file(p, &p->name, err))
                return false;
        return p->name || err_set(err, ERR_USER, "there is no file in it");
}

/* A second one may be the right one. */
static bool end(Packed *p, Err *err)
{
        AUTO_FREE char *other = NULL;
        p->over = true;
        if (!next_file(p, &other, err))
                return false;
        if (!other)
                return true;
        err_set(err, ERR_USER, "it holds several files, %s and %s among them", p->name, other);
        return err_hint(err, "unpack it, and restore the one that is meant");
}

bool packed_read(Packed *p, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        *ret_n = 0;
        if (!p->opened && !begin(p, err))
                return false;
        if (p->over)
                return true;
        la_ssize_t got = archive_read_data(p->a, bytes, n);
        if (got < 0)
                return failed(p, err);
        *ret_n = (size_t)got;
        return got > 0 || end(p, err);
}

Packed *packed_free(Packed *p)
{
        if (p) {
                archive_read_free(p->a);
                err_clear(&p->below);
                free(p->piece);
                free(p->name);
                free(p);
        }
        return NULL;
}
