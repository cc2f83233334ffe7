/* term.h: one terminal: opened defensively, left as it was found.
 *
 * The implementation (term_curses.c) is the only file of pgsherpa that knows ncurses. An
 * unknown TERM and a locale that is not there are survived; what cannot place a cursor gets
 * the plain frontend instead (term_open() answers TERM_PLAIN). ncurses writes into a pipe and
 * whole frames are forwarded with one write(), so a frame neither tears nor costs seventy
 * packets. Nothing is ever asked of the terminal: answers would end up in the shell. */
#pragma once

#include "ui/canvas.h"
#include "ui/theme.h"

typedef enum TermOpen { TERM_OK, TERM_PLAIN, TERM_ERROR } TermOpen;

TermOpen term_open(Err *err) MUST_CHECK;
void term_close(void);         /* also safe when not open, and twice */
void term_theme(Theme *theme); /* resolves it for this terminal's colours */
void term_size(int *ret_rows, int *ret_cols);
Tier term_tier(void);
/* True when the plain frontend is the right one: no tty, TERM=dumb, PGSHERPA_PLAIN. */
bool term_wants_plain(void);

/* Sends what differs from the last frame. marker: also the in-band idle marker of the tests,
 * even when nothing differs. */
void term_draw(const Canvas *cv, bool marker);
void term_repaint(void); /* the next frame is a full one (^L, after a shell) */
void term_bell(void);
void term_title(const char *title);
void term_copy(const char *text); /* to the clipboard, by OSC 52 */
size_t term_bytes(void);          /* sent so far; for bench/ */

/* Next key, or K_NONE. Never blocks. */
int term_key(void);

typedef enum TermSignal {
        TERM_SIG_NONE,
        TERM_SIG_RESIZE,
        TERM_SIG_CONT,
        TERM_SIG_LEAVE
} TermSignal;
int term_signal_fd(void);
TermSignal term_signal(void); /* next one, or NONE */
void term_suspend(void);      /* ^Z: to the shell and back */
/* Leaves the full screen for a child that wants the terminal, and comes back. */
void term_leave(void);
void term_enter(void);
