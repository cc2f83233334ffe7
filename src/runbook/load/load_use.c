/* load_use.c: what a part holds comes in the place of its `use:` (part.h). */
#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "runbook/load/part.h"

#include <ctype.h>

enum {
        USES = 200,      /* of one runbook, those in parts included */
        USES_NESTED = 8, /* a part that uses a part that uses .. */
};

typedef struct UseFrame {
        const PartFile *part;
        const YamlNode *with;         /* map, or NULL */
        const struct UseFrame *outer; /* NULL: the runbook itself used it */
        int depth;
} UseFrame;

typedef struct Uses {
        Loader *l;
        size_t uses, nodes, bytes;
        bool full; /* more than the limits: told, and nothing is put in any more */
} Uses;

static bool room_for(Uses *u, size_t nodes, size_t bytes, const YamlNode *at)
{
        u->nodes += nodes;
        u->bytes += bytes;
        if (!u->full && (u->nodes > LIMIT_YAML_NODES || u->bytes > LIMIT_YAML_BYTES)) {
                load_problem(u->l, at, "E-PART", "use fewer or smaller parts",
                             "with its parts the runbook has more than %d values or %d bytes",
                             LIMIT_YAML_NODES, LIMIT_YAML_BYTES);
                u->full = true;
        }
        return !u->full;
}

static void append(YamlNode *parent, YamlNode *child)
{
        child->parent = parent;
        child->next = NULL;
        if (parent->last)
                parent->last->next = child;
        else
                parent->first = child;
        parent->last = child;
        parent->n++;
}

/* Takes all children out; they are still chained to each other. */
static YamlNode *take_children(YamlNode *node)
{
        YamlNode *first = node->first;
        node->first = node->last = NULL;
        node->n = 0;
        return first;
}

/* ---- values ---- */

/* NULL: it was left out. */
static const YamlNode *value_of(const UseFrame *f, const char *name)
{
        const YamlNode *given = yaml_get(f->with, name);
        const YamlNode *param = yaml_get(f->part->params, name);
        const YamlNode *value = given ? given : yaml_get(param, "default");
        return yaml_is_null(value) ? NULL : value;
}

static size_t param_names(const UseFrame *f, const char **ret, size_t most)
{
        size_t n = 0;
        const YamlNode *c = f->part->params ? f->part->params->first : NULL;
        for (; c && n < most; c = c->next)
                ret[n++] = c->key->text;
        return n;
}

