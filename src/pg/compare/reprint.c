#include "pg/reprint.h"

#include "pg/catalog.h"

#define ROUNDS 4 /* of each side; what PostgreSQL prints settles after one or two */

bool reprint_knows(const char *kind, const char *aspect)
{
        static const struct {
                const char *kind, *aspect;
        } texts[] = {
                { "table", "definition" },
                { "table", "refers_to" },
                { "table", "partition_key" },
                { "table", "bound" },
                { "constraint", "definition" },
                { "index", "definition" },
                { "rule", "definition" },
                { "trigger", "definition" },
                { "policy", "using" },
                { "policy", "check" },
                { "column", "default" },
                { "statistics", "definition" },
                { "domain constraint", "definition" },
                { "type", "default" },
                { "publication", "filters" },
                { "function", "arguments" },
                { "function", "result" },
                { "function", "body" },
                { "collation", "locale" },
        };
        for (size_t i = 0; i < LEN(texts); i++)
                if (str_eq(kind, texts[i].kind) && str_eq(aspect, texts[i].aspect))
                        return true;
        return false;
}

/* ---- what one side prints ---- */

static json_t *printed(json_t *entry, int side)
{
        return json_array_get(jx_get(entry, "printed"), (size_t)side);
}

/* {object: [entry, ..]} of one kind; entries are shared. */
static json_t *of_kind(const json_t *pending, const char *kind)
{
        json_t *wanted = json_object(), *entry;
        size_t i;
        json_array_foreach(pending, i, entry) {
                const char *object = jx_str(entry, "object", "");
                if (!str_eq(jx_str(entry, "kind", ""), kind))
                        continue;
                if (!jx_get(wanted, object))
                        jx_set(wanted, object, json_array());
                json_array_append(jx_get(wanted, object), entry);
        }
        return wanted;
}

static bool note(json_t *entries, const char *text, int side, Err *err)
{
        AUTO_JSON aspects = pg_catalog_aspects(text, err);
        json_t *entry;
        size_t i;
        json_array_foreach(entries, i, entry) {
                json_t *value = jx_get(aspects, jx_str(entry, "aspect", ""));
                if (value && !json_is_null(value))
                        json_array_append(printed(entry, side), value);
        }
        return aspects != NULL;
}

static bool read_kind(Pg *pg, const char *kind, const json_t *wanted, int side, Err *err)
{
        AUTO_CATALOG c = NULL;
        const char *name, *text;
        if (!pg_catalog_open(pg, kind, &c, err))
                return false;
        for (;;) {
                if (!pg_catalog_next(c, &name, &text, err))
                        return false;
                if (!name)
                        return true;
                json_t *entries = jx_get(wanted, name);
                if (entries && !note(entries, text, side, err))
                        return false;
        }
}

static bool read_side(Pg *pg, const json_t *pending, int side, Err *err)
{
        AUTO_JSON kinds = pg_catalog_kinds();
        const char *kind;
        json_t *flag;
        if (!pg_begin_reading(pg, NULL, err) ||
            !pg_do(pg, "set local quote_all_identifiers = on", err))
                return false;
        json_object_foreach(kinds, kind, flag) {
                AUTO_JSON wanted = of_kind(pending, kind);
                if (json_object_size(wanted) && !read_kind(pg, kind, wanted, side, err))
                        return false;
        }
        return pg_do(pg, "rollback", err);
}

/* ---- are they the same by now? ---- */

static bool meet(const json_t *a, const json_t *b)
{
        size_t i, k;
        json_t *x, *y;
        json_array_foreach(a, i, x)
                json_array_foreach(b, k, y)
                        if (json_equal(x, y))
                                return true;
        return false;
}

/* How many are still two. */
static size_t settled(json_t *pending)
{
        size_t i, left = 0;
        json_t *entry;
        json_array_foreach(pending, i, entry) {
                bool same = meet(printed(entry, REPRINT_SOURCE), printed(entry, REPRINT_TARGET));
                jx_set_bool(entry, "same", same);
                left += !same;
        }
        return left;
}

/* Nothing new was printed at the last loading, so the next would print nothing new. */
static bool at_rest(const json_t *pending)
{
        size_t i;
        json_t *entry;
        json_array_foreach(pending, i, entry)
                for (int side = 0; side < 2 && !jx_bool(entry, "same", false); side++) {
                        const json_t *list = printed(entry, side);
                        size_t n = json_array_size(list);
                        if (n > 1 &&
                            !json_equal(json_array_get(list, n - 1), json_array_get(list, n - 2)))
                                return false;
                }
        return true;
}

static json_t *kinds_of(const json_t *pending)
{
        json_t *kinds = json_object(), *entry;
        size_t i;
        json_array_foreach(pending, i, entry)
                jx_set_bool(kinds, jx_str(entry, "kind", ""), true);
        return kinds;
}

static void begin(json_t *pending)
{
        size_t i;
        json_t *entry;
        json_array_foreach(pending, i, entry)
                jx_set(entry, "printed", json_pack("[[], [O]]", jx_get(entry, "target")));
}

bool reprint_settle(const Reprinter *r, json_t *pending, const char *const snapshots[2], Err *err)
{
        AUTO_JSON kinds = kinds_of(pending);
        begin(pending);
        for (int round = 0; round < ROUNDS; round++) {
                for (int side = REPRINT_SOURCE; side <= REPRINT_TARGET; side++) {
                        Pg *pg = NULL;
                        if (!r->open(r->arg, side, round ? NULL : snapshots[side], kinds, &pg,
                                     err) ||
                            !read_side(pg, pending, side, err))
                                return false;
                        if (settled(pending) == 0)
                                return true;
                }
                if (round && at_rest(pending))
                        return true;
        }
        return true;
}
