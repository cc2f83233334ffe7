/* run.c: the checklist with the live detail of the step under the cursor; while a step counts
 * something it becomes the progress screen, while going back the undo list. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/common.h"

static const int64_t DAYS = 48 * 3600000LL; /* hours and minutes stop being interesting */

typedef enum Mode { MODE_AUTO, MODE_LIST, MODE_PROGRESS } Mode;

typedef struct Run {
        Screen s;
        Mode mode;
        int cursor; /* index into view->steps */
        bool moved; /* the person moved it; else it follows the run */
        int top, scroll;
        int64_t seen_gate; /* number of the gate whose dialog was put aside */
        bool asked_resume, resumed;
        Tail tail;
} Run;

static Run *run_of(const Screen *s)
{
        return (Run *)(uintptr_t)s;
}

static bool progress_fits(const RunView *v)
{
        const ViewStep *s = v->current >= 0 ? &v->steps[v->current] : NULL;
        return s && s->status == ST_RUNNING && s->progress.set && s->progress.n_rows > 0 &&
               step_part(s) >= 0;
}

static bool shows_progress(const Run *r)
{
        const RunView *v = r->s.run->view;
        bool can = v->current >= 0 && v->steps[v->current].progress.set &&
                   v->steps[v->current].status == ST_RUNNING;
        return can && (r->mode == MODE_PROGRESS ||
                       (r->mode == MODE_AUTO && !r->moved && progress_fits(v)));
}

/* Where the run is: the running step, else the one that waits or failed, else the last. */
static int here(const RunView *v)
{
        if (v->current >= 0)
                return v->current;
        for (size_t i = 0; i < v->n_steps; i++)
                if (v->gate.open && str_eq(v->steps[i].id, v->gate.step))
                        return (int)i;
        int last = 0;
        for (size_t i = 0; i < v->n_steps; i++) {
                if (v->steps[i].status == ST_FAILED || v->steps[i].status == ST_UNKNOWN)
                        return (int)i;
                if (v->steps[i].status != ST_PENDING)
                        last = (int)i;
        }
        return last;
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        const RunView *v = s->run->view;
        (void)ui;
        if (ui->layout.cls == LAYOUT_COMPACT && v->n_steps) {
                int done, total;
                const char *phase = v->steps[run_of(s)->cursor].phase;
                run_view_count(v, phase, &done, &total);
                buf_printf(out, "%s %d of %d", phase, done, total);
                return;
        }
        buf_printf(out, "%s%s", v->title ? v->title : "Run", v->undoing ? ", undo" : "");
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        return run_status(ui, s->run, left, right);
}

/* ---- drawing ---- */

static void draw_step(Ui *ui, const RunView *v, size_t i, Canvas *cv, int y, int x, int w,
                      bool cursor)
{
        const ViewStep *st = &v->steps[i];
        char t[24];
        Mark mark = step_mark(st);
        step_time(st, ui->wall, t);
        if (cursor)
                cv_mark(cv, y, x, MARK_CURSOR);
        cv_mark(cv, y, x + 2, mark);
        if (st->status == ST_PENDING && st->asks) /* asks, but not now: no colour */
                cv_text(cv, y, x + 2, ROLE_TEXT, "■");
        bool over = st->status == ST_DONE || st->status == ST_ALREADY || st->status == ST_SKIPPED;
        Role role = st->status == ST_RUNNING  ? ROLE_STRONG
                    : st->status == ST_FAILED ? ROLE_FAIL
                    : over                    ? ROLE_DIM
                                              : ROLE_TEXT;
        cv_printf(cv, y, x + 4, ROLE_DIM, "%2d", st->n);
        int tw = cv_width(cv, t);
        cv_cut(cv, y, x + 8, w - 8 - (tw ? tw + 2 : 0), role, st->title);
        cv_right(cv, y, x + w, st->status == ST_GATED ? ROLE_WARN : ROLE_TEXT, t);
        if (cursor)
                cv_flag(cv, (Rect){ y, x, 1, w }, CELL_SELECTED);
}

