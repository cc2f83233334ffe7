#include "ui/theme.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/limits.h"
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
                        return bad(file, c->key, err, "unknown key; there are name, for, base, roles");
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

/* The first directory that has it; NULL when none does. */
static char *find_theme(const char *name)
{
        const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        AUTO_FREE char *own = xdg && *xdg ? xasprintf("%s/pgsherpa/themes", xdg)
                                          : xasprintf("%s/.config/pgsherpa/themes",
                                                      home ? home : "");
        const char *dirs[] = { own, "/etc/pgsherpa/themes", PGSHERPA_DATADIR "/themes",
                               PGSHERPA_SOURCEDIR "/themes" };
        if (strchr(name, '/'))
                return xstrdup(name);
        for (size_t i = 0; i < LEN(dirs); i++) {
                char *path = xasprintf("%s/%s.yaml", dirs[i], name);
                if (io_exists(path))
                        return path;
                free(path);
        }
        return NULL;
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
        return err_hint(err, "`pgsherpa theme list` names those there are; a path works too");
}
