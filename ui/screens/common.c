#include "ui/screens/common.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"

Mark step_mark(const ViewStep *s)
{
        switch (s->status) {
        case ST_PENDING:
                return s->asks ? MARK_ASKS : MARK_WAITING;
        case ST_GATED:
                return MARK_ASKS;
        case ST_RUNNING:
        case ST_UNDOING:
                return MARK_RUNNING;
        case ST_DONE:
        case ST_TOLERATED:
        case ST_ALREADY:
                return MARK_DONE;
        case ST_SKIPPED:
        case ST_UNDONE:
                return MARK_SKIPPED;
        case ST_FAILED:
        case ST_UNDO_FAILED:
                return MARK_FAILED;
        case ST_UNKNOWN:
                return MARK_ATTENTION;
        }
        return MARK_NONE;
}

char *step_time(const ViewStep *s, int64_t wall, char buf[static 24])
{
        buf[0] = '\0';
        if (s->status == ST_GATED) {
                snprintf(buf, 24, "waiting");
                return buf;
        }
        if (!s->t_start)
                return buf;
        bool running = s->status == ST_RUNNING || s->status == ST_UNDOING;
        int64_t end = s->t_end ? s->t_end : running ? wall : s->t_start;
        int64_t ms = MAX(end - s->t_start, 0);
        if (running || ms >= 100000)
                return fmt_clock(ms, buf);
        return fmt_duration(ms, buf);
}

char *words_left(int64_t ms, char buf[static 48])
{
        char t[24];
        if (ms < 0)
                buf[0] = '\0';
        else
                snprintf(buf, 48, "about %s left", fmt_duration(MAX(ms, 1000), t));
        return buf;
}

static bool is_bytes(const char *unit)
{
        return !unit || str_eq(unit, "bytes") || str_eq(unit, "B");
}

void fmt_amount(const char *unit, int64_t n, char buf[static 40])
{
        char t[32];
        if (is_bytes(unit))
                snprintf(buf, 40, "%s", fmt_bytes(n, t));
        else
                snprintf(buf, 40, "%s %.12s", fmt_count(n, t), unit);
}

void fmt_pair(const char *unit, int64_t done, int64_t total, char buf[static 64])
{
        char a[40], b[32];
        if (total <= 0) {
                fmt_amount(unit, done, a);
                snprintf(buf, 64, "%s", a);
                return;
        }
        if (!is_bytes(unit)) {
                snprintf(buf, 64, "%s of %s %.12s", fmt_count(done, a), fmt_count(total, b), unit);
                return;
        }
        fmt_bytes(total, b);
        double scale = 1;
        static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };
        const char *u = strchr(b, ' ') ? strchr(b, ' ') + 1 : "bytes";
        for (size_t i = 0; i < LEN(units) && strcmp(units[i], u); i++)
                scale *= 1024;
        bool decimals = scale > 1024;
        snprintf(buf, 64, "%.*f of %s", decimals ? 1 : 0, (double)done / scale, b);
}

void fmt_speed(const char *unit, double rate, char buf[static 40])
{
        char t[32];
        if (is_bytes(unit))
                snprintf(buf, 40, "%s", fmt_rate(rate, t));
        else
                snprintf(buf, 40, "%s %.12s/s", fmt_count((int64_t)(rate + 0.5), t), unit);
}

Role run_status(Ui *ui, const RunModel *m, Buf *left, Buf *right)
{
        const RunView *v = m->view;
        char t[24];
        if (v->viewers > 1)
                buf_printf(right, "%d people are watching", v->viewers);
        if (m->damage) {
                buf_printf(left, "✗ The journal is damaged: %s", m->damage);
                return ROLE_FAIL;
        }
        if (v->status) {
                const char *why = v->close_reason ? v->close_reason : "";
                int64_t down = run_view_downtime_ms(v, ui->boot);
                buf_printf(left, "The run is %s%s%s.", v->status, *why ? ": " : "", why);
                if (down >= 0)
                        buf_printf(left, " Downtime %s.", fmt_clock(down, t));
                return ROLE_TEXT;
        }
        if (!m->alive) {
                if (v->stopped_why)
                        buf_printf(left, "! Stopped: %s. R goes on.", v->stopped_why);
                else
                        buf_adds(left,
                                 "! This run is at a standstill: its process ended. R resumes it.");
                return ROLE_WARN;
        }
        if (v->gate.open && v->gate.until_ms > ui->wall) {
                char until[24];
                buf_printf(left, "Waits until %s (%s), then goes on by itself. Safe to disconnect.",
                           clock_day_hm(v->gate.until_ms, until),
                           fmt_duration(v->gate.until_ms - ui->wall, t));
                return ROLE_TEXT;
        }
        if (v->gate.open) {
                char since[16];
                clock_hm(v->gate.t_ms, since);
                buf_printf(left, "■ Waiting for you since %s. Nothing runs until you answer.",
                           since);
                return ROLE_TEXT;
        }
        if (v->paused) {
                buf_adds(left, "! Paused. c continues. Safe to disconnect.");
                return ROLE_WARN;
        }
        if (m->client.fd < 0) {
                buf_adds(left, "! Connecting to the run. It continues without you.");
                return ROLE_WARN;
        }
        if (v->t_last && ui->wall - v->t_last >= 5000 && v->current >= 0)
                buf_printf(right, "%sdata from %s ago", right->len ? ", " : "",
                           fmt_duration(ui->wall - v->t_last, t));
        buf_adds(left, "✓ Safe to disconnect. The run continues without you.");
        return ROLE_TEXT;
}

