#include "yaml/yaml.h"

#include "base/limits.h"
#include "base/text.h"
#include "yaml/marks.h"

#include <yaml.h>

typedef struct Anchor {
        const char *name;
        YamlNode *node;
        struct Anchor *next;
} Anchor;

typedef struct Builder {
        Arena *arena;
        YamlMode mode;
        Marks marks;
        size_t skipped;       /* bytes of a byte order mark */
        YamlSpot spot;        /* where an error is */
        YamlNode *root, *top; /* top: the open list or map */
        YamlNode *key;        /* waiting for its value */
        size_t depth, nodes;
        Anchor *anchors;
        bool documents;
} Builder;

static YamlSpot spot_of(yaml_mark_t m)
{
        return (YamlSpot){ (int)m.line + 1, (int)m.column + 1 };
}

static bool parser_failed(Builder *b, const yaml_parser_t *p, Err *err)
{
        b->spot = spot_of(p->problem_mark);
        err_set(err, ERR_USER, "%s%s%s", p->context ? p->context : "", p->context ? ": " : "",
                p->problem ? p->problem : "this is not YAML");
        if (p->problem && strstr(p->problem, "cannot start any token"))
                return err_hint(err, "indent with spaces, not tabs; text that begins with "
                                     "@ ` %% & * needs quotes");
        return err_hint(err, "check the indentation; text that holds `: `, ` #`, [ ] { } or , "
                             "needs quotes");
}

static bool refuse_marks(Builder *b, const YamlNode *node, Err *err)
{
        if (b->mode == YAML_FOREIGN)
                return true;
        const char *what = node->kind == YAML_ALIAS ? "an alias (*)"
                           : node->anchor           ? "an anchor (&)"
                           : node->tag              ? "a tag (!)"
                                                    : NULL;
        if (!what)
                return true;
        err_set(err, ERR_USER, "%s is not allowed here", what);
        return err_hint(err, "write the value out, or put the text in quotes");
}

static bool check_text(Builder *b, const YamlNode *node, Err *err)
{
        if (memchr(node->text, '\0', node->len))
                return err_set(err, ERR_USER, "the text holds a NUL character (\\0)");
        uint32_t c = b->mode == YAML_STRICT ? marks_forbidden(node->text, node->len) : 0;
        if (c)
                return err_set(err, ERR_USER,
                               "the text holds the control character U+%04X, written as an escape",
                               c);
        return true;
}

/* Hangs a finished scalar or alias, or a list or map that begins, below what is open. */
static bool hang(Builder *b, YamlNode *node, Err *err)
{
        b->spot = (YamlSpot){ node->line, node->col };
        if (++b->nodes > LIMIT_YAML_NODES)
                return err_set(err, ERR_USER, "more than %d values in one file", LIMIT_YAML_NODES);
        if (!refuse_marks(b, node, err))
                return false;
        YamlNode *top = b->top;
        if (!top) {
                b->root = node;
                return true;
        }
        node->parent = top;
        if (top->kind == YAML_MAP && !b->key) {
                if (node->kind != YAML_SCALAR) {
                        err_set(err, ERR_USER, "a key must be a plain word, not %s",
                                yaml_kind_name(node->kind));
                        return err_hint(err, "text that begins with { or [ needs quotes");
                }
                if (b->mode == YAML_STRICT && str_eq(node->text, "<<")) {
                        err_set(err, ERR_USER, "a merge key (<<) is not allowed here");
                        return err_hint(err, "write the keys out");
                }
                b->key = node;
                return true;
        }
        node->key = b->key;
        b->key = NULL;
        if (top->last)
                top->last->next = node;
        else
                top->first = node;
        top->last = node;
        top->n++;
        return true;
}

static YamlNode *node_new(Builder *b, YamlKind kind, const yaml_event_t *e)
{
        YamlNode *node = arena_new_type(b->arena, YamlNode);
        YamlSpot at = spot_of(e->start_mark);
        node->kind = kind;
        node->text = "";
        node->line = at.line;
        node->col = at.col;
        node->start = b->skipped + marks_byte(&b->marks, e->start_mark.index);
        node->end = b->skipped + marks_byte(&b->marks, e->end_mark.index);
        return node;
}

static const char *copy(Builder *b, const yaml_char_t *s)
{
        return arena_strdup(b->arena, (const char *)s);
}

/* An anchor counts once its node is complete: `&a [*a]` would be a tree without an end. */
static void remember(Builder *b, YamlNode *node)
{
        if (!node->anchor)
                return;
        Anchor *anchor = arena_new_type(b->arena, Anchor);
        *anchor = (Anchor){ .name = node->anchor, .node = node, .next = b->anchors };
        b->anchors = anchor;
}