static void header(Ui *ui, const RunModel *m, const char *phase, Canvas *cv, int y, Rect r)
{
        const RunView *v = m->view;
        int done = 0, total = 0;
        char t[24], left[48], down[24];
        run_view_count(v, phase, &done, &total);
        const char *name = phase;
        for (size_t i = 0; i < v->n_phases; i++)
                if (str_eq(v->phases[i].id, phase) && v->phases[i].title)
                        name = v->phases[i].title;
        AUTO_BUF right = buf_init(256);
        int64_t down_ms = run_view_downtime_ms(v, ui->boot);
        if (down_ms >= 0 && !v->downtime_end)
                buf_printf(&right, "down %s%s", fmt_clock(down_ms, down),
                           v->budget_ms ? " of " : "");
        if (down_ms >= 0 && !v->downtime_end && v->budget_ms)
                buf_adds(&right, fmt_clock(v->budget_ms, down));
        if (right.len)
                buf_adds(&right, ", ");
        int64_t ran = run_view_elapsed_ms(v, ui->boot);
        buf_printf(&right, "elapsed %s", ran > DAYS ? fmt_duration(ran, t) : fmt_clock(ran, t));
        AUTO_FREE char *count = xasprintf("  %d of %d steps", done, total);
        int cw = cv_width(cv, count);
        words_left(v->status ? -1 : model_left_ms(m, ui->wall), left);
        int full = cv_width(cv, name) + cw + cv_width(cv, buf_str(&right)) + cv_width(cv, left) + 6;
        if (*left && full <= r.w)
                buf_printf(&right, ", %s", left);
        int rw = cv_right(cv, y, r.x + r.w - 1, ROLE_TEXT, buf_str(&right));
        int room = r.w - rw - 4;
        int used = cv_cut(cv, y, r.x + 1, room - cw, ROLE_STRONG, name);
        cv_text(cv, y, r.x + 1 + used, ROLE_TEXT, count);
}

static const char *users_see(const RunView *v, const char *phase)
{
        for (size_t i = 0; i < v->n_phases; i++)
                if (str_eq(v->phases[i].id, phase))
                        return v->phases[i].users_see;
        return NULL;
}

/* 80x24 and smaller: the phase of the cursor above, the step below. */
static void draw_stacked(Ui *ui, Run *r, Canvas *cv, const Layout *l)
{
        const RunView *v = r->s.run->view;
        Rect b = l->body;
        bool compact = l->cls == LAYOUT_COMPACT;
        const ViewStep *cur = &v->steps[r->cursor];
        size_t first = (size_t)r->cursor, last = (size_t)r->cursor;
        while (first > 0 && str_eq(v->steps[first - 1].phase, cur->phase))
                first--;
        while (last + 1 < v->n_steps && str_eq(v->steps[last + 1].phase, cur->phase))
                last++;
        int n = (int)(last - first) + 1, y = b.y;
        header(ui, r->s.run, cur->phase, cv, y, b);
        y += compact ? 1 : 2;
        const char *see = users_see(v, cur->phase);
        int space = b.y + b.h - y, list_h = MIN(n, compact ? space : MAX(space - 8, 4));
        int top = MAX(MIN((int)((size_t)r->cursor - first) - list_h / 2, n - list_h), 0);
        for (int i = 0; i < list_h; i++)
                draw_step(ui, v, first + (size_t)(top + i), cv, y + i, b.x + 1, b.w - 2,
                          (int)first + top + i == r->cursor);
        y += list_h + 1;
        if (b.y + b.h - y < 3)
                return;
        if (compact) {
                y -= 1;
                cv_rule(cv, y++, 0, b.w, NULL, NULL);
                step_detail_draw(ui, r->s.run, cur, &r->tail, cv,
                                 (Rect){ y, 1, b.y + b.h - y, b.w - 2 }, r->scroll);
                return;
        }
        char name[32];
        snprintf(name, sizeof name, "step %d", cur->n);
        AUTO_FREE char *users = see ? xasprintf("users see: %s", see) : NULL;
        cv_rule(cv, y++, 0, b.w, name, users);
        step_detail_draw(ui, r->s.run, cur, &r->tail, cv, (Rect){ y, 3, b.y + b.h - y, b.w - 5 },
                         r->scroll);
}

