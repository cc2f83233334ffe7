#include "host/compose/compose_shadow.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "host/compose/compose_internal.h"

void overlay_done(Overlay *o)
{
        for (size_t i = 0; i < o->n; i++) {
                free(o->f[i].path);
                free(o->f[i].bytes);
        }
        *o = (Overlay){ 0 };
}

void overlay_put(Overlay *o, const char *path, char *bytes, size_t n)
{
        size_t i = 0;
        while (i < o->n && !str_eq(o->f[i].path, path))
                i++;
        assert(i < LEN(o->f));
        if (i == o->n)
                o->f[o->n++].path = xstrdup(path);
        free(o->f[i].bytes);
        o->f[i].bytes = bytes;
        o->f[i].n = n;
}

void overlay_copy(const Overlay *from, Overlay *to)
{
        for (size_t i = 0; i < from->n; i++)
                overlay_put(to, from->f[i].path, xstrndup(from->f[i].bytes, from->f[i].n),
                            from->f[i].n);
}

const struct OverlayFile *overlay_get(const Overlay *o, const char *path)
{
        for (size_t i = 0; i < o->n; i++)
                if (str_eq(o->f[i].path, path))
                        return &o->f[i];
        return NULL;
}

bool overlay_read(const Overlay *o, const char *path, char **ret, size_t *ret_n, Err *err)
{
        const struct OverlayFile *f = overlay_get(o, path);
        if (!f)
                return io_read_file(path, LIMIT_COMPOSE_FILE, ret, ret_n, err);
        *ret = xstrndup(f->bytes, f->n);
        *ret_n = f->n;
        return true;
}

/* ---- the tree ---- */

/* Is `dir` on the way to a changed file, or to the project's directory? */
static bool on_the_way(const Compose *c, const Overlay *o, const char *dir)
{
        size_t n = strlen(dir);
        for (size_t i = 0; i <= o->n; i++) {
                const char *to = i < o->n ? o->f[i].path : compose_dir(c);
                if (strncmp(to, dir, n) == 0 && (to[n] == '/' || (!to[n] && i == o->n)))
                        return true;
        }
        return false;
}

/* One directory: its own entries as links, those on the way as directories, the changed as files.
 */
static bool mirror(const Compose *c, const Overlay *o, const char *root, const char *dir, Err *err)
{
        AUTO_FREE char *here = xasprintf("%s%s", root, dir);
        if (!io_mkdir_p(here, 0700, err))
                return false;
        DIR *d = opendir(*dir ? dir : "/");
        bool ok = d || err_set_errno(err, errno, "reading %s", *dir ? dir : "/");
        for (struct dirent *e; d && ok && (e = readdir(d));) {
                if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
                        continue;
                AUTO_FREE char *real = xasprintf("%s/%s", dir, e->d_name);
                AUTO_FREE char *ours = xasprintf("%s%s", root, real);
                if (str_eq(real, root) || overlay_get(o, real))
                        continue;
                if (on_the_way(c, o, real))
                        ok = mirror(c, o, root, real, err);
                else if (symlink(real, ours) < 0)
                        ok = err_set_errno(err, errno, "making %s", ours);
        }
        if (d)
                closedir(d);
        return ok;
}

static bool build(const Compose *c, const Overlay *o, const char *root, Err *err)
{
        if (!mirror(c, o, root, "", err))
                return false;
        for (size_t i = 0; i < o->n; i++) {
                AUTO_FREE char *ours = xasprintf("%s%s", root, o->f[i].path);
                if (!io_replace_file(ours, o->f[i].bytes, o->f[i].n, 0600, err))
                        return false;
        }
        return true;
}

/* ---- asking Compose ---- */

static void add_paths(Argv *a, const char *flag, const json_t *paths, const char *root)
{
        size_t i;
        json_t *path;
        json_array_foreach(paths, i, path) {
                argv_add(a, flag);
                argv_addf(a, "%s%s", root, json_string_value(path));
        }
}

/* The answer without the name of our directory: it is random, and stands nowhere else. */
static json_t *real_paths(const char *text, const char *root, Err *err)
{
        AUTO_BUF b = buf_init(64 * 1024 * 1024);
        size_t n = strlen(root);
        for (const char *p; (p = strstr(text, root)); text = p + n)
                buf_add(&b, text, (size_t)(p - text));
        buf_adds(&b, text);
        json_error_t why;
        json_t *all = json_loads(buf_str(&b), 0, &why);
        if (b.data)
                explicit_bzero(b.data, b.capacity);
        if (!all)
                err_set(err, ERR_COMMAND, "docker compose config says no JSON: %s", why.text);
        return all;
}

static bool ask(const Compose *c, const HostCall *call, const json_t *files, const char *root,
                json_t **ret, Err *err)
{
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "compose", "--project-directory", NULL });
        argv_addf(&a, "%s%s", root, compose_dir(c));
        argv_add_all(&a, (const char *const[]){ "--project-name", compose_project(c), NULL });
        add_paths(&a, "--file", files, root);
        add_paths(&a, "--env-file", compose_env_files(c), root);
        argv_add_all(&a,
                     (const char *const[]){ "--profile", "*", "config", "--format", "json", NULL });
        char *text = NULL;
        if (!docker_read_text(call, &a, &text, err))
                return err_wrap(err, "reading the changed files of %s", compose_dir(c));
        *ret = real_paths(text, root, err);
        explicit_bzero(text, strlen(text));
        free(text);
        return *ret != NULL;
}

bool compose_shadow_config(const Compose *c, const HostCall *call, const Overlay *o,
                           const json_t *files, json_t **ret, Err *err)
{
        const char *tmp = getenv("TMPDIR");
        AUTO_FREE char *made =
                xasprintf("%s/pgsherpa-try-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
        if (!mkdtemp(made))
                return err_set_errno(err, errno, "making %s", made);
        AUTO_FREE char *root = realpath(made, NULL);
        AUTO_ERR left = { 0 };
        bool ok = root ? build(c, o, root, err) && ask(c, call, files, root, ret, err)
                       : err_set_errno(err, errno, "finding %s", made);
        if (!io_remove_tree(made, &left) && ok) {
                err_move(err, &left);
                return false;
        }
        return ok;
}
