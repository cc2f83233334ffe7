/* chrome.c: what is the same on every screen: title, phase rail, message line, key bar. */
#include <ctype.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screen.h"

enum { TEXT_MAX = 4096 };

/* ---- the phase rail ---- */

typedef struct RailItem {
        char name[24];
        Mark mark;
} RailItem;

static Mark phase_mark(const RunView *v, const ViewPhase *p)
{
        switch (p->state) {
        case PH_RUNNING:
                return v->status ? MARK_SKIPPED : MARK_RUNNING;
        case PH_ASKING:
                return MARK_ASKS;
        case PH_FAILED:
                return MARK_FAILED;
        case PH_DONE:
                return MARK_DONE;
        case PH_UNDONE:
                return MARK_SKIPPED;
        default:
                return MARK_WAITING;
        }
}

static size_t rail_items(const Ui *ui, RailItem *items, size_t max)
{
        const RunModel *m = ui_run_of(ui);
        const RunView *v = m ? m->view : NULL;
        bool real = v && v->n_phases && !str_eq(v->runbook, "discover");
        size_t n = 0;
        bool planning = !real && (ui_find(ui, "form") || ui_find(ui, "plan"));
        snprintf(items[n].name, sizeof items[n].name, "Discover");
        items[n++].mark = real || planning ? MARK_DONE : MARK_RUNNING;
        snprintf(items[n].name, sizeof items[n].name, "Plan");
        items[n++].mark = real ? MARK_DONE : planning ? MARK_RUNNING : MARK_WAITING;
        for (size_t i = 0; real && i < v->n_phases && n < max; i++) {
                snprintf(items[n].name, sizeof items[n].name, "%s", v->phases[i].id);
                items[n].name[0] = (char)toupper((unsigned char)items[n].name[0]);
                items[n++].mark = phase_mark(v, &v->phases[i]);
        }
        return n;
}

static int rail_width(const Canvas *cv, const RailItem *it, size_t from, size_t to, int gap)
{
        int w = 1;
        for (size_t i = from; i < to; i++)
                w += 2 + cv_width(cv, it[i].name) + gap;
        return w - gap;
}

static void draw_rail(Ui *ui, Canvas *cv, Rect r)
{
        RailItem it[34];
        size_t n = rail_items(ui, it, LEN(it)), from = 0, to = n, now = 0;
        int gap = r.w >= 110 ? 6 : 3;
        for (size_t i = 0; i < n; i++)
                if (it[i].mark != MARK_WAITING)
                        now = i;
        while (gap > 2 && rail_width(cv, it, from, to, gap) > r.w - 1)
                gap--;
        /* Too many phases: what is behind goes first, then what is far ahead. */
        while (to - from > 1 && rail_width(cv, it, from, to, gap) > r.w - (from ? 5 : 1)) {
                if (from < now && (now - from > 1 || to == now + 1))
                        from++;
                else
                        to--;
        }
        int x = r.x + 1;
        if (from > 0)
                x += cv_text(cv, r.y, x, ROLE_DIM, "..") + 2;
        for (size_t i = from; i < to; i++) {
                Role role = it[i].mark == MARK_RUNNING || it[i].mark == MARK_FAILED ||
                                            it[i].mark == MARK_ASKS
                                    ? ROLE_STRONG
                                    : ROLE_DIM;
                cv_mark(cv, r.y, x, it[i].mark);
                x += 2;
                x += cv_text(cv, r.y, x, role, it[i].name) + gap;
        }
}

/* ---- title, message, keys ---- */

static void draw_title(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        AUTO_BUF title = buf_init(TEXT_MAX);
        char when[24];
        Screen *named = s;
        while (named->ops->modal && named->below)
                named = named->below;
        if (named->ops->title)
                named->ops->title(ui, named, &title);
        Rect r = l->title;
        cv_fill(cv, r, ROLE_TITLE);
        const char *who = ui->app->who ? ui->app->who : "";
        int room;
        if (l->cls == LAYOUT_COMPACT) {
                const char *host = strchr(who, '@');
                clock_hm(ui->wall, when);
                room = r.w - 1 -
                       cv_rightf(cv, r.y, r.w - 1, ROLE_TITLE, "%s %s", host ? host + 1 : who,
                                 when);
        } else {
                clock_day_hm(ui->wall, when);
                room = r.w - 1 - cv_rightf(cv, r.y, r.w - 1, ROLE_TITLE, "%s   %s", who, when);
        }
        int x = 1 + cv_text(cv, r.y, 1, ROLE_TITLE, "pgsherpa");
        cv_flag(cv, (Rect){ r.y, 1, 1, 8 }, CELL_STRONG);
        cv_cut(cv, r.y, x + 2, room - x - 4, ROLE_TITLE, buf_str(&title));
}

