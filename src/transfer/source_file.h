/* source_file.h: a dump that another tool wrote, as a source.
 *
 *      AUTO_SOURCEFILE f = NULL;
 *      if (!source_file_open(t, &(SourceOpen){ .path = path }, &f, err)) ...      // read to its
 * end, nothing touched TransferRestore c = { .database = "shop", .target = &target, .into =
 * temporary, .. }; if (!source_file_restore(t, f, &c, &result, err)) ...
 *
 * Plain SQL of pg_dump and pg_dumpall (also packed: archive/plain.h), and the archives of pg_dump
 * -Fc, -Ft,
 * -Fd (kind.h).
 *
 * Nothing is ever given to psql. The SQL is read by sqlread.h and executed statement by statement
 * over libpq; a line for psql other than \connect, \restrict and \unrestrict refuses the whole
 * file. An archive is turned into SQL by the pg_restore of a major that knows its format (its exit
 * status counts) and then read in the same way.
 *
 * Opening reads plain SQL from end to end: a file that was cut off, is damaged, holds commands of
 * psql or several databases is refused before a server is asked for anything. Of an archive only
 * the schema is read; damage in its data shows while it is restored, into a database that is then
 * dropped. That is why a pipe cannot be a source: it cannot be read twice, and it hides whether
 * the pg_dump at its other end succeeded (`pg_dump | gzip` exits with 0 when pg_dump failed).
 *
 * Every row is counted: what a COPY block sent and what the server says it took must be one
 * number. An error stops the restore with the object's name and the file's line, unless the
 * caller tolerates it by class; errors of data never are. */
#pragma once

#include "dumps/kind.h"
#include "transfer/transfer.h"

typedef struct SourceFile SourceFile;
typedef struct SourceOpen {
        const char *path;
        const char *database; /* of several in the file; NULL or "": the only one */
        const char *image;    /* where clients may be found; or NULL */
        bool all;             /* none is chosen yet: source_file_pick() */
} SourceOpen;
bool source_file_open(Transfer *t, const SourceOpen *o, SourceFile **ret, Err *err) MUST_CHECK;
/* The name the database had; NULL: the file does not say. */
const char *source_file_database(const SourceFile *f);
SourceFile *source_file_free(SourceFile *f);
/* Of a file opened with .all: names of the databases it makes or fills, as ["..", ..], in the
 * file's order. New reference. */
json_t *source_file_names(const SourceFile *f) MUST_CHECK;
bool source_file_pick(SourceFile *f, const char *name, Err *err) MUST_CHECK;
/* The roles a pg_dumpall begins with: made where they are missing, else compared, which is said.
 * *ret: {"made": names, "present": names, "differences": sentences, "left_out": statements}, also
 * after an error. No password is in it. */
bool source_file_roles(Transfer *t, SourceFile *f, const PgParams *target, json_t **ret,
                       Err *err) MUST_CHECK;

/* .bundle and .database are not looked at. */
bool source_file_restore(Transfer *t, SourceFile *f, const TransferRestore *c, TransferResult *ret,
                         Err *err) MUST_CHECK;

static inline void source_file_freep(SourceFile **f)
{
        *f = source_file_free(*f);
}
#define AUTO_SOURCEFILE CLEANUP(source_file_freep) SourceFile *
