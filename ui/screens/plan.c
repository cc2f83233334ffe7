/* plan.c: the dry run: every step, how long, what it touches, whether it can be undone, and
 * the exact commands. Nothing has been changed when this is on the screen. */
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "ui/screens/common.h"
#include "ui/widgets/list.h"

#define UNTIL "yes, until "

typedef struct Plan {
        Screen s;
        char *runbook, *title;
        json_t *answers, *plan;
        List list;
} Plan;

static Plan *plan_of(const Screen *s)
{
        return (Plan *)(uintptr_t)s;
}

static const json_t *steps_of(const Plan *p)
{
        return jx_get(p->plan, "steps");
}

static const json_t *step_at(const Plan *p, int i)
{
        return json_array_get(steps_of(p), (size_t)i);
}

static const char *phase_title(const Plan *p, const char *id)
{
        const json_t *ph;
        size_t i;
        json_array_foreach(jx_get(p->plan, "phases"), i, ph)
                if (str_eq(jx_str(ph, "id", NULL), id))
                        return jx_str(ph, "title", id);
        return str_eq(id, "cleanup") ? "Clean-up, later" : id;
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        buf_adds(out, "Plan, dry run");
}

static void draw_head(const Plan *p, Canvas *cv, int y, int w)
{
        char a[24], b[24];
        int64_t total = jx_int(p->plan, "total_ms", 0), down = jx_int(p->plan, "downtime_ms", 0);
        int x = 1 + cv_text(cv, y, 1, ROLE_STRONG, "Dry run, nothing has been changed.") + 2;
        AUTO_BUF t = buf_init(256);
        buf_printf(&t, "%zu steps", json_array_size(steps_of(p)));
        if (total)
                buf_printf(&t, ", %s", fmt_duration(total, a));
        if (down)
                buf_printf(&t, ", apps down about %s.", fmt_duration(down, b));
        cv_cut(cv, y, x, w - x - 1, ROLE_TEXT, buf_str(&t));
}

/* No estimate, no column: titles have its room. */
static bool has_times(const Plan *p)
{
        const json_t *st;
        size_t i;
        json_array_foreach(steps_of(p), i, st)
                if (jx_int(st, "estimate_ms", 0))
                        return true;
        return false;
}

static void draw_step(Canvas *cv, const json_t *st, int y, int w, bool times, bool cursor)
{
        char t[24] = "";
        int64_t ms = jx_int(st, "estimate_ms", 0);
        const char *undo = jx_str(st, "undo", "");
        int undo_w = 14, x_undo = w - undo_w, x_touch = x_undo - 9, x_time = x_touch - 2;
        bool narrow = w < 70;
        if (narrow) {
                undo_w = 6;
                x_undo = w - undo_w;
                x_time = x_undo - 1;
        }
        if (cursor)
                cv_mark(cv, y, 1, MARK_CURSOR);
        cv_printf(cv, y, 3, ROLE_DIM, "%3d", (int)jx_int(st, "n", 0));
        if (jx_bool(st, "asks", false))
                cv_mark(cv, y, 7, MARK_ASKS);
        cv_cut(cv, y, 9, x_time - 10 - (narrow || !times ? 0 : 8), ROLE_TEXT,
               jx_str(st, "title", "?"));
        if (ms && !narrow)
                cv_right(cv, y, x_time, ROLE_TEXT, fmt_duration(ms, t));
        if (!narrow)
                cv_cut(cv, y, x_touch, 8, ROLE_TEXT, jx_str(st, "touches", ""));
        cv_cut(cv, y, x_undo, undo_w, str_eq(undo, "NO") ? ROLE_FAIL : ROLE_TEXT, undo);
        if (cursor)
                cv_flag(cv, (Rect){ y, 1, 1, w - 1 }, CELL_SELECTED);
}

static int draw_commands(Canvas *cv, const json_t *list, int y, Rect r)
{
        const json_t *c;
        size_t i, n = json_array_size(list);
        int from = y;
        json_array_foreach(list, i, c) {
                if (y >= r.y + r.h)
                        break;
                AUTO_FREE char *w = jx_words(c);
                int rows = cv_wrap(cv, (Rect){ y, r.x, r.y + r.h - y, r.w }, ROLE_TEXT, w);
                y += MAX(rows, 1);
                if (y >= r.y + r.h && i + 1 < n)
                        cv_rightf(cv, r.y + r.h - 1, r.x + r.w, ROLE_STRONG, "  %zu more",
                                  n - i - 1);
        }
        return y - from;
}

