/* ui.c: the loop: one poll, drain everything, draw once, write once. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "ui/loop.h"
#include "ui/plain.h"
#include "ui/screen.h"
#include "ui/term.h"

enum { GUARD_MS = 300, TICK_MS = 1000, JOURNAL_MS = 250, MESSAGE_MS = 10000 };

int64_t ui_monotonic_ms(void)
{
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void *screen_alloc(size_t size, const ScreenOps *ops, RunModel *run)
{
        Screen *s = xcalloc(1, size);
        s->ops = ops;
        s->run = run;
        return s;
}

static void screen_free(Screen *s)
{
        RunModel *run = s->owns_run ? s->run : NULL;
        if (s->ops->free)
                s->ops->free(s);
        free(s);
        model_close(run);
}

void ui_push(Ui *ui, Screen *s)
{
        s->below = ui->top;
        if (!s->run && ui->top)
                s->run = ui->top->run;
        s->pushed_ms = ui_monotonic_ms();
        ui->top = s;
        ui->dirty = true;
        if (s->ops->guarded)
                ui->guard = true;
}

void ui_replace(Ui *ui, Screen *s)
{
        Screen *gone = ui->top;
        ui->top = gone->below;
        gone->below = ui->old;
        ui->old = gone;
        ui_push(ui, s);
}

static void free_old(Ui *ui)
{
        while (ui->old) {
                Screen *s = ui->old;
                ui->old = s->below;
                screen_free(s);
        }
}

static void pop(Ui *ui)
{
        Screen *s = ui->top;
        ui->top = s->below;
        screen_free(s);
        ui->dirty = true;
}

void ui_say(Ui *ui, Role role, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        free(ui->message);
        ui->message = xvasprintf(fmt, ap);
        va_end(ap);
        ui->message_role = role;
        ui->message_ms = ui_monotonic_ms();
        ui->dirty = true;
}

void ui_unsay(Ui *ui)
{
        ui->dirty |= ui->message != NULL;
        free(ui->message);
        ui->message = NULL;
}

void ui_say_err(Ui *ui, const char *doing, const Err *err)
{
        ui_say(ui, ROLE_FAIL, "✗ %s: %s%s%s", doing, err->message ? err->message : "unknown error",
               err->hint ? "; " : "", err->hint ? err->hint : "");
}

RunModel *ui_run_of(const Ui *ui)
{
        for (const Screen *s = ui->top; s; s = s->below)
                if (s->run)
                        return s->run;
        return NULL;
}

const Screen *ui_find(const Ui *ui, const char *name)
{
        for (const Screen *s = ui->top; s; s = s->below)
                if (str_eq(s->ops->name, name))
                        return s;
        return NULL;
}

static bool write_beside(Ui *ui, const char *name, const char *text, char **ret_path)
{
        const RunModel *m = ui_run_of(ui);
        AUTO_ERR err = { 0 };
        if (!m)
                return false;
        *ret_path = io_join(m->dir, name);
        return io_replace_file(*ret_path, text, strlen(text), 0600, &err);
}

void ui_copy(Ui *ui, const char *what, const char *text)
{
        AUTO_FREE char *path = NULL;
        term_copy(text);
        if (write_beside(ui, "copied.txt", text, &path))
                ui_say(ui, ROLE_TEXT, "%s copied, also to %s", what, path);
        else
                ui_say(ui, ROLE_TEXT, "%s copied to the clipboard", what);
}

void ui_open_shell(Ui *ui, const char *dir)
{
        AUTO_ERR err = { 0 };
        if (!ui->app->shell) {
                ui_say(ui, ROLE_WARN, "! no shell can be opened from here");
                return;
        }
        term_leave();
        if (!ui->app->shell(ui->app->app, dir, &err))
                ui_say_err(ui, "shell", &err);
        term_enter();
        ui->dirty = true;
}

static void dump_screen(Ui *ui)
{
        AUTO_FREE char *text = canvas_dump(ui->cv);
        AUTO_FREE char *path = NULL;
        if (write_beside(ui, "screen.txt", text, &path))
                ui_say(ui, ROLE_TEXT, "screen written to %s", path);
        else
                ui_say(ui, ROLE_TEXT, "no run is open, so there is no place to write the screen");
}

/* ---- drawing ---- */

static void draw_stack(Ui *ui, Screen *s)
{
        if (s->ops->modal && s->below && ui->layout.cls > LAYOUT_COMPACT)
                draw_stack(ui, s->below);
        else if (s->ops->modal)
                canvas_clear(ui->cv);
        if (ui->layout.cls == LAYOUT_LINE && !s->ops->modal) {
                AUTO_BUF b = buf_init(512);
                const RunModel *m = ui_run_of(ui);
                if (m)
                        chrome_line(m, ui->wall, &b);
                AUTO_FREE char *line = xasprintf("pgsherpa %s", buf_str(&b));
                Rect r = { 0, 0, MAX(ui->cv->rows - 1, 1), ui->cv->cols };
                cv_wrap(ui->cv, r, ROLE_TEXT, line);
                if (ui->cv->rows > 1)
                        cv_text(ui->cv, ui->cv->rows - 1, 0, ROLE_DIM, "q leaves, nothing stops");
                return;
        }
        Rect old = ui->cv->clip;
        if (!s->ops->modal)
                old = cv_clip(ui->cv, ui->layout.body);
        s->ops->draw(ui, s, ui->cv, &ui->layout);
        cv_clip_set(ui->cv, old);
}

