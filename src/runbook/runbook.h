/* runbook.h: a runbook in memory: typed, located, validated.
 *
 *      AUTO_PROBLEMS problems = {0};
 *      Runbook *rb = runbook_load(path, kinds, &problems, err);
 *      if (!rb) { ... every problem has file:line:col, what, and what to do ... }
 *
 * Everything hangs in the runbook's own arena and is immutable after loading. Values that
 * may hold ${...} are kept as Template pointers and evaluated against a Scope; expressions
 * as Expr pointers (expr.h). A step here is the *written* step; plan.h expands foreach. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runbook/expr.h"
#include "runbook/loc.h"
#include "runbook/param.h"
#include "runbook/scope.h"

typedef struct Problem {
        Loc loc;
        bool warning;  /* else an error: nothing starts */
        char rule[16]; /* "E-FENCE", "E-YAML", "E-TYPE" ... */
        char *text;
        char *hint; /* may be NULL */
        int order;  /* 0: of the runbook's own file; n: of the n-th part it uses */
} Problem;

typedef struct Problems {
        Problem *list;
        size_t n, capacity, errors;
        const LocUse *uses; /* while a runbook is loaded: its parts. A problem in one of them says
                               in its text where that is used */
} Problems;
void problems_add(Problems *p, Loc loc, const char *rule, const char *hint, const char *fmt, ...)
        PRINTF(5, 6);                  /* a rule that starts with W- is a warning */
bool problems_full(const Problems *p); /* LIMIT_PROBLEMS are kept; more are only counted */
void problems_done(Problems *p);
void problems_sort(Problems *p); /* by file and line; runbook_load() has done it */
/* "app.yaml:12:7: E-TYPE `soon` is not a duration; write ..", malloc()ed */
char *problem_words(const Problem *p) MUST_CHECK;
#define AUTO_PROBLEMS CLEANUP(problems_done) Problems

/* A YAML value that may hold ${...}: scalar, list or map. Opaque; see template.h. */
typedef struct Template Template;

typedef struct Var {
        Loc loc;
        const char *name, *ask, *pattern, *help;
        const char *type_text; /* as written: "list<service>" */
        ParamType type, item;  /* item: of list<T> */
        const char *record;    /* "service" or "source" for list<service> / <source> */
        json_t *fallback;      /* NULL: must be given */
        json_t *choices;       /* array or NULL */
        bool has_min, has_max;
        int64_t min, max;
} Var;

typedef struct SecretSpec {
        Loc loc;
        const char *name;
        const char *from;     /* prompt file env command compose_env generate */
        const Template *spec; /* the whole map */
} SecretSpec;

typedef struct TargetSpec {
        Loc loc;
        const char *name, *kind;
        const Template *spec; /* the whole map */
} TargetSpec;

typedef enum Verdict { VERDICT_FAIL, VERDICT_WARN, VERDICT_ASK } Verdict;
typedef struct Expect {
        Loc loc;
        const Expr *that;
        Verdict otherwise;
        const char *msg;  /* may be NULL */
        const char *risk; /* of going on: shown, and the words typed; or NULL */
        bool again_first; /* looking again is offered before going on */
} Expect;

typedef struct Capture {
        const char *fact; /* becomes facts.<step id>.<fact> */
        const Expr *value;
} Capture;

typedef enum GateKind { GATE_YES, GATE_WORD, GATE_NAME_OF, GATE_AFTER } GateKind;
typedef struct GateSpec {
        Loc loc;
        GateKind kind;
        const Template *text;    /* of word */
        const char *target;      /* of name-of */
        const char *step;        /* of after */
        int64_t wait_ms;         /* of after, unless it is: */
        const Template *wait;    /* "${vars.keep}": milliseconds when evaluated */
        const char *const *show; /* plan, undo, budget, diff, meter ... */
        size_t n_show;
        bool once; /* one answer for all items of a foreach */
} GateSpec;

typedef enum OnError {
        ON_ASK,
        ON_FAIL,
        ON_RETRY,
        ON_TOLERATE,
        ON_UNDO_STEP,
        ON_UNDO_PHASE,
} OnError;
typedef struct ErrorRule {
        Loc loc;
        const char *sqlstate; /* NULL: any */
        const char *match;    /* POSIX ERE on the message, or NULL */
        int max;              /* 0: no limit given */
        OnError then;
        int64_t wait_ms;
        const char *note;
} ErrorRule;

typedef struct DoneIf {
        Loc loc;
        const Template *cond; /* {sql, on, equals} | {role, on} | {compose_image, equals} ... */
} DoneIf;

typedef struct PreCheck {
        Loc loc;
        const char *check;    /* as written: a read-only step kind, or "disk" */
        const KindSpec *kind; /* what runs; "disk" {path, free} is host.disk */
        const Template *on;   /* NULL: the step's own target */
        const Template *with; /* map, typed by the kind's params; NULL: {} */
} PreCheck;

typedef enum Effect { EFFECT_READ, EFFECT_CREATE, EFFECT_MODIFY, EFFECT_DESTROY } Effect;
typedef enum Downtime { DOWNTIME_NONE, DOWNTIME_BEGIN, DOWNTIME_END } Downtime;
typedef enum Pnr { PNR_NONE, PNR_SOFT, PNR_HARD } Pnr;

