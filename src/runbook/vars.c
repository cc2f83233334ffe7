/* vars.c: the answers of a form or a command line become the namespace `vars`. */
#include "base/arena.h"
#include "base/fmt.h"
#include "base/limits.h"
#include "base/text.h"
#include "runbook/load/load.h"
#include "runbook/expr/pattern.h"
#include "runbook/runbook.h"
#include "runbook/types.h"
#include "yaml/yaml.h"

#include <unistd.h>

static bool typed(const Var *v, ParamType type, const ParamSpec *fields, const json_t *given,
                  json_t **ret, Err *err);

/* "." and "srv/app" as typed at a shell; .. stays refused by the type. */
static bool typed_path(const json_t *given, json_t **ret, Err *err)
{
        const char *text = json_string_value(given);
        char cwd[LIMIT_PATH];
        if (!text || !*text || *text == '/' || *text == '~' || *text == '-' ||
            !getcwd(cwd, sizeof cwd))
                return value_from_json(PARAM_PATH, given, ret, err);
        while (str_starts(text, "./"))
                text += 2;
        AUTO_FREE char *whole =
                *text && !str_eq(text, ".") ? xasprintf("%s/%s", cwd, text) : xstrdup(cwd);
        return value_from_text(PARAM_PATH, whole, ret, err);
}

static bool typed_record(const Var *v, const ParamSpec *fields, const json_t *given, json_t **ret,
                         Err *err)
{
        const char *key;
        json_t *x;
        if (!json_is_object(given)) {
                err_set(err, ERR_USER, "each item must be a map");
                return err_hint(err, "write {%s: ..}", fields[0].name);
        }
        json_object_foreach((json_t *)given, key, x) {
                const ParamSpec *f = fields;
                while (f->name && !str_eq(f->name, key))
                        f++;
                if (!f->name)
                        return err_set(err, ERR_USER, "there is no field `%.40s`", key);
        }
        AUTO_JSON map = json_object();
        for (const ParamSpec *f = fields; f->name; f++) {
                const json_t *one = jx_get(given, f->name);
                AUTO_JSON fallback = f->fallback && *f->fallback ? json_string(f->fallback) : NULL;
                json_t *value = NULL;
                if (!one && !f->fallback)
                        return err_set(err, ERR_USER, "`%s` is missing", f->name);
                if (!one && !fallback)
                        continue;
                if (!typed(v, f->type, f->fields, one ? one : fallback, &value, err))
                        return err_wrap(err, "`%s`", f->name);
                jx_set(map, f->name, value);
        }
        *ret = json_incref(map);
        return true;
}

static json_t *from_yaml(const YamlNode *node)
{
        if (node->kind == YAML_SCALAR)
                return jx_text(node->text);
        json_t *all = node->kind == YAML_LIST ? json_array() : json_object();
        for (const YamlNode *c = node->first; c; c = c->next) {
                if (node->kind == YAML_LIST)
                        json_array_append_new(all, from_yaml(c));
                else
                        jx_set(all, c->key->text, from_yaml(c));
        }
        return all;
}

/* "web, worker" or "[{name: web}]". */
static bool list_from_text(const char *text, json_t **ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        YamlNode *root;
        AUTO_FREE char *flow = *text == '[' ? xstrdup(text) : xasprintf("[%s]", text);
        if (!yaml_parse(a, "answer", flow, strlen(flow), YAML_STRICT, &root, err))
                return false;
        if (root->kind != YAML_LIST)
                return err_set(err, ERR_USER, "it is not a list");
        *ret = from_yaml(root);
        return true;
}

static bool typed_list(const Var *v, const ParamSpec *fields, const json_t *given, json_t **ret,
                       Err *err)
{
        AUTO_JSON list = NULL;
        AUTO_JSON out = json_array();
        size_t i;
        json_t *x;
        if (json_is_string(given) && !list_from_text(json_string_value(given), &list, err))
                return err_hint(err, "write a list: a, b");
        if (!list)
                list = json_incref((json_t *)given);
        if (!json_is_array(list)) {
                err_set(err, ERR_USER, "it is not a list");
                return err_hint(err, "write a list: a, b");
        }
        json_array_foreach(list, i, x) {
                json_t *one;
                if (!typed(v, fields ? PARAM_MAP : v->item, fields, x, &one, err))
                        return err_wrap(err, "item %zu", i + 1);
                json_array_append_new(out, one);
        }
        *ret = json_incref(out);
        return true;
}

static bool typed(const Var *v, ParamType type, const ParamSpec *fields, const json_t *given,
                  json_t **ret, Err *err)
{
        *ret = NULL;
        if (type == PARAM_LIST)
                return typed_list(v, fields, given, ret, err);
        if (type == PARAM_MAP && fields)
                return typed_record(v, fields, given, ret, err);
        if (type == PARAM_PATH)
                return typed_path(given, ret, err);
        return value_from_json(type, given, ret, err);
}

