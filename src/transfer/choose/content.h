/* content.h: what one database is made of, besides its schema: the tables whose rows go over,
 * sequences, large objects, and what is set on the database itself.
 *
 * Said by a source (read/source.h) or by a bundle's manifest (table_from_record()); cut down to
 * what was chosen by copy_subset.h. */
#pragma once

#include "base/jsonx.h"

/* One table whose rows go over. */
typedef struct Table {
        const char *schema, *name;
        const char *root_schema, *root_name; /* load through this partitioned table; or NULL */
        const char *condition; /* of an extension's table: "WHERE NOT standard"; or NULL */
        const char **columns;  /* without generated ones */
        size_t n_columns;
        /* SQL around a column when it is read (spelling.h); NULL: none */
        const char **before, **after;
        bool later;      /* waits there for the database's name (later.h) */
        bool merges;     /* its extension's trigger merges what comes with what is there */
        bool ours_alone; /* made by this run: may be truncated and frozen */
        bool binary;     /* COPY's format: see format.h */
        int64_t oid;     /* on the source */
        /* of a big table: where it can be cut, see parts_plan.h */
        int64_t blocks;  /* of its heap, from 14 on */
        const char *key; /* a unique integer, before */
        int64_t key_min, key_max;
        int64_t size;        /* on the source's disk */
        int64_t expected;    /* rows, by its statistics; 0: not known */
        int64_t rows, bytes; /* of all its parts, as read */
        uint64_t hash;
        int members; /* in the bundle */
} Table;

typedef struct Sequence {
        const char *schema, *name, *value; /* value as text: any int64 */
        bool is_called;
} Sequence;

typedef struct Content {
        Table *tables;
        size_t n_tables;
        Sequence *sequences;
        size_t n_sequences;
        size_t n_sequences_later; /* the last of them: wait for the database's name */
        int64_t large_objects, total_size;
        int64_t counted;    /* tables as a person counts them: partitioned ones too,
                               an extension's own not */
        int64_t index_size; /* of all indexes */
        json_t *indexes;    /* "schema.index" and "schema.table index" -> bytes */
        json_t *properties; /* of the database: encoding, locale, owner, settings */
        json_t *extensions; /* [{"name", "version", "schema"}] */
} Content;

/* Its JSON; tables and sequences live in the arena of whoever made them. */
void content_done(Content *c);
/* Of the database: "UTF8", "SQL_ASCII", .. */
const char *content_encoding(const Content *c);
