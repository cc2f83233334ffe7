/* compose.c: a server that is a service of a Compose project; and such a project as a target.
 *
 * `via: {compose: stack, service: db}` names a target of kind compose, or has one written in place;
 * `via: {compose_dir: /srv/app, service: db}` says the directory alone. */
#include "base/text.h"
#include "place/container.h"
#include "place/place.h"
#include "place/project.h"

static bool compose_place_address(Arena *a, const Target *t, PgParams *ret, Err *err);
static void compose_place_names(const Target *t, PlaceNames *ret);
static bool compose_place_container(const Target *t, char **ret, Err *err);
static bool compose_place_identify(const Target *t, json_t *who, Err *err);
static bool compose_place_lock_name(const Target *t, char **ret, Err *err);
static bool compose_place_done_if(const Target *t, const json_t *cond, bool *ret, Err *err);
static bool compose_place_secret(const char *name, const json_t *spec, const json_t *targets,
                                 Secret **ret, Err *err);

static const ParamSpec compose_via[] = {
        { .name = "compose", .type = PARAM_NAME, .fallback = "~", .help = "a compose target" },
        { .name = "service", .type = PARAM_NAME, .fallback = "~", .help = "service of it" },
        { .name = "compose_dir", .type = PARAM_PATH, .fallback = "~", .help = "project directory" },
        { 0 },
};
static const ParamSpec compose_fields[] = {
        { .name = "dir", .type = PARAM_PATH, .help = "project directory" },
        { .name = "project", .type = PARAM_NAME, .fallback = "~", .help = "project's name" },
        { 0 },
};
static const ParamSpec compose_secret[] = {
        { .name = "target", .type = PARAM_NAME, .help = "a compose target" },
        { .name = "service", .type = PARAM_NAME, .help = "service of it" },
        { .name = "key", .type = PARAM_STRING, .help = "variable of the service" },
        { 0 },
};

static const ParamSpec compose_image = { .name = "compose_image",
                                         .type = PARAM_NAME,
                                         .fallback = "~",
                                         .help = "a service whose image is asked" };

const PlaceKind place_compose = {
        .spec = { .name = "compose",
                  .via = compose_via,
                  .marks = (const char *const[]){ "compose", "compose_dir", NULL },
                  .words = "compose and service",
                  .needs = "service",
                  .needs_beside = "a compose project",
                  .refers = "compose",
                  .fields = compose_fields,
                  .has_identity = true,
                  .secret_from = "compose_env",
                  .secret_of = compose_secret,
                  .condition = &compose_image },
        .address = compose_place_address,
        .names = compose_place_names,
        .container = compose_place_container,
        .identify = compose_place_identify,
        .lock_name = compose_place_lock_name,
        .done_if = compose_place_done_if,
        .secret = compose_place_secret,
};

/* ---- a server that is a service of it ---- */

/* The target that `compose:` names; NULL: it is written in place, or is `compose_dir:`. */
static const char *stack_name(const json_t *via)
{
        const json_t *c = jx_get(via, "compose");
        return json_is_string(c) ? json_string_value(c) : jx_str(c, "$target", NULL);
}

/* The spec of the project: {"dir", "project"}; NULL: no such target, or `compose_dir:`. */
static const json_t *stack_spec(const Target *t, const json_t *via)
{
        const char *name = stack_name(via);
        return name ? jx_get(t->all, name) : jx_get(via, "compose");
}

static bool compose_place_container(const Target *t, char **ret, Err *err)
{
        const json_t *via = place_via(t), *stack = stack_spec(t, via);
        const char *service = jx_str(via, "service", "");
        if (jx_get(via, "compose") && !stack)
                return err_set(err, ERR_USER, "there is no target %s", stack_name(via));
        const char *dir = stack ? jx_str(stack, "dir", "") : jx_str(via, "compose_dir", "");
        AUTO_COMPOSE c = NULL;
        return (compose_open(dir, jx_str(stack, "project", NULL), &c, err) &&
                compose_service_container(c, service, ret, err)) ||
               err_wrap(err, "finding service %s of %s", service, dir);
}

static bool compose_place_address(Arena *a, const Target *t, PgParams *ret, Err *err)
{
        AUTO_FREE char *id = NULL;
        return compose_place_container(t, &id, err) && place_in_container(a, id, ret, err);
}

static void compose_place_names(const Target *t, PlaceNames *ret)
{
        const json_t *via = place_via(t), *stack = stack_spec(t, via);
        const char *name = stack_name(via);
        ret->dir = jx_str(stack, "dir", jx_str(via, "compose_dir", NULL));
        ret->stack = name                     ? name
                     : jx_get(via, "compose") ? jx_str(stack, "dir", "")
                                              : jx_str(via, "compose_dir", NULL);
        ret->service = jx_str(via, "service", "");
}

/* ---- the project itself ---- */

bool place_project(const Target *t, Compose **ret, Err *err)
{
        if (!t)
                return err_set(err, ERR_USER, "this step needs `on:` with a Compose target");
        const char *dir = jx_str(t->spec, "dir", "");
        const char *name = t->name ? t->name : "written in the step";
        if (!str_eq(t->kind, "compose") || !*dir) {
                err_set(err, ERR_USER, "target %s is not a Compose project", name);
                return err_hint(err, "write it as {kind: compose, dir: /srv/app}");
        }
        return compose_open(dir, jx_str(t->spec, "project", ""), ret, err) ||
               err_wrap(err, "target %s", name);
}

static bool compose_place_identify(const Target *t, json_t *who, Err *err)
{
        AUTO_COMPOSE c = NULL;
        if (!place_project(t, &c, err))
                return false;
        jx_set_str(who, "project", compose_project(c));
        jx_set(who, "config_files", compose_config_files(c));
        return true;
}

static bool compose_place_lock_name(const Target *t, char **ret, Err *err)
{
        AUTO_COMPOSE c = NULL;
        if (!place_project(t, &c, err))
                return false;
        *ret = xasprintf("compose-%s", compose_project(c));
        return true;
}

static bool compose_place_done_if(const Target *t, const json_t *cond, bool *ret, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_FREE char *image = NULL;
        if (!place_project(t, &c, err) ||
            !compose_service_image(c, jx_str(cond, "compose_image", ""), &image, err))
                return false;
        *ret = str_eq(image, jx_str(cond, "equals", ""));
        return true;
}

static bool compose_place_secret(const char *name, const json_t *spec, const json_t *targets,
                                 Secret **ret, Err *err)
{
        const json_t *stack = jx_get(targets, jx_str(spec, "target", ""));
        const char *service = jx_str(spec, "service", ""), *key = jx_str(spec, "key", "");
        AUTO_COMPOSE c = NULL;
        if (!stack)
                return err_set(err, ERR_USER, "secret `%s`: there is no target `%s`", name,
                               jx_str(spec, "target", ""));
        if (!compose_open(jx_str(stack, "dir", ""), jx_str(stack, "project", NULL), &c, err))
                return err_wrap(err, "secret `%s`", name);
        return compose_service_secret(c, service, key, name, ret, err) ||
               err_wrap(err, "secret `%s` from service %s", name, service);
}
