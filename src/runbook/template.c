#include "runbook/template.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "runbook/types.h"
#include "yaml/yaml.h"

#include <ctype.h>

static bool eval_as(const Template *t, ParamType type, const ParamSpec *fields, ParamType item,
                    const Scope *scope, json_t **ret, Err *err);

static bool at(const Template *t, Err *err)
{
        if (t->loc.file)
                return err_wrap(err, "%s:%d:%d", t->loc.file, t->loc.line, t->loc.col);
        return false;
}

/* ---- one ${...} as part of a longer text ---- */

static void add_ident(Buf *b, const char *s)
{
        buf_addc(b, '"');
        for (; *s; s++) {
                if (*s == '"')
                        buf_addc(b, '"');
                buf_addc(b, *s);
        }
        buf_addc(b, '"');
}

/* As PQescapeLiteral(): right whatever standard_conforming_strings says. All text here is
 * UTF-8, and so is every connection of pgsherpa. */
static void add_literal(Buf *b, const char *s)
{
        bool backslash = strchr(s, '\\') != NULL;
        buf_adds(b, backslash ? " E'" : "'");
        for (; *s; s++) {
                if (*s == '\'' || *s == '\\')
                        buf_addc(b, *s);
                buf_addc(b, *s);
        }
        buf_addc(b, '\'');
}

/* Inside an address a value must not bring a new host, query or user along. */
static void add_url(Buf *b, const char *s)
{
        for (; *s; s++) {
                if (isalnum((unsigned char)*s) || strchr("-._~/:", *s))
                        buf_addc(b, *s);
                else
                        buf_printf(b, "%%%02X", (unsigned char)*s);
        }
}

static bool part_text(const TemplatePart *part, const json_t *v, char **ret, Err *err)
{
        if (json_is_string(v))
                *ret = xstrdup(json_string_value(v));
        else if (json_is_boolean(v))
                *ret = xstrdup(json_is_true(v) ? "true" : "false");
        else if (json_is_number(v))
                *ret = jx_dump(v);
        else if (json_is_null(v))
                return err_set(err, ERR_USER, "`${%s}` is empty", expr_text(part->expr));
        else
                return err_set(err, ERR_USER,
                               "`${%s}` is a list or a map and does not fit into a text",
                               expr_text(part->expr));
        return true;
}

static bool add_part(Buf *b, const TemplatePart *part, ParamType type, const Scope *scope,
                     bool *unknown, Err *err)
{
        if (part->kind == PART_TEXT) {
                buf_adds(b, part->text);
                return true;
        }
        AUTO_JSON v = NULL;
        AUTO_FREE char *text = NULL;
        if (part->kind == PART_SECRET)
                return err_set(err, ERR_USER, "a secret does not go into a text");
        if (!expr_eval(part->expr, scope, &v, err) || !part_text(part, v, &text, err))
                return false;
        *unknown |= value_is_unknown(v);
        if (part->kind == PART_IDENT)
                add_ident(b, text);
        else if (part->kind == PART_LITERAL)
                add_literal(b, text);
        else if (type == PARAM_URL && b->len && !value_is_unknown(v))
                add_url(b, text);
        else
                buf_adds(b, text);
        return true;
}

static bool joined(const Template *t, ParamType type, const Scope *scope, char **ret, bool *unknown,
                   Err *err)
{
        AUTO_BUF b = buf_init(LIMIT_YAML_BYTES);
        for (size_t i = 0; i < t->n_parts; i++)
                if (!add_part(&b, &t->parts[i], type, scope, unknown, err))
                        return at(t, err);
        if (b.overflow) {
                err_set(err, ERR_USER, "the text became too long");
                return at(t, err);
        }
        *ret = xstrdup(buf_str(&b));
        return true;
}

/* ---- scalars ---- */

static json_t *reference(const char *kind, const char *name)
{
        json_t *o = json_object();
        jx_set_str(o, kind, name);
        return o;
}

static bool typed_value(const Template *t, ParamType type, const ParamSpec *fields, ParamType item,
                        const json_t *v, json_t **ret, Err *err);

