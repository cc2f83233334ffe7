#include "pg/compare.h"

#include <pthread.h>
#include <stdio.h>

#include "base/buf.h"
#include "pg/facts.h"
#include "pg/rules.h"

#define MAX_LISTED 1000                 /* a thousand differences say as much as a million */
#define MAX_VALUE  600                  /* characters of a value in a report                */

typedef struct Compare {
        const CompareOptions *o;
        const json_t *source, *target;
        int      source_major, target_major;
        json_t  *report, *differences, *normalised, *limits;
        int64_t  total, objects;
} Compare;

/* ---- the report ---- */

static void set_words(json_t *d, const char *key, const json_t *value)
{
        if (!value || json_is_null(value)) {
                jx_set(d, key, json_null());
                return;
        }
        AUTO_FREE char *text = jx_words(value);
        size_t n = strlen(text);
        if (n > MAX_VALUE) {
                n = MAX_VALUE;
                while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
                        n--;            /* not in the middle of a character */
                text[n] = '\0';
        }
        jx_set_str(d, key, text);
}

static json_t *entry(const char *kind, const char *object, const char *what, const json_t *source,
                     const json_t *target)
{
        json_t *d = json_object();
        AUTO_FREE char *name = inventory_name(object);
        jx_set_str(d, "kind", kind);
        jx_set_str(d, "object", name);
        jx_set_str(d, "what", what);
        set_words(d, "source", source);
        set_words(d, "target", target);
        return d;
}

static bool ignored(const Compare *c, const char *kind, const char *what)
{
        size_t i, n = strlen(kind);
        json_t *v;
        json_array_foreach(c->o->ignore, i, v) {
                const char *s = json_string_value(v);
                if (s && (str_eq(s, kind) ||
                          (strncmp(s, kind, n) == 0 && s[n] == '.' && str_eq(s + n + 1, what))))
                        return true;
        }
        return false;
}

static void excuse(Compare *c, json_t *stolen, const char *rule, const char *reason)
{
        jx_set_str(stolen, "rule", rule);
        jx_set_str(stolen, "reason", reason);
        if (json_array_size(c->normalised) < MAX_LISTED)
                json_array_append_new(c->normalised, stolen);
        else
                json_decref(stolen);
}

static void differ(Compare *c, const char *kind, const char *object, const char *what,
                   const json_t *source, const json_t *target)
{
        json_t *d = entry(kind, object, what, source, target);
        if (ignored(c, kind, what)) {
                excuse(c, d, "ignored", "the runbook says so");
                return;
        }
        c->total++;
        if (json_array_size(c->differences) < MAX_LISTED)
                json_array_append_new(c->differences, d);
        else
                json_decref(d);
}

/* ---- roles that have another name over there ---- */

static json_t *mapped_text(const json_t *map, const char *s)
{
        const char *from;
        json_t *to;
        json_object_foreach((json_t *)map, from, to) {
                size_t n = strlen(from);
                if (strncmp(s, from, n) != 0 || (s[n] != '\0' && s[n] != '='))
                        continue;
                char *text = xasprintf("%s%s", json_string_value(to), s + n);
                json_t *j = json_string(text);
                free(text);
                return j;
        }
        return json_string(s);
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
        for (size_t i = 0; i < n; i++)
                json_array_append_new(sorted, list[i]);
        free(list);
        return sorted;
}

/* The source as it should look over there: owners, grantees, roles of policies. */
static json_t *map_roles(const json_t *objects, const json_t *map)
{
        static const char *const aspects[] = { "owner", "acl", "roles" };
        json_t *copy = json_deep_copy(objects);
        const char *kind, *name;
        json_t *all, *one;
        json_object_foreach(copy, kind, all)
                json_object_foreach(all, name, one)
                        for (size_t i = 0; i < LEN(aspects); i++) {
                                json_t *v = jx_get(one, aspects[i]);
                                if (v && !json_is_null(v))
                                        jx_set(one, aspects[i], mapped_value(map, v));
                        }
        return copy;
}

/* ---- objects ---- */

static bool null_or_absent(const json_t *j)
{
        return !j || json_is_null(j);
}

static void compare_aspect(Compare *c, const char *kind, const char *object, const char *aspect,
                           const json_t *s, const json_t *t)
{
        const json_t *a = jx_get(s, aspect), *b = jx_get(t, aspect);
        if ((a && b && json_equal(a, b)) || (null_or_absent(a) && null_or_absent(b)))
                return;
        RuleCase rc = { .kind = kind, .object = object, .aspect = aspect, .source = a, .target = b,
                        .source_major = c->source_major, .target_major = c->target_major,
                        .source_object = s, .target_object = t };
        const char *rule = rule_excuses(&rc);
        if (rule)
                excuse(c, entry(kind, object, aspect, a, b), rule, rule_reason(rule));
        else
                differ(c, kind, object, aspect, a, b);
}

