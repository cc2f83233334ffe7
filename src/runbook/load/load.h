/* load.h: what the files of the loader share. Inside this room only.
 *
 * Nobody here stops at the first mistake: each reader reports to `problems`, returns
 * something harmless, and its caller goes on. Rules: E-YAML E-KEY E-TYPE E-ID E-KIND E-NAME
 * E-EXPR E-LATER E-SECRET E-SQL E-PART. */
#pragma once

#include "runbook/template.h"
#include "yaml/yaml.h"

typedef struct Loader {
        Arena *arena;
        Runbook *rb;
        KindTable kinds;
        Problems *problems;
        const char *file;
        const YamlNode *defaults; /* of the document, or NULL */
        const char *part_home;    /* where parts are looked for first; NULL: only in part_dirs */
        const char *const *part_dirs;
} Loader;

/* ---- vars.c ---- */
/* A default must be what its own variable allows. */
void vars_check_defaults(const Runbook *rb, Problems *problems);

/* ---- load_util.c ---- */
Loc load_loc(const Loader *l, const YamlNode *at);
Loc load_text_loc(const Loader *l, const YamlNode *scalar); /* of its first character */
void load_problem(Loader *l, const YamlNode *at, const char *rule, const char *hint,
                  const char *fmt, ...) PRINTF(5, 6);
/* Takes message and hint of *err, and clears it. */
void load_problem_err(Loader *l, Loc at, const char *rule, const char *what, Err *err);
/* Must be a map and hold these keys only (NULL-terminated); `later`: known, but not yet. */
bool load_map(Loader *l, const YamlNode *node, const char *what, const char *const *keys,
              const char *const *later);
bool load_is(Loader *l, const YamlNode *node, YamlKind kind, const char *what);

const char *load_text(Loader *l, const YamlNode *map, const char *key); /* NULL: not there */
const char *load_text_required(Loader *l, const YamlNode *map, const char *key, const char *what);
bool load_bool(Loader *l, const YamlNode *map, const char *key, bool fallback);
int64_t load_number(Loader *l, const YamlNode *map, const char *key, ParamType type,
                    int64_t fallback);
/* One of `words` (NULL-terminated); its index, or `fallback` when not there or wrong. */
int load_word(Loader *l, const YamlNode *map, const char *key, const char *const *words,
              int fallback);
bool load_id_ok(Loader *l, const YamlNode *node, const char *what);
const Expr *load_expr(Loader *l, const YamlNode *node, const char *what);
const KindSpec *load_kind(Loader *l, const YamlNode *node);

/* ---- load_template.c ---- */
typedef struct LoadType {
        bool typed;
        ParamType type, item;
        const ParamSpec *fields;
        bool secret_ok; /* an env value or stdin */
} LoadType;
#define LOAD_UNTYPED ((LoadType){ .type = PARAM_ANY })
#define LOAD_TYPE(t) ((LoadType){ .typed = true, .type = (t) })
Template *load_template(Loader *l, const YamlNode *node, const char *what, LoadType type);
/* `with:` of a step or check; node may be NULL. Reports what is required and missing. */
Template *load_with(Loader *l, const YamlNode *node, const YamlNode *at, const KindSpec *kind);
void load_missing(Loader *l, const YamlNode *map, const ParamSpec *fields, const char *what);

/* ---- load_use.c: before anything else is read ---- */
/* Puts the steps and phases of parts in the place of each `use:`. */
void load_uses(Loader *l, YamlNode *root);

/* ---- load_head.c, load_target.c, load_step.c, load_gate.c ---- */
void load_vars(Loader *l, const YamlNode *map);
void load_secrets(Loader *l, const YamlNode *map);
void load_decisions(Loader *l, const YamlNode *list);
void load_targets(Loader *l, const YamlNode *map);
Template *load_target(Loader *l, const YamlNode *node, const char *what);
Template *load_on(Loader *l, const YamlNode *node);
void load_steps(Loader *l, const YamlNode *list, const char *nameless, const Step **ret,
                size_t *ret_n);
void load_gates(Loader *l, const YamlNode *gate, const GateSpec **ret, size_t *ret_n);
void load_error_rules(Loader *l, const YamlNode *list, const ErrorRule **ret, size_t *ret_n);

/* ---- names.c, lint.c: after everything is loaded ---- */
void names_check(const Runbook *rb, Problems *problems);
void lint_check(const Runbook *rb, Problems *problems);
