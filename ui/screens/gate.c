/* gate.c: the dialogs that ask: yes or no, a typed name, a choice, a secret, a checklist.
 *
 * Enter and Space never say yes. What was typed before the dialog was on the screen is dropped
 * by the loop (`guarded`), paste is refused in typed gates, and the answer carries the gate's
 * number. The engine checks everything once more. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/gate_internal.h"

Gate *gate_of(const Screen *s)
{
        return (Gate *)(uintptr_t)s;
}

const ViewGate *gate_view(const Screen *s)
{
        return &s->run->view->gate;
}

const ViewChoice *gate_choice(const ViewGate *g, const char *key)
{
        for (size_t i = 0; i < g->n_choices; i++)
                if (str_eq(g->choices[i].key, key))
                        return &g->choices[i];
        return NULL;
}

bool gate_send(Ui *ui, Gate *g, const char *answer, const char *text)
{
        if (!model_answer(g->s.run, answer, text))
                return false;
        g->sent = true;
        ui_say(ui, ROLE_TEXT, "Sent. The run checks the answer.");
        return true;
}

/* Gone when the engine has written the answer down, or asks something else. */
static bool tick(Ui *ui, Screen *s)
{
        const ViewGate *v = gate_view(s);
        s->finished = !v->open || v->number != gate_of(s)->number;
        if (s->finished && gate_of(s)->sent)
                ui_unsay(ui);
        return s->finished;
}

static void free_gate(Screen *s)
{
        edit_done(&gate_of(s)->edit);
}

/* ---- the lines, scrolled when there are more than fit ---- */

static int lines_rows(const Canvas *cv, const ViewGate *g, int w)
{
        return facts_rows(cv, g->lines, g->n_lines, w);
}

static int draw_lines(Gate *me, Canvas *cv, const ViewGate *g, Rect r)
{
        int rows = lines_rows(cv, g, r.w);
        me->lines_over = MAX(rows - r.h, 0);
        me->scroll = MIN(me->scroll, me->lines_over);
        int used = facts_draw(cv, g->lines, g->n_lines, r, me->scroll);
        if (me->lines_over)
                cv_rightf(cv, r.y + r.h, r.x + r.w, ROLE_STRONG, "  %d more lines: %s",
                          me->lines_over - me->scroll,
                          me->lines_over > me->scroll ? "PgDn or j" : "k goes back");
        return used;
}

static bool scroll_lines(Gate *me, int key)
{
        int step = key == 'j' || key == K_DOWN ? 1
                   : key == 'k' || key == K_UP ? -1
                   : key == K_PGDN             ? 8
                   : key == K_PGUP             ? -8
                                               : 0;
        me->scroll = MAX(MIN(me->scroll + step, me->lines_over), 0);
        return step != 0;
}

/* The frame: a box over the screen, or the whole screen when that is small. */
Rect gate_frame(Canvas *cv, const Layout *l, const char *title, int inside_rows)
{
        if (l->cls <= LAYOUT_COMPACT) {
                Rect b = l->body;
                cv_cut(cv, b.y, b.x + 1, b.w - 2, ROLE_STRONG, title);
                return (Rect){ b.y + 1, b.x + 1, b.h - 1, b.w - 2 };
        }
        Rect r = layout_dialog(l, inside_rows + 2, DIALOG_W);
        return cv_box(cv, r, title);
}

const char *gate_title(const ViewGate *g)
{
        return g->title && *g->title ? g->title : "The run asks";
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        return run_status(ui, s->run, left, right);
}

/* ---- yes or no, and gates with other letters ---- */

static void draw_yes(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Gate *me = gate_of(s);
        const ViewGate *g = gate_view(s);
        int w = MIN(DIALOG_W, l->body.w - 2) - 4, rows = lines_rows(cv, g, w);
        bool plain = gate_choice(g, "y") && gate_choice(g, "n") && g->n_choices <= 3;
        int choices = plain ? 1 : (int)g->n_choices;
        bool tight = l->cls <= LAYOUT_COMPACT;
        Rect in = gate_frame(cv, l, gate_title(g), rows + choices + (tight ? 1 : 3));
        Rect facts = { in.y + !tight, in.x, MAX(in.h - choices - (tight ? 0 : 3), 0), in.w };
        int y = facts.y + draw_lines(me, cv, g, facts) + !tight;
        y = MIN(MAX(y, in.y), in.y + in.h - choices);
        if (!plain) {
                for (size_t i = 0; i < g->n_choices; i++, y++) {
                        cv_text(cv, y, in.x + 1, ROLE_KEY, g->choices[i].key);
                        int used = cv_cut(cv, y, in.x + 4, 18, ROLE_STRONG, g->choices[i].label);
                        cv_cut(cv, y, in.x + MAX(22, 6 + used), in.w - MAX(22, 6 + used), ROLE_TEXT,
                               g->choices[i].consequence ? g->choices[i].consequence : "");
                }
                return;
        }
        int x = in.x;
        for (size_t i = 0; i < g->n_choices; i++) {
                x += cv_text(cv, y, x, ROLE_KEY, g->choices[i].key) + 1;
                x += cv_text(cv, y, x, ROLE_TEXT, g->choices[i].label) + (tight ? 2 : 4);
        }
        if (!gate_choice(g, "d") && g->step) {
                x += cv_text(cv, y, x, ROLE_KEY, "d") + 1;
                cv_text(cv, y, x, ROLE_TEXT, tight ? "commands" : "show commands");
        }
        (void)ui;
}

