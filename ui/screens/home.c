/* home.c: what runs, what ran, what can be started. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/limits.h"
#include "journal/run_dir.h"
#include "ui/screens/common.h"
#include "ui/widgets/list.h"

typedef enum RowKind { ROW_RUN, ROW_DISCOVER, ROW_JOURNEY } RowKind;

typedef struct Row {
        RowKind kind;
        const RunSummary *run;
        const UiJourney *journey;
} Row;

typedef struct Home {
        Screen s;
        Arena *arena;
        RunSummary *runs;
        size_t n_runs;
        char *problem;
        Row rows[64];
        List list;
        int64_t looked_ms;
} Home;

static Home *home_of(const Screen *s)
{
        return (Home *)(uintptr_t)s;
}

static bool is_open(const RunSummary *r)
{
        return r->engine_alive || str_eq(r->status, "running") || str_eq(r->status, "waiting") ||
               str_eq(r->status, "stopped") || str_eq(r->status, "paused");
}

static void add_row(Home *h, Row r)
{
        if (h->list.n < (int)LEN(h->rows))
                h->rows[h->list.n++] = r;
}

static void look(Ui *ui, Home *h)
{
        AUTO_ERR err = { 0 };
        arena_free(h->arena);
        h->arena = arena_new();
        h->runs = NULL;
        h->n_runs = 0;
        free(h->problem);
        h->problem = NULL;
        if (!runs_list(h->arena, &h->runs, &h->n_runs, &err))
                h->problem = xstrdup(err.message);
        h->looked_ms = ui_monotonic_ms();
        int at = h->list.cursor;
        h->list.n = 0;
        for (size_t i = 0; i < h->n_runs; i++)
                if (is_open(&h->runs[i]) && !str_eq(h->runs[i].runbook, "discover"))
                        add_row(h, (Row){ ROW_RUN, &h->runs[i], NULL });
        add_row(h, (Row){ ROW_DISCOVER, NULL, NULL });
        for (const UiJourney *j = ui->app->journeys; j && j->runbook; j++)
                add_row(h, (Row){ ROW_JOURNEY, NULL, j });
        for (size_t i = 0; i < h->n_runs; i++)
                if (!is_open(&h->runs[i]) && !str_eq(h->runs[i].runbook, "discover"))
                        add_row(h, (Row){ ROW_RUN, &h->runs[i], NULL });
        h->list.cursor = MIN(at, h->list.n - 1);
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        buf_adds(out, "Home");
}

static Mark run_mark(const RunSummary *r)
{
        if (r->damaged || str_eq(r->status, "failed"))
                return MARK_FAILED;
        if (str_eq(r->status, "done"))
                return MARK_DONE;
        if (str_eq(r->status, "waiting"))
                return MARK_ASKS;
        if (str_eq(r->status, "stopped") || str_eq(r->status, "paused"))
                return MARK_ATTENTION;
        return is_open(r) ? MARK_RUNNING : MARK_SKIPPED;
}

static const char *lasted(const RunSummary *r, char buf[static 24])
{
        return r->elapsed_ms > 172800000 ? fmt_duration(r->elapsed_ms, buf)
                                         : fmt_clock(r->elapsed_ms, buf);
}

enum { WIDE = 100 }; /* columns from which a row has room for words about it */

static void draw_run(Canvas *cv, const RunSummary *r, int y, int x, int w)
{
        char day[24], t[24];
        cv_mark(cv, y, x + 2, run_mark(r));
        cv_cut(cv, y, x + 4, 6, ROLE_TEXT, r->id ? r->id : "");
        int right = x + w;
        if (w >= WIDE) {
                cv_right(cv, y, right, ROLE_TEXT, r->elapsed_ms ? lasted(r, t) : "");
                right -= 10;
        }
        cv_right(cv, y, right, is_open(r) ? ROLE_STRONG : ROLE_TEXT,
                 r->damaged  ? "DAMAGED"
                 : r->status ? r->status
                             : "?");
        int title_x = x + 10;
        if (w >= 70) {
                cv_text(cv, y, title_x, ROLE_DIM, r->t_open ? clock_day_hm(r->t_open, day) : "");
                title_x += 15;
        }
        cv_cut(cv, y, title_x, right - 10 - title_x, ROLE_TEXT, r->title ? r->title : r->runbook);
}

