/* load_step.c: one step, all its keys (pgsherpa-runbook(5), section STEPS). */
#include "base/limits.h"
#include "runbook/expr/expr_tree.h"
#include "runbook/load/load.h"
#include "runbook/place_spec.h"

static const char *const later[] = { "tags", "must_undo_before", "mode", NULL };

static void load_expects(Loader *l, const YamlNode *list, Step *s)
{
        static const char *const keys[] = { "that", "else", "msg", "risk", "first", NULL };
        static const char *const words[] = { "fail", "warn", "ask", NULL };
        static const char *const firsts[] = { "go", "again", NULL };
        if (!list || !load_is(l, list, YAML_LIST, "expect"))
                return;
        Expect *all = arena_new_array(l->arena, Expect, list->n);
        s->expect = all;
        for (const YamlNode *c = list->first; c; c = c->next) {
                if (!load_map(l, c, "expect", keys, NULL))
                        continue;
                load_text_required(l, c, "that", "expect");
                const YamlNode *that = yaml_get(c, "that");
                Expect e = { .loc = load_loc(l, c),
                             .that = that ? load_expr(l, that, "that") : NULL,
                             .otherwise = (Verdict)load_word(l, c, "else", words, VERDICT_FAIL),
                             .msg = load_text(l, c, "msg"),
                             .risk = load_text(l, c, "risk"),
                             .again_first = load_word(l, c, "first", firsts, 0) == 1 };
                if (yaml_get(c, "first") && e.otherwise != VERDICT_ASK)
                        load_problem(l, yaml_get(c, "first"), "E-KEY", "say else: ask",
                                     "`first` is of a question, and nobody is asked");
                if (e.risk && e.otherwise != VERDICT_ASK)
                        load_problem(l, yaml_get(c, "risk"), "E-KEY", "say else: ask",
                                     "`risk` is of going on, and nobody is asked whether to");
                if (e.that)
                        all[s->n_expect++] = e;
        }
}

static void load_captures(Loader *l, const YamlNode *map, Step *s)
{
        if (!map || !load_is(l, map, YAML_MAP, "capture"))
                return;
        Capture *all = arena_new_array(l->arena, Capture, map->n);
        s->capture = all;
        for (const YamlNode *c = map->first; c; c = c->next) {
                load_id_ok(l, c->key, "fact's name");
                all[s->n_capture++] = (Capture){ .fact = arena_strdup(l->arena, c->key->text),
                                                 .value = load_expr(l, c, c->key->text) };
        }
}

static const ParamSpec condition_of_server[] = {
        { .name = "sql", .type = PARAM_SQL, .fallback = "~", .help = "a query of one value" },
        { .name = "role", .type = PARAM_NAME, .fallback = "~", .help = "a role that exists" },
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "a database that exists" },
        { .name = "same_hash", .type = PARAM_BOOL, .fallback = "~", .help = "of role" },
        { .name = "comment_matches", .type = PARAM_STRING, .fallback = "~", .help = "of database" },
        { .name = "on", .type = PARAM_TARGET, .fallback = "~", .help = "where to look" },
        { .name = "equals", .type = PARAM_STRING, .fallback = "~", .help = "the answer" },
        { 0 },
};

/* The keys that may ask something, those of places among them; *ret_words names them. */
static const ParamSpec *conditions(Loader *l, const char **ret_words, size_t *ret_asking)
{
        size_t n = 1, places = 0;
        const char *words = "sql";
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                places += (*p)->condition != NULL;
        ParamSpec *rows = arena_new_array(l->arena, ParamSpec, LEN(condition_of_server) + places);
        rows[0] = condition_of_server[0];
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                if ((*p)->condition) {
                        rows[n++] = *(*p)->condition;
                        words = arena_printf(l->arena, "%s, %s", words, (*p)->condition->name);
                }
        memcpy(rows + n, condition_of_server + 1, sizeof condition_of_server - sizeof *rows);
        *ret_words = arena_printf(l->arena, "%s, role or database", words);
        *ret_asking = n + 2;
        return rows;
}

static void load_done_ifs(Loader *l, const YamlNode *list, Step *s)
{
        if (!list || !load_is(l, list, YAML_LIST, "done_if"))
                return;
        const char *words = NULL;
        size_t n_asking = 0;
        DoneIf *all = arena_new_array(l->arena, DoneIf, list->n);
        LoadType type = LOAD_TYPE(PARAM_MAP);
        type.fields = conditions(l, &words, &n_asking);
        s->done_if = all;
        for (const YamlNode *c = list->first; c; c = c->next) {
                bool asks = false;
                for (size_t i = 0; i < n_asking; i++)
                        asks = asks || yaml_get(c, type.fields[i].name);
                if (c->kind == YAML_MAP && !asks)
                        load_problem(l, c, "E-KEY", NULL, "done_if needs %s", words);
                all[s->n_done_if++] = (DoneIf){ .loc = load_loc(l, c),
                                                .cond = load_template(l, c, "done_if", type) };
        }
}