static UiAct show_commands(Ui *ui, Screen *s, int key)
{
        const ViewGate *g = gate_view(s);
        char *text = step_commands_text(model_plan_step(s->run, g->step));
        ui_push(ui, text_new("What will be done", text, s->run));
        return UI_REDRAW;
}

/* Letters are the choices' own keys; nothing else answers. */
static UiAct letter(Ui *ui, Screen *s, int key)
{
        Gate *me = gate_of(s);
        const ViewGate *g = gate_view(s);
        char k[2] = { (char)key, '\0' };
        if (key == K_ENTER || key == ' ')
                return UI_REDRAW; /* dead keys here, on purpose */
        if (!gate_choice(g, k) && scroll_lines(me, key))
                return UI_REDRAW;
        if (key == K_ESC && gate_choice(g, "n")) {
                gate_send(ui, me, "n", NULL);
                return UI_REDRAW;
        }
        if (key > ' ' && key < 127 && gate_choice(g, k)) {
                gate_send(ui, me, k, NULL);
                return UI_REDRAW;
        }
        return key == '?' || key == 'q' || key == 'd' || key == K_ESC ? UI_PASS : UI_NONE;
}

static const KeyRow yes_keys[] = {
        { "d", { 'd' }, NULL, "the exact commands", NULL, show_commands },
        { "y", { 0 }, NULL, "yes; Enter and Space do nothing here", NULL, NULL },
        { "n Esc", { 0 }, NULL, "not now", NULL, NULL },
        { 0 },
};

static bool always(const Screen *s)
{
        return true;
}

static bool is_letter(const char *key)
{
        return key && key[0] >= 'a' && key[0] <= 'z' && !key[1];
}

/* ---- typed: the name of what will be destroyed ---- */

static void draw_word(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Gate *me = gate_of(s);
        const ViewGate *g = gate_view(s);
        const char *want = g->text ? g->text : "";
        int w = MIN(DIALOG_W, l->body.w - 2) - 4, rows = lines_rows(cv, g, w);
        bool tight = l->cls <= LAYOUT_COMPACT;
        Rect in = gate_frame(cv, l, gate_title(g), rows + (tight ? 4 : 8));
        int need = tight ? 3 : 6, gap = !tight;
        int y = in.y + gap;
        y += draw_lines(me, cv, g, (Rect){ y, in.x, MAX(in.h - need - gap, 0), in.w }) + gap;
        y = MIN(y, in.y + in.h - need + gap);
        int used = cv_text(cv, y, in.x, ROLE_TEXT, "Type to confirm:   ");
        cv_cut(cv, y, in.x + used, in.w - used, ROLE_STRONG, want);
        y += 1 + gap;
        cv_text(cv, y, in.x + 2, ROLE_ACCENT, ">");
        edit_draw(&me->edit, cv, y, in.x + 4, in.w - 5, true);
        size_t good = 0; /* bytes that agree, whole characters only */
        while (me->edit.text[good] && me->edit.text[good] == want[good])
                good++;
        while (good > 0 && ((unsigned char)me->edit.text[good] & 0xc0) == 0x80)
                good--;
        if (me->edit.text[good]) {
                AUTO_FREE char *head = xstrndup(me->edit.text, good);
                int col = in.x + 4 + cv_width(cv, head);
                cv_flag(cv, (Rect){ y, col, 1, 1 }, CELL_UNDERLINED | CELL_STRONG);
        }
        y += 1 + gap;
        bool matches = str_eq(me->edit.text, want);
        Role role = matches ? ROLE_STRONG : ROLE_DIM;
        used = cv_text(cv, y, in.x, ROLE_KEY, "Enter") + 1;
        used += cv_text(cv, y, in.x + used, role, matches ? "do it" : "only when it matches") + 4;
        used += cv_text(cv, y, in.x + used, ROLE_KEY, "Esc") + 1;
        used += cv_text(cv, y, in.x + used, ROLE_TEXT, "later") + 4;
        /* The other answers have letters, which a field would swallow: with Ctrl they do not. */
        for (size_t i = 0; i < g->n_choices; i++) {
                const ViewChoice *c = &g->choices[i];
                if (!is_letter(c->key) || str_eq(c->key, "y"))
                        continue;
                used += cv_printf(cv, y, in.x + used, ROLE_KEY, "^%c", c->key[0] - 'a' + 'A') + 1;
                used += cv_text(cv, y, in.x + used, ROLE_TEXT, c->label) + 4;
        }
        (void)ui;
}

