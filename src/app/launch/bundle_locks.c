#include "app/launch/bundle_locks.h"

#include <stdlib.h>

#include "bundle/bundle.h"
#include "journal/run_dir.h"
#include "journal/run_view.h"

static bool is_closed(const RunView *v)
{
        return v->run && !v->damage && (str_eq(v->status, "done") || str_eq(v->status, "undone"));
}

bool bundle_locks_release(const char *run_dir, Err *err)
{
        AUTO_VIEW v = NULL;
        AUTO_FREE char *tag = NULL;
        if (!run_view_load(run_dir, &v, err))
                return false;
        if (!is_closed(v))
                return true;
        if (!run_dir_tag(run_dir, &tag, err))
                return false;
        for (size_t i = 0; i < v->n_artifacts; i++)
                if (str_eq(v->artifacts[i].what, "bundle") &&
                    !bundle_unlock(v->artifacts[i].path, tag, NULL, err))
                        return false;
        return true;
}

/* Runs of two users may have one name: only the one that wrote this file may let it go. */
static bool made(const RunView *v, const char *path)
{
        AUTO_FREE char *whole = realpath(path, NULL);
        for (size_t i = 0; whole && i < v->n_artifacts; i++) {
                AUTO_FREE char *its = realpath(v->artifacts[i].path, NULL);
                if (str_eq(v->artifacts[i].what, "bundle") && str_eq(its, whole))
                        return true;
        }
        return false;
}

/* "p1-7487": p1 is the directory, if its tag is the same. */
static bool its_dir(const char *tag, char **ret_dir)
{
        AUTO_ERR ignored = { 0 };
        AUTO_FREE char *id = xstrndup(tag, strcspn(tag, "-"));
        AUTO_FREE char *here = NULL;
        return run_dir_find(id, ret_dir, &ignored) && run_dir_tag(*ret_dir, &here, &ignored) &&
               str_eq(here, tag);
}

static void say(json_t *row, const char *run, const RunView *v)
{
        AUTO_FREE char *words =
                !v ? xasprintf("run %s, which is not here; `pgsherpa backup unlock` lets it go",
                               run)
                : v->status ? xasprintf("run %s (%s): `pgsherpa rollback %s` may want it", run,
                                        v->status, run)
                            : xasprintf("run %s, which is not over yet", run);
        jx_set_str(row, "lock_words", words);
}

void bundle_locks_settle(json_t *row)
{
        const char *path = jx_str(row, "path", "");
        AUTO_FREE char *run = bundle_locked_by(path);
        AUTO_FREE char *dir = NULL;
        AUTO_ERR ignored = { 0 };
        AUTO_VIEW v = NULL;
        if (!run)
                return;
        bool here = its_dir(run, &dir) && run_view_load(dir, &v, &ignored) && made(v, path);
        if (here && is_closed(v) && !run_lock_held(dir) &&
            bundle_unlock(path, run, NULL, &ignored)) {
                jx_set(row, "locked", json_null());
                jx_set_str(row, "let_go", run);
                return;
        }
        say(row, run, here ? v : NULL);
}