/* {check: disk, path: /, free: 500MB} is host.disk with one need. */
static Template *disk_with(Loader *l, const YamlNode *rest, const KindSpec *kind)
{
        YamlNode *need = arena_new_type(l->arena, YamlNode);
        YamlNode *list = arena_new_type(l->arena, YamlNode);
        YamlNode *with = arena_new_type(l->arena, YamlNode);
        YamlNode *key = arena_new_type(l->arena, YamlNode);
        *need = *rest;
        need->key = NULL;
        need->next = NULL;
        *key = (YamlNode){
                .text = "need", .line = rest->line, .col = rest->col, .file = rest->file
        };
        *list = (YamlNode){ .kind = YAML_LIST,
                            .text = "",
                            .line = rest->line,
                            .col = rest->col,
                            .file = rest->file,
                            .key = key,
                            .first = need,
                            .last = need,
                            .n = 1 };
        *with = (YamlNode){ .kind = YAML_MAP,
                            .text = "",
                            .line = rest->line,
                            .col = rest->col,
                            .file = rest->file,
                            .first = list,
                            .last = list,
                            .n = 1 };
        return load_with(l, with, rest, kind);
}

/* The check's own keys stand beside `check:` and `on:`; they are the kind's `with:`. */
static void load_pre(Loader *l, const YamlNode *c, PreCheck *p)
{
        *p = (PreCheck){ .loc = load_loc(l, c), .check = "" };
        if (!load_is(l, c, YAML_MAP, "pre"))
                return;
        p->check = load_text_required(l, c, "check", "pre");
        const YamlNode *check = yaml_get(c, "check");
        bool disk = str_eq(p->check, "disk");
        if (!check || check->kind != YAML_SCALAR)
                return;
        YamlNode named = *check;
        if (disk)
                named.text = "host.disk";
        p->kind = load_kind(l, &named);
        if (p->kind && !(p->kind->traits & STEP_READ_ONLY))
                load_problem(l, check, "E-KIND", "a check only reads",
                             "`%s` changes something and cannot be a check", p->check);
        YamlNode rest = *c;
        rest.first = rest.last = NULL;
        rest.n = 0;
        for (const YamlNode *x = c->first; x; x = x->next) {
                if (str_eq(x->key->text, "on"))
                        p->on = load_on(l, x);
                if (str_eq(x->key->text, "on") || str_eq(x->key->text, "check"))
                        continue;
                YamlNode *copy = arena_new_type(l->arena, YamlNode);
                *copy = *x;
                copy->next = NULL;
                if (rest.last)
                        rest.last->next = copy;
                else
                        rest.first = copy;
                rest.last = copy;
                rest.n++;
        }
        p->with = disk ? disk_with(l, &rest, p->kind) : load_with(l, &rest, c, p->kind);
}

static void load_pres(Loader *l, const YamlNode *list, Step *s)
{
        if (!list || !load_is(l, list, YAML_LIST, "pre"))
                return;
        PreCheck *all = arena_new_array(l->arena, PreCheck, list->n);
        s->pre = all;
        for (const YamlNode *c = list->first; c; c = c->next)
                load_pre(l, c, &all[s->n_pre++]);
}

static void load_undo(Loader *l, const YamlNode *undo, Step *s)
{
        static const char *const keys[] = { "none", "ref", NULL };
        s->undo = UNDO_UNSET;
        if (!undo)
                return;
        if (undo->kind == YAML_LIST) {
                s->undo = UNDO_STEPS;
                load_steps(l, undo, arena_printf(l->arena, "%s_undo", s->id), &s->undo_steps,
                           &s->n_undo_steps);
        } else if (undo->kind == YAML_MAP && load_map(l, undo, "undo", keys, NULL)) {
                bool none = yaml_get(undo, "none") != NULL;
                s->undo = none ? UNDO_NONE : UNDO_REF;
                s->undo_why = load_text_required(l, undo, none ? "none" : "ref", "undo");
        } else if (str_eq(undo->text, "auto")) {
                s->undo = UNDO_AUTO;
        } else if (undo->kind == YAML_SCALAR) {
                load_problem(l, undo, "E-TYPE",
                             "auto, {none: reason}, {ref: step} or a list of steps",
                             "`undo` cannot be `%.40s`", undo->text);
        }
}

