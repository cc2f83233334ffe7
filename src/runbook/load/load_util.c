#include "runbook/load/load.h"

#include "base/text.h"
#include "runbook/expr/expr_tree.h"
#include "runbook/types.h"

#include <ctype.h>

Loc load_loc(const Loader *l, const YamlNode *at)
{
        return (Loc){ .file = at && at->file ? at->file : l->file,
                      .line = at ? at->line : 1,
                      .col = at ? at->col : 1 };
}

Loc load_text_loc(const Loader *l, const YamlNode *scalar)
{
        Loc loc = load_loc(l, scalar);
        loc.col += scalar->style == YAML_SINGLE || scalar->style == YAML_DOUBLE;
        return loc;
}

void load_problem(Loader *l, const YamlNode *at, const char *rule, const char *hint,
                  const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *text = xvasprintf(fmt, ap);
        va_end(ap);
        problems_add(l->problems, load_loc(l, at), rule, hint, "%s", text);
}

void load_problem_err(Loader *l, Loc at, const char *rule, const char *what, Err *err)
{
        problems_add(l->problems, at, rule, err->hint, "%s%s%s", what ? what : "", what ? ": " : "",
                     err->message);
        err_clear(err);
}

bool load_is(Loader *l, const YamlNode *node, YamlKind kind, const char *what)
{
        if (node->kind == kind)
                return true;
        load_problem(l, node, "E-TYPE", NULL, "`%s` must be %s, not %s", what, yaml_kind_name(kind),
                     yaml_kind_name(node->kind));
        return false;
}

static size_t count(const char *const *words)
{
        size_t n = 0;
        while (words && words[n])
                n++;
        return n;
}

static bool among(const char *const *words, const char *word)
{
        for (; words && *words; words++)
                if (str_eq(*words, word))
                        return true;
        return false;
}

bool load_map(Loader *l, const YamlNode *node, const char *what, const char *const *keys,
              const char *const *later)
{
        if (!load_is(l, node, YAML_MAP, what))
                return false;
        for (const YamlNode *c = node->first; c; c = c->next) {
                const char *key = c->key->text;
                if (among(keys, key))
                        continue;
                if (among(later, key)) {
                        load_problem(l, c->key, "E-LATER", "leave it out",
                                     "`%s` is not in this version of pgsherpa", key);
                        continue;
                }
                const char *near = text_nearest(key, keys, count(keys));
                AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`?", near) : NULL;
                load_problem(l, c->key, "E-KEY", hint, "%s has no key `%.60s`", what, key);
        }
        return true;
}

const char *load_text(Loader *l, const YamlNode *map, const char *key)
{
        const YamlNode *c = yaml_get(map, key);
        if (!c || !load_is(l, c, YAML_SCALAR, key))
                return NULL;
        if (!yaml_is_null(c))
                return arena_strdup(l->arena, c->text);
        load_problem(l, c, "E-TYPE", "write a value, or leave the key out", "`%s` is empty", key);
        return NULL;
}

const char *load_text_required(Loader *l, const YamlNode *map, const char *key, const char *what)
{
        if (!yaml_get(map, key))
                load_problem(l, map, "E-KEY", NULL, "%s needs `%s`", what, key);
        const char *text = load_text(l, map, key);
        return text ? text : "";
}

static json_t *typed(Loader *l, const YamlNode *map, const char *key, ParamType type)
{
        AUTO_ERR err = { 0 };
        const char *text = load_text(l, map, key);
        json_t *v = NULL;
        if (text && !value_from_text(type, text, &v, &err))
                load_problem_err(l, load_loc(l, yaml_get(map, key)), "E-TYPE", key, &err);
        return v;
}

bool load_bool(Loader *l, const YamlNode *map, const char *key, bool fallback)
{
        AUTO_JSON v = typed(l, map, key, PARAM_BOOL);
        return v ? json_is_true(v) : fallback;
}

int64_t load_number(Loader *l, const YamlNode *map, const char *key, ParamType type,
                    int64_t fallback)
{
        AUTO_JSON v = typed(l, map, key, type);
        return v ? json_integer_value(v) : fallback;
}

int load_word(Loader *l, const YamlNode *map, const char *key, const char *const *words,
              int fallback)
{
        const char *text = load_text(l, map, key);
        for (int i = 0; text && words[i]; i++)
                if (str_eq(words[i], text))
                        return i;
        if (!text)
                return fallback;
        const char *near = text_nearest(text, words, count(words));
        AUTO_FREE char *all = xstrdup("");
        for (size_t i = 0; words[i]; i++) {
                char *longer = xasprintf("%s%s%s", all, i ? ", " : "one of ", words[i]);
                free(all);
                all = longer;
        }
        AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`? %s", near, all) : xstrdup(all);
        load_problem(l, yaml_get(map, key), "E-TYPE", hint, "`%s` cannot be `%.60s`", key, text);
        return fallback;
}

bool load_id_ok(Loader *l, const YamlNode *node, const char *what)
{
        const char *s = node->text;
        bool ok = node->kind == YAML_SCALAR && islower((unsigned char)*s) && node->len <= 63;
        for (; ok && *s; s++)
                ok = islower((unsigned char)*s) || isdigit((unsigned char)*s) || *s == '_';
        if (!ok)
                load_problem(l, node, "E-ID",
                             "begin with a small letter, then small letters, digits and _ (a "
                             "hyphen would be a minus)",
                             "`%.60s` is no %s", node->text, what);
        return ok;
}

const Expr *load_expr(Loader *l, const YamlNode *node, const char *what)
{
        AUTO_ERR err = { 0 };
        int col;
        if (!load_is(l, node, YAML_SCALAR, what))
                return NULL;
        Loc loc = load_text_loc(l, node);
        const Expr *e = expr_parse_at(l->arena, node->text, loc, &col, &err);
        if (!e) {
                if (node->style == YAML_PLAIN || node->style == YAML_SINGLE ||
                    node->style == YAML_DOUBLE)
                        loc.col += col - 1;
                load_problem_err(l, loc, "E-EXPR", what, &err);
        }
        return e;
}

const KindSpec *load_kind(Loader *l, const YamlNode *node)
{
        const char *names[512];
        size_t n = 0;
        if (!load_is(l, node, YAML_SCALAR, "do"))
                return NULL;
        for (KindTable k = l->kinds; k && *k; k++) {
                if (str_eq((*k)->name, node->text))
                        return *k;
                if (n < LEN(names))
                        names[n++] = (*k)->name;
        }
        const char *near = text_nearest(node->text, names, n);
        AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`?", near)
                                    : xstrdup("`pgsherpa explain` lists them all");
        load_problem(l, node, "E-KIND", hint, "there is no step kind `%.60s`", node->text);
        return NULL;
}
