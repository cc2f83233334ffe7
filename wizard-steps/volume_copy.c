/* volume_copy.c: "belt and suspenders" (A8): a volume's files into a new volume, compared.
 *
 * Owners, modes, times, links and extended attributes are kept (cp -a in a helper container);
 * afterwards both sides are listed with sizes and checksums and must be the same. A copy that
 * was interrupted is thrown away and begun again: it carries the run's label. */
#include "base/fmt.h"
#include "base/text.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/labels.h"

static const ParamSpec params[] = {
        { .name = "from", .type = PARAM_STRING, .help = "volume to copy" },
        { .name = "to", .type = PARAM_STRING, .help = "name of the new volume" },
        { .name = "image",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "image of the helper container; else that of a container which uses the volume" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "volume", .type = PARAM_STRING, .help = "the new volume" },
        { .name = "bytes", .type = PARAM_SIZE, .help = "bytes of its files" },
        { .name = "files", .type = PARAM_INT, .help = "files, directories and links" },
        { .name = "sha256", .type = PARAM_STRING, .help = "of the listing of both sides" },
        { 0 },
};

static bool volume_copy_check(StepCtx *ctx, void *state, Err *err);
static bool volume_copy_plan(StepCtx *ctx, void *state, Err *err);
static bool volume_copy_dry(StepCtx *ctx, void *state, Err *err);
static bool volume_copy_run(StepCtx *ctx, void *state, Err *err);
static bool volume_copy_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool volume_copy_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_volume_copy = {
        .name = "volume.copy",
        .summary = "Copy a volume into a new one and compare both",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .check = volume_copy_check,
        .plan = volume_copy_plan,
        .dry = volume_copy_dry,
        .run = volume_copy_run,
        .probe = volume_copy_probe,
        .undo = volume_copy_undo,
};

/* Names, types, modes, owners, sizes, link targets; and every file's content. The names may
 * hold anything, so everything is separated by NUL. */
static const char listing[] =
        "set -e; cd /look; "
        "find . -printf '%P %y %m %U %G %l\\0' | sort -z | sha256sum | cut -d' ' -f1; "
        "find . -type f -print0 | sort -z | xargs -0 -r sha256sum | sha256sum | cut -d' ' -f1; "
        "find . | wc -l; du -sb . | cut -f1";

static bool volume_copy_find(StepCtx *ctx, const char *param, json_t **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        return docker_inspect(&look, DOCKER_VOLUME, step_str(ctx, param), ret, err);
}

static bool helper_image(StepCtx *ctx, char **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        if (*step_str(ctx, "image")) {
                *ret = xstrdup(step_str(ctx, "image"));
                return true;
        }
        AUTO_FREE char *filter = xasprintf("volume=%s", step_str(ctx, "from"));
        AUTO_JSON users = NULL;
        if (!docker_containers(&look, true, (const char *const[]){ filter, NULL }, &users, err))
                return false;
        const json_t *first = json_array_get(users, 0);
        if (!first) {
                err_set(err, ERR_USER, "no container uses volume %s", step_str(ctx, "from"));
                return err_hint(
                        err, "say which image the helper container may use: `image: postgres:17`");
        }
        *ret = xstrdup(container_image_id(first));
        return true;
}

static bool volume_copy_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON from = NULL;
        AUTO_JSON to = NULL;
        AUTO_FREE char *users = NULL;
        if (!volume_copy_find(ctx, "from", &from, err) || !volume_copy_find(ctx, "to", &to, err) ||
            !kit_volume_users(ctx, step_str(ctx, "from"), true, NULL, &users, err))
                return false;
        if (!from)
                step_problem(ctx, "there is no volume %s", step_str(ctx, "from"));
        if (*users)
                step_problem(
                        ctx,
                        "%s runs on volume %s: a copy of files in use is no copy; stop it first",
                        users, step_str(ctx, "from"));
        if (to && !kit_is_ours(ctx, jx_get(to, "Labels")))
                step_problem(ctx, "volume %s exists already", step_str(ctx, "to"));
        return true;
}