/* A value that came whole out of ${...}: check it against the type, items and fields too. */
static bool typed_items(const Template *t, const ParamSpec *fields, ParamType item, const json_t *v,
                        json_t **ret, Err *err)
{
        AUTO_JSON list = json_array();
        size_t i;
        json_t *x;
        json_array_foreach(v, i, x) {
                json_t *one;
                if (!typed_value(t, fields ? PARAM_MAP : item, fields, PARAM_STRING, x, &one, err))
                        return false;
                json_array_append_new(list, one);
        }
        *ret = json_incref(list);
        return true;
}

static bool typed_value(const Template *t, ParamType type, const ParamSpec *fields, ParamType item,
                        const json_t *v, json_t **ret, Err *err)
{
        if (value_is_unknown(v) || (type == PARAM_ANY)) {
                *ret = json_incref((json_t *)v);
                return true;
        }
        if (type == PARAM_TARGET && json_is_string(v)) {
                *ret = reference("$target", json_string_value(v));
                return true;
        }
        if (type == PARAM_LIST && json_is_array(v))
                return typed_items(t, fields, item, v, ret, err);
        return value_from_json(type, v, ret, err);
}

static bool eval_scalar(const Template *t, ParamType type, const ParamSpec *fields, ParamType item,
                        const Scope *scope, json_t **ret, Err *err)
{
        if (t->n_parts && t->parts[0].kind == PART_SECRET) {
                *ret = reference("$secret", t->parts[0].text);
                return true;
        }
        AUTO_JSON v = NULL;
        if (t->whole) {
                if (!expr_eval(t->parts[0].expr, scope, &v, err))
                        return at(t, err);
        } else if (t->n_parts) {
                AUTO_FREE char *text = NULL;
                bool unknown = false;
                if (!joined(t, type, scope, &text, &unknown, err))
                        return false;
                v = jx_text(text);
                if (unknown) {
                        *ret = json_incref(v);
                        return true;
                }
        } else if (type == PARAM_ANY || !t->typed) {
                *ret = value_guess(t->text, t->plain);
                return true;
        } else {
                v = jx_text(t->text);
        }
        if (!t->typed) {
                *ret = json_incref(v);
                return true;
        }
        return typed_value(t, type, fields, item, v, ret, err) || at(t, err);
}

/* ---- lists, maps, fallbacks ---- */

static bool add_fallback(json_t *map, const ParamSpec *f, Err *err)
{
        bool text = f->type == PARAM_STRING || f->type == PARAM_NAME || f->type == PARAM_PATH ||
                    f->type == PARAM_URL || f->type == PARAM_IMAGE || f->type == PARAM_VERSION ||
                    f->type == PARAM_SQL;
        json_t *v = NULL;
        if (!f->fallback || str_eq(f->fallback, "~") || (!*f->fallback && !text))
                return true;
        if (!*f->fallback) {
                v = json_string("");
        } else if (f->type == PARAM_LIST || f->type == PARAM_MAP || f->type == PARAM_ANY) {
                AUTO_ARENA a = arena_new();
                YamlNode *root;
                if (!yaml_parse(a, f->name, f->fallback, strlen(f->fallback), YAML_STRICT, &root,
                                err))
                        return false;
                v = root->kind == YAML_SCALAR ? value_guess(root->text, root->style == YAML_PLAIN)
                    : root->kind == YAML_LIST ? json_array()
                                              : json_object();
                for (const YamlNode *c = root->first; c; c = c->next) {
                        if (json_is_array(v))
                                json_array_append_new(v, value_guess(c->text, true));
                        else
                                jx_set(v, c->key->text, value_guess(c->text, true));
                }
        } else if (f->type == PARAM_TARGET) {
                v = reference("$target", f->fallback);
        } else if (f->type == PARAM_EXPR) {
                AUTO_ARENA a = arena_new();
                int col;
                Expr *e = expr_parse(a, f->fallback, &col, err);
                Scope nothing = { 0 };
                if (!e || !expr_eval(e, &nothing, &v, err))
                        return false;
        } else if (!value_from_text(f->type, f->fallback, &v, err)) {
                return err_wrap(err, "fallback of `%s`", f->name);
        }
        jx_set(map, f->name, v);
        return true;
}

