/* load.c: the document, from its first key to its last, then names, then lint. */
#include "runbook/load/load.h"

#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"

#include <ctype.h>

static void load_header(Loader *l, const YamlNode *root)
{
        Runbook *rb = l->rb;
        const char *api = load_text_required(l, root, "api", "a runbook");
        if (*api && !str_eq(api, "pgsherpa/v1"))
                load_problem(l, yaml_get(root, "api"), "E-TYPE", "write api: pgsherpa/v1",
                             "`%.40s` is not an api this pgsherpa knows", api);
        rb->name = load_text_required(l, root, "runbook", "a runbook");
        for (const char *s = rb->name; *s; s++) {
                if (islower((unsigned char)*s) || isdigit((unsigned char)*s) || strchr("-_", *s))
                        continue;
                load_problem(l, yaml_get(root, "runbook"), "E-ID", "small letters, digits, - and _",
                             "`%.60s` is no runbook's name", rb->name);
                break;
        }
        rb->title = load_text_required(l, root, "title", "a runbook");
        load_text_required(l, root, "version", "a runbook");
        rb->version = (int)load_number(l, root, "version", PARAM_INT, 1);
        if (yaml_get(root, "start_at"))
                rb->start_at = load_template(l, yaml_get(root, "start_at"), "start_at",
                                             LOAD_TYPE(PARAM_STRING));
}

static void load_budget(Loader *l, const YamlNode *budget)
{
        static const char *const keys[] = { "downtime", "warn_at", NULL };
        l->rb->warn_at = 70;
        if (!budget || !load_map(l, budget, "budget", keys, NULL))
                return;
        l->rb->budget_ms = load_number(l, budget, "downtime", PARAM_DURATION, 0);
        const char *warn = load_text(l, budget, "warn_at");
        char *end;
        long percent = warn ? strtol(warn, &end, 10) : 70;
        if (warn && (end == warn || !str_eq(end, "%") || percent < 1 || percent > 100))
                load_problem(l, yaml_get(budget, "warn_at"), "E-TYPE", "write 70%",
                             "`%.20s` is not a share of the budget", warn);
        else
                l->rb->warn_at = (int)percent;
}

static void load_fence(Loader *l, const YamlNode *node, Fence *f)
{
        static const char *const keys[] = { "targets", "services", NULL };
        if (!node || !load_map(l, node, "fence", keys, NULL))
                return;
        f->set = true;
        f->loc = load_loc(l, node);
        LoadType names = LOAD_TYPE(PARAM_LIST);
        const YamlNode *targets = yaml_get(node, "targets"), *services = yaml_get(node, "services");
        if (targets)
                f->targets = load_template(l, targets, "targets", names);
        else
                load_problem(l, node, "E-KEY", NULL, "fence needs `targets`");
        if (services)
                f->services = load_template(l, services, "services", names);
}

static void load_phase(Loader *l, const YamlNode *node, Phase *p)
{
        static const char *const keys[] = { "id",    "title", "users_see", "on_failure",
                                            "fence", "steps", NULL };
        static const char *const later[] = { "mode", "foreach", "done_if", NULL };
        static const char *const words[] = { "ask", "rollback", "stop", NULL };
        *p = (Phase){ .loc = load_loc(l, node), .id = "", .title = "" };
        if (!load_map(l, node, "a phase", keys, later))
                return;
        p->id = load_text_required(l, node, "id", "a phase");
        if (yaml_get(node, "id"))
                load_id_ok(l, yaml_get(node, "id"), "id");
        const char *title = load_text(l, node, "title");
        p->title = title ? title : p->id;
        p->users_see = load_text(l, node, "users_see");
        p->on_failure = (unsigned)load_word(l, node, "on_failure", words, PHASE_ASK);
        load_fence(l, yaml_get(node, "fence"), &p->fence);
        if (!yaml_get(node, "steps"))
                load_problem(l, node, "E-KEY", NULL, "a phase needs `steps`");
        load_steps(l, yaml_get(node, "steps"), NULL, &p->steps, &p->n_steps);
        if (yaml_get(node, "steps") && !p->n_steps)
                load_problem(l, node, "E-KEY", "give it a step, or leave it out",
                             "the phase `%.40s` has no steps", p->id);
}

