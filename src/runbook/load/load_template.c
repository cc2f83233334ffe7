/* load_template.c: a YAML value becomes a Template: split at ${...}, checked by its type. */
#include "base/text.h"
#include "runbook/expr/expr_tree.h"
#include "runbook/load/load.h"
#include "runbook/types.h"

#include <ctype.h>

static int characters(const char *s, size_t n)
{
        int count = 0;
        for (size_t i = 0; i < n; i++)
                count += ((unsigned char)s[i] & 0xc0) != 0x80;
        return count;
}

/* Where byte `at` of a scalar's text stands. Exact for one-line scalars without escapes. */
static Loc loc_at(const Loader *l, const YamlNode *node, size_t at)
{
        Loc loc = load_text_loc(l, node);
        if (node->style == YAML_PLAIN || node->style == YAML_SINGLE || node->style == YAML_DOUBLE)
                loc.col += characters(node->text, at);
        return loc;
}

/* The } that closes ${; a } inside quotes does not. */
static const char *closing(const char *s)
{
        for (char quote = 0; *s; s++) {
                if (quote && *s == quote)
                        quote = 0;
                else if (!quote && (*s == '"' || *s == '\''))
                        quote = *s;
                else if (!quote && *s == '}')
                        return s;
        }
        return NULL;
}

typedef struct Splitter {
        Loader *l;
        const YamlNode *node;
        LoadType type;
        TemplatePart *parts;
        size_t n, capacity;
        bool failed;
} Splitter;

static TemplatePart *add(Splitter *s)
{
        if (s->n == s->capacity) {
                size_t capacity = s->capacity ? s->capacity * 2 : 4;
                TemplatePart *more = arena_new_array(s->l->arena, TemplatePart, capacity);
                if (s->n)
                        memcpy(more, s->parts, s->n * sizeof *more);
                s->parts = more;
                s->capacity = capacity;
        }
        return &s->parts[s->n++];
}

static void split_problem(Splitter *s, size_t at, const char *rule, const char *hint,
                          const char *text)
{
        problems_add(s->l->problems, loc_at(s->l, s->node, at), rule, hint, "%s", text);
        s->failed = true;
}

static void split_secret(Splitter *s, const ExprNode *n, size_t at, bool alone)
{
        const ExprSeg *name = n->name->next;
        if (!name || name->kind != SEG_KEY || name->next) {
                split_problem(s, at, "E-SECRET", NULL, "a secret is written ${secrets.name}");
        } else if (!(s->type.secret_ok || s->type.type == PARAM_SECRET) || !alone) {
                split_problem(s, at, "E-SECRET",
                              "secrets go into password fields, values of env, and stdin only, and "
                              "stand there alone",
                              "a secret must not be used here");
        } else {
                TemplatePart *part = add(s);
                part->kind = PART_SECRET;
                part->text = name->key;
                part->loc = loc_at(s->l, s->node, at);
        }
}

static void split_expression(Splitter *s, size_t at, size_t end)
{
        AUTO_ERR err = { 0 };
        const char *all = s->node->text;
        bool alone = at == 2 && !all[end + 1];
        bool sql = s->type.typed && s->type.type == PARAM_SQL;
        bool ident = str_starts(all + at, "ident:"), lit = str_starts(all + at, "lit:");
        size_t from = at + (ident ? 6 : lit ? 4 : 0);
        const char *text = arena_strndup(s->l->arena, all + from, end - from);
        Loc loc = loc_at(s->l, s->node, from);
        int col;
        const Expr *e = expr_parse_at(s->l->arena, text, loc, &col, &err);
        if (!e) {
                loc.col += col - 1;
                load_problem_err(s->l, loc, "E-EXPR", NULL, &err);
                s->failed = true;
                return;
        }
        if (e->root->op == X_NAME && str_eq(e->root->name->key, "secrets")) {
                split_secret(s, e->root, at, alone);
                return;
        }
        if (sql && !ident && !lit)
                split_problem(s, at, "E-SQL", "write ${ident:x} for a name, ${lit:x} for a value",
                              "a bare ${...} in a statement would be an injection");
        if (!sql && (ident || lit))
                split_problem(s, at, "E-SQL", "write ${x}",
                              "${ident:x} and ${lit:x} belong into statements only");
        TemplatePart *part = add(s);
        part->kind = ident ? PART_IDENT : lit ? PART_LITERAL : PART_VALUE;
        part->expr = e;
        part->loc = loc;
}

