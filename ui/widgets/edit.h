/* edit.h: one line of typed text, with a cursor, UTF-8, optionally hidden.
 *
 * The bytes are wiped when the field goes, since it may have held a password. */
#pragma once

#include "ui/canvas.h"

typedef struct Edit {
        char *text;          /* NUL-terminated */
        size_t len, cap, at; /* at: byte position of the cursor */
        bool hidden;
} Edit;

void edit_init(Edit *e, const char *text, bool hidden);
void edit_done(Edit *e);
void edit_set(Edit *e, const char *text);
/* True when the key was for the field: characters, arrows, Home, End, Backspace, ^U. */
bool edit_key(Edit *e, int key);
/* Draws w columns; with focus the terminal's cursor is put there. */
void edit_draw(const Edit *e, Canvas *cv, int y, int x, int w, bool focus);
