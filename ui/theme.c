#include "ui/theme.h"

#include <ctype.h>
#include <stdio.h>

static const char *const role_names[ROLE_COUNT_] = {
        [ROLE_TEXT] = "text",     [ROLE_DIM] = "dim",     [ROLE_STRONG] = "strong",
        [ROLE_ACCENT] = "accent", [ROLE_OK] = "ok",       [ROLE_WARN] = "warn",
        [ROLE_FAIL] = "fail",     [ROLE_TITLE] = "title", [ROLE_SELECT] = "select",
        [ROLE_KEY] = "key",       [ROLE_FRAME] = "frame",
};

/* Only the terminal's own colours, so it fits light and dark ones. Labels are dim by
 * attribute: bright black is the background colour of some palettes. */
static const char *const default_specs[ROLE_COUNT_] = {
        [ROLE_TEXT] = "default",   [ROLE_DIM] = "dim",       [ROLE_STRONG] = "bold",
        [ROLE_ACCENT] = "cyan",    [ROLE_OK] = "green",      [ROLE_WARN] = "yellow, bold",
        [ROLE_FAIL] = "red, bold", [ROLE_TITLE] = "reverse", [ROLE_SELECT] = "reverse",
        [ROLE_KEY] = "bold",       [ROLE_FRAME] = "default",
};

static const char *const mono_specs[ROLE_COUNT_] = {
        [ROLE_TEXT] = "default", [ROLE_DIM] = "dim",       [ROLE_STRONG] = "bold",
        [ROLE_ACCENT] = "bold",  [ROLE_OK] = "default",    [ROLE_WARN] = "bold",
        [ROLE_FAIL] = "bold",    [ROLE_TITLE] = "reverse", [ROLE_SELECT] = "reverse",
        [ROLE_KEY] = "bold",     [ROLE_FRAME] = "default",
};

static const char *const colour_names[] = {
        "black",      "red",           "green",       "yellow",      "blue",        "magenta",
        "cyan",       "white",         "brightblack", "brightred",   "brightgreen", "brightyellow",
        "brightblue", "brightmagenta", "brightcyan",  "brightwhite",
};

/* xterm's defaults for the first sixteen; the rest is a cube and a grey ramp. */
static const uint8_t first16[16][3] = {
        { 0, 0, 0 },       { 205, 0, 0 },   { 0, 205, 0 },   { 205, 205, 0 },
        { 0, 0, 238 },     { 205, 0, 205 }, { 0, 205, 205 }, { 229, 229, 229 },
        { 127, 127, 127 }, { 255, 0, 0 },   { 0, 255, 0 },   { 255, 255, 0 },
        { 92, 92, 255 },   { 255, 0, 255 }, { 0, 255, 255 }, { 255, 255, 255 },
};

const char *role_name(Role role)
{
        return role_names[role];
}

bool role_from_name(const char *name, Role *ret)
{
        for (int i = 0; i < ROLE_COUNT_; i++)
                if (str_eq(role_names[i], name)) {
                        *ret = (Role)i;
                        return true;
                }
        return false;
}

Theme *theme_builtin(const char *name)
{
        bool mono = str_eq(name, "mono");
        Theme *t = xcalloc(1, sizeof *t);
        t->name = xstrdup(mono ? "mono" : "default");
        t->shade = xstrdup("any");
        for (int i = 0; i < ROLE_COUNT_; i++)
                t->spec[i] = xstrdup((mono ? mono_specs : default_specs)[i]);
        return t;
}

Theme *theme_free(Theme *t)
{
        if (!t)
                return NULL;
        free(t->name);
        free(t->shade);
        free(t->base_spec);
        for (int i = 0; i < ROLE_COUNT_; i++)
                free(t->spec[i]);
        free(t);
        return NULL;
}

/* ---- one value ---- */

static void rgb_of(int index, int rgb[static 3])
{
        static const int cube[] = { 0, 95, 135, 175, 215, 255 };
        if (index < 16) {
                for (int i = 0; i < 3; i++)
                        rgb[i] = first16[index][i];
        } else if (index < 232) {
                rgb[0] = cube[(index - 16) / 36];
                rgb[1] = cube[(index - 16) / 6 % 6];
                rgb[2] = cube[(index - 16) % 6];
        } else {
                rgb[0] = rgb[1] = rgb[2] = 8 + (index - 232) * 10;
        }
}

/* Weighted as the eye is: green counts most. Palettes differ in the first sixteen, so with
 * 256 colours only the fixed ones are candidates. */
static int nearest_colour(const int rgb[static 3], int colours)
{
        int best = 0;
        long best_d = -1;
        int from = colours >= 256 ? 16 : 0, to = colours >= 256 ? 256 : colours >= 16 ? 16 : 8;
        for (int i = from; i < to; i++) {
                int c[3];
                rgb_of(i, c);
                long r = rgb[0] - c[0], g = rgb[1] - c[1], b = rgb[2] - c[2];
                long d = 2 * r * r + 4 * g * g + 3 * b * b;
                if (best_d < 0 || d < best_d) {
                        best_d = d;
                        best = i;
                }
        }
        return best;
}

typedef struct Colour {
        enum { COL_NONE, COL_DEFAULT, COL_INDEX, COL_HEX } type;
        int index, rgb[3];
} Colour;

