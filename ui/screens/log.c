/* log.c: the run's log: filter always visible, find, errors only, step by step, export. */
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/common.h"
#include "ui/widgets/edit.h"
#include "ui/widgets/list.h"

typedef enum Typing { TYPE_NOTHING, TYPE_FIND, TYPE_FILTER } Typing;

typedef struct Log {
        Screen s;
        List list;
        int *match;          /* indexes of view->lines that pass the filter */
        size_t n, cap, seen; /* seen: lines of the view looked at so far */
        int level;           /* 0 all, 1 warn and worse, 2 errors */
        int step;            /* 0: all */
        char *text, *find;   /* filter and search words */
        bool follow;
        Typing typing;
        Edit edit;
        int64_t from_seq;
} Log;

static Log *log_of(const Screen *s)
{
        return (Log *)(uintptr_t)s;
}

static bool contains(const char *text, const char *part)
{
        return !part || !*part || (text && strcasestr(text, part));
}

static bool passes(const Log *g, const ViewLine *l)
{
        if (g->level == 1 && l->level != LINE_WARN && l->level != LINE_ERROR &&
            l->level != LINE_ASK)
                return false;
        if (g->level == 2 && l->level != LINE_ERROR)
                return false;
        if (g->step && l->n != g->step)
                return false;
        return contains(l->text, g->text) || (g->text && *g->text && contains(l->who, g->text));
}

static void add_new(Log *g)
{
        const RunView *v = g->s.run->view;
        for (; g->seen < v->n_lines; g->seen++) {
                if (!passes(g, &v->lines[g->seen]))
                        continue;
                if (g->n == g->cap)
                        g->match = xrealloc(g->match, (g->cap = g->cap * 2 + 64) * sizeof(int));
                g->match[g->n++] = (int)g->seen;
        }
}

/* After the filter changed: the cursor stays at the same line or the next one that passes. */
static void refilter(Log *g)
{
        int at = g->n ? g->match[MIN((size_t)g->list.cursor, g->n - 1)] : 0;
        g->n = g->seen = 0;
        add_new(g);
        g->list.cursor = 0;
        while ((size_t)g->list.cursor + 1 < g->n && g->match[g->list.cursor] < at)
                g->list.cursor++;
}

static const ViewLine *current(const Log *g)
{
        if (!g->n)
                return NULL;
        return &g->s.run->view->lines[g->match[MIN((size_t)g->list.cursor, g->n - 1)]];
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        (void)ui;
        buf_printf(out, "Log of run %s", s->run->view->run ? s->run->view->run : "");
}

static const char *level_word(const ViewLine *l)
{
        static const char *const words[] = { "info", "ok", "warn", "error", "ask" };
        return words[l->level];
}

static Role level_role(const ViewLine *l)
{
        return l->level == LINE_ERROR  ? ROLE_FAIL
               : l->level == LINE_WARN ? ROLE_WARN
               : l->level == LINE_OK   ? ROLE_OK
                                       : ROLE_TEXT;
}

static void draw_filter(Log *g, Canvas *cv, Rect b)
{
        static const char *const levels[] = { "all", "warn+", "error" };
        char a[32], c[32], step[16];
        const RunView *v = g->s.run->view;
        snprintf(step, sizeof step, "%d", g->step);
        int x = b.x + 1 + cv_text(cv, b.y, b.x + 1, ROLE_STRONG, "Filter") + 2;
        const char *gap = b.w < 70 ? "  " : "   ";
        int rw = cv_rightf(cv, b.y, b.x + b.w - 1, ROLE_TEXT, b.w < 70 ? "%s/%s" : "%s of %s lines",
                           fmt_count((int64_t)g->n, a), fmt_count((int64_t)v->n_lines, c));
        AUTO_FREE char *filter =
                xasprintf("level %s%sstep %s%stext %s", levels[g->level], gap,
                          g->step ? step : "all", gap, g->text && *g->text ? g->text : "any");
        cv_cut(cv, b.y, x, b.w - rw - 2 - x, ROLE_TEXT, filter);
        if (g->typing == TYPE_NOTHING)
                return;
        cv_fill(cv, (Rect){ b.y, b.x, 1, b.w }, ROLE_TEXT);
        x = b.x + 1 +
            cv_text(cv, b.y, b.x + 1, ROLE_STRONG,
                    g->typing == TYPE_FIND ? "Find" : "Filter text") +
            2;
        edit_draw(&g->edit, cv, b.y, x, b.w - x - 1, true);
}

