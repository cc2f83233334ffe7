/* bundle.h: one file that holds a database, and can prove it.
 *
 * <name>_YYYYMMDD_HHMMSS.pgs.tar is a plain tar, so that nobody needs us to open it:
 *
 *      README.txt                      how to restore with tar, zstd and psql
 *      globals.sql.zst                 roles, as pg_dumpall wrote them
 *      <db>/pre-data.sql.zst           tables, functions, types: run before the data
 *      <db>/data/<schema>.<table>/000001.copy.zst    COPY text; all parts, in order, are one stream
 *      <db>/large-objects/...  <db>/sequences.sql.zst  <db>/database.sql.zst
 *      <db>/post-data.sql.zst          indexes, constraints, triggers: run after the data
 *      <db>/schema.dump                what pg_dump wrote of the schema (custom format)
 *      <db>/restore.sh                 the commands of the README, for this database
 *      <db>/<db>.dump                  optional: a whole pg_dump -Fc (<db>.dump.000001 .. when
 * large) files/...                       compose file, names of .env manifest.json last: every
 * member's place, size and SHA-256
 *
 * Names are percent-encoded outside [A-Za-z0-9_-] (else "a.b".c and a."b.c" are one path), and
 * cut with a hash behind a ~ when longer than a directory may be; the manifest has the real ones.
 *
 * Writing: the file grows as <path>.part (O_EXCL, 0600); bundle_finish() makes it durable and
 * gives it its name. Hashes are taken of what is written, while it is written. Until then the
 * bundle does not exist: bundle_writer_free() removes the .part.
 *
 *      bundle_choose(root, "app", &path, err);         // remember it, then
 *      bundle_create(path, &(BundleOptions){ .run = run }, &w, err);
 *      bundle_add(w, "globals", "globals.sql.zst", sql, n, err);
 *      bundle_stream_new(w, "data", dir, ".copy.zst") .. bundle_stream_write(s, row, n, err) ..
 *      bundle_finish(w, &done, err);
 *
 * Threads: each worker has a stream of its own; compressing happens in the worker, appending
 * under the writer's lock. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"

#define BUNDLE_FORMAT "pgsherpa-bundle/1"

/* ---- names ---- */
/* One part of a path for a name of any bytes; malloc()ed. */
char *bundle_encode(const char *name) MUST_CHECK NONNULL;
/* "<schema>.<table>", both encoded; at most 255 bytes. */
char *bundle_table_dir(const char *schema, const char *table) MUST_CHECK NONNULL;
/* A path below `root` (made 0700 when missing) that is free now, for this second. */
bool bundle_choose(const char *root, const char *name, char **ret_path, Err *err) MUST_CHECK;

/* ---- writing ---- */
typedef struct BundleWriter BundleWriter;
typedef struct BundleStream BundleStream;

typedef struct BundleOptions {
        const char *run; /* for the manifest; may be NULL */
        int level;       /* of zstd; 0: 1 */
        size_t chunk;    /* plain bytes a member; 0: 8 MiB; they grow when many */
} BundleOptions;

bool bundle_create(const char *path, const BundleOptions *o, BundleWriter **ret,
                   Err *err) MUST_CHECK;
/* One member at once. A name ending in .zst is compressed here. */
bool bundle_add(BundleWriter *w, const char *kind, const char *name, const void *bytes, size_t n,
                Err *err) MUST_CHECK;
/* A stream cut into <dir>/000001<suffix>, .. ; a suffix without .zst is stored as it is (a dump
 * that is compressed already). What one write brings stays in one member, unless it is huge. */
#define BUNDLE_HUGE ((int64_t)64 << 20)
BundleStream *bundle_stream_new(BundleWriter *w, const char *kind, const char *dir,
                                const char *suffix) MUST_CHECK;
#define BUNDLE_NUMBERS 999999 /* of members in one directory: six digits */
/* As above, for one of several writers of one directory: numbers from `before` + 1 on, so that
 * the order of the names is the order of the rows; at most `room` members. */
BundleStream *bundle_stream_new_part(BundleWriter *w, const char *kind, const char *dir,
                                     const char *suffix, int before, int room) MUST_CHECK;
