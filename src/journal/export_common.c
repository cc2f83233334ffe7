#include "journal/export_impl.h"

#include <stdio.h>
#include <time.h>

#include "base/fmt.h"

char *export_span(int64_t ms, char buf[static 32])
{
        long long s = ms < 0 ? 0 : (ms + 500) / 1000;
        if (ms < 0)
                snprintf(buf, 32, "?");
        else if (ms < 9950)
                snprintf(buf, 32, "%lld.%lld s", (ms + 50) / 1000LL, (ms + 50) / 100LL % 10);
        else if (s < 60)
                snprintf(buf, 32, "%lld s", s);
        else if (s < 3600 && s % 60 == 0)
                snprintf(buf, 32, "%lld min", s / 60);
        else if (s < 3600)
                snprintf(buf, 32, "%lld min %lld s", s / 60, s % 60);
        else if (s < 48 * 3600)
                snprintf(buf, 32, "%lld h %lld min", s / 3600, s / 60 % 60);
        else
                snprintf(buf, 32, "%lld days %lld h", s / 86400, s / 3600 % 24);
        return buf;
}

char *export_time(int64_t t_ms, char buf[static 40])
{
        time_t s = (time_t)(t_ms / 1000);
        struct tm tm;
        buf[0] = '\0';
        if (t_ms && localtime_r(&s, &tm))
                strftime(buf, 40, "%Y-%m-%d %H:%M:%S %z", &tm);
        return buf;
}

char *export_deed_name(const ViewDeed *d)
{
        if (d->type == DEED_GATE)
                return xasprintf("gate: %s", d->title);
        if (d->type == DEED_UNDO)
                return xasprintf("undo %d %s", d->n, d->title);
        if (d->attempt > 1)
                return xasprintf("%d %s (attempt %d)", d->n, d->title, d->attempt);
        return xasprintf("%d %s", d->n, d->title);
}

const char *export_deed_status(const ViewDeed *d)
{
        if (d->type == DEED_GATE)
                return d->t_end ? "answered" : "open";
        if (!d->t_end)
                return d->type == DEED_UNDO ? "undo not finished" : "not finished";
        if (d->type == DEED_UNDO && d->status == ST_SKIPPED)
                return "kept";
        return step_status_word(d->status);
}

/* "3 x 42501 GRANT monitoring": what was let pass while this deed lasted. */
static void add_tolerated(const RunView *v, const ViewDeed *d, Buf *out)
{
        for (size_t i = 0; i < v->n_issues; i++) {
                const ViewIssue *is = &v->issues[i];
                if (is->verdict != ISSUE_TOLERATED || !str_eq(is->step, d->step) ||
                    is->t_ms < d->t_start || (d->t_end && is->t_ms > d->t_end))
                        continue;
                const char *what = is->sqlstate ? is->sqlstate : is->kind ? is->kind : "error";
                buf_printf(out, "%stolerated %lld x %s%s%s", out->len ? "; " : "",
                           (long long)is->count, what, is->object ? " " : "",
                           is->object ? is->object : "");
        }
}

char *export_deed_notes(const RunView *v, const ViewDeed *d)
{
        AUTO_BUF b = buf_init(64 * 1024);
        char waited[24];
        if (d->type == DEED_GATE) {
                if (d->t_end)
                        buf_printf(&b, "%s, by %s, waited %s", d->note ? d->note : "",
                                   d->by ? d->by : "nobody", fmt_clock(d->ms, waited));
                return buf_take(&b, NULL);
        }
        if (d->note)
                buf_adds(&b, d->note);
        if (d->type == DEED_STEP)
                add_tolerated(v, d, &b);
        return buf_take(&b, NULL);
}

char *export_downtime(const RunView *v)
{
        char planned[32], budget[32], was[32];
        int64_t ms = run_view_downtime_ms(v, 0);
        AUTO_BUF b = buf_init(256);
        if (v->downtime_planned_ms)
                buf_printf(&b, "planned %s", export_span(v->downtime_planned_ms, planned));
        if (v->budget_ms)
                buf_printf(&b, "%sat most %s", b.len ? ", " : "",
                           export_span(v->budget_ms, budget));
        if (b.len)
                buf_adds(&b, "; ");
        if (ms < 0)
                buf_adds(&b, "there was none");
        else
                buf_printf(&b, "%s %s", v->downtime_end ? "it was" : "not over yet after",
                           export_span(ms, was));
        return buf_take(&b, NULL);
}