static bool parse_colour(const char *w, Colour *ret)
{
        *ret = (Colour){ 0 };
        if (str_eq(w, "default")) {
                ret->type = COL_DEFAULT;
                return true;
        }
        for (size_t i = 0; i < LEN(colour_names); i++)
                if (str_eq(w, colour_names[i])) {
                        *ret = (Colour){ .type = COL_INDEX, .index = (int)i };
                        return true;
                }
        if (w[0] == '#' && strlen(w) == 7 && strspn(w + 1, "0123456789abcdefABCDEF") == 6) {
                unsigned long v = strtoul(w + 1, NULL, 16);
                ret->type = COL_HEX;
                ret->rgb[0] = (int)(v >> 16 & 255);
                ret->rgb[1] = (int)(v >> 8 & 255);
                ret->rgb[2] = (int)(v & 255);
                return true;
        }
        if (*w && strspn(w, "0123456789") == strlen(w) && strlen(w) <= 3 && atoi(w) < 256) {
                *ret = (Colour){ .type = COL_INDEX, .index = atoi(w) };
                return true;
        }
        return false;
}

static int colours_needed(const Colour *c)
{
        if (c->type == COL_HEX)
                return 256;
        if (c->type != COL_INDEX)
                return 0;
        return c->index < 8 ? 8 : c->index < 16 ? 16 : 256;
}

static int colour_value(const Colour *c, int colours)
{
        if (c->type == COL_NONE || c->type == COL_DEFAULT || colours == 0)
                return -1;
        if (c->type == COL_INDEX && colours_needed(c) <= colours)
                return c->index;
        int rgb[3] = { c->rgb[0], c->rgb[1], c->rgb[2] };
        if (c->type == COL_INDEX)
                rgb_of(c->index, rgb);
        return nearest_colour(rgb, colours);
}

typedef struct Alternative {
        Colour fg, bg;
        Look look;
} Alternative;

static char *trimmed(const char *from, const char *to)
{
        while (from < to && isspace((unsigned char)*from))
                from++;
        while (to > from && isspace((unsigned char)to[-1]))
                to--;
        return xstrndup(from, (size_t)(to - from));
}

/* "yellow, bold" or "#ffffff on #000000" */
static bool parse_alternative(const char *from, const char *to, Alternative *ret, Err *err)
{
        *ret = (Alternative){ .look = { .fg = -1, .bg = -1 } };
        while (from <= to) {
                const char *comma = memchr(from, ',', (size_t)(to - from));
                AUTO_FREE char *w = trimmed(from, comma ? comma : to);
                char *on = strstr(w, " on ");
                if (on) {
                        AUTO_FREE char *bg = trimmed(on + 4, on + strlen(on));
                        AUTO_FREE char *fg = trimmed(w, on);
                        if (!parse_colour(fg, &ret->fg) || !parse_colour(bg, &ret->bg))
                                return err_set(err, ERR_USER, "\"%s\" is not two colours", w);
                } else if (str_eq(w, "bold")) {
                        ret->look.bold = true;
                } else if (str_eq(w, "dim")) {
                        ret->look.dim = true;
                } else if (str_eq(w, "reverse")) {
                        ret->look.reverse = true;
                } else if (str_eq(w, "underline")) {
                        ret->look.underline = true;
                } else if (!parse_colour(w, &ret->fg)) {
                        err_set(err, ERR_USER, "\"%s\" is neither a colour nor an attribute", w);
                        return err_hint(err, "colours are default, black, red .. white, brightred "
                                             ".., 0 to 255, #rrggbb; attributes are bold, dim, "
                                             "reverse, underline");
                }
                if (!comma)
                        break;
                from = comma + 1;
        }
        return true;
}

static bool each_alternative(const char *spec, int colours, bool pick, Look *ret, Err *err)
{
        Alternative a;
        for (const char *p = spec;;) {
                const char *bar = strchr(p, '|');
                if (!parse_alternative(p, bar ? bar : p + strlen(p), &a, err))
                        return false;
                bool fits = MAX(colours_needed(&a.fg), colours_needed(&a.bg)) <= colours;
                if (pick && (fits || !bar))
                        break;
                if (!bar)
                        break;
                p = bar + 1;
        }
        if (ret) {
                *ret = a.look;
                ret->fg = (int16_t)colour_value(&a.fg, colours);
                ret->bg = (int16_t)colour_value(&a.bg, colours);
        }
        return true;
}

bool theme_check_spec(const char *spec, Err *err)
{
        return each_alternative(spec, 0, false, NULL, err);
}

void theme_resolve(Theme *t, int colours)
{
        for (int i = 0; i < ROLE_COUNT_; i++) {
                AUTO_ERR err = { 0 };
                const char *spec = t->spec[i] ? t->spec[i] : default_specs[i];
                if (!each_alternative(spec, colours, true, &t->look[i], &err))
                        t->look[i] = (Look){ .fg = -1, .bg = -1 };
        }
        AUTO_ERR err = { 0 };
        t->base = (Look){ .fg = -1, .bg = -1 };
        if (t->base_spec && !each_alternative(t->base_spec, colours, true, &t->base, &err))
                t->base = (Look){ .fg = -1, .bg = -1 };
}

Theme *theme_choose(const char *asked, Err *err)
{
        const char *no_color = getenv("NO_COLOR"), *env = getenv("PGSHERPA_THEME");
        if (no_color && *no_color)
                return theme_builtin("mono");
        const char *name = asked ? asked : env && *env ? env : "default";
        Theme *t = NULL;
        if (theme_load(name, &t, err))
                return t;
        return theme_builtin("default");
}
