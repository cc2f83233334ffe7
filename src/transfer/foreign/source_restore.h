/* source_restore.h: the second reading of a file, between the files that do it.
 *
 * source_restore.c walks the items and asks in the end whether it was all; source_statement.c runs
 * one; source_database.c knows what is said of the database by its name. */
#pragma once

#include "pg/extension.h"
#include "transfer/foreign/foreign.h"
#include "transfer/foreign/source_stream.h"
#include "transfer/make/index_progress.h"
#include "transfer/transfer.h"

typedef struct SourceRestore {
        SourceFile *f;
        Transfer *t;
        const TransferRestore *c;
        SourceStream *s;
        SqlRead *r;
        Pg *to;
        IndexProgress *watch;
        bool restricted, wanted; /* wanted: in the section that was chosen */
        const PgExtension *home; /* of an extension that waits for the database's name; or NULL */
        bool made;               /* something was: what comes before only removes */
        json_t *later;           /* [{"sql", "object"}]: about the database itself */
        size_t later_size;
        int64_t statements, copies, rows, bytes, skipped, removed;
        const char *object; /* of the rows that are being sent */
        int64_t block;      /* bytes of these rows */
} SourceRestore;

/* Of the file, in its order: run, put aside, or left out and counted. */
bool source_statement(SourceRestore *l, const SqlReadItem *i, Err *err) MUST_CHECK;
/* What to do about an error of it, where somebody else has not said so. */
void source_statement_hint(const SqlMeaning *m, Err *err);

/* What its database is made with; new reference. */
bool source_database_properties(SourceRestore *l, json_t **ret, Err *err) MUST_CHECK;
/* A statement about the database by its name waits until it is whole. */
bool source_database_keep(SourceRestore *l, const SqlReadItem *i, const SqlMeaning *m,
                          Err *err) MUST_CHECK;
/* It is whole: what waited, and what was prepared. */
bool source_database_end(SourceRestore *l, Err *err) MUST_CHECK;
