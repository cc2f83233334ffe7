#include "ui/theme.h"

#include <dirent.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/jsonx.h"
#include "base/limits.h"
#include "base/text.h"
#include "config.h"
#include "yaml/yaml.h"

static bool bad(const char *file, const YamlNode *n, Err *err, const char *what)
{
        return err_set(err, ERR_USER, "%s:%d:%d: %s", file, n ? n->line : 1, n ? n->col : 1, what);
}

static bool read_roles(const char *file, const YamlNode *roles, Theme *t, Err *err)
{
        if (!roles || roles->kind != YAML_MAP)
                return bad(file, roles, err, "a theme needs `roles:`, a map of role and look");
        for (const YamlNode *c = roles->first; c; c = c->next) {
                Role role;
                if (!role_from_name(c->key->text, &role)) {
                        bad(file, c->key, err, "there is no such role");
                        return err_hint(err, "roles: text dim strong accent ok warn fail title "
                                             "select key frame");
                }
                if (c->kind != YAML_SCALAR)
                        return bad(file, c, err, "a role's look is one text");
                AUTO_ERR why = { 0 };
                if (!theme_check_spec(c->text, &why)) {
                        bad(file, c, err, why.message);
                        return why.hint ? err_hint(err, "%s", why.hint) : false;
                }
                t->spec[role] = xstrdup(c->text);
        }
        return true;
}

static bool read_theme(const char *file, const YamlNode *root, Theme *t, Err *err)
{
        if (!root || root->kind != YAML_MAP)
                return bad(file, root, err, "a theme is a map with name, for and roles");
        for (const YamlNode *c = root->first; c; c = c->next) {
                const char *k = c->key->text;
                if (str_eq(k, "roles"))
                        continue;
                if (c->kind != YAML_SCALAR)
                        return bad(file, c, err, "this must be one text");
                if (str_eq(k, "name")) {
                        t->name = xstrdup(c->text);
                } else if (str_eq(k, "for")) {
                        if (!str_eq(c->text, "dark") && !str_eq(c->text, "light") &&
                            !str_eq(c->text, "any"))
                                return bad(file, c, err, "`for` is dark, light or any");
                        t->shade = xstrdup(c->text);
                } else if (str_eq(k, "base")) {
                        if (!theme_check_spec(c->text, err))
                                return err_wrap(err, "%s:%d:%d", file, c->line, c->col);
                        t->base_spec = xstrdup(c->text);
                } else {
                        return bad(file, c->key, err,
                                   "unknown key; there are name, for, base, roles");
                }
        }
        if (!t->name)
                return bad(file, root, err, "`name` is missing");
        if (!t->shade)
                t->shade = xstrdup("any");
        return read_roles(file, yaml_get(root, "roles"), t, err);
}

static bool load_file(const char *path, Theme **ret, Err *err)
{
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        AUTO_ARENA a = arena_new();
        YamlNode *root = NULL;
        if (!io_read_file(path, LIMIT_YAML_BYTES, &text, &n, err) ||
            !yaml_parse(a, path, text, n, YAML_STRICT, &root, err))
                return false;
        AUTO_THEME t = xcalloc(1, sizeof(Theme));
        if (!read_theme(path, root, t, err))
                return false;
        *ret = t;
        t = NULL;
        return true;
}

/* Where themes are, the operator's own first. */
enum { THEME_DIRS = 4 };

static void theme_dirs(char *dirs[static THEME_DIRS])
{
        const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        dirs[0] = xdg && *xdg ? xasprintf("%s/pgsherpa/themes", xdg)
                              : xasprintf("%s/.config/pgsherpa/themes", home ? home : "");
        dirs[1] = xstrdup("/etc/pgsherpa/themes");
        dirs[2] = xstrdup(PGSHERPA_DATADIR "/themes");
        dirs[3] = xstrdup(PGSHERPA_SOURCEDIR "/themes");
}

/* The first directory that has it; NULL when none does. */
static char *find_theme(const char *name)
{
        char *dirs[THEME_DIRS], *found = NULL;
        if (strchr(name, '/'))
                return xstrdup(name);
        theme_dirs(dirs);
        for (size_t i = 0; i < THEME_DIRS; i++) {
                AUTO_FREE char *path = xasprintf("%s/%s.yaml", dirs[i], name);
                if (!found && io_exists(path))
                        found = xstrdup(path);
                free(dirs[i]);
        }
        return found;
}

static void names_in(const char *path, json_t *names)
{
        DIR *d = opendir(path);
        for (struct dirent *e; d && (e = readdir(d));)
                if (str_ends(e->d_name, ".yaml")) {
                        AUTO_FREE char *name =
                                xstrndup(e->d_name, strlen(e->d_name) - strlen(".yaml"));
                        json_object_set_new(names, name, json_true());
                }
        if (d)
                closedir(d);
}

/* "contrast, dark, default, ..": malloc()ed. */
static char *names_there(void)
{
        char *dirs[THEME_DIRS];
        AUTO_JSON names = json_pack("{s:b, s:b}", "default", 1, "mono", 1);
        AUTO_BUF b = buf_init(4096);
        const char *name;
        json_t *ignored;
        theme_dirs(dirs);
        for (size_t i = 0; i < THEME_DIRS; i++) {
                names_in(dirs[i], names);
                free(dirs[i]);
        }
        AUTO_FREE char *sorted = jx_dump_sorted(names);
        AUTO_ERR never = { 0 };
        AUTO_JSON list = jx_parse(sorted, strlen(sorted), &never);
        json_object_foreach(list, name, ignored)
                buf_printf(&b, "%s%s", b.len ? ", " : "", name);
        return text_clean_str(buf_str(&b));
}

bool theme_load(const char *name, Theme **ret, Err *err)
{
        AUTO_FREE char *path = find_theme(name);
        if (path)
                return load_file(path, ret, err);
        if (str_eq(name, "default") || str_eq(name, "mono")) {
                *ret = theme_builtin(name);
                return true;
        }
        err_set(err, ERR_USER, "there is no theme \"%s\"", name);
        AUTO_FREE char *names = names_there();
        return err_hint(err, "there are %s; the path of a file works too", names);
}