static bool volume_copy_plan(StepCtx *ctx, void *state, Err *err)
{
        const char *from = step_words(ctx, "from"), *to = step_words(ctx, "to");
        step_plan(ctx, "$ docker volume create --label %s=%s %s", LABEL_RUN, step_run_id(ctx), to);
        step_plan(ctx, "$ docker run --rm -v %s:/from:ro -v %s:/to IMAGE cp -a /from/. /to/", from,
                  to);
        step_plan(ctx, "# lists both sides with checksums and compares them");
        step_plan_undo(ctx, "# removes volume %s, which this run made", to);
        step_plan_undo(ctx, "$ docker volume rm %s", to);
        return true;
}

static bool volume_copy_remove_ours(StepCtx *ctx, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_JSON to = NULL;
        if (!volume_copy_find(ctx, "to", &to, err))
                return false;
        if (!to || !kit_is_ours(ctx, jx_get(to, "Labels")))
                return true;
        AUTO_FREE char *users = NULL;
        if (!kit_volume_users(ctx, step_str(ctx, "to"), false, NULL, &users, err))
                return false;
        if (*users)
                return err_set(err, ERR_USER, "volume %s is used by %s; it was left alone",
                               step_str(ctx, "to"), users);
        AUTO_ARGV a = { 0 };
        argv_add_all(&a,
                     (const char *const[]){ "docker", "volume", "rm", step_str(ctx, "to"), NULL });
        return docker_do(&call, &a, NULL, err);
}

static void volume_copy_begin(Argv *a, StepCtx *ctx)
{
        argv_add_all(a, (const char *const[]){ "docker", "run", "--rm", "--pull", "never",
                                               "--network", "none", "--user", "0", NULL });
        argv_addf(a, "--label=%s=%s", LABEL_RUN, step_run_id(ctx));
        argv_add(a, "--volume");
}

static bool volume_copy_list(StepCtx *ctx, const char *volume, const char *image, char **ret,
                             Err *err)
{
        HostCall look = { .cancel = step_cancel_flag(ctx), .timeout_ms = 24 * 3600 * 1000LL };
        AUTO_ARGV a = { 0 };
        volume_copy_begin(&a, ctx);
        argv_addf(&a, "%s:/look:ro", volume);
        argv_add_all(&a, (const char *const[]){ "--entrypoint", "sh", image, "-c", listing, NULL });
        return docker_read_text(&look, &a, ret, err) || err_wrap(err, "listing volume %s", volume);
}

static bool volume_copy_copy(StepCtx *ctx, const char *image, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_ARGV make = { 0 };
        AUTO_ARGV a = { 0 };
        argv_add_all(&make, (const char *const[]){ "docker", "volume", "create", NULL });
        argv_addf(&make, "--label=%s=%s", LABEL_RUN, step_run_id(ctx));
        argv_addf(&make, "--label=%s=%s", LABEL_STEP, step_id(ctx));
        argv_add(&make, step_str(ctx, "to"));
        volume_copy_begin(&a, ctx);
        argv_addf(&a, "%s:/from:ro", step_str(ctx, "from"));
        argv_add(&a, "--volume");
        argv_addf(&a, "%s:/to", step_str(ctx, "to"));
        argv_add_all(&a, (const char *const[]){ "--entrypoint", "cp", image, "-a", "/from/.",
                                                "/to/", NULL });
        return docker_do(&call, &make, NULL, err) && docker_do(&call, &a, NULL, err);
}

/* Lines of the listing: names, contents, count, bytes. */
static void volume_copy_report(StepCtx *ctx, const char *lines)
{
        AUTO_FREE char *l = xstrdup(lines);
        char *save = NULL, size[24];
        const char *part[4] = { "", "", "0", "0" };
        char *p = strtok_r(l, "\n", &save);
        for (size_t i = 0; p && i < LEN(part); i++, p = strtok_r(NULL, "\n", &save))
                part[i] = p;
        int64_t bytes = strtoll(part[3], NULL, 10);
        step_result_str(ctx, "volume", step_str(ctx, "to"));
        step_result_str(ctx, "sha256", part[1]);
        step_result_int(ctx, "files", strtoll(part[2], NULL, 10));
        step_result_int(ctx, "bytes", bytes);
        step_report(ctx, "%s, %s files, both sides equal", fmt_bytes(bytes, size), part[2]);
}