static void draw_detail(const json_t *st, Canvas *cv, Rect r, bool wide)
{
        int y = r.y, end = r.y + r.h;
        const char *why = jx_str(st, "why", NULL), *undo = jx_str(st, "undo", "");
        const json_t *commands = jx_get(st, "commands"), *back = jx_get(st, "undo_commands");
        Rect old = cv_clip(cv, r);
        if (wide) {
                y += cv_wrap(cv, (Rect){ y, r.x, 2, r.w }, ROLE_STRONG, jx_str(st, "title", "")) +
                     1;
                y += draw_label(cv, r, y, 9, "KIND", ROLE_TEXT, jx_str(st, "kind", ""));
                y += draw_label(cv, r, y, 9, "TOUCHES", ROLE_TEXT, jx_str(st, "touches", "")) + 1;
        }
        if (why && (wide || !json_array_size(commands)))
                y += cv_wrap(cv, (Rect){ y, r.x, 4, r.w }, ROLE_TEXT, why) + wide;
        int keep = wide ? 6 : 1; /* rows for the undo */
        if (json_array_size(commands))
                y += draw_commands(cv, commands, y, (Rect){ r.y, r.x, MAX(r.h - keep, 1), r.w });
        else
                cv_text(cv, y++, r.x, ROLE_DIM, "runs no command of its own");
        y = MIN(y + wide, end - 1);
        const char *words = run_view_sentence(back);
        size_t more = json_array_size(back) > 1 ? json_array_size(back) - 1 : 0;
        AUTO_FREE char *said = run_view_undo_words(undo);
        AUTO_FREE char *text = xasprintf("%s%s%s", said, words ? ": " : "", words ? words : "");
        Role role = str_eq(undo, "NO") ? ROLE_FAIL : ROLE_TEXT;
        y += draw_label(cv, r, y, 6, "undo", role, text);
        if (more && y < end)
                cv_printf(cv, y, r.x + 6, ROLE_DIM, "and %zu more", more);
        cv_clip_set(cv, old);
}

/* Rows of the list: in the wide layout phases have a heading. */
static void draw_list(Plan *p, Canvas *cv, Rect r, bool headings)
{
        int n = (int)json_array_size(steps_of(p)), row = 0, cursor_row = 0;
        const char *phase = NULL;
        bool times = has_times(p);
        for (int i = 0; i < n; i++) {
                const char *ph = jx_str(step_at(p, i), "phase", "");
                if (headings && !str_eq(ph, phase))
                        row++;
                phase = ph;
                if (i == p->list.cursor)
                        cursor_row = row;
                row++;
        }
        int top = p->list.top;
        if (cursor_row - (headings ? 1 : 0) < top)
                top = cursor_row - (headings ? 1 : 0);
        if (cursor_row >= top + r.h)
                top = cursor_row - r.h + 1;
        p->list.top = top = MAX(MIN(top, row - r.h), 0);
        Rect old = cv_clip(cv, r);
        int y = r.y - top;
        phase = NULL;
        for (int i = 0; i < n; i++) {
                const json_t *st = step_at(p, i);
                const char *ph = jx_str(st, "phase", "");
                if (headings && !str_eq(ph, phase))
                        cv_cut(cv, y++, 3, r.w - 4, ROLE_STRONG, phase_title(p, ph));
                phase = ph;
                draw_step(cv, st, y++, r.w - 1, times, i == p->list.cursor);
        }
        cv_clip_set(cv, old);
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Plan *p = plan_of(s);
        Rect b = l->body;
        bool wide = l->cls == LAYOUT_WIDE, compact = l->cls == LAYOUT_COMPACT;
        int n = (int)json_array_size(steps_of(p)), list_w = wide ? b.w * 60 / 100 : b.w, y = b.y;
        p->list.n = n;
        p->list.cursor = MAX(MIN(p->list.cursor, n - 1), 0);
        if (!compact)
                draw_head(p, cv, y++, list_w);
        if (list_w >= 70) {
                cv_text(cv, y, 9, ROLE_DIM, "STEP");
                if (has_times(p))
                        cv_right(cv, y, list_w - 1 - 14 - 9 - 2, ROLE_DIM, "TIME");
                cv_text(cv, y, list_w - 1 - 14 - 9, ROLE_DIM, "TOUCHES");
                cv_text(cv, y, list_w - 1 - 14, ROLE_DIM, "UNDO");
                y++;
        }
        int detail = wide || compact ? 0 : 5;
        p->list.height = b.y + b.h - y - detail;
        draw_list(p, cv, (Rect){ y, 0, p->list.height, list_w }, wide);
        const json_t *st = step_at(p, p->list.cursor);
        if (wide) {
                cv_vline(cv, b.y, list_w, b.h);
                draw_detail(st, cv, (Rect){ b.y, list_w + 2, b.h, b.w - list_w - 3 }, true);
        } else if (detail) {
                AUTO_FREE char *name =
                        xasprintf("%d  %s", (int)jx_int(st, "n", 0), jx_str(st, "title", ""));
                cv_rule(cv, b.y + b.h - detail, 0, b.w, name,
                        phase_title(p, jx_str(st, "phase", "")));
                draw_detail(st, cv, (Rect){ b.y + b.h - detail + 1, 1, detail - 1, b.w - 3 },
                            false);
        }
        (void)ui;
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        const Plan *p = plan_of(s);
        const json_t *first = json_array_get(jx_get(p->plan, "problems"), 0);
        buf_printf(right, "step %d of %d", p->list.cursor + 1, p->list.n);
        if (first) {
                buf_printf(left, "! %s", jx_str(first, "text", "?"));
                return ROLE_WARN;
        }
        buf_adds(left, "■ a step that asks you first");
        return ROLE_TEXT;
}