static const char *heading(const Home *h, int i)
{
        const Row *r = &h->rows[i], *before = i ? &h->rows[i - 1] : NULL;
        if (r->kind == ROW_RUN && is_open(r->run))
                return before ? NULL : "Running";
        if (r->kind == ROW_DISCOVER)
                return "Start";
        if (r->kind == ROW_RUN && (!before || before->kind != ROW_RUN || is_open(before->run)))
                return "Earlier runs";
        return NULL;
}

static const char *about(const Row *r)
{
        if (r->kind == ROW_DISCOVER)
                return "containers, Compose projects, local clusters; changes nothing";
        return r->journey->about ? r->journey->about : "";
}

/* What the row under the cursor has no room for. */
static void draw_words(const Home *h, Canvas *cv, Rect r)
{
        AUTO_BUF b = buf_init(LIMIT_LINE);
        char day[24], t[24];
        const Row *row = &h->rows[h->list.cursor];
        const RunSummary *run = row->run;
        if (row->kind != ROW_RUN)
                buf_adds(&b, about(row));
        else
                buf_printf(&b, "%s: %s, begun %s", run->id ? run->id : "",
                           run->title ? run->title : run->runbook,
                           run->t_open ? clock_day_hm(run->t_open, day) : "?");
        if (run && run->elapsed_ms)
                buf_printf(&b, is_open(run) ? ", %s so far" : ", took %s", lasted(run, t));
        cv_wrap(cv, r, ROLE_DIM, buf_str(&b));
}

static void draw_row(const Home *h, Canvas *cv, int i, int y, int w)
{
        const Row *r = &h->rows[i];
        int x = 1;
        if (r->kind == ROW_RUN) {
                draw_run(cv, r->run, y, x, w);
        } else {
                int used = cv_cut(cv, y, x + 4, w - 5, ROLE_STRONG,
                                  r->kind == ROW_DISCOVER ? "Look for servers" : r->journey->title);
                int ax = MAX(x + 4 + used + 2, x + 46);
                if (w >= WIDE)
                        cv_cut(cv, y, ax, w - ax, ROLE_DIM, about(r));
        }
        if (i == h->list.cursor) {
                cv_mark(cv, y, x, MARK_CURSOR);
                cv_flag(cv, (Rect){ y, x, 1, w }, CELL_SELECTED);
        }
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Home *h = home_of(s);
        Rect b = l->body;
        bool compact = l->cls == LAYOUT_COMPACT;
        int gap = compact ? 0 : 1, w = MIN(b.w - 2, 118), at = 0;
        if (w < WIDE && b.h >= 8 && h->list.n) {
                b.h -= 2;
                draw_words(h, cv, (Rect){ b.y + b.h, 5, 2, w - 5 });
        }
        /* Rows with headings between them: find how far to scroll so that the cursor shows. */
        for (int i = 0; i <= h->list.cursor && i < h->list.n; i++)
                at += 1 + (heading(h, i) ? 1 + (i ? gap : 0) : 0);
        int top = MAX(at - b.h + gap, 0), y = b.y + gap - top;
        Rect old = cv_clip(cv, b);
        for (int i = 0; i < h->list.n; i++) {
                const char *head = heading(h, i);
                if (head) {
                        y += i ? gap : 0;
                        cv_rule(cv, y++, 0, b.w, head, NULL);
                }
                draw_row(h, cv, i, y++, w);
        }
        if (h->problem)
                cv_printf(cv, y + 1, 3, ROLE_FAIL, "runs cannot be listed: %s", h->problem);
        else if (!h->n_runs && !compact)
                cv_text(cv, y + 1, 3, ROLE_DIM, "Nothing has been run on this machine yet.");
        cv_clip_set(cv, old);
        (void)ui;
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        const Home *h = home_of(s);
        int open = 0;
        for (size_t i = 0; i < h->n_runs; i++)
                open += is_open(&h->runs[i]);
        if (open)
                buf_printf(left, "%d run%s in progress. Leaving this program stops nothing.", open,
                           open == 1 ? " is" : "s are");
        else
                buf_adds(left,
                         "Nothing runs. Every journey shows its whole plan before it starts.");
        return ROLE_TEXT;
}

