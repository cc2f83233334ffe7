/* shell.c: a script file of the operator's own; values reach it as environment variables and
 * are never written into its text. Needs `unsafe: true`, is red on the screen, and counted by
 * lint: what a script does, nobody can undo for you. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "kit/command.h"
#include "kit/dry.h"

static const ParamSpec params[] = {
        { .name = "script", .type = PARAM_PATH, .help = "script file to run" },
        { .name = "interpreter",
          .type = PARAM_STRING,
          .fallback = "/bin/sh",
          .help = "what reads it, when it is not executable itself" },
        { .name = "unsafe", .type = PARAM_BOOL, .help = "must be true: you have read the script" },
        COMMAND_PARAMS,
        { 0 },
};
static const ParamSpec results[] = { COMMAND_RESULTS, { 0 } };

static bool shell_check(StepCtx *ctx, void *state, Err *err);
static bool shell_plan(StepCtx *ctx, void *state, Err *err);
static bool shell_dry(StepCtx *ctx, void *state, Err *err);
static bool shell_run(StepCtx *ctx, void *state, Err *err);
static bool shell_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_shell = {
        .name = "shell",
        .summary = "Run a script file of your own (unsafe)",
        .traits = STEP_SHELL,
        .params = params,
        .results = results,
        .check = shell_check,
        .plan = shell_plan,
        .dry = shell_dry,
        .run = shell_run,
        .probe = shell_probe,
};

static void shell_words(StepCtx *ctx, Argv *a)
{
        const char *script = step_str(ctx, "script");
        if (access(script, X_OK) != 0)
                argv_add(a, step_str(ctx, "interpreter"));
        argv_add(a, script);
}

static bool shell_check(StepCtx *ctx, void *state, Err *err)
{
        const char *script = step_str(ctx, "script");
        AUTO_FREE char *clean = text_clean_str(script);
        struct stat st;
        if (!step_bool(ctx, "unsafe"))
                step_problem(ctx, "a shell step needs `unsafe: true`");
        if (stat(script, &st) < 0 || !S_ISREG(st.st_mode))
                step_problem(ctx, "there is no script %s", clean);
        else if (st.st_mode & S_IWOTH)
                step_problem(ctx, "%s can be written by everybody; it was not run (chmod o-w)",
                             clean);
        kit_command_check_env(ctx);
        return true;
}

static bool shell_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ %s %s", step_words(ctx, "interpreter"), step_words(ctx, "script"));
        return true;
}

static bool shell_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_ARGV a = { 0 };
        if (!step_bool(ctx, "unsafe"))
                return err_set(err, ERR_USER, "a shell step needs `unsafe: true`");
        shell_words(ctx, &a);
        return kit_command_run(ctx, &a, err);
}

static bool shell_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        return kit_command_probe(ctx, ret, err);
}

static bool shell_dry(StepCtx *ctx, void *state, Err *err)
{
        const char *script = step_str(ctx, "script"), *interpreter = step_str(ctx, "interpreter");
        AUTO_FREE char *path = proc_which(interpreter);
        AUTO_FREE char *clean = text_clean_str(interpreter);
        AUTO_FREE char *name = text_clean_str(script);
        struct stat st;
        bool there = stat(script, &st) == 0;
        bool comes = step_will_be(ctx, "file", script) == WILL_COME ||
                     (!there && step_will_be(ctx, "anything", "anywhere") == WILL_COME);
        if (!step_bool(ctx, "unsafe"))
                step_problem(ctx, "a shell step needs `unsafe: true`");
        if (step_known(ctx, "script") && comes)
                step_unseen(ctx, "%s is made by an earlier step", name);
        else if (step_known(ctx, "script") && (!there || !S_ISREG(st.st_mode)))
                step_problem(ctx, "there is no script %s", name);
        else if (step_known(ctx, "script") && (st.st_mode & S_IWOTH))
                step_problem(ctx, "%s can be written by everybody; it is not run (chmod o-w)",
                             name);
        else if (step_known(ctx, "script") && access(script, R_OK) != 0)
                step_problem(ctx, "%s cannot be read by this user", name);
        if (!path && step_known(ctx, "interpreter") && access(script, X_OK) != 0)
                step_problem(ctx, "interpreter: %s: command not found", clean);
        dry_command(ctx);
        return true;
}
