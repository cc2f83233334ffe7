/* type_inside.h: SQL for what a type is directly made of: one step down, for a recursive query that
 * goes to the ground.
 *
 *      with recursive inside(root, typ) as (select root, root from used union
 *              select i.root, x.typ from inside i join pg_type t on t.oid = i.typ
 *              cross join TYPE_INSIDE x) ..
 *
 * x.typ: what a domain is over, an array's elements, a range's subtype, a multirange's range, a
 * composite's columns. x.held: whoever sends it in binary says this type's OID too. */
#pragma once

/* Of the row `t` of pg_type. Before 14 there are no multiranges, hence the JSON. */
#define TYPE_INSIDE                                                                                \
        "lateral (select t.typbasetype as typ, false as held where t.typtype = 'd' union all "     \
        "select t.typelem, true where t.typtype = 'b' and t.typelem <> 0 and t.typlen = -1 and "   \
        "t.typcategory = 'A' union all select r.rngsubtype, false from pg_range r where "          \
        "r.rngtypid = t.oid union all select r.rngtypid, false from pg_range r where t.typtype "   \
        "= 'm' and (to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid union all select a.atttypid, "   \
        "true from pg_attribute a where t.typtype = 'c' and a.attrelid = t.typrelid and "          \
        "a.attnum > 0 and not a.attisdropped)"
