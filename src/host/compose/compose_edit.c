/* compose_edit.c: where the bytes stand, and the proof that only they changed. */
#include "host/compose/compose_edit_internal.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

void compose_edit_done(ComposeEdit *e)
{
        free(e->after);
        free(e->previous);
        free(e->diff);
        *e = (ComposeEdit){ 0 };
}

/* ---- a list of replacements, applied from the end so that offsets stay true ---- */

void patch_add(Patches *ps, size_t start, size_t end, const char *text)
{
        assert(ps->n < LEN(ps->p));
        size_t i = ps->n++;
        for (; i > 0 && ps->p[i - 1].start > start; i--)
                ps->p[i] = ps->p[i - 1];
        ps->p[i] = (Patch){ start, end, text };
}

char *patch_apply(const Patches *ps, const char *bytes, size_t n, size_t *ret_len)
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

static bool same_text(const char *a, const char *b)
{
        return (!a && !b) || str_eq(a, b);
}

static bool is_declaration(const YamlNode *node, const char *volume)
{
        const YamlNode *external = yaml_get(node, "external");
        return node->key && str_eq(node->key->text, volume) && node->kind == YAML_MAP &&
               node->n == 1 && external && str_eq(external->text, "true");
}

static bool same_tree(const YamlNode *a, const YamlNode *b, const Expected *x, int left);

