/* compose_change_ways.c: where a setting stands in a project's files, and the ways to change it. */
#include "host/compose/compose_change_internal.h"
#include "host/compose/compose_proof.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "host/compose/compose_edit_internal.h"
#include "host/compose/compose_internal.h"
#include "host/compose/compose_shadow.h"

/* ---- drafts ---- */

void draft_done(Draft *d)
{
        overlay_done(&d->o);
        json_decref(d->files);
        for (size_t i = 0; i < LEN(d->diff); i++)
                free(d->diff[i]);
}

void draft_begin(Draft *d, ComposeChange *ch)
{
        d->ch = ch;
        overlay_copy(&ch->now, &d->o);
        d->files = json_copy(ch->files);
        for (size_t i = 0; i < LEN(d->diff); i++)
                d->diff[i] = ch->diff[i] ? xstrdup(ch->diff[i]) : NULL;
}

/* Steals bytes and diff. A second edit of one file shows its diff below the first one's. */
static void draft_put(Draft *d, const char *path, char *bytes, size_t n, char *diff)
{
        overlay_put(&d->o, path, bytes, n);
        size_t i = (size_t)(overlay_get(&d->o, path) - d->o.f);
        char *both = xasprintf("%s%s", d->diff[i] ? d->diff[i] : "", diff);
        free(d->diff[i]);
        d->diff[i] = both;
        free(diff);
}

static void draft_take(Draft *d, const char *path, ComposeEdit *e)
{
        if (e->changed) {
                draft_put(d, path, e->after, e->after_len, e->diff);
                e->after = e->diff = NULL;
        }
}

/* ---- where things stand ---- */

static const char *data_dir(const Draft *d)
{
        return d->volume ? d->volume->data_dir : NULL;
}

static void add_included(const Draft *d, const char *path, const char *named, json_t *list)
{
        if (*named == '/') {
                jx_append_str(list, named);
        } else {
                AUTO_FREE char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));
                AUTO_FREE char *full = io_join(dir, str_starts(named, "./") ? named + 2 : named);
                jx_append_str(list, full);
        }
}

/* What `include:` of a file names: texts, or maps with `path:`, one or a list. */
static void add_includes(const Draft *d, const char *path, json_t *list)
{
        AUTO_ARENA a = arena_new();
        AUTO_FREE char *bytes = NULL;
        AUTO_ERR ignored = { 0 };
        YamlNode *root = NULL;
        size_t n = 0;
        if (!overlay_read(&d->o, path, &bytes, &n, &ignored) ||
            !yaml_parse(a, path, bytes, n, YAML_FOREIGN, &root, &ignored))
                return;
        const YamlNode *include = yaml_get(root, "include");
        for (const YamlNode *c = include ? include->first : NULL; c; c = c->next) {
                const YamlNode *p = c->kind == YAML_MAP ? yaml_get(c, "path") : c;
                if (p && p->kind == YAML_SCALAR)
                        add_included(d, path, p->text, list);
                for (const YamlNode *one = p && p->kind == YAML_LIST ? p->first : NULL; one;
                     one = one->next)
                        if (one->kind == YAML_SCALAR)
                                add_included(d, path, one->text, list);
        }
}

/* Every file of the project: a later one wins over an earlier one. Included ones come first. */
static json_t *all_files(const Draft *d)
{
        json_t *top = json_copy(d->files), *all = json_array();
        size_t limit = 64;
        for (size_t i = 0; i < json_array_size(top) && limit--; i++)
                add_includes(d, json_string_value(json_array_get(top, i)), top);
        size_t own = json_array_size(d->files);
        for (size_t i = json_array_size(top); i-- > own;)
                json_array_append(all, json_array_get(top, i));
        json_array_extend(all, d->files);
        json_decref(top);
        return all;
}

typedef struct Spot {
        char *path, *bytes, *text; /* text: image, or source of the mount, ${..} and all */
        size_t n;
} Spot;

static void spot_done(Spot *s)
{
        free(s->path);
        free(s->bytes);
        free(s->text);
        *s = (Spot){ 0 };
}
#define AUTO_SPOT CLEANUP(spot_done) Spot

/* The last file that sets it: the one that counts. */
static bool find_spot(const Draft *d, Spot *ret, Err *err)
{
        AUTO_JSON files = all_files(d);
        for (size_t i = json_array_size(files); i-- > 0;) {
                const char *path = json_string_value(json_array_get(files, i));
                AUTO_SPOT s = { .path = xstrdup(path) };
                if (!overlay_read(&d->o, path, &s.bytes, &s.n, err) ||
                    !compose_edit_text(path, s.bytes, s.n, d->service, data_dir(d), &s.text, err))
                        return false;
                if (!s.text)
                        continue;
                *ret = s;
                s = (Spot){ 0 };
                return true;
        }
        return err_set(err, ERR_USER, "no file of project %s sets %s of service %s itself",
                       compose_project(d->ch->c), d->volume ? "the data volume" : "the image",
                       d->service);
}

