/* source_internal.h: between the source_*.c files only.
 *
 * A file is read twice: once to know (source_scan.c), once to load (source_load.c). Both walk
 * the same items and must count the same. */
#pragma once

#include <sys/stat.h>

#include "transfer/internal.h"
#include "transfer/source_file.h"
#include "transfer/source_stream.h"
#include "transfer/sqlmeaning.h"

/* What stands behind one \connect; the first section, before any, has the name "". */
typedef struct SourceSection {
        char   *name;
        json_t *props;                  /* of CREATE DATABASE; NULL: it says nothing          */
        char   *encoding;               /* SET client_encoding                               */
        int64_t statements, rows, bytes;        /* of content; rows of COPY                  */
        int64_t copies;
} SourceSection;

struct SourceFile {
        Transfer      *t;
        char          *path, *words;    /* words: its last part, clean, for messages         */
        SourceKind     kind;
        struct stat    stat;            /* as it was when it was opened                      */
        int64_t        size;            /* of a directory: of its files                      */
        PgClient       client;
        SourceSection *sections;
        size_t         n_sections;
        const SourceSection *chosen;
        json_t        *roles;           /* names the file makes                              */
        char          *dump_version;    /* "pg_dump version 17.6"                            */
        bool           cluster;         /* of pg_dumpall                                     */
};

/* ---- source_scan.c ---- */
/* Reads it all (of an archive: the schema), fills the sections. */
bool source_scan(SourceFile *f, Err *err);
/* The section \connect leads to; made when it is new. */
SourceSection *source_section(SourceFile *f, const char *name);
/* Lines for psql: \connect changes *ret_section (malloc()ed name), \restrict nothing, the others
 * refuse the file. */
bool source_command(const SqlReadItem *item, bool *restricted, char **ret_connect, Err *err);
bool source_stream_of(const SourceFile *f, bool schema_only, SourceStream **ret, Err *err);
