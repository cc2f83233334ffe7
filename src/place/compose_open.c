/* compose_open.c: from a target of kind compose to its project. */
#include "base/text.h"
#include "place/open.h"

/* A target may stand for another by name (`via: {compose: stack}`); its spec has the dir. */
bool target_compose(const Target *t, Compose **ret, Err *err)
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
