/* kind.h: what a file is that somebody wants restored: its first bytes say it, not its name. */
#pragma once

#include "base/err.h"

typedef enum SourceKind {
        SOURCE_BUNDLE,
        SOURCE_SQL,
        SOURCE_CUSTOM,
        SOURCE_TAR,
        SOURCE_DIRECTORY
} SourceKind;

/* SOURCE_BUNDLE also when it can be no dump: bundle_open() then says what is wrong. ERR_USER: a
 * pipe, a directory without toc.dat, a file of another kind (MySQL, SQLite). */
bool source_kind(const char *path, SourceKind *ret, Err *err) MUST_CHECK;

/* The lowest major whose pg_restore can read the archive. ERR_USER: its format is not known. */
bool source_reader_major(const char *path, SourceKind kind, int *ret, Err *err) MUST_CHECK;
/* The same of an archive's first bytes; 0: not one, or of a format that is not known. */
int archive_reader_major(const void *first, size_t n);