static void no_param(Uses *u, const UseFrame *f, const YamlNode *at, const char *name)
{
        const char *known[64];
        size_t n = param_names(f, known, LEN(known));
        const char *near = text_nearest(name, known, n);
        AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`?", near) : NULL;
        AUTO_FREE char *clean = text_clean_str(name);
        load_problem(u->l, at, "E-PART", hint, "the part `%s` has no parameter `%.60s`",
                     f->part->kept->name, clean);
}

/* `${part.NAME}` from `s` on. NULL: none. *ret_name is malloc()ed, NULL where it is none. */
static const char *next_param(const char *s, char **ret_name, const char **ret_end)
{
        static const char begins[] = "${part.";
        const char *at = s;
        *ret_name = NULL;
        while ((at = strstr(at, begins)) && at > s && at[-1] == '$')
                at += 2; /* $${ is a plain ${ */
        if (!at)
                return NULL;
        const char *name = at + strlen(begins), *end = name;
        while (islower((unsigned char)*end) || isdigit((unsigned char)*end) || *end == '_')
                end++;
        *ret_end = *end == '}' ? end + 1 : end;
        if (*end == '}' && end > name)
                *ret_name = xstrndup(name, (size_t)(end - name));
        return at;
}

/* Is it a parameter of the part? Told, if not. */
static bool is_param(Uses *u, const UseFrame *f, const YamlNode *at, const char *name)
{
        if (!name)
                load_problem(u->l, at, "E-PART", "write ${part.name}, and nothing else in it",
                             "this is no parameter");
        else if (!yaml_get(f->part->params, name))
                no_param(u, f, at, name);
        else
                return true;
        return false;
}

static YamlNode *copy_of(Uses *u, const YamlNode *given)
{
        YamlNode *copy = arena_new_type(u->l->arena, YamlNode);
        *copy = *given;
        take_children(copy);
        for (const YamlNode *c = given->first; c && room_for(u, 1, 0, given); c = c->next)
                append(copy, copy_of(u, c));
        return copy;
}

/* A text with parameters inside. */
static void fill_text(Uses *u, const UseFrame *f, YamlNode *node)
{
        AUTO_BUF b = buf_init(LIMIT_YAML_BYTES);
        const char *s = node->text, *at, *end = NULL;
        for (char *name; (at = next_param(s, &name, &end)); s = end) {
                AUTO_FREE char *owned = name;
                buf_add(&b, s, (size_t)(at - s));
                const YamlNode *value = is_param(u, f, node, name) ? value_of(f, name) : NULL;
                if (value && value->kind != YAML_SCALAR)
                        load_problem(u->l, node, "E-PART", "let it stand alone: \"${part.name}\"",
                                     "`%s` is %s, and stands inside of a text", name,
                                     yaml_kind_name(value->kind));
                else if (value)
                        buf_adds(&b, value->text);
        }
        buf_adds(&b, s);
        if (!room_for(u, 0, b.len, node) || b.overflow)
                return;
        node->text = arena_strndup(u->l->arena, buf_str(&b), b.len);
        node->len = b.len;
}

/* A scalar that is nothing but a parameter: its value, any kind, comes in its place. */
static bool fill_whole(Uses *u, const UseFrame *f, YamlNode *parent, const YamlNode *node)
{
        const char *end = NULL;
        char *name = NULL;
        const char *at = next_param(node->text, &name, &end);
        AUTO_FREE char *owned = name;
        if (at != node->text || !name || *end)
                return false;
        const YamlNode *value = is_param(u, f, node, name) ? value_of(f, name) : NULL;
        if (!value || !room_for(u, 1, 0, node))
                return true;
        YamlNode *copy = copy_of(u, value);
        copy->key = node->key;
        if (parent->kind != YAML_LIST || copy->kind != YAML_LIST) {
                append(parent, copy);
                return true;
        }
        for (YamlNode *c = take_children(copy), *next; c; c = next) {
                next = c->next;
                append(parent, c);
        }
        return true;
}

static void fill(Uses *u, const UseFrame *f, YamlNode *node)
{
        for (YamlNode *c = take_children(node), *next; c; c = next) {
                next = c->next;
                bool head = node == f->part->root && c != f->part->items;
                if (!head && c->kind == YAML_SCALAR && strstr(c->text, "${part.")) {
                        if (fill_whole(u, f, node, c))
                                continue;
                        fill_text(u, f, c);
                }
                if (!head)
                        fill(u, f, c);
                append(node, c);
        }
}

/* ---- one use ---- */

static bool check_with(Uses *u, const UseFrame *f, const YamlNode *use)
{
        size_t before = u->l->problems->errors;
        if (f->with && !load_is(u->l, f->with, YAML_MAP, "with"))
                return false;
        for (const YamlNode *c = f->with ? f->with->first : NULL; c; c = c->next)
                if (!yaml_get(f->part->params, c->key->text))
                        no_param(u, f, c->key, c->key->text);
        for (const YamlNode *c = f->part->params ? f->part->params->first : NULL; c; c = c->next)
                if (!yaml_get(c, "default") && yaml_is_null(yaml_get(f->with, c->key->text)))
                        load_problem(u->l, use, "E-PART", yaml_get(c, "help")->text,
                                     "the part `%s` needs `%s`", f->part->kept->name, c->key->text);
        return u->l->problems->errors == before;
}

static bool in_circle(Uses *u, const UseFrame *outer, const char *name, const YamlNode *use)
{
        for (const UseFrame *f = outer; f; f = f->outer) {
                if (!str_eq(f->part->kept->name, name))
                        continue;
                AUTO_BUF chain = buf_init(4096);
                for (const UseFrame *x = outer; x != f; x = x->outer)
                        buf_printf(&chain, "`%s`, used by ", x->part->kept->name);
                load_problem(u->l, use, "E-PART", "take one of them apart",
                             "the part `%s` uses itself: it is used by %s`%s`", name,
                             buf_str(&chain), name);
                return true;
        }
        return false;
}

/* What `use:` names; NULL: a problem was told. */
static const char *name_of(Uses *u, const YamlNode *item, const UseFrame *outer,
                           const YamlNode **ret_with)
{
        static const char *const keys[] = { "part", "with", NULL };
        const YamlNode *use = yaml_get(item, "use"), *name = use;
        *ret_with = NULL;
        for (const YamlNode *c = item->first; c; c = c->next)
                if (c != use)
                        load_problem(u->l, c->key, "E-PART",
                                     "what differs from use to use goes into its `with`",
                                     "`use` stands alone, without `%.60s`", c->key->text);
        if (use->kind == YAML_MAP) {
                if (!load_map(u->l, use, "use", keys, NULL))
                        return NULL;
                name = yaml_get(use, "part");
                *ret_with = yaml_get(use, "with");
        }
        if (!name || name->kind != YAML_SCALAR) {
                load_problem(u->l, use, "E-PART", "use: NAME, or use: {part: NAME, with: {..}}",
                             "`use` names no part");
                return NULL;
        }
        if (part_name_ok(name->text))
                return in_circle(u, outer, name->text, use) ? NULL : name->text;
        AUTO_FREE char *clean = text_clean_str(name->text);
        load_problem(u->l, name, "E-PART",
                     "a part is called by its name (small letters, digits, - and _), not by a path",
                     "`%.60s` is no part's name", clean);
        return NULL;
}

static void expand(Uses *u, const UseFrame *f, YamlNode *list, bool phases);

static void use_part(Uses *u, const UseFrame *outer, YamlNode *list, const YamlNode *item,
                     bool phases)
{
        PartFile part = { 0 };
        UseFrame f = { .part = &part, .outer = outer, .depth = outer ? outer->depth + 1 : 1 };
        const YamlNode *use = yaml_get(item, "use");
        const char *what = phases ? "phases" : "steps";
        const char *name = name_of(u, item, outer, &f.with);
        if (!name)
                return;
        if (++u->uses > USES || f.depth > USES_NESTED) {
                if (u->uses == USES + 1 || f.depth > USES_NESTED)
                        load_problem(u->l, use, "E-PART", "use fewer",
                                     "more than %d parts, or more than %d in each other", USES,
                                     USES_NESTED);
                return;
        }
        if (u->full || !part_open(u->l, name, use, what, &part) ||
            !room_for(u, part.nodes, part.kept->text_len, use) || !check_with(u, &f, use))
                return;
        fill(u, &f, part.root);
        part.items = (YamlNode *)yaml_get(part.root, what);
        if (!part.items || part.items->kind != YAML_LIST) {
                load_problem(u->l, part.items ? part.items : use, "E-PART", "give it a list",
                             "the part `%s` holds no list of %s here", name, what);
                return;
        }
        expand(u, &f, part.items, phases);
        for (YamlNode *c = take_children(part.items), *next; c; c = next) {
                next = c->next;
                append(list, c);
        }
}

/* The steps of a phase, or those that undo a step, can be uses, too. */
static void expand(Uses *u, const UseFrame *f, YamlNode *list, bool phases)
{
        if (!list || list->kind != YAML_LIST)
                return;
        for (YamlNode *c = take_children(list), *next; c; c = next) {
                next = c->next;
                if (yaml_get(c, "use")) {
                        use_part(u, f, list, c, phases);
                        continue;
                }
                append(list, c);
                expand(u, f, (YamlNode *)yaml_get(c, phases ? "steps" : "undo"), false);
        }
}

void load_uses(Loader *l, YamlNode *root)
{
        Uses u = { .l = l };
        expand(&u, NULL, (YamlNode *)yaml_get(root, "phases"), true);
        expand(&u, NULL, (YamlNode *)yaml_get(root, "cleanup"), false);
        expand(&u, NULL, (YamlNode *)yaml_get(yaml_get(root, "rollback"), "verify"), false);
}
