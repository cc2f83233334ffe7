/* failure.c: what failed, verbatim; where everything is now; what can be done about it. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/common.h"
#include "ui/widgets/list.h"

Screen *failure_new(RunModel *m);

typedef struct Failure {
        Screen s;
        int64_t number;
        List list;
        Tail tail;
} Failure;

static Failure *failure_of(const Screen *s)
{
        return (Failure *)(uintptr_t)s;
}

static const ViewStep *failed_step(const Screen *s)
{
        return run_view_step(s->run->view, s->run->view->gate.step ? s->run->view->gate.step : "");
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        (void)ui;
        buf_adds(out, s->run->view->title ? s->run->view->title : "Run");
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        const ViewStep *st = failed_step(s);
        (void)ui;
        if (!s->run->alive)
                return run_status(ui, s->run, left, right);
        if (st && st->error.log_line > 0)
                buf_printf(left, "Full output: %s/output/%s.log, line %lld", s->run->dir, st->id,
                           (long long)st->error.log_line);
        else
                buf_printf(left, "Full output: %s/output/%s.log", s->run->dir, st ? st->id : "");
        return ROLE_TEXT;
}

static int draw_what(Screen *s, Canvas *cv, Rect r, int y, bool tight)
{
        const ViewGate *g = &s->run->view->gate;
        const ViewStep *st = failed_step(s);
        const ViewError *e = st ? &st->error : NULL;
        char at[16], ran[24];
        int from = y;
        bool unknown = ask_kind_of(g->kind) == ASK_UNKNOWN;
        cv_mark(cv, y, r.x + 1, unknown ? MARK_ATTENTION : MARK_FAILED);
        AUTO_FREE char *head = st ? xasprintf("Step %d %s: %s", st->n,
                                              unknown ? "has no verdict" : "stopped", st->title)
                                  : xstrdup(g->title ? g->title : "The run stopped");
        AUTO_FREE char *when = xasprintf(
                "%s%s%s", clock_hms(e && e->set && e->t_ms ? e->t_ms : g->t_ms, at),
                st && st->t_start ? ", after " : "",
                st && st->t_start ? fmt_clock((st->t_end ? st->t_end : g->t_ms) - st->t_start, ran)
                                  : "");
        int ww = cv_width(cv, when);
        cv_cut(cv, y, r.x + 3, r.w - 6 - ww, ROLE_STRONG, head);
        cv_right(cv, y, r.x + r.w - 1, ROLE_TEXT, when);
        y += tight ? 1 : 2;
        Rect in = { r.y, r.x + 3, r.h, r.w - 4 };
        if (e && e->set) {
                y += draw_label(cv, in, y, 8, "ERROR:", ROLE_STRONG, e->message ? e->message : "");
                if (e->hint && *e->hint)
                        y += draw_label(cv, in, y, 8, "HINT:", ROLE_TEXT, e->hint);
                if (e->sqlstate && *e->sqlstate)
                        cv_printf(cv, y++, in.x, ROLE_TEXT, "SQLSTATE %s%s%s", e->sqlstate,
                                  e->object && *e->object ? ", " : "", e->object ? e->object : "");
                else if (e->object && *e->object)
                        cv_cut(cv, y++, in.x, in.w, ROLE_TEXT, e->object);
                y += !tight;
        } else if (g->title) {
                y += cv_wrap(cv, (Rect){ y, in.x, 4, in.w }, ROLE_STRONG, g->title) + 1;
        }
        const char *rest[64]; /* without what stands above already */
        size_t n = 0;
        for (size_t i = 0; i < g->n_lines && n < LEN(rest); i++) {
                bool said = e && e->set &&
                            (str_eq(g->lines[i], e->message) ||
                             (e->hint && str_starts(g->lines[i], "hint ")));
                if (!said)
                        rest[n++] = g->lines[i];
        }
        y += facts_draw(cv, rest, n, (Rect){ y, r.x + 1, MAX(r.y + r.h - y, 0), r.w - 2 }, 0);
        return y - from;
}

/* What the engine offers, and what this side can always do. */
static size_t all_choices(const ViewGate *g, ViewChoice out[static 16])
{
        static const ViewChoice ours[] = {
                { "o", "Open a shell", "in the run's folder; exit comes back here" },
                { "q", "Decide later", "everything stays as it is, the run waits" },
        };
        size_t n = 0;
        for (size_t i = 0; i < g->n_choices && n < 14; i++)
                out[n++] = g->choices[i];
        for (size_t k = 0; k < LEN(ours); k++) {
                bool there = false;
                for (size_t i = 0; i < g->n_choices; i++)
                        there |= str_eq(g->choices[i].key, ours[k].key);
                if (!there)
                        out[n++] = ours[k];
        }
        return n;
}

static char *suggestion(const ViewGate *g)
{
        for (size_t i = 0; g->suggested && i < g->n_choices; i++)
                if (str_eq(g->choices[i].key, g->suggested))
                        return xasprintf("%s (%s)", g->choices[i].label, g->suggested);
        return g->suggested && *g->suggested ? xstrdup(g->suggested) : NULL;
}

