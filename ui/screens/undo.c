/* undo.c: going back: first as a list to read, then as it happens. Newest first. */
#include <stdio.h>

#include "base/fmt.h"
#include "ui/screens/common.h"

typedef struct Undo {
        Screen s;
        int top;
} Undo;

/* What a step leaves behind that has to be put back. */
static bool leaves_something(const ViewStep *s)
{
        return !str_eq(s->touches, "nothing") && !str_eq(s->undo, "kept");
}

/* Steps that changed something or were tried: those an undo walks through. */
static bool was_run(const ViewStep *s)
{
        return s->status != ST_PENDING && s->status != ST_SKIPPED && s->status != ST_GATED;
}

static const char *undone_by(const RunModel *m, const ViewStep *s)
{
        const char *words = s->undo_words && *s->undo_words ? s->undo_words : NULL;
        const json_t *ps = model_plan_step(m, s->id);
        const char *planned = run_view_sentence(jx_get(ps, "undo_commands"));
        if (words)
                return words;
        if (planned)
                return planned;
        if (str_eq(s->touches, "nothing"))
                return "changed nothing";
        if (str_eq(s->undo, "NO"))
                return "cannot be undone";
        return s->undo && *s->undo ? s->undo : "";
}

void undo_draw(Ui *ui, const RunModel *m, Canvas *cv, const Layout *l, int top)
{
        const RunView *v = m->view;
        Rect b = l->body;
        int done = 0, total = 0, y = b.y;
        char t[24];
        for (size_t i = 0; i < v->n_steps; i++) {
                total += was_run(&v->steps[i]) && leaves_something(&v->steps[i]);
                done += v->steps[i].status == ST_UNDONE ||
                        (v->steps[i].kept && leaves_something(&v->steps[i]));
        }
        int used = cv_text(cv, y, b.x + 1, ROLE_STRONG, "Undo  ");
        if (v->undoing)
                cv_printf(cv, y, b.x + 1 + used, ROLE_TEXT, "%d of %d steps done", done, total);
        else
                cv_printf(cv, y, b.x + 1 + used, ROLE_TEXT, "%d steps, nothing has been undone yet",
                          total);
        y++;
        cv_text(cv, y, b.x + 1, ROLE_DIM, "Newest first. Each line says what is done to go back.");
        y += 2;
        int name_w = MIN(b.w / 2 - 8, 44), by_x = b.x + 10 + name_w;
        cv_text(cv, y, b.x + 9, ROLE_DIM, "STEP");
        cv_text(cv, y++, by_x, ROLE_DIM, "UNDONE BY");
        int skip = top;
        for (size_t i = v->n_steps; i-- > 0 && y < b.y + b.h - 2;) {
                const ViewStep *s = &v->steps[i];
                if (!was_run(s) || skip-- > 0)
                        continue;
                Mark mark = s->status == ST_UNDONE            ? MARK_DONE
                            : s->status == ST_UNDOING         ? MARK_RUNNING
                            : s->status == ST_UNDO_FAILED     ? MARK_FAILED
                            : s->kept || !leaves_something(s) ? MARK_SKIPPED
                                                              : MARK_WAITING;
                cv_mark(cv, y, b.x + 3, mark);
                cv_printf(cv, y, b.x + 5, ROLE_DIM, "%2d", s->n);
                cv_cut(cv, y, b.x + 9, name_w - 1, mark == MARK_RUNNING ? ROLE_STRONG : ROLE_TEXT,
                       s->title);
                t[0] = '\0';
                if (s->status == ST_UNDOING && s->t_start)
                        fmt_clock(ui->wall - s->t_start, t);
                bool never = str_eq(s->undo, "NO") && !str_eq(s->touches, "nothing");
                cv_cut(cv, y, by_x, b.w - by_x - (t[0] ? 9 : 1), never ? ROLE_FAIL : ROLE_TEXT,
                       undone_by(m, s));
                cv_right(cv, y++, b.x + b.w - 1, ROLE_TEXT, t);
        }
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        (void)ui;
        buf_printf(out, "%s, undo", s->run->view->title ? s->run->view->title : "Run");
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        undo_draw(ui, s->run, cv, l, ((Undo *)s)->top);
        cv_cut(cv, l->body.y + l->body.h - 1, 1, l->body.w - 2, ROLE_TEXT,
               "Nothing has been sent. g stops the run and goes back, q leaves it as it is.");
}

static UiAct start(Ui *ui, Screen *s, int key)
{
        bool sent = model_command(s->run, "rollback");
        if (sent)
                ui_say(ui, ROLE_TEXT, "Sent. The run stops at a safe point and asks once more.");
        return sent ? UI_POP : UI_REDRAW;
}

static UiAct scroll(Ui *ui, Screen *s, int key)
{
        Undo *u = (Undo *)s;
        u->top = MAX(u->top + (key == 'j' || key == K_DOWN ? 1 : -1), 0);
        return UI_REDRAW;
}

static bool can_start(const Screen *s)
{
        return !s->run->client.watch && !s->run->view->undoing;
}

static const KeyRow keys[] = {
        { "g", { 'g' }, "go back now", "undo the steps of this list", can_start, start },
        { "j k", { 'j', 'k', K_UP, K_DOWN }, NULL, "line", NULL, scroll },
        { 0 },
};

/* While the undo runs, the run screen itself draws it. */
static bool tick(Ui *ui, Screen *s)
{
        (void)ui;
        s->finished = s->run->view->undoing;
        return s->finished;
}

static const ScreenOps ops = {
        .name = "undo",
        .guarded = true,
        .keys = keys,
        .title = title,
        .draw = draw,
        .tick = tick,
};

Screen *undo_new(RunModel *m)
{
        return &SCREEN_NEW(Undo, &ops, m)->s;
}
