/* prune.c: which bundles may go. The plan is a pure function of the list, so that what is shown
 * and what is done are one. */
#include "bundle/internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"

static void keep(json_t *row, const char *why)
{
        jx_set_bool(row, "remove", false);
        jx_set_str(row, "why", why);
}

static bool named(const json_t *row, const char *name)
{
        return str_eq(jx_str(row, "name", ""), name);
}

static bool readable(const json_t *row)
{
        return !jx_str(row, "problem", NULL);
}

/* How many newer ones of this name can be read; and is this the newest good one of it? */
static int64_t newer(const json_t *list, size_t at, bool *ret_newest_good)
{
        const json_t *row = json_array_get(list, at);
        int64_t n = 0;
        *ret_newest_good = jx_bool(row, "good", false);
        for (size_t i = 0; i < at; i++) {
                const json_t *other = json_array_get(list, i);
                if (!readable(other) || !named(other, jx_str(row, "name", "")))
                        continue;
                n++;
                if (jx_bool(other, "good", false))
                        *ret_newest_good = false;
        }
        return n;
}

static bool any_good(const json_t *list, const char *name)
{
        size_t i;
        json_t *row;
        json_array_foreach(list, i, row)
                if (readable(row) && named(row, name) && jx_bool(row, "good", false))
                        return true;
        return false;
}

static void decide(json_t *list, size_t at, const BundleRule *rule)
{
        json_t *row = json_array_get(list, at);
        const char *locked = jx_str(row, "locked", NULL);
        int64_t age = rule->now_ms - jx_int(row, "created_ms", 0), last = MAX(rule->keep_last, 1);
        bool newest_good;
        int64_t rank = newer(list, at, &newest_good);
        char text[160];
        if (!readable(row)) {
                keep(row, "it cannot be read: look at it yourself");
        } else if (locked) {
                snprintf(text, sizeof text, "locked by run %.100s", locked);
                keep(row, text);
        } else if (newest_good) {
                keep(row, "the newest of its name that was verified");
        } else if (!any_good(list, jx_str(row, "name", ""))) {
                keep(row, "none of its name was verified: run `pgsherpa backup verify` first");
        } else if (rank < last) {
                snprintf(text, sizeof text, "one of the last %lld", (long long)last);
                keep(row, last == 1 ? "the newest of its name" : text);
        } else if (rule->keep_ms > 0 && age < rule->keep_ms) {
                snprintf(text, sizeof text, "younger than %lld days",
                         (long long)(rule->keep_ms / 86400000));
                keep(row, text);
        } else {
                keep(row, "older than the rule keeps");
                jx_set_bool(row, "remove", true);
        }
}

void bundle_prune_plan(json_t *list, const BundleRule *rule)
{
        for (size_t i = 0; i < json_array_size(list); i++)
                decide(list, i, rule);
}

/* A name is not enough: it must be a bundle, or the unfinished beginning of one. */
static bool is_ours(const char *path, Err *err)
{
        if (str_ends(path, BUNDLE_SUFFIX ".part"))
                return true;
        if (!str_ends(path, BUNDLE_SUFFIX))
                return err_set(err, ERR_USER, "%s is not named like a bundle: not removed", path);
        AUTO_BUNDLE b = NULL;
        return bundle_open(path, &b, err) || err_wrap(err, "not removed");
}

bool bundle_remove(const char *path, Err *err)
{
        AUTO_FREE char *side = xasprintf("%s.verify.json", path);
        AUTO_FREE char *locked = bundle_locked_by(path);
        if (locked)
                return err_set(err, ERR_USER, "%s is the way back of run %s: not removed", path,
                               locked);
        if (!io_exists(path))
                return true;
        if (!is_ours(path, err))
                return false;
        if (unlink(path) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing %s", path);
        if (unlink(side) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing %s", side);
        return true;
}
