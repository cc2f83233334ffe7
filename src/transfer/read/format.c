#include "transfer/read/format.h"

#include "pg/type_inside.h"
#include "transfer/choose/content.h"

/* Types of pg_catalog whose binary form has been the same since 12. Money is the number of its
 * smallest units, whatever lc_monetary is (the sessions' is C, so that text agrees). */
#define CORE_TYPES                                                                                 \
        "'{bool,bytea,char,name,int2,int4,int8,int2vector,oid,oidvector,tid,xid,xid8,cid,"         \
        "float4,float8,numeric,money,text,varchar,bpchar,bit,varbit,json,jsonb,jsonpath,uuid,"     \
        "date,time,timetz,timestamp,timestamptz,interval,"                                         \
        "point,lseg,line,box,path,polygon,circle,inet,cidr,macaddr,macaddr8,"                      \
        "tsvector,tsquery,pg_lsn,pg_snapshot,txid_snapshot}'::name[]"

/* OIDs below this one are the same on every server (access/transam.h, FirstGenbkiObjectId). */
#define IS_CORE "t.oid < 10000 and t.typnamespace = 'pg_catalog'::regnamespace"

bool format_fits(const FormatSides *s, int traits)
{
        if (traits & TYPES_OTHER || !s->same_types || !s->utf8)
                return false;
        if (traits & TYPES_OIDS && (s->bundle || s->to < 14))
                return false;
        return !(traits & TYPES_INTERVAL) || s->from < 17 || (!s->bundle && s->to >= 17);
}

/* Each type that is inside of another, down to what is made of nothing. `oids`: it was reached
 * through something that sends the OIDs of what it holds, and is not the server's own. */
static void traits_sql(Sql *q)
{
        sql_add(q,
                "with recursive used(root) as (select distinct a.atttypid from pg_attribute a join "
                "pg_class c on c.oid = a.attrelid where c.relkind = 'r' and a.attnum > 0 and not "
                "a.attisdropped and a.attgenerated = ''), inside(root, typ, oids) as (select root, "
                "root, false from used union select i.root, x.typ, i.oids or (x.held and x.typ >= "
                "10000) from inside i join pg_type t on t.oid = i.typ cross join " TYPE_INSIDE
                " x), traits(root, bits) as (select i.root, bit_or(case when exists "
                "(select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = "
                "t.oid and d.deptype "
                "= 'e') then 1 " /* of an extension, which may make it otherwise there */
                "when t.typtype in ('d', 'e', 'r', 'm', 'c') then 0 "
                "when t.typtype = 'b' and t.typelem <> 0 and t.typlen = -1 and t.typcategory = 'A' "
                "then 0 when " IS_CORE " and t.typname = any(" CORE_TYPES ") then "
                "case when t.typname = 'interval' then 4 else 0 end else 1 end | "
                "case when i.oids then 2 else 0 end) from inside i join pg_type t on t.oid = i.typ "
                "group by 1) "
                "select a.attrelid, bit_or(coalesce(x.bits, 1)) from pg_attribute a "
                "join pg_class c on c.oid = a.attrelid left join traits x on x.root = a.atttypid "
                "where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and "
                "a.attgenerated = '' and c.relnamespace <> 'pg_catalog'::regnamespace "
                "group by 1 order by 1");
}

static bool core_functions(Pg *pg, char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select string_agg(concat_ws(' ', t.typname, t.oid, t.typsend, t.typreceive), "
                    "',' order by t.typname collate \"C\") from pg_type t where " IS_CORE
                    " and t.typname = any(" CORE_TYPES ")");
        return pg_query_value(pg, &q, ret, err) || err_wrap(err, "listing the core types");
}

/* The entry of `name` in what core_functions() gave, to its comma; NULL: not there. */
static const char *entry_of(const char *list, const char *name, size_t n)
{
        for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
                if (strncmp(p, name, n) == 0 && p[n] == ' ')
                        return p;
        return NULL;
}

bool format_same_types(const char *sent, const char *received)
{
        for (const char *p = sent; *p; p += strcspn(p, ","), p += *p == ',') {
                size_t n = strcspn(p, ",");
                const char *there = entry_of(received, p, strcspn(p, " "));
                if (there && (strcspn(there, ",") != n || strncmp(there, p, n) != 0))
                        return false;
        }
        return true;
}

static bool is_utf8(Pg *pg, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *encoding = NULL;
        sql_add(&q, "select pg_encoding_to_char(encoding) from pg_database "
                    "where datname = current_database()");
        if (!pg_query_value(pg, &q, &encoding, err))
                return false;
        *ret = str_eq(encoding, "UTF8");
        return true;
}

static bool format_look(Pg *from, Pg *to, bool bundle, FormatSides *s, Err *err)
{
        AUTO_FREE char *sent = NULL;
        AUTO_FREE char *received = NULL;
        bool here, there = true;
        if (!core_functions(from, &sent, err) || !is_utf8(from, &here, err) ||
            (to && (!core_functions(to, &received, err) || !is_utf8(to, &there, err))))
                return false;
        *s = (FormatSides){ .from = pg_major(from),
                            .to = to ? pg_major(to) : 0,
                            .bundle = bundle,
                            .same_types = !to || format_same_types(sent, received),
                            .utf8 = here && there };
        return true;
}

static int traits_of(const PgRes *r, int64_t oid)
{
        int low = 0, high = pg_rows(r);
        while (low < high) {
                int middle = (low + high) / 2;
                int64_t at = pg_cell_int(r, middle, 0);
                if (at == oid)
                        return (int)pg_cell_int(r, middle, 1);
                if (at < oid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return TYPES_OTHER; /* no columns: nothing to gain */
}

bool format_choose(Pg *from, Pg *to, bool bundle, bool portable, Content *c, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        FormatSides sides;
        if (portable)
                return true; /* .binary is false until somebody says otherwise */
        traits_sql(&q);
        if (!format_look(from, to, bundle, &sides, err))
                return false;
        if (!pg_query(from, &q, &r, err))
                return err_wrap(err, "looking at the tables' types");
        for (size_t i = 0; i < c->n_tables; i++) {
                Table *t = &c->tables[i];
                t->binary = (t->ours_alone || t->root_name) && !t->later &&
                            format_fits(&sides, traits_of(r, t->oid));
        }
        return true;
}

bool format_sessions(const Table *t, const Pg *from, const Pg *to, Err *err)
{
        if (!t->binary || ((!from || str_eq(pg_encoding(from), "UTF8")) &&
                           (!to || str_eq(pg_encoding(to), "UTF8"))))
                return true;
        return err_set(err, ERR_SYSTEM,
                       "binary rows would be converted on their way: the sessions "
                       "speak %s and %s",
                       from ? pg_encoding(from) : "-", to ? pg_encoding(to) : "-");
}
