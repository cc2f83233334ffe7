/* source_file.c: what a file is, and which of its databases is meant. */
#include "transfer/source_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "archive/plain.h"
#include "base/io.h"
#include "base/text.h"

#define HEAD ((size_t)64 << 10)

/* ---- what it is ---- */

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
        } known[] = { { "-- MySQL dump", "a dump of MySQL" }, { "-- MariaDB dump", "a dump of MariaDB" },
                      { "/*!999999", "a dump of MariaDB" }, { "-- phpMyAdmin", "a dump of phpMyAdmin (MySQL)" },
                      { "PRAGMA foreign_keys", "a dump of SQLite" }, { "SQLite format 3", "an SQLite database" },
                      { "REDIS0", "a Redis dump" }, { "--\n-- Raw SQL patch", "a patch" } };
        for (size_t i = 0; i < LEN(known); i++) {
                size_t len = strlen(known[i].begins);
                if (n >= len && memcmp(head, known[i].begins, len) == 0) {
                        *ret = known[i].what;
                        return true;
                }
        }
        return false;
}

static bool kind_of_head(const char *path, const char *head, size_t n, SourceKind *ret, Err *err)
{
        const char *what = NULL;
        if (n >= 5 && memcmp(head, "PGDMP", 5) == 0) {
                *ret = SOURCE_CUSTOM;
                return true;
        }
        if (n >= 512 && memcmp(head + 257, "ustar", 5) == 0) {
                *ret = strcmp(head, "toc.dat") == 0 ? SOURCE_TAR : SOURCE_BUNDLE;
                return true;
        }
        if (of_another_kind(head, n, &what))
                return err_set(err, ERR_USER, "%s is %s, not of PostgreSQL", path, what);
        *ret = SOURCE_SQL;
        bool utf16 = n >= 2 && (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0);
        if (contains(head, n, "PostgreSQL database ") || utf16)
                return true;            /* sqlread.c says what is wrong with UTF-16 */
        if (n == 0)
                return err_set(err, ERR_USER, "%s is empty", path);
        if (memchr(head, '\0', n)) {
                *ret = SOURCE_BUNDLE;
                return true;
        }
        err_set(err, ERR_USER, "%s is not what pg_dump writes: `-- PostgreSQL database dump` does not "
                "stand at its beginning", path);
        return err_hint(err, "a bundle of pgsherpa, plain SQL of pg_dump or pg_dumpall (also .gz or .zst) and "
                             "pg_dump -Fc, -Ft, -Fd can be restored");
}