static void add_text(Splitter *s, const char *from, size_t n)
{
        if (!n)
                return;
        TemplatePart *part = add(s);
        part->kind = PART_TEXT;
        part->text = arena_strndup(s->l->arena, from, n);
}

/* False when there is no ${ (and no $${) in it. */
static bool split(Splitter *s)
{
        const char *all = s->node->text, *text = all, *p = all;
        if (!strstr(all, "${"))
                return false;
        while ((p = strstr(p, "${"))) {
                if (p > all && p[-1] == '$' && p > text) {
                        add_text(s, text, (size_t)(p - 1 - text));
                        text = p;
                        p += 2;
                        continue;
                }
                const char *end = closing(p + 2);
                if (!end) {
                        split_problem(s, (size_t)(p - all), "E-EXPR",
                                      "close it with }, or write $${", "${ is not closed");
                        return true;
                }
                add_text(s, text, (size_t)(p - text));
                split_expression(s, (size_t)(p + 2 - all), (size_t)(end - all));
                p = text = end + 1;
        }
        add_text(s, text, strlen(text));
        return true;
}

static bool number_type(ParamType t)
{
        return t == PARAM_INT || t == PARAM_SIZE || t == PARAM_DURATION;
}

static void whole_expression(Loader *l, Template *t, const Expr *e)
{
        TemplatePart *part = arena_new_type(l->arena, TemplatePart);
        part->kind = PART_VALUE;
        part->expr = e;
        part->loc = e->loc;
        t->parts = part;
        t->n_parts = 1;
        t->whole = true;
}

static void load_secret_field(Loader *l, const YamlNode *node, Template *t)
{
        if (!str_starts(node->text, "secrets.") || !node->text[8]) {
                load_problem(l, node, "E-SECRET",
                             "declare it under `secrets:` and write secrets.name here",
                             "a secret must not be written into a runbook");
                return;
        }
        TemplatePart *part = arena_new_type(l->arena, TemplatePart);
        part->kind = PART_SECRET;
        part->text = arena_strdup(l->arena, node->text + 8);
        part->loc = t->loc;
        t->parts = part;
        t->n_parts = 1;
}

/* A scalar without ${: is it what its type says? */
static void check_literal(Loader *l, const YamlNode *node, const char *what, Template *t)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON v = NULL;
        if (t->type == PARAM_SECRET) {
                load_secret_field(l, node, t);
                return;
        }
        if (yaml_is_null(node) && t->type != PARAM_ANY) {
                load_problem(l, node, "E-TYPE", "write a value, or leave the key out",
                             "`%s` is empty", what);
                return;
        }
        if (t->type == PARAM_EXPR) {
                const Expr *e = load_expr(l, node, what);
                if (e)
                        whole_expression(l, t, e);
                return;
        }
        if (value_from_text(t->type, node->text, &v, &err))
                return;
        if (number_type(t->type)) {
                AUTO_ERR ignored = { 0 };
                int col;
                const Expr *e =
                        expr_parse_at(l->arena, node->text, load_text_loc(l, node), &col, &ignored);
                bool word = e && e->root->op == X_NAME && !e->root->name->next;
                if (e && (!word || str_eq(node->text, "item"))) {
                        whole_expression(l, t, e);
                        return;
                }
        }
        load_problem_err(l, load_loc(l, node), "E-TYPE", what, &err);
}

static void load_scalar(Loader *l, const YamlNode *node, const char *what, LoadType type,
                        Template *t)
{
        t->text = arena_strdup(l->arena, node->text);
        t->plain = node->style == YAML_PLAIN;
        Splitter s = { .l = l, .node = node, .type = type };
        if (!split(&s)) {
                if (type.typed)
                        check_literal(l, node, what, t);
                return;
        }
        t->parts = s.parts;
        t->n_parts = s.n;
        t->whole = s.n == 1 && s.parts[0].kind == PART_VALUE;
        if (s.failed || !type.typed || t->whole)
                return;
        bool secret = s.n == 1 && s.parts[0].kind == PART_SECRET;
        if (type.type == PARAM_LIST || type.type == PARAM_MAP || type.type == PARAM_EXPR)
                load_problem(l, node, "E-TYPE", "let it be nothing but one ${...}",
                             "`%s` must be %s", what, param_type_example(type.type));
        else if (type.type == PARAM_SECRET && !secret)
                load_problem(l, node, "E-SECRET", "write secrets.name",
                             "`%s` must be a secret's name", what);
}

