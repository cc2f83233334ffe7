/* source_scan.c: the first reading: is it whole, what is in it, may it run at all. */
#include "transfer/source_internal.h"

#include <ctype.h>

#include "base/text.h"

#define SECTIONS_MAX 10000              /* databases of one pg_dumpall */

typedef struct Scan {
        SourceFile    *f;
        SourceStream  *s;
        SqlRead       *r;
        SourceSection *here;
        size_t         at;              /* index of `here`: sections may move               */
        bool           restricted;
        int            open;            /* dumps that began and did not end                  */
        int            dumps;           /* that began                                        */
        bool           cluster_open;
        bool           again;           /* a second dump began, and no \connect since       */
} Scan;

SourceSection *source_section(SourceFile *f, const char *name)
{
        for (size_t i = 0; i < f->n_sections; i++)
                if (str_eq(f->sections[i].name, name))
                        return &f->sections[i];
        f->sections = xrealloc(f->sections, (f->n_sections + 1) * sizeof *f->sections);
        f->sections[f->n_sections] = (SourceSection){ .name = xstrdup(name) };
        return &f->sections[f->n_sections++];
}

bool source_stream_of(const SourceFile *f, bool schema_only, SourceStream **ret, Err *err)
{
        SourceBytes b = { .t = f->t, .path = f->path, .kind = f->kind, .client = &f->client,
                          .schema_only = schema_only };
        return source_stream_open(&b, ret, err);
}

bool source_command(const SqlReadItem *item, bool *restricted, char **ret_connect, Err *err)
{
        *ret_connect = NULL;
        bool on = str_starts(item->text, "\\restrict "), off = str_starts(item->text, "\\unrestrict ");
        if (on || off) {
                *restricted = on;
                return true;
        }
        /* In front of a \connect to an odd name; the session it leads to sets its own. */
        if (!*restricted && str_eq(item->text, "\\encoding SQL_ASCII"))
                return true;
        /* Between the two psql itself takes no other command (CVE-2025-8714). */
        if (!*restricted && (*ret_connect = sqlmeaning_connect(item->text)))
                return true;
        size_t n = 1;
        while (item->text[n] && !isspace((unsigned char)item->text[n]) && n < 40)
                n++;
        AUTO_FREE char *word = text_clean(item->text, n);
        err_set(err, ERR_USER, "line %lld: the psql command %s: not run, and the file is not restored",
                (long long)item->line, word);
        return err_hint(err, "pg_dump writes no such line; look at it, and remove it if you know why it is there");
}

/* ---- statements ---- */

static void encoding_of(const SqlReadItem *i, SourceSection *s)
{
        SqlCursor c = { .p = i->text, .end = i->text + i->len };
        if (sqlcursor_next(&c) && sqlcursor_is(&c, "set") && sqlcursor_next(&c) &&
            sqlcursor_is(&c, "client_encoding") && sqlcursor_next(&c) && sqlcursor_next(&c)) {
                free(s->encoding);
                s->encoding = sqlcursor_text(&c);
        }
}

static bool statement(Scan *w, const SqlReadItem *i, Err *err)
{
        AUTO_SQLMEANING m = { 0 };
        SourceFile *f = w->f;
        SourceSection *s = &f->sections[w->at];
        sqlmeaning_of(i, &m);
        switch (m.reach) {
        case SQL_FORBIDDEN:
                err_set(err, ERR_USER, "line %lld: a statement of this kind is not run: %s",
                        (long long)i->line, m.why);
                return err_hint(err, "pg_dump writes no such statement; the file is not restored");
        case SQL_SESSION:
                encoding_of(i, s);
                return true;
        case SQL_CREATE_DATABASE:
                s = source_section(f, m.name);
                json_decref(s->props);
                s->props = sqlmeaning_properties(i);
                return true;
        case SQL_OF_CLUSTER:
                if (m.name && str_starts(i->text, "CREATE ROLE"))
                        jx_append_str(f->roles, m.name);
                return true;
        case SQL_COPY_IN: {
                int64_t rows = 0;
                if (!sqlread_rows(w->r, NULL, NULL, &rows, err))
                        return false;
                s->copies++;
                s->rows += rows;
                break;
        }
        case SQL_OF_DATABASE:
        case SQL_DROP_DATABASE:
        case SQL_REMOVES:
                return true;
        default:
                break;
        }
        if (w->again && s->statements > 0)
                return err_set(err, ERR_USER, "line %lld: a second dump is in it, without \\connect between "
                               "the two: cut the file in two", (long long)i->line);
        w->again = false;
        s->statements++;
        return true;
}

