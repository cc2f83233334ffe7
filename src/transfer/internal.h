/* internal.h: between the files of this room only. */
#pragma once

#include <pthread.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dumps/toc.h"
#include "pg/clients.h"
#include "sql/sql.h"
#include "transfer/dump.h"
#include "transfer/entries.h"
#include "transfer/part.h"
#include "transfer/pool.h"
#include "transfer/transfer.h"

typedef struct Content Content;

/* One table whose rows go over. */
struct Table {
        const char *schema, *name;
        const char *root_schema, *root_name; /* load through this partitioned table; or NULL */
        const char *condition; /* of an extension's table: "WHERE NOT standard"; or NULL */
        const char **columns;  /* without generated ones */
        size_t n_columns;
        /* SQL around a column when it is read (spelling.h); NULL: none */
        const char **before, **after;
        bool later;      /* waits there for the database's name (later.h) */
        bool merges;     /* its extension's trigger merges what comes with what is there */
        bool ours_alone; /* made by this run: may be truncated and frozen */
        bool binary;     /* COPY's format: see format.h */
        int64_t oid;     /* on the source */
        /* of a big table: where it can be cut, see cut.h */
        int64_t blocks;  /* of its heap, from 14 on */
        const char *key; /* a unique integer, before */
        int64_t key_min, key_max;
        int64_t size;        /* on the source's disk */
        int64_t expected;    /* rows, by its statistics; 0: not known */
        int64_t rows, bytes; /* of all its parts, as read */
        uint64_t hash;
        int members; /* in the bundle */
};

typedef struct Sequence {
        const char *schema, *name, *value; /* value as text: any int64 */
        bool is_called;
} Sequence;

/* What one database is made of, besides its schema. */
struct Content {
        Table *tables;
        size_t n_tables;
        Sequence *sequences;
        size_t n_sequences;
        size_t n_sequences_later; /* the last of them: wait for the database's name */
        int64_t large_objects, total_size;
        int64_t counted;    /* tables as a person counts them: partitioned ones too,
                               an extension's own not */
        int64_t index_size; /* of all indexes */
        json_t *indexes;    /* "schema.index" and "schema.table index" -> bytes */
        json_t *properties; /* of the database: encoding, locale, owner, settings */
        json_t *extensions; /* [{"name", "version", "schema"}] */
};

/* One thing of several that are being done at the same moment. */
typedef struct Slot {
        char *name;              /* NULL: nothing */
        int64_t done, rows;      /* as moved */
        int64_t total, expected; /* bytes or objects; rows. 0: not known */
        int64_t weight, counted; /* bytes of the whole: all, and counted so far */
        double part;             /* what somebody who knows said, 0 .. 1; or below 0 */
        void *job;               /* for who says what is left; or NULL */
        int64_t since_ms;
} Slot;

struct Transfer {
        TransferHooks hooks;
        pthread_mutex_t lock;
        Pg **open; /* connections that a cancel must reach */
        size_t n_open, open_capacity;
        volatile bool cancelled, failed; /* failed: something else did, stop too */
        Pool *pool;                      /* that runs, or NULL */
        int jobs;                        /* wanted; 0: as many as are sensible */
        pthread_mutex_t asking;          /* one error at a time */
        json_t *tolerated;
        json_t *rehearsal;      /* not NULL: what fails is listed there, and tried on */
        const char *name;       /* the database is to have in the end; NULL: not known */
        const json_t *prepared; /* the empty database that was there (prepared.h); or NULL */
        json_t *kept;           /* of it, see TransferResult */
        /* progress of the stage that runs */
        pthread_mutex_t showing;
        const char *stage, *unit;
        int64_t done, total, row_count, shown_ms;
        int things_done, things_total;
        Slot slots[POOL_WORKERS];
        struct {
                int64_t at, done;
        } window[16]; /* for a rate of the last seconds */
        size_t window_n;
        double (*left)(void *arg, const Slot *slots); /* see progress_left() */
        void *left_arg;
};

