/* fake_kinds.c: step kinds whose world is a directory, so that it survives a kill -9.
 *
 * $FAKE_WORLD/effects counts: one line per effect, "make db", "unmake db". A file named like
 * the thing is the thing. Non-idempotent on purpose: making a thing twice is a second line. */
#include "fakes/fake_kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/step_ctx.h"

static char *in_world(const char *name)
{
        const char *world = getenv("FAKE_WORLD");
        return io_join(world ? world : "/nonexistent", name);
}

static bool effect(const char *verb, const char *name, Err *err)
{
        AUTO_FREE char *path = in_world("effects");
        AUTO_FREE char *line = xasprintf("%s %s\n", verb, name);
        AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        return fd >= 0 ? io_write_all(fd, line, strlen(line), err)
                       : err_set_errno(err, errno, "opening %s", path);
}

static bool put_thing(const char *name, Err *err)
{
        AUTO_FREE char *path = in_world(name);
        AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return err_set_errno(err, errno, "making %s", name);
        return io_write_all(fd, name, strlen(name), err) && effect("make", name, err);
}

/* A thing that somebody else has written into is drift. */
static bool take_thing(const char *name, Err *err)
{
        AUTO_FREE char *path = in_world(name);
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_exists(path))
                return true;
        if (!io_read_file(path, 4096, &text, &n, err))
                return false;
        if (!str_eq(text, name))
                return err_set(err, ERR_USER, "%s is not as it was left", name);
        if (unlink(path) < 0)
                return err_set_errno(err, errno, "removing %s", name);
        return effect("unmake", name, err);
}

static bool is_there(const char *name)
{
        AUTO_FREE char *path = in_world(name);
        return io_exists(path);
}

/* How often this was called before, kept in the world. */
static int64_t count_call(const char *name)
{
        AUTO_FREE char *path = in_world(name);
        AUTO_ERR ignored = { 0 };
        AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        int64_t before = fd >= 0 ? (int64_t)lseek(fd, 0, SEEK_END) : 0;
        if (fd >= 0 && !io_write_all(fd, ".", 1, &ignored))
                return 0;
        return before;
}

/* ---- fake.make: one thing ---- */

static const ParamSpec make_params[] = {
        { .name = "name", .type = PARAM_STRING, .help = "the thing" },
        { .name = "fail", .type = PARAM_INT, .fallback = "0", .help = "fail so often first" },
        { .name = "how", .type = PARAM_STRING, .fallback = "user", .help = "user, link, 23505" },
        { .name = "password", .type = PARAM_SECRET, .fallback = "", .help = "a secret" },
        { 0 },
};
static const ParamSpec make_results[] = {
        { .name = "name", .type = PARAM_STRING, .help = "the thing" },
        { .name = "size", .type = PARAM_INT, .help = "length of its name" },
        { .name = "big", .type = PARAM_STRING, .help = "3,000 letters" },
        { 0 },
};

static void make_found(StepCtx *ctx)
{
        char big[3001];
        memset(big, 'x', 3000);
        big[3000] = '\0';
        step_result_str(ctx, "name", step_str(ctx, "name"));
        step_result_int(ctx, "size", (int64_t)strlen(step_str(ctx, "name")));
        step_result_str(ctx, "big", big);
        step_report(ctx, "made %s", step_str(ctx, "name"));
}

static bool make_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ make %s", step_words(ctx, "name"));
        step_plan_undo(ctx, "$ unmake %s", step_words(ctx, "name"));
        return true;
}

static bool make_check(StepCtx *ctx, void *state, Err *err)
{
        if (str_eq(step_str(ctx, "name"), "impossible")) {
                step_problem(ctx, "it is impossible");
                step_problem(ctx, "and forbidden");
        }
        return true;
}

/* "slow..": takes as long as it may. */
static bool make_dry(StepCtx *ctx, void *state, Err *err)
{
        const char *name = step_str(ctx, "name");
        if (str_starts(name, "slow") && !step_sleep(ctx, 20000))
                return err_set(err, ERR_CANCELLED, "was stopped");
        if (!step_known(ctx, "name"))
                return true;
        if (is_there(name) || step_will_be(ctx, "thing", name) == WILL_COME)
                step_problem(ctx, "%s is there already", name);
        if (str_eq(name, "dear"))
                step_warn(ctx, "it costs something");
        step_will(ctx, "thing", name, WILL_COME);
        return make_check(ctx, state, err);
}

static bool make_fail(const char *how, Err *err)
{
        if (str_eq(how, "link"))
                return err_set(err, ERR_LINK, "could not connect");
        err_set(err, str_eq(how, "user") ? ERR_USER : ERR_SERVER, "it did not want to");
        if (!str_eq(how, "user"))
                snprintf(err->sqlstate, sizeof err->sqlstate, "%.5s", how);
        return false;
}