typedef struct Step {
        Loc loc;
        const char *id, *title, *why;
        const Template *title_text; /* the title where ${...} is resolved */
        const KindSpec *kind;
        const Template *on;   /* target name (evaluates to a plain string) or map
                                 written in place; NULL: none */
        const Template *with; /* map; NULL: {} */
        const Expr *when;
        const DoneIf *done_if;
        size_t n_done_if;
        const PreCheck *pre;
        size_t n_pre;
        const Expect *expect;
        size_t n_expect;
        const Capture *capture;
        size_t n_capture;
        const GateSpec *gates;
        size_t n_gates;
        const ErrorRule *on_error;
        size_t n_on_error;
        Effect effect;
        enum { UNDO_AUTO, UNDO_NONE, UNDO_STEPS, UNDO_REF, UNDO_UNSET } undo;
        /* not written: UNDO_AUTO where the kind can undo */
        const char *undo_why; /* of UNDO_NONE: the reason; of UNDO_REF: step id */
        const struct Step *undo_steps;
        size_t n_undo_steps;
        Pnr pnr;
        int retry_times;
        int64_t retry_wait_ms;
        double retry_factor;
        bool retry_any;     /* else only errors that may pass (err_is_retryable) */
        int64_t timeout_ms; /* 0: none */
        const char *resume; /* class, or NULL: the kind's own */
        Downtime downtime;
        int64_t estimate_ms;  /* 0: unknown */
        const Template *each; /* foreach.in: an expression's text; NULL: once */
        const Expr *each_expr;
        const Template *each_id;
        const char *on_item_error; /* stop or ask; NULL: stop */
        int each_parallel;         /* 1: one after the other */
        bool unsafe;               /* shell */
        const char *accept_lost_writes;
} Step;

typedef struct Fence {
        Loc loc;
        bool set;
        const Template *targets, *services;
} Fence;

typedef struct Phase {
        Loc loc;
        const char *id, *title, *users_see;
        enum { PHASE_ASK, PHASE_ROLLBACK, PHASE_STOP } on_failure;
        Fence fence;
        const Step *steps;
        size_t n_steps;
} Phase;

typedef struct Decision {
        Loc loc;
        const char *id, *question, *needed_before;
        json_t *choices;      /* array, or NULL for free text */
        const char *fallback; /* default, or NULL */
} Decision;

/* A part that is used, once however often it is. */
typedef struct RunbookPart {
        const char *name, *path, *text; /* text: the exact bytes */
        size_t text_len;
        char sha256[65];
} RunbookPart;

typedef struct Runbook {
        Arena *arena;
        const char *path, *name, *title, *text; /* text: the exact bytes */
        size_t text_len;
        char sha256[65]; /* of the text, and of its parts where there are any */
        const RunbookPart *parts;
        size_t n_parts;
        int version;
        const Var *vars;
        size_t n_vars;
        const SecretSpec *secrets;
        size_t n_secrets;
        const TargetSpec *targets;
        size_t n_targets;
        const Decision *decisions;
        size_t n_decisions;
        const Phase *phases;
        size_t n_phases;
        const Step *cleanup;
        size_t n_cleanup;
        struct {
                bool set;
                Loc loc;
                const char *title, *from;
                const Template *meter; /* {on, since, show}, or NULL */
                int64_t window_ms;     /* how long it stays possible; 0: not said */
                const GateSpec *gates;
                size_t n_gates;
                const Step *verify;
                size_t n_verify; /* run after the undo, read-only */
        } rollback;
        int64_t budget_ms; /* of downtime; 0: none */
        int warn_at;       /* percent of the budget */
        const Template *start_at;
} Runbook;

/* NULL with problems (syntax, types, lint rules) or with *err when the file cannot be read.
 * Warnings alone do not fail. Parts are looked for in `parts/` beside the file (not of a text),
 * then in `part_dirs` (ends with NULL, or is NULL). */
Runbook *runbook_load(const char *path, const char *const *part_dirs, KindTable kinds,
                      Problems *problems, Err *err) MUST_CHECK;
Runbook *runbook_load_text(const char *name, const char *text, size_t n,
                           const char *const *part_dirs, KindTable kinds, Problems *problems,
                           Err *err) MUST_CHECK;
/* Puts runbook.yaml and parts/NAME.yaml, the exact bytes, into a directory; what is there already
 * stays. From them alone the same runbook loads again. */
bool runbook_save(const Runbook *rb, const char *dir, Err *err) MUST_CHECK;
Runbook *runbook_free(Runbook *rb);

/* Types the given answers ({"dir": "/srv/app", "to": "17"}: strings from the command line or
 * the form, or already typed JSON), fills in defaults and checks patterns, choices, limits.
 * Every problem is reported; *ret_vars is the namespace `vars`. */
bool runbook_vars(const Runbook *rb, const json_t *answers, json_t **ret_vars,
                  Problems *problems) MUST_CHECK;

/* Evaluates a template to JSON, typed by `fields` (a map's rows; NULL: the types it was loaded
 * with). Keys that were left out get their fallback; a fallback of "" leaves a key out unless
 * it is a text. `t` may be NULL: an empty map. While Scope.planning is set, what cannot be
 * known yet is the text ‹..› whatever the type says. A secret becomes {"$secret": name}, a
 * target's name {"$target": name}. */
bool template_eval(const Template *t, const ParamSpec *fields, const Scope *scope, json_t **ret,
                   Err *err) MUST_CHECK;
bool template_eval_text(const Template *t, const Scope *scope, char **ret, Err *err) MUST_CHECK;
Loc template_loc(const Template *t);
