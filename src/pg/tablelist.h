/* tablelist.h: the tables whose rows can be read, and the SQL that reads and hashes them.
 *
 * Every ordinary table by itself; of a table partitioned by hash only the root, since rows of
 * an enum key move between leaves when the enum's OIDs change (pg_dump.c says the same). Of an
 * extension's tables those that pg_dump dumps: its configuration, as far as its condition says.
 *
 * A row's hash: every column has one of its own, with a seed of its own, so that two columns that
 * exchange their values are seen; they are joined by xor and mixed once more, not linearly, so that
 * rows that exchange a value are seen although the hashes of all rows are added up.
 *
 * What goes in keeps values apart that `=` calls equal: float, interval, times, money and char(n)
 * by their binary form, numeric by its text (0 and -0, 1 day and 24 hours, 1.0 and 1.00 differ);
 * enums, arrays, ranges, json and every type that has no stable hash as text; the rest by the
 * type's own hash. What majors print in two ways goes in by its binary form, alone and inside of
 * arrays, composites and ranges of the core's types: pg_lsn (0/16B3748 is 0/016B3748 since 19) and
 * "char" (\351 since 16). Code that a user wrote never runs: of types that are not the core's only
 * the output function is called, which a superuser made. Text is hashed under COLLATE "C". Columns
 * go in by name: a dump may give an inheriting table its columns in another order. Names of ours
 * that could clash with a column's are never in reach: the row's alias qualifies every column. */
#pragma once

#include "base/arena.h"
#include "pg/conn.h"

typedef struct TableColumn {
        const char *name;
        const char *schema, *type;  /* of the base type, when it is a domain */
        const char *before, *after; /* SQL around the value when it is read, where its text is not
                                       the same on every major (its binary form); NULL: none */
} TableColumn;

typedef struct TableRef {
        const char *key; /* quoted, as in the catalog */
        const char *schema, *name;
        int64_t oid;
        bool only;               /* false: a hash-partitioned root, read as a whole */
        int64_t bytes, estimate; /* with TOAST; rows by the statistics */
        int64_t pages;           /* of the heap, for ranges of ctid */
        TableColumn *columns;    /* in order of their names, generated ones last */
        int n_columns;
        int n_computed;        /* generated ones: no copy carries them */
        const char *encoding;  /* of a stream as text; NULL: UTF8 */
        bool binary;           /* of a stream: COPY's binary format */
        const char *condition; /* "WHERE ..", rendered by a server; or NULL */
        bool of_extension;     /* its configuration: not among the objects */
} TableRef;

/* What a comparison is narrowed to: {"schemas": ["app"], "tables": ["app.users"]} as a person
 * writes them, or NULL. A table is in when its schema or its own name is. */
typedef struct TableScope {
        const json_t *schemas, *tables;
} TableScope;
bool table_scope_narrow(const TableScope *s);
bool table_scope_has(const TableScope *s, const char *schema, const char *name);

/* Sorted by key, inside the transaction that is its snapshot. Texts live in `a`. */
bool table_list(Pg *pg, Arena *a, const TableScope *scope, TableRef **ret, int *ret_n,
                Err *err) MUST_CHECK;

/* Of extensions' tables that both have, only the columns that both versions of the extension have,
 * and one of another type there as it prints: what else is in them came with the extension. Both
 * sorted. */
void table_list_shared(TableRef *a, int n, TableRef *b, int m);
/* The same against what table_data_record() told earlier ({name: {"columns": [..]}}). */
void table_list_as_recorded(TableRef *tables, int n, const json_t *data);

/* " from only s.t as pgsherpa_row" */
void table_from_sql(Sql *q, const TableRef *t);
/* A 64-bit hash of that column, never NULL; the same on every major since 12. */
void table_column_hash_sql(Sql *q, const TableRef *t, int column, uint64_t seed);
/* A 64-bit hash of a row's first `n` columns; sums of it stand for the table (tabledata.h). */
void table_hash_sql(Sql *q, const TableRef *t, int n, uint64_t seed);
/* True: every column is of a type whose binary form says all of a value and is the same on every
 * major, as long as both databases are in UTF8: a fourth faster to read than text. */
bool table_binary_says_all(const TableRef *t) NONNULL;
/* pgsherpa_row."a", pgsherpa_row."b" */
void table_columns_sql(Sql *q, const TableRef *t);