bool source_file_kind(const char *path, SourceKind *ret, Err *err)
{
        struct stat st;
        size_t n = 0;
        if (str_eq(path, "-") || (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
                err_set(err, ERR_USER, "%s: a pipe cannot be restored from: it can be read only once, and it "
                        "hides whether the program at its other end succeeded", path);
                return err_hint(err, "write it into a file first");
        }
        if (stat(path, &st) < 0)
                return err_set_errno(err, errno, "opening %s", path);
        if (S_ISDIR(st.st_mode)) {
                AUTO_FREE char *toc = io_join(path, "toc.dat");
                *ret = SOURCE_DIRECTORY;
                return io_exists(toc) ||
                       err_set(err, ERR_USER, "%s is a directory without toc.dat: not what pg_dump -Fd writes",
                               path);
        }
        AUTO_FREE char *head = xcalloc(1, HEAD + 1);
        return head_of(path, head, &n, err) && kind_of_head(path, head, n, ret, err);
}

/* ---- which of its databases ---- */

static bool has_content(const SourceSection *s)
{
        return s->statements > 0 || s->props;
}

static void list_of(const SourceFile *f, Buf *out)
{
        for (size_t i = 0; i < f->n_sections; i++) {
                const SourceSection *s = &f->sections[i];
                if (!has_content(s))
                        continue;
                AUTO_FREE char *name = text_clean_str(*s->name ? s->name : "(no name)");
                buf_printf(out, "%s%s", out->len ? ", " : "", name);
        }
}

static bool choose(SourceFile *f, const char *name, Err *err)
{
        AUTO_BUF list = buf_init(4096);
        size_t found = 0;
        list_of(f, &list);
        for (size_t i = 0; i < f->n_sections; i++) {
                const SourceSection *s = &f->sections[i];
                bool wanted = name && *name ? str_eq(s->name, name) : has_content(s);
                if (wanted) {
                        f->chosen = s;
                        found++;
                }
        }
        if (found == 1)
                return true;
        if (name && *name) {
                AUTO_FREE char *clean = text_clean_str(name);
                err_set(err, ERR_USER, "%s has no database %s; it has %s", f->words, clean,
                        list.len ? buf_str(&list) : "none");
                return false;
        }
        if (found == 0)
                return err_set(err, ERR_USER, "%s makes nothing%s", f->words,
                               json_array_size(f->roles) ? " but roles" : "");
        err_set(err, ERR_USER, "%s holds %zu databases: %s", f->words, found, buf_str(&list));
        return err_hint(err, "--database NAME chooses one (in a runbook: database)");
}

/* ---- opening ---- */

static bool directory_size(const char *path, int64_t *ret, Err *err)
{
        DIR *d = opendir(path);
        if (!d)
                return err_set_errno(err, errno, "opening %s", path);
        for (struct dirent *e; (e = readdir(d));) {
                struct stat st;
                if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
                        *ret += st.st_size;
        }
        closedir(d);
        return true;
}

/* pg_restore of the lowest major that knows the format, or any newer one that is here. */
static bool client_for(SourceFile *f, const char *image, Err *err)
{
        char first[16] = { 0 };
        AUTO_FREE char *toc = f->kind == SOURCE_DIRECTORY ? io_join(f->path, "toc.dat") : xstrdup(f->path);
        AUTO_FD int fd = open(toc, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return err_set_errno(err, errno, "opening %s", toc);
        AUTO_PLAININ in = plain_in_new(fd);
        AUTO_FREE char *head = xcalloc(1, HEAD);
        size_t n = 0, at = f->kind == SOURCE_TAR ? 512 : 0;
        if (!plain_in_read(in, head, HEAD, &n, err))
                return false;
        if (n > at)
                memcpy(first, head + at, MIN(sizeof first, n - at));
        int lowest = dump_reader_major(first, sizeof first);
        if (lowest == 0)
                return err_set(err, ERR_USER, "it has format %d.%d; 1.14 to 1.16 are known (PostgreSQL 12 to 18)",
                               first[5], first[6]);
        for (int major = lowest; major <= 18; major++) {
                AUTO_ERR ignored = { 0 };
                if (pg_clients_find(major, NULL, &f->client, &ignored))
                        return true;
        }
        return pg_clients_find(lowest, image, &f->client, err);
}

bool source_file_open(Transfer *t, const SourceOpen *o, SourceFile **ret, Err *err)
{
        AUTO_SOURCEFILE f = xcalloc(1, sizeof *f);
        char whole[PATH_MAX];
        f->t = t;
        f->roles = json_array();
        const char *slash = strrchr(o->path, '/');
        f->words = text_clean_str(slash && slash[1] ? slash + 1 : o->path);
        if (!source_file_kind(o->path, &f->kind, err))
                return false;
        if (f->kind == SOURCE_BUNDLE)
                return err_set(err, ERR_USER, "%s is not a dump", f->words);
        if (!realpath(o->path, whole) || stat(whole, &f->stat) < 0)
                return err_set_errno(err, errno, "opening %s", o->path);
        f->path = xstrdup(whole);
        f->size = f->stat.st_size;
        if (f->kind == SOURCE_DIRECTORY) {
                f->size = 0;
                if (!directory_size(f->path, &f->size, err))
                        return false;
        }
        if (f->kind != SOURCE_SQL && !client_for(f, o->image, err))
                return err_wrap(err, "%s", f->words);
        if (!source_scan(f, err) || !choose(f, o->database, err))
                return false;
        *ret = f;
        f = NULL;
        return true;
}

const char *source_file_database(const SourceFile *f)
{
        return *f->chosen->name ? f->chosen->name : NULL;
}

SourceFile *source_file_free(SourceFile *f)
{
        if (f) {
                for (size_t i = 0; i < f->n_sections; i++) {
                        free(f->sections[i].name);
                        free(f->sections[i].encoding);
                        json_decref(f->sections[i].props);
                }
                free(f->sections);
                free(f->path);
                free(f->words);
                free(f->dump_version);
                json_decref(f->roles);
                pg_client_done(&f->client);
                free(f);
        }
        return NULL;
}
