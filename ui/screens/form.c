/* form.c: the questions of a runbook on one page, with the answers already found.
 *
 * Every field is text while it is edited; an answer nobody touched goes back as the very JSON
 * it came as. Lists are written with commas; services as "name health within". */
#include <stdio.h>

#include "ui/screens/common.h"
#include "ui/widgets/answers.h"
#include "ui/widgets/edit.h"

typedef struct Field {
        const json_t *q; /* borrowed from questions */
        Edit edit;
        bool touched;
        char *problem, *hint;
} Field;

typedef struct Form {
        Screen s;
        char *runbook, *title;
        json_t *questions;
        Field *fields;
        size_t n;
        size_t at; /* n: the row "show the plan" */
        int top;
        char *general; /* a problem that belongs to no field */
} Form;

static Form *form_of(const Screen *s)
{
        return (Form *)(uintptr_t)s;
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        buf_adds(out, form_of(s)->title);
}

static const char *ask(const Field *f)
{
        return jx_str(f->q, "ask", jx_str(f->q, "name", "?"));
}

/* ---- drawing ---- */

/* Empty, and that is no answer: where the default is an empty list, it is one. */
static bool is_open(const Field *f)
{
        const json_t *fallback = jx_get(f->q, "default");
        return f->edit.len == 0 && !(json_is_array(fallback) && json_array_size(fallback) == 0);
}

/* A question that is cut in its middle is no question: it gets the rows it needs. */
static int ask_rows(const Canvas *cv, const Field *f, int label_w)
{
        return MIN(MAX(cv_wrap_rows(cv, label_w - 2, ask(f)), 1), 3);
}

static int field_rows(const Canvas *cv, const Field *f, int label_w)
{
        return MAX(1 + (f->problem != NULL), ask_rows(cv, f, label_w));
}

static int draw_field(Canvas *cv, const Field *f, int y, int w, int label_w, bool focus)
{
        const char *found = jx_str(f->q, "found", NULL);
        int x = 5 + label_w, end = w - 1;
        if (focus)
                cv_mark(cv, y, 1, MARK_CURSOR);
        cv_mark(cv, y, 3, f->problem ? MARK_FAILED : is_open(f) ? MARK_ASKS : MARK_DONE);
        cv_wrap(cv, (Rect){ y, 5, ask_rows(cv, f, label_w), label_w - 2 },
                focus ? ROLE_STRONG : ROLE_TEXT, ask(f));
        if (found && !f->touched && w >= 100) {
                int fw = cv_right(cv, y, end, ROLE_DIM, found);
                end -= fw + 2;
        }
        bool choice = json_array_size(answer_choices(f->q)) > 0;
        if (choice && focus) {
                int used = cv_text(cv, y, x, ROLE_ACCENT, "‹ ");
                used += cv_cut(cv, y, x + used, end - x - 4, ROLE_STRONG, f->edit.text);
                cv_text(cv, y, x + used, ROLE_ACCENT, " ›");
        } else {
                edit_draw(&f->edit, cv, y, x, end - x, focus);
                if (focus)
                        cv_flag(cv, (Rect){ y, x, 1, end - x }, CELL_UNDERLINED);
        }
        if (f->problem)
                cv_cut(cv, y + 1, x, w - 1 - x, ROLE_FAIL, f->problem);
        return field_rows(cv, f, label_w);
}

/* A runbook's type, as the person who has to type one would say it. */
static const char *kind_of_answer(const char *type)
{
        static const char *const words[][2] = {
                { "string", "some text" },
                { "int", "a whole number" },
                { "path", "a file or directory of this machine, with its whole path" },
                { "name", "a name" },
                { "image", "a Docker image with its tag, such as postgres:17" },
                { "size", "a size, such as 500MB or 2GB" },
                { "duration", "a length of time, such as 90s, 24h or 7d" },
        };
        for (size_t i = 0; i < LEN(words); i++)
                if (str_eq(type, words[i][0]))
                        return words[i][1];
        return type;
}

