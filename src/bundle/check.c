/* check.c: is this manifest one that we could have written?
 *
 * Its hash proves only that it belongs to this file: whoever made the file made the hash. So
 * before anybody follows an offset or a name from it, all of them are looked at. Members lie in
 * the order they are listed in, one behind the other, before the manifest; their names can be
 * created below a directory; no content is larger than our writer makes one. */
#include "bundle/internal.h"

#include "base/limits.h"
#include "base/text.h"

static bool odd(Err *err, const char *member, const char *why)
{
        AUTO_FREE char *clean = text_clean(member, MIN(strlen(member), 200));
        err_set(err, ERR_USER, "its manifest cannot be trusted: `%s`: %s", clean, why);
        return err_hint(err, "take another bundle, or make a new backup");
}

static bool hex(const char *s)
{
        return s && strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static bool member(const char *name, const json_t *m, int64_t *end, int64_t limit, Err *err)
{
        int64_t offset = jx_int(m, "offset", -1), size = jx_int(m, "size", -1);
        const char *why = "";
        if (!tar_name_is_safe(name, &why))
                return odd(err, name, why);
        if (str_eq(name, MANIFEST_NAME))
                return odd(err, name, "there is only one of it");
        if (offset < *end + TAR_BLOCK || offset % TAR_BLOCK != 0 || size < 0 ||
            size > limit - offset)
                return odd(err, name, "it lies over another member or outside the file");
        *end = offset + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        if (!hex(jx_str(m, "sha256", NULL)))
                return odd(err, name, "it has no SHA-256");
        if (!json_object_get(m, "plain_sha256") && !json_object_get(m, "plain_size"))
                return true;
        int64_t plain = jx_int(m, "plain_size", -1);
        if (!hex(jx_str(m, "plain_sha256", NULL)) || plain < 0 || plain > LIMIT_MEMBER)
                return odd(err, name, "what it unpacks to is not described, or too large");
        return true;
}

static bool only_strings(const json_t *list)
{
        size_t i;
        json_t *j;
        if (list && !json_is_array(list))
                return false;
        json_array_foreach(list, i, j)
                if (!json_is_string(j))
                        return false;
        return true;
}

/* A table that is not described cannot be found, or not be loaded. */
static const char *wrong_table(const json_t *t)
{
        const json_t *root = jx_get(t, "via_root");
        if (!jx_str(t, "schema", NULL) || !jx_str(t, "name", NULL) || !*jx_str(t, "dir", ""))
                return "one of its tables has no name or place";
        if (!only_strings(jx_get(t, "columns")))
                return "columns of one of its tables have no names";
        if (root && (!jx_str(root, "schema", NULL) || !jx_str(root, "name", NULL)))
                return "one of its tables goes through another that has no name";
        return NULL;
}

static bool database(const json_t *db, Err *err)
{
        AUTO_JSON dirs = json_object();
        const char *name = jx_str(db, "name", NULL), *dir = jx_str(db, "dir", "x"), *why = "";
        size_t i;
        json_t *t;
        if (!name || !*name)
                return odd(err, "databases", "one has no name");
        if (!tar_name_is_safe(dir, &why) || strchr(dir, '/'))
                return odd(err, name, "its directory is not the name of one");
        json_array_foreach(jx_get(db, "tables"), i, t) {
                const char *d = jx_str(t, "dir", "");
                if ((why = wrong_table(t)))
                        return odd(err, name, why);
                if (json_object_get(dirs, d))
                        return odd(err, d, "two tables have their rows there");
                json_object_set_new(dirs, d, json_true());
        }
        return true;
}

/* Rows that no table of the manifest has would be read by nobody. */
static bool described(const json_t *members, const json_t *databases, Err *err)
{
        AUTO_JSON dirs = json_object();
        const char *name;
        json_t *db, *t;
        size_t i, k;
        json_array_foreach(databases, i, db)
                json_array_foreach(jx_get(db, "tables"), k, t)
                        json_object_set_new(dirs, jx_str(t, "dir", ""), json_true());
        json_object_foreach((json_t *)members, name, t) {
                const char *slash = strrchr(name, '/');
                AUTO_FREE char *dir = xstrndup(name, slash ? (size_t)(slash + 1 - name) : 0);
                if (strstr(name, "/data/") && !json_object_get(dirs, dir))
                        return odd(err, name,
                                   "these are rows of a table that it does not describe");
        }
        return true;
}

bool bundle_manifest_sane(const Bundle *b, Err *err)
{
        json_t *members = jx_get(b->manifest, "members"), *all = jx_get(b->manifest, "databases"),
               *m;
        int64_t end = 0;
        const char *name;
        size_t i;
        const json_t *tail = jx_get(b->manifest, "tail");
        if (!hex(jx_str(tail, "before", NULL)) || !hex(jx_str(tail, "header", NULL)) ||
            !hex(jx_str(tail, "self", NULL)))
                return odd(err, "tail", "it does not have three SHA-256");
        if (!json_is_object(members) || (all && !json_is_array(all)))
                return odd(err, "members", "it lists none");
        json_object_foreach(members, name, m)
                if (!member(name, m, &end, b->manifest_header, err))
                        return false;
        json_array_foreach(all, i, m)
                if (!database(m, err))
                        return false;
        return described(members, all, err);
}
