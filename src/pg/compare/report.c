#include "pg/report.h"

#include "base/buf.h"
#include "pg/inventory.h"
#include "pg/compare/rules.h"

#define MAX_VALUE     600 /* characters of a value in a report */
#define MAX_DIFF      4000
#define COUNTED_NAMED 20 /* tables in the sentence about them */

Report report_new(const json_t *ignore)
{
        Report r = { .ignore = ignore,
                     .json = json_object(),
                     .differences = json_array(),
                     .normalised = json_array(),
                     .limits = json_array(),
                     .data = json_array(),
                     .methods = json_object(),
                     .rules = json_object(),
                     .recomputed = json_array(),
                     .counted = json_array() };
        jx_set_str(r.json, "format", REPORT_FORMAT);
        jx_set(r.json, "differences", r.differences);
        jx_set(r.json, "normalised", r.normalised);
        jx_set(r.json, "rules", r.rules);
        jx_set(r.json, "recomputed", r.recomputed);
        jx_set(r.json, "limits", r.limits);
        jx_set(r.json, "methods", r.methods);
        jx_set(r.json, "data", r.data);
        return r;
}

void report_done(Report *r)
{
        json_decref(r->json);
        json_decref(r->counted);
        r->json = r->counted = NULL;
}

size_t report_cut(const char *text, size_t max)
{
        size_t n = strnlen(text, max + 1);
        if (n <= max)
                return n;
        for (n = max; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
                n--;
        return n;
}

static void set_words(json_t *d, const char *key, const json_t *value)
{
        if (!value || json_is_null(value)) {
                jx_set(d, key, json_null());
                return;
        }
        AUTO_FREE char *text = jx_words(value);
        text[report_cut(text, MAX_VALUE)] = '\0';
        jx_set_str(d, key, text);
}

/* ---- two long texts ---- */

static void lines(Buf *b, const char *from, const char *to, const char *mark)
{
        while (from < to) {
                const char *end = memchr(from, '\n', (size_t)(to - from));
                if (!end)
                        end = to;
                buf_adds(b, mark);
                buf_add(b, from, (size_t)(end - from));
                buf_addc(b, '\n');
                from = end + (end < to);
        }
}

static const char *line_start(const char *text, const char *p)
{
        while (p > text && p[-1] != '\n')
                p--;
        return p;
}

/* The lines between the first and the last that differ: enough to see what happened. */
static void set_diff(json_t *d, const char *a, const char *b)
{
        const char *p = a, *q = b, *ea = a + strlen(a), *eb = b + strlen(b);
        while (*p && *p == *q)
                p++, q++;
        p = line_start(a, p);
        q = line_start(b, q);
        while (ea > p && eb > q && ea[-1] == eb[-1])
                ea--, eb--;
        ea += strcspn(ea, "\n");
        eb += strcspn(eb, "\n");
        AUTO_BUF text = buf_init((size_t)(ea - p) * 3 + (size_t)(eb - q) * 3 + 64);
        lines(&text, p, ea, "- ");
        lines(&text, q, eb, "+ ");
        AUTO_FREE char *shown = xstrdup(buf_str(&text));
        shown[report_cut(shown, MAX_DIFF)] = '\0';
        jx_set_str(d, "diff", shown);
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
        const char *a = json_string_value(source), *b = json_string_value(target);
        if (a && b && (strchr(a, '\n') || strchr(b, '\n')))
                set_diff(d, a, b);
        return d;
}

static bool says(const json_t *one, const char *key, const char *word)
{
        const char *s = jx_str(one, key, NULL);
        return !s || str_eq(s, word);
}

/* Catalogs quote a name only where it must be; who asks for one has quotes around it. */
static bool names(const json_t *one, const char *object)
{
        const char *s = jx_str(one, "object", NULL);
        size_t n = strlen(object);
        return !s || str_eq(s, object) ||
               (s[0] == '"' && strncmp(s + 1, object, n) == 0 && str_eq(s + 1 + n, "\""));
}

/* What hangs on what waits waits with it: columns of a view. */
static bool waits(const Report *r, const char *kind, const char *name, const char *what)
{
        size_t i;
        json_t *v;
        json_array_foreach(r->waits, i, v) {
                const char *object = jx_str(v, "object", "");
                size_t n = strlen(object);
                bool itself =
                        str_eq(name, object) && says(v, "kind", kind) && says(v, "what", what);
                bool inside = n && !jx_get(v, "what") && strncmp(name, object, n) == 0 &&
                              name[n] == '.' && str_eq(what, "missing");
                if (itself || inside)
                        return true;
        }
        return false;
}

/* Why it is no difference, or NULL. */
static const char *ignored(const Report *r, const char *kind, const char *name, const char *what)
{
        size_t i, n = strlen(kind);
        json_t *v;
        json_array_foreach(r->ignore, i, v) {
                const char *s = json_string_value(v);
                if (s && (str_eq(s, kind) ||
                          (strncmp(s, kind, n) == 0 && s[n] == '.' && str_eq(s + n + 1, what))))
                        return "the runbook or --ignore says so";
                if (json_is_object(v) && says(v, "kind", kind) && names(v, name) &&
                    says(v, "what", what))
                        return "the target was prepared like this, and stays so";
        }
        return NULL;
}

void report_excuse(Report *r, const char *kind, const char *object, const char *what,
                   const json_t *source, const json_t *target, Excuse why)
{
        json_t *by_rule = jx_get(r->rules, why.rule);
        if (!by_rule) {
                by_rule = json_object();
                jx_set(r->rules, why.rule, by_rule);
                jx_set_str(by_rule, "reason", why.reason);
        }
        jx_set_int(by_rule, "n", jx_int(by_rule, "n", 0) + 1);
        r->excused++;
        if (json_array_size(r->normalised) >= REPORT_LISTED)
                return;
        json_t *d = entry(kind, object, what, source, target);
        jx_set_str(d, "rule", why.rule);
        jx_set_str(d, "reason", why.reason);
        json_array_append_new(r->normalised, d);
}

void report_recomputed(Report *r, const char *table, const json_t *columns, int64_t rows)
{
        AUTO_FREE char *name = inventory_name(table);
        AUTO_JSON n = rows < 0 ? json_null() : json_integer(rows);
        report_excuse(r, "table", table, "generated columns", columns, n,
                      (Excuse){ RULE_RECOMPUTED, rule_reason(RULE_RECOMPUTED) });
        if (json_array_size(r->recomputed) >= REPORT_LISTED)
                return;
        json_t *d = json_object();
        jx_set_str(d, "table", name);
        jx_set(d, "columns", json_deep_copy(columns));
        jx_set(d, "rows", json_incref(n));
        json_array_append_new(r->recomputed, d);
}

json_t *report_differ(Report *r, const char *kind, const char *object, const char *what,
                      const json_t *source, const json_t *target)
{
        const char *why = ignored(r, kind, object, what);
        if (!why && waits(r, kind, object, what)) {
                report_excuse(r, kind, object, what, source, target,
                              (Excuse){ "later",
                                        "made when the database has its name, and proved then" });
                return NULL;
        }
        if (why) {
                report_excuse(
                        r, kind, object, what, source, target,
                        (Excuse){ str_starts(why, "the target") ? "prepared" : "ignored", why });
                return NULL;
        }
        r->total++;
        if (json_array_size(r->differences) >= REPORT_LISTED)
                return NULL;
        json_t *d = entry(kind, object, what, source, target);
        json_array_append_new(r->differences, d);
        return d;
}

void report_limit(Report *r, const char *text)
{
        jx_append_str(r->limits, text);
}

/* Of such a table the proof says less than of others: by name, since a number helps nobody. */
static void note_counted(Report *r, const char *table)
{
        AUTO_FREE char *name = inventory_name(table);
        if (r->only_counted++ < COUNTED_NAMED)
                jx_append_str(r->counted, name);
}

static void say_counted(Report *r)
{
        AUTO_BUF b = buf_init(64 * 1024);
        size_t i;
        json_t *name;
        if (!r->only_counted)
                return;
        json_array_foreach(r->counted, i, name)
                buf_printf(&b, "%s%s", i ? ", " : "", json_string_value(name));
        if (r->only_counted > COUNTED_NAMED)
                buf_printf(&b, " and %lld more", (long long)(r->only_counted - COUNTED_NAMED));
        AUTO_FREE char *text = xasprintf("contents of tables that have no columns, whose rows were "
                                         "only counted: %s",
                                         buf_str(&b));
        report_limit(r, text);
}

void report_table(Report *r, const char *table, const json_t *record)
{
        static const char *const keys[] = { "rows", "method", "ms" };
        const char *method = jx_str(record, "method", "count");
        r->tables++;
        r->rows += jx_int(record, "rows", 0);
        jx_set_int(r->methods, method, jx_int(r->methods, method, 0) + 1);
        if (str_eq(method, "count") && !jx_get(record, "error"))
                note_counted(r, table);
        if (json_array_size(r->data) >= REPORT_LISTED)
                return;
        json_t *d = json_object();
        AUTO_FREE char *name = inventory_name(table);
        jx_set_str(d, "table", name);
        for (size_t i = 0; i < LEN(keys); i++)
                if (jx_get(record, keys[i]))
                        jx_set(d, keys[i], json_incref(jx_get(record, keys[i])));
        json_array_append_new(r->data, d);
}

json_t *report_take(Report *r, const char *mode, const char *method)
{
        json_t *j = r->json;
        say_counted(r);
        jx_set_str(j, "mode", mode);
        jx_set_str(j, "method", method);
        jx_set_int(j, "tables_compared", r->tables);
        jx_set_int(j, "rows", r->rows);
        jx_set_int(j, "sequences_compared", r->sequences);
        jx_set_int(j, "objects_compared", r->objects);
        jx_set_int(j, "differences_total", r->total);
        jx_set_int(j, "normalised_total", r->excused);
        jx_set_bool(j, "equal", r->total == 0);
        r->json = NULL;
        return j;
}
