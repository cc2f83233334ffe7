/* list.c: which bundles lie in a directory, and how good they are known to be. */
#include "bundle/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"

static json_t *side_file(const char *path, const char *suffix)
{
        AUTO_ERR ignored = { 0 };
        AUTO_FREE char *file = xasprintf("%s%s", path, suffix);
        AUTO_FREE char *text = NULL;
        size_t n;
        if (!io_exists(file) || !io_read_file(file, LIMIT_MANIFEST, &text, &n, &ignored))
                return NULL;
        return jx_parse(text, n, &ignored);
}

static json_t *describe(const char *path, const char *file)
{
        json_t *j = json_object();
        AUTO_ERR why = { 0 };
        AUTO_BUNDLE b = NULL;
        AUTO_JSON verified = side_file(path, ".verify.json");
        jx_set_str(j, "path", path);
        jx_set_str(j, "name", file);
        if (!bundle_open(path, &b, &why)) {
                jx_set_str(j, "created", "");
                jx_set_str(j, "problem", why.message);
                return j;
        }
        jx_set_str(j, "created", jx_str(b->manifest, "created", ""));
        jx_set_int(j, "size", b->size);
        jx_set_str(j, "server", jx_str(jx_get(b->manifest, "server"), "version", ""));
        json_t *names = json_array();
        size_t i;
        json_t *db;
        json_array_foreach(jx_get(b->manifest, "databases"), i, db)
                jx_append_str(names, jx_str(db, "name", ""));
        jx_set(j, "databases", names);
        jx_set_str(j, "verified", jx_str(verified, "when", NULL));
        jx_set_bool(j, "good", jx_bool(verified, "good", false));
        AUTO_FREE char *lock = xasprintf("%s.locked", path);
        jx_set_bool(j, "locked", io_exists(lock));
        jx_set_str(j, "problem", NULL);
        return j;
}

static int newest_first(const void *a, const void *b)
{
        const char *x = jx_str(*(json_t *const *)a, "created", "");
        const char *y = jx_str(*(json_t *const *)b, "created", "");
        return strcmp(y, x);
}

bool bundle_list(const char *root, json_t **ret, Err *err)
{
        DIR *dir = opendir(root);
        if (!dir)
                return err_set_errno(err, errno, "looking for bundles in %s", root);
        json_t **found = NULL;
        size_t n = 0;
        for (struct dirent *e; (e = readdir(dir));) {
                if (!str_ends(e->d_name, BUNDLE_SUFFIX))
                        continue;
                AUTO_FREE char *path = io_join(root, e->d_name);
                found = xrealloc(found, (n + 1) * sizeof *found);
                found[n++] = describe(path, e->d_name);
        }
        closedir(dir);
        if (n > 0)
                qsort(found, n, sizeof *found, newest_first);
        *ret = json_array();
        for (size_t i = 0; i < n; i++)
                json_array_append_new(*ret, found[i]);
        free(found);
        return true;
}

bool bundle_remove(const char *path, Err *err)
{
        AUTO_FREE char *lock = xasprintf("%s.locked", path);
        AUTO_FREE char *side = xasprintf("%s.verify.json", path);
        if (!str_ends(path, BUNDLE_SUFFIX) && !str_ends(path, BUNDLE_SUFFIX ".part"))
                return err_set(err, ERR_USER, "%s is not named like a bundle: not removed", path);
        if (io_exists(lock))
                return err_set(err, ERR_USER, "%s is some run's way back: not removed", path);
        if (unlink(path) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing %s", path);
        if (unlink(side) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing %s", side);
        return true;
}
