/* pg_extension_available.c: does the new server, or its image, have what the old one uses? */
#include "host/docker.h"
#include "kit/docker.h"
#include "kit/pg_steps.h"

static const ParamSpec params[] = {
        { .name = "need",
          .type = PARAM_ANY,
          .help = "extensions: names, maps with a name, or lists of those" },
        { .name = "image",
          .type = PARAM_IMAGE,
          .fallback = "~",
          .help = "image to look into; without it, `on` is a running server" },
        { .name = "pull",
          .type = PARAM_BOOL,
          .fallback = "true",
          .help = "pull the image when it is not here yet" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "missing", .type = PARAM_LIST, .help = "needed and not there" },
        { .name = "available", .type = PARAM_LIST, .help = "everything that is there" },
        { 0 },
};

static const char *const verdict[] = { "missing", NULL };

static bool pg_extension_available_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_extension_available_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_extension_available = {
        .name = "pg.extension.available",
        .summary = "See whether the new server has every extension",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = pg_extension_available_plan,
        .run = pg_extension_available_run,
};

static bool pg_extension_available_plan(StepCtx *ctx, void *state, Err *err)
{
        if (*step_words(ctx, "image"))
                step_plan(ctx,
                          "$ docker run --rm --network none --entrypoint find %s ... -name "
                          "'*.control'%s",
                          step_words(ctx, "image"),
                          step_bool(ctx, "pull") ? "   # pulled when it is not here" : "");
        else
                step_plan(ctx, "select name from pg_available_extensions");
        return true;
}

/* ".../extension/pg_trgm.control" -> "pg_trgm" */
static void add_control(json_t *names, const char *line)
{
        static const char suffix[] = ".control";
        const char *slash = strrchr(line, '/');
        if (!slash || !str_ends(line, suffix))
                return;
        AUTO_FREE char *name = xstrndup(slash + 1, strlen(slash + 1) - strlen(suffix));
        jx_append_str(names, name);
}

static bool fetch_image(StepCtx *ctx, const char *image, Err *err)
{
        HostCall look = kit_look(ctx), call = kit_call(ctx);
        AUTO_JSON info = NULL;
        AUTO_ARGV a = { 0 };
        if (!docker_inspect(&look, DOCKER_IMAGE, image, &info, err))
                return false;
        if (info)
                return true;
        if (!step_bool(ctx, "pull")) {
                err_set(err, ERR_USER, "image %s is not on this machine", image);
                return err_hint(err, "pull it first, or leave out `pull: false`");
        }
        docker_begin(&a);
        argv_add(&a, "pull");
        argv_add(&a, "--quiet");
        argv_add(&a, image);
        return docker_do(&call, &a, NULL, err) || err_wrap(err, "pulling %s", image);
}

/* Debian's images keep them in /usr/share/postgresql/MAJOR/extension, Alpine's below
 * /usr/local; find complains about the one that is not there. */
static bool of_image(StepCtx *ctx, const char *image, json_t *names, Err *err)
{
        static const char *const words[] = { "run",  "--rm",         "--pull", "never", "--network",
                                             "none", "--entrypoint", "find",   NULL };
        static const char *const rest[] = { "/usr/share/postgresql",
                                            "/usr/local/share/postgresql",
                                            "/usr/share/pgsql",
                                            "/opt",
                                            "-name",
                                            "*.control",
                                            NULL };
        AUTO_ARGV a = { 0 };
        AUTO_PROC r = { 0 };
        if (!fetch_image(ctx, image, err))
                return false;
        docker_begin(&a);
        argv_add_all(&a, words);
        argv_add(&a, image);
        argv_add_all(&a, rest);
        ProcOptions o = { .cancel = step_cancel_flag(ctx), .timeout_ms = 120000, .any_exit = true };
        if (!proc_run(&a, &o, &r, err))
                return err_wrap(err, "looking into image %s", image);
        AUTO_FREE char *text = xstrdup(buf_str(&r.out));
        for (char *save = NULL, *l = strtok_r(text, "\n", &save); l;
             l = strtok_r(NULL, "\n", &save))
                add_control(names, l);
        if (json_array_size(names))
                return true;
        err_set(err, ERR_COMMAND, "no extension files were found in image %s", image);
        return err_hint(err, "is it an image of a PostgreSQL server?");
}

static bool of_server(StepCtx *ctx, json_t *names, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PGRES PgRes *r = NULL;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_ask(pg, "select name from pg_available_extensions order by name", &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                jx_append_str(names, pg_cell(r, i, 0));
        return true;
}

static bool pg_extension_available_contains(const json_t *names, const json_t *name)
{
        size_t i;
        json_t *v;
        json_array_foreach(names, i, v)
                if (json_equal(v, name))
                        return true;
        return false;
}

static bool pg_extension_available_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON need = kit_name_list(ctx, "need");
        AUTO_JSON available = json_array();
        const char *image = step_str(ctx, "image");
        json_t *missing = json_array();
        size_t i;
        json_t *v;
        step_result_set(ctx, "missing", missing);
        if (!(*image ? of_image(ctx, image, available, err) : of_server(ctx, available, err)))
                return false;
        json_array_foreach(need, i, v)
                if (!pg_extension_available_contains(available, v)) {
                        json_array_append(missing, v);
                        step_log(ctx, SAY_ERROR, "pgsherpa", "extension %s is not there",
                                 json_string_value(v));
                }
        step_result_set(ctx, "available", json_incref(available));
        step_report(ctx, "%zu needed, %zu missing", json_array_size(need),
                    json_array_size(missing));
        return true;
}
