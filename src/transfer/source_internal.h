/* source_internal.h: between the source_*.c files only.
 *
 * A file is read twice: once to know (source_file.c with dumps/contents.h), once to load
 * (source_load.c). Both walk the same items and must count the same. */
#pragma once

#include <sys/stat.h>

#include "dumps/contents.h"
#include "dumps/sqlmeaning.h"
#include "transfer/internal.h"
#include "transfer/source_file.h"
#include "transfer/source_stream.h"

/* What changes when anybody writes to a dump; of a directory to any of its files. */
typedef struct SourceStamp {
        uint64_t inode, changed; /* changed: nanoseconds, added up */
        int64_t size;            /* of a directory: of its files */
} SourceStamp;
bool source_stamp(const char *path, SourceStamp *ret, Err *err) MUST_CHECK;

struct SourceFile {
        Transfer *t;
        char *path, *words; /* words: its last part, clean, for messages */
        SourceKind kind;
        SourceStamp stamp; /* as it was when it was opened */
        PgClient client;
        DumpContents contents;
        const DumpSection *chosen;
        bool all; /* every database of it, one after the other */
};

/* The whole of it, or the SQL of its schema. */
bool source_stream_of(const SourceFile *f, bool schema_only, SourceStream **ret, Err *err);

/* What a statement refused by an older server is in words it knows (dumps/rewrite.h), run instead
 * and said. False: there are none, and *err has a hint what in it is newer; or the connection
 * broke. */
/* CREATE INDEX or EXCLUDE of a dump of a server of major `from`, with the operator classes it had
 * there and does not say. *ret NULL: as it is; else malloc()ed. */
bool source_opclasses(Transfer *t, Pg *pg, int from, const char *sql, char **ret,
                      Err *err) MUST_CHECK;
bool source_in_older_words(Transfer *t, Pg *pg, const char *object, const char *sql,
                           Err *err) MUST_CHECK;
