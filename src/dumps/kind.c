#include "dumps/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/plain.h"
#include "archive/what.h"
#include "base/io.h"
#include "base/majors.h"
#include "base/text.h"

#define HEAD ((size_t)64 << 10)

static bool head_of(const char *path, char *head, size_t *ret_n, Err *err)
{
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return err_set_errno(err, errno, "opening %s", path);
        AUTO_PLAININ in = plain_in_new(fd);
        for (size_t n = 1; *ret_n < HEAD && n > 0; *ret_n += n)
                if (!plain_in_read(in, head + *ret_n, HEAD - *ret_n, &n, err))
                        return err_wrap(err, "%s", path);
        return true;
}

static bool contains(const char *head, size_t n, const char *words)
{
        return memmem(head, n, words, strlen(words)) != NULL;
}

/* Files that look like a dump and are somebody else's. */
static bool of_another_kind(const char *head, size_t n, const char **ret)
{
        static const struct {
                const char *begins, *what;
        } known[] = { { "-- MySQL dump", "a dump of MySQL" },
                      { "-- MariaDB dump", "a dump of MariaDB" },
                      { "/*!999999", "a dump of MariaDB" },
                      { "-- phpMyAdmin", "a dump of phpMyAdmin (MySQL)" },
                      { "PRAGMA foreign_keys", "a dump of SQLite" },
                      { "SQLite format 3", "an SQLite database" },
                      { "REDIS0", "a Redis dump" },
                      { "--\n-- Raw SQL patch", "a patch" } };
        for (size_t i = 0; i < LEN(known); i++) {
                size_t len = strlen(known[i].begins);
                if (n >= len && memcmp(head, known[i].begins, len) == 0) {
                        *ret = known[i].what;
                        return true;
                }
        }
        return false;
}

/* "shop/toc.dat", "shop/3456.dat.gz": what pg_dump -Fd calls its files. */
static bool of_a_directory(const char *name)
{
        const char *base = strrchr(name, '/');
        size_t digits = base ? strspn(base + 1, "0123456789") : 0;
        return base && (str_eq(base, "/toc.dat") || str_starts(base, "/blobs") ||
                        (digits > 0 && str_starts(base + 1 + digits, ".dat")));
}

/* pg_dump -Ft, a bundle, or a tar that somebody made around something. */
static bool kind_of_tar(const char *path, const char *head, size_t n, SourceKind *ret, Err *err)
{
        AUTO_FREE char *name = tar_first_file(head, n, NULL);
        *ret = SOURCE_TAR;
        if (str_eq(name, "toc.dat"))
                return true;
        *ret = SOURCE_BUNDLE; /* bundle_open() says what it is instead */
        if (!name || !of_a_directory(name))
                return true;
        AUTO_FREE char *clean = text_clean_str(name);
        err_set(err, ERR_USER, "%s is a tar around what pg_dump -Fd wrote (%s)", path, clean);
        return err_hint(err, "unpack it (tar -xf), and restore the directory");
}

static bool kind_of_head(const char *path, const char *head, size_t n, SourceKind *ret, Err *err)
{
        const char *what = NULL;
        if (n >= 5 && memcmp(head, "PGDMP", 5) == 0) {
                *ret = SOURCE_CUSTOM;
                return true;
        }
        if (is_tar(head, n))
                return kind_of_tar(path, head, n, ret, err);
        Packing again = packing_of(head, n);
        if (again != PACKED_NOT) {
                err_set(err, ERR_USER, "%s is packed twice: with %s inside", path,
                        packing_name(again));
                return err_hint(err, "take the outer one off first");
        }
        if (of_another_kind(head, n, &what))
                return err_set(err, ERR_USER, "%s is %s, not of PostgreSQL", path, what);
        *ret = SOURCE_SQL;
        bool utf16 =
                n >= 2 && (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0);
        if (contains(head, n, "PostgreSQL database ") || utf16)
                return true; /* sqlread.c says what is wrong with UTF-16 */
        if (n == 0)
                return err_set(err, ERR_USER, "%s is empty", path);
        if (memchr(head, '\0', n)) {
                *ret = SOURCE_BUNDLE;
                return true;
        }
        err_set(err, ERR_USER,
                "%s is not what pg_dump writes: `-- PostgreSQL database dump` does "
                "not stand at its beginning",
                path);
        return err_hint(err, "a bundle of pgsherpa, plain SQL of pg_dump or pg_dumpall (also "
                             "packed: gzip, zstd, xz, bzip2, lz4, zip, .tgz) and pg_dump -Fc, -Ft, "
                             "-Fd can be restored");
}

bool source_kind(const char *path, SourceKind *ret, Err *err)
{
        struct stat st;
        size_t n = 0;
        if (str_eq(path, "-") ||
            (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
                err_set(err, ERR_USER,
                        "%s: a pipe cannot be restored from: it can be read only "
                        "once, and it hides whether the program at its other end "
                        "succeeded",
                        path);
                return err_hint(err, "write it into a file first");
        }
        if (stat(path, &st) < 0)
                return err_set_errno(err, errno, "opening %s", path);
        if (S_ISDIR(st.st_mode)) {
                AUTO_FREE char *toc = io_join(path, "toc.dat");
                *ret = SOURCE_DIRECTORY;
                return io_exists(toc) ||
                       err_set(err, ERR_USER,
                               "%s is a directory without toc.dat: not what pg_dump -Fd writes",
                               path);
        }
        AUTO_FREE char *head = xcalloc(1, HEAD + 1);
        return head_of(path, head, &n, err) && kind_of_head(path, head, n, ret, err);
}

int archive_reader_major(const void *first, size_t n)
{
        const unsigned char *b = first;
        if (n < 8 || memcmp(b, "PGDMP", 5) != 0 || b[5] != 1)
                return 0;
        return major_of_archive(b[6]);
}

bool source_reader_major(const char *path, SourceKind kind, int *ret, Err *err)
{
        AUTO_FREE char *toc = kind == SOURCE_DIRECTORY ? io_join(path, "toc.dat") : xstrdup(path);
        AUTO_FREE char *head = xcalloc(1, HEAD);
        size_t n = 0, at = kind == SOURCE_TAR ? 512 : 0;
        if (!head_of(toc, head, &n, err))
                return false;
        char known[MAJOR_ARCHIVES_SIZE];
        *ret = n > at ? archive_reader_major(head + at, n - at) : 0;
        return *ret > 0 || err_set(err, ERR_USER, "it has format %d.%d; %s", head[at + 5],
                                   head[at + 6], major_archives_words(known));
}
