/* place.c: which kind of place it is, and what is the same of all. */
#include "place/place.h"

#include "base/text.h"
#include "host/container.h"

const json_t *place_via(const Target *t)
{
        return str_eq(t->kind, "postgres") ? jx_get(t->spec, "via") : NULL;
}

const PlaceKind *place_of(const Target *t)
{
        const json_t *via = place_via(t);
        for (const PlaceKind *const *k = place_kinds; *k; k++)
                for (const char *const *mark = (*k)->spec.marks; mark && *mark; mark++)
                        if (jx_get(via, *mark))
                                return *k;
        return NULL;
}

const PlaceKind *place_named(const char *kind)
{
        for (const PlaceKind *const *k = place_kinds; *k; k++)
                if ((*k)->spec.fields && str_eq((*k)->spec.name, kind))
                        return *k;
        return NULL;
}

const PlaceKind *place_of_secret(const char *from)
{
        for (const PlaceKind *const *k = place_kinds; *k; k++)
                if ((*k)->spec.secret_from && str_eq((*k)->spec.secret_from, from))
                        return *k;
        return NULL;
}

bool place_nowhere(Err *err)
{
        AUTO_FREE char *words = xstrdup("");
        for (const PlaceKind *const *k = place_kinds; *k; k++) {
                if (!(*k)->spec.words)
                        continue;
                char *longer = xasprintf("%s%s%s", words, *words ? ", " : "", (*k)->spec.words);
                free(words);
                words = longer;
        }
        err_set(err, ERR_USER, "the target does not say where its server is");
        return err_hint(err, "write `via:` with %s", words);
}

bool place_pg_params(Arena *a, const Target *t, const char *database, PgParams *ret, Err *err)
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
        const PlaceKind *kind = place_of(t);
        *ret = (PgParams){ .user = arena_strdup(a, user),
                           .database = arena_strdup(a, database && *database ? database
                                                       : own && *own         ? own
                                                                             : user),
                           .password = t->password,
                           .app = "pgsherpa" };
        return (kind ? kind->address(a, t, ret, err) : place_nowhere(err)) ||
               err_wrap(err, "target %s", name);
}

PlaceNames place_names(const Target *t)
{
        PlaceNames names = { 0 };
        const PlaceKind *kind = place_of(t);
        if (kind && kind->names)
                kind->names(t, &names);
        return names;
}

const char *place_image(Arena *a, const Target *t, const volatile bool *cancel)
{
        AUTO_ERR ignored = { 0 };
        AUTO_JSON info = NULL;
        AUTO_FREE char *container = NULL;
        HostCall call = { .cancel = cancel };
        const PlaceKind *kind = place_of(t);
        if (!kind || !kind->container || !kind->container(t, &container, &ignored) ||
            !docker_inspect(&call, DOCKER_CONTAINER, container, &info, &ignored) || !info)
                return NULL;
        return arena_strdup(a, container_image(info));
}
