/* pg_open.c: from a target of kind postgres to a connection. */
#include "host/container.h"
#include "place/open.h"

static const json_t *target_named(const Target *t, const char *name)
{
        return jx_get(t->all, name);
}

static bool container(Arena *a, const char *name, PgParams *ret, Err *err)
{
        AUTO_CONTAINER_ADDRESS at = { 0 };
        if (!host_container_address(name, &at, err))
                return err_wrap(err, "finding the server in container %s", name);
        ret->host = arena_strdup(a, at.host);
        ret->port = at.port;
        ret->system = arena_strdup(a, at.system);
        return true;
}

static bool service(Arena *a, const char *dir, const char *project, const char *name, PgParams *ret,
                    Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_FREE char *id = NULL;
        if (!compose_open(dir, project, &c, err) || !compose_service_container(c, name, &id, err))
                return err_wrap(err, "finding service %s of %s", name, dir);
        return container(a, id, ret, err);
}

/* `compose` names a compose target, or is one written in place. */
static bool via_compose(Arena *a, const Target *t, const json_t *via, PgParams *ret, Err *err)
{
        const json_t *c = jx_get(via, "compose");
        const char *name = json_is_string(c) ? json_string_value(c) : jx_str(c, "$target", NULL);
        const json_t *stack = name ? target_named(t, name) : c;
        if (!stack)
                return err_set(err, ERR_USER, "there is no target %s", name ? name : "");
        return service(a, jx_str(stack, "dir", ""), jx_str(stack, "project", NULL),
                       jx_str(via, "service", ""), ret, err);
}

static bool where(Arena *a, const Target *t, const json_t *via, PgParams *ret, Err *err)
{
        if (jx_get(via, "compose"))
                return via_compose(a, t, via, ret, err);
        if (jx_get(via, "compose_dir"))
                return service(a, jx_str(via, "compose_dir", ""), NULL, jx_str(via, "service", ""),
                               ret, err);
        if (jx_get(via, "container"))
                return container(a, jx_str(via, "container", ""), ret, err);
        const char *socket = jx_str(via, "socket", NULL);
        ret->host = arena_strdup(a, socket ? socket : jx_str(via, "host", NULL));
        AUTO_FREE char *port = jx_get(via, "port") ? jx_words(jx_get(via, "port")) : NULL;
        ret->port = port && *port ? atoi(port) : 5432;
        if (ret->host && *ret->host)
                return true;
        err_set(err, ERR_USER, "the target does not say where its server is");
        return err_hint(err, "write `via:` with compose and service, container, host and port, "
                             "or socket");
}

bool target_pg_params(Arena *a, const Target *t, const char *database, PgParams *ret, Err *err)
{
        if (!t)
                return err_set(err, ERR_USER, "this step needs `on:` with a postgres target");
        const char *name = t->name ? t->name : "written in the step";
        if (!str_eq(t->kind, "postgres")) {
                err_set(err, ERR_USER, "target %s is of kind %s, not a PostgreSQL server", name,
                        t->kind ? t->kind : "?");
                return err_hint(err, "this step works on a target of kind postgres");
        }
        const char *user = jx_str(t->spec, "user", "postgres");
        const char *own = jx_str(t->spec, "database", NULL);
        *ret = (PgParams){ .user = arena_strdup(a, user),
                           .database = arena_strdup(a, database && *database ? database
                                                       : own && *own         ? own
                                                                             : user),
                           .password = t->password,
                           .app = "pgsherpa" };
        return where(a, t, jx_get(t->spec, "via"), ret, err) || err_wrap(err, "target %s", name);
}
