/* kit_file_edit.c: an edit that can be told from no edit, after a crash, by two hashes.
 *
 * Remembered before a file changes: its hash now, its hash afterwards, and where the bytes that
 * undo puts back were saved. The present file is then either of the two, or somebody else was here:
 * drift. Several files are one edit: after a crash between two of them part is done, and is done
 * again. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "kit/file_edit.h"

/* Temporary files of io_replace_file() that a kill left behind: this very name and eight
 * digits, nothing else. */
static void file_edit_sweep(const char *path)
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

/* Of a step that was remembered by an older program there is one, called "edit". */
static json_t *edits_of(const json_t *all)
{
        const json_t *list = jx_get(all, "edits"), *one = jx_get(all, "edit");
        json_t *out = json_array();
        if (list)
                json_array_extend(out, (json_t *)list);
        else if (one)
                json_array_append(out, (json_t *)one);
        return out;
}

const json_t *kit_file_edit_remembered(const json_t *all)
{
        const json_t *list = jx_get(all, "edits");
        return list ? json_array_get(list, 0) : jx_get(all, "edit");
}

/* Saves the bytes undo puts back, and says what is to be remembered of this file. */
static bool file_edit_prepare(StepCtx *ctx, const FileEdit *f, size_t number, json_t **ret,
                              Err *err)
{
        AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        char before[65] = "", after[65], back[65] = "";
        bool exists = io_exists(f->path);
        if (exists && !io_read_file(f->path, LIMIT_COMPOSE_FILE, &bytes, &n, err))
                return false;
        if (exists)
                digest_hex_of(bytes, n, before);
        digest_hex_of(f->after, f->after_len, after);
        const char *keep = f->back ? f->back : bytes;
        size_t keep_len = f->back ? f->back_len : n;
        if (exists)
                digest_hex_of(keep, keep_len, back);
        const char *dir = step_saved_dir(ctx, err), *slash = strrchr(f->path, '/');
        if (!dir)
                return false;
        AUTO_FREE char *name = number ? xasprintf("%zu-%s", number, slash ? slash + 1 : f->path)
                                      : xstrdup(slash ? slash + 1 : f->path);
        AUTO_FREE char *saved = io_join(dir, name);
        if (exists && !io_replace_file(saved, keep, keep_len, 0600, err))
                return err_wrap(err, "saving %s", f->path);
        *ret = json_object();
        jx_set_str(*ret, "file", f->path);
        jx_set_str(*ret, "before", before);
        jx_set_str(*ret, "after", after);
        jx_set_str(*ret, "back", back);
        jx_set_str(*ret, "saved", saved);
        return true;
}

/* Every file is as it was or as it shall be: an earlier attempt of this very edit got this far. */
static bool file_edit_begun(StepCtx *ctx, const FileEdit *list, size_t n)
{
        AUTO_JSON had = edits_of(step_remembered(ctx));
        for (size_t i = 0; i < n; i++) {
                const json_t *one = json_array_get(had, i);
                char after[65], now[65];
                AUTO_ERR ignored = { 0 };
                digest_hex_of(list[i].after, list[i].after_len, after);
                if (!one || !str_eq(jx_str(one, "file", ""), list[i].path) ||
                    !str_eq(jx_str(one, "after", ""), after) ||
                    !hash_of(list[i].path, now, &ignored) ||
                    (!str_eq(now, jx_str(one, "before", "")) && !str_eq(now, after)))
                        return false;
        }
        return json_array_size(had) == n;
}

static bool write_one(const FileEdit *f, Err *err)
{
        char now[65], after[65];
        digest_hex_of(f->after, f->after_len, after);
        file_edit_sweep(f->path);
        if (!io_replace_file(f->path, f->after, f->after_len, 0644, err))
                return err_wrap(err, "writing %s", f->path);
        if (!hash_of(f->path, now, err))
                return false;
        return str_eq(now, after) ||
               err_set(err, ERR_SYSTEM, "%s does not hold what was just written to it", f->path);
}

