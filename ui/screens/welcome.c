/* welcome.c: after a lost connection: what happened meanwhile comes first. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/common.h"
#include "ui/widgets/list.h"

typedef struct Welcome {
        Screen s;
        List list;
} Welcome;

static const struct {
        const char *key, *label, *text;
} choices[] = {
        { "Enter", "Attach", "see it live and answer its questions" },
        { "w", "Watch", "read only" },
        { "L", "Log", "from the moment you left" },
        { "p", "Pause", "after the current step" },
};

static void title(Ui *ui, Screen *s, Buf *out)
{
        buf_adds(out, "Welcome back");
}

static void label(Canvas *cv, int *y, const char *name, const char *text)
{
        cv_text(cv, *y, 3, ROLE_DIM, name);
        cv_cut(cv, (*y)++, 15, cv->cols - 17, ROLE_TEXT, text);
}

static void draw_facts(Ui *ui, const RunView *v, const RunModel *m, Canvas *cv, int *y)
{
        char at[24], ago[24], t[24];
        int64_t since = v->last_detach_ms;
        AUTO_FREE char *run = xasprintf("%s  %s", v->run ? v->run : "", v->title ? v->title : "");
        label(cv, y, "Run", run);
        AUTO_FREE char *started =
                xasprintf("%s by %s%s%s", clock_hm(v->t_open, at), v->user ? v->user : "?",
                          v->ssh && *v->ssh ? " from " : "", v->ssh && *v->ssh ? v->ssh : "");
        label(cv, y, "Started", started);
        if (since) {
                const char *cause = v->last_detach_cause && *v->last_detach_cause
                                            ? v->last_detach_cause
                                            : "left";
                AUTO_FREE char *left = xasprintf("%s, %s (%s ago)", clock_hms(since, at), cause,
                                                 fmt_duration(MAX(ui->wall - since, 0), ago));
                label(cv, y, "You left", left);
        }
        cv_text(cv, *y, 3, ROLE_DIM, "Now");
        if (v->gate.open) {
                cv_mark(cv, *y, 15, MARK_ASKS);
                cv_text(cv, *y, 17, ROLE_STRONG, v->gate.title ? v->gate.title : "waits for you");
        } else if (v->current >= 0) {
                const ViewStep *s = &v->steps[v->current];
                cv_mark(cv, *y, 15, MARK_RUNNING);
                AUTO_FREE char *now =
                        xasprintf("%s, step %d of %zu, elapsed %s", s->title, s->n, v->n_steps,
                                  fmt_clock(run_view_elapsed_ms(v, ui->boot), t));
                cv_cut(cv, *y, 17, cv->cols - 18, ROLE_TEXT, now);
        }
        ++*y;
        double part = model_part(m);
        cv_bar(cv, *y, 15, MIN(40, cv->cols - 24), part);
        cv_printf(cv, (*y)++, 15 + MIN(40, cv->cols - 24) + 2, ROLE_STRONG, "%d%%",
                  (int)(part * 100));
        int finished = 0, warnings = 0, errors = 0;
        for (size_t i = 0; i < v->n_steps; i++)
                finished += v->steps[i].t_end > since && v->steps[i].status != ST_FAILED;
        for (size_t i = 0; i < v->n_lines; i++) {
                warnings += v->lines[i].t_ms > since && v->lines[i].level == LINE_WARN;
                errors += v->lines[i].t_ms > since && v->lines[i].level == LINE_ERROR;
        }
        cv_text(cv, *y, 3, ROLE_DIM, "Since then");
        cv_mark(cv, *y, 15, MARK_DONE);
        int x = 17 + cv_printf(cv, *y, 17, ROLE_TEXT, "%d steps finished", finished) + 3;
        cv_mark(cv, *y, x, warnings ? MARK_ATTENTION : MARK_NONE);
        x += 2 +
             cv_printf(cv, *y, x + 2, ROLE_TEXT, "%d warning%s", warnings,
                       warnings == 1 ? "" : "s") +
             3;
        cv_printf(cv, (*y)++, x, errors ? ROLE_FAIL : ROLE_OK, "%d errors", errors);
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Welcome *w = (Welcome *)s;
        const RunView *v = s->run->view;
        bool compact = l->cls == LAYOUT_COMPACT;
        int y = l->body.y + !compact;
        if (!compact) {
                cv_text(cv, y, 1, ROLE_STRONG,
                        v->status ? "The run has ended since you left."
                                  : "A run is in progress. It kept going after you left.");
                y += 2;
        }
        draw_facts(ui, v, s->run, cv, &y);
        y += !compact;
        list_fit(&w->list, (int)LEN(choices), (int)LEN(choices));
        for (int i = 0; i < (int)LEN(choices); i++, y++) {
                bool cursor = i == w->list.cursor;
                if (cursor)
                        cv_mark(cv, y, 1, MARK_CURSOR);
                cv_text(cv, y, 3, ROLE_KEY, choices[i].key);
                cv_text(cv, y, 10, ROLE_STRONG, choices[i].label);
                cv_text(cv, y, 23, ROLE_TEXT, choices[i].text);
                if (cursor)
                        cv_flag(cv, (Rect){ y, 1, 1, MIN(l->body.w - 2, 76) }, CELL_SELECTED);
        }
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        const RunView *v = s->run->view;
        if (v->viewers > 1) {
                buf_printf(left, "%d people are watching this run.", v->viewers);
                return ROLE_TEXT;
        }
        return run_status(ui, s->run, left, right);
}

/* The run screen replaces this one: q there leaves. */
static UiAct attach(Ui *ui, Screen *s, int key)
{
        RunModel *m = s->run;
        bool owns = s->owns_run;
        s->owns_run = false;
        ui_replace(ui, run_new(m, owns));
        return UI_REDRAW;
}