/* As above, but <prefix>.000001 ..; a stream of one member is just <prefix>. */
BundleStream *bundle_stream_new_file(BundleWriter *w, const char *kind,
                                     const char *prefix) MUST_CHECK;
bool bundle_stream_write(BundleStream *s, const void *bytes, size_t n, Err *err) MUST_CHECK;
bool bundle_stream_end(BundleStream *s, int *ret_members, Err *err) MUST_CHECK;
BundleStream *bundle_stream_free(BundleStream *s);
/* The object that becomes manifest.json; fill in "server", "databases", "roles" .. Not from
 * worker threads. */
json_t *bundle_manifest(BundleWriter *w);
int64_t bundle_written(const BundleWriter *w); /* bytes on disk so far */

typedef struct BundleDone {
        char *path; /* free with free() */
        int64_t size, members;
        char sha256[65]; /* of the whole file */
} BundleDone;
bool bundle_finish(BundleWriter *w, BundleDone *ret, Err *err) MUST_CHECK;
/* Unfinished: the .part is removed. */
BundleWriter *bundle_writer_free(BundleWriter *w);

/* ---- words for people without us ---- */
/* README.txt for these databases (their records of the manifest); malloc()ed. */
char *bundle_readme(const json_t *manifest) MUST_CHECK;
/* <db>/restore.sh for one database record; malloc()ed. */
char *bundle_restore_script(const json_t *database) MUST_CHECK;

/* ---- reading ---- */
typedef struct Bundle Bundle;
typedef bool (*BundleSink)(void *arg, const void *bytes, size_t n, Err *err);

/* Finds, checks and parses the manifest; reads nothing else. */
bool bundle_open(const char *path, Bundle **ret, Err *err) MUST_CHECK;
const json_t *bundle_manifest_of(const Bundle *b);
/* For row_hash(): what the hashes of this manifest's rows were made with. */
uint64_t bundle_row_seed(const json_t *manifest);
/* What is to be said wherever such a hash was all there was. */
#define BUNDLE_OLDER_HASH                                                                          \
        "this bundle has the older hash of rows (seed 0): make a new backup when you can"
const char *bundle_path(const Bundle *b);
/* The record of a database by its real name, or the only one when `name` is "" or NULL. */
const json_t *bundle_database(const Bundle *b, const char *name, Err *err) MUST_CHECK;
/* The plain bytes of one member; both hashes are checked on the way, the last word is the
 * return value: what went to the sink before may be wrong. Safe in many threads at once. */
bool bundle_read(const Bundle *b, const char *member, BundleSink sink, void *arg,
                 Err *err) MUST_CHECK;
bool bundle_read_all(const Bundle *b, const char *member, size_t max, char **ret, size_t *ret_len,
                     Err *err) MUST_CHECK;
/* The same as it is stored, without unpacking; its hash is checked. */
bool bundle_read_stored(const Bundle *b, const char *member, BundleSink sink, void *arg,
                        Err *err) MUST_CHECK;
bool bundle_has(const Bundle *b, const char *member);
/* -1: not there, or stored as it is */
int64_t bundle_plain_size(const Bundle *b, const char *member);
/* Every part of a table or dump, in order. */
bool bundle_read_parts(const Bundle *b, const json_t *parts, BundleSink sink, void *arg,
                       Err *err) MUST_CHECK;
/* Names of the parts of <dir>/NNNNNN<suffix> or <prefix>[.NNNNNN], as a new array. */
json_t *bundle_parts(const Bundle *b, const char *stem);
Bundle *bundle_free(Bundle *b);

/* ---- proving ---- */
typedef struct BundleVerifyHooks {
        void (*progress)(void *arg, int64_t done, int64_t total, const char *member);
        /* Reads a pg_dump -Fc to its end with a real pg_restore; NULL: hashes only. Sets
         * *ret_note ("read by pg_restore 15.20", or why it could not be); malloc()ed. */
        bool (*dump)(void *arg, const Bundle *b, const json_t *parts, char **ret_note, Err *err);
        /* Does what the manifest says of a database (its record) fit the schema that is kept of it?
         * False: *err says what does not; NULL: nobody asks. */
        bool (*schema)(void *arg, const Bundle *b, const json_t *database, Err *err);
        const volatile bool *cancel;
        void *arg;
} BundleVerifyHooks;