static void draw_help(const Form *g, Canvas *cv, Rect r)
{
        if (g->at >= g->n) {
                cv_rule(cv, r.y, 0, r.w, g->general ? "there is no plan yet" : "next", NULL);
                if (g->general) {
                        cv_wrap(cv, (Rect){ r.y + 1, 3, r.h - 1, r.w - 5 }, ROLE_STRONG,
                                g->general);
                        return;
                }
                cv_wrap(cv, (Rect){ r.y + 1, 3, r.h - 1, r.w - 5 }, ROLE_TEXT,
                        "Enter shows the whole plan with every command. Nothing is changed by "
                        "looking at it.");
                return;
        }
        const Field *f = &g->fields[g->at];
        const char *found = jx_str(f->q, "found", NULL), *help = jx_str(f->q, "help", NULL);
        const char *type = jx_str(f->q, "type", "text"), *item = jx_str(f->q, "item", NULL);
        cv_rule(cv, r.y, 0, r.w, jx_str(f->q, "name", ""), f->touched ? "changed by you" : found);
        int y = r.y + 1;
        y += cv_wrap(cv, (Rect){ y, 3, 2, r.w - 5 }, ROLE_TEXT, ask(f));
        if (f->hint)
                y += cv_wrap(cv, (Rect){ y, 3, 2, r.w - 5 }, ROLE_STRONG, f->hint);
        if (help && y < r.y + r.h)
                y += cv_wrap(cv, (Rect){ y, 3, 2, r.w - 5 }, ROLE_TEXT, help);
        if (y >= r.y + r.h)
                return;
        if (str_eq(item, "service"))
                cv_cut(cv, y, 3, r.w - 5, ROLE_DIM,
                       "name health within, with commas: web http://127.0.0.1:8080/ 120s, worker "
                       "running 60s");
        else if (item)
                cv_printf(cv, y, 3, ROLE_DIM, "any number of them, with commas between");
        else if (json_array_size(answer_choices(f->q)))
                cv_text(cv, y, 3, ROLE_DIM, "left and right, or Space, choose");
        else
                cv_text(cv, y, 3, ROLE_DIM, kind_of_answer(type));
}

/* The list begins with the first row of a question, never in its middle. */
static int whole_fields(const Form *g, const Canvas *cv, int label_w, int top)
{
        int y = 0;
        for (size_t i = 0; i < g->n && y < top; i++)
                y += field_rows(cv, &g->fields[i], label_w);
        return MAX(y, top);
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Form *g = form_of(s);
        Rect b = l->body;
        bool compact = l->cls == LAYOUT_COMPACT;
        int help_h = compact ? 0 : 5, list_h = b.h - help_h - (compact ? 0 : 1), at = 0, all = 0;
        int label_w = MIN(b.w * 45 / 100, 46);
        for (size_t i = 0; i <= g->n; i++) {
                if (i == g->at)
                        at = all;
                all += i < g->n ? field_rows(cv, &g->fields[i], label_w) : 2;
        }
        if (at < g->top)
                g->top = at;
        int rows = g->at < g->n ? field_rows(cv, &g->fields[g->at], label_w) : 2;
        if (at + MAX(rows, 2) > g->top + list_h)
                g->top = at + MAX(rows, 2) - list_h;
        g->top = whole_fields(g, cv, label_w, MAX(MIN(g->top, all - list_h), 0));
        Rect old = cv_clip(cv, (Rect){ b.y + !compact, b.x, list_h, b.w });
        int y = b.y + !compact - g->top;
        for (size_t i = 0; i < g->n; i++)
                y += draw_field(cv, &g->fields[i], y, b.w, label_w, i == g->at);
        y++;
        if (g->at == g->n)
                cv_mark(cv, y, 1, MARK_CURSOR);
        cv_text(cv, y, 3, g->at == g->n ? ROLE_STRONG : ROLE_TEXT, "Show the plan");
        if (g->at == g->n)
                cv_flag(cv, (Rect){ y, 1, 1, 40 }, CELL_SELECTED);
        cv_clip_set(cv, old);
        if (help_h)
                draw_help(g, cv, (Rect){ b.y + b.h - help_h, b.x, help_h, b.w });
        (void)ui;
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        const Form *g = form_of(s);
        size_t empty = 0, bad = 0;
        for (size_t i = 0; i < g->n; i++) {
                empty += is_open(&g->fields[i]);
                bad += g->fields[i].problem != NULL;
        }
        buf_printf(right, "%zu questions, %zu empty", g->n, empty);
        if (g->general)
                buf_printf(left, "✗ %s", g->at >= g->n ? "there is no plan yet" : g->general);
        else if (bad)
                buf_printf(left, "✗ %zu answer%s must be changed first", bad, bad == 1 ? "" : "s");
        else
                buf_adds(left, "Nothing has been changed. The plan comes before anything starts.");
        return ROLE_TEXT;
}

