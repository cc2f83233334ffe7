/* compare_catalog.c: the objects of two databases, when there are no rows yet. */
#include "pg/compare.h"

#include "pg/compare/compare_objects.h"
#include "pg/extension.h"

static bool begin(Pg *pg, Err *err)
{
        return pg_begin_reading(pg, NULL, err) &&
               pg_do(pg, "set local quote_all_identifiers = on", err);
}

bool pg_compare_catalog(Pg *source, Pg *target, const CompareOptions *o, json_t **ret, Err *err)
{
        AUTO_ERR later = { 0 };
        AUTO_REPORT r = report_new(o->ignore);
        TableScope all = { 0 };
        ObjectsCompare c = { .report = &r,
                             .scope = &all,
                             .rowless = true,
                             .map_roles = o->map_roles,
                             .reprinter = o->reprinter,
                             .source_major = pg_major(source),
                             .target_major = pg_major(target) };
        if (!pg_later_waits(target, false, &r.waits, err))
                return false;
        AUTO_JSON waits = r.waits;
        bool ok = begin(source, err) && begin(target, err) &&
                  objects_compare_live(&c, source, target, err);
        json_decref(c.pending);
        ok = pg_do(source, "rollback", ok ? err : &later) && ok;
        ok = pg_do(target, "rollback", ok ? err : &later) && ok;
        if (!ok)
                return false;
        *ret = report_take(&r, "catalog", "none");
        return true;
}