static bool same_children(const YamlNode *a, const YamlNode *b, const Expected *x, int left)
{
        bool root = !a->parent,
             volumes = a->parent && !a->parent->parent && a->key && str_eq(a->key->text, "volumes");
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
        if (x->declared && a->key && str_eq(a->key->text, "volumes") && a->parent &&
            !a->parent->parent && yaml_is_null(a) && b->kind == YAML_MAP)
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
bool edit_harmless(const char *text)
{
        static const char ok[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@-+=";
        return *text && text[strspn(text, ok)] == '\0' && !strstr(text, ": ") &&
               text[strlen(text) - 1] != ':' && !strchr("-:@=+.", *text) && strpbrk(text, "/:") &&
               strpbrk(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

bool edit_refuse(Err *err, const char *file, const YamlNode *at, const char *fmt, const char *a,
                 const char *b)
{
        AUTO_FREE char *what = xasprintf("%s%s%s", fmt, a, b);
        return err_set(err, ERR_USER, "%s:%d:%d: %s", file, at->line, at->col, what);
}

bool edit_can(const char *file, const YamlNode *node, const char *what, Err *err)
{
        if (node->kind != YAML_SCALAR)
                return edit_refuse(err, file, node, what, " is ", yaml_kind_name(node->kind));
        if (node->anchor || node->tag)
                return edit_refuse(err, file, node, what, " cannot be changed alone: ",
                                   node->anchor ? "it is an anchor (&)" : "it carries a tag (!)");
        if (node->style == YAML_LITERAL || node->style == YAML_FOLDED)
                return edit_refuse(err, file, node, what, " is written as a block of text", "");
        return true;
}

char *edit_quoted(const YamlNode *node, const char *text)
{
        if (node->style == YAML_SINGLE)
                return xasprintf("'%s'", text);
        if (node->style == YAML_DOUBLE)
                return xasprintf("\"%s\"", text);
        return xstrdup(text);
}

bool edit_parse(Arena *a, const char *file, const char *bytes, size_t n, YamlNode **ret, Err *err)
{
        if (n > LIMIT_COMPOSE_FILE)
                return err_set(err, ERR_USER, "%s is larger than %d bytes", file,
                               LIMIT_COMPOSE_FILE);
        return yaml_parse(a, file, bytes, n, YAML_FOREIGN, ret, err);
}

bool edit_service(const char *file, const YamlNode *root, const char *service, const YamlNode **ret,
                  Err *err)
{
        const YamlNode *there = yaml_path(root, "services", service, NULL);
        AUTO_FREE char *clean = text_clean_str(service);
        if (!there)
                return err_set(err, ERR_USER, "%s has no service %s", file, clean);
        *ret = yaml_resolve(there);
        if ((*ret)->kind != YAML_MAP)
                return edit_refuse(err, file, there, "service ", clean, " is no map");
        return true;
}

/* A merge key's value: a map, an alias of one, or a list of those; the first that has the key wins
 * (yaml.org/type/merge.html). */
static const YamlNode *merged(const YamlNode *map, const char *key, int left)
{
        const YamlNode *found = yaml_get(map, key), *from = yaml_get(map, "<<");
        if (found || !from || left == 0)
                return found;
        from = yaml_resolve(from);
        if (from->kind != YAML_LIST)
                return merged(from, key, left - 1);
        for (const YamlNode *c = from->first; c && !found; c = c->next)
                found = merged(yaml_resolve(c), key, left - 1);
        return found;
}

const YamlNode *edit_value_of(const YamlNode *map, const char *key)
{
        const YamlNode *found = merged(map, key, LIMIT_YAML_DEPTH);
        return found ? yaml_resolve(found) : NULL;
}

/* Applies, reads the result back, and compares. */
bool edit_prove(const EditFile *f, const Patches *ps, const Expected *x, ComposeEdit *ret,
                DiffCount *count, Err *err)
{
        ret->after = patch_apply(ps, f->bytes, f->n, &ret->after_len);
        YamlNode *again = NULL;
        if (!yaml_parse(f->a, f->file, ret->after, ret->after_len, YAML_FOREIGN, &again, err))
                return err_wrap(err, "the edit would break the file and was not made");
        if (!same_tree(f->root, again, x, LIMIT_YAML_DEPTH + 2)) {
                err_set(err, ERR_USER,
                        "%s: the edit would change more than it should and was not made", f->file);
                return err_hint(err, "change it by hand, then let this step run again");
        }
        ret->diff = diff_unified(f->file, f->bytes, f->n, ret->after, ret->after_len, count);
        ret->changed = count->added || count->removed;
        return true;
}

static bool image_text(const char *file, const char *bytes, size_t n, const char *service,
                       const char *text, ComposeEdit *ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        YamlNode *root = NULL;
        const YamlNode *s = NULL;
        if (!edit_parse(a, file, bytes, n, &root, err) ||
            !edit_service(file, root, service, &s, err))
                return false;
        const YamlNode *node = edit_value_of(s, "image");
        if (!node)
                return edit_refuse(err, file, s, "service ", service, " has no image: here");
        AUTO_FREE char *what = xasprintf("the image of %s", service);
        if (!edit_can(file, node, what, err))
                return false;
        ret->previous = xstrdup(node->text);
        AUTO_FREE char *quoted = edit_quoted(node, text);
        Patches ps = { 0 };
        patch_add(&ps, node->start, node->end, quoted);
        Expected x = { .node = { node }, .text = { text }, .n = 1 };
        DiffCount count = { 0 };
        if (!edit_prove(&(EditFile){ file, bytes, n, root, a }, &ps, &x, ret, &count, err))
                return false;
        if (count.removed > 1 || count.added > 1)
                return edit_refuse(err, file, node, what,
                                   " shares its line with others in a way that ",
                                   "cannot be changed alone");
        return true;
}

bool compose_edit_image(const char *file, const char *bytes, size_t n, const char *service,
                        const char *image, ComposeEdit *ret, Err *err)
{
        if (!edit_harmless(image))
                return err_set(err, ERR_USER, "`%s` is not the name of an image with a tag", image);
        return image_text(file, bytes, n, service, image, ret, err);
}

bool compose_edit_image_default(const char *file, const char *bytes, size_t n, const char *service,
                                ComposeDefault d, ComposeEdit *ret, Err *err)
{
        AUTO_FREE char *now = NULL;
        if (!compose_edit_text(file, bytes, n, service, NULL, &now, err))
                return false;
        AUTO_FREE char *text = now ? vars_with_default(now, d.name, d.value) : NULL;
        if (!text)
                return err_set(err, ERR_USER, "%s: ${%s} has no default here", file, d.name);
        return image_text(file, bytes, n, service, text, ret, err);
}
