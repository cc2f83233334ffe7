#include "pg/catalog.h"

bool pg_catalog_read_kind(Pg *pg, const char *kind, json_t *to, Err *err)
{
        AUTO_CATALOG c = NULL;
        const char *name, *text;
        if (!pg_catalog_open(pg, kind, &c, err))
                return false;
        for (;;) {
                if (!pg_catalog_next(c, &name, &text, err))
                        return err_wrap(err, "reading the catalog (%s)", kind);
                if (!name)
                        return true;
                json_t *aspects = pg_catalog_aspects(text, err);
                if (!aspects)
                        return false;
                jx_set(to, name, aspects);
        }
}

json_t *pg_catalog_aspects(const char *text, Err *err)
{
        json_error_t why;
        json_t *aspects = json_loads(text, JSON_ALLOW_NUL, &why);
        if (!aspects)
                err_set(err, ERR_SERVER, "the catalog's JSON cannot be read: %s", why.text);
        return aspects;
}

bool pg_catalog_read(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON objects = json_object();
        AUTO_JSON kinds = pg_catalog_kinds();
        const char *kind;
        json_t *flag;
        if (!pg_do(pg, "set local quote_all_identifiers = on", err))
                return false;
        json_object_foreach(kinds, kind, flag) {
                json_t *all = json_object();
                jx_set(objects, kind, all);
                if (!pg_catalog_read_kind(pg, kind, all, err))
                        return false;
        }
        *ret = objects;
        objects = NULL;
        return true;
}