static UiAct type_word(Ui *ui, Screen *s, int key)
{
        Gate *me = gate_of(s);
        const char *want = gate_view(s)->text;
        if (key == K_ESC)
                return UI_POP;
        if (key == K_ENTER) {
                if (str_eq(me->edit.text, want) && *want)
                        gate_send(ui, me, "y", me->edit.text);
                return UI_REDRAW;
        }
        if (key == K_UP || key == K_DOWN || key == K_PGUP || key == K_PGDN)
                return scroll_lines(me, key) ? UI_REDRAW : UI_NONE;
        for (size_t i = 0; i < gate_view(s)->n_choices; i++) {
                const char *k = gate_view(s)->choices[i].key;
                if (is_letter(k) && !str_eq(k, "y") && key == K_CTRL(k[0])) {
                        gate_send(ui, me, k, NULL);
                        return UI_REDRAW;
                }
        }
        return edit_key(&me->edit, key) ? UI_REDRAW : UI_NONE;
}

/* ---- a secret ---- */

static void draw_secret(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Gate *me = gate_of(s);
        const ViewGate *g = gate_view(s);
        int w = MIN(DIALOG_W, l->body.w - 2) - 4, rows = lines_rows(cv, g, w);
        Rect in = gate_frame(cv, l, gate_title(g), rows + 7);
        int y = in.y + 1;
        y += draw_lines(me, cv, g, (Rect){ y, in.x, MAX(in.h - 5, 0), in.w }) + 1;
        cv_text(cv, y, in.x + 2, ROLE_ACCENT, ">");
        edit_draw(&me->edit, cv, y, in.x + 4, in.w - 5, true);
        cv_text(cv, y + 1, in.x, ROLE_DIM,
                "It is not shown, not written to disk, and used by this run only.");
        y += 3;
        int used = cv_text(cv, y, in.x, ROLE_KEY, "Enter") + 1;
        used += cv_text(cv, y, in.x + used, ROLE_TEXT, "use it") + 4;
        used += cv_text(cv, y, in.x + used, ROLE_KEY, "Esc") + 1;
        cv_text(cv, y, in.x + used, ROLE_TEXT, "later");
        (void)ui;
}

static UiAct type_secret(Ui *ui, Screen *s, int key)
{
        Gate *me = gate_of(s);
        if (key == K_ESC)
                return UI_POP;
        if (key == K_ENTER) {
                if (me->edit.len && model_secret(s->run, me->edit.text)) {
                        me->sent = true;
                        edit_set(&me->edit, "");
                        ui_say(ui, ROLE_TEXT, "Sent. The run tries it.");
                }
                return UI_REDRAW;
        }
        return edit_key(&me->edit, key) ? UI_REDRAW : UI_NONE;
}

/* ---- a decision: choices or free text ---- */

/* Free text comes with no choice, or with the single one that carries it. */
static bool is_free_text(const ViewGate *g)
{
        return g->n_choices == 0 || (g->n_choices == 1 && str_eq(g->choices[0].key, "y"));
}

static void draw_decision(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Gate *me = gate_of(s);
        const ViewGate *g = gate_view(s);
        int w = MIN(DIALOG_W, l->body.w - 2) - 4;
        int rows = lines_rows(cv, g, w), n = is_free_text(g) ? 0 : (int)g->n_choices;
        Rect in = gate_frame(cv, l, gate_title(g), rows + MAX(n, 1) + 5);
        int y = in.y + 1;
        y += draw_lines(me, cv, g, (Rect){ y, in.x, MAX(in.h - MAX(n, 1) - 3, 0), in.w }) + 1;
        if (!n) {
                cv_text(cv, y, in.x + 2, ROLE_ACCENT, ">");
                edit_draw(&me->edit, cv, y, in.x + 4, in.w - 5, true);
                y += 2;
                int used = cv_text(cv, y, in.x, ROLE_KEY, "Enter") + 1;
                used += cv_text(cv, y, in.x + used, ROLE_TEXT, "write this down") + 4;
                used += cv_text(cv, y, in.x + used, ROLE_KEY, "Esc") + 1;
                cv_text(cv, y, in.x + used, ROLE_TEXT, "later");
                return;
        }
        list_fit(&me->list, n, MAX(in.y + in.h - y - 2, 1));
        for (int i = 0; i < me->list.height && me->list.top + i < n; i++) {
                const ViewChoice *c = &g->choices[me->list.top + i];
                bool cursor = me->list.top + i == me->list.cursor;
                if (cursor)
                        cv_mark(cv, y, in.x, MARK_CURSOR);
                const char *label = c->label ? c->label : c->key;
                int used = cv_cut(cv, y, in.x + 2, 24, ROLE_STRONG, label);
                cv_cut(cv, y, in.x + MAX(28, used + 4), in.w - MAX(28, used + 4), ROLE_TEXT,
                       c->consequence ? c->consequence : "");
                if (cursor)
                        cv_flag(cv, (Rect){ y, in.x, 1, in.w }, CELL_SELECTED);
                y++;
        }
        int used = cv_text(cv, y + 1, in.x, ROLE_KEY, "Enter") + 1;
        cv_text(cv, y + 1, in.x + used, ROLE_TEXT, "choose this and write it down");
        (void)ui;
}

