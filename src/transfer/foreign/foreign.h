/* foreign.h: what a SourceFile is, between the files of this floor.
 *
 * A file is read twice: once to know (source_file.c with dumps/contents.h), once to load
 * (source_restore.c). Both walk the same items and must count the same. */
#pragma once

#include <sys/stat.h>

#include "dumps/contents.h"
#include "dumps/kind.h"
#include "dumps/sqlmeaning.h"
#include "pg/clients.h"
#include "transfer/foreign/source_stream.h"
#include "transfer/source_file.h"
#include "transfer/transfer.h"

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