static void load_foreach(Loader *l, const YamlNode *each, Step *s)
{
        static const char *const keys[] = { "in", "as", "parallel", "id", "on_item_error", NULL };
        static const char *const words[] = { "stop", "ask", NULL };
        if (!each || !load_map(l, each, "foreach", keys, NULL))
                return;
        const YamlNode *in = yaml_get(each, "in");
        if (!in) {
                load_problem(l, each, "E-KEY", NULL, "foreach needs `in`");
                return;
        }
        if (in->kind == YAML_SCALAR && !strstr(in->text, "${")) {
                LoadType type = LOAD_TYPE(PARAM_EXPR);
                s->each = load_template(l, in, "in", type);
        } else {
                LoadType type = LOAD_TYPE(PARAM_LIST);
                type.item = PARAM_ANY;
                s->each = load_template(l, in, "in", type);
        }
        if (s->each->whole)
                s->each_expr = s->each->parts[0].expr;
        const char *as = load_text(l, each, "as");
        if (as && !str_eq(as, "item"))
                load_problem(l, yaml_get(each, "as"), "E-LATER", "write as: item",
                             "the one item is always called `item`");
        const YamlNode *id = yaml_get(each, "id");
        if (id)
                s->each_id = load_template(l, id, "id", LOAD_TYPE(PARAM_STRING));
        int error = load_word(l, each, "on_item_error", words, -1);
        s->on_item_error = error < 0 ? NULL : words[error];
        int64_t parallel = load_number(l, each, "parallel", PARAM_INT, 1);
        s->each_parallel = parallel >= 1 && parallel <= 16 ? (int)parallel : 1;
        if (parallel != s->each_parallel)
                load_problem(l, yaml_get(each, "parallel"), "E-TYPE", "a number from 1 to 16",
                             "`parallel` cannot be %lld", (long long)parallel);
}

static void load_retry(Loader *l, const YamlNode *retry, Step *s)
{
        static const char *const keys[] = { "times", "wait", "factor", "only", NULL };
        static const char *const words[] = { "transient", "any", NULL };
        if (!retry || !load_map(l, retry, "retry", keys, NULL))
                return;
        int64_t times = load_number(l, retry, "times", PARAM_INT, 1);
        if (times < 0 || times > 100)
                load_problem(l, yaml_get(retry, "times"), "E-TYPE", "a number from 0 to 100",
                             "`times` cannot be %lld", (long long)times);
        else
                s->retry_times = (int)times;
        s->retry_wait_ms = load_number(l, retry, "wait", PARAM_DURATION, 2000);
        s->retry_any = load_word(l, retry, "only", words, 0) == 1;
        const char *factor = load_text(l, retry, "factor");
        s->retry_factor = factor ? strtod(factor, NULL) : 2;
        if (!(s->retry_factor >= 1 && s->retry_factor <= 10)) {
                load_problem(l, yaml_get(retry, "factor"), "E-TYPE", "a number from 1 to 10",
                             "`factor` cannot be `%.20s`", factor);
                s->retry_factor = 2;
        }
}

static void load_estimate(Loader *l, const YamlNode *map, Step *s)
{
        static const char *const keys[] = { "from", NULL };
        const YamlNode *estimate = yaml_get(map, "estimate");
        if (estimate && estimate->kind == YAML_MAP) /* from: rehearsal; known after one */
                load_map(l, estimate, "estimate", keys, NULL);
        else
                s->estimate_ms = load_number(l, map, "estimate", PARAM_DURATION, 0);
}

/* What a kind does to the world, where the step does not say it. */
static Effect effect_of(const KindSpec *kind)
{
        if (!kind || (kind->traits & STEP_READ_ONLY))
                return EFFECT_READ;
        if (kind->traits & STEP_DESTRUCTIVE)
                return EFFECT_DESTROY;
        static const char *const create[] = { ".create", ".copy", ".pull", ".from_dir", ".dump" };
        for (size_t i = 0; i < LEN(create); i++)
                if (str_ends(kind->name, create[i]))
                        return EFFECT_CREATE;
        return str_eq(kind->name, "server.start") ? EFFECT_CREATE : EFFECT_MODIFY;
}

