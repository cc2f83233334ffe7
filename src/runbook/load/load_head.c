/* load_head.c: what a runbook asks for before it begins: vars, secrets, decisions. */
#include "base/text.h"
#include "runbook/load/load.h"
#include "runbook/expr/pattern.h"
#include "runbook/place_spec.h"
#include "runbook/types.h"

/* ---- vars ---- */

static json_t *literal(Loader *l, const YamlNode *node, const Var *var, ParamType type,
                       const ParamSpec *fields);

static json_t *literal_record(Loader *l, const YamlNode *node, const Var *var,
                              const ParamSpec *fields)
{
        LoadType type = LOAD_TYPE(PARAM_MAP);
        type.fields = fields;
        AUTO_ERR err = { 0 };
        Scope none = { 0 };
        json_t *v = NULL;
        size_t before = l->problems->errors;
        const Template *t = load_template(l, node, var->record, type);
        if (l->problems->errors == before && !template_eval(t, fields, &none, &v, &err))
                load_problem_err(l, load_loc(l, node), "E-TYPE", var->name, &err);
        return v;
}

static json_t *literal(Loader *l, const YamlNode *node, const Var *var, ParamType type,
                       const ParamSpec *fields)
{
        AUTO_ERR err = { 0 };
        if (type == PARAM_LIST) {
                if (!load_is(l, node, YAML_LIST, var->name))
                        return NULL;
                json_t *list = json_array();
                for (const YamlNode *c = node->first; c; c = c->next) {
                        json_t *item = literal(l, c, var, fields ? PARAM_MAP : var->item, fields);
                        if (item)
                                json_array_append_new(list, item);
                }
                return list;
        }
        if (type == PARAM_MAP)
                return fields ? literal_record(l, node, var, fields) : NULL;
        if (!load_is(l, node, YAML_SCALAR, var->name))
                return NULL;
        if (strstr(node->text, "${")) {
                load_problem(l, node, "E-TYPE", "write a value",
                             "`%s` is given before the run and cannot hold ${...}", var->name);
                return NULL;
        }
        json_t *v;
        if (value_from_text(type, node->text, &v, &err))
                return v;
        load_problem_err(l, load_loc(l, node), "E-TYPE", var->name, &err);
        return NULL;
}

static void load_var_type(Loader *l, const YamlNode *c, Var *v)
{
        const YamlNode *type = yaml_get(c, "type");
        const char *text = type ? load_text(l, c, "type") : "string";
        v->type_text = text ? text : "string";
        if (text && !param_type_parse(text, &v->type, &v->item, &v->record))
                load_problem(l, type, "E-TYPE",
                             "string name bool int size duration version image path url, or "
                             "list<..> of one, of service or of source",
                             "there is no type `%.40s`", text);
        else if (v->type == PARAM_MAP || v->type == PARAM_SECRET || v->type == PARAM_TARGET ||
                 v->type == PARAM_SQL || v->type == PARAM_EXPR || v->type == PARAM_ANY)
                load_problem(l, type, "E-TYPE", NULL, "a variable cannot be of type `%s`", text);
}

