#include "pg/tablelist.h"

#include "base/rowhash.h"
#include "pg/catalog.h"
#include "pg/type_inside.h"

/* ---- what is wanted ---- */

bool table_scope_narrow(const TableScope *s)
{
        return s && (json_array_size(s->schemas) || json_array_size(s->tables));
}

static bool listed(const json_t *list, const char *text)
{
        size_t i;
        json_t *v;
        json_array_foreach(list, i, v)
                if (str_eq(json_string_value(v), text))
                        return true;
        return false;
}

bool table_scope_has(const TableScope *s, const char *schema, const char *name)
{
        if (!table_scope_narrow(s) || listed(s->schemas, schema))
                return true;
        AUTO_FREE char *whole = xasprintf("%s.%s", schema, name);
        return listed(s->tables, whole);
}

/* ---- what there is ---- */

/* What an extension says is its user's and not its own (pg_extension.extconfig) travels with a
 * copy, as far as its condition says. */
static bool list_tables(Pg *pg, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q,
                "with recursive hashed(oid) as (select oid from pg_class c join "
                "pg_partitioned_table p on p.partrelid = c.oid where p.partstrat = 'h' union "
                "select i.inhrelid from pg_inherits i join hashed h on h.oid = i.inhparent) "
                "select c.oid, n.nspname, c.relname, c.relkind = 'r', "
                "case when c.relkind = 'r' then pg_table_size(c.oid) else coalesce((select "
                "sum(pg_table_size(t.relid)) from pg_partition_tree(c.oid) t where t.isleaf), 0) "
                "end, greatest(c.reltuples, 0)::bigint, " CAT_REL(
                        "n",
                        "c") ", case when "
                             "c.relkind = 'r' then pg_relation_size(c.oid) / "
                             "current_setting('block_size')"
                             "::int else 0 end, false, null::text from pg_class c join "
                             "pg_namespace n on n.oid = c.relnamespace "
                             "where " CAT_USER_SCHEMA(
                                     "n") " and c.relpersistence <> 't' "
                                          "and " CAT_NOT_EXT(
                                                  "pg_class",
                                                  "c.oid") " and (c.relkind = 'r' "
                                                           "and c.oid not in "
                                                           "(select "
                                                           "oid from hashed) or "
                                                           "c.relkind = 'p' and "
                                                           "c.oid in (select oid "
                                                           "from hashed) and "
                                                           "not exists (select "
                                                           "from pg_inherits i "
                                                           "where i.inhrelid = "
                                                           "c.oid and i.inhparent "
                                                           "in (select oid from "
                                                           "hashed))) union all "
                                                           "select c.oid, "
                                                           "n.nspname, c.relname, "
                                                           "true, "
                                                           "pg_table_size(c.oid), "
                                                           "greatest("
                                                           "c.reltuples, "
                                                           "0)::bigint, " CAT_REL(
                                                                   "n",
                                                                   "c") ", 0, "
                                                                        "true, "
                                                                        "nullif(u."
                                                                        "condition"
                                                                        ", '') "
                                                                        "from "
                                                                        "pg_"
                                                                        "extension"
                                                                        " e, "
                                                                        "unnest(e."
                                                                        "extconfig"
                                                                        ", "
                                                                        "e."
                                                                        "extcondit"
                                                                        "ion) "
                                                                        "u(oid, "
                                                                        "condition"
                                                                        ") join "
                                                                        "pg_class "
                                                                        "c on "
                                                                        "c.oid = "
                                                                        "u.oid "
                                                                        "join "
                                                                        "pg_"
                                                                        "namespace"
                                                                        " n on "
                                                                        "n.oid = "
                                                                        "c."
                                                                        "relnamesp"
                                                                        "ace "
                                                                        "where "
                                                                        "c."
                                                                        "relkind "
                                                                        "= 'r' "
                                                                        "union "
                                                                        "all "
                                                                        /* rows of
                                                                           such a
                                                                           table
                                                                           that
                                                                           wait for
                                                                           the
                                                                           database's
                                                                           name */
                                                                        "select "
                                                                        "c.oid, "
                                                                        "n."
                                                                        "nspname, "
                                                                        "c."
                                                                        "relname, "
                                                                        "true, "
                                                                        "pg_table_"
                                                                        "size(c."
                                                                        "oid), "
                                                                        "greatest("
                                                                        "c."
                                                                        "reltuples"
                                                                        ", "
                                                                        "0)::"
                                                                        "bigint,"
                                                                        " " PG_LATER_NAME(
                                                                                "c") ", 0, true, "
                                                                                     "null from "
                                                                                     "pg_class c "
                                                                                     "join "
                                                                                     "pg_namespace "
                                                                                     "n on n.oid = "
                                                                                     "c."
                                                                                     "relnamespace "
                                                                                     "where "
                                                                                     "n.nspname = "
                                                                                     "'" PG_LATER
                                                                                     "' and "
                                                                                     "c.relkind = "
                                                                                     "'r' and "
                                                                                     "c.relname "
                                                                                     "like '%.%' "
                                                                                     "order by 1");
        return pg_query(pg, &q, ret, err) || err_wrap(err, "listing tables");
}

