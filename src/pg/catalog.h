/* catalog.h: every object of a database, as text that two majors spell alike.
 *
 *      {"table":  {"\"app\".\"users\"": {"owner": "app", "acl": ["app=SELECT", ..], ..}, ..},
 *       "column": {"\"app\".\"users\".\"id\"": {"type": "integer", "notnull": true, ..}, ..},
 *       "index": .., "constraint": .., "function": .., "view" is a table of kind v, ..}
 *
 * Every identifier is quoted (quote_all_identifiers), because which words need quotes changes
 * with the major. An ACL is a sorted list of single grants with the defaults written out, so
 * NULL and "the same as the default" are one thing. Lists are sorted by "C". What belongs to
 * an extension, to pg_catalog or to a session is left out; the extension itself is there. */
#pragma once

#include "pg/conn.h"
#include "pg/extension.h"
#include "sql/sqlfile.h"

/* Call inside the transaction that is to be its snapshot. Sequences carry their last_value. */
bool pg_catalog_read(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
/* One kind into the object `to`; needs quote_all_identifiers. */
bool pg_catalog_read_kind(Pg *pg, const char *kind, json_t *to, Err *err) MUST_CHECK;

/* The same, one object at a time, sorted by the bytes of their names. One cursor a connection;
 * `kind` is one of pg_catalog_kinds(). Needs quote_all_identifiers. */
typedef struct CatalogCursor CatalogCursor;
bool pg_catalog_open(Pg *pg, const char *kind, CatalogCursor **ret, Err *err) MUST_CHECK;
/* The aspects as JSON text; both live until the next call. *ret_name NULL: that was all. */
bool pg_catalog_next(CatalogCursor *c, const char **ret_name, const char **ret_aspects,
                     Err *err) MUST_CHECK;
CatalogCursor *pg_catalog_close(CatalogCursor *c);
json_t *pg_catalog_aspects(const char *text, Err *err) MUST_CHECK; /* NULL: not JSON */
/* {kind: true, ..} of all majors, in the order they are told; new reference. */
json_t *pg_catalog_kinds(void);
static inline void pg_catalog_closep(CatalogCursor **c)
{
        *c = pg_catalog_close(*c);
}
#define AUTO_CATALOG CLEANUP(pg_catalog_closep) CatalogCursor *

/* The queries: src/pg/catalog/KIND.sql, in the order they are told. Their rows are (object, aspects
 * as JSON). Identifiers in them need quote_all_identifiers. */
extern const SqlFile pg_catalog_files[]; /* ends with {0} */

/* Pieces the queries share. */
#define CAT_USER_SCHEMA(n) n ".nspname !~ '^(pg_|information_schema$|" PG_LATER "$)'"
#define CAT_NOT_EXT(class, oid)                                                                    \
        "not exists (select from pg_depend e where e.classid = '" class "'::regclass and "         \
                                                                        "e.objid = " oid           \
                                                                        " and e.deptype = 'e')"
/* "app=SELECT*", and "app=SELECT/other" where another than the owner granted it. */
#define CAT_ACL(acl, type, owner)                                                                  \
        "(select coalesce(jsonb_agg(g.t order by g.t collate \"C\"), '[]') from (select case "     \
        "x.grantee when 0 then 'PUBLIC' else pg_get_userbyid(x.grantee)::text end || '=' || "      \
        "x.privilege_type || case when x.is_grantable then '*' else '' end || case when "          \
        "x.grantor <> " owner " then '/' || pg_get_userbyid(x.grantor) else '' end as t from "     \
        "aclexplode(coalesce(" acl ", acldefault(" type ", " owner "))) x group by 1) g)"
#define CAT_REL(n, c) "quote_ident(" n ".nspname) || '.' || quote_ident(" c ".relname)"