static bool on_alias(Builder *b, const yaml_event_t *e, Err *err)
{
        YamlNode *node = node_new(b, YAML_ALIAS, e);
        node->text = copy(b, e->data.alias.anchor);
        node->len = strlen(node->text);
        for (const Anchor *x = b->anchors; x && !node->target; x = x->next)
                if (str_eq(x->name, node->text))
                        node->target = x->node;
        if (!hang(b, node, err))
                return false;
        if (!node->target)
                return err_set(err, ERR_USER, "the alias *%s stands for nothing before it",
                               node->text);
        return true;
}

static bool on_scalar(Builder *b, const yaml_event_t *e, Err *err)
{
        static const YamlStyle styles[] = {
                [YAML_ANY_SCALAR_STYLE] = YAML_PLAIN,
                [YAML_PLAIN_SCALAR_STYLE] = YAML_PLAIN,
                [YAML_SINGLE_QUOTED_SCALAR_STYLE] = YAML_SINGLE,
                [YAML_DOUBLE_QUOTED_SCALAR_STYLE] = YAML_DOUBLE,
                [YAML_LITERAL_SCALAR_STYLE] = YAML_LITERAL,
                [YAML_FOLDED_SCALAR_STYLE] = YAML_FOLDED,
        };
        YamlNode *node = node_new(b, YAML_SCALAR, e);
        char *text = arena_alloc(b->arena, e->data.scalar.length + 1);
        memcpy(text, e->data.scalar.value, e->data.scalar.length);
        node->text = text;
        node->len = e->data.scalar.length;
        node->style = styles[e->data.scalar.style];
        node->anchor = copy(b, e->data.scalar.anchor);
        node->tag = copy(b, e->data.scalar.tag);
        if (!hang(b, node, err) || !check_text(b, node, err))
                return false;
        remember(b, node);
        return true;
}

static bool on_begin(Builder *b, const yaml_event_t *e, Err *err)
{
        bool map = e->type == YAML_MAPPING_START_EVENT;
        YamlNode *node = node_new(b, map ? YAML_MAP : YAML_LIST, e);
        bool flow = map ? e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                        : e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        node->style = flow ? YAML_FLOW : YAML_BLOCK;
        node->anchor = copy(b, map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor);
        node->tag = copy(b, map ? e->data.mapping_start.tag : e->data.sequence_start.tag);
        b->spot = (YamlSpot){ node->line, node->col };
        if (++b->depth > LIMIT_YAML_DEPTH)
                return err_set(err, ERR_USER, "nested more than %d deep", LIMIT_YAML_DEPTH);
        if (!hang(b, node, err))
                return false;
        b->top = node;
        return true;
}

static int by_key(const void *x, const void *y)
{
        const YamlNode *a = (*(YamlNode *const *)x)->key, *b = (*(YamlNode *const *)y)->key;
        int order = strcmp(a->text, b->text);
        return order ? order : (a->start > b->start) - (a->start < b->start);
}

/* Sorted and not pair by pair: a map may have thousands of keys. */
static bool check_duplicates(Builder *b, const YamlNode *map, Err *err)
{
        if (map->n < 2)
                return true;
        AUTO_FREE YamlNode **sorted = xcalloc(map->n, sizeof *sorted);
        size_t n = 0;
        for (YamlNode *c = map->first; c; c = c->next)
                sorted[n++] = c;
        qsort(sorted, n, sizeof *sorted, by_key);
        const YamlNode *twice = NULL, *once = NULL;
        for (size_t i = 1; i < n; i++) {
                const YamlNode *key = sorted[i]->key;
                if (!str_eq(key->text, sorted[i - 1]->key->text))
                        continue;
                if (!twice || key->start < twice->start) {
                        twice = key;
                        once = sorted[i - 1]->key;
                }
        }
        if (!twice)
                return true;
        AUTO_FREE char *shown = text_clean_str(twice->text);
        b->spot = (YamlSpot){ twice->line, twice->col };
        err_set(err, ERR_USER, "the key `%s` is here twice; first on line %d", shown, once->line);
        return err_hint(err, "keep one of them");
}

static bool on_end(Builder *b, const yaml_event_t *e, Err *err)
{
        YamlNode *node = b->top;
        node->end = b->skipped + marks_byte(&b->marks, e->end_mark.index);
        b->top = node->parent;
        b->depth--;
        if (node->kind == YAML_MAP && !check_duplicates(b, node, err))
                return false;
        remember(b, node);
        return true;
}

static bool on_document(Builder *b, const yaml_event_t *e, Err *err)
{
        b->spot = spot_of(e->start_mark);
        if (b->documents)
                return err_set(err, ERR_USER, "a second document begins here; one file is one");
        b->documents = true;
        const struct yaml_tag_directive_s *tags = e->data.document_start.tag_directives.start;
        if (b->mode == YAML_STRICT && tags && tags != e->data.document_start.tag_directives.end)
                return err_set(err, ERR_USER, "a %%TAG directive is not allowed here");
        return true;
}