/* ---- transfer.c ---- */
bool transfer_connect(Transfer *t, const PgParams *p, const char *database, Pg **ret, Err *err);
void transfer_disconnect(Transfer *t, Pg **pg);
bool transfer_stopped(Transfer *t, Err *err);
/* Cancels whatever runs on any connection, without the caller having asked for an end. */
void transfer_interrupt(Transfer *t, bool failed);
/* The failure has been told, and everybody has stopped: what comes now may run. */
void transfer_calm(Transfer *t);
/* The pool that transfer_set_jobs() is to reach; NULL: none any more, and calm. */
void transfer_pool(Transfer *t, Pool *p);
void transfer_say(Transfer *t, const char *fmt, ...) PRINTF(2, 3);
/* Asks the caller about one failed object; true: noted, go on. False: *err has the name. */
bool transfer_tolerates(Transfer *t, const char *object, Err *err);

/* ---- progress.c ---- */
void progress_stage(Transfer *t, const char *stage, const char *unit, int64_t total, int things);
void progress_set(Transfer *t, int64_t done, int things_done, const TransferRow *row);
/* Only the words: bytes, rate and things go on. */
void progress_words(Transfer *t, const char *stage);
/* Who says how many seconds the rest takes, from the POOL_WORKERS slots; NULL: the rate does. */
void progress_left(Transfer *t, double (*left)(void *arg, const Slot *slots), void *arg);
/* How much of a slot's thing is done, 0 .. 1, never quite all of it; below 0: not known. */
double progress_fraction(const Slot *s);
/* Many at once, each in the slot of its worker; of `plan` total, expected, weight and job are
 * taken. */
void progress_begin(Transfer *t, size_t slot, const char *name, const Slot *plan);
void progress_moved(Transfer *t, size_t slot, int64_t bytes, int64_t rows);
void progress_at(Transfer *t, size_t slot, double part);
void progress_end(Transfer *t, size_t slot, int things);
/* For children: what the caller gave, else our own flag; transfer.failed stops them, too. */
const volatile bool *transfer_cancel_flag(Transfer *t);

/* ---- watch.c ---- */
/* Asks the target how far its CREATE INDEX statements are, for all workers on one connection. */
typedef struct Watch Watch;
Watch *watch_start(Transfer *t, const PgParams *p); /* NULL: it cannot; fine */
/* `reading`: how much of the way reading the table is, 0 .. 1. Backend 0: nothing any more. */
void watch_on(Watch *w, size_t slot, int backend, double reading);
Watch *watch_stop(Watch *w);

/* ---- flush.c ---- */
/* CHECKPOINTs of the target beside the work, each when it is asked for. */
typedef struct Flush Flush;
Flush *flush_start(Transfer *t, const PgParams *p); /* NULL: it cannot; fine */
void flush_now(Flush *f);    /* never waits; after one that runs. NULL is fine */
Flush *flush_stop(Flush *f); /* waits for one that runs */

/* ---- source.c ---- */
/* A repeatable-read transaction that imports `snapshot`, or exports one when *snapshot is NULL. */
bool source_begin(Pg *pg, const char *snapshot, char **ret_snapshot, Err *err);
bool source_content(Pg *pg, Arena *a, Content *ret, Err *err);
/* [{"name", "version", "schema"}]; new reference. */
bool source_extensions(Pg *pg, json_t **ret, Err *err);
void content_done(Content *c);
const char *content_encoding(const Content *c);

/* ---- source_hold.c ---- */
/* The same with a snapshot of its own, malloc()ed, and with every table locked against TRUNCATE,
 * ALTER and DROP for as long as the transaction lasts. Waits for whoever has one locked against
 * readers, and says for whom, until it is stopped. Such a table of which the role may not read a
 * row is an error with its name. */
bool source_hold(Transfer *t, Pg *pg, char **ret_snapshot, Err *err);