/* ---- answers ---- */

static void set_problem(Field *f, const char *problem, const char *hint)
{
        free(f->problem);
        free(f->hint);
        f->problem = problem ? xstrdup(problem) : NULL;
        f->hint = hint && *hint ? xstrdup(hint) : NULL;
}

static json_t *collect(Form *g)
{
        json_t *answers = json_object();
        bool good = true;
        for (size_t i = 0; i < g->n; i++) {
                Field *f = &g->fields[i];
                AUTO_ERR err = { 0 };
                json_t *value = NULL;
                set_problem(f, NULL, NULL);
                if (!f->touched && jx_get(f->q, "default"))
                        value = json_incref(jx_get(f->q, "default"));
                else if (!answer_parse(f->q, f->edit.text, &value, &err))
                        set_problem(f, err.message, err.hint);
                good &= f->problem == NULL;
                if (value)
                        json_object_set_new(answers, jx_str(f->q, "name", "?"), value);
        }
        if (good)
                return answers;
        json_decref(answers);
        return NULL;
}

static void take_problems(Form *g, const json_t *problems)
{
        const json_t *p;
        size_t i;
        json_array_foreach(problems, i, p) {
                const char *var = jx_str(p, "var", NULL), *text = jx_str(p, "text", "?");
                bool placed = false;
                for (size_t k = 0; var && k < g->n; k++)
                        if (str_eq(jx_str(g->fields[k].q, "name", NULL), var)) {
                                set_problem(&g->fields[k], text, jx_str(p, "hint", NULL));
                                if (!placed)
                                        g->at = k;
                                placed = true;
                        }
                if (!placed) {
                        const char *hint = jx_str(p, "hint", NULL);
                        free(g->general);
                        g->general = xasprintf("%s%s%s", text, hint ? "; " : "", hint ? hint : "");
                }
        }
}

static UiAct show_plan(Ui *ui, Screen *s, int k)
{
        Form *g = form_of(s);
        AUTO_ERR err = { 0 };
        free(g->general);
        g->general = NULL;
        json_t *answers = collect(g), *plan = NULL;
        if (!answers) {
                for (g->at = 0; g->at < g->n && !g->fields[g->at].problem;)
                        g->at++;
                return UI_REDRAW;
        }
        if (!ui->app->plan || !ui->app->plan(ui->app->app, g->runbook, answers, &plan, &err)) {
                if (err.kind)
                        g->general = xasprintf("%s%s%s", err.message, err.hint ? "; " : "",
                                               err.hint ? err.hint : "");
                json_decref(answers);
                return UI_REDRAW;
        }
        if (!jx_get(plan, "steps")) {
                take_problems(g, jx_get(plan, "problems"));
                json_decref(plan);
                json_decref(answers);
                return UI_REDRAW;
        }
        ui_push(ui, plan_screen_new(g->runbook, g->title, answers, plan));
        return UI_REDRAW;
}