void ui_render(Ui *ui, int rows, int cols, Tier tier)
{
        if (!ui->cv || ui->cv->rows != rows || ui->cv->cols != cols) {
                canvas_free(ui->cv);
                ui->cv = canvas_new(rows, cols, tier);
        }
        canvas_clear(ui->cv);
        ui->layout = layout_make(rows, cols);
        draw_stack(ui, ui->top);
        chrome_draw(ui, ui->top, ui->cv);
        ui->dirty = false;
}

static void draw(Ui *ui)
{
        int rows, cols;
        term_size(&rows, &cols);
        ui_render(ui, rows, cols, term_tier());
        AUTO_BUF title = buf_init(256);
        const RunModel *m = ui_run_of(ui);
        if (m && m->view->gate.open)
                buf_adds(&title, "pgsherpa: waiting for you");
        else if (m && m->view->run)
                chrome_line(m, ui->wall, &title);
        else
                buf_adds(&title, "pgsherpa");
        static char last[256];
        if (strcmp(last, buf_str(&title))) {
                snprintf(last, sizeof last, "%s", buf_str(&title));
                term_title(last);
        }
        if (m && m->view->gate.open && m->view->gate.number != ui->last_bell_gate) {
                ui->last_bell_gate = m->view->gate.number;
                if (!ui->test)
                        term_bell(); /* once for each question */
        }
        term_draw(ui->cv, ui->test);
}

/* ---- keys ---- */

static UiAct table_key(Ui *ui, Screen *s, int key)
{
        for (const KeyRow *k = s->ops->keys; k && k->shown; k++) {
                if (k->when && !k->when(s))
                        continue;
                for (size_t i = 0; i < LEN(k->codes) && k->codes[i]; i++)
                        if (k->codes[i] == key && k->act)
                                return k->act(ui, s, key);
        }
        return UI_PASS;
}

static bool takes_text(const Screen *s)
{
        return s->ops->typing && s->ops->typing(s);
}

static bool anything_below(const Screen *s)
{
        for (s = s->below; s; s = s->below)
                if (!s->finished)
                        return true;
        return false;
}

static UiAct everywhere(Ui *ui, Screen *s, int key)
{
        RunModel *m = ui_run_of(ui);
        switch (key) {
        case '?':
                if (!str_eq(s->ops->name, "help"))
                        ui_push(ui, help_new(s->ops, s));
                return UI_REDRAW;
        case 'L':
                if (m && !s->ops->modal && !ui_find(ui, "log"))
                        ui_push(ui, log_new(m, false, 0));
                return UI_REDRAW;
        case 'q':
        case K_ESC:
        case 'h':
        case K_LEFT:
                if ((key == 'h' || key == K_LEFT) && (s->ops->modal || !s->below))
                        return UI_NONE;
                return UI_POP;
        default:
                return UI_NONE;
        }
}

void ui_key(Ui *ui, int key)
{
        Screen *s = ui->top;
        if (!s)
                return;
        if (key == K_PASTE_ON || key == K_PASTE_OFF) {
                ui->pasting = key == K_PASTE_ON;
                if (ui->pasting && s->refuse_paste)
                        ui_say(ui, ROLE_WARN, "! pasting is refused here: type it");
                return;
        }
        if (ui->pasting && (!takes_text(s) || s->refuse_paste || key == K_ENTER))
                return;
        if (s->ops->guarded && ui_monotonic_ms() - s->pushed_ms < GUARD_MS)
                return; /* typed before it could be read */
        ui_unsay(ui);
        ui->dirty = true;
        if (key == K_CTRL('T')) {
                dump_screen(ui);
                return;
        }
        if (key == K_CTRL('C'))
                key = takes_text(s) ? K_ESC : 'q';
        UiAct act = s->ops->key ? s->ops->key(ui, s, key) : UI_PASS;
        if (act == UI_PASS)
                act = table_key(ui, s, key);
        if (act == UI_PASS)
                act = takes_text(s) && key != K_ESC ? UI_NONE : everywhere(ui, s, key);
        if (act == UI_QUIT || (act == UI_POP && ui->top == s && !anything_below(s)))
                ui->leave = true; /* the screen stays for the farewell line */
        else if (act == UI_POP && ui->top == s)
                pop(ui);
        free_old(ui);
}

static void drain_keys(Ui *ui)
{
        int key;
        while (!ui->leave && (key = term_key()) != K_NONE) {
                if (ui->guard)
                        continue; /* arrived together with a dialog nobody has seen */
                if (key == K_CTRL('L')) {
                        term_repaint();
                        ui->dirty = true;
                } else if (key == K_CTRL('Z')) {
                        term_suspend();
                        ui->dirty = true;
                } else {
                        ui_key(ui, key);
                }
        }
}

