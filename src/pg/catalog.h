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

/* One query of the catalog: its rows are (object, aspects as JSON). `since`: skipped before. */
typedef struct CatalogQuery {
        const char *kind;
        int since, before; /* majors; 0: any */
        const char *sql;
} CatalogQuery;

extern const CatalogQuery pg_catalog_relations[]; /* catalog_relations.c, ends with {0} */
extern const CatalogQuery pg_catalog_others[];    /* catalog_others.c, ends with {0} */
extern const CatalogQuery pg_catalog_rare[];      /* catalog_rare.c, ends with {0} */

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
#define CAT_SORTED(array)                                                                          \
        "(select jsonb_agg(o.v order by o.v collate \"C\") from unnest(" array ") o(v))"
/* A column that only some majors have, as an aspect more; `usual` is told as null. */
#define CAT_KNOWN(row, column, aspect, usual)                                                      \
        " || coalesce((select jsonb_build_object('" aspect "', nullif(to_jsonb(" row               \
        ") ->> '" column "', '" usual "')) where to_jsonb(" row ") ? '" column "'), '{}')"
/* Options of foreign things: what may be a password is told as a number, and in "secrets", which no
 * report shows. `salt`: the same password elsewhere is another number. */
#define CAT_SECRET "'^[^=]*(pass|secret|token|key|cred)'"
#define CAT_OPTIONS(array)                                                                         \
        "'options', (select jsonb_agg(opt.v order by opt.v collate \"C\") from unnest(" array      \
        ") opt(v) where opt.v !~* " CAT_SECRET "), 'secrets', "
#define CAT_SECRETS(array, salt, condition)                                                        \
        "(select jsonb_agg(split_part(opt.v, '=', 1) || ' ' || hashtextextended(opt.v || ' ' "     \
        "|| " salt " collate \"C\", 0) order by opt.v collate \"C\") from unnest(" array           \
        ") opt(v) where " condition ")"
#define CAT_FOREIGN(array, salt) CAT_OPTIONS(array) CAT_SECRETS(array, salt, "opt.v ~* " CAT_SECRET)
/* json is a keyword of the grammar since 16 and then printed without quotes, and without its
 * schema: both are left out on all majors. Another schema's type stays "other"."json", and no
 * literal may be in `text`. */
#define CAT_JSON(text)                                                                             \
        "regexp_replace(" text ", '(?<![.\"])(\"pg_catalog\"[.])?\"json\"(?![.\"])', 'json', 'g')"
#define CAT_IDENTITY(class, oid) "(pg_identify_object('" class "'::regclass, " oid ", 0)).identity"
#define CAT_NAME(class, oid)     CAT_JSON(CAT_IDENTITY(class, oid))
#define CAT_TYPE(oid, mod)       CAT_JSON("format_type(" oid ", " mod ")")
#define CAT_PROC(column)         CAT_JSON(column "::regprocedure::text")
#define CAT_OPER(column)         CAT_JSON(column "::regoperator::text")
#define CAT_COLLATION(oid)                                                                         \
        "(select quote_ident(con.nspname) || '.' || quote_ident(co.collname) from pg_collation "   \
        "co join "                                                                                 \
        "pg_namespace con on con.oid = co.collnamespace where co.oid = " oid ")"
/* An operator class by what it is: whichever is the default, a text does not say it. */
#define CAT_OPCLASS(o)                                                                             \
        "(select quote_ident(ocn.nspname) || '.' || quote_ident(" o                                \
        ".opcname) || ' for ' || " CAT_TYPE(                                                       \
                o ".opcintype", "null") " || ' in ' || quote_ident(ofn.nspname) || '.' || "        \
                                        "quote_ident(opf.opfname) from pg_namespace ocn, "         \
                                        "pg_opfamily opf join pg_namespace ofn on "                \
                                        "ofn.oid = opf.opfnamespace where ocn.oid = " o            \
                                        ".opcnamespace and opf.oid = " o ".opcfamily)"
#define CAT_OPCLASSES(vector)                                                                      \
        "(select jsonb_agg(" CAT_OPCLASS(                                                          \
                "oc") " order by ou.n) from unnest(" vector ") with "                              \
                      "ordinality ou(oid, n) join pg_opclass oc on oc.oid = ou.oid)"
/* An object of which a major's catalog may not have the column: its number is read from the row. */
#define CAT_OID_KNOWN(row, column, aspect, cast)                                                   \
        " || coalesce((select jsonb_build_object('" aspect "', nullif((to_jsonb(" row              \
        ") ->> '" column "')::oid::" cast "::text, '-')) where to_jsonb(" row ") ? '" column       \
        "'), '{}')"
#define CAT_REL(n, c) "quote_ident(" n ".nspname) || '.' || quote_ident(" c ".relname)"