/* Domains seen through to their base; a virtual column (18) is computed, and may be a stored one on
 * the other side. What a column's type is made of, down to pg_lsn and "char": only where all that
 * is inside is the core's does a binary form say no OIDs that mean something else elsewhere. */
static bool list_columns(Pg *pg, PgRes **ret, Err *err)
{
        return pg_ask(pg,
                      "with recursive base(oid, root) as (select oid, oid from pg_type where "
                      "typtype <> 'd' union all select t.oid, b.root from pg_type t join base "
                      "b on b.oid = t.typbasetype where t.typtype = 'd'), used(root) as "
                      "(select distinct b.root from pg_attribute a join base b on b.oid = "
                      "a.atttypid where a.attrelid >= 16384), inside(root, typ, oid) as "
                      "(select root, root, false from used union select i.root, x.typ, x.held "
                      "from inside i join pg_type t on t.oid = i.typ cross join " TYPE_INSIDE
                      " x), "
                      "sent(root, send) as (select i.root, y.typsend::regproc || '(' from "
                      "inside i join pg_type y on y.oid = i.root group by i.root, y.typsend "
                      "having bool_or(i.typ in ('pg_lsn'::regtype, '\"char\"'::regtype)) and "
                      "bool_and(not i.oid or i.typ < 10000) and y.typsend::oid < 10000) select "
                      "a.attrelid, a.attname, tn.nspname, t.typname, a.attgenerated <> '', "
                      "s.send from pg_class c join pg_attribute a on a.attrelid = c.oid join "
                      "base b on b.oid = a.atttypid join pg_type t on t.oid = b.root join "
                      "pg_namespace tn on tn.oid = t.typnamespace left join sent s on s.root = "
                      "b.root where c.relkind in ('r', 'p') and c.oid >= 16384 and a.attnum > "
                      "0 and not a.attisdropped order by a.attrelid, a.attgenerated <> '', "
                      "a.attname collate \"C\"",
                      ret, err) ||
               err_wrap(err, "listing columns");
}

/* Both results are sorted by oid: one pass. */
static void give_columns(Arena *a, TableRef *t, const PgRes *columns, int *row)
{
        int rows = pg_rows(columns);
        while (*row < rows && pg_cell_int(columns, *row, 0) < t->oid)
                (*row)++;
        int first = *row;
        while (*row < rows && pg_cell_int(columns, *row, 0) == t->oid)
                (*row)++;
        t->n_columns = *row - first;
        t->columns = arena_new_array(a, TableColumn, (size_t)t->n_columns + 1);
        for (int c = 0; c < t->n_columns; c++) {
                t->columns[c] =
                        (TableColumn){ .name = arena_strdup(a, pg_cell(columns, first + c, 1)),
                                       .schema = arena_strdup(a, pg_cell(columns, first + c, 2)),
                                       .type = arena_strdup(a, pg_cell(columns, first + c, 3)),
                                       .before = arena_strdup(a, pg_cell(columns, first + c, 5)),
                                       .after = ")" };
                t->n_computed += pg_cell_bool(columns, first + c, 4);
        }
}