/* From 110 columns: every phase at the left, the step at the right. */
static void draw_wide(Ui *ui, Run *r, Canvas *cv, const Layout *l)
{
        const RunView *v = r->s.run->view;
        Rect b = l->body;
        int left_w = MAX(b.w * 43 / 100, 50), rows = 0, cursor_row = 0;
        const ViewStep *cur = &v->steps[r->cursor];
        for (size_t i = 0; i < v->n_steps; i++) {
                if (i == 0 || !str_eq(v->steps[i].phase, v->steps[i - 1].phase))
                        rows += i ? 2 : 1;
                if ((int)i == r->cursor)
                        cursor_row = rows;
                rows++;
        }
        int space = b.h - 4;
        r->top = MAX(MIN(r->top, cursor_row - 2), 0);
        if (cursor_row >= r->top + space)
                r->top = cursor_row - space + 1;
        Rect old = cv_clip(cv, (Rect){ b.y + 1, b.x, space, left_w });
        int y = b.y + 1 - r->top;
        for (size_t i = 0; i < v->n_steps; i++) {
                if (i == 0 || !str_eq(v->steps[i].phase, v->steps[i - 1].phase)) {
                        y += i ? 1 : 0;
                        for (size_t p = 0; p < v->n_phases; p++)
                                if (str_eq(v->phases[p].id, v->steps[i].phase))
                                        cv_cut(cv, y, b.x + 5, left_w - 8, ROLE_STRONG,
                                               v->phases[p].title ? v->phases[p].title
                                                                  : v->phases[p].id);
                        y++;
                }
                draw_step(ui, v, i, cv, y++, b.x + 1, left_w - 3, (int)i == r->cursor);
        }
        cv_clip_set(cv, old);
        char t[24], left[48];
        double part = model_part(r->s.run);
        cv_bar(cv, b.y + b.h - 2, b.x + 3, left_w - 6, part);
        words_left(v->status ? -1 : model_left_ms(r->s.run, ui->wall), left);
        cv_printf(cv, b.y + b.h - 1, b.x + 3, ROLE_TEXT, "%d%%   elapsed %s   %s",
                  (int)(part * 100), fmt_clock(run_view_elapsed_ms(v, ui->boot), t), left);
        cv_vline(cv, b.y, left_w, b.h);
        Rect d = { b.y, left_w + 2, b.h, b.w - left_w - 3 };
        int used = cv_printf(cv, d.y, d.x, ROLE_DIM, "Step %d   ", cur->n);
        cv_cut(cv, d.y, d.x + used, d.w - used, ROLE_STRONG, cur->title);
        const char *see = users_see(v, cur->phase);
        if (see)
                cv_printf(cv, d.y + 1, d.x, ROLE_DIM, "users see: %s", see);
        step_detail_draw(ui, r->s.run, cur, &r->tail, cv, (Rect){ d.y + 3, d.x, d.h - 3, d.w },
                         r->scroll);
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Run *r = run_of(s);
        const RunView *v = s->run->view;
        if (!v->n_steps) {
                cv_text(cv, l->body.y + 1, 3, ROLE_TEXT,
                        s->run->damage ? s->run->damage : "The run is starting.");
                return;
        }
        r->cursor = MAX(MIN(r->cursor, (int)v->n_steps - 1), 0);
        if (v->undoing)
                undo_draw(ui, s->run, cv, l, r->scroll);
        else if (shows_progress(r))
                progress_draw(ui, s->run, &v->steps[v->current], &r->tail, cv, l);
        else if (l->cls == LAYOUT_WIDE)
                draw_wide(ui, r, cv, l);
        else
                draw_stacked(ui, r, cv, l);
}

/* ---- keys ---- */

static UiAct move(Ui *ui, Screen *s, int key)
{
        Run *r = run_of(s);
        int n = (int)s->run->view->n_steps;
        (void)ui;
        switch (key) {
        case 'j':
        case K_DOWN:
                r->cursor++;
                break;
        case 'k':
        case K_UP:
                r->cursor--;
                break;
        case ' ':
        case K_PGDN:
                r->cursor += 8;
                break;
        case 'b':
        case K_PGUP:
                r->cursor -= 8;
                break;
        case 'g':
        case K_HOME:
                r->cursor = 0;
                break;
        default:
                r->cursor = n - 1;
                break;
        }
        r->cursor = MAX(MIN(r->cursor, n - 1), 0);
        r->moved = r->cursor != here(s->run->view);
        r->scroll = 0;
        if (n)
                tail_look(&r->tail, s->run->dir, s->run->view->steps[r->cursor].id);
        return UI_REDRAW;
}

