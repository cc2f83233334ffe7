/* export_md.c: the log as Markdown, for a wiki or a ticket. */
#include "base/clock.h"
#include "base/fmt.h"
#include "base/text.h"
#include "journal/export_impl.h"

enum { EXPORT_MAX = 64 * 1024 * 1024 };

/* A name may hold anything; in Markdown it must stay a name: no cell, no tag, no link, no
 * emphasis, no line of its own. oc_filecache keeps its underscore, __init__ gets escapes. */
static void add_escaped(Buf *out, const char *text)
{
        AUTO_FREE char *clean = text_clean_lines(text, strlen(text));
        for (const char *s = clean; *s; s++) {
                bool inside = s > clean && s[1] && (unsigned char)s[-1] > ' ' && s[-1] != '_' &&
                              (unsigned char)s[1] > ' ' && s[1] != '_';
                if (*s == '\n' || *s == '\t')
                        buf_addc(out, ' ');
                else if (*s == '&')
                        buf_adds(out, "&amp;");
                else if (*s == '<')
                        buf_adds(out, "&lt;");
                else if (*s == '>')
                        buf_adds(out, "&gt;");
                else if (strchr("|`*[]~\\", *s) || (*s == '_' && !inside))
                        buf_printf(out, "\\%c", *s);
                else
                        buf_addc(out, *s);
        }
}

static void add_cell(Buf *out, const char *text)
{
        buf_adds(out, "| ");
        add_escaped(out, text ? text : "");
        buf_adds(out, " ");
}

static void add_header(const RunView *v, const char *head_hash, Buf *out)
{
        ExportRow rows[EXPORT_ROWS];
        size_t n = export_header(v, head_hash, rows);
        buf_adds(out, "# ");
        add_escaped(out, v->title ? v->title : "A run of pgsherpa");
        buf_adds(out, "\n\n| | |\n|---|---|\n");
        for (size_t i = 0; i < n; i++) {
                add_cell(out, rows[i].name);
                add_cell(out, rows[i].value);
                buf_adds(out, "|\n");
                free(rows[i].value);
        }
}

static void add_deed(const RunView *v, const ViewDeed *d, Buf *out)
{
        char hms[16], span[32];
        AUTO_FREE char *name = export_deed_name(d);
        AUTO_FREE char *notes = export_deed_notes(v, d);
        AUTO_FREE char *time = NULL;
        clock_hms(d->t_start, hms);
        if (d->type == DEED_GATE || !d->t_end || (!d->attempt && d->type == DEED_STEP))
                time = xstrdup(hms);
        else
                time = xasprintf("%s (%s)", hms, export_span(d->ms, span));
        add_cell(out, name);
        add_cell(out, time);
        add_cell(out, export_deed_status(d));
        add_cell(out, notes);
        buf_adds(out, "|\n");
}

static void add_steps(const RunView *v, Buf *out)
{
        AUTO_FREE char *rest = export_not_started(v);
        buf_adds(out, "\n## Steps\n\n| Step | Time | Status | Notes |\n|---|---|---|---|\n");
        for (size_t i = 0; i < v->n_deeds; i++)
                add_deed(v, &v->deeds[i], out);
        if (rest) {
                buf_adds(out, "\nNot started: ");
                add_escaped(out, rest);
                buf_adds(out, "\n");
        }
}

static void add_people(const RunView *v, Buf *out)
{
        char when[40];
        if (v->n_decisions)
                buf_adds(out, "\n## Decisions\n\n| Question | Answer | By | When |\n"
                              "|---|---|---|---|\n");
        for (size_t i = 0; i < v->n_decisions; i++) {
                const ViewDecision *d = &v->decisions[i];
                add_cell(out, d->question ? d->question : d->id);
                add_cell(out, d->answer ? d->answer : "(open)");
                add_cell(out, d->by);
                add_cell(out, export_time(d->t_ms, when));
                buf_adds(out, "|\n");
        }
        if (v->n_ticks)
                buf_adds(out, "\n## Manual checks\n\n| Check | State | By | When |\n"
                              "|---|---|---|---|\n");
        for (size_t i = 0; i < v->n_ticks; i++) {
                const ViewTick *t = &v->ticks[i];
                add_cell(out, t->text);
                add_cell(out, t->ticked ? "ticked" : "not ticked");
                add_cell(out, t->by);
                add_cell(out, export_time(t->t_ms, when));
                buf_adds(out, "|\n");
        }
}

static void add_things(const RunView *v, Buf *out)
{
        char when[40], size[24];
        if (v->n_obligations)
                buf_adds(out, "\n## Obligations\n\n| To be put back | State | When |\n"
                              "|---|---|---|\n");
        for (size_t i = 0; i < v->n_obligations; i++) {
                const ViewObligation *o = &v->obligations[i];
                add_cell(out, o->text);
                add_cell(out, o->t_met ? "put back" : "STILL OPEN");
                add_cell(out, export_time(o->t_met ? o->t_met : o->t_add, when));
                buf_adds(out, "|\n");
        }
        if (v->n_artifacts)
                buf_adds(out, "\n## Artifacts\n\n| What | Path | Size | SHA-256 |\n"
                              "|---|---|---|---|\n");
        for (size_t i = 0; i < v->n_artifacts; i++) {
                const ViewArtifact *a = &v->artifacts[i];
                add_cell(out, a->what);
                add_cell(out, a->path);
                add_cell(out, a->size < 0 ? "" : fmt_bytes(a->size, size));
                add_cell(out, a->sha256);
                buf_adds(out, "|\n");
        }
}

static void add_issues(const RunView *v, Buf *out)
{
        char hms[16];
        if (v->n_issues)
                buf_adds(out,
                         "\n## Errors\n\n| Time | Step | Verdict | Error |\n|---|---|---|---|\n");
        for (size_t i = 0; i < v->n_issues; i++) {
                const ViewIssue *is = &v->issues[i];
                AUTO_FREE char *words = export_issue_words(is);
                AUTO_FREE char *step = is->n ? xasprintf("%d %s", is->n, is->step) : xstrdup("");
                add_cell(out, clock_hms(is->t_ms, hms));
                add_cell(out, step);
                add_cell(out, export_issue_word(is));
                add_cell(out, words);
                buf_adds(out, "|\n");
        }
}

bool export_markdown(const RunView *v, const char *head_hash, Buf *out, Err *err)
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