/* ---- keys ---- */

static UiAct commands(Ui *ui, Screen *s, int k)
{
        Plan *p = plan_of(s);
        Buf b = buf_init(8 << 20);
        const json_t *st;
        size_t i;
        if (k == K_ENTER) {
                st = step_at(p, p->list.cursor);
                AUTO_FREE char *text = step_commands_text(st);
                const char *why = jx_str(st, "why", NULL);
                if (why)
                        buf_printf(&b, "%s\n\n", why);
                buf_adds(&b, text);
        } else {
                json_array_foreach(steps_of(p), i, st) {
                        AUTO_FREE char *text = step_commands_text(st);
                        buf_printf(&b, "%d  %s\n%s\n", (int)jx_int(st, "n", 0),
                                   jx_str(st, "title", ""), text);
                }
        }
        AUTO_FREE char *name = k == K_ENTER
                                       ? xasprintf("Step %d  %s", p->list.cursor + 1,
                                                   jx_str(step_at(p, p->list.cursor), "title", ""))
                                       : xstrdup("All commands of the plan");
        ui_push(ui, text_new(name, buf_take(&b, NULL), NULL));
        return UI_REDRAW;
}

/* Called with the confirm dialog on top; the plan below it turns into the run. */
static UiAct do_start(Ui *ui, void *ctx)
{
        Plan *p = ctx;
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = NULL;
        RunModel *m = NULL;
        if (!ui->app->start ||
            !ui->app->start(ui->app->app, p->runbook, p->answers,
                            jx_str(p->plan, "plan_sha256", NULL), &dir, &err) ||
            !model_open(dir, ui->app->who, false, &m, &err)) {
                ui_say_err(ui, "start", &err);
                return UI_POP;
        }
        model_poll(m, ui_monotonic_ms());
        /* Questions, plan and dialog have done their work: q on the run goes to home. */
        for (Screen *s = ui->top; s && !str_eq(s->ops->name, "home"); s = s->below)
                s->finished = true;
        ui_push(ui, run_new(m, true));
        return UI_REDRAW;
}

static UiAct start(Ui *ui, Screen *s, int k)
{
        Plan *p = plan_of(s);
        Buf b = buf_init(4096);
        char t[24];
        int asks = 0, hard = 0, soft = 0;
        const json_t *st;
        size_t i;
        json_array_foreach(steps_of(p), i, st) {
                asks += jx_bool(st, "asks", false);
                hard += str_eq(jx_str(st, "undo", ""), "NO");
                if (str_starts(jx_str(st, "undo", ""), UNTIL))
                        soft = atoi(jx_str(st, "undo", "") + strlen(UNTIL));
        }
        buf_printf(&b, "%s\n\n", p->title);
        buf_printf(&b, "%zu steps. %d of them ask you before they do anything.\n",
                   json_array_size(steps_of(p)), asks);
        if (jx_int(p->plan, "downtime_ms", 0))
                buf_printf(&b, "Applications are down for about %s; you are asked before.\n",
                           fmt_duration(jx_int(p->plan, "downtime_ms", 0), t));
        if (hard)
                buf_printf(&b, "%d cannot be undone; each wants a typed name first.\n", hard);
        else if (soft)
                buf_printf(&b,
                           "Every step can be undone; after step %d that loses what was written "
                           "since.\n",
                           soft);
        else
                buf_adds(&b, "Every step can be undone.\n");
        buf_adds(&b, "You can disconnect at any time; the run continues without you.\n");
        ui_push(ui, confirm_new("Start this run?", buf_take(&b, NULL), "start", do_start, p));
        return UI_REDRAW;
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        Plan *p = plan_of(s);
        if (k == 'g')
                return UI_PASS; /* starts; the top is at Home */
        return list_key(&p->list, k) ? UI_REDRAW : UI_PASS;
}

static const KeyRow keys[] = {
        { "Enter", { K_ENTER }, "all commands", "every command of this step", NULL, commands },
        { "w", { 'w' }, "whole plan", "every command of every step", NULL, commands },
        { "g", { 'g' }, "start", "asks once more, then starts the run", NULL, start },
        { "j k", { 0 }, NULL, "step; Space b page; Home End", NULL, NULL },
        { 0 },
};

static void free_plan(Screen *s)
{
        Plan *p = plan_of(s);
        free(p->runbook);
        free(p->title);
        json_decref(p->answers);
        json_decref(p->plan);
}

static const ScreenOps ops = {
        .name = "plan",
        .keys = keys,
        .title = title,
        .draw = draw,
        .status = status,
        .key = key,
        .free = free_plan,
};

Screen *plan_screen_new(const char *runbook, const char *title_, json_t *answers, json_t *plan)
{
        Plan *p = SCREEN_NEW(Plan, &ops, NULL);
        p->runbook = xstrdup(runbook);
        p->title = xstrdup(title_);
        p->answers = answers;
        p->plan = plan;
        return &p->s;
}