static bool make_run(StepCtx *ctx, void *state, Err *err)
{
        const char *name = step_str(ctx, "name");
        AUTO_FREE char *calls = xasprintf(".calls.%s", name);
        if (step_get(ctx, "password") && json_is_object(step_get(ctx, "password"))) {
                const Secret *s = step_secret(ctx, "password", err);
                if (!s)
                        return false;
                step_say(ctx, "the secret is %s", secret_expose(s)); /* redacted by step_say */
        }
        if (step_int(ctx, "fail") > 0 && count_call(calls) < step_int(ctx, "fail"))
                return make_fail(step_str(ctx, "how"), err);
        if (!step_remember(ctx, json_pack("{s:s}", "name", name), err))
                return false;
        if (!put_thing(name, err))
                return false;
        make_found(ctx);
        return true;
}

static bool make_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = is_there(step_str(ctx, "name")) ? FOUND_ALL : FOUND_NOTHING;
        if (*ret == FOUND_ALL)
                make_found(ctx);
        return true;
}

static bool make_undo(StepCtx *ctx, void *state, Err *err)
{
        const char *name = jx_str(step_remembered(ctx), "name", NULL);
        if (!name)
                return true; /* it never got so far */
        AUTO_FREE char *stuck = xasprintf(".stuck.%s", name);
        if (is_there(stuck))
                return err_set(err, ERR_SYSTEM, "%s is stuck", name);
        if (!take_thing(name, err))
                return false;
        step_report(ctx, "unmade %s", name);
        return true;
}

static const StepKind fake_make = {
        .name = "fake.make",
        .summary = "Make one thing",
        .params = make_params,
        .results = make_results,
        .check = make_check,
        .dry = make_dry,
        .plan = make_plan,
        .run = make_run,
        .probe = make_probe,
        .undo = make_undo,
};

/* ---- fake.pair: two things, and a record between them ---- */

static bool pair_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_FREE char *a = xasprintf("%s.a", step_str(ctx, "name"));
        AUTO_FREE char *b = xasprintf("%s.b", step_str(ctx, "name"));
        if (!step_remember(ctx, json_pack("{s:s}", "a", a), err) || !put_thing(a, err) ||
            !step_remember(ctx, json_pack("{s:s}", "b", b), err) || !put_thing(b, err))
                return false;
        make_found(ctx);
        return true;
}

static bool pair_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_FREE char *a = xasprintf("%s.a", step_str(ctx, "name"));
        AUTO_FREE char *b = xasprintf("%s.b", step_str(ctx, "name"));
        *ret = is_there(a) && is_there(b)   ? FOUND_ALL
               : is_there(a) || is_there(b) ? FOUND_PART
                                            : FOUND_NOTHING;
        if (*ret == FOUND_ALL)
                make_found(ctx);
        return true;
}

static bool pair_undo(StepCtx *ctx, void *state, Err *err)
{
        const char *b = jx_str(step_remembered(ctx), "b", NULL);
        const char *a = jx_str(step_remembered(ctx), "a", NULL);
        return (!b || take_thing(b, err)) && (!a || take_thing(a, err));
}

static const StepKind fake_pair = {
        .name = "fake.pair",
        .summary = "Make two things",
        .params = make_params,
        .results = make_results,
        .plan = make_plan,
        .run = pair_run,
        .probe = pair_probe,
        .undo = pair_undo,
};

/* ---- fake.load: many small errors, as a restore has them ---- */

static const ParamSpec load_params[] = {
        { .name = "name", .type = PARAM_STRING, .help = "the thing" },
        { .name = "errors", .type = PARAM_INT, .fallback = "0", .help = "how many" },
        { .name = "sqlstate", .type = PARAM_STRING, .fallback = "42501", .help = "of each" },
        { 0 },
};

static bool load_run(StepCtx *ctx, void *state, Err *err)
{
        for (int64_t i = 0; i < step_int(ctx, "errors"); i++) {
                Err one = { 0 };
                err_set(&one, ERR_SERVER, "GRANT to a role that is not there");
                snprintf(one.sqlstate, sizeof one.sqlstate, "%.5s", step_str(ctx, "sqlstate"));
                if (!step_tolerates(ctx, "table t", &one)) {
                        err_move(err, &one);
                        return false;
                }
                err_clear(&one);
        }
        return make_run(ctx, state, err);
}

static const StepKind fake_load = {
        .name = "fake.load",
        .summary = "Load with errors",
        .params = load_params,
        .plan = make_plan,
        .run = load_run,
        .probe = make_probe,
        .undo = make_undo,
};

/* ---- fake.look: read-only ---- */

