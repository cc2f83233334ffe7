#include "dumps/contents.h"

#include <ctype.h>

#include "base/text.h"
#include "dumps/sqlmeaning.h"

#define SECTIONS_MAX 10000 /* databases of one pg_dumpall */

typedef struct Scan {
        DumpContents *c;
        SqlRead *r;
        size_t at; /* the section we are in: they may move */
        bool restricted;
        int open;          /* dumps that began and did not end */
        int dumps;         /* that began */
        bool cluster_open; /* a pg_dumpall began and did not end */
        bool again;        /* a second dump began, and no \connect since */
} Scan;

/* The section \connect leads to; made when it is new. */
static DumpSection *section(DumpContents *c, const char *name)
{
        for (size_t i = 0; i < c->n; i++)
                if (str_eq(c->sections[i].name, name))
                        return &c->sections[i];
        c->sections = xrealloc(c->sections, (c->n + 1) * sizeof *c->sections);
        c->sections[c->n] = (DumpSection){ .name = xstrdup(name) };
        return &c->sections[c->n++];
}

bool contents_command(const SqlReadItem *item, bool *restricted, char **ret_connect, Err *err)
{
        *ret_connect = NULL;
        bool on = str_starts(item->text, "\\restrict "),
             off = str_starts(item->text, "\\unrestrict ");
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
        err_set(err, ERR_USER,
                "line %lld: the psql command %s: not run, and the file is not restored",
                (long long)item->line, word);
        return err_hint(err, "pg_dump writes no such line; look at it, and remove it if you know "
                             "why it is there");
}

/* ---- statements ---- */

static void encoding_of(const SqlReadItem *i, DumpSection *s)
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
        DumpContents *c = w->c;
        DumpSection *s = &c->sections[w->at];
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
                s = section(c, m.name);
                json_decref(s->props);
                s->props = sqlmeaning_properties(i);
                return true;
        case SQL_OF_CLUSTER:
                if (m.name && str_starts(i->text, "CREATE ROLE"))
                        jx_append_str(c->roles, m.name);
                return true;
        case SQL_COPY_IN: {
                int64_t rows = 0;
                if (!sqlread_rows(w->r, NULL, NULL, &rows, err))
                        return false;
                s->copies++;
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
                return err_set(err, ERR_USER,
                               "line %lld: a second dump is in it, without "
                               "\\connect between the two: "
                               "cut the file in two",
                               (long long)i->line);
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
                w->cluster_open = true;
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
                if (!contents_command(i, &w->restricted, &connect, err))
                        return false;
                if (connect) {
                        w->at = (size_t)(section(w->c, connect) - w->c->sections);
                        w->again = false;
                }
                return w->c->n <= SECTIONS_MAX ||
                       err_set(err, ERR_USER, "it holds more than %d databases", SECTIONS_MAX);
        case SQLREAD_STATEMENT:
                if (w->dumps == 0)
                        return err_set(err, ERR_USER,
                                       "line %lld: a statement before `-- "
                                       "PostgreSQL database dump`: this is not what "
                                       "pg_dump writes",
                                       (long long)i->line);
                return statement(w, i, err);
        case SQLREAD_END:
                break;
        }
        if (w->dumps > 0 && w->open == 0 && !w->cluster_open)
                return true;
        err_set(err, ERR_USER, "%s",
                w->dumps == 0 ? "it holds no dump of pg_dump"
                : w->open     ? "its last line is not `-- PostgreSQL database dump complete`"
                          : "its last line is not `-- PostgreSQL database cluster dump complete`");
        return err_hint(err, "the dump was cut off: make it again, or find a whole copy");
}

bool contents_read(SqlRead *r, DumpContents *ret, Err *err)
{
        Scan w = { .c = ret, .r = r };
        SqlReadItem i = { .kind = SQLREAD_NOTE };
        ret->roles = json_array();
        (void)section(ret, "");
        while (i.kind != SQLREAD_END)
                if (!sqlread_next(r, &i, err) || !one(&w, &i, err))
                        return false;
        return true;
}

void contents_done(DumpContents *c)
{
        for (size_t i = 0; i < c->n; i++) {
                free(c->sections[i].name);
                free(c->sections[i].encoding);
                json_decref(c->sections[i].props);
        }
        free(c->sections);
        json_decref(c->roles);
        *c = (DumpContents){ 0 };
}