/* The size of a directory itself is the filesystem's business: only the first three lines. */
static bool same_listing(const char *a, const char *b)
{
        size_t n = 0;
        for (int line = 0; line < 3; line++)
                n += strcspn(a + n, "\n") + (a[n + strcspn(a + n, "\n")] == '\n');
        return n && strncmp(a, b, n) == 0;
}

static bool volume_copy_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON to = NULL;
        AUTO_FREE char *image = NULL, *left = NULL, *right = NULL;
        if (!volume_copy_find(ctx, "to", &to, err) || !helper_image(ctx, &image, err))
                return false;
        if (to && !kit_is_ours(ctx, jx_get(to, "Labels")))
                return err_set(err, ERR_USER, "volume %s exists already", step_str(ctx, "to"));
        json_t *mine = json_object();
        jx_set_str(mine, "volume", step_str(ctx, "to"));
        if (!step_remember(ctx, mine, err) || !volume_copy_remove_ours(ctx, err) ||
            !volume_copy_copy(ctx, image, err) ||
            !volume_copy_list(ctx, step_str(ctx, "from"), image, &left, err) ||
            !volume_copy_list(ctx, step_str(ctx, "to"), image, &right, err))
                return false;
        if (!same_listing(left, right))
                return err_set(err, ERR_COMMAND, "the copy %s differs from %s", step_str(ctx, "to"),
                               step_str(ctx, "from"));
        volume_copy_report(ctx, right);
        return true;
}

static bool volume_copy_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_JSON to = NULL;
        if (!volume_copy_find(ctx, "to", &to, err))
                return false;
        *ret = !to                                      ? FOUND_NOTHING
               : kit_is_ours(ctx, jx_get(to, "Labels")) ? FOUND_PART
                                                        : FOUND_DRIFT;
        return true;
}

static bool volume_copy_undo(StepCtx *ctx, void *state, Err *err)
{
        return json_object_size(step_remembered(ctx)) == 0 || volume_copy_remove_ours(ctx, err);
}

/* Who runs on it now may have been stopped by then. */
static bool dry_from(StepCtx *ctx, const char *from, Err *err)
{
        AUTO_JSON v = NULL;
        AUTO_JSON image = NULL;
        AUTO_FREE char *users = NULL, *helper = NULL;
        AUTO_ERR why = { 0 };
        Seen seen = dry_volume(ctx, from, &v, err);
        if (err->kind)
                return false;
        if (seen == SEEN_NOT)
                step_problem(ctx, "there is no volume %s, and no earlier step makes it", from);
        if (seen != SEEN_HERE)
                return true;
        if (!kit_volume_users(ctx, from, true, NULL, &users, err))
                return false;
        for (char *save = NULL, *one = strtok_r(users, ", ", &save); one;
             one = strtok_r(NULL, ", ", &save))
                if (step_will_be(ctx, "runs", one) != WILL_GO &&
                    step_will_be(ctx, "anything", "anywhere") != WILL_COME)
                        step_problem(ctx,
                                     "%s runs on volume %s, and no earlier step stops it: a "
                                     "copy of files in use is no copy",
                                     one, from);
        if (!helper_image(ctx, &helper, &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
        else if (step_known(ctx, "image"))
                (void)!dry_image(ctx, helper, false, &image);
        return true;
}

static bool volume_copy_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON to = NULL;
        const char *from = step_str(ctx, "from"), *name = step_str(ctx, "to");
        if (step_known(ctx, "from") && !dry_from(ctx, from, err))
                return false;
        if (!step_known(ctx, "to") || !dry_docker_name(ctx, "volume", name))
                return true;
        Seen seen = dry_volume(ctx, name, &to, err);
        if (err->kind)
                return false;
        if (seen == SEEN_LATER || (to && !kit_is_ours(ctx, jx_get(to, "Labels"))))
                step_problem(ctx, "volume %s exists already", name);
        step_will(ctx, "volume", name, WILL_COME);
        return true;
}