/* ---- opening things ---- */

static UiAct open_run(Ui *ui, const char *dir)
{
        AUTO_ERR err = { 0 };
        RunModel *m = NULL;
        if (!model_open(dir, ui->app->who, ui->options->watch, &m, &err)) {
                ui_say_err(ui, "open", &err);
                return UI_REDRAW;
        }
        model_poll(m, ui_monotonic_ms());
        bool back = m->view->last_detach_ms && !m->view->status && m->alive;
        ui_push(ui, back ? welcome_new(m, true) : run_new(m, true));
        return UI_REDRAW;
}

static UiAct discover(Ui *ui, Screen *s, int key)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = NULL;
        RunModel *m = NULL;
        if (!ui->app->discover || !ui->app->discover(ui->app->app, &dir, &err) ||
            !model_open(dir, ui->app->who, false, &m, &err)) {
                if (!err.kind)
                        err_set(&err, ERR_USER, "not available here");
                ui_say_err(ui, "looking for servers", &err);
                return UI_REDRAW;
        }
        ui_push(ui, discovery_new(m, true));
        return UI_REDRAW;
}

static UiAct open_row(Ui *ui, Screen *s, int key)
{
        Home *h = home_of(s);
        const Row *r = &h->rows[h->list.cursor];
        if (r->kind == ROW_RUN)
                return open_run(ui, r->run->dir);
        if (r->kind == ROW_DISCOVER)
                return discover(ui, s, key);
        AUTO_ERR err = { 0 };
        json_t *questions = NULL;
        if (!ui->app->questions ||
            !ui->app->questions(ui->app->app, r->journey->runbook, NULL, &questions, &err)) {
                ui_say_err(ui, r->journey->runbook, &err);
                return UI_REDRAW;
        }
        ui_push(ui, form_new(ui, r->journey->runbook, r->journey->title, questions));
        return UI_REDRAW;
}

static UiAct open_log(Ui *ui, Screen *s, int key)
{
        Home *h = home_of(s);
        const Row *r = &h->rows[h->list.cursor];
        AUTO_ERR err = { 0 };
        RunModel *m = NULL;
        if (r->kind != ROW_RUN)
                return UI_NONE;
        if (!model_open(r->run->dir, ui->app->who, true, &m, &err)) {
                ui_say_err(ui, "log", &err);
                return UI_REDRAW;
        }
        model_poll(m, ui_monotonic_ms());
        ui_push(ui, log_new(m, true, 0));
        return UI_REDRAW;
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        return list_key(&home_of(s)->list, k) ? UI_REDRAW : UI_PASS;
}

static UiAct again(Ui *ui, Screen *s, int k)
{
        look(ui, home_of(s));
        return UI_REDRAW;
}

static bool on_run(const Screen *s)
{
        const Home *h = home_of(s);
        return h->rows[h->list.cursor].kind == ROW_RUN;
}

static const KeyRow keys[] = {
        { "Enter", { K_ENTER }, "open", "what the cursor is on", NULL, open_row },
        { "d", { 'd' }, "look for servers", "discovery; changes nothing", NULL, discover },
        { "L", { 'L' }, "log", "log of the run under the cursor", on_run, open_log },
        { "r", { 'r' }, NULL, "look again", NULL, again },
        { "j k", { 0 }, NULL, "line", NULL, NULL },
        { 0 },
};

static bool tick(Ui *ui, Screen *s)
{
        Home *h = home_of(s);
        if (ui->top != s || ui_monotonic_ms() - h->looked_ms < 2000)
                return false;
        look(ui, h);
        return true;
}

static void free_home(Screen *s)
{
        Home *h = home_of(s);
        arena_free(h->arena);
        free(h->problem);
}

static const ScreenOps ops = {
        .name = "home",
        .quit = "quit",
        .keys = keys,
        .title = title,
        .draw = draw,
        .status = status,
        .key = key,
        .tick = tick,
        .free = free_home,
};

Screen *home_new(Ui *ui)
{
        Home *h = SCREEN_NEW(Home, &ops, NULL);
        look(ui, h);
        return &h->s;
}
