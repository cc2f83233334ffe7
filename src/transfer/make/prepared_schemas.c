/* prepared_schemas.c: schemas that were there keep their owner and grants. */
#include "transfer/make/prepared.h"
#include "transfer/make/prepared_kept.h"

#include "pg/facts.h"

/* What is in it besides objects of users, of which there are none. */
bool prepared_inside(Pg *in, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('extensions', (select coalesce(json_agg(e.extname "
                    "order by e.extname), '[]') from pg_extension e), 'schemas', (select "
                    "coalesce(json_agg(json_build_object('name', n.nspname, 'owner', "
                    "pg_get_userbyid(n.nspowner), 'acl', (select "
                    "coalesce(json_agg(json_build_object('grantee', case x.grantee when 0 then "
                    "null else pg_get_userbyid(x.grantee) end, 'privilege', x.privilege_type, "
                    "'grantable', x.is_grantable) order by x.grantee::regrole::text, "
                    "x.privilege_type), '[]') from aclexplode(coalesce(n.nspacl, acldefault('n', "
                    "n.nspowner))) x)) order by n.nspname), '[]') from pg_namespace n where "
                    "n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not exists "
                    "(select from pg_depend d where d.classid = 'pg_namespace'::regclass and "
                    "d.objid = n.oid and d.deptype = 'e')), 'defaults', (select "
                    "coalesce(json_agg(pg_describe_object('pg_default_acl'::regclass, a.oid, 0) || "
                    "' ' || a.defaclacl::text order by a.oid), '[]') from pg_default_acl a))");
        return pg_json_value(in, &q, ret, err);
}

static void schema_owner(const char *name, const char *owner, Sql *q)
{
        sql_add(q, "ALTER SCHEMA ");
        sql_ident(q, name);
        sql_add(q, " OWNER TO ");
        sql_ident(q, owner);
}

static void schema_grants(const char *name, const json_t *now, const json_t *before, Sql *q)
{
        size_t i;
        json_t *g;
        json_array_foreach(now, i, g) {
                sql_add(q, "REVOKE ALL ON SCHEMA ");
                sql_ident(q, name);
                sql_add(q, " FROM ");
                kept_grantee(q, g);
                sql_add(q, "; ");
        }
        json_array_foreach(before, i, g) {
                if (str_eq(jx_str(g, "privilege", ""), "CREATE"))
                        sql_add(q, "GRANT CREATE ON SCHEMA ");
                else
                        sql_add(q, "GRANT USAGE ON SCHEMA ");
                sql_ident(q, name);
                sql_add(q, " TO ");
                kept_grantee(q, g);
                if (jx_bool(g, "grantable", false))
                        sql_add(q, " WITH GRANT OPTION; ");
                else
                        sql_add(q, "; ");
        }
}

static const json_t *schema_of(const json_t *inside, const char *name)
{
        size_t i;
        json_t *s;
        json_array_foreach(jx_get(inside, "schemas"), i, s)
                if (str_eq(jx_str(s, "name", ""), name))
                        return s;
        return NULL;
}

/* Its owner, always; its grants, where they were not what every new database's schema has. */
static bool one_schema(Pg *in, const json_t *now, const json_t *before, const json_t *usual,
                       json_t *kept, Err *err)
{
        const char *name = jx_str(before, "name", "");
        AUTO_FREE char *object = kept_ident(name);
        AUTO_FREE char *owned = xasprintf("owner of schema %s", name);
        AUTO_FREE char *granted = xasprintf("grants on schema %s", name);
        if (!prepared_same(now, before, "owner")) {
                AUTO_SQL q = { 0 };
                schema_owner(name, jx_str(before, "owner", ""), &q);
                if (!pg_exec(in, &q, err))
                        return false;
                json_t *entry = kept_add(kept, owned, jx_str(before, "owner", ""),
                                         jx_str(now, "owner", ""));
                kept_unproved(entry, "schema", object, "owner");
                kept_unproved(entry, "schema", object, "acl"); /* names its owner */
        }
        if (prepared_same(now, before, "acl") ||
            (usual && prepared_same(before, usual, "acl") && prepared_same(before, usual, "owner")))
                return true;
        AUTO_SQL q = { 0 };
        AUTO_FREE char *a = kept_grant_words(jx_get(before, "acl"));
        AUTO_FREE char *b = kept_grant_words(jx_get(now, "acl"));
        schema_grants(name, jx_get(now, "acl"), jx_get(before, "acl"), &q);
        kept_unproved(kept_add(kept, granted, a, b), "schema", object, "acl");
        return pg_exec(in, &q, err);
}

bool prepared_schemas(Pg *in, const json_t *prepared, json_t *kept, Err *err)
{
        AUTO_JSON now = NULL;
        size_t i;
        json_t *before;
        if (!prepared_inside(in, &now, err))
                return err_wrap(err, "looking at the schemas");
        json_array_foreach(jx_get(jx_get(prepared, "inside"), "schemas"), i, before) {
                const char *name = jx_str(before, "name", "");
                const json_t *here = schema_of(now, name);
                if (here && !one_schema(in, here, before,
                                        schema_of(jx_get(prepared, "usual"), name), kept, err))
                        return err_wrap(err, "schema %s as it was prepared", name);
        }
        return true;
}