/* ---- the ways: false without an error is one that does not apply ---- */

/* The .env files that Compose reads for this file; the bytes in the arena. */
static void env_files(const Draft *d, const char *path, Arena *a, EnvFiles *ret)
{
        AUTO_JSON list = json_copy((json_t *)compose_env_files(d->ch->c));
        AUTO_FREE char *own = io_join(compose_dir(d->ch->c), ".env");
        AUTO_FREE char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));
        AUTO_FREE char *beside = io_join(dir, ".env");
        AUTO_JSON all = json_array();
        jx_append_str(all, beside); /* of an included file; the project's wins */
        if (json_array_size(list) == 0)
                jx_append_str(all, own);
        json_array_extend(all, list);
        size_t i;
        json_t *one;
        json_array_foreach(all, i, one) {
                AUTO_ERR ignored = { 0 };
                char *bytes = NULL;
                size_t n = 0;
                if (ret->n == LEN(ret->f) || !io_exists(json_string_value(one)) ||
                    !overlay_read(&d->o, json_string_value(one), &bytes, &n, &ignored))
                        continue;
                ret->f[ret->n++] = (EnvFile){ arena_strdup(a, json_string_value(one)),
                                              arena_strndup(a, bytes, n), n };
                explicit_bzero(bytes, n);
                free(bytes);
        }
}

static bool edit_spot(const Spot *s, const Draft *d, const char *source, ComposeEdit *e, Err *err)
{
        if (!d->volume)
                return compose_edit_image(s->path, s->bytes, s->n, d->service, d->image, e, err);
        ComposeVolume w = { .service = d->service,
                            .data_dir = d->volume->data_dir,
                            .volume = d->volume->volume,
                            .target = d->volume->target,
                            .source = source };
        return compose_edit_volume(s->path, s->bytes, s->n, &w, e, err);
}

static bool by_variable(Draft *d, Err *err)
{
        AUTO_SPOT s = { 0 };
        AUTO_ARENA a = arena_new();
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_FREE char *name = NULL, *value = NULL;
        EnvFiles envs = { 0 };
        if (!find_spot(d, &s, err))
                return false;
        env_files(d, s.path, a, &envs);
        const char *wanted = d->volume ? d->volume->volume : d->image;
        if (!vars_solve(s.text, wanted, &envs, &name, &value))
                return false;
        const EnvFile *f = env_file_of(&envs, name);
        if (f) {
                AUTO_FREE char *path = xstrdup(f->path);
                char *diff = NULL;
                size_t n = 0;
                char *after = env_file_set(f, name, value, &n, &diff);
                draft_put(d, path, after, n, diff);
                if (!d->volume)
                        return true;
                if (!edit_spot(&s, d, s.text, &e, err))
                        return false;
        } else if (!d->volume) {
                if (!compose_edit_image_default(s.path, s.bytes, s.n, d->service,
                                                (ComposeDefault){ name, value }, &e, err))
                        return false;
        } else {
                AUTO_FREE char *text = vars_with_default(s.text, name, value);
                if (!text)
                        return err_set(err, ERR_USER, "no .env sets %s, and it has no default",
                                       name);
                if (!edit_spot(&s, d, text, &e, err))
                        return false;
        }
        draft_take(d, s.path, &e);
        return true;
}

static bool in_place(Draft *d, Err *err)
{
        AUTO_SPOT s = { 0 };
        AUTO_COMPOSE_EDIT e = { 0 };
        if (!find_spot(d, &s, err) || !edit_spot(&s, d, NULL, &e, err))
                return false;
        draft_take(d, s.path, &e);
        return true;
}

/* The other mounts as the file writes them, when that is all there are; else as Compose reads them.
 * NULL: one holds a dollar, which would be filled in once more. */
static const char **other_lines(const Draft *d, Arena *a, const char **at, size_t room)
{
        const json_t *list =
                jx_get(jx_get(jx_get(d->ch->config, "services"), d->service), "volumes");
        AUTO_SPOT s = { 0 };
        AUTO_ERR ignored = { 0 };
        AUTO_FREE char *written = NULL;
        size_t i, n = 0;
        json_t *v;
        if (json_array_size(list) > room)
                return NULL;
        if (find_spot(d, &s, &ignored) &&
            compose_edit_other_mounts(s.path, s.bytes, s.n, d->service, d->volume->data_dir, &n,
                                      &written) &&
            n + 1 == json_array_size(list)) {
                for (char *save = NULL, *l = strtok_r(written, "\n", &save); l;
                     l = strtok_r(NULL, "\n", &save))
                        *at++ = arena_printf(a, "  - %s", l);
                return at;
        }
        json_array_foreach(list, i, v) {
                const char *to = jx_str(v, "target", "");
                if (str_eq(to, d->volume->target) || proof_holds(to, d->volume->data_dir))
                        continue;
                AUTO_FREE char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
                if (strchr(text, '$'))
                        return NULL;
                *at++ = arena_printf(a, "  - %s", text);
        }
        return at;
}

