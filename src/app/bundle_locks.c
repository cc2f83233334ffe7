#include "app/bundle_locks.h"

#include "bundle/bundle.h"
#include "journal/run_view.h"

bool bundle_locks_release(const char *run_dir, Err *err)
{
        AUTO_VIEW v = NULL;
        if (!run_view_load(run_dir, &v, err))
                return false;
        if (!v->run || (!str_eq(v->status, "done") && !str_eq(v->status, "undone")))
                return true;
        for (size_t i = 0; i < v->n_artifacts; i++)
                if (str_eq(v->artifacts[i].what, "bundle") &&
                    !bundle_unlock(v->artifacts[i].path, v->run, NULL, err))
                        return false;
        return true;
}
