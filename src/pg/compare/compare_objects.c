#include "pg/compare/compare_objects.h"

#include "base/buf.h"
#include "pg/catalog.h"
#include "pg/compare/rules.h"

/* ---- roles that have another name over there ---- */

/* "app=SELECT", "app=SELECT" and a slash and who granted it, or nothing but a role. */
static json_t *mapped_text(const json_t *map, const char *s)
{
        const char *from, *by = strchr(s, '=') ? strrchr(s, '/') : NULL;
        json_t *to;
        AUTO_FREE char *grantor = by ? xstrdup(jx_str(map, by + 1, by + 1)) : NULL;
        AUTO_FREE char *text = by ? xasprintf("%.*s/%s", (int)(by - s), s, grantor) : xstrdup(s);
        json_object_foreach((json_t *)map, from, to) {
                size_t n = strlen(from);
                if (strncmp(text, from, n) != 0 || (text[n] != '\0' && text[n] != '='))
                        continue;
                AUTO_FREE char *all = xasprintf("%s%s", json_string_value(to), text + n);
                return json_string(all);
        }
        return json_string(text);
}

static int by_text(const void *a, const void *b)
{
        return strcmp(json_string_value(*(json_t *const *)a),
                      json_string_value(*(json_t *const *)b));
}

static json_t *mapped_value(const json_t *map, const json_t *v)
{
        if (json_is_string(v))
                return mapped_text(map, json_string_value(v));
        if (!json_is_array(v))
                return json_deep_copy(v);
        size_t n = json_array_size(v);
        json_t **list = xcalloc(n + 1, sizeof(json_t *));
        json_t *sorted = json_array();
        for (size_t i = 0; i < n; i++)
                list[i] = mapped_text(map, json_string_value(json_array_get(v, i)));
        qsort(list, n, sizeof *list, by_text);
        for (size_t i = 0; i < n; i++) /* once each: two roles may have become one */
                if (i == 0 || !json_equal(list[i - 1], list[i]))
                        json_array_append(sorted, list[i]);
        for (size_t i = 0; i < n; i++)
                json_decref(list[i]);
        free(list);
        return sorted;
}

static bool maps(const ObjectsCompare *c)
{
        return c->map_roles && json_object_size(c->map_roles);
}

/* An object of the source as it should look over there: owner, grantees, roles of a policy. */
static json_t *mapped(const ObjectsCompare *c, const json_t *object)
{
        static const char *const aspects[] = { "owner", "acl", "roles", "role" };
        if (!maps(c))
                return json_incref((json_t *)object);
        json_t *copy = json_copy((json_t *)object);
        for (size_t i = 0; i < LEN(aspects); i++) {
                json_t *v = jx_get(copy, aspects[i]);
                if (v && !json_is_null(v))
                        jx_set(copy, aspects[i], mapped_value(c->map_roles, v));
        }
        return copy;
}

/* Kinds whose objects have a role's name in their own, at its beginning or its end. */
static bool named_by_role(const char *kind)
{
        return str_eq(kind, "role setting") || str_eq(kind, "default privileges") ||
               str_eq(kind, "user mapping");
}

static char *quoted(const char *name)
{
        AUTO_BUF b = buf_init(1024);
        buf_addc(&b, '"');
        for (; *name; name++) {
                if (*name == '"')
                        buf_addc(&b, '"');
                buf_addc(&b, *name);
        }
        buf_addc(&b, '"');
        return xstrdup(buf_str(&b));
}

static char *renamed(const json_t *map, const char *name, const json_t *object)
{
        const char *role = jx_str(object, "role", NULL);
        const char *to = role ? jx_str(map, role, NULL) : NULL;
        if (!to)
                return xstrdup(name);
        AUTO_FREE char *old = quoted(role);
        AUTO_FREE char *new = quoted(to);
        if (str_ends(name, old))
                return xasprintf("%.*s%s", (int)(strlen(name) - strlen(old)), name, new);
        return str_starts(name, old) ? xasprintf("%s%s", new, name + strlen(old)) : xstrdup(name);
}

/* The objects of such a kind under the names they should have over there. */
static json_t *renamed_objects(const ObjectsCompare *c, const char *kind, const json_t *s)
{
        const char *name;
        json_t *one, *all = json_object();
        json_object_foreach((json_t *)s, name, one) {
                AUTO_FREE char *now = renamed(c->map_roles, name, one);
                if (jx_get(all, now)) {
                        AUTO_FREE char *text =
                                xasprintf("one %s of two roles that become one", kind);
                        report_limit(c->report, text);
                }
                jx_set(all, now, json_incref(one));
        }
        return all;
}