static UiAct decide(Ui *ui, Screen *s, int key)
{
        Gate *me = gate_of(s);
        const ViewGate *g = gate_view(s);
        if (key == K_ESC)
                return UI_POP;
        if (is_free_text(g)) {
                if (key != K_ENTER)
                        return edit_key(&me->edit, key) ? UI_REDRAW : UI_NONE;
                if (me->edit.len)
                        gate_send(ui, me, "y", me->edit.text);
                return UI_REDRAW;
        }
        if (key == K_ENTER) {
                gate_send(ui, me, g->choices[me->list.cursor].key, NULL);
                return UI_REDRAW;
        }
        if (list_key(&me->list, key))
                return UI_REDRAW;
        return key == '?' || key == 'q' ? UI_PASS : UI_NONE;
}

static const KeyRow list_keys[] = {
        { "Space", { 0 }, NULL, "tick or untick", NULL, NULL },
        { "j k", { 0 }, NULL, "line", NULL, NULL },
        { "y", { 0 }, NULL, "all done, go on", NULL, NULL },
        { 0 },
};
static const KeyRow typed_keys[] = {
        { "Enter", { 0 }, NULL, "only when it matches", NULL, NULL },
        { 0 },
};

#define GATE_OPS(draw_, keys_, key_, typing_)                                                      \
        {                                                                                          \
                .name = "gate", .modal = true, .guarded = true, .quit = "decide later",            \
                .keys = (keys_), .draw = (draw_), .key = (key_), .typing = (typing_),              \
                .status = status, .tick = tick, .free = free_gate                                  \
        }

static const ScreenOps yes_ops = GATE_OPS(draw_yes, yes_keys, letter, NULL);
static const ScreenOps word_ops = GATE_OPS(draw_word, typed_keys, type_word, always);
static const ScreenOps secret_ops = GATE_OPS(draw_secret, typed_keys, type_secret, always);
static const ScreenOps decision_ops = GATE_OPS(draw_decision, list_keys, decide, always);
static const ScreenOps choice_ops = GATE_OPS(draw_decision, list_keys, decide, NULL);
static const ScreenOps manual_ops = GATE_OPS(gate_manual_draw, list_keys, gate_manual_key, NULL);

Screen *failure_new(RunModel *m);

/* NULL: what went wrong has a screen of its own. */
static const ScreenOps *ops_of(const ViewGate *v)
{
        switch (ask_kind_of(v->kind)) {
        case ASK_ERROR:
        case ASK_UNKNOWN:
                return NULL;
        case ASK_WORD:
                return &word_ops;
        case ASK_SECRET:
                return &secret_ops;
        case ASK_MANUAL:
                return &manual_ops;
        case ASK_DECISION:
                return is_free_text(v) ? &decision_ops : &choice_ops;
        case ASK_YES:
        case ASK_AFTER:
        case ASK_START:
        case ASK_UNDO: /* a rollback may want a word, too */
        case ASK_ASK:
        case ASK_KINDS_:
                break;
        }
        return v->text && *v->text ? &word_ops : &yes_ops;
}

Screen *gate_new(RunModel *m)
{
        const ViewGate *v = &m->view->gate;
        const ScreenOps *ops = ops_of(v);
        if (!ops)
                return failure_new(m);
        Gate *g = SCREEN_NEW(Gate, ops, m);
        g->number = v->number;
        g->s.refuse_paste = ops == &word_ops || ops == &yes_ops;
        edit_init(&g->edit, "", ops == &secret_ops);
        for (size_t i = 0; v->suggested && i < v->n_choices; i++)
                if (str_eq(v->choices[i].key, v->suggested) ||
                    str_eq(v->choices[i].label, v->suggested))
                        g->list.cursor = (int)i;
        return &g->s;
}