static bool on_event(Builder *b, const yaml_event_t *e, Err *err)
{
        switch (e->type) {
        case YAML_DOCUMENT_START_EVENT:
                return on_document(b, e, err);
        case YAML_ALIAS_EVENT:
                return on_alias(b, e, err);
        case YAML_SCALAR_EVENT:
                return on_scalar(b, e, err);
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
                return on_begin(b, e, err);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                return on_end(b, e, err);
        default:
                return true;
        }
}

static bool build(Builder *b, yaml_parser_t *p, Err *err)
{
        for (;;) {
                yaml_event_t e;
                if (!yaml_parser_parse(p, &e))
                        return parser_failed(b, p, err);
                bool last = e.type == YAML_STREAM_END_EVENT;
                bool ok = on_event(b, &e, err);
                yaml_event_delete(&e);
                if (!ok)
                        return false;
                if (last)
                        break;
        }
        if (b->root)
                return true;
        b->spot = (YamlSpot){ 1, 1 };
        return err_set(err, ERR_USER, "there is nothing in the file");
}

bool yaml_parse_at(Arena *a, const char *bytes, size_t n, YamlMode mode, YamlNode **ret,
                   YamlSpot *ret_at, Err *err)
{
        Builder b = { .arena = a, .mode = mode };
        *ret = NULL;
        *ret_at = (YamlSpot){ 0 };
        if (n > LIMIT_YAML_BYTES)
                return err_set(err, ERR_USER, "the file has %zu bytes; at most %d are read", n,
                               LIMIT_YAML_BYTES);
        if (mode == YAML_FOREIGN && n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
                b.skipped = 3;
        bytes += b.skipped;
        n -= b.skipped;
        bool ok = marks_scan(a, bytes, n, mode == YAML_STRICT, &b.marks, &b.spot, err);
        if (ok) {
                yaml_parser_t p;
                if (!yaml_parser_initialize(&p))
                        abort(); /* out of memory, as in xmalloc() */
                yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
                yaml_parser_set_input_string(&p, (const unsigned char *)bytes, n);
                ok = build(&b, &p, err);
                yaml_parser_delete(&p);
        }
        if (ok) {
                *ret = b.root;
                return true;
        }
        *ret_at = b.spot;
        return false;
}

bool yaml_parse(Arena *a, const char *file, const char *bytes, size_t n, YamlMode mode,
                YamlNode **ret, Err *err)
{
        YamlSpot at;
        if (yaml_parse_at(a, bytes, n, mode, ret, &at, err))
                return true;
        if (!at.line)
                return err_wrap(err, "%s", file);
        return err_wrap(err, "%s:%d:%d", file, at.line, at.col);
}

const YamlNode *yaml_get(const YamlNode *map, const char *key)
{
        if (!map || map->kind != YAML_MAP)
                return NULL;
        for (const YamlNode *c = map->first; c; c = c->next)
                if (str_eq(c->key->text, key))
                        return c;
        return NULL;
}

static const YamlNode *at_position(const YamlNode *list, const char *position)
{
        char *end;
        unsigned long i = strtoul(position, &end, 10);
        const YamlNode *c = *position && !*end ? list->first : NULL;
        while (c && i--)
                c = c->next;
        return c;
}

const YamlNode *yaml_path(const YamlNode *root, ...)
{
        va_list ap;
        va_start(ap, root);
        const char *step;
        while (root && (step = va_arg(ap, const char *)))
                root = root->kind == YAML_LIST ? at_position(root, step) : yaml_get(root, step);
        va_end(ap);
        return root;
}

const YamlNode *yaml_resolve(const YamlNode *node)
{
        return node && node->kind == YAML_ALIAS ? node->target : node;
}

bool yaml_is_null(const YamlNode *node)
{
        if (!node)
                return true;
        return node->kind == YAML_SCALAR && node->style == YAML_PLAIN &&
               (!node->len || str_eq(node->text, "~") || str_eq(node->text, "null"));
}

const char *yaml_kind_name(YamlKind kind)
{
        static const char *const names[] = { "a text", "a list", "a map", "an alias" };
        return names[kind];
}

const char *yaml_hazard(const YamlNode *node)
{
        for (; node; node = node->parent) {
                if (node->kind == YAML_ALIAS)
                        return "it is an alias of text that stands elsewhere";
                if (node->anchor)
                        return "it is inside an anchor (&) that other places may use";
                if (node->tag)
                        return "it carries a tag (!)";
                if (node->key && str_eq(node->key->text, "<<"))
                        return "it is inside a merge key (<<)";
        }
        return NULL;
}
