/* screen.h: one screen is one file: how it looks, what its keys do.
 *
 *      static const KeyRow keys[] = {
 *              { "Enter", { K_ENTER }, "open", "open the run under the cursor", .act = open },
 *              { 0 },
 *      };
 *      static const ScreenOps ops = { .name = "home", .keys = keys, .draw = draw };
 *
 * The same rows dispatch the key, write the key bar and fill the `?` overlay, so none of them
 * can be wrong. draw() is a pure function of the run's view, the screen's own state and
 * ui->wall; it reads no clock and changes nothing outside its own scroll positions. Screens
 * stand on a stack: `?` and `q` belong to everybody (help; one level up), unless a row takes
 * the key. Dialogs are screens with `modal`, drawn over the one below. */
#pragma once

#include "ui/canvas.h"
#include "ui/keys.h"
#include "ui/layout.h"
#include "ui/model.h"
#include "ui/theme.h"
#include "ui/ui.h"

typedef struct Ui Ui;
typedef struct Screen Screen;

typedef enum UiAct {
        UI_NONE,
        UI_REDRAW,
        UI_POP,  /* this screen goes */
        UI_QUIT, /* the program leaves; runs go on */
        UI_PASS, /* key(): not mine, look into the key table */
} UiAct;

typedef struct KeyRow {
        const char *shown; /* "Enter", "j k" */
        int codes[6];      /* 0 ends */
        const char *bar;   /* word for the key bar; NULL: only in the help */
        const char *help;
        bool (*when)(const Screen *s); /* NULL: always */
        UiAct (*act)(Ui *ui, Screen *s, int key);
} KeyRow;

typedef struct ScreenOps {
        const char *name;
        bool modal;         /* drawn over the screen below */
        bool guarded;       /* asks something: keys typed before it was seen are
                             * dropped */
        const KeyRow *keys; /* ends with {0} */
        const char *quit;   /* word for q: "back", "detach"; NULL: "back" */
        const char *(*quit_word)(const Screen *s);  /* instead of quit, when it changes */
        void (*title)(Ui *ui, Screen *s, Buf *out); /* of the title bar */
        void (*draw)(Ui *ui, Screen *s, Canvas *cv, const Layout *l);
        /* The message line: left and right part; the role is of the left one. */
        Role (*status)(Ui *ui, Screen *s, Buf *left, Buf *right);
        /* Sees every key before the table does; NULL: the table only. */
        UiAct (*key)(Ui *ui, Screen *s, int key);
        /* A field has the focus: q and ? are letters, Esc goes back. NULL: never. */
        bool (*typing)(const Screen *s);
        /* The run changed, or a second passed. True: draw. */
        bool (*tick)(Ui *ui, Screen *s);
        void (*free)(Screen *s);
} ScreenOps;

struct Screen {
        const ScreenOps *ops;
        Screen *below;
        RunModel *run; /* what it draws, or NULL */
        bool owns_run;
        int64_t pushed_ms; /* monotonic, for the type-ahead guard */
        bool finished;     /* goes as soon as it is on top */
        bool refuse_paste; /* says so instead of dropping it */
};

struct Ui {
        const UiApp *app;
        const UiOptions *options;
        Theme *theme;
        Canvas *cv;
        Layout layout;
        Screen *top, *old;  /* old: replaced, freed after the key was handled */
        int64_t wall, boot; /* now; set once per turn of the loop */
        char *message;      /* the last thing that happened here, or NULL */
        Role message_role;
        int64_t message_ms;
        bool leave, pasting, guard, dirty;
        int exit_code;
        bool run_decides; /* the exit code is that of the run shown last */
        char *farewell;   /* one line for the normal screen afterwards */
        bool test;        /* UI_TEST: write the idle marker */
        int64_t last_bell_gate;
};

/* ---- for screens (ui.c) ---- */
void ui_push(Ui *ui, Screen *s); /* owns s from now on; keys of this drain are dropped
                                  * when it is guarded */
/* In place of the top one, which is freed later: its own functions may still be running. */
void ui_replace(Ui *ui, Screen *s);
/* The message line, until the next key, or ten seconds when it is no failure. */
void ui_say(Ui *ui, Role role, const char *fmt, ...) PRINTF(3, 4);
void ui_unsay(Ui *ui);
void ui_say_err(Ui *ui, const char *doing, const Err *err);
RunModel *ui_run_of(const Ui *ui); /* of the highest screen that has one */
const Screen *ui_find(const Ui *ui, const char *name);
/* Copies to the clipboard and into a file of the run (or /tmp of the user), and says where. */
void ui_copy(Ui *ui, const char *what, const char *text);
/* Gives the terminal to a shell in that directory, and comes back. */
void ui_open_shell(Ui *ui, const char *dir);
int64_t ui_monotonic_ms(void);
void *screen_alloc(size_t size, const ScreenOps *ops, RunModel *run);

#define SCREEN_NEW(T, ops, run) ((T *)screen_alloc(sizeof(T), (ops), (run)))

/* ---- chrome.c ---- */
void chrome_draw(Ui *ui, Screen *s, Canvas *cv);
/* One line for the smallest terminals and the farewell: "p42 Copy 68%, 6 min left, 4 of 7". */
void chrome_line(const RunModel *m, int64_t wall, Buf *out);

/* ---- the screens ---- */
Screen *home_new(Ui *ui);
Screen *discovery_new(RunModel *m, bool owns);
Screen *form_new(Ui *ui, const char *runbook, const char *title, json_t *questions);
Screen *plan_screen_new(const char *runbook, const char *title, json_t *answers, json_t *plan);
Screen *run_new(RunModel *m, bool owns);
Screen *welcome_new(RunModel *m, bool owns);
Screen *gate_new(RunModel *m);
Screen *log_new(RunModel *m, bool owns, int64_t from_seq);
Screen *help_new(const ScreenOps *of, const Screen *screen);
/* A scrolling text with a title: commands of a step, output of a step, a diff. Steals text. */
Screen *text_new(const char *title, char *text, RunModel *m);
/* y/n before something that starts: `act` runs on y. */
Screen *confirm_new(const char *title, char *text, const char *yes, UiAct (*act)(Ui *ui, void *ctx),
                    void *ctx);