int draw_label(Canvas *cv, Rect r, int y, int label_w, const char *label, Role role,
               const char *text)
{
        if (y >= r.y + r.h)
                return 0;
        cv_cut(cv, y, r.x, label_w - 1, ROLE_DIM, label);
        Rect t = { y, r.x + label_w, r.y + r.h - y, MAX(r.w - label_w, 8) };
        return MAX(cv_wrap(cv, t, role, text), 1);
}

/* ---- tail of output/<step>.log ---- */

void tail_done(Tail *t)
{
        free(t->path);
        free(t->text);
        free(t->lines);
        *t = (Tail){ 0 };
}

static void split(Tail *t)
{
        size_t cap = 64;
        t->lines = xrealloc(t->lines, cap * sizeof *t->lines);
        t->n = 0;
        for (char *p = t->text; *p;) {
                if (t->n == cap)
                        t->lines = xrealloc(t->lines, (cap *= 2) * sizeof *t->lines);
                t->lines[t->n++] = p;
                char *nl = strchr(p, '\n');
                if (!nl)
                        break;
                *nl = '\0';
                p = nl + 1;
        }
}

bool tail_look(Tail *t, const char *run_dir, const char *step_id)
{
        AUTO_FREE char *path = xasprintf("%s/output/%s.log", run_dir, step_id);
        struct stat st;
        if (!str_eq(path, t->path)) {
                tail_done(t);
                t->path = xstrdup(path);
                t->size = -1;
        }
        if (stat(path, &st)) {
                bool had = t->n > 0;
                t->n = 0;
                return had;
        }
        int64_t ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
        if (st.st_size == t->size && ns == t->mtime_ns)
                return false;
        AUTO_ERR err = { 0 };
        AUTO_FREE char *raw = NULL;
        size_t n = 0;
        if (!io_read_file(path, LIMIT_OUTPUT_LOG * 2, &raw, &n, &err))
                return false;
        /* The screen shows the end; a megabyte of it is more than anybody scrolls. */
        size_t keep = MIN(n, (size_t)1 << 20);
        free(t->text);
        t->text = text_clean_lines(raw + (n - keep), keep);
        t->size = st.st_size;
        t->mtime_ns = ns;
        split(t);
        return true;
}

int tail_draw(const Tail *t, Canvas *cv, Rect r, int skip)
{
        if (!t->n || r.h <= 0)
                return 0;
        int end = MAX((int)t->n - skip, 0), from = MAX(end - r.h, 0);
        for (int i = from; i < end; i++) {
                const char *line = t->lines[i];
                /* "2026-11-20T22:41:07.123Z info who text": the time of day is enough. */
                if (strlen(line) > 24 && line[10] == 'T' && line[13] == ':')
                        line += 11;
                cv_cut(cv, r.y + i - from, r.x, r.w, ROLE_TEXT, line);
        }
        return end - from;
}

char *step_commands_text(const json_t *plan_step)
{
        Buf b = buf_init(1 << 20);
        const json_t *c;
        size_t i;
        json_array_foreach(jx_get(plan_step, "commands"), i, c) {
                AUTO_FREE char *w = jx_words(c);
                buf_printf(&b, "%s\n", w);
        }
        if (!i)
                buf_adds(&b, "(runs no command of its own)\n");
        const json_t *u = jx_get(plan_step, "undo_commands");
        AUTO_FREE char *undo = run_view_undo_words(jx_str(plan_step, "undo", ""));
        buf_printf(&b, "\nUndo: %s\n", undo);
        json_array_foreach(u, i, c) {
                AUTO_FREE char *w = jx_words(c);
                buf_printf(&b, "%s\n", w);
        }
        return buf_take(&b, NULL);
}