char *export_verdict(const RunView *v)
{
        if (!v->status && v->damage)
                return xstrdup("not known: the journal is damaged");
        if (!v->status)
                return xstrdup("not closed: the run goes on, or waits to be resumed");
        bool reason = v->close_reason && *v->close_reason;
        return xasprintf("%s%s%s", v->status, reason ? ": " : "", reason ? v->close_reason : "");
}

char *export_not_started(const RunView *v)
{
        AUTO_BUF b = buf_init(64 * 1024);
        for (size_t i = 0; i < v->n_steps; i++) {
                const ViewStep *st = &v->steps[i];
                if (!st->loop && (st->status == ST_PENDING || st->status == ST_GATED))
                        buf_printf(&b, "%s%d %s", b.len ? ", " : "", st->n, st->title);
        }
        return b.len ? buf_take(&b, NULL) : NULL;
}

const char *export_issue_word(const ViewIssue *i)
{
        static const char *const words[] = {
                [ISSUE_STOPPED] = "error",
                [ISSUE_TOLERATED] = "tolerated",
                [ISSUE_RETRIED] = "tried again",
                [ISSUE_WARNING] = "warning",
        };
        return words[i->verdict];
}

char *export_issue_words(const ViewIssue *i)
{
        AUTO_BUF b = buf_init(64 * 1024);
        buf_adds(&b, i->message && *i->message ? i->message : "no words");
        if (i->sqlstate)
                buf_printf(&b, " (SQLSTATE %s)", i->sqlstate);
        if (i->object)
                buf_printf(&b, ", %s", i->object);
        if (i->count > 1)
                buf_printf(&b, ", %lld times", (long long)i->count);
        if (i->rule)
                buf_printf(&b, ", rule %s", i->rule);
        if (i->hint)
                buf_printf(&b, "; hint: %s", i->hint);
        return buf_take(&b, NULL);
}

static char *by_words(const RunView *v)
{
        const char *user = v->user && *v->user ? v->user : "?";
        if (!v->ssh || !*v->ssh)
                return xstrdup(user);
        return xasprintf("%s from %.*s", user, (int)strcspn(v->ssh, " "), v->ssh);
}

size_t export_header(const RunView *v, const char *head_hash, ExportRow rows[EXPORT_ROWS])
{
        char start[40], end[40], span[32];
        const char *none = "?";
        size_t n = 0;
        rows[n++] = (ExportRow){ "Run", xstrdup(v->run ? v->run : none) };
        rows[n++] =
                (ExportRow){ "Runbook",
                             xasprintf("%s%s%s, sha256 %s", v->runbook ? v->runbook : none,
                                       v->version ? " version " : "", v->version ? v->version : "",
                                       v->sha256 && *v->sha256 ? v->sha256 : none) };
        rows[n++] =
                (ExportRow){ "Plan",
                             xasprintf("%zu steps, sha256 %s", v->n_steps,
                                       v->plan_sha256 && *v->plan_sha256 ? v->plan_sha256 : none) };
        rows[n++] = (ExportRow){ "Tool", xstrdup(v->tool && *v->tool ? v->tool : none) };
        rows[n++] = (ExportRow){ "Host", xstrdup(v->host && *v->host ? v->host : none) };
        rows[n++] = (ExportRow){ "By", by_words(v) };
        rows[n++] = (ExportRow){ "Start", xstrdup(export_time(v->t_open, start)) };
        rows[n++] =
                (ExportRow){ "End", xasprintf("%s, after %s",
                                              v->t_close ? export_time(v->t_close, end) : "not yet",
                                              export_span(run_view_elapsed_ms(v, 0), span)) };
        rows[n++] = (ExportRow){ "Downtime", export_downtime(v) };
        rows[n++] = (ExportRow){ "Verdict", export_verdict(v) };
        rows[n++] =
                (ExportRow){ "Journal", xasprintf("%lld records, head %s", (long long)v->last_seq,
                                                  head_hash ? head_hash : v->head_hash) };
        if (v->damage)
                rows[n++] = (ExportRow){ "DAMAGED", xasprintf("%s; what follows is what was "
                                                              "readable",
                                                              v->damage) };
        return n;
}
