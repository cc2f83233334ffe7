/* gate_manual.c: a checklist, ticked by people; each tick bears a name. */
#include "ui/screens/gate_internal.h"

static bool is_ticked(const RunView *v, const char *step, int item)
{
        bool ticked = false; /* the last word counts */
        for (size_t i = 0; i < v->n_ticks; i++)
                if (str_eq(v->ticks[i].step, step) && v->ticks[i].item == item)
                        ticked = v->ticks[i].ticked;
        return ticked;
}

static int open_items(const Screen *s)
{
        const ViewGate *g = gate_view(s);
        int n = 0;
        for (size_t i = 0; i < g->n_lines; i++)
                n += !is_ticked(s->run->view, g->step, (int)i);
        return n;
}

void gate_manual_draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Gate *me = gate_of(s);
        const ViewGate *g = gate_view(s);
        int n = (int)g->n_lines, left = open_items(s);
        Rect in = gate_frame(cv, l, gate_title(g), n + 5);
        int y = in.y + 1;
        list_fit(&me->list, n, MAX(in.h - 4, 1));
        for (int i = 0; i < me->list.height && me->list.top + i < n; i++, y++) {
                int item = me->list.top + i;
                bool cursor = item == me->list.cursor,
                     done = is_ticked(s->run->view, g->step, item);
                if (cursor)
                        cv_mark(cv, y, in.x, MARK_CURSOR);
                cv_text(cv, y, in.x + 2, ROLE_TEXT, done ? "[x]" : "[ ]");
                cv_cut(cv, y, in.x + 6, in.w - 6, done ? ROLE_DIM : ROLE_TEXT, g->lines[item]);
                if (cursor)
                        cv_flag(cv, (Rect){ y, in.x, 1, in.w }, CELL_SELECTED);
        }
        y++;
        if (left)
                cv_printf(cv, y, in.x, ROLE_TEXT,
                          "%d still open. Your name is written beside each.", left);
        else
                cv_text(cv, y, in.x, ROLE_OK, "All are ticked.");
        y++;
        int x = in.x;
        static const char *const words[][2] = {
                { "Space", "tick" }, { "y", "done, go on" }, { "n", "not now" }, { "q", "later" }
        };
        for (size_t i = 0; i < LEN(words); i++) {
                if ((i == 1 && left) || (i == 2 && !gate_choice(g, "n")))
                        continue;
                x += cv_text(cv, y, x, ROLE_KEY, words[i][0]) + 1;
                x += cv_text(cv, y, x, ROLE_TEXT, words[i][1]) + 4;
        }
        (void)ui;
}

UiAct gate_manual_key(Ui *ui, Screen *s, int key)
{
        Gate *me = gate_of(s);
        const ViewGate *g = gate_view(s);
        int item = me->list.cursor;
        if (key == ' ' || key == 'x') {
                if (g->n_lines)
                        model_tick(s->run, g->step, item, !is_ticked(s->run->view, g->step, item));
                return UI_REDRAW;
        }
        if (key == 'y') {
                if (open_items(s))
                        ui_say(ui, ROLE_WARN, "! %d items are still open", open_items(s));
                else
                        gate_send(ui, me, "y", NULL);
                return UI_REDRAW;
        }
        if (key == 'n' && gate_choice(g, "n")) {
                gate_send(ui, me, "n", NULL);
                return UI_REDRAW;
        }
        if (key == K_ENTER)
                return UI_REDRAW;
        if (list_key(&me->list, key))
                return UI_REDRAW;
        return key == '?' || key == 'q' || key == K_ESC ? UI_PASS : UI_NONE;
}