static void load_phases(Loader *l, const YamlNode *list)
{
        enum { MAX_PHASES = 5 }; /* the phase rail is 80 columns wide (screens) */
        if (!list || !load_is(l, list, YAML_LIST, "phases"))
                return;
        Phase *all = arena_new_array(l->arena, Phase, list->n);
        l->rb->phases = all;
        for (const YamlNode *c = list->first; c; c = c->next) {
                size_t n = l->rb->n_phases++;
                load_phase(l, c, &all[n]);
                if (n == MAX_PHASES)
                        load_problem(l, c, "E-KEY", "join some", "more than %d phases", MAX_PHASES);
                bool reserved = str_eq(all[n].id, "cleanup") || str_eq(all[n].id, "rollback");
                if (reserved)
                        load_problem(l, c, "E-ID", NULL, "a phase cannot be called `%s`",
                                     all[n].id);
                for (size_t i = 0; i < n; i++)
                        if (*all[n].id && str_eq(all[i].id, all[n].id))
                                load_problem(l, c, "E-ID", NULL, "the phase `%s` is here twice",
                                             all[n].id);
        }
        if (!l->rb->n_phases)
                load_problem(l, list, "E-KEY", NULL, "a runbook needs a phase");
}

static void load_rollback(Loader *l, const YamlNode *node)
{
        static const char *const keys[] = { "title", "from",  "meter",  "window",
                                            "gate",  "steps", "verify", NULL };
        static const ParamSpec meter[] = {
                { .name = "on", .type = PARAM_TARGET, .help = "server that is asked" },
                { .name = "since", .type = PARAM_STRING, .help = "step since which writes count" },
                { .name = "show",
                  .type = PARAM_LIST,
                  .fallback = "~",
                  .help = "rows_changed, first_write_at" },
                { 0 },
        };
        Runbook *rb = l->rb;
        if (!node || !load_map(l, node, "rollback", keys, NULL))
                return;
        rb->rollback.set = true;
        rb->rollback.loc = load_loc(l, node);
        rb->rollback.title = load_text(l, node, "title");
        rb->rollback.from = load_text(l, node, "from");
        rb->rollback.window_ms = load_number(l, node, "window", PARAM_DURATION, 0);
        const YamlNode *steps = yaml_get(node, "steps");
        if (!steps || !str_eq(steps->text, "undo-in-reverse"))
                load_problem(l, steps ? steps : node, "E-LATER", "write steps: undo-in-reverse",
                             "a rollback of its own steps is not in this version of pgsherpa");
        if (yaml_get(node, "meter")) {
                LoadType type = LOAD_TYPE(PARAM_MAP);
                type.fields = meter;
                rb->rollback.meter = load_template(l, yaml_get(node, "meter"), "meter", type);
        }
        load_gates(l, yaml_get(node, "gate"), &rb->rollback.gates, &rb->rollback.n_gates);
        load_steps(l, yaml_get(node, "verify"), "rollback_verify", &rb->rollback.verify,
                   &rb->rollback.n_verify);
        for (size_t i = 0; i < rb->rollback.n_verify; i++)
                if (rb->rollback.verify[i].kind && rb->rollback.verify[i].effect != EFFECT_READ)
                        problems_add(l->problems, rb->rollback.verify[i].loc, "E-KIND", NULL,
                                     "`%s` changes something and cannot be a check",
                                     rb->rollback.verify[i].kind->name);
}

static void load_document(Loader *l, const YamlNode *root)
{
        static const char *const keys[] = { "api",     "runbook",   "title",   "version",
                                            "vars",    "secrets",   "targets", "defaults",
                                            "budget",  "decisions", "phases",  "rollback",
                                            "cleanup", "start_at",  NULL };
        static const char *const later[] = { "modes", NULL };
        static const char *const defaults[] = { "timeout", "retry", "on_error", NULL };
        if (yaml_get(root, "part") && !yaml_get(root, "runbook")) {
                load_problem(l, yaml_get(root, "part"), "E-PART",
                             "name a runbook that uses it, or `pgsherpa explain` with its name",
                             "this is a part: it is checked where a runbook uses it");
                return;
        }
        if (yaml_get(root, "retention")) {
                load_problem(l, yaml_get(root, "retention"), "E-KEY",
                             "write a step `do: bundle.prune` into `cleanup`",
                             "`retention` is not a key: what removes backups is a step, so that it "
                             "is planned, shown and recorded");
                return;
        }
        if (!load_map(l, root, "the file", keys, later))
                return;
        load_header(l, root);
        load_vars(l, yaml_get(root, "vars"));
        load_secrets(l, yaml_get(root, "secrets"));
        load_targets(l, yaml_get(root, "targets"));
        l->defaults = yaml_get(root, "defaults");
        if (l->defaults && !load_map(l, l->defaults, "defaults", defaults, NULL))
                l->defaults = NULL;
        load_budget(l, yaml_get(root, "budget"));
        load_decisions(l, yaml_get(root, "decisions"));
        if (!yaml_get(root, "phases"))
                load_problem(l, root, "E-KEY", NULL, "a runbook needs `phases`");
        load_phases(l, yaml_get(root, "phases"));
        load_rollback(l, yaml_get(root, "rollback"));
        load_steps(l, yaml_get(root, "cleanup"), NULL, &l->rb->cleanup, &l->rb->n_cleanup);
}