static int draw_choices(Failure *f, Canvas *cv, Rect r, int y)
{
        ViewChoice all[16];
        int n = (int)all_choices(&f->s.run->view->gate, all), label = 16;
        list_fit(&f->list, n, MAX(MIN(n, r.y + r.h - y), 1));
        for (int i = 0; i < n; i++)
                label = MAX(label, MIN(cv_width(cv, all[i].label ? all[i].label : ""), 28));
        for (int i = 0; i < f->list.height && f->list.top + i < n; i++, y++) {
                const ViewChoice *c = &all[f->list.top + i];
                bool cursor = f->list.top + i == f->list.cursor;
                if (cursor)
                        cv_mark(cv, y, r.x + 1, MARK_CURSOR);
                cv_text(cv, y, r.x + 3, ROLE_KEY, c->key);
                cv_cut(cv, y, r.x + 6, label, ROLE_STRONG, c->label ? c->label : "");
                cv_cut(cv, y, r.x + 8 + label, r.w - 9 - label, ROLE_TEXT,
                       c->consequence ? c->consequence : "");
                if (cursor)
                        cv_flag(cv, (Rect){ y, r.x + 1, 1, r.w - 2 }, CELL_SELECTED);
        }
        return y;
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Failure *f = failure_of(s);
        const ViewGate *g = &s->run->view->gate;
        Rect b = l->body;
        bool wide = l->cls == LAYOUT_WIDE, compact = l->cls == LAYOUT_COMPACT;
        if (wide) {
                Rect d = { b.y, 0, b.h, b.w };
                int split = b.w * 53 / 100;
                cv_vline(cv, d.y, split, d.h);
                cv_cut(cv, d.y, split + 2, b.w - split - 3, ROLE_STRONG, "output, its end");
                tail_draw(&f->tail, cv, (Rect){ d.y + 2, split + 2, d.h - 2, b.w - split - 3 }, 0);
                b.w = split - 1;
        }
        ViewChoice all[16];
        AUTO_FREE char *suggested = compact ? NULL : suggestion(g);
        int choices = (int)all_choices(g, all) + 1 + (suggested ? 2 : 0);
        Rect top = { b.y, b.x, MAX(b.h - choices - !compact, 2), b.w };
        Rect old = cv_clip(cv, top);
        int y = b.y + wide;
        y += draw_what(s, cv, top, y, compact) + 1;
        cv_clip_set(cv, old);
        y = MIN(y, b.y + b.h - choices);
        cv_rule(cv, MAX(y, b.y + 1), b.x, b.w, "What now?", NULL);
        y = draw_choices(f, cv, b, MAX(y, b.y + 1) + 1);
        if (suggested && y + 1 < b.y + b.h)
                cv_printf(cv, y + 1, b.x + 1, ROLE_TEXT, "Suggested: %s", suggested);
}

static bool tick(Ui *ui, Screen *s)
{
        Failure *f = failure_of(s);
        const ViewGate *g = &s->run->view->gate;
        s->finished = !g->open || g->number != f->number;
        if (s->finished)
                ui_unsay(ui);
        return tail_look(&f->tail, s->run->dir, g->step ? g->step : "") || s->finished;
}

static UiAct choose(Ui *ui, Screen *s, const char *key)
{
        RunModel *m = s->run;
        if (s->run->client.watch) {
                ui_say(ui, ROLE_WARN, "! you are only watching this run");
                return UI_REDRAW;
        }
        if (str_eq(key, "q"))
                return UI_POP; /* later: everything stays, the run waits */
        if (str_eq(key, "o")) {
                ui_open_shell(ui, m->dir);
                return UI_REDRAW;
        }
        if (model_answer(m, key, NULL))
                ui_say(ui, ROLE_TEXT, "Sent. The run goes on.");
        return UI_REDRAW;
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        Failure *f = failure_of(s);
        ViewChoice all[16];
        size_t n = all_choices(&s->run->view->gate, all);
        if (k > ' ' && k < 127 && k != '?')
                for (size_t i = 0; i < n; i++)
                        if (all[i].key && all[i].key[0] == k && !all[i].key[1])
                                return choose(ui, s, all[i].key);
        if (k == K_ENTER && f->list.cursor < (int)n)
                return choose(ui, s, all[f->list.cursor].key);
        return list_key(&f->list, k) ? UI_REDRAW : UI_PASS;
}

static UiAct copy_error(Ui *ui, Screen *s, int k)
{
        const ViewStep *st = failed_step(s);
        if (!st || !st->error.set)
                return UI_NONE;
        const ViewError *e = &st->error;
        AUTO_FREE char *text = xasprintf("step %d %s\nERROR:  %s\n%s%s%s%s%s", st->n, st->title,
                                         e->message ? e->message : "", e->hint ? "HINT:   " : "",
                                         e->hint ? e->hint : "", e->hint ? "\n" : "",
                                         e->sqlstate && *e->sqlstate ? "SQLSTATE " : "",
                                         e->sqlstate ? e->sqlstate : "");
        ui_copy(ui, "error", text);
        return UI_REDRAW;
}

static UiAct open_log(Ui *ui, Screen *s, int k)
{
        ui_push(ui, log_new(s->run, false, s->run->view->gate.opened_seq));
        return UI_REDRAW;
}

static const KeyRow keys[] = {
        { "Enter", { 0 }, "choose", "what the cursor is on", NULL, NULL },
        { "L", { 'L' }, "log at the error", "log of this run", NULL, open_log },
        { "c", { 'c' }, "copy error", "to the clipboard and a file", NULL, copy_error },
        { "j k", { 0 }, NULL, "choice", NULL, NULL },
        { 0 },
};

static void free_failure(Screen *s)
{
        tail_done(&failure_of(s)->tail);
}

static const ScreenOps ops = {
        .name = "failure",
        .guarded = true,
        .quit = "later",
        .keys = keys,
        .title = title,
        .draw = draw,
        .status = status,
        .key = key,
        .tick = tick,
        .free = free_failure,
};

Screen *failure_new(RunModel *m)
{
        Failure *f = SCREEN_NEW(Failure, &ops, m);
        f->number = m->view->gate.number;
        tail_look(&f->tail, m->dir, m->view->gate.step ? m->view->gate.step : "");
        return &f->s;
}