static const ParamSpec look_params[] = {
        { .name = "name", .type = PARAM_STRING, .fallback = "", .help = "the thing" },
        { .name = "ms", .type = PARAM_DURATION, .fallback = "0s", .help = "how long it takes" },
        { .name = "list", .type = PARAM_ANY, .fallback = "[]", .help = "comes back as a result" },
        { .name = "workers",
          .type = PARAM_INT,
          .fallback = "0",
          .help = "1 to 4 that can be changed; 0: none" },
        { 0 },
};
static const ParamSpec look_results[] = {
        { .name = "there", .type = PARAM_BOOL, .help = "whether it is there" },
        { .name = "missing", .type = PARAM_LIST, .help = "what is not there" },
        { .name = "list", .type = PARAM_ANY, .help = "as given" },
        { 0 },
};

static const char *const look_verdict[] = { "missing", "there", NULL };

static int change_workers(void *arg, int delta)
{
        int *n = arg;
        return *n = MAX(1, MIN(*n + delta, 4));
}

static bool look_run(StepCtx *ctx, void *state, Err *err)
{
        int *workers = state;
        *workers = (int)step_int(ctx, "workers");
        if (*workers)
                step_on_jobs(ctx, change_workers, workers);
        const char *name = step_str(ctx, "name");
        bool there = !*name || is_there(name);
        json_t *missing = json_array();
        if (!there)
                jx_append_str(missing, name);
        if (step_int(ctx, "ms") > 0 && !step_sleep(ctx, step_int(ctx, "ms"))) {
                json_decref(missing);
                return err_set(err, ERR_CANCELLED, "was stopped");
        }
        step_result_bool(ctx, "there", there);
        step_result_set(ctx, "missing", missing);
        const json_t *list = step_get(ctx, "list");
        step_result_set(ctx, "list", list ? json_deep_copy(list) : json_array());
        step_report(ctx, "looked");
        return true;
}

static const StepKind fake_look = {
        .name = "fake.look",
        .summary = "Look at a thing",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .state_size = sizeof(int),
        .params = look_params,
        .results = look_results,
        .verdict = look_verdict,
        .plan = make_plan,
        .run = look_run,
};

/* ---- fake.blind: cannot be asked, cannot be undone ---- */

static bool blind_run(StepCtx *ctx, void *state, Err *err)
{
        return effect("blind", step_str(ctx, "name"), err);
}

static const StepKind fake_blind = {
        .name = "fake.blind",
        .summary = "Do something and forget",
        .params = make_params,
        .plan = make_plan,
        .run = blind_run,
};

/* ---- host.disk, as `pre: [{check: disk}]` calls it: /full has no room ---- */

static const ParamSpec disk_need[] = {
        { .name = "path", .type = PARAM_STRING, .help = "directory" },
        { .name = "free", .type = PARAM_SIZE, .help = "bytes needed there" },
        { 0 },
};
static const ParamSpec disk_params[] = {
        { .name = "need", .type = PARAM_LIST, .fields = disk_need, .help = "what is needed where" },
        { 0 },
};
static const ParamSpec disk_results[] = {
        { .name = "short", .type = PARAM_LIST, .help = "places without room" },
        { 0 },
};
static const char *const disk_verdict[] = { "short", NULL };

static bool disk_run(StepCtx *ctx, void *state, Err *err)
{
        json_t *lacking = json_array(), *need;
        size_t i;
        step_result_set(ctx, "short", lacking);
        json_array_foreach(step_get(ctx, "need"), i, need) {
                const char *path = jx_str(need, "path", "");
                if (!*path || jx_int(need, "free", 0) <= 0)
                        return err_set(err, ERR_USER, "no place is named, or no size");
                if (str_eq(path, "/full"))
                        jx_append_str(lacking, "/full has no room");
        }
        return true;
}

static const StepKind fake_disk = {
        .name = "host.disk",
        .summary = "Is there room?",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_LASTS,
        .params = disk_params,
        .results = disk_results,
        .verdict = disk_verdict,
        .run = disk_run,
};

extern const StepKind step_decide, step_effects_try, step_gate, step_manual, step_note, step_wait;

const StepKind *const step_kinds[] = {
        &step_decide, &step_effects_try, &fake_blind, &fake_load, &fake_look,
        &fake_make,   &fake_pair,        &step_gate,  &fake_disk, &step_manual,
        &step_note,   &step_wait,        NULL,
};

KindTable fake_kind_table(void)
{
        static KindSpec specs[LEN(step_kinds)];
        static const KindSpec *table[LEN(step_kinds)];
        for (size_t i = 0; step_kinds[i]; i++) {
                const StepKind *k = step_kinds[i];
                specs[i] = (KindSpec){ .name = k->name,
                                       .summary = k->summary,
                                       .traits = k->traits,
                                       .params = k->params,
                                       .results = k->results,
                                       .undoable = k->undo != NULL };
                table[i] = &specs[i];
        }
        return table;
}