static int by_key(const void *a, const void *b)
{
        return strcmp(((const TableRef *)a)->key, ((const TableRef *)b)->key);
}

bool table_list(Pg *pg, Arena *a, const TableScope *scope, TableRef **ret, int *ret_n, Err *err)
{
        AUTO_PGRES PgRes *rows = NULL;
        AUTO_PGRES PgRes *columns = NULL;
        if (!list_tables(pg, &rows, err) || !list_columns(pg, &columns, err))
                return false;
        int n = pg_rows(rows), kept = 0, row = 0;
        TableRef *tables = arena_new_array(a, TableRef, (size_t)n + 1);
        for (int i = 0; i < n; i++) {
                const char *schema = pg_cell(rows, i, 1), *name = pg_cell(rows, i, 2);
                if (!table_scope_has(scope, schema, name))
                        continue;
                tables[kept] = (TableRef){ .oid = pg_cell_int(rows, i, 0),
                                           .schema = arena_strdup(a, schema),
                                           .name = arena_strdup(a, name),
                                           .only = pg_cell_bool(rows, i, 3),
                                           .bytes = pg_cell_int(rows, i, 4),
                                           .estimate = pg_cell_int(rows, i, 5),
                                           .key = arena_strdup(a, pg_cell(rows, i, 6)),
                                           .pages = pg_cell_int(rows, i, 7),
                                           .of_extension = pg_cell_bool(rows, i, 8),
                                           .condition = arena_strdup(a, pg_cell(rows, i, 9)) };
                give_columns(a, &tables[kept++], columns, &row);
        }
        qsort(tables, (size_t)kept, sizeof *tables, by_key);
        *ret = tables;
        *ret_n = kept;
        return true;
}

/* ---- what two versions of an extension share ---- */

static TableColumn *column_of(TableRef *t, const char *name)
{
        for (int i = 0; i < t->n_columns; i++)
                if (str_eq(t->columns[i].name, name))
                        return &t->columns[i];
        return NULL;
}

static void keep_shared(TableRef *a, TableRef *b)
{
        int kept = 0;
        for (int i = 0; i < a->n_columns; i++) {
                TableColumn *there = column_of(b, a->columns[i].name);
                if (!there)
                        continue;
                if (!str_eq(there->type, a->columns[i].type) ||
                    !str_eq(there->schema, a->columns[i].schema))
                        there->schema = there->type = a->columns[i].schema = a->columns[i].type =
                                "";
                a->columns[kept++] = a->columns[i];
        }
        a->n_columns = kept;
}

void table_list_shared(TableRef *a, int n, TableRef *b, int m)
{
        for (int i = 0, k = 0; i < n && k < m;) {
                int order = strcmp(a[i].key, b[k].key);
                if (order == 0 && a[i].of_extension && b[k].of_extension) {
                        keep_shared(&a[i], &b[k]);
                        keep_shared(&b[k], &a[i]);
                }
                i += order <= 0;
                k += order >= 0;
        }
}

void table_list_as_recorded(TableRef *tables, int n, const json_t *data)
{
        for (int i = 0; i < n; i++) {
                TableRef *t = &tables[i];
                const json_t *columns = jx_get(jx_get(data, t->key), "columns");
                int kept = 0;
                for (int k = 0; t->of_extension && columns && k < t->n_columns; k++)
                        if (listed(columns, t->columns[k].name))
                                t->columns[kept++] = t->columns[k];
                if (t->of_extension && columns)
                        t->n_columns = kept;
        }
}

/* ---- one row's hash ---- */

/* How the values of a type become 64 bits. Functions by name and not through an array where they
 * can be: half the time of a whole row. */
