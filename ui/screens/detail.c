/* detail.c: everything known about one step, for the pane beside or below the list. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/common.h"

static int draw_error(const ViewError *e, Canvas *cv, Rect r, int y)
{
        int label = 9, from = y;
        if (!e->set)
                return 0;
        y += draw_label(cv, r, y, label, "ERROR", ROLE_STRONG, e->message ? e->message : "");
        if (e->hint)
                y += draw_label(cv, r, y, label, "HINT", ROLE_TEXT, e->hint);
        if (e->sqlstate && *e->sqlstate)
                y += draw_label(cv, r, y, label, "SQLSTATE", ROLE_TEXT, e->sqlstate);
        return y - from;
}

static int draw_commands(const json_t *plan_step, const char *key, Canvas *cv, Rect r, int y,
                         int max)
{
        const json_t *c;
        size_t i;
        int from = y;
        json_array_foreach(jx_get(plan_step, key), i, c) {
                size_t left = json_array_size(jx_get(plan_step, key)) - i;
                if (y - from >= max || y >= r.y + r.h) {
                        if (y > from && y <= r.y + r.h)
                                cv_rightf(cv, y - 1, r.x + r.w, ROLE_DIM, "..   %zu more", left);
                        break;
                }
                AUTO_FREE char *w = jx_words(c);
                char *nl = strchr(w, '\n');
                if (nl)
                        *nl = '\0';
                cv_cut(cv, y++, r.x, r.w, ROLE_TEXT, w);
        }
        return y - from;
}

static int draw_artifacts(const RunView *v, const ViewStep *s, Canvas *cv, Rect r, int y)
{
        int from = y;
        char size[24];
        for (size_t i = 0; i < v->n_artifacts && y < r.y + r.h; i++) {
                const ViewArtifact *a = &v->artifacts[i];
                if (!str_eq(a->step, s->id))
                        continue;
                AUTO_FREE char *text =
                        xasprintf("%s  %s", fmt_bytes(a->size, size), a->path ? a->path : "");
                y += draw_label(cv, r, y, 9, a->what ? a->what : "file", ROLE_TEXT, text);
        }
        return y - from;
}

void step_detail_draw(Ui *ui, const RunModel *m, const ViewStep *s, const Tail *tail, Canvas *cv,
                      Rect r, int scroll)
{
        const json_t *ps = model_plan_step(m, s->id);
        int y = r.y, end = r.y + r.h;
        char pair[64], rate[40], left[48];
        Rect old = cv_clip(cv, r);
        double part = step_part(s);
        bool live = s->status == ST_RUNNING || s->status == ST_UNDOING;
        y += draw_error(&s->error, cv, r, y);
        if (live && s->progress.set) {
                const ViewProgress *p = &s->progress;
                if (part >= 0) {
                        cv_bar(cv, y, r.x, MAX(r.w - 6, 4), part);
                        cv_rightf(cv, y++, r.x + r.w, ROLE_STRONG, "%3d%%",
                                  (int)(MIN(part, 1) * 100));
                }
                fmt_pair(p->unit, p->done, p->total, pair);
                fmt_speed(p->unit, p->rate, rate);
                int x = r.x + cv_text(cv, y, r.x, ROLE_TEXT, pair) + 3;
                if (p->rate > 0)
                        cv_text(cv, y, x, ROLE_TEXT, rate);
                if (p->eta_ms > 0)
                        cv_right(cv, y, r.x + r.w, ROLE_TEXT, words_left(p->eta_ms, left));
                y++;
                y += progress_rows_draw(s, cv, (Rect){ y, r.x, MAX(end - y, 0), r.w });
        }
        if (s->note && *s->note && y < end)
                y += cv_wrap(cv, (Rect){ y, r.x, end - y, r.w }, ROLE_TEXT, s->note);
        if (s->undo_words && *s->undo_words && y < end)
                y += draw_label(cv, r, y, 9, "undone", ROLE_TEXT, s->undo_words);
        y += draw_artifacts(m->view, s, cv, r, y);
        if (s->tolerated && y < end)
                cv_printf(cv, y++, r.x, ROLE_WARN, "%d tolerated error%s", s->tolerated,
                          s->tolerated == 1 ? "" : "s");
        if (s->why && *s->why && !live && y < end)
                y += cv_wrap(cv, (Rect){ y, r.x, end - y, r.w }, ROLE_DIM, s->why);
        if (end - y > 2 && !tail->n) {
                y += draw_commands(ps, "commands", cv, r, y + 1, end - y - 2) + 1;
                AUTO_FREE char *undo = s->undo ? run_view_undo_words(s->undo) : NULL;
                if (undo && y < end)
                        draw_label(cv, r, y, 9, "undo",
                                   str_eq(s->undo, "NO") ? ROLE_FAIL : ROLE_TEXT, undo);
        } else if (end - y > 1) {
                if (end - y > 8)
                        y += draw_commands(ps, "commands", cv, r, y + 1, 3) + 1;
                y += y > r.y && end - y > 3;
                tail_draw(tail, cv, (Rect){ y, r.x, end - y, r.w }, scroll);
        }
        cv_clip_set(cv, old);
        (void)ui;
}
