/* bundle_schema.h: the schema of a database in a bundle, and whether all of the bundle means the
 * same.
 *
 * A manifest is sealed by a hash of itself, which anybody can make anew. So what stands in it twice
 * is held against each other before anything is made of it: schema.dump's tables and sequences must
 * be those the manifest describes (a table without a description would arrive empty, and nobody
 * would miss its rows), and every statement of schema.dump must stand in the SQL that people with
 * psql would run. Every other small member of the database is read to its end as well, so that its
 * SHA-256 was checked when we say so. */
#pragma once

#include "bundle/bundle.h"
#include "dumps/toc.h"

typedef struct BundleSchema {
        char *archive; /* schema.dump */
        size_t archive_len;
        Toc toc; /* its strings live in the arena */
} BundleSchema;

/* `record`: of the manifest. ERR_USER names what does not fit, and its member. */
bool bundle_schema_read(const Bundle *b, const json_t *record, Arena *a, BundleSchema *ret,
                        Err *err) MUST_CHECK;
/* Members of this database that no restore reads for itself; not its optional pg_dump. */
bool bundle_schema_check_rest(const Bundle *b, const json_t *record, Err *err) MUST_CHECK;
void bundle_schema_done(BundleSchema *s);
