/* compare_inventory.c: two inventories, or one made earlier and a live server. */
#include "pg/compare.h"

#include "pg/compare/compare_objects.h"
#include "pg/compare/recomputed.h"

/* The target computes them again, in a moment of its own. */
static bool judge(Report *r, Pg *target, const char *name, Err *err)
{
        AUTO_ARENA a = arena_new();
        AUTO_ERR ignored = { 0 };
        TableRef *tables = NULL;
        int n = 0;
        bool fine, ok = true;
        if (!pg_begin_reading(target, NULL, err))
                return false;
        if (!pg_do(target, "set local quote_all_identifiers = on", err) ||
            !table_list(target, a, NULL, &tables, &n, err))
                ok = false;
        for (int i = 0; ok && i < n; i++)
                if (str_eq(tables[i].key, name))
                        ok = recomputed_judge(&(Recomputed){ .target = target, .t = &tables[i] }, r,
                                              &fine, err);
        return pg_do(target, "rollback", ok ? err : &ignored) && ok;
}

static bool compare_table(Report *r, Pg *target, const char *name, const json_t *s, const json_t *t,
                          Err *err)
{
        json_t *entry = compare_table_records(r, name, s, t);
        if (entry || !recomputed_differs(s, t))
                return true;
        if (target)
                return judge(r, target, name, err);
        report_differ(r, "table", name, "generated columns", jx_get(s, "computed"),
                      jx_get(t, "computed"));
        return true;
}

/* `live`: the target's server, or NULL. */
static bool compare_data(Report *r, Pg *live, const json_t *source, const json_t *target, Err *err)
{
        const char *name;
        json_t *s, *t;
        json_object_foreach((json_t *)source, name, s) {
                t = jx_get(target, name);
                if (!t) /* a missing table is told among the objects, but for an extension's */
                        compare_lone_table(r, name, s, NULL);
                else if (!compare_table(r, live, name, s, t, err))
                        return false;
        }
        json_object_foreach((json_t *)target, name, t)
                if (!jx_get(source, name))
                        compare_lone_table(r, name, NULL, t);
        return true;
}

static void compare_objects(ObjectsCompare *c, const json_t *s, const json_t *t)
{
        const char *kind;
        json_t *one;
        json_object_foreach((json_t *)s, kind, one)
                objects_compare_kind(c, kind, one, jx_get(t, kind));
        json_object_foreach((json_t *)t, kind, one)
                if (!jx_get(s, kind))
                        objects_compare_kind(c, kind, NULL, one);
}

static void say_unread(Report *r, const json_t *source)
{
        const char *name;
        json_t *o;
        int64_t views = 0, foreign = 0;
        json_object_foreach(jx_get(jx_get(source, "objects"), "table"), name, o) {
                views += str_eq(jx_str(o, "kind", ""), "m");
                foreign += str_eq(jx_str(o, "kind", ""), "f");
        }
        objects_report_unread(r, views, foreign);
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
                return err_hint(err, "make one of the inventories again with the other's method");
        }
        if (inventory_seed(source) != inventory_seed(target)) {
                err_set(err, ERR_USER, "the two sides were hashed with two seeds");
                return err_hint(err,
                                "every inventory draws its own: compare one with a live server");
        }
        return true;
}

static bool compare(const json_t *source, const json_t *target, Pg *live, const CompareOptions *o,
                    json_t **ret, Err *err)
{
        if (!comparable(source, target, err))
                return false;
        AUTO_REPORT r = report_new(o->ignore);
        r.waits = jx_get(target, "waits");
        ObjectsCompare c = { .report = &r,
                             .map_roles = o->map_roles,
                             .reprinter = o->reprinter,
                             .source_major = (int)jx_int(jx_get(source, "facts"), "major", 0),
                             .target_major = (int)jx_int(jx_get(target, "facts"), "major", 0) };
        if (!compare_data(&r, live, jx_get(source, "data"), jx_get(target, "data"), err))
                return false;
        compare_objects(&c, jx_get(source, "objects"), jx_get(target, "objects"));
        if (!objects_compare_reprinted(&c, err))
                return false;
        objects_compare_large(&c, jx_get(source, "large_objects"), jx_get(target, "large_objects"));
        say_unread(&r, source);
        compare_sides(&r, source, target);
        const char *method = jx_str(source, "method", NULL);
        *ret = report_take(&r, str_eq(method, "stream") ? "deep" : "quick", method);
        return true;
}

bool inventory_compare(const json_t *source, const json_t *target, const CompareOptions *o,
                       json_t **ret, Err *err)
{
        return compare(source, target, NULL, o, ret, err);
}

bool pg_compare_with(const json_t *source_inventory, Pg *target, const CompareOptions *o,
                     json_t **ret, Err *err)
{
        const char *method = jx_str(source_inventory, "method", NULL);
        InventoryOptions io = { .objects = true,
                                .migrations = true,
                                .data = { .method = method,
                                          .exact = true,
                                          .seed = inventory_seed(source_inventory),
                                          .jobs = o->jobs,
                                          .recorded = jx_get(source_inventory, "data"),
                                          .cancel = o->cancel,
                                          .progress = o->progress,
                                          .progress_arg = o->progress_arg } };
        json_t *inventory = NULL;
        if (!pg_inventory(target, &io, &inventory, err))
                return false;
        bool ok = compare(source_inventory, inventory, target, o, ret, err);
        json_decref(inventory);
        return ok;
}