/* ---- what is wanted ---- */

/* "a""b" at *p -> a"b; *p is moved behind it. NULL when there is no name. malloc()ed. */
static char *quoted_name(const char **p)
{
        const char *s = *p;
        if (*s++ != '"')
                return NULL;
        char *name = xmalloc(strlen(s) + 1), *to = name;
        for (; *s && (*s != '"' || s[1] == '"'); s++) {
                s += *s == '"';
                *to++ = *s;
        }
        *to = '\0';
        *p = s + (*s == '"');
        return name;
}

static bool name_in(const TableScope *scope, const char *kind, const char *object)
{
        const char *p = strchr(object, '"');
        AUTO_FREE char *schema = p ? quoted_name(&p) : NULL;
        if (!schema)
                return false;
        if (*p != '.')
                return str_eq(kind, "schema") && table_scope_has(scope, schema, "");
        p++;
        AUTO_FREE char *name = quoted_name(&p);
        return table_scope_has(scope, schema, name ? name : "");
}

/* An index is in with its table, a sequence with the column that owns it. */
static bool wanted(const ObjectsCompare *c, const char *kind, const char *object,
                   const json_t *aspects)
{
        if (!table_scope_narrow(c->scope) || name_in(c->scope, kind, object))
                return true;
        const char *of = str_eq(kind, "index")      ? jx_str(aspects, "table", NULL)
                         : str_eq(kind, "sequence") ? jx_str(aspects, "owned_by", NULL)
                                                    : NULL;
        return of && name_in(c->scope, "table", of);
}

/* What a database only has when everything is in it: `aspect` NULL asks for the whole object. */
static bool comes_later(const char *kind, const char *object, const char *aspect)
{
        static const char *const kinds[] = { "database", "role setting", "subscription" };
        static const struct {
                const char *kind, *aspect;
        } aspects[] = {
                { "sequence", "last_value" },
                { "sequence", "is_called" },
                { "table", "populated" },
        };
        for (size_t i = 0; i < LEN(kinds); i++)
                if (str_eq(kind, kinds[i]))
                        return true;
        for (size_t i = 0; aspect && i < LEN(aspects); i++)
                if (str_eq(kind, aspects[i].kind) && str_eq(aspect, aspects[i].aspect))
                        return true;
        return (str_eq(kind, "comment") || str_eq(kind, "security label")) &&
               str_starts(object, "large object ");
}

/* ---- one object ---- */

static bool null_or_absent(const json_t *j)
{
        return !j || json_is_null(j);
}

/* Printed otherwise is not yet different: the target is asked about all of them together. */
static void postpone(ObjectsCompare *c, const char *kind, const char *object, const char *aspect,
                     const json_t *a, const json_t *b)
{
        json_t *entry = json_object();
        jx_set_str(entry, "kind", kind);
        jx_set_str(entry, "object", object);
        jx_set_str(entry, "aspect", aspect);
        jx_set(entry, "source", json_incref((json_t *)a));
        jx_set(entry, "target", json_incref((json_t *)b));
        if (!c->pending)
                c->pending = json_array();
        json_array_append_new(c->pending, entry);
}

static void compare_aspect(ObjectsCompare *c, const char *kind, const char *object,
                           const char *aspect, const json_t *s, const json_t *t)
{
        const json_t *a = jx_get(s, aspect), *b = jx_get(t, aspect);
        if (str_eq(aspect, "usual_owner") || /* what a rule has to know, not a property */
            (c->rowless && comes_later(kind, object, aspect)))
                return;
        if ((a && b && json_equal(a, b)) || (null_or_absent(a) && null_or_absent(b)))
                return;
        RuleCase rc = { .kind = kind,
                        .object = object,
                        .aspect = aspect,
                        .source = a,
                        .target = b,
                        .source_major = c->source_major,
                        .target_major = c->target_major,
                        .source_object = s,
                        .target_object = t };
        const char *rule = rule_excuses(&rc);
        AUTO_JSON hidden = json_string("(not shown)");
        if (str_eq(aspect, "secrets")) /* even a number helps to guess */
                report_differ(c->report, kind, object, aspect, null_or_absent(a) ? NULL : hidden,
                              null_or_absent(b) ? NULL : hidden);
        else if (rule)
                report_excuse(c->report, kind, object, aspect, a, b,
                              (Excuse){ rule, rule_reason(rule) });
        else if (c->reprinter && reprint_knows(kind, aspect) && !null_or_absent(a) &&
                 !null_or_absent(b))
                postpone(c, kind, object, aspect, a, b);
        else
                report_differ(c->report, kind, object, aspect, a, b);
}