static void draw_line(Log *g, Canvas *cv, const ViewLine *l, int y, int x, int w, bool cursor)
{
        char at[16];
        bool wide = w >= 100;
        clock_hms(l->t_ms, at);
        if (cursor)
                cv_mark(cv, y, x, MARK_CURSOR);
        cv_text(cv, y, x + 2, ROLE_DIM, at);
        if (l->n)
                cv_printf(cv, y, x + 11, ROLE_TEXT, "%3d", l->n);
        cv_text(cv, y, x + 16, level_role(l), level_word(l));
        if (wide)
                cv_cut(cv, y, x + 23, 12, ROLE_TEXT, l->who ? l->who : "");
        int tx = x + (wide ? 36 : 23);
        cv_cut(cv, y, tx, x + w - tx, ROLE_TEXT, l->text ? l->text : "");
        if (cursor)
                cv_flag(cv, (Rect){ y, x, 1, w }, CELL_SELECTED);
        (void)g;
}

static void draw_detail(Log *g, Canvas *cv, Rect r)
{
        const ViewLine *l = current(g);
        const RunView *v = g->s.run->view;
        if (!l || r.h < 2)
                return;
        char at[16];
        AUTO_FREE char *left = xasprintf("record %lld", (long long)l->seq);
        cv_rule(cv, r.y, 0, r.w, left, clock_hms(l->t_ms, at));
        Rect in = { r.y + 1, r.x + 3, r.h - 1, r.w - 5 };
        int y = in.y;
        if (l->who && *l->who)
                y += draw_label(cv, in, y, 8, "who", ROLE_TEXT, l->who);
        y += cv_wrap(cv, (Rect){ y, in.x, in.y + in.h - y, in.w },
                     l->level == LINE_ERROR ? ROLE_STRONG : ROLE_TEXT, l->text ? l->text : "");
        for (size_t i = 0; l->n && i < v->n_steps; i++) {
                const ViewStep *s = &v->steps[i];
                if (s->n != l->n || y >= in.y + in.h)
                        continue;
                y += draw_label(cv, in, y, 8, "step", ROLE_TEXT, s->title);
                if (l->level == LINE_ERROR && s->error.set && s->error.hint)
                        y += draw_label(cv, in, y, 8, "HINT", ROLE_TEXT, s->error.hint);
                if (l->level == LINE_ERROR && s->error.set && s->error.sqlstate &&
                    *s->error.sqlstate)
                        y += draw_label(cv, in, y, 8, "SQLSTATE", ROLE_TEXT, s->error.sqlstate);
                break;
        }
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Log *g = log_of(s);
        Rect b = l->body;
        bool compact = l->cls == LAYOUT_COMPACT;
        (void)ui;
        add_new(g);
        if (g->follow && g->n)
                g->list.cursor = (int)g->n - 1;
        draw_filter(g, cv, b);
        int y = b.y + (compact ? 1 : 2), detail = compact ? 0 : 8;
        if (!compact) {
                cv_text(cv, y, b.x + 3, ROLE_DIM, "TIME");
                cv_text(cv, y, b.x + 13, ROLE_DIM, "ST");
                cv_text(cv, y, b.x + 17, ROLE_DIM, "LEVEL");
                if (b.w - 2 >= 100)
                        cv_text(cv, y, b.x + 24, ROLE_DIM, "WHO");
                cv_text(cv, y++, b.x + (b.w - 2 >= 100 ? 37 : 24), ROLE_DIM, "MESSAGE");
        }
        list_fit(&g->list, (int)g->n, b.y + b.h - y - detail - !compact);
        for (int i = 0; i < g->list.height && g->list.top + i < (int)g->n; i++)
                draw_line(g, cv, &s->run->view->lines[g->match[g->list.top + i]], y + i, b.x + 1,
                          b.w - 2, g->list.top + i == g->list.cursor);
        if (!g->n)
                cv_text(cv, y, b.x + 3, ROLE_DIM, "no line passes this filter; Esc clears it");
        if (detail)
                draw_detail(g, cv, (Rect){ b.y + b.h - detail, b.x, detail, b.w });
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        const Log *g = log_of(s);
        if (g->find && *g->find)
                buf_printf(left, "n N next and previous match of \"%s\"", g->find);
        else if (s->run->view->gate.open)
                return run_status(ui, s->run, left, right);
        buf_printf(right, "following: %s", g->follow ? "on" : "off");
        return ROLE_TEXT;
}

/* ---- keys ---- */

static bool typing(const Screen *s)
{
        return log_of(s)->typing != TYPE_NOTHING;
}