#define VALUE "@"
#define SEED  "?"
typedef struct HashForm {
        const char *type;
        const char *pieces[20]; /* VALUE and SEED among them stand for the column's */
        bool null;              /* says NULL of a NULL: the caller says a number */
} HashForm;

#define HASH(before, after) before, VALUE, after, SEED, ")"
#define BYTES(send)         HASH("hash_array_extended(array[" send "(", ")], ")
/* Within these years no two microseconds have the same double of seconds (less than 2^52 of them
 * since 1970), and all 64 bits of it count: faster than the bytes, by which other times are
 * hashed. */
#define SECONDS(send)                                                                              \
        "case when ", VALUE, " between '1830-01-01 00:00Z' and '2110-01-01 00:00Z' then ",         \
                HASH("hashfloat8extended(date_part('epoch', ", "), "), " else ", BYTES(send),      \
                " end"
/* A float's own hash knows no sign of zero and, in some minor releases, several NaN: those by their
 * text. */
#define NUMBER(hash)                                                                               \
        "case when ", VALUE, " <> 0 and ", VALUE, " <= 'Infinity' then ", HASH(hash "(", ", "),    \
                " else ", HASH("hashtextextended(", "::text collate \"C\", "), " end"

/* Those whose own hash folds 64 bits to 32 (8 bytes of a number or of a time) are hashed as the
 * bytes they are sent as: else -1 and 4294967295 were one. */
static const HashForm forms[] = {
        { "bool", { HASH("hashint4extended(", "::int4, ") }, true },
        { "int2", { HASH("hashint2extended(", ", ") }, true },
        { "int4", { HASH("hashint4extended(", ", ") }, true },
        /* as the seed all 64 bits count */
        { "int8", { "hashint8extended(", SEED, ", ", VALUE, ")" }, true },
        { "oid", { HASH("hashoidextended(", ", ") }, true },
        { "name", { HASH("hashnameextended(", ", ") }, true },
        { "uuid", { HASH("uuid_hash_extended(", ", ") }, true },
        { "inet", { HASH("hashinetextended(", ", ") }, true },
        { "cidr", { HASH("hashinetextended(", ", ") }, true },
        { "macaddr", { HASH("hashmacaddrextended(", ", ") }, true },
        { "macaddr8", { HASH("hashmacaddr8extended(", ", ") }, true },
        { "text", { HASH("hashtextextended(", " collate \"C\", ") }, true },
        { "varchar", { HASH("hashtextextended(", " collate \"C\", ") }, true },
        { "date", { BYTES("") }, false },
        { "bytea", { BYTES("") }, false },
        { "time", { BYTES("time_send") }, false },
        { "timetz", { BYTES("timetz_send") }, false },
        { "timestamp", { SECONDS("timestamp_send") }, false },
        { "timestamptz", { SECONDS("timestamptz_send") }, false },
        { "interval", { BYTES("interval_send") }, false },
        { "money", { BYTES("cash_send") }, false },
        { "bpchar", { BYTES("bpcharsend") }, false },
        { "float4", { NUMBER("hashfloat4extended") }, true },
        { "float8", { NUMBER("hashfloat8extended") }, true },
};
/* Any other type of the core's (numeric: its text says all, and is faster than its bytes; jsonb:
 * its own hash knows no scale, and elements 32 apart may change places in it). */
static const HashForm by_text = { NULL,
                                  { HASH("hashtextextended(", "::text collate \"C\", ") },
                                  true };
/* What a user may have made: by its type's output function, and never by its cast to text: whoever
 * owns a type may make such a cast, and its function would run with our rights and hide what it
 * likes. Nobody can make one from record; and NULL is "()", which an empty text ("") is not. */
static const HashForm by_output = { NULL,
                                    { HASH("hashtextextended(row(", ")::text collate \"C\", ") },
                                    false };

