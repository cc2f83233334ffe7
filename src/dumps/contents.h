/* contents.h: what a dump in SQL holds, and whether it may run at all.
 *
 *      AUTO_CONTENTS c = { 0 };
 *      if (!contents_read(sqlread, &c, err)) ...       // cut off, damaged, with commands of psql
 *
 * Read from end to end, before a server is asked for anything. One pg_dump is one section; a
 * pg_dumpall has one behind each \connect. */
#pragma once

#include "base/jsonx.h"
#include "dumps/sqlread.h"

/* What stands behind one \connect; the first section, before any, has the name "". */
typedef struct DumpSection {
        char *name;
        json_t *props;      /* of CREATE DATABASE; NULL: it says nothing */
        char *encoding;     /* SET client_encoding */
        int64_t statements; /* of content */
        int64_t copies;     /* blocks of rows */
} DumpSection;

typedef struct DumpContents {
        DumpSection *sections;
        size_t n;
        json_t *roles; /* names the dump makes; never NULL once it was read */
} DumpContents;

/* `ret` begins as zeros; contents_done() also after false. */
bool contents_read(SqlRead *r, DumpContents *ret, Err *err) MUST_CHECK;
void contents_done(DumpContents *c) NONNULL;
#define AUTO_CONTENTS CLEANUP(contents_done) DumpContents

/* Lines for psql: \connect gives *ret_connect (malloc()ed name), \restrict changes *restricted, the
 * others refuse the file. */
bool contents_command(const SqlReadItem *item, bool *restricted, char **ret_connect,
                      Err *err) MUST_CHECK;