static UiAct find_next(Ui *ui, Screen *s, int key)
{
        Log *g = log_of(s);
        int step = key == 'N' ? -1 : 1, at = g->list.cursor;
        if (!g->find || !*g->find || !g->n)
                return UI_NONE;
        for (size_t i = 0; i < g->n; i++) {
                at = (at + step + (int)g->n) % (int)g->n;
                if (contains(s->run->view->lines[g->match[at]].text, g->find)) {
                        g->follow = false;
                        list_to(&g->list, at);
                        return UI_REDRAW;
                }
        }
        ui_say(ui, ROLE_TEXT, "no line holds \"%s\"", g->find);
        return UI_REDRAW;
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        Log *g = log_of(s);
        if (g->typing == TYPE_NOTHING) {
                if (k == K_ESC && (g->level || g->step || (g->text && *g->text))) {
                        g->level = g->step = 0;
                        free(g->text);
                        g->text = NULL;
                        refilter(g);
                        return UI_REDRAW;
                }
                if (list_key(&g->list, k)) {
                        g->follow = k == 'G' || k == K_END;
                        return UI_REDRAW;
                }
                return UI_PASS;
        }
        if (k == K_ENTER || k == K_ESC) {
                Typing was = g->typing;
                g->typing = TYPE_NOTHING;
                char **into = was == TYPE_FIND ? &g->find : &g->text;
                if (k == K_ENTER) {
                        free(*into);
                        *into = xstrdup(g->edit.text);
                        if (was == TYPE_FIND)
                                return find_next(ui, s, 'n');
                        refilter(g);
                }
                return UI_REDRAW;
        }
        return edit_key(&g->edit, k) ? UI_REDRAW : UI_NONE;
}

static UiAct start_typing(Ui *ui, Screen *s, int k)
{
        Log *g = log_of(s);
        g->typing = k == '/' ? TYPE_FIND : TYPE_FILTER;
        edit_set(&g->edit, k == '/' ? "" : g->text ? g->text : "");
        return UI_REDRAW;
}

static UiAct errors(Ui *ui, Screen *s, int k)
{
        Log *g = log_of(s);
        g->level = (g->level + (k == 'e' ? 2 : 1)) % (k == 'e' ? 4 : 3);
        g->level = k == 'e' ? (g->level == 2 ? 2 : 0) : g->level;
        refilter(g);
        return UI_REDRAW;
}

static UiAct by_step(Ui *ui, Screen *s, int k)
{
        Log *g = log_of(s);
        int n = (int)s->run->view->n_steps;
        g->step += k == ']' ? 1 : -1;
        if (g->step < 0)
                g->step = n;
        if (g->step > n)
                g->step = 0;
        refilter(g);
        return UI_REDRAW;
}

static UiAct follow(Ui *ui, Screen *s, int k)
{
        log_of(s)->follow = !log_of(s)->follow;
        return UI_REDRAW;
}

static UiAct export(Ui *ui, Screen *s, int k)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = NULL;
        if (!ui->app->export_log) {
                ui_say(ui, ROLE_WARN, "! export is not available here");
                return UI_REDRAW;
        }
        if (ui->app->export_log(ui->app->app, s->run->dir, "md", &path, &err))
                ui_say(ui, ROLE_TEXT, "✓ written to %s", path);
        else
                ui_say_err(ui, "export", &err);
        return UI_REDRAW;
}

static UiAct copy(Ui *ui, Screen *s, int k)
{
        const ViewLine *l = current(log_of(s));
        char at[32];
        if (!l)
                return UI_NONE;
        AUTO_FREE char *text = xasprintf("%s step %d %s %s", clock_iso(l->t_ms, at), l->n,
                                         level_word(l), l->text ? l->text : "");
        ui_copy(ui, "line", text);
        return UI_REDRAW;
}

static const KeyRow keys[] = {
        { "/", { '/' }, "find", "find text", NULL, start_typing },
        { "n N", { 'n', 'N' }, NULL, "next, previous match", NULL, find_next },
        { "f", { 'f' }, "filter", "only lines with this text", NULL, start_typing },
        { "e", { 'e' }, "errors", "errors only, or all again", NULL, errors },
        { "l", { 'l' }, NULL, "level: all, warnings, errors", NULL, errors },
        { "[ ]", { '[', ']' }, "step", "lines of the previous, next step", NULL, by_step },
        { "x", { 'x' }, "export", "the whole log as Markdown", NULL, export },
        { "c", { 'c' }, "copy", "this line", NULL, copy },
        { "F", { 'F' }, NULL, "follow new lines", NULL, follow },
        { "j k", { 0 }, NULL, "line; Space b page; g G top, end", NULL, NULL },
        { 0 },
};

static bool tick(Ui *ui, Screen *s)
{
        return log_of(s)->seen != s->run->view->n_lines;
}

static void free_log(Screen *s)
{
        Log *g = log_of(s);
        edit_done(&g->edit);
        free(g->match);
        free(g->text);
        free(g->find);
}

static const ScreenOps ops = {
        .name = "log",
        .keys = keys,
        .title = title,
        .draw = draw,
        .status = status,
        .key = key,
        .typing = typing,
        .tick = tick,
        .free = free_log,
};

Screen *log_new(RunModel *m, bool owns, int64_t from_seq)
{
        Log *g = SCREEN_NEW(Log, &ops, m);
        g->s.owns_run = owns;
        edit_init(&g->edit, "", false);
        add_new(g);
        g->follow = from_seq == 0;
        for (size_t i = 0; i < g->n; i++)
                if (m->view->lines[g->match[i]].seq <= from_seq)
                        g->list.cursor = (int)i;
        return &g->s;
}
