/* source_file.c: a dump as a file: read once, and which of its databases is meant. */
#include "transfer/source_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/text.h"
#include "transfer/foreign/foreign.h"
#include "transfer/foreign/source_stream.h"
#include "transfer/state/progress_slots.h"
#include "transfer/transfer.h"

/* ---- which of its databases ---- */

static bool has_content(const DumpSection *s)
{
        return s->statements > 0 || s->props;
}

static void list_of(const SourceFile *f, Buf *out)
{
        for (size_t i = 0; i < f->contents.n; i++) {
                const DumpSection *s = &f->contents.sections[i];
                if (!has_content(s))
                        continue;
                AUTO_FREE char *name = text_clean_str(*s->name ? s->name : "(no name)");
                buf_printf(out, "%s%s", out->len ? ", " : "", name);
        }
}

static bool file_choose(SourceFile *f, const char *name, Err *err)
{
        AUTO_BUF list = buf_init(4096);
        size_t found = 0;
        list_of(f, &list);
        for (size_t i = 0; i < f->contents.n; i++) {
                const DumpSection *s = &f->contents.sections[i];
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
                               json_array_size(f->contents.roles) ? " but roles" : "");
        err_set(err, ERR_USER, "%s holds %zu databases: %s", f->words, found, buf_str(&list));
        return err_hint(
                err, "--database NAME chooses one (in a runbook: database), --all takes every one");
}

/* ---- opening ---- */

static void add_file(const struct stat *st, SourceStamp *to)
{
        to->size += st->st_size;
        to->changed += (uint64_t)st->st_mtim.tv_sec * 1000000000 + (uint64_t)st->st_mtim.tv_nsec +
                       (uint64_t)st->st_ino;
}

bool source_stamp(const char *path, SourceStamp *ret, Err *err)
{
        struct stat st;
        if (stat(path, &st) < 0)
                return err_set_errno(err, errno, "opening %s", path);
        *ret = (SourceStamp){ .inode = (uint64_t)st.st_ino };
        if (!S_ISDIR(st.st_mode)) {
                add_file(&st, ret);
                return true;
        }
        DIR *d = opendir(path);
        if (!d)
                return err_set_errno(err, errno, "opening %s", path);
        for (struct dirent *e; (e = readdir(d));)
                if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
                        add_file(&st, ret);
        closedir(d);
        return true;
}

/* pg_restore of the lowest major that knows the format, or any newer one that is here. */
static bool client_for(SourceFile *f, const char *image, Err *err)
{
        int lowest = 0;
        if (!source_reader_major(f->path, f->kind, &lowest, err))
                return false;
        return pg_clients_from(lowest, image, &f->client, err);
}

/* ---- the first reading ---- */

typedef struct First {
        SourceFile *f;
        SourceStream *s;
} First;

/* The end of the bytes counts only when whoever wrote them ended well. */
static bool file_more(void *arg, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        First *w = arg;
        if (!source_stream_read(w->s, bytes, n, ret_n, err))
                return false;
        progress_set(w->f->t, w->f->kind == SOURCE_SQL ? source_stream_position(w->s) : 0, 0, NULL);
        return *ret_n > 0 || source_stream_end(w->s, err);
}

/* What the text stumbled over may be the damage of what it was packed in: that is told then. What
 * pg_restore died of says more, too, than where its text ended. */
static void the_better_story(SourceStream *s, bool archive, Err *err)
{
        AUTO_ERR other = { 0 };
        AUTO_FREE char *piece = xmalloc(1 << 18);
        bool ok = true;
        if (err->kind != ERR_USER)
                return;
        for (size_t n = 1; n > 0 && ok && !archive;)
                ok = source_stream_read(s, piece, 1 << 18, &n, &other);
        if (archive)
                ok = source_stream_end(s, &other);
        if (!ok && other.kind != ERR_NONE) { /* none: `more` told it already */
                err_clear(err);
                err_move(err, &other);
        }
}

bool source_stream_of(const SourceFile *f, bool schema_only, SourceStream **ret, Err *err)
{
        SourceBytes b = { .t = f->t,
                          .path = f->path,
                          .kind = f->kind,
                          .client = &f->client,
                          .schema_only = schema_only };
        return source_stream_open(&b, ret, err);
}

/* All of it; of an archive the schema. */
static bool file_scan(SourceFile *f, Err *err)
{
        bool archive = f->kind != SOURCE_SQL;
        AUTO_SOURCESTREAM s = NULL;
        if (!source_stream_of(f, archive, &s, err))
                return err_wrap(err, "%s", f->words);
        First w = { .f = f, .s = s };
        AUTO_SQLREAD r = sqlread_new(file_more, &w);
        progress_stage(f->t, archive ? "reading the archive's schema" : "reading the file", "bytes",
                       archive ? 0 : f->stamp.size, 0);
        if (contents_read(r, &f->contents, err))
                return true;
        the_better_story(s, archive, err);
        return err_wrap(err, "%s", f->words);
}

bool source_file_open(Transfer *t, const SourceOpen *o, SourceFile **ret, Err *err)
{
        AUTO_SOURCEFILE f = xcalloc(1, sizeof *f);
        char whole[PATH_MAX];
        f->t = t;
        const char *slash = strrchr(o->path, '/');
        f->words = text_clean_str(slash && slash[1] ? slash + 1 : o->path);
        if (!source_kind(o->path, &f->kind, err))
                return false;
        if (f->kind == SOURCE_BUNDLE)
                return err_set(err, ERR_USER, "%s is not a dump", f->words);
        if (!realpath(o->path, whole))
                return err_set_errno(err, errno, "opening %s", o->path);
        f->path = xstrdup(whole);
        if (!source_stamp(f->path, &f->stamp, err))
                return false;
        if (f->kind != SOURCE_SQL && !client_for(f, o->image, err))
                return err_wrap(err, "%s", f->words);
        f->all = o->all;
        if (!file_scan(f, err) || (!o->all && !file_choose(f, o->database, err)))
                return false;
        *ret = f;
        f = NULL;
        return true;
}

json_t *source_file_names(const SourceFile *f)
{
        json_t *names = json_array();
        for (size_t i = 0; i < f->contents.n; i++)
                if (has_content(&f->contents.sections[i]))
                        jx_append_str(names, f->contents.sections[i].name);
        return names;
}

bool source_file_pick(SourceFile *f, const char *name, Err *err)
{
        return file_choose(f, name, err);
}

const char *source_file_database(const SourceFile *f)
{
        return *f->chosen->name ? f->chosen->name : NULL;
}

SourceFile *source_file_free(SourceFile *f)
{
        if (f) {
                contents_done(&f->contents);
                free(f->path);
                free(f->words);
                pg_client_done(&f->client);
                free(f);
        }
        return NULL;
}
