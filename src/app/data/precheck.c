#include "app/data/precheck.h"

#include <stdio.h>

#include "transfer/direction.h"

static void refuse(Work *w, const char *words)
{
        AUTO_FREE char *line = xasprintf("cannot go: %s", words);
        if (w)
                work_complain(w, line);
        else
                fprintf(stderr, "%s\n", line);
}

/* Refusals on stderr, where the error goes; what will be done on stdout, or into the list. */
static void print(Work *w, const json_t *found, json_t *into)
{
        size_t i;
        json_t *j;
        json_array_foreach(found, i, j) {
                const char *verdict = jx_str(j, "verdict", "");
                AUTO_FREE char *words = direction_words(j);
                if (str_eq(verdict, "refused"))
                        refuse(w, words);
                else if (!into)
                        printf("%s: %s\n", str_eq(verdict, "perhaps") ? "look at" : "rewritten",
                               words);
        }
        if (into)
                json_array_extend(into, (json_t *)found);
}

static bool judge(Work *w, const json_t *found, json_t *into, bool *ret_refused, Err *err)
{
        size_t n = direction_refused(found);
        print(w, found, into);
        if (n == 0)
                return true;
        *ret_refused = true;
        err_set(err, ERR_USER, "%zu object%s of the database cannot go to that server as %s", n,
                n == 1 ? "" : "s", n == 1 ? "it is" : "they are");
        return err_hint(err, "nothing was kept there and the source is untouched; change or drop "
                             "them as said above, or take a newer target");
}

bool precheck_catalogs(Endpoint *from, Endpoint *to, json_t *into, bool *ret_refused, Err *err)
{
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON found = NULL;
        return endpoint_open_both(from, to, NULL, &source, &target, err) &&
               direction_check(source, pg_major(target), &found, err) &&
               direction_rows(source, pg_major(target), found, err) &&
               judge(NULL, found, into, ret_refused, err);
}

bool precheck_rehearse(Work *w, const TransferCopy *c, json_t *into, bool *ret_refused, Err *err)
{
        AUTO_JSON found = NULL;
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        work_cancels(w, t);
        bool ok = transfer_rehearse(t, c, &found, err);
        work_cancels(w, NULL);
        if (ok && *work_flag(w))
                return err_set(err, ERR_CANCELLED, "stopped on request");
        return ok && judge(w, found, into, ret_refused, err);
}
