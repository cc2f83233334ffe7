/* copy_database.h: one copy of a database out of a server, between the files copy_*.c. */
#pragma once

#include "base/buf.h"
#include "dumps/toc.h"
#include "pg/clients.h"
#include "transfer/choose/content.h"
#include "transfer/read/dump.h"
#include "transfer/transfer.h"

/* Everything one copy holds; closed by copy_close() whatever happened. */
typedef struct DatabaseCopy {
        Transfer *t;
        const TransferCopy *c;
        Arena *a;
        Pg *holder, *reader;
        char *snapshot, *dir;
        Content content;
        PgClient client;
        Buf archive; /* the schema, as pg_dump -Fc wrote it */
        Toc toc;
        json_t *record; /* of the manifest */
        json_t *blobs;
        json_t *only;  /* what it was cut to; NULL: all */
        Table **first; /* see GraphPlan */
        size_t n_first;
} DatabaseCopy;

/* The source's pg_dump, as every call of it wants it. */
DumpRun copy_dump_run(DatabaseCopy *w);

/* ---- copy_to_bundle.c ---- */
/* The database's record in the manifest, as far as it is known before rows move. */
void copy_bundle_begin(DatabaseCopy *w);
/* Said while the source is there, and not when somebody needs the bundle. */
bool copy_bundle_risks(DatabaseCopy *w, Err *err) MUST_CHECK;
/* A whole pg_dump -Fc. */
bool copy_bundle_dump(DatabaseCopy *w, Err *err) MUST_CHECK;
/* The schema for people with psql and nothing else. Made while rows are copied. */
bool copy_bundle_sections(DatabaseCopy *w, Err *err);
void copy_bundle_tables(DatabaseCopy *w);
bool copy_bundle_end(DatabaseCopy *w, Err *err) MUST_CHECK;