static UiAct watch(Ui *ui, Screen *s, int key)
{
        client_done(&s->run->client);
        client_init(&s->run->client, true);
        s->run->looked_ms = 0;
        return attach(ui, s, key);
}

static UiAct open_log(Ui *ui, Screen *s, int key)
{
        const RunView *v = s->run->view;
        int64_t seq = 1;
        for (size_t i = 0; i < v->n_lines; i++)
                if (v->lines[i].t_ms <= v->last_detach_ms)
                        seq = MAX(v->lines[i].seq, 1);
        ui_push(ui, log_new(s->run, false, seq));
        return UI_REDRAW;
}

static UiAct pause_run(Ui *ui, Screen *s, int key)
{
        if (model_command(s->run, "pause"))
                ui_say(ui, ROLE_TEXT, "pausing after this step");
        return UI_REDRAW;
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        Welcome *w = (Welcome *)s;
        if (k == K_ENTER)
                return w->list.cursor == 1   ? watch(ui, s, k)
                       : w->list.cursor == 2 ? open_log(ui, s, k)
                       : w->list.cursor == 3 ? pause_run(ui, s, k)
                                             : attach(ui, s, k);
        return list_key(&w->list, k) ? UI_REDRAW : UI_PASS;
}

static const KeyRow keys[] = {
        { "Enter", { 0 }, "attach", "see it live and answer its questions", NULL, NULL },
        { "w", { 'w' }, "watch", "read only", NULL, watch },
        { "L", { 'L' }, "log", "from the moment you left", NULL, open_log },
        { "p", { 'p' }, NULL, "pause after the current step", NULL, pause_run },
        { 0 },
};

static const ScreenOps ops = {
        .name = "welcome",
        .quit = "leave it running",
        .keys = keys,
        .title = title,
        .draw = draw,
        .status = status,
        .key = key,
};

Screen *welcome_new(RunModel *m, bool owns)
{
        Welcome *w = SCREEN_NEW(Welcome, &ops, m);
        w->s.owns_run = owns;
        return &w->s;
}