static void compare_object(Compare *c, const char *kind, const char *object, const json_t *s,
                           const json_t *t)
{
        const char *aspect;
        json_t *ignored_value;
        json_object_foreach((json_t *)s, aspect, ignored_value)
                compare_aspect(c, kind, object, aspect, s, t);
        json_object_foreach((json_t *)t, aspect, ignored_value)
                if (!jx_get(s, aspect))
                        compare_aspect(c, kind, object, aspect, s, t);
}

/* What a missing object was: its definition when it has one. */
static const json_t *told(const json_t *object)
{
        static const char *const best[] = { "definition", "source", "text", "type", "version",
                                          "acl", "owner" };
        for (size_t i = 0; i < LEN(best); i++)
                if (!null_or_absent(jx_get(object, best[i])))
                        return jx_get(object, best[i]);
        return object;
}

static void compare_kind(Compare *c, const char *kind, const json_t *s, const json_t *t)
{
        const char *name;
        json_t *one;
        json_object_foreach((json_t *)s, name, one) {
                c->objects++;
                const json_t *other = jx_get(t, name);
                if (other)
                        compare_object(c, kind, name, one, other);
                else
                        differ(c, kind, name, "missing", told(one), NULL);
        }
        json_object_foreach((json_t *)t, name, one)
                if (!jx_get(s, name))
                        differ(c, kind, name, "only on the target", NULL, told(one));
}

static void compare_objects(Compare *c)
{
        const char *kind;
        json_t *one;
        json_t *s = jx_get(c->source, "objects"), *t = jx_get(c->target, "objects");
        AUTO_JSON mapped = c->o->map_roles ? map_roles(s, c->o->map_roles) : json_incref(s);
        json_object_foreach(mapped, kind, one)
                compare_kind(c, kind, one, jx_get(t, kind));
        json_object_foreach(t, kind, one)
                if (!jx_get(mapped, kind))
                        compare_kind(c, kind, NULL, one);
        jx_set_int(c->report, "sequences_compared",
                   (int64_t)json_object_size(jx_get(mapped, "sequence")));
}

/* ---- rows ---- */

static void compare_data(Compare *c)
{
        const char *name;
        json_t *s, *t, *d;
        json_t *source = jx_get(c->source, "data"), *target = jx_get(c->target, "data");
        int64_t tables = 0, rows = 0;
        json_object_foreach(source, name, s) {
                t = jx_get(target, name);
                if (!t)
                        continue;       /* a missing table is told among the objects */
                tables++;
                rows += jx_int(t, "rows", 0);
                if (!json_equal(jx_get(s, "rows"), jx_get(t, "rows")))
                        differ(c, "table", name, "rows", jx_get(s, "rows"), jx_get(t, "rows"));
                else if (!null_or_absent(d = jx_get(s, "hash")) &&
                         !json_equal(d, jx_get(t, "hash")))
                        differ(c, "table", name, "content", d, jx_get(t, "hash"));
        }
        jx_set_int(c->report, "tables_compared", tables);
        jx_set_int(c->report, "rows", rows);
}

static void compare_large_objects(Compare *c)
{
        static const char *const what[] = { "count", "bytes", "content" };
        json_t *s = jx_get(c->source, "large_objects"), *t = jx_get(c->target, "large_objects");
        if (null_or_absent(jx_get(s, "content")) || null_or_absent(jx_get(t, "content"))) {
                jx_append_str(c->limits, "large objects: only counted (their bytes need a "
                                         "superuser on both sides)");
                if (!json_equal(jx_get(s, "count"), jx_get(t, "count")))
                        differ(c, "large objects", "all", "count", jx_get(s, "count"),
                               jx_get(t, "count"));
                return;
        }
        for (size_t i = 0; i < LEN(what); i++)
                if (!json_equal(jx_get(s, what[i]), jx_get(t, what[i])))
                        differ(c, "large objects", "all", what[i], jx_get(s, what[i]),
                               jx_get(t, what[i]));
        if (c->o->map_roles)
                jx_append_str(c->limits, "large objects: owners and grants not compared, since "
                                         "roles have other names");
        else if (!json_equal(jx_get(s, "owners"), jx_get(t, "owners")))
                differ(c, "large objects", "all", "owners and grants", jx_get(s, "owners"),
                       jx_get(t, "owners"));
}

/* The migration tool's table is among the tables; its revision is told by itself. */
static void compare_revision(Compare *c)
{
        size_t i;
        json_t *m;
        AUTO_BUF b = buf_init(4096);
        json_array_foreach(jx_get(c->target, "migrations"), i, m)
                if (jx_str(m, "revision", NULL))
                        buf_printf(&b, "%s%s", b.len ? "; " : "", jx_str(m, "revision", ""));
        jx_set_str(c->report, "revision", buf_str(&b));
}

/* ---- all of it ---- */

static json_t *side(const json_t *inv)
{
        json_t *d = json_object();
        jx_set_str(d, "database", jx_str(jx_get(inv, "facts"), "database", ""));
        jx_set_str(d, "version", jx_str(jx_get(inv, "facts"), "version", ""));
        jx_set_str(d, "made_at", jx_str(inv, "made_at", ""));
        return d;
}

