/* compose_edit.c: where the bytes stand, and the proof that only they changed. */
#include "host/compose_edit.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "host/diff.h"
#include "yaml/yaml.h"

void compose_edit_done(ComposeEdit *e)
{
        free(e->after);
        free(e->previous);
        free(e->diff);
        *e = (ComposeEdit){ 0 };
}

/* ---- a list of replacements, applied from the end so that offsets stay true ---- */

typedef struct Patch {
        size_t      start, end;         /* bytes of the original */
        const char *text;
} Patch;

typedef struct Patches {
        Patch  p[6];
        size_t n;
} Patches;

static void patch_add(Patches *ps, size_t start, size_t end, const char *text)
{
        assert(ps->n < LEN(ps->p));
        size_t i = ps->n++;
        for (; i > 0 && ps->p[i - 1].start > start; i--)
                ps->p[i] = ps->p[i - 1];
        ps->p[i] = (Patch){ start, end, text };
}

static char *patch_apply(const Patches *ps, const char *bytes, size_t n, size_t *ret_len)
{
        Buf b = buf_init(LIMIT_COMPOSE_FILE * 2);
        size_t at = 0;
        for (size_t i = 0; i < ps->n; i++) {
                assert(ps->p[i].start >= at && ps->p[i].end <= n);
                buf_add(&b, bytes + at, ps->p[i].start - at);
                buf_adds(&b, ps->p[i].text);
                at = ps->p[i].end;
        }
        buf_add(&b, bytes + at, n - at);
        return buf_take(&b, ret_len);
}

/* ---- the same tree, except ... ---- */

typedef struct Expected {
        const YamlNode *node[4];        /* scalars of the old tree                           */
        const char     *text[4];        /* and what each must say in the new one             */
        size_t          n;
        const char     *declared;       /* a volume that `volumes:` may have gained, or NULL */
} Expected;

static bool same_text(const char *a, const char *b)
{
        return (!a && !b) || str_eq(a, b);
}

static bool is_declaration(const YamlNode *node, const char *volume)
{
        const YamlNode *external = yaml_get(node, "external");
        return node->key && str_eq(node->key->text, volume) && node->kind == YAML_MAP && node->n == 1 &&
               external && str_eq(external->text, "true");
}

static bool same_tree(const YamlNode *a, const YamlNode *b, const Expected *x, int left);

static bool same_children(const YamlNode *a, const YamlNode *b, const Expected *x, int left)
{
        bool root = !a->parent, volumes = a->parent && !a->parent->parent && a->key &&
                                          str_eq(a->key->text, "volumes");
        const YamlNode *p = a->first, *q = b->first;
        for (; p || q; p = p->next, q = q->next) {
                /* What was added may be skipped, once, and only where it belongs. */
                if (q && x->declared && volumes && is_declaration(q, x->declared) &&
                    !yaml_get(a, x->declared))
                        q = q->next;
                if (q && !p && x->declared && root && q->key && str_eq(q->key->text, "volumes") &&
                    !yaml_get(a, "volumes"))
                        return !q->next && q->n == 1 && is_declaration(q->first, x->declared);
                if (!p && !q)
                        return true;
                if (!p || !q || !same_tree(p, q, x, left - 1))
                        return false;
        }
        return true;
}

static bool same_tree(const YamlNode *a, const YamlNode *b, const Expected *x, int left)
{
        if (left <= 0 || (a->key == NULL) != (b->key == NULL) ||
            (a->key && !str_eq(a->key->text, b->key->text)))
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (x->node[i] == a)
                        return b->kind == YAML_SCALAR && str_eq(b->text, x->text[i]) &&
                               same_text(a->anchor, b->anchor) && same_text(a->tag, b->tag);
        /* `volumes:` with nothing below it is a null that becomes a map. */
        if (x->declared && a->key && str_eq(a->key->text, "volumes") && a->parent && !a->parent->parent &&
            yaml_is_null(a) && b->kind == YAML_MAP)
                return b->n == 1 && is_declaration(b->first, x->declared);
        if (a->kind != b->kind || !same_text(a->anchor, b->anchor) || !same_text(a->tag, b->tag))
                return false;
        if (a->kind == YAML_SCALAR || a->kind == YAML_ALIAS)
                return a->len == b->len && memcmp(a->text, b->text, a->len) == 0 &&
                       yaml_is_null(a) == yaml_is_null(b) && a->style == b->style;
        return same_children(a, b, x, left);
}