static UiAct other_pane(Ui *ui, Screen *s, int key)
{
        Run *r = run_of(s);
        r->mode = shows_progress(r) ? MODE_LIST : MODE_PROGRESS;
        r->moved = false;
        return UI_REDRAW;
}

static UiAct open_detail(Ui *ui, Screen *s, int key)
{
        Run *r = run_of(s);
        const RunModel *m = s->run;
        if (!m->view->n_steps)
                return UI_NONE;
        if (m->view->gate.open && r->seen_gate == m->view->gate.number) {
                r->seen_gate = -1; /* open the question again; tick() pushes it */
                return UI_REDRAW;
        }
        const ViewStep *st = &m->view->steps[r->cursor];
        Buf b = buf_init(4 << 20);
        AUTO_FREE char *commands = step_commands_text(model_plan_step(m, st->id));
        if (st->why && *st->why)
                buf_printf(&b, "%s\n\n", st->why);
        if (st->note && *st->note)
                buf_printf(&b, "%s\n\n", st->note);
        if (st->error.set)
                buf_printf(&b, "ERROR:  %s\nHINT:   %s\n\n", st->error.message,
                           st->error.hint ? st->error.hint : "");
        buf_adds(&b, commands);
        buf_adds(&b, "\nOutput:\n");
        tail_look(&r->tail, m->dir, st->id);
        for (size_t i = 0; i < r->tail.n; i++)
                buf_printf(&b, "%s\n", r->tail.lines[i]);
        AUTO_FREE char *name = xasprintf("Step %d  %s", st->n, st->title);
        ui_push(ui, text_new(name, buf_take(&b, NULL), s->run));
        return UI_REDRAW;
}

static UiAct pause_run(Ui *ui, Screen *s, int key)
{
        bool paused = s->run->view->paused;
        if (model_command(s->run, paused ? "continue" : "pause"))
                ui_say(ui, ROLE_TEXT, paused ? "continuing" : "pausing after this step");
        return UI_REDRAW;
}

/* What the engine says to it turns up in the numbers; what it refused, as its own words. */
static UiAct change_jobs(Ui *ui, Screen *s, int key)
{
        if (model_jobs(s->run, key == '+' ? 1 : -1))
                ui_say(ui, ROLE_TEXT,
                       key == '+' ? "one worker more" : "one worker fewer, when its part is done");
        return UI_REDRAW;
}

static UiAct undo(Ui *ui, Screen *s, int key)
{
        ui_push(ui, undo_new(s->run));
        return UI_REDRAW;
}

static UiAct do_abort(Ui *ui, void *ctx)
{
        model_command(ctx, "abort");
        return UI_POP;
}

static UiAct ask_abort(Ui *ui, Screen *s, int key)
{
        ui_push(ui, confirm_new("Stop this run for good?",
                                xstrdup("What is running is stopped as safely as it can be. What "
                                        "was done stays done; the undo list stays available.\n"),
                                "stop the run", do_abort, s->run));
        return UI_REDRAW;
}

static UiAct resume(Ui *ui, Screen *s, int key)
{
        AUTO_ERR err = { 0 };
        if (!ui->app->resume)
                return UI_NONE;
        if (ui->app->resume(ui->app->app, s->run->dir, &err))
                ui_say(ui, ROLE_TEXT, "The run was started again.");
        else
                ui_say_err(ui, "resume", &err);
        s->run->looked_ms = 0;
        return UI_REDRAW;
}

static UiAct scroll_detail(Ui *ui, Screen *s, int key)
{
        Run *r = run_of(s);
        r->scroll = MAX(r->scroll + (key == '<' || key == K_CTRL('U') ? 5 : -5), 0);
        return UI_REDRAW;
}