/* How much of a list of volumes is written: the one, which Compose merges by its target; all of
 * them, which replace those of a merge key; all, and no other file's count. */
typedef enum Extent { ONE, ALL, ALL_OF_EVERY_FILE } Extent;

static const char *const *lines_for(const Draft *d, Extent extent, Arena *a)
{
        const char **lines = arena_new_array(a, const char *, 32);
        if (!d->volume) {
                lines[0] = arena_printf(a, "image: %s", d->image);
                return lines;
        }
        lines[0] = extent == ALL_OF_EVERY_FILE ? "volumes: !override" : "volumes:";
        lines[1] = arena_printf(a, "  - %s:%s", d->volume->volume, d->volume->target);
        return extent == ONE || other_lines(d, a, lines + 2, 28) ? lines : NULL;
}

/* In the last file that knows the service, else the last one. */
static bool inserted(Draft *d, const ComposeInsert *w, Err *err)
{
        AUTO_ERR first = { 0 };
        for (size_t i = json_array_size(d->files); i-- > 0;) {
                const char *path = json_string_value(json_array_get(d->files, i));
                AUTO_FREE char *bytes = NULL;
                AUTO_COMPOSE_EDIT e = { 0 };
                AUTO_ERR why = { 0 };
                size_t n = 0;
                if (!overlay_read(&d->o, path, &bytes, &n, err))
                        return false;
                if (compose_insert(path, bytes, n, w, &e, &why)) {
                        draft_take(d, path, &e);
                        return true;
                }
                if (!first.message)
                        err_move(&first, &why);
        }
        err_move(err, &first);
        return false;
}

static bool insert_lines(Draft *d, Extent extent, Err *err)
{
        AUTO_ARENA a = arena_new();
        const char *const *lines = extent == ONE || d->volume ? lines_for(d, extent, a) : NULL;
        ComposeInsert w = { .service = d->service,
                            .lines = lines,
                            .volume = d->volume ? d->volume->volume : NULL };
        return lines && inserted(d, &w, err);
}

static bool own_line(Draft *d, Err *err)
{
        return insert_lines(d, ONE, err);
}

static bool own_lines(Draft *d, Err *err)
{
        return insert_lines(d, ALL, err);
}

static bool own_lines_alone(Draft *d, Err *err)
{
        return insert_lines(d, ALL_OF_EVERY_FILE, err);
}

static bool one_mount(Draft *d, Err *err)
{
        if (!d->volume)
                return false;
        AUTO_FREE char *mount = xasprintf("%s:%s", d->volume->volume, d->volume->target);
        ComposeInsert w = { .service = d->service, .mount = mount, .volume = d->volume->volume };
        return inserted(d, &w, err);
}

static bool override_file(Draft *d, Extent extent, Err *err)
{
        AUTO_FREE char *path = compose_override_path(d->ch->c);
        if (!path || overlay_get(&d->o, path) || io_exists(path))
                return false;
        AUTO_ARENA a = arena_new();
        const char *const *lines = extent == ONE || d->volume ? lines_for(d, extent, a) : NULL;
        if (!lines)
                return false;
        Buf b = buf_init(LIMIT_COMPOSE_FILE);
        buf_printf(&b,
                   COMPOSE_OVERRIDE_MARK
                   ": read by `docker compose` after the other file, and wins.\n"
                   "services:\n  %s:\n",
                   d->service);
        for (; *lines; lines++)
                buf_printf(&b, "    %s\n", *lines);
        if (d->volume)
                buf_printf(&b, "volumes:\n  %s:\n    external: true\n", d->volume->volume);
        size_t n = 0;
        char *bytes = buf_take(&b, &n);
        draft_put(d, path, bytes, n, diff_unified(path, "", 0, bytes, n, NULL));
        jx_append_str(d->files, path);
        return true;
}

static bool override_one(Draft *d, Err *err)
{
        return override_file(d, ONE, err);
}

static bool override_all(Draft *d, Err *err)
{
        return override_file(d, ALL_OF_EVERY_FILE, err);
}

ComposeWay *const compose_ways[COMPOSE_WAYS] = { by_variable,  in_place,    one_mount,
                                                 own_line,     own_lines,   own_lines_alone,
                                                 override_one, override_all };