static void load_words_of_step(Loader *l, const YamlNode *node, Step *s)
{
        static const char *const effects[] = { "read", "create", "modify", "destroy", NULL };
        static const char *const pnrs[] = { "false", "soft", "hard", NULL };
        static const char *const marks[] = { "begin", "end", NULL };
        static const char *const classes[] = { "skip", "redo", "verify-then-redo",
                                               "xid",  "ask",  NULL };
        bool escape = s->kind && (s->kind->traits & STEP_SHELL);
        if (escape && !yaml_get(node, "effect"))
                load_problem(l, node, "E-KEY", "effect: read, create, modify or destroy",
                             "`%s` runs what it is told: it needs `effect`", s->kind->name);
        s->effect = (Effect)load_word(l, node, "effect", effects, (int)effect_of(s->kind));
        s->pnr = (Pnr)load_word(l, node, "point_of_no_return", pnrs, PNR_NONE);
        s->downtime = (Downtime)(load_word(l, node, "downtime", marks, -1) + 1);
        int resume = load_word(l, node, "resume", classes, -1);
        s->resume = resume < 0 ? NULL : classes[resume];
        s->unsafe = load_bool(l, node, "unsafe", false);
        s->accept_lost_writes = load_text(l, node, "accept_lost_writes");
}

static const YamlNode *or_default(const Loader *l, const YamlNode *node, const char *key)
{
        const YamlNode *own = yaml_get(node, key);
        return own ? own : yaml_get(l->defaults, key);
}

static void load_title(Loader *l, const YamlNode *node, Step *s)
{
        s->title = load_text(l, node, "title");
        if (s->title)
                s->title_text =
                        load_template(l, yaml_get(node, "title"), "title", LOAD_TYPE(PARAM_STRING));
        else
                s->title = s->kind ? s->kind->summary : s->id;
}

static void load_step(Loader *l, const YamlNode *node, const char *nameless, size_t i, Step *s)
{
        static const char *const keys[] = { "id",       "title",
                                            "why",      "do",
                                            "on",       "with",
                                            "when",     "done_if",
                                            "pre",      "expect",
                                            "capture",  "effect",
                                            "undo",     "point_of_no_return",
                                            "gate",     "on_error",
                                            "retry",    "timeout",
                                            "resume",   "downtime",
                                            "estimate", "foreach",
                                            "unsafe",   "accept_lost_writes",
                                            NULL };
        *s = (Step){ .loc = load_loc(l, node), .id = "", .title = "", .undo = UNDO_UNSET };
        if (!load_map(l, node, "a step", keys, later))
                return;
        if (nameless && !yaml_get(node, "id"))
                s->id = arena_printf(l->arena, "%s_%zu", nameless, i + 1);
        else
                s->id = load_text_required(l, node, "id", "a step");
        if (yaml_get(node, "id"))
                load_id_ok(l, yaml_get(node, "id"), "id");
        load_text_required(l, node, "do", "a step");
        if (yaml_get(node, "do"))
                s->kind = load_kind(l, yaml_get(node, "do"));
        s->why = load_text(l, node, "why");
        load_title(l, node, s);
        s->on = load_on(l, yaml_get(node, "on"));
        if (s->kind || yaml_get(node, "with"))
                s->with = load_with(l, yaml_get(node, "with"), node, s->kind);
        if (yaml_get(node, "when"))
                s->when = load_expr(l, yaml_get(node, "when"), "when");
        load_done_ifs(l, yaml_get(node, "done_if"), s);
        load_pres(l, yaml_get(node, "pre"), s);
        load_expects(l, yaml_get(node, "expect"), s);
        load_captures(l, yaml_get(node, "capture"), s);
        load_words_of_step(l, node, s);
        load_undo(l, yaml_get(node, "undo"), s);
        if (s->undo == UNDO_UNSET && s->effect != EFFECT_READ && s->kind && s->kind->undoable)
                s->undo = UNDO_AUTO;
        load_gates(l, yaml_get(node, "gate"), &s->gates, &s->n_gates);
        load_error_rules(l, or_default(l, node, "on_error"), &s->on_error, &s->n_on_error);
        load_retry(l, or_default(l, node, "retry"), s);
        const YamlNode *timeout = or_default(l, node, "timeout");
        if (timeout)
                s->timeout_ms = load_number(l, timeout->parent, "timeout", PARAM_DURATION, 0);
        load_estimate(l, node, s);
        load_foreach(l, yaml_get(node, "foreach"), s);
}

void load_steps(Loader *l, const YamlNode *list, const char *nameless, const Step **ret,
                size_t *ret_n)
{
        *ret = NULL;
        *ret_n = 0;
        if (!list || !load_is(l, list, YAML_LIST, "steps"))
                return;
        if (list->n > LIMIT_STEPS) {
                load_problem(l, list, "E-KEY", "split the runbook", "more than %d steps",
                             LIMIT_STEPS);
                return;
        }
        Step *all = arena_new_array(l->arena, Step, list->n);
        *ret = all;
        for (const YamlNode *c = list->first; c; c = c->next, (*ret_n)++)
                load_step(l, c, nameless, *ret_n, &all[*ret_n]);
}
