/* step_find.c: finding a kind by its name. */
#include "base/text.h"
#include "engine/step.h"

const StepKind *step_kind_find(const char *name, Err *err)
{
        const char *names[256];
        size_t n = 0;
        for (const StepKind *const *k = step_kinds; *k && n < LEN(names); k++) {
                if (str_eq((*k)->name, name))
                        return *k;
                names[n++] = (*k)->name;
        }
        const char *near = text_nearest(name, names, n);
        err_set(err, ERR_USER, "there is no step kind `%s`", name);
        if (near)
                err_hint(err, "did you mean `%s`? `pgsherpa explain` lists them all", near);
        else
                err_hint(err, "`pgsherpa explain` lists them all");
        return NULL;
}
