/* source_stream.h: the SQL of a source file as one stream of bytes, wherever it comes from.
 *
 * A file of SQL is unpacked and read; an archive goes through pg_restore, which runs beside us:
 * its output comes through a pipe, its exit status through source_stream_end(). Until that said
 * true, the end of the bytes means nothing. */
#pragma once

#include "dumps/kind.h"
#include "pg/clients.h"
#include "transfer/transfer.h"

typedef struct SourceStream SourceStream;

typedef struct SourceBytes {
        Transfer *t;
        const char *path; /* absolute */
        SourceKind kind;
        const PgClient *client; /* of an archive */
        bool schema_only;
} SourceBytes;

bool source_stream_open(const SourceBytes *b, SourceStream **ret, Err *err) MUST_CHECK;
/* SqlRead's `more`; `stream` is a SourceStream. */
bool source_stream_read(void *stream, void *bytes, size_t n, size_t *ret_n, Err *err) MUST_CHECK;
/* Bytes of the file that were read so far; of a directory, 0. */
int64_t source_stream_position(SourceStream *s);
/* After the last byte: did whoever wrote them end well? */
bool source_stream_end(SourceStream *s, Err *err) MUST_CHECK;
SourceStream *source_stream_free(SourceStream *s); /* stops what still runs */

static inline void source_stream_freep(SourceStream **s)
{
        *s = source_stream_free(*s);
}
#define AUTO_SOURCESTREAM CLEANUP(source_stream_freep) SourceStream *