static void compare_object(ObjectsCompare *c, const char *kind, const char *object,
                           const json_t *source, const json_t *t)
{
        const char *aspect;
        json_t *value;
        AUTO_JSON s = mapped(c, source);
        json_object_foreach(s, aspect, value)
                compare_aspect(c, kind, object, aspect, s, t);
        json_object_foreach((json_t *)t, aspect, value)
                if (!jx_get(s, aspect))
                        compare_aspect(c, kind, object, aspect, s, t);
}

/* What a missing object was: its definition when it has one. */
static const json_t *told(const json_t *object)
{
        static const char *const best[] = { "definition", "source", "text",  "type",
                                            "version",    "acl",    "owner", "role" };
        for (size_t i = 0; i < LEN(best); i++)
                if (!null_or_absent(jx_get(object, best[i])))
                        return jx_get(object, best[i]);
        return object;
}

static void count(ObjectsCompare *c, const char *kind)
{
        c->report->objects++;
        c->report->sequences += str_eq(kind, "sequence");
        if (str_eq(kind, "subscription") && !c->subscriptions) {
                report_limit(c->report,
                             "subscriptions: where they connect to, and whether they run");
                c->subscriptions = true;
        }
}

static void compare_lone(ObjectsCompare *c, const char *kind, const char *object, const json_t *s,
                         const json_t *t)
{
        const char *what = s ? RULE_MISSING : RULE_ONLY_TARGET;
        const json_t *a = s ? told(s) : NULL, *b = t ? told(t) : NULL;
        RuleCase rc = { .kind = kind,
                        .object = object,
                        .aspect = what,
                        .source = a,
                        .target = b,
                        .source_major = c->source_major,
                        .target_major = c->target_major,
                        .source_object = s,
                        .target_object = t };
        const char *rule = rule_excuses(&rc);
        if (rule)
                report_excuse(c->report, kind, object, what, a, b,
                              (Excuse){ rule, rule_reason(rule) });
        else
                report_differ(c->report, kind, object, what, a, b);
}

/* One of `s` and `t` may be NULL: the object is on one side only. */
static void compare_pair(ObjectsCompare *c, const char *kind, const char *object, const json_t *s,
                         const json_t *t)
{
        if (!wanted(c, kind, object, s ? s : t) || (c->rowless && comes_later(kind, object, NULL)))
                return;
        if (s)
                count(c, kind);
        if (s && t)
                compare_object(c, kind, object, s, t);
        else
                compare_lone(c, kind, object, s, t);
}

void objects_compare_kind(ObjectsCompare *c, const char *kind, const json_t *s, const json_t *t)
{
        const char *name;
        json_t *one;
        AUTO_JSON other = s && maps(c) && named_by_role(kind) ? renamed_objects(c, kind, s) : NULL;
        if (other)
                s = other;
        json_object_foreach((json_t *)s, name, one)
                compare_pair(c, kind, name, one, jx_get(t, name));
        json_object_foreach((json_t *)t, name, one)
                if (!jx_get(s, name))
                        compare_pair(c, kind, name, NULL, one);
}

/* ---- two catalogs, merged ---- */

typedef struct Stream {
        CatalogCursor *cursor;
        const char *name, *text;
} Stream;

static bool next(Stream *s, Err *err)
{
        return pg_catalog_next(s->cursor, &s->name, &s->text, err);
}

/* The same text on both sides is the same object: most are never parsed. */
static bool compare_texts(ObjectsCompare *c, const char *kind, const Stream *s, const Stream *t,
                          Err *err)
{
        const char *name = s ? s->name : t->name;
        bool plain = !maps(c) && !table_scope_narrow(c->scope);
        if (s && t && plain && str_eq(s->text, t->text)) {
                count(c, kind);
                return true;
        }
        AUTO_JSON a = s ? pg_catalog_aspects(s->text, err) : NULL;
        AUTO_JSON b = t ? pg_catalog_aspects(t->text, err) : NULL;
        if ((s && !a) || (t && !b))
                return false;
        compare_pair(c, kind, name, a, b);
        return true;
}

