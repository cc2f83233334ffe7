/* compose_edit_volume.c: the mount that holds a service's data, and the top-level volumes. */
#include "host/compose/compose_edit_internal.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

/* Source and target of "source:target" or "source:target:mode"; the rest keeps its colon. */
static bool split_short(const char *text, char **source, char **target, const char **rest)
{
        const char *first = text + vars_cut_colon(text);
        if (!*first || first == text)
                return false;
        const char *second = first + 1 + vars_cut_colon(first + 1);
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
        else if (item->kind == YAML_SCALAR && *item->text == '/')
                target = xstrdup(item->text); /* an anonymous volume */
        return target;
}

static const YamlNode *mount_of(const YamlNode *list, const char *data_dir)
{
        const YamlNode *best = NULL;
        size_t best_len = 0;
        for (const YamlNode *c = list ? list->first : NULL; c; c = c->next) {
                AUTO_FREE char *target = target_of(yaml_resolve(c));
                if (target && holds(target, data_dir) && strlen(target) > best_len) {
                        best = yaml_resolve(c);
                        best_len = strlen(target);
                }
        }
        return best;
}

typedef struct VolumeEdit {
        const char *file, *bytes, *service, *volume, *target, *source;
        size_t n;
        Arena *a;
        Patches ps;
        Expected x;
} VolumeEdit;

static void replace(VolumeEdit *v, const YamlNode *node, const char *text)
{
        char *quoted = edit_quoted(node, text);
        patch_add(&v->ps, node->start, node->end, arena_strdup(v->a, quoted));
        free(quoted);
        v->x.node[v->x.n] = node;
        v->x.text[v->x.n++] = text;
}

static bool edit_short(VolumeEdit *v, const YamlNode *item, ComposeEdit *ret, Err *err)
{
        AUTO_FREE char *what = xasprintf("the data volume of %s", v->service);
        if (!edit_can(v->file, item, what, err))
                return false;
        AUTO_FREE char *source = NULL, *target = NULL;
        const char *rest = "";
        (void)split_short(item->text, &source, &target, &rest);
        ret->previous = xstrdup(source ? source : "");
        replace(v, item, arena_printf(v->a, "%s:%s%s", v->source, v->target, rest));
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
                return edit_refuse(err, v->file, item, what,
                                   " lacks one of type:, source:, target:", "");
        if (yaml_get(item, "bind"))
                return edit_refuse(err, v->file, item, what,
                                   " is a bind mount with options (bind:)", "");
        if (!edit_can(v->file, source, what, err) || !edit_can(v->file, target, what, err) ||
            !edit_can(v->file, type, what, err))
                return false;
        ret->previous = xstrdup(source->text);
        replace(v, source, v->source);
        if (!str_eq(target->text, v->target))
                replace(v, target, v->target);
        if (!str_eq(type->text, "volume"))
                replace(v, type, "volume");
        return true;
}

/* ---- the top-level volumes: ---- */

static bool declare_in_flow(VolumeEdit *v, const YamlNode *volumes, Err *err)
{
        if (v->bytes[volumes->start] != '{')
                return edit_refuse(err, v->file, volumes,
                                   "volumes: ", "is written in a way pgsherpa ", "cannot add to");
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
        size_t at = edit_next_line(v->bytes, v->n, volumes->key->start);
        const char *eol = edit_line_end(v->bytes, v->n);
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
                        return edit_refuse(err, v->file, root, "a compose file in one flow map ",
                                           "cannot be added to", "");
                const char *eol = edit_line_end(v->bytes, v->n);
                bool unfinished = v->n && v->bytes[v->n - 1] != '\n';
                patch_add(&v->ps, v->n, v->n,
                          arena_printf(v->a, "%s%svolumes:%s  %s:%s    external: true%s",
                                       unfinished ? eol : "", eol, eol, v->volume, eol, eol));
                return true;
        }
        const char *hazard = yaml_hazard(volumes);
        if (hazard)
                return edit_refuse(err, v->file, volumes,
                                   "volumes: ", "cannot be added to: ", hazard);
        const YamlNode *there = yaml_get(volumes, v->volume);
        if (there) {
                const YamlNode *external = yaml_get(there, "external");
                v->x.declared = NULL;
                if (external && str_eq(external->text, "true"))
                        return true;
                edit_refuse(err, v->file, there, "a volume ", v->volume,
                            " is declared here already, and not "
                            "as external");
                return err_hint(err, "choose another name for the new volume");
        }
        if (yaml_is_null(volumes))
                return volumes->start == volumes->end
                               ? declare_in_block(v, volumes, err)
                               : edit_refuse(err, v->file, volumes, "volumes: ", "says null", "");
        if (volumes->kind != YAML_MAP)
                return edit_refuse(err, v->file, volumes, "volumes: ", "is ",
                                   yaml_kind_name(volumes->kind));
        return volumes->style == YAML_FLOW ? declare_in_flow(v, volumes, err)
                                           : declare_in_block(v, volumes, err);
}

bool edit_declare(const EditFile *f, const char *volume, Patches *ps, Err *err)
{
        VolumeEdit v = { .file = f->file,
                         .bytes = f->bytes,
                         .n = f->n,
                         .volume = volume,
                         .a = f->a,
                         .ps = *ps };
        bool ok = declare(&v, f->root, err);
        *ps = v.ps;
        return ok;
}

