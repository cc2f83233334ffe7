/* canvas.h: a screen made of cells in memory.
 *
 * Screens draw here and nowhere else. The canvas clips, counts columns as wcwidth() does, and
 * speaks three alphabets: drawing code writes UTF-8 (✓ ━ ─ │) and a poorer tier replaces each
 * character on its way in, so no screen ever asks what the terminal can show.
 *
 *      Canvas *cv = canvas_new(24, 80, TIER_UTF8);
 *      cv_text(cv, 0, 1, ROLE_STRONG, "pgsherpa");
 *      cv_right(cv, 0, 79, ROLE_TEXT, "20 Sep 14:02");
 *      cv_bar(cv, 4, 3, 66, 0.68, 0);
 *
 * A cell knows a role (what it means), never a colour. Nothing outside the clip rectangle is
 * ever written; coordinates may be negative or too large. */
#pragma once

#include "base/base.h"

typedef enum Tier { TIER_ASCII, TIER_CONSOLE, TIER_UTF8 } Tier;

/* Eleven, not more (screens.md 6). */
typedef enum Role {
        ROLE_TEXT,
        ROLE_DIM,
        ROLE_STRONG,
        ROLE_ACCENT,
        ROLE_OK,
        ROLE_WARN,
        ROLE_FAIL,
        ROLE_TITLE,
        ROLE_SELECT,
        ROLE_KEY,
        ROLE_FRAME,
        ROLE_COUNT_
} Role;

/* The seven states and the cursor: shapes differ in every tier, so colour is never needed. */
typedef enum Mark {
        MARK_NONE,
        MARK_DONE,
        MARK_RUNNING,
        MARK_WAITING,
        MARK_ASKS,
        MARK_FAILED,
        MARK_SKIPPED,
        MARK_ATTENTION,
        MARK_CURSOR,
} Mark;

enum { CELL_SELECTED = 1, CELL_UNDERLINED = 2, CELL_STRONG = 4 };

typedef struct Cell {
        char ch[15];   /* one character and what combines with it, NUL-terminated */
        uint8_t width; /* 1, 2, or 0: the right half of a wide character */
        uint8_t role, flags;
} Cell;

typedef struct Rect {
        int y, x, h, w;
} Rect;

typedef struct Canvas {
        int rows, cols;
        Tier tier;
        Rect clip;
        Cell *cells;
        int cursor_y, cursor_x; /* where a text field wants it; -1: hidden */
} Canvas;

Canvas *canvas_new(int rows, int cols, Tier tier) MUST_CHECK;
Canvas *canvas_free(Canvas *cv);
void canvas_clear(Canvas *cv) NONNULL;
const Cell *canvas_cell(const Canvas *cv, int y, int x);
/* The rows as text, for ^T and tests. malloc()ed. */
char *canvas_dump(const Canvas *cv) MUST_CHECK;

Rect rect_inter(Rect a, Rect b);
/* Narrows the clip; give the old one back with cv_clip_set(). */
Rect cv_clip(Canvas *cv, Rect r);
void cv_clip_set(Canvas *cv, Rect old);

/* All of these return the columns used (what was clipped counts too). */
int cv_text(Canvas *cv, int y, int x, Role role, const char *text);
int cv_printf(Canvas *cv, int y, int x, Role role, const char *fmt, ...) PRINTF(5, 6);
/* At most w columns; what is longer ends in "..". */
int cv_cut(Canvas *cv, int y, int x, int w, Role role, const char *text);
/* The same for names: both ends stay, the middle goes. */
int cv_cut_middle(Canvas *cv, int y, int x, int w, Role role, const char *text);
/* Ends just before column x_end. */
int cv_right(Canvas *cv, int y, int x_end, Role role, const char *text);
int cv_rightf(Canvas *cv, int y, int x_end, Role role, const char *fmt, ...) PRINTF(5, 6);
/* Breaks at spaces into rect.w columns, at most rect.h rows; returns the rows it needed. */
int cv_wrap(Canvas *cv, Rect r, Role role, const char *text);
int cv_wrap_rows(const Canvas *cv, int w, const char *text);
int cv_width(const Canvas *cv, const char *text);

void cv_fill(Canvas *cv, Rect r, Role role);     /* spaces */
void cv_flag(Canvas *cv, Rect r, uint8_t flags); /* adds flags to what is there */
/* A rule over the whole width with words in it: "── step 3 ───────── to /srv/backup ──". */
void cv_rule(Canvas *cv, int y, int x, int w, const char *left, const char *right);
void cv_vline(Canvas *cv, int y, int x, int h);
/* A box with a title, its inside cleared. Returns the inside without the margin. */
Rect cv_box(Canvas *cv, Rect r, const char *title);
/* part: 0..1 */
void cv_bar(Canvas *cv, int y, int x, int w, double part);
void cv_spark(Canvas *cv, int y, int x, int w, const double *values, size_t n);
void cv_mark(Canvas *cv, int y, int x, Mark mark);
Role mark_role(Mark mark);