/* ---- props.c ---- */
bool props_read(Pg *pg, json_t **ret, Err *err);
/* CREATE DATABASE from template0 with the source's encoding and locale. */
void props_create_sql(const json_t *props, const char *name, int target_major, Sql *q);
/* What template0 brings and the source had dropped: DROP SCHEMA public. Only ever in a connection
 * to the database that was made, never beside it. */
bool props_lacking(const json_t *props,
                   bool (*each)(void *arg, const char *what, const Sql *q, Err *err), void *arg,
                   Err *err);
/* Its settings, also of roles in it; part of props_each(). */
bool props_settings(const json_t *props, const char *name,
                    bool (*each)(void *arg, const char *what, const Sql *q, Err *err), void *arg,
                    Err *err);
/* A copy with the settings that a server of that major takes, by its names (base/majors.h). What is
 * not as it was is appended to `left_out`: {"object": "ALTER DATABASE SET x", "how": "left out,
 * ..", "role"?}. */
json_t *props_on(const json_t *props, int major, json_t *left_out);
/* Everything that is set on the database itself; `name` NULL: psql's :"DBNAME". */
bool props_each(const json_t *props, const char *name,
                bool (*each)(void *arg, const char *what, const Sql *q, Err *err), void *arg,
                Err *err);

/* ---- source_words.c ---- */
/* ALTER DATABASE or ROLE .. SET in words that this server takes; "": it takes none. Said,
 * malloc()ed. NULL: as it is. */
char *transfer_setting_in_words(Transfer *t, Pg *pg, const char *sql) MUST_CHECK;

/* ---- target.c ---- */
bool target_create(Transfer *t, const PgParams *p, const json_t *props, const char *into,
                   const char *marker, bool (*created)(void *, int64_t, Err *), Err *err);
/* A connection with the session settings pg_restore uses. */
bool target_open(Transfer *t, const PgParams *p, const char *database, bool sql_ascii, Pg **ret,
                 Err *err);
/* Only the database's settings, as the load will make them: of a rehearsal. */
bool target_settings_try(Transfer *t, const PgParams *p, const json_t *props, const char *database,
                         Err *err);
/* Every table, type, function: what stands before the data. */
bool target_pre_data(Transfer *t, Pg *pg, const Toc *toc, Err *err);
int64_t toc_count(const Toc *toc);
/* Everything is on the disk, as far as this role may ask for it. */
bool target_checkpoint(Transfer *t, const PgParams *p, Err *err);
bool target_properties(Transfer *t, const PgParams *p, const json_t *props, const char *database,
                       Err *err);
/* Simple text, quoted without a connection: standard_conforming_strings is on. malloc()ed. */
char *plain_sql(const Sql *q);

/* ---- work.c ---- */
/* Everything between the tables' making and the end, as one graph of work: rows, large objects,
 * indexes, constraints, statistics, and the rest of the schema. */
typedef struct WorkPlan {
        Transfer *t;
        const PgParams *source; /* NULL: out of a bundle */
        const char *database, *snapshot;
        const PgParams *target; /* NULL: only into a bundle */
        const char *into;
        Content *content;
        const Toc *toc;
        BundleWriter *writer; /* or NULL */
        const char *dir;      /* the database's in the bundle that is written */
        json_t *blobs;        /* the record of the large objects, to be filled */
        const Bundle *bundle; /* where rows come from without a source */
        const json_t *record;
        int64_t *n_blobs; /* out of the bundle */
        Table **first;    /* of the content: in this order, before the others */
        size_t n_first;
} WorkPlan;
bool work_run(const WorkPlan *p, Err *err);

/* ---- blobs.c, blobs_restore.c, sequences.c ---- */
bool blobs_copy(const PartSink *s, Pg *from, Content *c, json_t *ret_record, Err *err);
/* `database`: its record in the manifest; what arrives is held against it. */
bool blobs_restore(Transfer *t, const Bundle *b, const json_t *database, Pg *to, int64_t *ret_n,
                   Err *err);
bool sequences_set(Pg *to, const Content *c, Err *err);
bool sequences_to_bundle(BundleWriter *w, const char *dir, const Content *c, Err *err);