static bool is_volume_name(const char *name)
{
        static const char ok[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
        /* `123`, `1e5`, `0x1f` and `no` would be read as something else than text: a letter that no
         * number has, and none of the words. */
        static const char *const words[] = { "y",   "n",    "yes",   "no",  "on",
                                             "off", "true", "false", "null" };
        for (size_t i = 0; i < LEN(words); i++)
                if (strcasecmp(name, words[i]) == 0)
                        return false;
        if (volume_is_anonymous(name)) /* its letters make it no number */
                return strspn(name, "0123456789") < strlen(name) && strpbrk(name, "abcdf");
        return *name && !strchr("_.-", *name) && name[strspn(name, ok)] == '\0' &&
               strlen(name) <= 128 &&
               (!strchr("0123456789", *name) ||
                strpbrk(name, "gGhHiIjJkKlLmMnNpPqQrRsStTuUvVwWyYzZ"));
}

bool edit_volume_name(const char *volume, Err *err)
{
        if (is_volume_name(volume))
                return true;
        AUTO_FREE char *clean = text_clean_str(volume);
        err_set(err, ERR_USER, "`%s` is not a name for a volume", clean);
        return err_hint(err, "letters, digits, _ . and -; not a number");
}

static const YamlNode *item_of(const YamlNode *s, const char *data_dir)
{
        return mount_of(edit_value_of(s, "volumes"), data_dir);
}

bool compose_edit_text(const char *file, const char *bytes, size_t n, const char *service,
                       const char *data_dir, char **ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        YamlNode *root = NULL;
        AUTO_ERR none = { 0 };
        const YamlNode *s = NULL;
        *ret = NULL;
        if (!edit_parse(a, file, bytes, n, &root, err))
                return false;
        if (!edit_service(file, root, service, &s, &none))
                return true;
        const YamlNode *node = data_dir ? item_of(s, data_dir) : edit_value_of(s, "image");
        AUTO_FREE char *source = NULL, *target = NULL;
        const char *rest = NULL;
        if (data_dir && node && node->kind == YAML_MAP) {
                const YamlNode *from = yaml_get(node, "source");
                *ret = xstrdup(from && from->kind == YAML_SCALAR ? from->text : "");
        } else if (data_dir && node) {
                *ret = xstrdup(split_short(node->text, &source, &target, &rest) ? source : "");
        } else if (node && node->kind == YAML_SCALAR) {
                *ret = xstrdup(node->text);
        }
        return true;
}

bool compose_edit_volume(const char *file, const char *bytes, size_t n, const ComposeVolume *w,
                         ComposeEdit *ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        YamlNode *root = NULL;
        const YamlNode *s = NULL;
        if (!edit_volume_name(w->volume, err))
                return false;
        if (!edit_harmless(w->target) && *w->target != '/')
                return err_set(err, ERR_USER, "`%s` is not a place to mount a volume", w->target);
        if (!edit_parse(a, file, bytes, n, &root, err) ||
            !edit_service(file, root, w->service, &s, err))
                return false;
        const YamlNode *item = item_of(s, w->data_dir);
        if (!item) {
                edit_refuse(err, file, s, "service ", w->service,
                            " has no volume here that holds its data "
                            "directory");
                return err_hint(err, "the data is at %s in the container", w->data_dir);
        }
        VolumeEdit v = { .file = file,
                         .bytes = bytes,
                         .n = n,
                         .service = w->service,
                         .volume = w->volume,
                         .target = w->target,
                         .source = w->source ? w->source : w->volume,
                         .a = a };
        bool ok = item->kind == YAML_MAP ? edit_long(&v, item, ret, err)
                                         : edit_short(&v, item, ret, err);
        DiffCount count = { 0 };
        return ok && declare(&v, root, err) &&
               edit_prove(&(EditFile){ file, bytes, n, root, a }, &v.ps, &v.x, ret, &count, err);
}

bool compose_edit_other_mounts(const char *file, const char *bytes, size_t n, const char *service,
                               const char *data_dir, size_t *ret_n, char **ret)
{
        AUTO_ARENA a = arena_new();
        AUTO_BUF b = buf_init(LIMIT_COMPOSE_FILE);
        AUTO_ERR ignored = { 0 };
        YamlNode *root = NULL;
        const YamlNode *s = NULL;
        if (!edit_parse(a, file, bytes, n, &root, &ignored) ||
            !edit_service(file, root, service, &s, &ignored))
                return false;
        const YamlNode *list = edit_value_of(s, "volumes"), *mine = mount_of(list, data_dir);
        *ret_n = 0;
        for (const YamlNode *c = list ? list->first : NULL; c; c = c->next) {
                if (yaml_resolve(c) == mine)
                        continue;
                if (c->kind != YAML_SCALAR || c->anchor || c->tag ||
                    memchr(bytes + c->start, '\n', c->end - c->start))
                        return false;
                buf_printf(&b, "%.*s\n", (int)(c->end - c->start), bytes + c->start);
                ++*ret_n;
        }
        *ret = xstrdup(buf_str(&b));
        return mine != NULL;
}
