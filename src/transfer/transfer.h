/* transfer.h: one database, from a server or a bundle, to a server, a bundle, or both.
 *
 *      AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .cancel = flag, .progress = show });
 *      TransferCopy c = { .source = old, .target = &new_server, .database = "app",
 *                         .into = "pgsherpa_r1_1", .bundle = writer };
 *      TransferResult r;
 *      if (!transfer_copy(t, &c, &r, err)) ...
 *
 * One connection exports a snapshot; pg_dump, the readers of tables and large objects see that
 * moment. The schema's entries run over libpq one by one, so an error has an object's name. What
 * is known to be harmless (harmless.h) is tolerated, then what the caller's hook decides, one error
 * at a time; everything else stops. Data never is tolerated:
 * rows read, rows sent and rows the target counted must be one number, for every table.
 *
 * The target database is created by us from template0, under a name the caller remembered
 * before; it carries `marker` as its comment until the end. transfer_drop() removes it again.
 *
 * Hooks may be called from other threads. transfer_cancel() may be, too: every connection is
 * cancelled, every child stopped, and the running call returns ERR_CANCELLED. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/jsonx.h"
#include "base/progress.h"
#include "bundle/bundle.h"
#include "pg/compare.h"

typedef struct Transfer Transfer;

typedef struct TransferHooks {
        void (*progress)(void *arg, const Progress *p);
        void (*say)(void *arg, const char *text); /* clean text, one line */
        /* One object that could not be made, and of no harmless class. True: go on without it.
         * NULL: never. */
        bool (*tolerate)(void *arg, const char *object, const Err *error);
        const volatile bool *cancel; /* for children, and between statements */
        int jobs;                    /* at the same time; 0: by cores and memory */
        void *arg;
} TransferHooks;

Transfer *transfer_new(const TransferHooks *hooks) MUST_CHECK;
void transfer_cancel(Transfer *t);
/* More or fewer workers, also while one runs; each has two connections. */
void transfer_set_jobs(Transfer *t, int jobs);
int transfer_jobs(Transfer *t); /* of what runs now; else what was asked for */
/* By so many more or fewer, between 1 and TRANSFER_JOBS; how many there are now. 0: what runs at
 * this moment is done by one alone, and nothing was changed. */
#define TRANSFER_JOBS 32
int transfer_change_jobs(Transfer *t, int delta);
/* Calls the progress hook now, with what is known: estimates age although nothing was heard. */
void transfer_tick(Transfer *t);
Transfer *transfer_free(Transfer *t);

typedef struct TransferCopy {
        PgParams source;
        const PgParams *target; /* NULL: only into the bundle */
        const char *database;   /* of the source */
        const char *into;       /* database to make on the target */
        const char *name;       /* it is to have in the end; NULL: not known */
        const char *marker;     /* its comment until it is whole */
        const json_t *prepared; /* of transfer_prepared(): what it is to be; or NULL */
        BundleWriter *bundle;   /* or NULL */
        bool dump;              /* also a whole pg_dump -Fc into the bundle */
        bool portable;          /* rows as text throughout */
        /* also what somebody changed of what extensions brought (pg/extension_rows.h) */
        bool extension_rows;
        bool every_row; /* a rehearsal asks everything of every row (holds.h) */
        /* Only these tables, as a person calls them, and schemas: ["public.orders"]; NULL: all */
        const json_t *only_tables, *only_schemas;
        const char *source_image, *target_image; /* where clients may be found; or NULL */
        /* Called when the target database exists, with its OID: what undo will look for. */
        bool (*created)(void *arg, int64_t oid, Err *err);
} TransferCopy;

typedef struct TransferResult {
        int64_t tables, /* as pg.inventory counts: partitioned ones and partitions */
                rows, bytes, sequences, large_objects, objects;
        json_t *tolerated; /* [{"object", "sqlstate", "message", "class", "reason"}] */
        json_t *kept;      /* [{"what": "owner", "kept": "app", "source": "postgres" or null, ..}]:
                              of what was prepared, where the source has it otherwise */
        char *client;      /* "pg_dump 17.6 in .." */
} TransferResult;

bool transfer_copy(Transfer *t, const TransferCopy *c, TransferResult *ret, Err *err) MUST_CHECK;

/* A table, or with `name` NULL a whole schema. */
typedef struct TransferName {
        const char *schema, *name;
} TransferName;

typedef struct TransferRestore {
        const Bundle *bundle;
        const char *database;     /* in the bundle; "": the only one */
        const TransferName *only; /* NULL: everything; else what subset.h makes of it */
        size_t n_only;
        const PgParams *target;
        const char *into, *marker;
        const char *name;       /* as of TransferCopy */
        const json_t *prepared; /* as of TransferCopy */
        bool (*created)(void *arg, int64_t oid, Err *err);
} TransferRestore;

bool transfer_restore(Transfer *t, const TransferRestore *c, TransferResult *ret,
                      Err *err) MUST_CHECK;
/* The chosen ones (`only`, at least one) into the database `into`, which exists and lives: in one
 * transaction. ERR_USER with 42P07: one of them is there already, and nothing was touched. */
