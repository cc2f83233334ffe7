/* theme.h: what a role looks like on this terminal.
 *
 * A theme is eleven lines of text, each with alternatives from rich to poor:
 *
 *      warn:  "#ebcb8b | yellow, bold"
 *
 * theme_resolve() picks for every role the first alternative the terminal's colours can show;
 * a hex colour that has no poorer alternative becomes the nearest one there is. Attributes
 * (bold, dim, reverse, underline) survive when colours do not. Two themes are built in,
 * default and mono; the others are files in themes/ (theme_file.c). */
#pragma once

#include "base/err.h"
#include "ui/canvas.h"

typedef struct Look {
        int16_t fg, bg; /* -1: the terminal's own; else 0..255 */
        bool bold, dim, reverse, underline;
} Look;

typedef struct Theme {
        char *name;
        char *shade;             /* "dark" "light" "any" */
        char *spec[ROLE_COUNT_]; /* "#88c0d0 | cyan"; NULL: as the default theme */
        Look look[ROLE_COUNT_];  /* filled by theme_resolve() */
        Look base;               /* `base: fg on bg`, or the terminal's own */
        char *base_spec;
} Theme;

const char *role_name(Role role);
bool role_from_name(const char *name, Role *ret);

/* "default" or "mono"; others: theme_load(). */
Theme *theme_builtin(const char *name) MUST_CHECK;
Theme *theme_free(Theme *t);
static inline void theme_freep_(Theme **t)
{
        *t = theme_free(*t);
}
#define AUTO_THEME CLEANUP(theme_freep_) Theme *

/* One value like "#88c0d0 | cyan, bold". False: *err says what is wrong with it. */
bool theme_check_spec(const char *spec, Err *err) MUST_CHECK;
/* colours: 0, 8, 16, 256. */
void theme_resolve(Theme *t, int colours);

/* By name or path; searched in $XDG_CONFIG_HOME/pgsherpa/themes, /etc/pgsherpa/themes, the
 * installed and the source directory. Bad lines are errors with file:line:col. */
bool theme_load(const char *name, Theme **ret, Err *err) MUST_CHECK;
/* The theme of this session: `asked`, PGSHERPA_THEME, else default; NO_COLOR selects mono. A
 * broken theme is reported in *err and the default one is returned. Never NULL. */
Theme *theme_choose(const char *asked, Err *err) MUST_CHECK;
