/* host.c: a server at an address, or behind a socket of this machine; and this machine as a target.
 */
#include "base/text.h"
#include "place/place.h"

static bool host_address(Arena *a, const Target *t, PgParams *ret, Err *err);
static void host_names(const Target *t, PlaceNames *ret);

static const ParamSpec host_via[] = {
        { .name = "host", .type = PARAM_STRING, .fallback = "~", .help = "host name or address" },
        { .name = "port", .type = PARAM_INT, .fallback = "~", .help = "port, 5432 if not given" },
        { .name = "socket",
          .type = PARAM_PATH,
          .fallback = "~",
          .help = "directory of the socket" },
        { 0 },
};
static const ParamSpec host_fields[] = { { 0 } };

const PlaceKind place_host = {
        .spec = { .name = "host",
                  .via = host_via,
                  .marks = (const char *const[]){ "host", "socket", NULL },
                  .words = "host and port, or socket",
                  .fields = host_fields },
        .address = host_address,
        .names = host_names,
};

static int host_port(const json_t *via)
{
        AUTO_FREE char *port = jx_get(via, "port") ? jx_words(jx_get(via, "port")) : NULL;
        return port && *port ? atoi(port) : 5432;
}

static bool host_address(Arena *a, const Target *t, PgParams *ret, Err *err)
{
        const json_t *via = place_via(t);
        const char *socket = jx_str(via, "socket", NULL);
        ret->host = arena_strdup(a, socket ? socket : jx_str(via, "host", NULL));
        ret->port = host_port(via);
        return (ret->host && *ret->host) || place_nowhere(err);
}

static void host_names(const Target *t, PlaceNames *ret)
{
        const char *host = jx_str(place_via(t), "host", "");
        if (str_eq(host, "127.0.0.1") || str_eq(host, "localhost") || str_eq(host, "::1"))
                ret->port_here = host_port(place_via(t));
}
