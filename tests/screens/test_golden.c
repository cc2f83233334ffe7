/* test_golden.c: every screen as a picture: text and attributes. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>

#include "tests/screens/tt.h"
#include "base/base.h"

typedef struct Picture {
        char name[40], view[12], story[12], mark[16];
        char keys[40];  /* ~ waits for the guard; the rest is sent key by key */
        char shows[40]; /* what must be there before the picture is taken */
} Picture;

static const Picture pictures[] = {
        { "checklist", "run", "upgrade", "checklist", "", "Safe to" },
        { "progress", "run", "upgrade", "copy", "", "Safe to" },
        { "gate-yes", "run", "upgrade", "gate", "", "Stop them" },
        { "gate-word", "run", "upgrade", "word", "~appx", "> app" },
        { "gate-secret", "run", "upgrade", "secret", "~abc", "(hidden)" },
        { "gate-decision", "run", "upgrade", "decision", "", "choose this" },
        { "gate-text", "run", "upgrade", "free_text", "", "write this" },
        { "gate-manual", "run", "upgrade", "manual", "", "The site loads" },
        { "failure", "run", "upgrade", "failure", "", "What now?" },
        { "undo-list", "run", "upgrade", "copy", "u", "UNDONE BY" },
        { "gate-undo", "run", "undo", "undo_gate", "", "Undo them" },
        { "gate-after", "run", "upgrade", "after", "", "goes on by itself" },
        { "undo", "run", "undo", "undo", "", "Safe to" },
        { "done", "run", "upgrade", "done", "", "run is done" },
        { "step", "run", "upgrade", "checklist", "\r", "Output:" },
        { "help", "run", "upgrade", "checklist", "?", "EVERYWHERE" },
        { "log", "log", "upgrade", "done", "", "following" },
        { "log-errors", "log", "upgrade", "done", "e", "1" },
        { "welcome", "run", "welcome", "welcome", "", "Attach" },
        { "home", "home", "upgrade", "failure", "", "Look for servers" },
        { "discovery", "home", "discover", "found", "d", "nextcloud" },
        { "form", "journey", "upgrade", "done", "", "Major version wanted" },
        { "form-problem", "journey", "upgrade", "done", "\020", "answer is needed" },
        { "plan", "journey", "upgrade", "done", "p:17\020", "Dry run" },
        { "plan-start", "journey", "upgrade", "done", "p:17\020g", "Start this run?" },
};

typedef struct Case {
        Picture p;
        int rows, cols;
        char term[20], lang[16], env[24], suffix[24];
} Case;

static size_t add(Case *cases, size_t n, const char *name, int rows, int cols, const char *term,
                  const char *lang, const char *env, const char *suffix)
{
        for (size_t i = 0; i < LEN(pictures); i++) {
                if (strcmp(pictures[i].name, name))
                        continue;
                Case *c = &cases[n++];
                *c = (Case){ .p = pictures[i], .rows = rows, .cols = cols };
                snprintf(c->term, sizeof c->term, "%s", term);
                snprintf(c->lang, sizeof c->lang, "%s", lang);
                snprintf(c->env, sizeof c->env, "%s", env);
                snprintf(c->suffix, sizeof c->suffix, "%s", suffix);
        }
        return n;
}

ParameterizedTestParameters(golden, looks_as_it_did)
{
        static Case cases[160];
        static const char *const wide[] = { "checklist", "progress",  "gate-yes", "gate-word",
                                            "failure",   "undo",      "log",      "welcome",
                                            "home",      "discovery", "form",     "plan" };
        static const char *const small[] = { "checklist",   "progress", "gate-yes",  "gate-word",
                                             "gate-manual", "failure",  "undo-list", "log",
                                             "welcome",     "home",     "discovery", "form",
                                             "plan",        "help" };
        static const char *const tiny[] = { "progress", "gate-yes" };
        static const char *const poor[] = { "progress", "gate-yes", "failure" };
        static const char *const terminals[][4] = {
                { "linux", "C.UTF-8", "", "linux" },
                { "vt100", "C.UTF-8", "", "vt100" },
                { "xterm-256color", "C", "", "lang-c" },
                { "xterm-256color", "C.UTF-8", "NO_COLOR=1", "no-color" },
                { "screen-256color", "C.UTF-8", "", "screen" },
                { "xterm", "xx_XX.UTF-8", "", "no-locale" },
                { "xterm-ghostty", "C.UTF-8", "", "unknown-term" },
        };
        static const char *const themes[][2] = {
                { "UI_THEME=mono", "theme-mono" },
                { "UI_THEME=dark", "theme-dark" },
                { "UI_THEME=light", "theme-light" },
                { "UI_THEME=nord", "theme-nord" },
                { "UI_THEME=solarized", "theme-solarized" },
                { "UI_THEME=gruvbox", "theme-gruvbox" },
                { "UI_THEME=contrast", "theme-contrast" },
                { "UI_THEME=blue-orange", "theme-blue" },
        };
        size_t n = 0;
        for (size_t i = 0; i < LEN(pictures); i++)
                n = add(cases, n, pictures[i].name, 24, 80, "xterm-256color", "C.UTF-8", "",
                        "80x24");
        for (size_t i = 0; i < LEN(wide); i++)
                n = add(cases, n, wide[i], 40, 120, "xterm-256color", "C.UTF-8", "", "120x40");
        for (size_t i = 0; i < LEN(small); i++)
                n = add(cases, n, small[i], 14, 48, "xterm-256color", "C.UTF-8", "", "48x14");
        for (size_t i = 0; i < LEN(tiny); i++)
                n = add(cases, n, tiny[i], 8, 30, "xterm-256color", "C.UTF-8", "", "30x8");
        for (size_t k = 0; k < LEN(terminals); k++)
                for (size_t i = 0; i < LEN(poor); i++)
                        n = add(cases, n, poor[i], 24, 80, terminals[k][0], terminals[k][1],
                                terminals[k][2], terminals[k][3]);
        for (size_t k = 0; k < LEN(themes); k++)
                n = add(cases, n, "failure", 24, 80, "xterm-256color", "C.UTF-8", themes[k][0],
                        themes[k][1]);
        return cr_make_param_array(Case, cases, n);
}

ParameterizedTest(Case *c, golden, looks_as_it_did)
{
        char name[80];
        snprintf(name, sizeof name, "%s.%s", c->p.name, c->suffix);
        Tt *t = tt_start(&(TtSpec){ .rows = c->rows,
                                    .cols = c->cols,
                                    .term = c->term,
                                    .lang = c->lang,
                                    .env = { c->env[0] ? c->env : NULL },
                                    .args = { c->p.view, c->p.story, c->p.mark } });
        cr_assert(tt_wait(t, -1), "%s: no first frame", name);
        if (c->p.keys[0] == '~') {
                tt_settle(t, 150);
                tt_guard();
        }
        for (const char *k = c->p.keys + (c->p.keys[0] == '~'); *k; k++)
                tt_key(t, (char[]){ *k, '\0' });
        if (c->cols >= 80)
                cr_assert(tt_shows(t, c->p.shows), "%s never shows \"%s\"", name, c->p.shows);
        tt_golden(t, name);
        cr_assert_eq(t->odd, 0, "%s: a sequence the terminal does not know: %s", name, t->last_odd);
        kill(t->pid, SIGTERM);
        int code = tt_finish(t);
        cr_assert(code == 0 || code == 1, "%s: it ended with %d", name, code);
}