static const ParamSpec *field_of(const ParamSpec *fields, const char *name)
{
        for (; fields && fields->name; fields++)
                if (str_eq(fields->name, name))
                        return fields;
        return NULL;
}

static void unknown_field(Loader *l, const YamlNode *key, const ParamSpec *fields, const char *what)
{
        const char *names[128];
        size_t n = 0;
        for (; fields[n].name && n < LEN(names); n++)
                names[n] = fields[n].name;
        const char *near = text_nearest(key->text, names, n);
        AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`?", near) : NULL;
        load_problem(l, key, "E-KEY", hint, "%s has no key `%.60s`", what, key->text);
}

void load_missing(Loader *l, const YamlNode *map, const ParamSpec *fields, const char *what)
{
        for (const ParamSpec *f = fields; f && f->name; f++)
                if (!f->fallback && !yaml_get(map, f->name))
                        load_problem(l, map, "E-KEY", f->help, "%s needs `%s`", what, f->name);
}

static void hang(Template *parent, Template *child)
{
        if (parent->last)
                parent->last->next = child;
        else
                parent->first = child;
        parent->last = child;
        parent->n++;
}

static void load_children(Loader *l, const YamlNode *node, const char *what, LoadType type,
                          Template *t)
{
        for (const YamlNode *c = node->first; c; c = c->next) {
                LoadType inner = LOAD_UNTYPED;
                const char *name = what;
                if (node->kind == YAML_LIST && type.typed && type.type == PARAM_LIST) {
                        inner = LOAD_TYPE(type.fields ? PARAM_MAP : type.item);
                        inner.fields = type.fields;
                } else if (node->kind == YAML_MAP) {
                        const ParamSpec *f = field_of(type.fields, c->key->text);
                        name = c->key->text;
                        if (type.fields && !f) {
                                unknown_field(l, c->key, type.fields, what);
                                continue;
                        }
                        if (f)
                                inner = (LoadType){ .typed = true,
                                                    .type = f->type,
                                                    .item = f->item,
                                                    .fields = f->fields };
                        inner.secret_ok = str_eq(what, "env") || str_eq(name, "stdin");
                }
                Template *child = load_template(l, c, name, inner);
                if (node->kind == YAML_MAP) {
                        child->key = arena_strdup(l->arena, c->key->text);
                        child->key_loc = load_loc(l, c->key);
                }
                hang(t, child);
        }
        if (node->kind == YAML_MAP && type.fields)
                load_missing(l, node, type.fields, what);
}

Template *load_template(Loader *l, const YamlNode *node, const char *what, LoadType type)
{
        if (type.typed && type.type == PARAM_TARGET && node->kind == YAML_MAP)
                return load_target(l, node, what);
        Template *t = arena_new_type(l->arena, Template);
        *t = (Template){ .loc = load_loc(l, node),
                         .typed = type.typed,
                         .type = type.type,
                         .item = type.item,
                         .fields = type.fields,
                         .text = "" };
        bool any = !type.typed || type.type == PARAM_ANY;
        if (node->kind == YAML_SCALAR) {
                t->kind = TPL_SCALAR;
                load_scalar(l, node, what, type, t);
                return t;
        }
        t->kind = node->kind == YAML_LIST ? TPL_LIST : TPL_MAP;
        if (!any && type.type != (node->kind == YAML_LIST ? PARAM_LIST : PARAM_MAP)) {
                load_problem(l, node, "E-TYPE", NULL, "`%s` must be %s, not %s", what,
                             param_type_example(type.type), yaml_kind_name(node->kind));
                return t;
        }
        load_children(l, node, what, type, t);
        return t;
}

Template *load_with(Loader *l, const YamlNode *node, const YamlNode *at, const KindSpec *kind)
{
        static const ParamSpec none[] = { { 0 } };
        const ParamSpec *fields = kind && kind->params ? kind->params : none;
        if (!node) {
                if (kind)
                        load_missing(l, at, fields, kind->name);
                return NULL;
        }
        LoadType type = LOAD_TYPE(PARAM_MAP);
        type.fields = kind ? fields : NULL;
        return load_template(l, node, kind ? kind->name : "with", type);
}
