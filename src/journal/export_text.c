/* export_text.c: the log as plain text, for a terminal, a mail, a printer. */
#include <stdio.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/text.h"
#include "journal/export_impl.h"

/* Columns of a text in a terminal; what the locale cannot tell counts as one. */
static int width(const char *s)
{
        int columns = 0;
        for (size_t i = 0, n = strlen(s); i < n;) {
                uint32_t c = 0;
                size_t len = text_decode(s + i, n - i, &c);
                int w = wcwidth((wchar_t)c);
                columns += w < 0 ? 1 : w;
                i += len ? len : 1;
        }
        return columns;
}

static void add_padded(Buf *out, const char *text, int to)
{
        AUTO_FREE char *clean = text_clean_str(text);
        buf_adds(out, clean);
        for (int w = width(clean); w < to; w++)
                buf_addc(out, ' ');
}

static void add_line(Buf *out, const char *text)
{
        AUTO_FREE char *clean = text_clean_str(text);
        buf_printf(out, "%s\n", clean);
}

static void add_header(const RunView *v, const char *head_hash, Buf *out)
{
        ExportRow rows[EXPORT_ROWS];
        size_t n = export_header(v, head_hash, rows);
        add_line(out, v->title ? v->title : "A run of pgsherpa");
        buf_adds(out, "\n");
        for (size_t i = 0; i < n; i++) {
                add_padded(out, rows[i].name, 10);
                add_line(out, rows[i].value);
                free(rows[i].value);
        }
}

static void add_steps(const RunView *v, Buf *out)
{
        enum { WIDEST = 44 };
        char hms[16], span[32];
        int wide = 4;
        for (size_t i = 0; i < v->n_deeds; i++) {
                AUTO_FREE char *name = export_deed_name(&v->deeds[i]);
                wide = MAX(wide, MIN(width(name), WIDEST));
        }
        buf_adds(out, "\nSTEPS\n");
        for (size_t i = 0; i < v->n_deeds; i++) {
                const ViewDeed *d = &v->deeds[i];
                AUTO_FREE char *name = export_deed_name(d);
                AUTO_FREE char *notes = export_deed_notes(v, d);
                buf_printf(out, "%s  ", clock_hms(d->t_start, hms));
                add_padded(out, name, wide + 2);
                add_padded(out,
                           d->t_end && d->type != DEED_GATE && d->attempt + (int)d->type
                                   ? export_span(d->ms, span)
                                   : "",
                           14);
                add_padded(out, export_deed_status(d), 14);
                add_line(out, notes);
        }
        AUTO_FREE char *rest = export_not_started(v);
        if (rest) {
                buf_adds(out, "Not started: ");
                add_line(out, rest);
        }
}

static void add_people(const RunView *v, Buf *out)
{
        char when[40];
        for (size_t i = 0; i < v->n_decisions; i++) {
                const ViewDecision *d = &v->decisions[i];
                AUTO_FREE char *line =
                        xasprintf("%s: %s%s%s, %s", d->question ? d->question : d->id,
                                  d->answer ? d->answer : "(open)", d->by ? ", by " : "",
                                  d->by ? d->by : "", export_time(d->t_ms, when));
                buf_adds(out, i ? "" : "\nDECISIONS\n");
                add_line(out, line);
        }
        for (size_t i = 0; i < v->n_ticks; i++) {
                const ViewTick *t = &v->ticks[i];
                AUTO_FREE char *line =
                        xasprintf("[%c] %s, by %s, %s", t->ticked ? 'x' : ' ', t->text,
                                  t->by ? t->by : "?", export_time(t->t_ms, when));
                buf_adds(out, i ? "" : "\nMANUAL CHECKS\n");
                add_line(out, line);
        }
}

static void add_things(const RunView *v, Buf *out)
{
        char when[40], size[24];
        for (size_t i = 0; i < v->n_obligations; i++) {
                const ViewObligation *o = &v->obligations[i];
                AUTO_FREE char *line =
                        xasprintf("%s: %s, %s", o->t_met ? "put back" : "STILL OPEN", o->text,
                                  export_time(o->t_met ? o->t_met : o->t_add, when));
                buf_adds(out, i ? "" : "\nOBLIGATIONS\n");
                add_line(out, line);
        }
        for (size_t i = 0; i < v->n_artifacts; i++) {
                const ViewArtifact *a = &v->artifacts[i];
                AUTO_FREE char *line =
                        xasprintf("%s: %s, %s, sha256 %s", a->what, a->path,
                                  a->size < 0 ? "size not known" : fmt_bytes(a->size, size),
                                  a->sha256 ? a->sha256 : "not known");
                buf_adds(out, i ? "" : "\nARTIFACTS\n");
                add_line(out, line);
        }
}

static void add_issues(const RunView *v, Buf *out)
{
        char hms[16];
        for (size_t i = 0; i < v->n_issues; i++) {
                const ViewIssue *is = &v->issues[i];
                AUTO_FREE char *words = export_issue_words(is);
                AUTO_FREE char *step = is->n ? xasprintf("%d %s, ", is->n, is->step) : xstrdup("");
                AUTO_FREE char *line = xasprintf("%s  %s%s: %s", clock_hms(is->t_ms, hms), step,
                                                 export_issue_word(is), words);
                buf_adds(out, i ? "" : "\nERRORS\n");
                add_line(out, line);
        }
}

bool export_text(const RunView *v, const char *head_hash, Buf *out, Err *err)
{
        add_header(v, head_hash, out);
        add_steps(v, out);
        add_people(v, out);
        add_things(v, out);
        add_issues(v, out);
        if (out->overflow)
                return err_set(err, ERR_USER, "the log is larger than %zu bytes", out->max);
        return true;
}

bool export_lines(const RunView *v, Buf *out, Err *err)
{
        char hms[16], number[16];
        for (size_t i = 0; i < v->n_lines; i++) {
                const ViewLine *l = &v->lines[i];
                snprintf(number, sizeof number, l->n ? "%3d" : "   ", l->n);
                buf_printf(out, "%s  %s  %-5s  ", clock_hms(l->t_ms, hms), number,
                           view_line_level(l));
                add_padded(out, l->who, 10);
                add_line(out, l->text);
        }
        if (out->overflow)
                return err_set(err, ERR_USER, "the log is larger than %zu bytes", out->max);
        return true;
}
