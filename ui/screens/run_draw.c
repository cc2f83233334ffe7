/* run_draw.c: the checklist of a run, drawn. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/run_internal.h"

static const int64_t DAYS = 48 * 3600000LL; /* hours and minutes stop being interesting */

static void draw_step(Ui *ui, const RunView *v, size_t i, Canvas *cv, Rect at, bool cursor)
{
        int y = at.y, x = at.x, w = at.w;
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
void run_draw_stacked(Ui *ui, Run *r, Canvas *cv, const Layout *l)
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
                draw_step(ui, v, first + (size_t)(top + i), cv,
                          (Rect){ y + i, b.x + 1, 1, b.w - 2 }, (int)first + top + i == r->cursor);
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
void run_draw_wide(Ui *ui, Run *r, Canvas *cv, const Layout *l)
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
                draw_step(ui, v, i, cv, (Rect){ y++, b.x + 1, 1, left_w - 3 }, (int)i == r->cursor);
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
