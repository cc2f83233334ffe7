#include "kit/command.h"

#include "base/buf.h"
#include "base/redact.h"
#include "base/text.h"

#define KEEP 4000 /* characters of output in the result; all of it is in the step's log */

static bool is_env_name(const char *name)
{
        static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
        return *name && !(*name >= '0' && *name <= '9') && name[strspn(name, ok)] == '\0';
}

void kit_command_check_env(StepCtx *ctx)
{
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)step_get(ctx, "env"), key, value) {
                AUTO_FREE char *clean = text_clean_str(key);
                if (!is_env_name(key))
                        step_problem(ctx, "env: `%s` is not the name of a variable", clean);
                else if (json_is_object(value) || json_is_array(value))
                        step_problem(ctx, "env: %s is not a text", clean);
                else if (str_eq(key, "LD_PRELOAD") || str_eq(key, "LD_LIBRARY_PATH"))
                        step_problem(ctx, "env: %s would change what every program does", clean);
        }
}

static const char **env_of(StepCtx *ctx)
{
        const json_t *map = step_get(ctx, "env");
        const char **env =
                arena_new_array(step_arena(ctx), const char *, json_object_size(map) + 1);
        size_t n = 0;
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)map, key, value) {
                AUTO_FREE char *text = jx_words(value);
                env[n++] = arena_printf(step_arena(ctx), "%s=%s", key, text);
        }
        return env;
}

static void command_on_line(void *arg, int fd, const char *line)
{
        step_log(arg, fd == 2 ? SAY_WARN : SAY_INFO, "command", "%s", line);
}

static char *tail_of(const Buf *b)
{
        size_t skip = b->len > KEEP ? b->len - KEEP : 0;
        AUTO_FREE char *clean = text_clean_lines(buf_str(b) + skip, b->len - skip);
        return redact_text(clean);
}

bool kit_command_run(StepCtx *ctx, const Argv *argv, Err *err)
{
        AUTO_FREE char *words = argv_for_humans(argv);
        json_t *started = json_object();
        jx_set_str(started, "started", words);
        jx_set(started, "ended", json_null());
        if (!step_remember(ctx, started, err))
                return false;
        step_log(ctx, SAY_CMD, "pgsherpa", "$ %s", words);
        const char *input = step_str(ctx, "stdin");
        ProcOptions o = { .env = env_of(ctx),
                          .cancel = step_cancel_flag(ctx),
                          .line = command_on_line,
                          .line_arg = ctx,
                          .any_exit = true,
                          .timeout_ms = step_timeout_ms(ctx),
                          .cwd = *step_str(ctx, "cwd") ? step_str(ctx, "cwd") : NULL,
                          .input = *input ? input : NULL,
                          .input_len = strlen(input) };
        if (json_is_object(step_get(ctx, "password_stdin")) &&
            !(o.input_secret = step_secret(ctx, "password_stdin", err)))
                return false;
        AUTO_PROC r = { 0 };
        bool ran = proc_run(argv, &o, &r, err);
        AUTO_FREE char *output = tail_of(r.out.len ? &r.out : &r.err);
        step_result_int(ctx, "status", r.status);
        step_result_str(ctx, "output", output);
        if (!ran)
                return false;
        json_t *ended = json_object();
        jx_set_int(ended, "ended", r.status);
        if (!step_remember(ctx, ended, err))
                return false;
        if (r.status == 0) {
                step_report(ctx, "exit status 0");
                return true;
        }
        const char *end = output + strlen(output), *last = end;
        while (last > output && strchr("\r\n ", last[-1]))
                last--;
        end = last;
        while (last > output && last[-1] != '\n')
                last--;
        err_set(err, ERR_COMMAND, "%s ended with exit status %d%s%.*s", argv->v[0], r.status,
                end > last ? ": " : "", (int)(end - last), last);
        err->exit_status = r.status;
        return false;
}

bool kit_command_probe(StepCtx *ctx, Found *ret, Err *err)
{
        const json_t *had = step_remembered(ctx);
        *ret = FOUND_NOTHING;
        if (!jx_get(had, "started"))
                return true;
        int64_t status = jx_int(had, "ended", -1);
        if (status == 0) {
                step_result_int(ctx, "status", 0);
                *ret = FOUND_ALL;
        } else {
                *ret = FOUND_DRIFT; /* it may have done some of its work: ask */
        }
        return true;
}