static void note(Scan *w, const char *text)
{
        if (str_eq(text, "-- PostgreSQL database dump")) {
                w->open++;
                w->dumps++;
                w->again = true;
        } else if (str_eq(text, "-- PostgreSQL database dump complete")) {
                w->open--;
        } else if (str_eq(text, "-- PostgreSQL database cluster dump")) {
                w->f->cluster = w->cluster_open = true;
                w->dumps++;
        } else if (str_eq(text, "-- PostgreSQL database cluster dump complete")) {
                w->cluster_open = false;
        }
}

static bool one(Scan *w, const SqlReadItem *i, Err *err)
{
        AUTO_FREE char *connect = NULL;
        switch (i->kind) {
        case SQLREAD_NOTE:
                note(w, i->text);
                return true;
        case SQLREAD_COMMAND:
                if (!source_command(i, &w->restricted, &connect, err))
                        return false;
                if (connect) {
                        w->at = (size_t)(source_section(w->f, connect) - w->f->sections);
                        w->again = false;
                }
                return w->f->n_sections <= SECTIONS_MAX ||
                       err_set(err, ERR_USER, "it holds more than %d databases", SECTIONS_MAX);
        case SQLREAD_STATEMENT:
                if (w->dumps == 0)
                        return err_set(err, ERR_USER, "line %lld: a statement before `-- PostgreSQL database "
                                       "dump`: this is not what pg_dump writes", (long long)i->line);
                return statement(w, i, err);
        case SQLREAD_END:
                break;
        }
        if (w->dumps > 0 && w->open == 0 && !w->cluster_open)
                return true;
        err_set(err, ERR_USER, "%s", w->dumps == 0 ? "it holds no dump of pg_dump" :
                w->open ? "its last line is not `-- PostgreSQL database dump complete`" :
                          "its last line is not `-- PostgreSQL database cluster dump complete`");
        return err_hint(err, "the dump was cut off: make it again, or find a whole copy");
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
        if (!ok) {
                err_clear(err);
                err_move(err, &other);
        }
}

bool source_scan(SourceFile *f, Err *err)
{
        AUTO_SOURCESTREAM s = NULL;
        bool archive = f->kind != SOURCE_SQL;
        if (!source_stream_of(f, archive, &s, err))
                return err_wrap(err, "%s", f->words);
        AUTO_SQLREAD r = sqlread_new(source_stream_read, s);
        Scan w = { .f = f, .s = s, .r = r };
        (void)source_section(f, "");
        SqlReadItem i = { .kind = SQLREAD_NOTE };
        progress_stage(f->t, archive ? "reading the archive's schema" : "reading the file", "bytes",
                       archive ? 0 : f->size, 0);
        while (i.kind != SQLREAD_END) {
                bool ok = sqlread_next(r, &i, err);
                if (ok && i.kind == SQLREAD_END)
                        ok = source_stream_end(s, err);
                if (!ok || !one(&w, &i, err))
                        break;
                progress_set(f->t, archive ? 0 : source_stream_position(s), 0, NULL);
        }
        if (err->kind == ERR_NONE)
                return true;
        the_better_story(s, archive, err);
        return err_wrap(err, "%s", f->words);
}
