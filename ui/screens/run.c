/* run.c: the checklist with the live detail of the step under the cursor; while a step counts
 * something it becomes the progress screen, while going back the undo list. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/run_internal.h"

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
                run_draw_wide(ui, r, cv, l);
        else
                run_draw_stacked(ui, r, cv, l);
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