static void load_var(Loader *l, const YamlNode *c, Var *v)
{
        static const char *const keys[] = { "type", "default", "ask",  "pattern", "min",
                                            "max",  "choices", "help", NULL };
        *v = (Var){ .loc = load_loc(l, c->key),
                    .name = arena_strdup(l->arena, c->key->text),
                    .type_text = "string" };
        load_id_ok(l, c->key, "variable's name");
        if (!load_map(l, c, v->name, keys, NULL))
                return;
        load_var_type(l, c, v);
        v->ask = load_text(l, c, "ask");
        v->help = load_text(l, c, "help");
        v->pattern = load_text(l, c, "pattern");
        AUTO_ERR err = { 0 };
        if (v->pattern && !pattern_check(v->pattern, &err))
                load_problem_err(l, load_loc(l, yaml_get(c, "pattern")), "E-TYPE", NULL, &err);
        const YamlNode *fallback = yaml_get(c, "default"), *choices = yaml_get(c, "choices");
        const ParamSpec *fields = record_fields(v->record);
        if (fallback)
                v->fallback = literal(l, fallback, v, v->type, fields);
        bool number = v->type == PARAM_INT || v->type == PARAM_SIZE || v->type == PARAM_DURATION;
        v->has_min = yaml_get(c, "min") != NULL;
        v->has_max = yaml_get(c, "max") != NULL;
        if ((v->has_min || v->has_max) && !number)
                load_problem(l, c, "E-TYPE", NULL, "min and max belong to numbers only");
        v->min = number ? load_number(l, c, "min", v->type, 0) : 0;
        v->max = number ? load_number(l, c, "max", v->type, 0) : 0;
        if (!choices || !load_is(l, choices, YAML_LIST, "choices"))
                return;
        v->choices = json_array();
        for (const YamlNode *x = choices->first; x; x = x->next) {
                json_t *one = literal(l, x, v, v->type == PARAM_LIST ? v->item : v->type, fields);
                if (one)
                        json_array_append_new(v->choices, one);
        }
}

void load_vars(Loader *l, const YamlNode *map)
{
        if (!map || !load_is(l, map, YAML_MAP, "vars"))
                return;
        Var *list = arena_new_array(l->arena, Var, map->n);
        l->rb->vars = list;
        for (const YamlNode *c = map->first; c; c = c->next)
                load_var(l, c, &list[l->rb->n_vars++]);
}

/* ---- secrets ---- */

static const ParamSpec from_prompt[] = {
        { .name = "from", .type = PARAM_STRING, .help = "prompt" },
        { .name = "ask", .type = PARAM_STRING, .fallback = "~", .help = "the question" },
        { 0 },
};
static const ParamSpec from_file[] = {
        { .name = "from", .type = PARAM_STRING, .help = "file" },
        { .name = "path", .type = PARAM_PATH, .help = "file whose first line it is" },
        { 0 },
};
static const ParamSpec from_env[] = {
        { .name = "from", .type = PARAM_STRING, .help = "env" },
        { .name = "name", .type = PARAM_STRING, .help = "variable of pgsherpa's environment" },
        { 0 },
};
static const ParamSpec from_command[] = {
        { .name = "from", .type = PARAM_STRING, .help = "command" },
        { .name = "argv", .type = PARAM_LIST, .help = "program and arguments" },
        { 0 },
};
static const ParamSpec from_generate[] = {
        { .name = "from", .type = PARAM_STRING, .help = "generate" },
        { .name = "length", .type = PARAM_INT, .fallback = "32", .help = "characters" },
        { .name = "alphabet", .type = PARAM_STRING, .fallback = "url-safe", .help = "url-safe" },
        { .name = "store",
          .type = PARAM_MAP,
          .fallback = "~",
          .help = "{file, mode, owner, if_exists}" },
        { 0 },
};

enum { MOST_SOURCES = 32 };

/* Where secrets may come from: the words, ending with NULL, and what each may say. */
static void secret_sources(Loader *l, const char **words, const ParamSpec **fields)
{
        static const struct {
                const char *word;
                const ParamSpec *fields;
        } ours[] = { { "prompt", from_prompt },
                     { "file", from_file },
                     { "env", from_env },
                     { "command", from_command } };
        size_t n = 0;
        for (; n < LEN(ours); n++) {
                words[n] = ours[n].word;
                fields[n] = ours[n].fields;
        }
        for (const PlaceSpec *const *p = place_specs; *p && n < MOST_SOURCES - 2; p++) {
                size_t rows = 0;
                if (!(*p)->secret_from)
                        continue;
                while ((*p)->secret_of[rows].name)
                        rows++;
                ParamSpec *list = arena_new_array(l->arena, ParamSpec, rows + 2);
                list[0] = (ParamSpec){ .name = "from",
                                       .type = PARAM_STRING,
                                       .help = (*p)->secret_from };
                memcpy(list + 1, (*p)->secret_of, rows * sizeof *list);
                words[n] = (*p)->secret_from;
                fields[n++] = list;
        }
        words[n] = "generate";
        fields[n++] = from_generate;
        words[n] = NULL;
}