bool kit_file_edits(StepCtx *ctx, const FileEdit *list, size_t n, json_t *results, Err *err)
{
        AUTO_JSON owned = results;
        if (!file_edit_begun(ctx, list, n)) {
                AUTO_JSON edits = json_array();
                for (size_t i = 0; i < n; i++) {
                        json_t *one = NULL;
                        if (!file_edit_prepare(ctx, &list[i], i, &one, err))
                                return false;
                        json_array_append_new(edits, one);
                }
                json_t *all = json_object();
                jx_set(all, "edits", json_incref(edits));
                jx_set(all, "results", json_incref(owned));
                if (!step_remember(ctx, all, err))
                        return false;
        }
        for (size_t i = 0; i < n; i++)
                if (!write_one(&list[i], err))
                        return false;
        json_object_update(step_results(ctx), owned);
        return true;
}

bool kit_file_edit(StepCtx *ctx, const char *path, const char *after, size_t after_len,
                   json_t *results, Err *err)
{
        FileEdit one = { .path = path, .after = after, .after_len = after_len };
        return kit_file_edits(ctx, &one, 1, results, err);
}

void kit_file_edit_nothing(StepCtx *ctx, json_t *results)
{
        const json_t *had = jx_get(step_remembered(ctx), "results");
        json_object_update(step_results(ctx), had ? (json_t *)had : results);
        json_decref(results);
}

bool kit_file_edit_probe(StepCtx *ctx, Found *ret, Err *err)
{
        const json_t *all = step_remembered(ctx);
        AUTO_JSON edits = edits_of(all);
        size_t i, done = 0, not_yet = 0;
        json_t *edit;
        json_array_foreach(edits, i, edit) {
                const char *path = jx_str(edit, "file", "");
                char now[65];
                if (!hash_of(path, now, err))
                        return false;
                file_edit_sweep(path);
                if (str_eq(now, jx_str(edit, "after", "")))
                        done++;
                else if (str_eq(now, jx_str(edit, "before", "")))
                        not_yet++;
                else
                        step_log(ctx, SAY_WARN, "pgsherpa",
                                 "%s is neither as before nor as after the edit", path);
        }
        size_t n = json_array_size(edits);
        *ret = not_yet == n          ? FOUND_NOTHING
               : done == n           ? FOUND_ALL
               : done + not_yet == n ? FOUND_PART
                                     : FOUND_DRIFT;
        if (*ret == FOUND_ALL)
                json_object_update(step_results(ctx), jx_get(all, "results"));
        return true;
}

static bool file_edit_undo_one(StepCtx *ctx, const json_t *edit, Err *err)
{
        const char *path = jx_str(edit, "file", ""), *saved = jx_str(edit, "saved", "");
        const char *before = jx_str(edit, "before", ""), *after = jx_str(edit, "after", "");
        const char *back = jx_str(edit, "back", before);
        char now[65], kept[65];
        if (!hash_of(path, now, err))
                return false;
        file_edit_sweep(path);
        if (str_eq(now, before) || str_eq(now, back)) {
                step_report(ctx, "%s was as before", path);
                return true;
        }
        if (!str_eq(now, after)) {
                err_set(err, ERR_USER,
                        "%s was changed by somebody else since this step; it was left alone", path);
                return err_hint(err, "what it was before is saved in %s: merge the two by hand",
                                saved);
        }
        if (!*before) { /* there was none: ours goes */
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
        if (!str_eq(kept, back))
                return err_set(err, ERR_USER,
                               "what was saved of %s (%s) is damaged; it was left alone", path,
                               saved);
        if (!io_replace_file(path, bytes, n, 0644, err))
                return err_wrap(err, "putting %s back", path);
        step_report(ctx, "%s is as before%s", path,
                    str_eq(back, before) ? "" : ", with its volume by name");
        return true;
}

bool kit_file_edit_undo(StepCtx *ctx, Err *err)
{
        AUTO_JSON edits = edits_of(step_remembered(ctx));
        for (size_t i = json_array_size(edits); i-- > 0;)
                if (!file_edit_undo_one(ctx, json_array_get(edits, i), err))
                        return false;
        return true;
}