static const HashForm *form_of(const TableColumn *c)
{
        if (!str_eq(c->schema, "pg_catalog"))
                return &by_output;
        for (size_t i = 0; i < LEN(forms); i++)
                if (str_eq(c->type, forms[i].type))
                        return &forms[i];
        return &by_text;
}

static void value_sql(Sql *q, const TableColumn *c)
{
        sql_add(q, "pgsherpa_row.");
        sql_ident(q, c->name);
}

/* The `n`th number that follows from the seed; not negative, so that it is a literal. */
static int64_t drawn(uint64_t seed, int n)
{
        return (int64_t)(row_hash_mix(seed + (uint64_t)n * 0x9e3779b97f4a7c15ULL) & INT64_MAX);
}

static void form_sql(Sql *q, const HashForm *f, const TableColumn *c, int64_t seed)
{
        for (const char *const *p = f->pieces; *p; p++)
                if (str_eq(*p, VALUE))
                        value_sql(q, c);
                else if (str_eq(*p, SEED))
                        sql_int(q, seed);
                else
                        sql_add_literal_(q, *p);
}

/* pg_lsn_send(pgsherpa_row."a") */
static void read_sql(Sql *q, const TableColumn *c)
{
        if (c->before)
                sql_rendered(q, c->before);
        value_sql(q, c);
        if (c->before)
                sql_rendered(q, c->after);
}

static void sent_sql(Sql *q, const TableColumn *c, int64_t seed)
{
        sql_add(q, "hash_array_extended(array[");
        read_sql(q, c);
        sql_add(q, "], ");
        sql_int(q, seed);
        sql_add(q, ")");
}

void table_column_hash_sql(Sql *q, const TableRef *t, int column, uint64_t seed)
{
        const TableColumn *c = &t->columns[column];
        const HashForm *f = form_of(c);
        if (c->before) {
                sent_sql(q, c, drawn(seed, 2 * column));
                return;
        }
        if (f->null)
                sql_add(q, "coalesce(");
        form_sql(q, f, c, drawn(seed, 2 * column));
        if (f->null) {
                sql_add(q, ", ");
                sql_int(q, drawn(seed, 2 * column + 1));
                sql_add(q, ")");
        }
}

void table_hash_sql(Sql *q, const TableRef *t, int n, uint64_t seed)
{
        sql_add(q, "hashint8extended(");
        sql_int(q, drawn(seed, -1));
        if (n == 0)
                sql_add(q, ", 0");
        for (int i = 0; i < n; i++) {
                sql_add_literal_(q, i ? " # " : ", ");
                table_column_hash_sql(q, t, i, seed);
        }
        sql_add(q, ")");
}

bool table_binary_says_all(const TableRef *t)
{
        /* No arrays, ranges and rows: theirs has the oids of types in it. No xml: it names an
         * encoding. */
        static const char *const types[] = {
                "bool",    "int2",      "int4",        "int8",     "oid",    "text",
                "varchar", "bpchar",    "bytea",       "name",     "date",   "time",
                "timetz",  "timestamp", "timestamptz", "interval", "uuid",   "float4",
                "float8",  "numeric",   "money",       "json",     "jsonb",  "inet",
                "cidr",    "macaddr",   "macaddr8",    "bit",      "varbit", "pg_lsn"
        };
        for (int i = 0; i < t->n_columns; i++) {
                bool plain = false;
                for (size_t k = 0; k < LEN(types) && str_eq(t->columns[i].schema, "pg_catalog");
                     k++)
                        plain = plain || str_eq(t->columns[i].type, types[k]);
                if (!plain)
                        return false;
        }
        return true;
}

void table_columns_sql(Sql *q, const TableRef *t)
{
        for (int i = 0; i < t->n_columns; i++) {
                if (i)
                        sql_add(q, ", ");
                read_sql(q, &t->columns[i]);
        }
}

void table_from_sql(Sql *q, const TableRef *t)
{
        if (t->only)
                sql_add(q, " from only ");
        else
                sql_add(q, " from ");
        sql_qname(q, t->schema, t->name);
        sql_add(q, " as pgsherpa_row");
}