bool transfer_restore_into(Transfer *t, const TransferRestore *c, TransferResult *ret,
                           Err *err) MUST_CHECK;
/* What a person called a table ("orders", "public.orders", "\"a.b\".\"c\""), in the bundle's
 * database; the strings live in the arena. */
bool transfer_table_named(const json_t *database, const char *words, Arena *a, TransferName *ret,
                          Err *err) MUST_CHECK;
void transfer_result_done(TransferResult *r);

/* ---- bundles of several databases ---- */
typedef struct TransferBackup {
        PgParams source;  /* its database is where roles are read */
        const char *path; /* from bundle_choose() */
        const char *run;
        const char *const *databases; /* NULL-terminated */
        bool dump, globals, portable;
        const json_t *only_tables, *only_schemas; /* of the only database; or NULL */
        const json_t *files;                      /* paths to keep under files/; or NULL */
        bool redact_env;                          /* .env files: names, values replaced */
        const char *image;                        /* where the source's client may be found */
} TransferBackup;

/* A whole bundle: roles, files, each database, finished and durable. */
bool transfer_backup(Transfer *t, const TransferBackup *b, BundleDone *ret, TransferResult *sum,
                     Err *err) MUST_CHECK;
/* Puts roles and files into a bundle that transfer_copy() then fills; and ends it. */
bool transfer_bundle_begin(Transfer *t, BundleWriter *w, const TransferBackup *b,
                           Err *err) MUST_CHECK;
bool transfer_bundle_end(Transfer *t, BundleWriter *w, BundleDone *ret, Err *err) MUST_CHECK;
/* Every byte, with a real pg_restore for dumps. Writes <path>.verify.json. */
bool transfer_verify(Transfer *t, const char *path, BundleReport *ret, Err *err) MUST_CHECK;
/* Reads every table of a restored database back: rows and hashes are those of the manifest. */
bool transfer_prove(Transfer *t, const Bundle *b, const char *database, const PgParams *target,
                    const char *into, int64_t *ret_tables, Err *err) MUST_CHECK;
/* Makes the roles of a bundle that the server does not have; those it has are left as they are.
 * *ret_made: how many. */
bool transfer_bundle_roles(Transfer *t, const Bundle *b, const PgParams *target, int *ret_made,
                           Err *err) MUST_CHECK;

/* The same as a report of everything that differs (pg/report.h), on a connection to that database:
 * rows and content of every table, sequences, extensions; only `o`'s scope. */
bool transfer_compare(const Bundle *b, const char *database, Pg *target, const CompareOptions *o,
                      json_t **ret, Err *err) MUST_CHECK;

/* ---- a file as pg_dump writes it ---- */
typedef struct TransferDump {
        PgParams source;
        const char *database, *path; /* <path>.part until it is whole */
        const char *image;
} TransferDump;
typedef struct TransferDumpDone {
        int64_t size;
        char sha256[65], client[24];
} TransferDumpDone;
/* pg_dump -Fc by the source's own major, then read to its end by that major's pg_restore. */
bool transfer_dump(Transfer *t, const TransferDump *d, TransferDumpDone *ret, Err *err) MUST_CHECK;

/* ---- temporary databases ---- */
/* pgsherpa_<run>_<n> with the lowest n that is free on that server; malloc()ed. Whoever is no run
 * puts something random into `run`: two that ask at one moment get the same name. */
bool transfer_temporary_name(const PgParams *target, const char *run, char **ret,
                             Err *err) MUST_CHECK;
/* Drops a database of ours: its OID is `oid`; or that was never learned (0), and its comment is
 * `marker`, or it has no comment and nothing in it. Anything else is left alone: ERR_USER. Gone:
 * fine. */
bool transfer_drop(const PgParams *target, const char *name, int64_t oid, const char *marker,
                   bool *ret_dropped, Err *err) MUST_CHECK;

/* ---- an empty database that somebody prepared (prepared.c) ---- */
/* What the database `in` is connected to was prepared to be; *ret NULL: nothing, it is as CREATE
 * DATABASE without a word makes one. That is: its owner is who we are, and a superuser; encoding,
 * locale, tablespace, extensions, schemas with their owners and grants, and default privileges are
 * template1's; no grants, limit, comment or settings. Where template1 cannot be looked into,
 * whatever is there was prepared. It must be empty (pg_database_is_empty()). */
bool transfer_prepared(Pg *in, json_t **ret, Err *err) MUST_CHECK;
/* TransferResult.kept as CompareOptions.ignore: exactly what the proof must not wonder about. */
json_t *transfer_kept_ignored(const json_t *kept) MUST_CHECK;

/* ---- an empty database, put down so that it can be made again (database_definition.c) ---- */
/* Of the database `in` is connected to. "set": names of its settings; their values are not in
 * it. */
bool transfer_database_definition(Pg *in, json_t **ret, Err *err) MUST_CHECK;
/* `pg` stands in another one, as somebody who may make databases. */
bool transfer_database_recreate(Pg *pg, const json_t *outline, const char *name,
                                Err *err) MUST_CHECK;

static inline void transfer_freep(Transfer **t)
{
        *t = transfer_free(*t);
}
#define AUTO_TRANSFER CLEANUP(transfer_freep) Transfer *