typedef struct BundleReport {
        json_t *bad;   /* [{"member", "why"}]; empty: every byte is as written */
        json_t *notes; /* [text] */
        int64_t members, bytes, plain_bytes, rows;
        char self[65];     /* which bundle that was: the last hash of its manifest */
        char *restored_on; /* it was also restored and compared there; or NULL */
} BundleReport;

/* Reads every byte. Damage is in ret->bad, not an error; false: could not even look. */
bool bundle_verify(const char *path, const BundleVerifyHooks *hooks, BundleReport *ret,
                   Err *err) MUST_CHECK;
/* Writes <path>.verify.json (when, verdict), which list shows. */
bool bundle_note_verify(const char *path, const BundleReport *r, Err *err) MUST_CHECK;
void bundle_report_done(BundleReport *r);

/* ---- finding ---- */
/* Bundles in a directory, newest first: [{"path","file","name","created","created_ms","size",
 * "server","databases":[..],"run","verified":iso or null,"good","level","locked":run or null,
 * "problem":text or null}]. "good" only when that very file was verified. */
bool bundle_list(const char *root, json_t **ret, Err *err) MUST_CHECK;
/* One row of that list. New reference. */
json_t *bundle_describe(const char *path) MUST_CHECK;

/* ---- keeping ---- */
/* A bundle that is a run's way back: <path>.locked says whose. Locking again is fine. */
bool bundle_lock(const char *path, const char *run, Err *err) MUST_CHECK;
/* `run` NULL: whosever lock it is. Another run's lock stays, which is not an error; neither is
 * none. *ret_was (may be NULL): whose it was, malloc()ed, or NULL. */
bool bundle_unlock(const char *path, const char *run, char **ret_was, Err *err) MUST_CHECK;
/* The run; "(unknown)" of a lock that cannot be read; NULL: not locked. malloc()ed. */
char *bundle_locked_by(const char *path) MUST_CHECK;

typedef struct BundleRule {
        int64_t keep_last; /* of each name; at least 1 */
        int64_t keep_ms;   /* younger ones stay; 0: age does not matter */
        int64_t now_ms;
} BundleRule;
/* Marks each row of bundle_list(): "remove": bool, "why": text. Kept: the newest of each name,
 * those younger than the rule, locked ones, the newest verified good one of each name, and what
 * cannot be read: that may be somebody's only copy. */
void bundle_prune_plan(json_t *list, const BundleRule *rule);
/* Removes a bundle and its .verify.json. Refuses what is locked, and what is not one of ours. */
bool bundle_remove(const char *path, Err *err) MUST_CHECK;

/* ---- taking out ---- */
/* Members into a directory, which is made when missing (0700) and must be empty. `members` NULL:
 * every one. A .zst is unpacked when `plain`, and loses that ending. Names are those of the
 * manifest, checked; no link is followed. */
typedef struct BundleExtract {
        const char *dir;
        const json_t *members; /* names; NULL: all */
        bool plain;
        const volatile bool *cancel;
        void (*progress)(void *arg, int64_t done, int64_t total, const char *member);
        void *arg;
} BundleExtract;
bool bundle_extract(const Bundle *b, const BundleExtract *o, int64_t *ret_members,
                    Err *err) MUST_CHECK;

static inline void bundle_writer_freep(BundleWriter **w)
{
        *w = bundle_writer_free(*w);
}
static inline void bundle_stream_freep(BundleStream **s)
{
        *s = bundle_stream_free(*s);
}
static inline void bundle_freep(Bundle **b)
{
        *b = bundle_free(*b);
}
#define AUTO_BUNDLEWRITER CLEANUP(bundle_writer_freep) BundleWriter *
#define AUTO_BUNDLESTREAM CLEANUP(bundle_stream_freep) BundleStream *
#define AUTO_BUNDLE       CLEANUP(bundle_freep) Bundle *
