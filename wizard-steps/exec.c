/* exec.c: a command of the operator's own, as a vector of words; no shell reads it. */
#include "base/text.h"
#include "kit/command.h"
#include "kit/dry.h"

static const ParamSpec params[] = {
        { .name = "argv",
          .type = PARAM_LIST,
          .item = PARAM_STRING,
          .help = "program and its arguments, word by word" },
        COMMAND_PARAMS,
        { 0 },
};
static const ParamSpec results[] = { COMMAND_RESULTS, { 0 } };

static bool exec_check(StepCtx *ctx, void *state, Err *err);
static bool exec_plan(StepCtx *ctx, void *state, Err *err);
static bool exec_dry(StepCtx *ctx, void *state, Err *err);
static bool exec_run(StepCtx *ctx, void *state, Err *err);
static bool exec_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_exec = {
        .name = "exec",
        .summary = "Run a command of your own, without a shell",
        .params = params,
        .results = results,
        .check = exec_check,
        .plan = exec_plan,
        .dry = exec_dry,
        .run = exec_run,
        .probe = exec_probe,
};

static void exec_words(StepCtx *ctx, Argv *a)
{
        size_t i;
        json_t *one;
        json_array_foreach(step_get(ctx, "argv"), i, one) {
                AUTO_FREE char *word = jx_words(one);
                argv_add(a, word);
        }
}

static bool exec_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_ARGV a = { 0 };
        exec_words(ctx, &a);
        if (a.n == 0) {
                step_problem(ctx, "argv: there is no command");
                return true;
        }
        AUTO_FREE char *path = proc_which(a.v[0]);
        AUTO_FREE char *clean = text_clean_str(a.v[0]);
        if (!path)
                step_problem(ctx, "%s: command not found", clean);
        kit_command_check_env(ctx);
        return true;
}

static bool exec_plan(StepCtx *ctx, void *state, Err *err)
{
        AUTO_ARGV a = { 0 };
        exec_words(ctx, &a);
        AUTO_FREE char *text = argv_for_humans(&a);
        step_plan(ctx, "$ %s", text);
        return true;
}

static bool exec_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_ARGV a = { 0 };
        exec_words(ctx, &a);
        if (a.n == 0)
                return err_set(err, ERR_USER, "argv: there is no command");
        return kit_command_run(ctx, &a, err);
}

static bool exec_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        return kit_command_probe(ctx, ret, err);
}

/* The first word at least is written down, mostly. */
static bool exec_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_ARGV a = { 0 };
        exec_words(ctx, &a);
        bool after_another = step_will_be(ctx, "anything", "anywhere") == WILL_COME;
        AUTO_FREE char *path = a.n ? proc_which(a.v[0]) : NULL;
        AUTO_FREE char *clean = a.n ? text_clean_str(a.v[0]) : NULL;
        if (a.n == 0)
                step_problem(ctx, "argv: there is no command");
        else if (!path && after_another)
                step_unseen(ctx, "%s is not there now; an earlier command may make it", clean);
        else if (!path && !strstr(a.v[0], "\xe2\x80\xb9"))
                step_problem(ctx, "%s: command not found, or it may not be executed", clean);
        dry_command(ctx);
        return true;
}