static bool comparable(const json_t *source, const json_t *target, Err *err)
{
        const char *a = jx_str(source, "method", NULL), *b = jx_str(target, "method", NULL);
        if (!jx_get(source, "objects") || !jx_get(target, "objects") || !a || !b) {
                err_set(err, ERR_USER, "an inventory without contents proves nothing");
                return err_hint(err, "make it with rows: exact and digest: all");
        }
        if (!str_eq(a, b)) {
                err_set(err, ERR_USER, "the two sides were hashed in two ways: %s and %s", a, b);
                return err_hint(err, "make the inventory again with method: columns, which every "
                                     "major can compute");
        }
        return true;
}

bool inventory_compare(const json_t *source, const json_t *target, const CompareOptions *o,
                       json_t **ret, Err *err)
{
        AUTO_JSON report = json_object();
        Compare c = { .o = o, .source = source, .target = target, .report = report,
                      .differences = json_array(), .normalised = json_array(),
                      .limits = json_array(),
                      .source_major = (int)jx_int(jx_get(source, "facts"), "major", 0),
                      .target_major = (int)jx_int(jx_get(target, "facts"), "major", 0) };
        jx_set(report, "differences", c.differences);
        jx_set(report, "normalised", c.normalised);
        jx_set(report, "limits", c.limits);
        if (!comparable(source, target, err))
                return false;
        compare_data(&c);
        compare_revision(&c);
        compare_objects(&c);
        compare_large_objects(&c);
        jx_set_str(report, "method", jx_str(source, "method", NULL));
        jx_set_int(report, "objects_compared", c.objects);
        jx_set_int(report, "differences_total", c.total);
        jx_set_bool(report, "equal", c.total == 0);
        jx_set_int(report, "tables", jx_int(jx_get(target, "counts"), "table", 0));
        jx_set(report, "source", side(source));
        jx_set(report, "target", side(target));
        *ret = report;
        report = NULL;
        return true;
}

/* ---- two live servers ---- */

typedef struct Side {
        Pg              *pg;
        InventoryOptions o;
        json_t          *inventory;
        Err              err;
        bool             ok;
} Side;

static void *take_stock(void *arg)
{
        Side *s = arg;
        s->ok = pg_inventory(s->pg, &s->o, &s->inventory, &s->err);
        return NULL;
}

static InventoryOptions options_of(const CompareOptions *o, const char *method, bool report)
{
        return (InventoryOptions){
                .objects = true, .migrations = true,
                .data = { .method = method, .exact = true, .cancel = o->cancel,
                          .progress = report ? o->progress : NULL,
                          .progress_arg = o->progress_arg },
        };
}

static bool common_method(Pg *source, Pg *target, const char **ret, Err *err)
{
        AUTO_PGRES PgRes *a = NULL;
        AUTO_PGRES PgRes *b = NULL;
        if (!pg_ask(source, "show server_encoding", &a, err) ||
            !pg_ask(target, "show server_encoding", &b, err))
                return false;
        *ret = table_data_method(pg_major(source), pg_major(target),
                                 str_eq(pg_cell(a, 0, 0), pg_cell(b, 0, 0)));
        return true;
}

bool pg_compare(Pg *source, Pg *target, const CompareOptions *o, json_t **ret, Err *err)
{
        const char *method = o->method;
        if (!method && !common_method(source, target, &method, err))
                return false;
        Side a = { .pg = source, .o = options_of(o, method, false) };
        Side b = { .pg = target, .o = options_of(o, method, true) };
        pthread_t thread;
        if (pthread_create(&thread, NULL, take_stock, &a) != 0)
                return err_set(err, ERR_SYSTEM, "starting a thread to read the source");
        take_stock(&b);
        if (!b.ok)
                pg_cancel(source);      /* no use in waiting for half of a comparison */
        pthread_join(thread, NULL);
        AUTO_JSON source_inventory = a.inventory;
        AUTO_JSON target_inventory = b.inventory;
        bool ok = a.ok && b.ok;
        if (!b.ok)
                err_move(err, &b.err);
        else if (!a.ok)
                err_move(err, &a.err);
        err_clear(&a.err);
        err_clear(&b.err);
        return ok && inventory_compare(source_inventory, target_inventory, o, ret, err);
}

bool pg_compare_with(const json_t *source_inventory, Pg *target, const CompareOptions *o,
                     json_t **ret, Err *err)
{
        const char *method = jx_str(source_inventory, "method", NULL);
        if (str_eq(method, "record") && pg_major(target) < 14) {
                err_set(err, ERR_USER, "that inventory was hashed in a way PostgreSQL %d does not "
                        "have", pg_major(target));
                return err_hint(err, "make it again with method: columns");
        }
        InventoryOptions io = options_of(o, method, true);
        json_t *inventory = NULL;
        if (!pg_inventory(target, &io, &inventory, err))
                return false;
        bool ok = inventory_compare(source_inventory, inventory, o, ret, err);
        json_decref(inventory);
        return ok;
}
