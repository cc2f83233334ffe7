/* dry_host.c: images, containers, volumes and projects, looked at long before they are needed. */

#include <ctype.h>

#include "base/text.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "place/project.h"

/* ---- images ---- */

/* [HOST[:PORT]/]PATH[:TAG][@DIGEST], as far as Docker refuses it without asking anybody. */
static bool is_reference(const char *name)
{
        const char *slash = strrchr(name, '/');
        for (const char *c = name; *c; c++)
                if (!isalnum((unsigned char)*c) && !strchr("._-/:@", *c))
                        return false;
        for (const char *c = slash ? slash : name; *c && *c != ':' && *c != '@'; c++)
                if (isupper((unsigned char)*c))
                        return false;
        return isalnum((unsigned char)*name) && !str_ends(name, ":") && !str_ends(name, "/");
}

static Seen asked_registry(StepCtx *ctx, const char *name)
{
        HostCall look = kit_look(ctx);
        AUTO_ARGV a = { 0 };
        AUTO_JSON manifest = NULL;
        AUTO_ERR why = { 0 };
        argv_add_all(&a,
                     (const char *const[]){ "docker", "manifest", "inspect", "--", name, NULL });
        if (docker_read_json(&look, &a, &manifest, &why))
                return SEEN_LATER;
        step_problem(ctx,
                     "image %s is not here, and its registry does not give it: %s; pull it by hand "
                     "(docker pull), or correct its name",
                     name, why.message);
        return SEEN_NOT;
}

Seen dry_image(StepCtx *ctx, const char *name, bool may_pull, json_t **ret)
{
        HostCall look = kit_look(ctx);
        AUTO_ERR why = { 0 };
        AUTO_FREE char *clean = text_clean_str(name);
        *ret = NULL;
        if (!is_reference(name)) {
                step_problem(ctx, "`%s` is not the name of an image", clean);
                return SEEN_NOT;
        }
        if (!docker_inspect(&look, DOCKER_IMAGE, name, ret, &why)) {
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
                return SEEN_NOT;
        }
        Will will = step_will_be(ctx, "image", name);
        if (will == WILL_GO) {
                step_problem(ctx, "image %s is removed by an earlier step", name);
                return SEEN_NOT;
        }
        if (*ret)
                return SEEN_HERE;
        if (will == WILL_COME)
                return SEEN_LATER;
        if (step_will_be(ctx, "anything", "anywhere") == WILL_COME) {
                step_unseen(ctx, "image %s is not here yet", name);
                return SEEN_LATER;
        }
        if (may_pull)
                return asked_registry(ctx, name);
        step_problem(ctx, "image %s is not here; pull it first (image.pull)", name);
        return SEEN_NOT;
}

/* ---- containers, volumes ---- */

static Seen dry_host_thing(StepCtx *ctx, DockerThing what, const char *word, const char *name,
                           json_t **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        Will will = step_will_be(ctx, word, name);
        *ret = NULL;
        if (!docker_inspect(&look, what, name, ret, err))
                return SEEN_NOT;
        if (will == WILL_GO) {
                json_decref(*ret);
                *ret = NULL;
                return SEEN_NOT;
        }
        return *ret ? SEEN_HERE : will == WILL_COME ? SEEN_LATER : SEEN_NOT;
}

Seen dry_container(StepCtx *ctx, const char *name, json_t **ret, Err *err)
{
        return dry_host_thing(ctx, DOCKER_CONTAINER, "container", name, ret, err);
}

Seen dry_volume(StepCtx *ctx, const char *name, json_t **ret, Err *err)
{
        return dry_host_thing(ctx, DOCKER_VOLUME, "volume", name, ret, err);
}

bool dry_docker_name(StepCtx *ctx, const char *what, const char *name)
{
        static const char ok[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
        AUTO_FREE char *clean = text_clean_str(name);
        if (isalnum((unsigned char)*name) && name[1] && !name[strspn(name, ok)])
                return true;
        step_problem(ctx,
                     "`%s` cannot be the name of a %s: letters, digits, _ . and -, at least two",
                     clean, what);
        return false;
}

/* ---- projects ---- */

Seen dry_project(StepCtx *ctx, Compose **ret)
{
        AUTO_ERR why = { 0 };
        const Target *t = step_target(ctx);
        TargetNow now = step_target_now(ctx, t, &why);
        if (now == TARGET_LATER) {
                step_unseen(ctx, "%s", why.message);
                return SEEN_LATER;
        }
        err_clear(&why); /* opening it says the same, in its own words */
        if (place_project(t, ret, &why))
                return SEEN_HERE;
        if (step_will_be(ctx, "anything", "anywhere") == WILL_COME) {
                step_unseen(ctx, "%s", why.message);
                return SEEN_LATER;
        }
        step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "", why.hint ? why.hint : "");
        return SEEN_NOT;
}

void dry_health(StepCtx *ctx, const char *health, const char *service, const json_t *c)
{
        static const char *const words[] = { "", "pg_isready", "container", "running",
                                             "completed" };
        AUTO_FREE char *clean = text_clean_str(health);
        bool known = str_starts(health, "http://") || str_starts(health, "https://");
        for (size_t i = 0; i < LEN(words); i++)
                known = known || str_eq(health, words[i]);
        if (!known)
                step_problem(ctx,
                             "health: `%s` is no health check; it is one of pg_isready, container, "
                             "running, completed, or a URL",
                             clean);
        else if (c && str_eq(health, "container") && !container_has_check(c))
                step_problem(ctx,
                             "service %s has no health check to wait for; write `health: running` "
                             "or a URL",
                             service);
        else if (c && str_eq(health, "pg_isready") && !*container_pgdata(c))
                step_problem(ctx, "service %s runs no PostgreSQL that pg_isready could ask",
                             service);
}

const char *dry_service(StepCtx *ctx, const char *service)
{
        const Target *t = step_target(ctx);
        const char *stack = !t ? "" : t->name ? t->name : jx_str(t->spec, "dir", "");
        return arena_printf(step_arena(ctx), "%s/%s", stack, service);
}
