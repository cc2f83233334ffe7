/* progress.c: total first, then workers, then the rest. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/common.h"

/* Not every step tells the rate of its parts; "waits" is only true beside others that move. */
static bool any_rate(const ViewProgress *p)
{
        for (size_t i = 0; i < p->n_rows; i++)
                if (p->rows[i].rate > 0)
                        return true;
        return false;
}

/* Names, bars and numbers in columns that do not move when the values change. */
static void draw_row(Canvas *cv, Rect r, int y, const ViewProgress *p, const ProgressRow *row,
                     bool wide)
{
        char pair[64], rate[40], left[24], pct[8];
        int x_left = r.x + r.w, x_rate = x_left - 7, x_pair = x_rate - 12;
        double part = row->total > 0 ? (double)row->done / (double)row->total : -1;
        fmt_pair(p->unit, row->done, row->total, pair);
        bool compact = r.w < 70;
        int name_w = compact ? MIN(24, r.w / 2) : wide ? 30 : 24;
        cv_cut_middle(cv, y, r.x, name_w - 1, ROLE_TEXT, row->name);
        if (row->eta_ms > 0)
                cv_right(cv, y, x_left, ROLE_TEXT, fmt_clock(row->eta_ms, left));
        snprintf(pct, sizeof pct, "%3d%%", (int)(MIN(part, 1) * 100));
        if (compact) {
                int bar_w = r.w - name_w - 12;
                if (part >= 0 && bar_w > 2)
                        cv_bar(cv, y, r.x + name_w, bar_w, part);
                if (part >= 0)
                        cv_right(cv, y, x_left - 6, ROLE_TEXT, pct);
                return;
        }
        fmt_speed(p->unit, row->rate, rate);
        if (row->rate > 0)
                cv_right(cv, y, x_rate, ROLE_TEXT, rate);
        else if (part < 1 && any_rate(p))
                cv_right(cv, y, x_rate, ROLE_WARN, "waits");
        int pair_w = 18, bar_w = x_pair - pair_w - 6 - (r.x + name_w + 1);
        cv_right(cv, y, x_pair, ROLE_TEXT, pair);
        if (part >= 0) {
                cv_right(cv, y, x_pair - pair_w, ROLE_TEXT, pct);
                if (bar_w > 3)
                        cv_bar(cv, y, r.x + name_w + 1, bar_w, part);
        }
}

int progress_rows_draw(const ViewStep *s, Canvas *cv, Rect r)
{
        const ViewProgress *p = &s->progress;
        int used = 0;
        for (size_t i = 0; i < p->n_rows && used < r.h; i++)
                draw_row(cv, r, r.y + used++, p, &p->rows[i], r.w >= 100);
        return used;
}

static void draw_total(Ui *ui, const ViewStep *s, Canvas *cv, Rect r, int *y, bool compact)
{
        const ViewProgress *p = &s->progress;
        char a[64], b[48], rate[40], at[16];
        double part = step_part(s);
        if (part >= 0) {
                cv_bar(cv, *y, r.x, r.w - 6, part);
                cv_rightf(cv, *y, r.x + r.w, ROLE_STRONG, "%3d%%", (int)(MIN(part, 1) * 100));
                ++*y;
        }
        fmt_pair(p->unit, p->done, p->total, a);
        int x0 = r.x + cv_text(cv, *y, r.x, ROLE_TEXT, a);
        if (p->label && *p->label && !compact)
                cv_printf(cv, *y, x0, ROLE_DIM, "   %s", p->label);
        fmt_speed(p->unit, p->rate, rate);
        if (compact) {
                cv_rightf(cv, *y, r.x + r.w, ROLE_TEXT, "%s%s%s", rate, p->eta_ms > 0 ? ", " : "",
                          p->eta_ms > 0 ? fmt_duration(p->eta_ms, b) : "");
                *y += 2;
                return;
        }
        if (p->eta_ms > 0) {
                clock_hm(ui->wall + p->eta_ms, at);
                cv_rightf(cv, *y, r.x + r.w, ROLE_TEXT, "%s left, about %s",
                          fmt_duration(p->eta_ms, b), at);
        } else if (part >= 0 && part < 1) {
                bool over = s->estimate_ms && ui->wall - s->t_start > s->estimate_ms;
                if (over)
                        cv_rightf(cv, *y, r.x + r.w, ROLE_WARN, "longer than planned, %s so far",
                                  fmt_duration(ui->wall - s->t_start, b));
                else
                        cv_right(cv, *y, r.x + r.w, ROLE_DIM, "estimating");
        }
        ++*y;
        int x = r.x + MAX(cv_text(cv, *y, r.x, ROLE_TEXT, rate), 9) + 2;
        if (p->n_history > 1) {
                int w = MIN((int)p->n_history, r.w >= 90 ? 60 : 30);
                cv_spark(cv, *y, x, w, p->history, p->n_history);
        }
        int64_t ran = ui->wall - s->t_start;
        if (ran > 2000 && p->done > 0) {
                fmt_speed(p->unit, (double)p->done * 1000 / (double)ran, rate);
                cv_rightf(cv, *y, r.x + r.w, ROLE_DIM, "average %s", rate);
        }
        *y += 2;
}

