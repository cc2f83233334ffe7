/* file_edit.c: an edit that can be told from no edit, after a crash, by two hashes.
 *
 * Remembered before the file changes: its hash now, its hash afterwards, and where its bytes
 * were saved. The present file is then either of the two, or somebody else was here: drift. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "wizard-steps/host_steps.h"

/* Temporary files of io_replace_file() that a kill left behind: this very name and eight
 * digits, nothing else. */
static void sweep(const char *path)
{
        const char *slash = strrchr(path, '/');
        AUTO_FREE char *dir = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
        AUTO_FREE char *prefix = xasprintf("%s.pgsherpa-", slash ? slash + 1 : path);
        DIR *d = opendir(*dir ? dir : "/");
        for (struct dirent *e; d && (e = readdir(d));) {
                const char *rest = e->d_name + strlen(prefix);
                if (!str_starts(e->d_name, prefix) || strlen(rest) != 8 ||
                    rest[strspn(rest, "0123456789abcdef")])
                        continue;
                AUTO_FREE char *full = io_join(*dir ? dir : "/", e->d_name);
                (void)unlink(full);
        }
        if (d)
                closedir(d);
}

/* "" when there is no such file: that is a state like any other. */
static bool hash_of(const char *path, char hex[static 65], Err *err)
{
        int64_t size = 0;
        hex[0] = '\0';
        return !io_exists(path) || digest_hex_of_file(path, hex, &size, err);
}

bool file_edit(StepCtx *ctx, const char *path, const char *after, size_t after_len, json_t *results,
               Err *err)
{
        AUTO_JSON owned = results;
        AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        char before_hex[65] = "", after_hex[65];
        bool exists = io_exists(path);
        if (exists && !io_read_file(path, LIMIT_COMPOSE_FILE, &bytes, &n, err))
                return false;
        if (exists)
                digest_hex_of(bytes, n, before_hex);
        digest_hex_of(after, after_len, after_hex);
        const json_t *had = jx_get(step_remembered(ctx), "edit");
        bool redo = had && str_eq(jx_str(had, "after", ""), after_hex) &&
                    str_eq(jx_str(had, "before", ""), before_hex);
        if (!redo) {
                const char *dir = step_saved_dir(ctx, err);
                if (!dir)
                        return false;
                const char *slash = strrchr(path, '/');
                AUTO_FREE char *saved = io_join(dir, slash ? slash + 1 : path);
                if (exists && !io_replace_file(saved, bytes, n, 0600, err))
                        return err_wrap(err, "saving %s", path);
                json_t *edit = json_object();
                jx_set_str(edit, "file", path);
                jx_set_str(edit, "before", before_hex);
                jx_set_str(edit, "after", after_hex);
                jx_set_str(edit, "saved", saved);
                json_t *all = json_object();
                jx_set(all, "edit", edit);
                jx_set(all, "results", json_incref(owned));
                if (!step_remember(ctx, all, err))
                        return false;
        }
        sweep(path);
        if (!io_replace_file(path, after, after_len, 0644, err))
                return err_wrap(err, "writing %s", path);
        char now[65];
        if (!hash_of(path, now, err))
                return false;
        if (!str_eq(now, after_hex))
                return err_set(err, ERR_SYSTEM, "%s does not hold what was just written to it", path);
        json_object_update(step_results(ctx), owned);
        return true;
}

void file_edit_nothing(StepCtx *ctx, json_t *results)
{
        const json_t *had = jx_get(step_remembered(ctx), "results");
        json_object_update(step_results(ctx), had ? (json_t *)had : results);
        json_decref(results);
}

bool file_edit_probe(StepCtx *ctx, Found *ret, Err *err)
{
        const json_t *all = step_remembered(ctx), *edit = jx_get(all, "edit");
        *ret = FOUND_NOTHING;
        if (!edit)
                return true;
        const char *path = jx_str(edit, "file", "");
        char now[65];
        if (!hash_of(path, now, err))
                return false;
        sweep(path);
        if (str_eq(now, jx_str(edit, "after", ""))) {
                *ret = FOUND_ALL;
                json_object_update(step_results(ctx), jx_get(all, "results"));
        } else if (!str_eq(now, jx_str(edit, "before", ""))) {
                *ret = FOUND_DRIFT;
                step_log(ctx, SAY_WARN, "pgsherpa", "%s is neither as before nor as after the edit", path);
        }
        return true;
}

bool file_edit_undo(StepCtx *ctx, Err *err)
{
        const json_t *edit = jx_get(step_remembered(ctx), "edit");
        if (!edit)
                return true;            /* nothing had been changed yet */
        const char *path = jx_str(edit, "file", ""), *saved = jx_str(edit, "saved", "");
        const char *before = jx_str(edit, "before", ""), *after = jx_str(edit, "after", "");
        char now[65], kept[65];
        if (!hash_of(path, now, err))
                return false;
        sweep(path);
        if (str_eq(now, before)) {
                step_report(ctx, "%s was as before", path);
                return true;
        }
        if (!str_eq(now, after)) {
                err_set(err, ERR_USER, "%s was changed by somebody else since this step; it was left alone",
                        path);
                return err_hint(err, "what it was before is saved in %s: merge the two by hand", saved);
        }
        if (!*before) {                 /* there was none: ours goes */
                if (unlink(path) < 0)
                        return err_set_errno(err, errno, "removing %s", path);
                step_report(ctx, "%s is gone again", path);
                return true;
        }
        AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        if (!io_read_file(saved, LIMIT_COMPOSE_FILE, &bytes, &n, err))
                return err_wrap(err, "reading what was saved of %s", path);
        digest_hex_of(bytes, n, kept);
        if (!str_eq(kept, before))
                return err_set(err, ERR_USER, "what was saved of %s (%s) is damaged; it was left alone",
                               path, saved);
        if (!io_replace_file(path, bytes, n, 0644, err))
                return err_wrap(err, "putting %s back", path);
        step_report(ctx, "%s is as before", path);
        return true;
}
