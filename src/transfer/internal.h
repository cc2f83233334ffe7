/* internal.h: between the files of this room only. */
#pragma once

#include <pthread.h>

#include "base/arena.h"
#include "base/buf.h"
#include "pg/clients.h"
#include "sql/sql.h"
#include "transfer/dump.h"
#include "transfer/part.h"
#include "transfer/toc.h"
#include "transfer/transfer.h"

/* One table whose rows go over. */
struct Table {
        const char  *schema, *name;
        const char  *root_schema, *root_name;   /* load through this partitioned table; or NULL */
        const char  *condition;         /* of an extension's table: "WHERE NOT standard"; or NULL */
        const char **columns;           /* without generated ones                            */
        size_t       n_columns;
        bool         ours_alone;        /* made by this run: may be truncated and frozen      */
        int64_t      size;              /* on the source's disk                              */
        int64_t      rows, bytes;       /* of all its parts, as read                         */
        uint64_t     hash;
        int          members;           /* in the bundle                                     */
};

typedef struct Sequence {
        const char *schema, *name, *value;      /* value as text: any int64                   */
        bool        is_called;
} Sequence;

/* What one database is made of, besides its schema. */
typedef struct Content {
        Table    *tables;
        size_t    n_tables;
        Sequence *sequences;
        size_t    n_sequences;
        int64_t   large_objects, total_size;
        int64_t   counted;              /* tables as a person counts them: partitioned ones too,
                                           an extension's own not                            */
        int64_t   index_size;           /* of all indexes                                    */
        json_t   *indexes;              /* "schema.index" and "schema.table index" -> bytes  */
        json_t   *properties;           /* of the database: encoding, locale, owner, settings */
        json_t   *extensions;           /* [{"name", "version", "schema"}]                   */
} Content;

struct Transfer {
        TransferHooks   hooks;
        pthread_mutex_t lock;
        Pg             *open[16];       /* connections that a cancel must reach              */
        size_t          n_open;
        volatile bool   cancelled;
        json_t         *tolerated;
        /* progress of the stage that runs; a watcher of long statements shows it too */
        pthread_mutex_t showing;
        const char     *stage, *unit;
        int64_t         done, total, shown_ms;
        int             things_done, things_total;
        struct {
                int64_t at, done;
        } window[16];                   /* for a rate of the last seconds                    */
        size_t          window_n;
};

/* ---- transfer.c ---- */
bool transfer_connect(Transfer *t, const PgParams *p, const char *database, Pg **ret, Err *err);
void transfer_disconnect(Transfer *t, Pg **pg);
bool transfer_stopped(Transfer *t, Err *err);
void transfer_say(Transfer *t, const char *fmt, ...) PRINTF(2, 3);
/* Asks the caller about one failed object; true: noted, go on. False: *err has the name. */
bool transfer_tolerates(Transfer *t, const char *object, Err *err);

/* ---- progress.c ---- */
void progress_stage(Transfer *t, const char *stage, const char *unit, int64_t total, int things);
void progress_set(Transfer *t, int64_t done, int things_done, const TransferRow *row);
/* A new stage of the same whole: label and things change, bytes and rate go on. */
void progress_next(Transfer *t, const char *stage, int things);
/* The same point again, with news of what is being done: from the watcher's thread. */
void progress_row(Transfer *t, const TransferRow *row);
/* For children: what the caller gave, else our own flag. */
const volatile bool *transfer_cancel_flag(Transfer *t);

/* ---- watch.c ---- */
/* While one statement runs for long on `pg` (CREATE INDEX), asks the server how far it is. */
typedef struct Watch Watch;
Watch *watch_start(Transfer *t, const PgParams *p, Pg *pg);     /* NULL: it cannot; fine */
void   watch_name(Watch *w, const char *name);
Watch *watch_stop(Watch *w);

/* ---- source.c ---- */
/* A repeatable-read transaction that imports `snapshot`, or exports one when *snapshot is NULL. */
bool source_begin(Pg *pg, const char *snapshot, char **ret_snapshot, Err *err);
bool source_content(Pg *pg, Arena *a, Content *ret, Err *err);
void content_done(Content *c);
const char *content_encoding(const Content *c);

/* ---- props.c ---- */
bool props_read(Pg *pg, json_t **ret, Err *err);
/* CREATE DATABASE from template0 with the source's encoding and locale. */
void props_create_sql(const json_t *props, const char *name, int target_major, Sql *q);
/* Everything that is set on the database itself; `name` NULL: psql's :"DBNAME". */
bool props_each(const json_t *props, const char *name,
                bool (*each)(void *arg, const char *what, const Sql *q, Err *err), void *arg,
                Err *err);

/* ---- target.c ---- */
bool target_create(Transfer *t, const PgParams *p, const json_t *props, const char *into,
                   const char *marker, bool (*created)(void *, int64_t, Err *), Err *err);
/* A connection with the session settings pg_restore uses. */
bool target_open(Transfer *t, const PgParams *p, const char *database, bool sql_ascii, Pg **ret,
                 Err *err);
/* Runs the entries of one section and pass; what failed and was tolerated is noted. */
typedef struct EntriesMeter {
        int64_t       done;             /* of the whole, bytes (or objects, without `indexes`) */
        int           things;           /* entries that were run                             */
        const json_t *indexes;          /* Content.indexes: what an entry weighs; or NULL     */
        Watch        *watch;
} EntriesMeter;
bool target_entries(Transfer *t, Pg *pg, const Toc *toc, TocSection section, TocPass pass,
                    EntriesMeter *m, Err *err);
int  toc_count_of(const Toc *toc, TocSection section);  /* of a section, all passes */
int64_t toc_count(const Toc *toc);
bool target_properties(Transfer *t, const PgParams *p, const json_t *props, const char *database,
                       Err *err);
/* Simple text, quoted without a connection: standard_conforming_strings is on. malloc()ed. */
char *plain_sql(const Sql *q);

/* ---- tables.c ---- */
/* `records`: of the manifest, one is added for each table; or NULL. */
bool tables_copy(const PartSink *s, Pg *from, Content *c, json_t *records, Err *err);
bool tables_restore(const PartSink *s, const Bundle *b, const json_t *records, Content *c, Err *err);

/* ---- blobs.c, sequences.c ---- */
bool blobs_copy(const PartSink *s, Pg *from, Content *c, json_t *ret_record, Err *err);
bool blobs_restore(Transfer *t, const Bundle *b, const char *dir, Pg *to, int64_t *ret_n, Err *err);
bool sequences_set(Pg *to, const Content *c, Err *err);
bool sequences_to_bundle(BundleWriter *w, const char *dir, const Content *c, Err *err);