/* ---- scalars ---- */

/* Only characters that mean nothing to YAML in any style, and are not read as a number,
 * boolean or null: there is a letter. */
static bool is_harmless(const char *text)
{
        static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@-+=";
        return *text && text[strspn(text, ok)] == '\0' && !strstr(text, ": ") &&
               text[strlen(text) - 1] != ':' && !strchr("-:@=+.", *text) && strpbrk(text, "/:") &&
               strpbrk(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static bool refuse(Err *err, const char *file, const YamlNode *at, const char *fmt, const char *a,
                   const char *b)
{
        AUTO_FREE char *what = xasprintf("%s%s%s", fmt, a, b);
        return err_set(err, ERR_USER, "%s:%d:%d: %s", file, at->line, at->col, what);
}

/* May this scalar be replaced, bytes for bytes? */
static bool editable(const char *file, const YamlNode *node, const char *what, Err *err)
{
        if (node->kind != YAML_SCALAR)
                return refuse(err, file, node, what, " is ", yaml_kind_name(node->kind));
        const char *hazard = yaml_hazard(node);
        if (hazard) {
                refuse(err, file, node, what, " cannot be changed alone: ", hazard);
                return err_hint(err, "change it by hand, then let this step run again");
        }
        if (node->style == YAML_LITERAL || node->style == YAML_FOLDED)
                return refuse(err, file, node, what, " is written as a block of text", "");
        /* Compose fills in $NAME and ${NAME}; $$ is a plain dollar. */
        for (const char *p = strchr(node->text, '$'); p; p = strchr(p + 1, '$')) {
                if (p[1] == '$') {
                        p++;
                        continue;
                }
                AUTO_FREE char *clean = text_clean_str(node->text);
                refuse(err, file, node, what, " is filled in from a variable: ", clean);
                return err_hint(err, "set that variable in .env instead (env.set), or write the value "
                                     "into the compose file yourself first");
        }
        return true;
}

static char *quoted_like(const YamlNode *node, const char *text)
{
        if (node->style == YAML_SINGLE)
                return xasprintf("'%s'", text);
        if (node->style == YAML_DOUBLE)
                return xasprintf("\"%s\"", text);
        return xstrdup(text);
}

static bool parse(Arena *a, const char *file, const char *bytes, size_t n, YamlNode **ret, Err *err)
{
        if (n > LIMIT_COMPOSE_FILE)
                return err_set(err, ERR_USER, "%s is larger than %d bytes", file, LIMIT_COMPOSE_FILE);
        return yaml_parse(a, file, bytes, n, YAML_FOREIGN, ret, err);
}

static bool service_of(const char *file, const YamlNode *root, const char *service,
                       const YamlNode **ret, Err *err)
{
        *ret = yaml_path(root, "services", service, NULL);
        AUTO_FREE char *clean = text_clean_str(service);
        if (!*ret)
                return err_set(err, ERR_USER, "%s has no service %s", file, clean);
        if ((*ret)->kind != YAML_MAP)
                return refuse(err, file, *ret, "service ", clean, " is no map of its own");
        return true;
}

/* Applies, reads the result back, and compares. */
static bool prove(const char *file, const char *bytes, size_t n, const YamlNode *root,
                  const Patches *ps, const Expected *x, Arena *a, ComposeEdit *ret,
                  DiffCount *count, Err *err)
{
        ret->after = patch_apply(ps, bytes, n, &ret->after_len);
        YamlNode *again = NULL;
        if (!yaml_parse(a, file, ret->after, ret->after_len, YAML_FOREIGN, &again, err))
                return err_wrap(err, "the edit would break the file and was not made");
        if (!same_tree(root, again, x, LIMIT_YAML_DEPTH + 2)) {
                err_set(err, ERR_USER, "%s: the edit would change more than it should and was not made",
                        file);
                return err_hint(err, "change it by hand, then let this step run again");
        }
        ret->diff = diff_unified(file, bytes, n, ret->after, ret->after_len, count);
        ret->changed = count->added || count->removed;
        return true;
}

bool compose_edit_image(const char *file, const char *bytes, size_t n, const char *service,
                        const char *image, ComposeEdit *ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        YamlNode *root = NULL;
        const YamlNode *s = NULL;
        if (!is_harmless(image))
                return err_set(err, ERR_USER, "`%s` is not the name of an image with a tag", image);
        if (!parse(a, file, bytes, n, &root, err) || !service_of(file, root, service, &s, err))
                return false;
        const YamlNode *node = yaml_get(s, "image");
        if (!node)
                return refuse(err, file, s, "service ", service, " has no image: of its own here "
                              "(build:, extends: or <<: ?)");
        AUTO_FREE char *what = xasprintf("the image of %s", service);
        if (!editable(file, node, what, err))
                return false;
        ret->previous = xstrdup(node->text);
        AUTO_FREE char *text = quoted_like(node, image);
        Patches ps = { 0 };
        patch_add(&ps, node->start, node->end, text);
        Expected x = { .node = { node }, .text = { image }, .n = 1 };
        DiffCount count = { 0 };
        if (!prove(file, bytes, n, root, &ps, &x, a, ret, &count, err))
                return false;
        if (count.removed > 1 || count.added > 1)
                return refuse(err, file, node, what, " shares its line with others in a way that ",
                              "cannot be changed alone");
        return true;
}

/* ---- volumes ---- */

/* Source and target of "source:target" or "source:target:mode"; the rest keeps its colon. */
static bool split_short(const char *text, char **source, char **target, const char **rest)
{
        const char *first = strchr(text, ':');
        if (!first || first == text)
                return false;
        const char *second = strchrnul(first + 1, ':');
        *source = xstrndup(text, (size_t)(first - text));
        *target = xstrndup(first + 1, (size_t)(second - first - 1));
        *rest = second;
        return true;
}

static bool holds(const char *target, const char *data_dir)
{
        size_t n = strlen(target);
        while (n > 1 && target[n - 1] == '/')
                n--;
        return n && strncmp(target, data_dir, n) == 0 && (!data_dir[n] || data_dir[n] == '/');
}

/* The target of one entry, malloc()ed; NULL for one that has none we can read. */
static char *target_of(const YamlNode *item)
{
        if (item->kind == YAML_MAP) {
                const YamlNode *t = yaml_get(item, "target");
                if (!t)
                        t = yaml_get(item, "destination");
                if (!t)
                        t = yaml_get(item, "dst");
                return t && t->kind == YAML_SCALAR ? xstrdup(t->text) : NULL;
        }
        char *source = NULL, *target = NULL;
        const char *rest = NULL;
        if (item->kind == YAML_SCALAR && split_short(item->text, &source, &target, &rest))
                free(source);
        return target;
}

static const YamlNode *mount_of(const YamlNode *list, const char *data_dir)
{
        const YamlNode *best = NULL;
        size_t best_len = 0;
        for (const YamlNode *c = list ? list->first : NULL; c; c = c->next) {
                AUTO_FREE char *target = target_of(c);
                if (target && holds(target, data_dir) && strlen(target) > best_len) {
                        best = c;
                        best_len = strlen(target);
                }
        }
        return best;
}

typedef struct VolumeEdit {
        const char *file, *bytes, *service, *volume, *target;
        size_t      n;
        Arena      *a;
        Patches     ps;
        Expected    x;
} VolumeEdit;

static void replace(VolumeEdit *v, const YamlNode *node, const char *text)
{
        char *quoted = quoted_like(node, text);
        patch_add(&v->ps, node->start, node->end, arena_strdup(v->a, quoted));
        free(quoted);
        v->x.node[v->x.n] = node;
        v->x.text[v->x.n++] = text;
}

static bool edit_short(VolumeEdit *v, const YamlNode *item, ComposeEdit *ret, Err *err)
{
        AUTO_FREE char *what = xasprintf("the data volume of %s", v->service);
        if (!editable(v->file, item, what, err))
                return false;
        AUTO_FREE char *source = NULL, *target = NULL;
        const char *rest = NULL;
        if (!split_short(item->text, &source, &target, &rest))
                return refuse(err, v->file, item, what, " has no source", "");
        ret->previous = xstrdup(source);
        replace(v, item, arena_printf(v->a, "%s:%s%s", v->volume, v->target, rest));
        return true;
}

static bool edit_long(VolumeEdit *v, const YamlNode *item, ComposeEdit *ret, Err *err)
{
        AUTO_FREE char *what = xasprintf("the data volume of %s", v->service);
        const YamlNode *source = yaml_get(item, "source"), *target = yaml_get(item, "target");
        const YamlNode *type = yaml_get(item, "type");
        if (!source)
                source = yaml_get(item, "src");
        if (!source || !target || !type)
                return refuse(err, v->file, item, what, " lacks one of type:, source:, target:", "");
        if (yaml_get(item, "bind"))
                return refuse(err, v->file, item, what, " is a bind mount with options (bind:)", "");
        if (!editable(v->file, source, what, err) || !editable(v->file, target, what, err) ||
            !editable(v->file, type, what, err))
                return false;
        ret->previous = xstrdup(source->text);
        replace(v, source, v->volume);
        if (!str_eq(target->text, v->target))
                replace(v, target, v->target);
        if (!str_eq(type->text, "volume"))
                replace(v, type, "volume");
        return true;
}

/* ---- the top-level volumes: ---- */

static const char *line_end(const VolumeEdit *v)
{
        const char *nl = memchr(v->bytes, '\n', v->n);
        return nl && nl > v->bytes && nl[-1] == '\r' ? "\r\n" : "\n";
}

/* The byte after the newline of the line that holds `at`; v->n when it is the last one. */
static size_t next_line(const VolumeEdit *v, size_t at)
{
        const char *nl = memchr(v->bytes + at, '\n', v->n - at);
        return nl ? (size_t)(nl - v->bytes) + 1 : v->n;
}

static bool declare_in_flow(VolumeEdit *v, const YamlNode *volumes, Err *err)
{
        if (v->bytes[volumes->start] != '{')
                return refuse(err, v->file, volumes, "volumes: ", "is written in a way pgsherpa ",
                              "cannot add to");
        patch_add(&v->ps, volumes->start + 1, volumes->start + 1,
                  arena_printf(v->a, volumes->n ? "%s: {external: true}, " : "%s: {external: true}",
                               v->volume));
        return true;
}

/* Directly below its `volumes:` line, before the first entry and any comment of that. */
static bool declare_in_block(VolumeEdit *v, const YamlNode *volumes, Err *err)
{
        size_t indent = volumes->first ? (size_t)volumes->first->key->col - 1
                                       : (size_t)volumes->key->col + 1;
        size_t at = next_line(v, volumes->key->start);
        const char *eol = line_end(v);
        bool unfinished = at == v->n && (at == 0 || v->bytes[at - 1] != '\n');
        patch_add(&v->ps, at, at,
                  arena_printf(v->a, "%s%*s%s:%s%*sexternal: true%s", unfinished ? eol : "",
                               (int)indent, "", v->volume, eol, (int)indent + 2, "",
                               unfinished ? "" : eol));
        return true;
}

static bool declare(VolumeEdit *v, const YamlNode *root, Err *err)
{
        const YamlNode *volumes = yaml_get(root, "volumes");
        v->x.declared = v->volume;
        if (!volumes) {
                if (root->style == YAML_FLOW)
                        return refuse(err, v->file, root, "a compose file in one flow map ",
                                      "cannot be added to", "");
                const char *eol = line_end(v);
                bool unfinished = v->n && v->bytes[v->n - 1] != '\n';
                patch_add(&v->ps, v->n, v->n,
                          arena_printf(v->a, "%s%svolumes:%s  %s:%s    external: true%s",
                                       unfinished ? eol : "", eol, eol, v->volume, eol, eol));
                return true;
        }
        const char *hazard = yaml_hazard(volumes);
        if (hazard)
                return refuse(err, v->file, volumes, "volumes: ", "cannot be added to: ", hazard);
        const YamlNode *there = yaml_get(volumes, v->volume);
        if (there) {
                const YamlNode *external = yaml_get(there, "external");
                v->x.declared = NULL;
                if (external && str_eq(external->text, "true"))
                        return true;
                refuse(err, v->file, there, "a volume ", v->volume, " is declared here already, and not "
                       "as external");
                return err_hint(err, "choose another name for the new volume");
        }
        if (yaml_is_null(volumes))
                return volumes->start == volumes->end
                               ? declare_in_block(v, volumes, err)
                               : refuse(err, v->file, volumes, "volumes: ", "says null", "");
        if (volumes->kind != YAML_MAP)
                return refuse(err, v->file, volumes, "volumes: ", "is ", yaml_kind_name(volumes->kind));
        return volumes->style == YAML_FLOW ? declare_in_flow(v, volumes, err)
                                           : declare_in_block(v, volumes, err);
}

static bool is_volume_name(const char *name)
{
        static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
        /* `123`, `1e5`, `0x1f` and `no` would be read as something else than text: a letter that no
         * number has, and none of the words. */
        static const char *const words[] = { "y", "n", "yes", "no", "on", "off", "true", "false", "null" };
        for (size_t i = 0; i < LEN(words); i++)
                if (strcasecmp(name, words[i]) == 0)
                        return false;
        return *name && !strchr("_.-", *name) && name[strspn(name, ok)] == '\0' && strlen(name) <= 128 &&
               (!strchr("0123456789", *name) || strpbrk(name, "gGhHiIjJkKlLmMnNpPqQrRsStTuUvVwWyYzZ"));
}

bool compose_edit_volume(const char *file, const char *bytes, size_t n, const char *service,
                         const char *data_dir, const char *volume, const char *target,
                         ComposeEdit *ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        YamlNode *root = NULL;
        const YamlNode *s = NULL;
        if (!is_volume_name(volume)) {
                AUTO_FREE char *clean = text_clean_str(volume);
                err_set(err, ERR_USER, "`%s` is not a name for a volume", clean);
                return err_hint(err, "letters, digits, _ . and -; not a number");
        }
        if (!is_harmless(target) && *target != '/')
                return err_set(err, ERR_USER, "`%s` is not a place to mount a volume", target);
        if (!parse(a, file, bytes, n, &root, err) || !service_of(file, root, service, &s, err))
                return false;
        const YamlNode *list = yaml_get(s, "volumes");
        const YamlNode *item = mount_of(list, data_dir);
        if (!item) {
                refuse(err, file, list ? list : s, "service ", service, " has no volume that holds its "
                       "data directory");
                return err_hint(err, "the data is at %s in the container; it may be in an anonymous "
                                     "volume", data_dir);
        }
        VolumeEdit v = { .file = file, .bytes = bytes, .n = n, .service = service, .volume = volume,
                         .target = target, .a = a };
        bool ok = item->kind == YAML_MAP ? edit_long(&v, item, ret, err) : edit_short(&v, item, ret, err);
        DiffCount count = { 0 };
        return ok && declare(&v, root, err) &&
               prove(file, bytes, n, root, &v.ps, &v.x, a, ret, &count, err);
}

/* ---- which file ---- */

bool compose_edit_file(const Compose *c, const char *service, ComposeKey key, char **ret, Err *err)
{
        const char *name = key == COMPOSE_KEY_IMAGE ? "image" : "volumes";
        const char *found = NULL;
        size_t i;
        json_t *entry;
        json_array_foreach(compose_files(c), i, entry) {
                const char *path = json_string_value(entry);
                AUTO_FREE char *bytes = NULL;
                size_t n = 0;
                AUTO_ARENA a = arena_new();
                YamlNode *root = NULL;
                if (!io_read_file(path, LIMIT_COMPOSE_FILE, &bytes, &n, err) ||
                    !yaml_parse(a, path, bytes, n, YAML_FOREIGN, &root, err))
                        return false;
                if (!yaml_path(root, "services", service, name, NULL))
                        continue;
                if (found) {
                        err_set(err, ERR_USER, "%s of service %s is set in %s and again in %s", name,
                                service, found, path);
                        return err_hint(err, "keep it in one of them; a change in the first would not count");
                }
                found = path;
        }
        if (!found) {
                err_set(err, ERR_USER, "no file of project %s sets %s of service %s itself",
                        compose_project(c), name, service);
                return err_hint(err, "it may come from extends:, include: or build:; change it by hand");
        }
        struct stat st;
        *ret = realpath(found, NULL);
        if (!*ret || lstat(found, &st) < 0)
                return err_set(err, ERR_USER, "%s is not there", found);
        if (S_ISLNK(st.st_mode)) {
                size_t k = strlen(compose_dir(c));
                if (strncmp(*ret, compose_dir(c), k) != 0 || (*ret)[k] != '/') {
                        err_set(err, ERR_USER, "%s is a link to %s, outside of the project", found, *ret);
                        free(*ret);
                        *ret = NULL;
                        return false;
                }
        }
        return true;
}