/* A limit as its owner would write it. */
static const char *limit_words(ParamType t, int64_t n, char buf[static 32])
{
        char inner[24];
        if (t == PARAM_SIZE)
                return memcpy(buf, fmt_bytes(n, inner), sizeof inner);
        if (t == PARAM_DURATION)
                return memcpy(buf, fmt_duration(n, inner), sizeof inner);
        snprintf(buf, 32, "%lld", (long long)n);
        return buf;
}

static bool within_limits(const Var *v, const json_t *value, Err *err)
{
        char limit[32];
        int64_t n = json_integer_value(value);
        if (v->has_min && n < v->min)
                return err_set(err, ERR_USER, "it must be at least %s",
                               limit_words(v->type, v->min, limit));
        if (v->has_max && n > v->max)
                return err_set(err, ERR_USER, "it must be at most %s",
                               limit_words(v->type, v->max, limit));
        return true;
}

static bool one_allowed(const Var *v, const json_t *value, Err *err)
{
        bool yes = true;
        size_t i;
        json_t *x;
        if (v->pattern && json_is_string(value) &&
            !pattern_matches(v->pattern, json_string_value(value), &yes, err))
                return false;
        if (!yes)
                return err_set(err, ERR_USER, "`%.60s` does not match %s", json_string_value(value),
                               v->pattern);
        if (!v->choices)
                return true;
        json_array_foreach(v->choices, i, x) {
                if (json_equal(x, value))
                        return true;
        }
        AUTO_FREE char *all = jx_dump(v->choices);
        err_set(err, ERR_USER, "it is not one of the choices");
        return err_hint(err, "choose one of %s", all);
}

static bool allowed(const Var *v, const json_t *value, Err *err)
{
        size_t i;
        json_t *x;
        if (json_is_integer(value) && !within_limits(v, value, err))
                return false;
        if (!json_is_array(value))
                return one_allowed(v, value, err);
        json_array_foreach(value, i, x) {
                if (!json_is_object(x) && !one_allowed(v, x, err))
                        return err_wrap(err, "item %zu", i + 1);
        }
        return true;
}

static void report(Problems *problems, const Var *v, Err *err)
{
        AUTO_FREE char *hint = err->hint ? xstrdup(err->hint)
                               : v->ask  ? xasprintf("asked for: %s", v->ask)
                                         : NULL;
        problems_add(problems, v->loc, "E-VAR", hint, "the variable `%s`: %s", v->name,
                     err->message);
}

static void resolve_one(const Var *v, const json_t *given, json_t *vars, Problems *problems)
{
        AUTO_ERR err = { 0 };
        json_t *value = NULL;
        if (!given && !v->fallback) {
                AUTO_FREE char *hint = xasprintf("give it with --var %s=.., %s", v->name,
                                                 param_type_example(v->type));
                problems_add(problems, v->loc, "E-VAR", hint, "the variable `%s` has no value%s%s",
                             v->name, v->ask ? ": " : "", v->ask ? v->ask : "");
                return;
        }
        bool ok = given ? typed(v, v->type, record_fields(v->record), given, &value, &err)
                        : (value = json_deep_copy(v->fallback)) != NULL;
        if (!ok || !allowed(v, value, &err)) {
                report(problems, v, &err);
                json_decref(value);
                return;
        }
        jx_set(vars, v->name, value);
}

static void unknown_answers(const Runbook *rb, const json_t *answers, Problems *problems)
{
        AUTO_FREE const char **known = xcalloc(rb->n_vars + 1, sizeof *known);
        for (size_t i = 0; i < rb->n_vars; i++)
                known[i] = rb->vars[i].name;
        const char *key;
        json_t *x;
        json_object_foreach((json_t *)answers, key, x) {
                bool found = false;
                for (size_t i = 0; i < rb->n_vars; i++)
                        found |= str_eq(known[i], key);
                if (found)
                        continue;
                const char *near = text_nearest(key, known, rb->n_vars);
                AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`?", near) : NULL;
                problems_add(problems, (Loc){ .file = rb->path, .line = 1, .col = 1 }, "E-VAR",
                             hint, "this runbook has no variable `%.60s`", key);
        }
}

void vars_check_defaults(const Runbook *rb, Problems *problems)
{
        for (size_t i = 0; i < rb->n_vars; i++) {
                const Var *v = &rb->vars[i];
                AUTO_ERR err = { 0 };
                bool empty = json_is_string(v->fallback) && !*json_string_value(v->fallback);
                if (v->fallback && !empty && !allowed(v, v->fallback, &err)) {
                        AUTO_ERR whole = { 0 };
                        err_move(&whole, &err);
                        err_wrap(&whole, "its default");
                        report(problems, v, &whole);
                }
        }
}

bool runbook_vars(const Runbook *rb, const json_t *answers, json_t **ret_vars, Problems *problems)
{
        size_t before = problems->errors;
        AUTO_JSON vars = json_object();
        if (json_is_object(answers))
                unknown_answers(rb, answers, problems);
        for (size_t i = 0; i < rb->n_vars; i++)
                resolve_one(&rb->vars[i], jx_get(answers, rb->vars[i].name), vars, problems);
        *ret_vars = problems->errors == before ? json_incref(vars) : NULL;
        return *ret_vars != NULL;
}