static const ParamSpec *field_of(const ParamSpec *fields, const char *name)
{
        for (; fields && fields->name; fields++)
                if (str_eq(fields->name, name))
                        return fields;
        return NULL;
}

static bool eval_map(const Template *t, const ParamSpec *fields, const Scope *scope, json_t **ret,
                     Err *err)
{
        AUTO_JSON map = json_object();
        for (const Template *c = t ? t->first : NULL; c; c = c->next) {
                const ParamSpec *f = field_of(fields, c->key);
                json_t *v = NULL;
                bool ok = f ? eval_as(c, f->type, f->fields, f->item, scope, &v, err)
                            : eval_as(c, c->typed ? c->type : PARAM_ANY, c->fields, c->item, scope,
                                      &v, err);
                if (!ok)
                        return err_wrap(err, "`%s`", c->key);
                jx_set(map, c->key, v);
        }
        for (const ParamSpec *f = fields; f && f->name; f++)
                if (!jx_get(map, f->name) && !add_fallback(map, f, err))
                        return false;
        *ret = json_incref(map);
        return true;
}

static bool eval_list(const Template *t, const ParamSpec *fields, ParamType item,
                      const Scope *scope, json_t **ret, Err *err)
{
        AUTO_JSON list = json_array();
        for (const Template *c = t->first; c; c = c->next) {
                json_t *v = NULL;
                if (!eval_as(c, fields ? PARAM_MAP : item, fields, PARAM_STRING, scope, &v, err))
                        return false;
                json_array_append_new(list, v);
        }
        *ret = json_incref(list);
        return true;
}

static bool eval_as(const Template *t, ParamType type, const ParamSpec *fields, ParamType item,
                    const Scope *scope, json_t **ret, Err *err)
{
        *ret = NULL;
        if (t->kind == TPL_MAP)
                return eval_map(t, fields ? fields : t->fields, scope, ret, err);
        if (t->kind == TPL_LIST)
                return eval_list(t, fields, type == PARAM_LIST ? item : PARAM_ANY, scope, ret, err);
        return eval_scalar(t, type, fields, item, scope, ret, err);
}

bool template_eval(const Template *t, const ParamSpec *fields, const Scope *scope, json_t **ret,
                   Err *err)
{
        *ret = NULL;
        if (!t)
                return eval_map(NULL, fields, scope, ret, err);
        if (fields)
                return eval_as(t, PARAM_MAP, fields, PARAM_STRING, scope, ret, err);
        return eval_as(t, t->typed ? t->type : PARAM_ANY, t->fields, t->item, scope, ret, err);
}

bool template_eval_text(const Template *t, const Scope *scope, char **ret, Err *err)
{
        *ret = NULL;
        if (t->kind != TPL_SCALAR) {
                err_set(err, ERR_USER, "a text must stand here");
                return at(t, err);
        }
        if (!t->n_parts) {
                *ret = xstrdup(t->text);
                return true;
        }
        bool unknown = false;
        return joined(t, t->typed ? t->type : PARAM_STRING, scope, ret, &unknown, err);
}

Loc template_loc(const Template *t)
{
        return t->loc;
}

const Template *template_get(const Template *map, const char *key)
{
        for (const Template *c = map && map->kind == TPL_MAP ? map->first : NULL; c; c = c->next)
                if (str_eq(c->key, key))
                        return c;
        return NULL;
}

const char *template_literal(const Template *t)
{
        return t && t->kind == TPL_SCALAR && !t->n_parts ? t->text : NULL;
}

void template_walk(const Template *t, TemplateVisit visit, void *arg)
{
        if (!t)
                return;
        for (size_t i = 0; i < t->n_parts; i++)
                if (t->parts[i].kind != PART_TEXT)
                        visit(arg, t, &t->parts[i]);
        for (const Template *c = t->first; c; c = c->next)
                template_walk(c, visit, arg);
}
