/* container.c: a server in a container, by the container's name. Where it listens stands in its own
 * postmaster.pid, and its system identifier in its files. */
#include "host/container.h"
#include "place/container.h"
#include "place/place.h"

static bool container_place_address(Arena *a, const Target *t, PgParams *ret, Err *err);
static void container_place_names(const Target *t, PlaceNames *ret);
static bool container_place_itself(const Target *t, char **ret, Err *err);

static const ParamSpec container_via[] = {
        { .name = "container", .type = PARAM_STRING, .fallback = "~", .help = "container's name" },
        { 0 },
};

const PlaceKind place_container = {
        .spec = { .name = "container",
                  .via = container_via,
                  .marks = (const char *const[]){ "container", NULL },
                  .words = "container" },
        .address = container_place_address,
        .names = container_place_names,
        .container = container_place_itself,
};

bool place_in_container(Arena *a, const char *container, PgParams *ret, Err *err)
{
        AUTO_CONTAINER_ADDRESS at = { 0 };
        if (!host_container_address(container, &at, err))
                return err_wrap(err, "finding the server in container %s", container);
        ret->host = arena_strdup(a, at.host);
        ret->port = at.port;
        ret->system = arena_strdup(a, at.system);
        return true;
}

static bool container_place_address(Arena *a, const Target *t, PgParams *ret, Err *err)
{
        return place_in_container(a, jx_str(place_via(t), "container", ""), ret, err);
}

static void container_place_names(const Target *t, PlaceNames *ret)
{
        ret->container = jx_str(place_via(t), "container", NULL);
}

static bool container_place_itself(const Target *t, char **ret, Err *err)
{
        *ret = xstrdup(jx_str(place_via(t), "container", ""));
        return true;
}
