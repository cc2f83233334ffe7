/* list.c: which bundles lie in a directory, and how good they are known to be. */
#include "bundle/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

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

/* "shop_20261121_020000.pgs.tar" -> "shop": bundles of one name are kept and pruned together. */
static char *family(const char *file)
{
        const size_t tail = sizeof "_YYYYMMDD_HHMMSS" BUNDLE_SUFFIX - 1, n = strlen(file);
        return xstrndup(file, n > tail ? n - tail : n);
}

static void verified(const Bundle *b, const char *path, json_t *j)
{
        AUTO_JSON side = side_file(path, ".verify.json");
        const char *self = jx_str(jx_get(b->manifest, "tail"), "self", "");
        bool this_one = side && str_eq(jx_str(side, "bundle", ""), self);
        jx_set_str(j, "verified", this_one ? jx_str(side, "when", NULL) : NULL);
        jx_set_bool(j, "good", this_one && jx_bool(side, "good", false));
        jx_set_str(j, "level", this_one ? jx_str(side, "level", "full") : NULL);
        jx_set_str(j, "restored_on", this_one ? jx_str(side, "restored_on", NULL) : NULL);
}

json_t *bundle_describe(const char *path)
{
        json_t *j = json_object();
        AUTO_ERR why = { 0 };
        AUTO_BUNDLE b = NULL;
        const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
        AUTO_FREE char *name = family(file);
        AUTO_FREE char *lock = bundle_locked_by(path);
        jx_set_str(j, "path", path);
        jx_set_str(j, "file", file);
        jx_set_str(j, "name", name);
        jx_set_str(j, "locked", lock);
        if (!bundle_open(path, &b, &why)) {
                jx_set_str(j, "created", "");
                jx_set_str(j, "problem", why.message);
                return j;
        }
        const char *created = jx_str(b->manifest, "created", "");
        jx_set_str(j, "created", created);
        jx_set_int(j, "created_ms", bundle_mtime(b) * 1000);
        jx_set_int(j, "size", b->size);
        jx_set_str(j, "server", jx_str(jx_get(b->manifest, "server"), "version", ""));
        jx_set_str(j, "run", jx_str(b->manifest, "run", NULL));
        json_t *names = json_array();
        size_t i;
        json_t *db;
        json_array_foreach(jx_get(b->manifest, "databases"), i, db)
                jx_append_str(names, jx_str(db, "name", ""));
        jx_set(j, "databases", names);
        verified(b, path, j);
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
                found[n++] = bundle_describe(path);
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
