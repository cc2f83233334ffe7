/* tt.h: a terminal made of libvterm around one program, for tests of what is really drawn.
 *
 *      Tt *t = tt_start(&(TtSpec){ .rows = 24, .cols = 80, .args = { "run", "upgrade", "copy" } });
 *      tt_key(t, "?");                         // sent; waits for the frame that follows
 *      tt_golden(t, "help-80x24");
 *      cr_assert_eq(tt_end(t, "q"), 0);
 *
 * The program writes an idle marker (OSC 7717) behind every frame when UI_TEST is set; it
 * travels in the same stream, so when it arrives the screen is complete. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>
#include <vterm.h>

typedef struct TtSpec {
        int rows, cols;
        const char *term, *lang; /* NULL: xterm-256color, C.UTF-8 */
        const char *env[4];      /* "NO_COLOR=1" */
        const char *args[6];     /* view, story (a name), mark, options */
} TtSpec;

typedef struct Tt {
        VTerm *vt;
        VTermScreen *screen;
        int fd, rows, cols, idle, odd;
        pid_t pid;
        size_t bytes;
        char held[1024]; /* an OSC that is not complete yet */
        size_t n_held;
        bool altscreen, cursor, title_pushed, ended;
        char last_odd[64]; /* the newest sequence it does not know */
        char state[32];    /* PGSHERPA_STATE of this one */
        char run_dir[64];
        struct termios before;
} Tt;

Tt *tt_start(const TtSpec *spec);
/* Reads until a frame newer than `frame` is complete. False: none within 3 s. */
bool tt_wait(Tt *t, int frame);
void tt_settle(Tt *t, int quiet_ms);    /* until nothing came for so long */
void tt_send(Tt *t, const char *bytes); /* no waiting */
void tt_key(Tt *t, const char *bytes);  /* sends and waits for the next frame */
void tt_keys(Tt *t, const char *keys);  /* one after another */
void tt_resize(Tt *t, int rows, int cols);
void tt_guard(void); /* outlives the type-ahead guard */
/* Waits until this text is on the screen. */
bool tt_shows(Tt *t, const char *text);
char *tt_dump(Tt *t); /* text rows, then attribute rows: . b r u,
                       * 0 to 7, letters for the rest of the 256 */
char *tt_text(Tt *t);
void tt_golden(Tt *t, const char *name);
/* Sends keys, waits for the end, cleans up; the exit code, or -signal. */
int tt_end(Tt *t, const char *keys);
int tt_finish(Tt *t); /* the same after it was ended otherwise */
/* {"cmd": "next"} to the stand-in engine. */
void tt_next(Tt *t);
/* Lines of commands.jsonl that hold `part`. */
int tt_commands(Tt *t, const char *part);