static bool can_control(const Screen *s)
{
        return s->run->alive && !s->run->client.watch && !s->run->view->status;
}
static bool can_pause(const Screen *s)
{
        return can_control(s) && !s->run->view->paused && !s->run->view->gate.open;
}
static bool can_continue(const Screen *s)
{
        return can_control(s) && s->run->view->paused;
}
static bool can_undo(const Screen *s)
{
        return can_control(s) && !s->run->view->undoing;
}
static bool is_dead(const Screen *s)
{
        return !s->run->alive && !s->run->view->status && !s->run->client.watch;
}
static bool has_question(const Screen *s)
{
        return s->run->view->gate.open && run_of(s)->seen_gate == s->run->view->gate.number;
}
static bool has_workers(const Screen *s)
{
        const RunView *v = s->run->view;
        return can_control(s) && !v->gate.open && v->current >= 0 &&
               v->steps[v->current].status == ST_RUNNING &&
               v->steps[v->current].progress.workers > 0;
}
/* The running step's own keys come before its detail. */
static bool detail_first(const Screen *s)
{
        return !has_question(s) && !has_workers(s);
}
static bool counts(const Screen *s)
{
        const RunView *v = s->run->view;
        return v->current >= 0 && v->steps[v->current].progress.set && !v->undoing;
}

static const KeyRow keys[] = {
        { "Enter",
          { K_ENTER },
          "answer",
          "open the question that waits",
          has_question,
          open_detail },
        { "Enter",
          { K_ENTER },
          "step detail",
          "commands and output of the step",
          detail_first,
          open_detail },
        { "+", { '+' }, "more workers", "one worker more for this step", has_workers, change_jobs },
        { "-",
          { '-' },
          "fewer",
          "one worker fewer, when its part is done",
          has_workers,
          change_jobs },
        { "p", { 'p' }, "pause after step", "stop after the running step", can_pause, pause_run },
        { "c", { 'c' }, "continue", "go on after a pause", can_continue, pause_run },
        { "R", { 'R' }, "resume", "start this run again where it stood", is_dead, resume },
        { "L", { 0 }, "log", "log of this run", NULL, NULL },
        { "Enter",
          { K_ENTER },
          "step detail",
          "commands and output of the step",
          has_workers,
          open_detail },
        { "Tab", { K_TAB }, "other view", "list of steps, or progress", counts, other_pane },
        { "u", { 'u' }, "undo", "the list of what going back would do", can_undo, undo },
        { "A", { 'A' }, NULL, "stop this run for good", can_control, ask_abort },
        { "j k", { 'j', 'k', K_UP, K_DOWN }, NULL, "step", NULL, move },
        { "Space b", { ' ', 'b', K_PGUP, K_PGDN }, NULL, "page of steps", NULL, move },
        { "g G", { 'g', 'G', K_HOME, K_END }, NULL, "first, last step", NULL, move },
        { "< >",
          { '<', '>', K_CTRL('U'), K_CTRL('D') },
          NULL,
          "scroll the output",
          NULL,
          scroll_detail },
        { 0 },
};

/* A question opens its dialog by itself, but only over this screen: while somebody types into
 * a search field elsewhere, a dialog would swallow those keys. */
static bool tick(Ui *ui, Screen *s)
{
        Run *r = run_of(s);
        RunModel *m = s->run;
        const RunView *v = m->view;
        if (!v->n_steps)
                return false;
        if (!r->moved)
                r->cursor = here(v);
        bool changed = tail_look(&r->tail, m->dir, v->steps[r->cursor].id);
        bool on_top = ui->top == s || (str_eq(ui->top->ops->name, "help") && ui->top->below == s);
        bool asks = v->gate.open && m->alive && !m->client.watch && m->client.fd >= 0;
        if (asks && v->gate.until_ms > ui->wall && r->seen_gate != -1)
                r->seen_gate = v->gate.number; /* time answers it; Enter opens it */
        if (asks && on_top && r->seen_gate != v->gate.number) {
                r->seen_gate = v->gate.number;
                ui_push(ui, gate_new(m));
                changed = true;
        }
        return changed;
}

static void free_run(Screen *s)
{
        tail_done(&run_of(s)->tail);
}

static const char *quit_word(const Screen *s)
{
        return s->run->view->status ? s->below ? "back" : "leave" : "detach";
}

static const ScreenOps ops = {
        .name = "run",
        .keys = keys,
        .quit_word = quit_word,
        .title = title,
        .draw = draw,
        .status = status,
        .tick = tick,
        .free = free_run,
};

Screen *run_new(RunModel *m, bool owns)
{
        Run *r = SCREEN_NEW(Run, &ops, m);
        r->s.owns_run = owns;
        return &r->s;
}