static void load_secret(Loader *l, const YamlNode *c, SecretSpec *s)
{
        const char *words[MOST_SOURCES];
        const ParamSpec *fields[MOST_SOURCES];
        secret_sources(l, words, fields);
        *s = (SecretSpec){ .loc = load_loc(l, c->key),
                           .name = arena_strdup(l->arena, c->key->text),
                           .from = "" };
        load_id_ok(l, c->key, "secret's name");
        if (!load_is(l, c, YAML_MAP, s->name))
                return;
        LoadType type = LOAD_UNTYPED;
        load_text_required(l, c, "from", "a secret");
        int i = load_word(l, c, "from", words, -1);
        if (i >= 0) {
                type = LOAD_TYPE(PARAM_MAP);
                type.fields = fields[i];
                s->from = words[i];
        }
        s->spec = load_template(l, c, s->name, type);
}

void load_secrets(Loader *l, const YamlNode *map)
{
        if (!map || !load_is(l, map, YAML_MAP, "secrets"))
                return;
        SecretSpec *list = arena_new_array(l->arena, SecretSpec, map->n);
        l->rb->secrets = list;
        for (const YamlNode *c = map->first; c; c = c->next)
                load_secret(l, c, &list[l->rb->n_secrets++]);
}

/* ---- decisions ---- */

static void load_decision(Loader *l, const YamlNode *c, Decision *d)
{
        static const char *const keys[] = { "id",   "question",      "choices", "default",
                                            "type", "needed_before", NULL };
        *d = (Decision){ .loc = load_loc(l, c), .id = "", .question = "" };
        if (!load_map(l, c, "a decision", keys, NULL))
                return;
        d->id = load_text_required(l, c, "id", "a decision");
        if (yaml_get(c, "id"))
                load_id_ok(l, yaml_get(c, "id"), "id");
        d->question = load_text_required(l, c, "question", "a decision");
        d->needed_before = load_text(l, c, "needed_before");
        d->fallback = load_text(l, c, "default");
        static const char *const types[] = { "text", "choice", NULL };
        int type = load_word(l, c, "type", types, -1);
        const YamlNode *choices = yaml_get(c, "choices");
        if (!choices) {
                if (type == 1)
                        load_problem(l, c, "E-KEY", NULL, "a choice needs `choices`");
                return;
        }
        if (!load_is(l, choices, YAML_LIST, "choices"))
                return;
        d->choices = json_array();
        bool found = !d->fallback;
        for (const YamlNode *x = choices->first; x; x = x->next) {
                if (!load_is(l, x, YAML_SCALAR, "choices"))
                        continue;
                jx_append_str(d->choices, x->text);
                found |= str_eq(x->text, d->fallback);
        }
        if (!found)
                load_problem(l, yaml_get(c, "default"), "E-TYPE", "write one of the choices",
                             "`%s` is not among the choices", d->fallback);
}

void load_decisions(Loader *l, const YamlNode *list)
{
        if (!list || !load_is(l, list, YAML_LIST, "decisions"))
                return;
        Decision *all = arena_new_array(l->arena, Decision, list->n);
        l->rb->decisions = all;
        for (const YamlNode *c = list->first; c; c = c->next) {
                load_decision(l, c, &all[l->rb->n_decisions++]);
                for (size_t i = 0; i + 1 < l->rb->n_decisions; i++)
                        if (str_eq(all[i].id, all[l->rb->n_decisions - 1].id))
                                load_problem(l, c, "E-ID", NULL, "the id `%s` is here twice",
                                             all[i].id);
        }
}