/* A runbook without parts is its text; one with parts is all of them. */
static void seal(Runbook *rb)
{
        digest_hex_of(rb->text, rb->text_len, rb->sha256);
        if (!rb->n_parts)
                return;
        AUTO_DIGEST d = digest_new();
        digest_add(d, rb->sha256, 64);
        for (size_t i = 0; i < rb->n_parts; i++) {
                digest_add(d, rb->parts[i].name, strlen(rb->parts[i].name) + 1);
                digest_add(d, rb->parts[i].sha256, 64);
        }
        digest_hex(d, rb->sha256);
}

static void load_tree(Loader *l, YamlNode *root, const char *text, size_t n)
{
        Runbook *rb = l->rb;
        rb->text = arena_strndup(l->arena, text, n);
        rb->text_len = n;
        size_t before = l->problems->errors;
        load_uses(l, root);
        if (l->problems->errors != before)
                return; /* what is missing would be told again, as steps and facts that are not
                           there */
        load_document(l, root);
        names_check(rb, l->problems);
        vars_check_defaults(rb, l->problems);
        seal(rb);
}

/* `home` may be NULL: where parts are looked for first. */
static Runbook *load_at(Loader l, const char *name, const char *home, const char *text, size_t n)
{
        AUTO_ERR why = { 0 };
        Problems *problems = l.problems;
        size_t before = problems->errors;
        Arena *arena = arena_new();
        Runbook *rb = arena_new_type(arena, Runbook);
        rb->arena = arena;
        rb->path = arena_strdup(arena, name);
        rb->name = rb->title = "";
        l.arena = arena;
        l.rb = rb;
        l.file = rb->path;
        l.part_home = home;
        problems->uses = NULL;
        YamlNode *root;
        YamlSpot at;
        if (!yaml_parse_at(arena, text, n, YAML_STRICT, &root, &at, &why)) {
                Loc loc = { .file = rb->path, .line = MAX(at.line, 1), .col = MAX(at.col, 1) };
                load_problem_err(&l, loc, "E-YAML", NULL, &why);
        } else {
                load_tree(&l, root, text, n);
        }
        /* Rules of conduct for a file with holes in it would report the holes again. */
        if (problems->errors == before)
                lint_check(rb, problems);
        problems->uses = NULL; /* they are the runbook's */
        if (problems->errors != before)
                rb = runbook_free(rb);
        problems_sort(problems);
        return rb;
}

Runbook *runbook_load_text(const char *name, const char *text, size_t n,
                           const char *const *part_dirs, KindTable kinds, Problems *problems,
                           Err *err)
{
        Loader l = { .kinds = kinds, .problems = problems, .part_dirs = part_dirs };
        return load_at(l, name, NULL, text, n);
}

Runbook *runbook_load(const char *path, const char *const *part_dirs, KindTable kinds,
                      Problems *problems, Err *err)
{
        AUTO_FREE char *text = NULL;
        size_t n;
        if (!io_read_file(path, LIMIT_YAML_BYTES, &text, &n, err)) {
                err_wrap(err, "reading the runbook");
                return NULL;
        }
        const char *slash = strrchr(path, '/');
        AUTO_FREE char *home =
                slash ? xasprintf("%.*s/parts", (int)(slash - path), path) : xstrdup("parts");
        Loader l = { .kinds = kinds, .problems = problems, .part_dirs = part_dirs };
        return load_at(l, path, home, text, n);
}

static bool save_one(const char *dir, const char *name, const char *text, size_t n, Err *err)
{
        AUTO_FREE char *path = io_join(dir, name);
        return io_exists(path) || io_replace_file(path, text, n, 0600, err);
}

bool runbook_save(const Runbook *rb, const char *dir, Err *err)
{
        AUTO_FREE char *parts = io_join(dir, "parts");
        if (rb->text && !save_one(dir, "runbook.yaml", rb->text, rb->text_len, err))
                return false;
        if (rb->n_parts && !io_mkdir_p(parts, 0700, err))
                return false;
        for (size_t i = 0; i < rb->n_parts; i++) {
                AUTO_FREE char *name = xasprintf("%s.yaml", rb->parts[i].name);
                if (!save_one(parts, name, rb->parts[i].text, rb->parts[i].text_len, err))
                        return false;
        }
        return !rb->n_parts || io_fsync_dir(parts, err);
}

Runbook *runbook_free(Runbook *rb)
{
        if (!rb)
                return NULL;
        for (size_t i = 0; i < rb->n_vars; i++) {
                json_decref(rb->vars[i].fallback);
                json_decref(rb->vars[i].choices);
        }
        for (size_t i = 0; i < rb->n_decisions; i++)
                json_decref(rb->decisions[i].choices);
        arena_free(rb->arena);
        return NULL;
}