static void draw_message(Ui *ui, Screen *s, Canvas *cv, Rect r)
{
        AUTO_BUF left = buf_init(TEXT_MAX);
        AUTO_BUF right = buf_init(TEXT_MAX);
        Role role = ROLE_TEXT;
        for (Screen *i = s; i; i = i->below)
                if (i->ops->status) {
                        role = i->ops->status(ui, i, &left, &right);
                        break;
                }
        int rw = cv_width(cv, buf_str(&right));
        const char *text = ui->message ? ui->message : buf_str(&left);
        if (ui->message)
                role = ui->message_role;
        if (rw && rw < r.w / 2)
                cv_right(cv, r.y, r.w - 1, ROLE_DIM, buf_str(&right));
        else
                rw = 0;
        int room = r.w - 2 - (rw ? rw + 2 : 0), x = 1;
        /* A leading mark has its own colour; the words have the line's. */
        static const struct {
                const char *shape;
                Mark mark;
        } marks[] = { { "✓ ", MARK_DONE },
                      { "■ ", MARK_ASKS },
                      { "✗ ", MARK_FAILED },
                      { "! ", MARK_ATTENTION } };
        for (size_t i = 0; i < LEN(marks); i++)
                if (str_starts(text, marks[i].shape)) {
                        cv_mark(cv, r.y, x, marks[i].mark);
                        text += strlen(marks[i].shape);
                        x += 2;
                        room -= 2;
                        break;
                }
        /* A line that is too long ends with a whole sentence when it can. */
        AUTO_FREE char *shown = xstrdup(text);
        for (char *dot = shown + strlen(shown); cv_width(cv, shown) > room && dot > shown; dot--)
                if (dot[0] == '.' && dot[1] == ' ')
                        dot[1] = '\0';
        cv_cut(cv, r.y, x, room, role, cv_width(cv, shown) > room ? text : shown);
}

static void draw_keys(Ui *ui, Screen *s, Canvas *cv, Rect r)
{
        const char *quit = s->ops->quit_word ? s->ops->quit_word(s)
                           : s->ops->quit    ? s->ops->quit
                                             : "back";
        bool typing = s->ops->typing && s->ops->typing(s);
        int end = r.w - 1;
        /* `? help` and `q` are pinned: the last to be cut. While a field has the keys, q is a
         * letter and Esc goes back. */
        const char *q = typing ? "Esc" : "q";
        int w = cv_width(cv, q) + 1 + cv_width(cv, quit);
        cv_text(cv, r.y, end - w, ROLE_KEY, q);
        cv_text(cv, r.y, end - w + cv_width(cv, q) + 1, ROLE_TEXT, quit);
        end -= w + 3;
        if (!typing) {
                cv_text(cv, r.y, end - 6, ROLE_KEY, "?");
                cv_text(cv, r.y, end - 4, ROLE_TEXT, "help");
                end -= 6 + 2;
        }
        int x = 1;
        for (const KeyRow *k = s->ops->keys; k && k->shown; k++) {
                if (!k->bar || (k->when && !k->when(s)))
                        continue;
                int need = cv_width(cv, k->shown) + 1 + cv_width(cv, k->bar);
                if (x + need > end)
                        break;
                x += cv_text(cv, r.y, x, ROLE_KEY, k->shown) + 1;
                x += cv_text(cv, r.y, x, ROLE_TEXT, k->bar) + 3;
        }
}

void chrome_draw(Ui *ui, Screen *s, Canvas *cv)
{
        const Layout *l = &ui->layout;
        if (l->cls == LAYOUT_LINE)
                return;
        draw_title(ui, s, cv, l);
        if (l->rail.h) {
                draw_rail(ui, cv, l->rail);
                cv_rule(cv, l->rule.y, 0, l->rule.w, NULL, NULL);
        }
        cv_rule(cv, l->rule2.y, 0, l->rule2.w, NULL, NULL);
        draw_message(ui, s, cv, l->message);
        draw_keys(ui, s, cv, l->keys);
}

void chrome_line(const RunModel *m, int64_t wall, Buf *out)
{
        const RunView *v = m->view;
        char t[24];
        buf_printf(out, "%s ", v->run ? v->run : "run");
        if (v->status) {
                buf_printf(out, "%s", v->status);
                return;
        }
        const ViewStep *s = v->current >= 0 ? &v->steps[v->current] : NULL;
        if (v->gate.open)
                buf_adds(out, "waits for you");
        else if (!m->alive)
                buf_adds(out, "stopped");
        else if (s)
                buf_adds(out, s->title);
        if (!s)
                return;
        double part = step_part(s);
        if (part >= 0)
                buf_printf(out, " %d%%", (int)(part * 100));
        int64_t left = model_left_ms(m, wall);
        if (left > 0)
                buf_printf(out, ", %s left", fmt_duration(left, t));
        buf_printf(out, ", step %d of %zu", s->n, v->n_steps);
}
