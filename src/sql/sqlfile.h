/* sqlfile.h: queries that are files of their own.
 *
 * A file holds one statement, and psql runs it as it stands, once \ir has read src/sql/majors.psql:
 *
 *      select a.attname,
 *      \if :since_14
 *          a.attcompression,
 *      \endif
 *          a.attnum from pg_attribute a;
 *
 * embed.py makes a list of them at build time; tests/integration/pg runs each on every major. */
#pragma once

#include "sql/sql.h"

/* Of the text of one file: what the majors from `since` to before `before` have; 0: any. */
typedef struct SqlPart {
        int since, before;
        const char *text;
} SqlPart;

typedef struct SqlFile {
        const char
                *name; /* of the file, with spaces: text_search_parser.sql, "text search parser" */
        const SqlPart *parts; /* end with {0} */
} SqlFile;

/* Of a list that ends with {0}. NULL: none is called so. */
const SqlFile *sql_file_find(const SqlFile *list, const char *name) NONNULL;
/* Adds the statement as that major takes it. */
void sql_file(Sql *q, const SqlFile *f, int major) NONNULL;