void progress_draw(Ui *ui, const RunModel *m, const ViewStep *s, const Tail *tail, Canvas *cv,
                   const Layout *l)
{
        const ViewProgress *p = &s->progress;
        Rect b = l->body;
        bool compact = l->cls == LAYOUT_COMPACT;
        char t1[24], t2[16];
        int y = b.y + (l->cls == LAYOUT_WIDE ? 1 : 0), indent = compact ? 1 : 3;
        Rect r = { b.y, b.x + indent, b.h, b.w - indent - (compact ? 1 : 3) };
        AUTO_FREE char *count = xasprintf("  step %d of %zu", s->n, m->view->n_steps);
        int room = b.w - 4 - cv_width(cv, count);
        if (compact)
                room -= cv_right(cv, y, b.w - 1, ROLE_TEXT, fmt_clock(ui->wall - s->t_start, t1));
        else
                room -= cv_rightf(cv, y, b.w - 1, ROLE_TEXT, "started %s, elapsed %s",
                                  clock_hm(s->t_start, t2), fmt_clock(ui->wall - s->t_start, t1));
        int used = cv_cut(cv, y, b.x + 1, room, ROLE_STRONG, s->title);
        cv_text(cv, y, b.x + 1 + used, ROLE_DIM, count);
        y += compact ? 1 : 2;
        draw_total(ui, s, cv, r, &y, compact);
        if (p->n_rows) {
                if (!compact) {
                        cv_text(cv, y, r.x, ROLE_DIM, "PART");
                        cv_right(cv, y, r.x + r.w, ROLE_DIM, "LEFT");
                        cv_right(cv, y, r.x + r.w - 7, ROLE_DIM, "RATE");
                        cv_right(cv, y, r.x + r.w - 19, ROLE_DIM, "DONE");
                        y++;
                }
                y += progress_rows_draw(s, cv, (Rect){ y, r.x, b.y + b.h - y, r.w }) + !compact;
        }
        if (p->things_total > 0 && y < b.y + b.h) {
                int running = (int)p->n_rows, waiting = p->things_total - p->things_done - running;
                int x = r.x + cv_printf(cv, y, r.x, ROLE_TEXT, "%d of %d done, ", p->things_done,
                                        p->things_total);
                if (!compact || !p->workers)
                        x += cv_printf(cv, y, x, ROLE_TEXT, "%d running, ", running);
                x += cv_printf(cv, y, x, ROLE_TEXT, "%d waiting", MAX(waiting, 0));
                if (p->workers)
                        cv_printf(cv, y, x, ROLE_TEXT, ", %d worker%s", p->workers,
                                  p->workers == 1 ? "" : "s");
                cv_rightf(cv, y, r.x + r.w, m->view->errors ? ROLE_FAIL : ROLE_OK, "%d error%s",
                          m->view->errors, m->view->errors == 1 ? "" : "s");
                y += 2;
        }
        int rest = b.y + b.h - y - 1;
        if (tail->n && rest >= 3) {
                cv_rule(cv, y, 0, b.w, "output, its end", NULL);
                tail_draw(tail, cv, (Rect){ y + 1, r.x, rest, r.w }, 0);
        }
}
