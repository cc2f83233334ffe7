/* term_kind.h: what kind of terminal this is, and bytes on their way to it. Only for
 * term_curses.c, which is the file that sees ncurses. */
#pragma once

#include "base/base.h"

/* LC_ALL and the others, so that UTF-8 is drawn wherever they say so. */
void term_pick_locale(void);
/* The description of a terminal that understands the same, where the one called `name` is not
 * installed. */
const char *term_alike(const char *name);
/* false: the terminal took nothing for two seconds. */
bool term_write(const char *p, size_t n);
/* malloc()ed. */
char *term_base64(const char *bytes, size_t n) MUST_CHECK;