/* ---- the loop ---- */

static void tick_all(Ui *ui)
{
        for (Screen *s = ui->top; s;) {
                Screen *below = s->below;
                if (s->ops->tick && s->ops->tick(ui, s))
                        ui->dirty = true;
                s = below;
        }
}

void ui_poll_runs(Ui *ui)
{
        for (Screen *s = ui->top; s; s = s->below) {
                if (!s->owns_run)
                        continue;
                if (model_poll(s->run, ui_monotonic_ms()))
                        ui->dirty = true;
                char *problem = client_problem(&s->run->client);
                if (problem)
                        ui_say(ui, ROLE_FAIL, "✗ %s", problem);
                free(problem);
        }
        tick_all(ui);
        while (ui->top && ui->top->finished && ui->top->below)
                pop(ui);
}

static void signals(Ui *ui)
{
        TermSignal sig;
        while ((sig = term_signal()) != TERM_SIG_NONE) {
                ui->dirty = true;
                if (sig == TERM_SIG_LEAVE)
                        ui->leave = true;
        }
}

static int timeout_ms(const Ui *ui)
{
        const RunModel *m = ui_run_of(ui);
        if (!m || m->view->status)
                return -1;
        return m->client.fd >= 0 ? TICK_MS : JOURNAL_MS;
}

static void loop(Ui *ui)
{
        int64_t drawn = 0;
        while (!ui->leave) {
                ui->wall = clock_wall_ms();
                ui->boot = clock_boot_ms();
                ui_poll_runs(ui);
                if (ui->leave)
                        break;
                int64_t now = ui_monotonic_ms();
                if (ui->message && ui->message_role != ROLE_FAIL &&
                    now - ui->message_ms > MESSAGE_MS)
                        ui_unsay(ui);
                const RunModel *m = ui_run_of(ui);
                bool second = m && !m->view->status && now - drawn >= TICK_MS;
                if (ui->dirty || second || !drawn) {
                        draw(ui);
                        drawn = now;
                        /* Keys from before this frame were typed blind. */
                        if (ui->guard) {
                                while (term_key() != K_NONE)
                                        ;
                                ui->guard = false;
                                if (ui->top)
                                        ui->top->pushed_ms = now;
                        }
                }
                struct pollfd p[3] = { { .fd = 0, .events = POLLIN },
                                       { .fd = term_signal_fd(), .events = POLLIN },
                                       { .fd = m ? m->client.fd : -1, .events = POLLIN } };
                int wait = timeout_ms(ui);
                if (poll(p, 3, wait) < 0 && errno != EINTR)
                        break;
                ui->wall = clock_wall_ms();
                if (p[1].revents)
                        signals(ui);
                ui_poll_runs(ui); /* before the keys: a gate must be seen to be answered */
                if (p[0].revents & POLLIN)
                        drain_keys(ui);
                if (p[0].revents & (POLLHUP | POLLERR))
                        ui->leave = true; /* the terminal is gone; the run is not */
        }
}

void ui_free(Ui *ui)
{
        while (ui->top)
                pop(ui);
        free_old(ui);
        canvas_free(ui->cv);
        theme_free(ui->theme);
        free(ui->message);
        free(ui->farewell);
}

/* What stays in the scrollback after the screen is gone. */
static void make_farewell(Ui *ui)
{
        const RunModel *m = ui_run_of(ui);
        if (!m || !m->view->run || str_eq(m->view->runbook, "discover"))
                return;
        const RunView *v = m->view;
        AUTO_BUF b = buf_init(512);
        if (v->status && ui->run_decides)
                ui->exit_code = plain_exit_code(v->status);
        if (v->status) {
                buf_printf(&b, "run %s is %s. Its log: pgsherpa log %s", v->run, v->status, v->run);
        } else {
                AUTO_BUF line = buf_init(256);
                chrome_line(m, clock_wall_ms(), &line);
                const char *rest = buf_str(&line) + strlen(v->run);
                const char *verb = m->alive ? "continues" : "stands still";
                buf_printf(&b, "run %s %s on %s:%s. %s again with: pgsherpa %s", v->run, verb,
                           v->host ? v->host : "this host", rest, m->alive ? "Attach" : "Start it",
                           m->alive ? "attach" : "resume");
        }
        free(ui->farewell);
        ui->farewell = buf_take(&b, NULL);
}

int ui_main(Ui *ui, const char *theme)
{
        AUTO_ERR theme_err = { 0 };
        ui->test = getenv("UI_TEST") != NULL;
        ui->theme = theme_choose(theme, &theme_err);
        term_theme(ui->theme);
        if (theme_err.kind)
                ui_say_err(ui, "theme", &theme_err);
        loop(ui);
        make_farewell(ui);
        term_close();
        if (ui->farewell)
                puts(ui->farewell);
        fflush(stdout);
        int code = ui->exit_code;
        ui_free(ui);
        return code;
}
