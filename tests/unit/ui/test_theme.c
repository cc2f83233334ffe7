#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "ui/theme.h"

Test(theme, the_built_in_ones_resolve_at_every_depth)
{
        static const int depths[] = { 0, 8, 16, 256 };
        static const char *const names[] = { "default", "mono" };
        for (size_t n = 0; n < LEN(names); n++)
                for (size_t i = 0; i < LEN(depths); i++) {
                        AUTO_THEME t = theme_builtin(names[n]);
                        theme_resolve(t, depths[i]);
                        for (int r = 0; r < ROLE_COUNT_; r++) {
                                cr_assert(t->look[r].fg < MAX(depths[i], 1));
                                if (depths[i] == 0 || n == 1)
                                        cr_assert_eq(t->look[r].fg, -1);
                        }
                        cr_assert(t->look[ROLE_TITLE].reverse);
                        cr_assert(t->look[ROLE_FAIL].bold, "attributes survive without colours");
                }
}

Test(theme, takes_the_first_alternative_the_terminal_can_show)
{
        AUTO_THEME t = theme_builtin("default");
        free(t->spec[ROLE_ACCENT]);
        t->spec[ROLE_ACCENT] = xstrdup("#88c0d0 | brightcyan | cyan, bold");
        theme_resolve(t, 256);
        cr_assert_eq(t->look[ROLE_ACCENT].fg, 110);
        theme_resolve(t, 16);
        cr_assert_eq(t->look[ROLE_ACCENT].fg, 14);
        theme_resolve(t, 8);
        cr_assert_eq(t->look[ROLE_ACCENT].fg, 6);
        cr_assert(t->look[ROLE_ACCENT].bold);
        theme_resolve(t, 0);
        cr_assert_eq(t->look[ROLE_ACCENT].fg, -1);
        cr_assert(t->look[ROLE_ACCENT].bold);
}

Test(theme, hex_without_an_alternative_becomes_the_nearest)
{
        AUTO_THEME t = theme_builtin("default");
        free(t->spec[ROLE_OK]);
        t->spec[ROLE_OK] = xstrdup("#00f000");
        theme_resolve(t, 8);
        cr_assert_eq(t->look[ROLE_OK].fg, 2);
        theme_resolve(t, 256);
        cr_assert_eq(t->look[ROLE_OK].fg, 46);
}

Test(theme, says_what_is_wrong_with_a_look)
{
        static const char *const bad[] = { "blu", "#12345", "bold | ,", "red on", "256", "" };
        for (size_t i = 0; i < LEN(bad); i++) {
                AUTO_ERR err = { 0 };
                cr_assert_not(theme_check_spec(bad[i], &err), "%s", bad[i]);
                cr_assert(err.message && *err.message);
        }
        AUTO_ERR err = { 0 };
        cr_assert(theme_check_spec("#88c0d0 | cyan, bold", &err));
        cr_assert(theme_check_spec("white on blue", &err));
}

static char *write_theme(const char *text)
{
        char *path = xstrdup("/tmp/pgsherpa-theme.XXXXXX");
        int fd = mkstemp(path);
        cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
        return path;
}

Test(theme, a_file_is_read_strictly_with_line_numbers)
{
        static const struct {
                const char *text, *says;
        } bad[] = {
                { "name: X\nroles: {txt: bold}\n", ":2:9: there is no such role" },
                { "name: X\ncolour: red\nroles: {}\n", ":2:1: unknown key" },
                { "name: X\nroles:\n  ok: blu\n", ":3:7: \"blu\" is neither" },
                { "roles: {}\n", "`name` is missing" },
                { "name: X\nname: Y\nroles: {}\n", ":2:1" },
        };
        for (size_t i = 0; i < LEN(bad); i++) {
                AUTO_FREE char *path = write_theme(bad[i].text);
                AUTO_ERR err = { 0 };
                Theme *t = NULL;
                cr_assert_not(theme_load(path, &t, &err));
                cr_assert(strstr(err.message, bad[i].says), "%s", err.message);
                unlink(path);
        }
        AUTO_FREE char *path =
                write_theme("name: Calm\nfor: dark\nroles:\n  accent: \"#88c0d0 | cyan\"\n");
        AUTO_ERR err = { 0 };
        AUTO_THEME t = NULL;
        cr_assert(theme_load(path, &t, &err), "%s", err.message);
        theme_resolve(t, 8);
        cr_assert_eq(t->look[ROLE_ACCENT].fg, 6);
        cr_assert(t->look[ROLE_TITLE].reverse, "roles that are not there look as by default");
        unlink(path);
}

Test(theme, no_color_selects_mono_and_a_broken_theme_is_reported)
{
        setenv("NO_COLOR", "1", 1);
        AUTO_ERR none = { 0 };
        AUTO_THEME mono = theme_choose("default", &none);
        cr_assert_str_eq(mono->name, "mono");
        unsetenv("NO_COLOR");
        AUTO_ERR err = { 0 };
        AUTO_THEME t = theme_choose("no-such-theme", &err);
        cr_assert_str_eq(t->name, "default");
        cr_assert(strstr(err.message, "no-such-theme"));
}

/* ---- the shipped ones ---- */

static const char *const shipped[] = { "blue-orange", "contrast", "dark", "default",  "gruvbox",
                                       "light",       "mono",     "nord", "solarized" };

static double luminance(const char *hex)
{
        static const double weight[] = { 0.2126, 0.7152, 0.0722 };
        unsigned long v = strtoul(hex + 1, NULL, 16);
        double sum = 0;
        for (int i = 0; i < 3; i++) {
                double c = (double)(v >> (16 - 8 * i) & 255) / 255;
                sum += weight[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
        }
        return sum;
}

static double contrast(double a, double b)
{
        return (MAX(a, b) + 0.05) / (MIN(a, b) + 0.05);
}

Test(theme, every_shipped_one_loads_and_can_be_read)
{
        static const Role words[] = { ROLE_TEXT, ROLE_DIM,  ROLE_ACCENT, ROLE_OK,
                                      ROLE_WARN, ROLE_FAIL, ROLE_KEY };
        for (size_t i = 0; i < LEN(shipped); i++) {
                AUTO_ERR err = { 0 };
                AUTO_THEME t = NULL;
                cr_assert(theme_load(shipped[i], &t, &err), "%s", err.message);
                for (size_t w = 0; w < LEN(words); w++) {
                        const char *spec = t->spec[words[w]];
                        if (!spec || spec[0] != '#' || strstr(spec, "reverse"))
                                continue;
                        double ground = str_eq(t->shade, "light") ? 1 : 0;
                        double c = contrast(luminance(spec), ground);
                        double least = str_eq(shipped[i], "contrast") ? 7 : 4.5;
                        cr_assert(c >= least, "%s: %s has %.1f:1", shipped[i], role_name(words[w]),
                                  c);
                }
                theme_resolve(t, 0);
                for (int r = 0; r < ROLE_COUNT_; r++)
                        cr_assert_eq(t->look[r].fg, -1);
        }
}

/* What the files say and what is built in cannot drift apart. */
Test(theme, the_files_of_the_built_in_ones_say_the_same)
{
        static const char *const names[] = { "default", "mono" };
        for (size_t i = 0; i < LEN(names); i++) {
                AUTO_ERR err = { 0 };
                AUTO_THEME built = theme_builtin(names[i]);
                AUTO_THEME file = NULL;
                cr_assert(theme_load(names[i], &file, &err), "%s", err.message);
                for (int r = 0; r < ROLE_COUNT_; r++)
                        cr_assert_str_eq(file->spec[r], built->spec[r]);
        }
}