static void turn(Field *f, int by)
{
        const json_t *c = answer_choices(f->q);
        size_t n = json_array_size(c), at = 0;
        for (size_t i = 0; i < n; i++) {
                AUTO_FREE char *w = jx_words(json_array_get(c, i));
                if (str_eq(w, f->edit.text))
                        at = i;
        }
        AUTO_FREE char *w = jx_words(json_array_get(c, (at + n + (size_t)by) % n));
        edit_set(&f->edit, w);
        f->touched = true;
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        Form *g = form_of(s);
        switch (k) {
        case K_UP:
        case K_BACKTAB:
                g->at -= g->at > 0;
                return UI_REDRAW;
        case K_DOWN:
        case K_TAB:
                g->at += g->at < g->n;
                return UI_REDRAW;
        case K_PGDN:
                g->at = g->n;
                return UI_REDRAW;
        case K_PGUP:
                g->at = 0;
                return UI_REDRAW;
        case K_ENTER:
                if (g->at == g->n)
                        return show_plan(ui, s, k);
                g->at++;
                return UI_REDRAW;
        case K_CTRL('P'):
                return show_plan(ui, s, k);
        case K_ESC:
                return UI_PASS;
        default:
                break;
        }
        if (g->at >= g->n)
                return UI_NONE;
        Field *f = &g->fields[g->at];
        if (json_array_size(answer_choices(f->q))) {
                if (k == K_LEFT || k == K_RIGHT || k == ' ') {
                        turn(f, k == K_LEFT ? -1 : 1);
                        return UI_REDRAW;
                }
                return UI_NONE;
        }
        size_t before = f->edit.len;
        bool moved = k == K_LEFT || k == K_RIGHT || k == K_HOME || k == K_END;
        if (!edit_key(&f->edit, k))
                return UI_NONE;
        f->touched |= !moved && (before || f->edit.len);
        return UI_REDRAW;
}

static bool typing(const Screen *s)
{
        return true;
}

static const KeyRow keys[] = {
        { "Enter", { 0 }, "next", "next field", NULL, NULL },
        { "↑ ↓", { 0 }, "field", "field", NULL, NULL },
        { "^P", { 0 }, "show the plan", "every step and command; changes nothing", NULL, NULL },
        { "^U", { 0 }, "empty", "empties the field", NULL, NULL },
        { 0 },
};

static void free_form(Screen *s)
{
        Form *g = form_of(s);
        for (size_t i = 0; i < g->n; i++) {
                edit_done(&g->fields[i].edit);
                set_problem(&g->fields[i], NULL, NULL);
        }
        free(g->fields);
        free(g->runbook);
        free(g->title);
        free(g->general);
        json_decref(g->questions);
}

static const ScreenOps ops = {
        .name = "form",
        .keys = keys,
        .title = title,
        .draw = draw,
        .status = status,
        .key = key,
        .typing = typing,
        .free = free_form,
};

Screen *form_new(Ui *ui, const char *runbook, const char *title_, json_t *questions)
{
        Form *g = SCREEN_NEW(Form, &ops, NULL);
        const json_t *q;
        size_t i;
        g->runbook = xstrdup(runbook);
        g->title = xstrdup(title_);
        g->questions = questions;
        g->n = json_array_size(questions);
        g->fields = xcalloc(MAX(g->n, 1), sizeof(Field));
        json_array_foreach(questions, i, q) {
                AUTO_FREE char *text = answer_text(q, jx_get(q, "default"));
                g->fields[i].q = q;
                edit_init(&g->fields[i].edit, text, jx_bool(q, "secret", false));
        }
        /* The first question nobody answered yet is where the person starts. */
        for (g->at = 0; g->at < g->n && !is_open(&g->fields[g->at]);)
                g->at++;
        (void)ui;
        return &g->s;
}