static bool merge(ObjectsCompare *c, const char *kind, Pg *source, Pg *target, Err *err)
{
        AUTO_CATALOG a = NULL;
        AUTO_CATALOG b = NULL;
        if (!pg_catalog_open(source, kind, &a, err) || !pg_catalog_open(target, kind, &b, err))
                return false;
        Stream s = { .cursor = a }, t = { .cursor = b };
        if (!next(&s, err) || !next(&t, err))
                return false;
        while (s.name || t.name) {
                int order = !t.name ? -1 : !s.name ? 1 : strcmp(s.name, t.name);
                if (!compare_texts(c, kind, order <= 0 ? &s : NULL, order >= 0 ? &t : NULL, err) ||
                    (order <= 0 && !next(&s, err)) || (order >= 0 && !next(&t, err)))
                        return false;
        }
        return true;
}

/* With other names the order is another one too. */
static bool whole(ObjectsCompare *c, const char *kind, Pg *source, Pg *target, Err *err)
{
        AUTO_JSON s = json_object();
        AUTO_JSON t = json_object();
        if (!pg_catalog_read_kind(source, kind, s, err) ||
            !pg_catalog_read_kind(target, kind, t, err))
                return false;
        objects_compare_kind(c, kind, s, t);
        return true;
}

bool objects_compare_live(ObjectsCompare *c, Pg *source, Pg *target, Err *err)
{
        AUTO_JSON kinds = pg_catalog_kinds();
        const char *kind;
        json_t *flag;
        json_object_foreach(kinds, kind, flag) {
                bool other_names = maps(c) && named_by_role(kind);
                if (!(other_names ? whole : merge)(c, kind, source, target, err))
                        return err_wrap(err, "comparing objects (%s)", kind);
        }
        return objects_compare_reprinted(c, err);
}

/* ---- texts, when the target has been asked ---- */

static void say_unasked(ObjectsCompare *c, const Err *why)
{
        AUTO_FREE char *text = xasprintf("what the target makes of %zu texts that it prints "
                                         "otherwise (so they are told as different): %s",
                                         json_array_size(c->pending),
                                         why->message ? why->message : "it could not be asked");
        report_limit(c->report, text);
}

bool objects_compare_reprinted(ObjectsCompare *c, Err *err)
{
        AUTO_JSON pending = c->pending;
        AUTO_ERR why = { 0 };
        json_t *entry;
        size_t i;
        if (pending && !reprint_settle(c->reprinter, pending, c->snapshots, &why)) {
                if (why.kind == ERR_CANCELLED) {
                        c->pending = NULL;
                        err_move(err, &why);
                        return false;
                }
                say_unasked(c, &why);
        }
        c->pending = NULL;
        json_array_foreach(pending, i, entry) {
                const char *kind = jx_str(entry, "kind", ""), *object = jx_str(entry, "object", ""),
                           *aspect = jx_str(entry, "aspect", "");
                const json_t *a = jx_get(entry, "source"), *b = jx_get(entry, "target");
                if (jx_bool(entry, "same", false))
                        report_excuse(c->report, kind, object, aspect, a, b,
                                      (Excuse){ RULE_REPRINTED, rule_reason(RULE_REPRINTED) });
                else
                        report_differ(c->report, kind, object, aspect, a, b);
        }
        return true;
}

void objects_report_unread(Report *r, int64_t views, int64_t foreign)
{
        if (views)
                report_limit(r, "contents of materialized views: a copy refreshes them, and the "
                                "source's may be stale");
        if (foreign)
                report_limit(r, "rows of foreign tables: they are another server's");
}

void objects_compare_large(ObjectsCompare *c, const json_t *s, const json_t *t)
{
        static const char *const what[] = { "count", "bytes", "content" };
        bool blind = null_or_absent(jx_get(s, "content")) || null_or_absent(jx_get(t, "content"));
        if (blind)
                report_limit(c->report, "large objects: only counted (their bytes need a "
                                        "superuser on both sides)");
        for (size_t i = 0; i < (blind ? 1 : LEN(what)); i++)
                if (!json_equal(jx_get(s, what[i]), jx_get(t, what[i])))
                        report_differ(c->report, "large objects", "all", what[i],
                                      jx_get(s, what[i]), jx_get(t, what[i]));
        if (maps(c))
                report_limit(c->report, "large objects: owners and grants not compared, since "
                                        "roles have other names");
        else if (!json_equal(jx_get(s, "owners"), jx_get(t, "owners")))
                report_differ(c->report, "large objects", "all", "owners and grants",
                              jx_get(s, "owners"), jx_get(t, "owners"));
}
