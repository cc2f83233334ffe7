/* data_steps.h: what the kinds that move data share: a Transfer that reports to its step.
 *
 *      AUTO_STEPTRANSFER st = {0};
 *      Transfer *t = kit_transfer(ctx, &st);          // progress, log, tolerance, cancel
 */
#pragma once

#include "engine/step_ctx.h"
#include "pg/clients.h"
#include "transfer/transfer.h"

typedef struct StepTransfer {
        StepCtx *ctx;
        Transfer *t;
        int cancel;
} StepTransfer;

/* With as many workers as the parameter `jobs` says, where the kind has one. */
Transfer *kit_transfer(StepCtx *ctx, StepTransfer *st);
void kit_transfer_done(StepTransfer *st);
#define AUTO_STEPTRANSFER CLEANUP(kit_transfer_done) StepTransfer

/* The row of kinds whose transfer has workers, and the part of their check() that reads it. */
#define JOBS_PARAM                                                                                 \
        {                                                                                          \
                .name = "jobs", .type = PARAM_INT, .fallback = "0",                                \
                .help = "workers at a time, up to 32, changeable while it runs; 0: by cores and "  \
                        "free memory"                                                              \
        }
void kit_jobs_check(StepCtx *ctx);

/* Connection parameters that say who we are in pg_stat_activity. */
bool kit_transfer_params(StepCtx *ctx, const Target *t, const char *database, PgParams *ret,
                         Err *err) MUST_CHECK;
/* The image of the container a target lives in, for finding clients; NULL: no container. Arena. */
const char *kit_target_image(StepCtx *ctx, const Target *t);
/* Results every transfer has: tables, rows, bytes, objects, sequences, large_objects, client,
 * tolerated; and the line in the log. */
void kit_transfer_results(StepCtx *ctx, const TransferResult *r);
extern const ParamSpec kit_transfer_fields[]; /* of pg.copy and pg.restore */

/* The temporary database of this step. begin: drops the one an earlier try left, chooses a
 * name, remembers it. created: remembers the OID (TransferCopy.created, arg is the context).
 * finish: remembers that it is whole, with the results. */
bool kit_temporary_begin(StepCtx *ctx, const char **ret_name, const char **ret_marker,
                         Err *err) MUST_CHECK;
bool kit_temporary_created(void *ctx, int64_t oid, Err *err);
bool kit_temporary_finish(StepCtx *ctx, Err *err) MUST_CHECK;
bool kit_temporary_probe(StepCtx *ctx, Found *ret, Err *err) MUST_CHECK;
bool kit_temporary_undo(StepCtx *ctx, Err *err) MUST_CHECK;
/* Chooses a name for a bundle, locks it as this run's way back until the run is closed, and
 * remembers it: before its first byte. The path lives in the arena. */
bool kit_bundle_begin(StepCtx *ctx, const char *root, const char *name, const char **ret,
                      Err *err) MUST_CHECK;
/* Undo: the bundle stays, and is nobody's way back any more. */
bool kit_bundle_undo(StepCtx *ctx, Err *err) MUST_CHECK;
/* Removes the .part an earlier try of this step left; never a finished bundle. */
bool kit_part_remove(StepCtx *ctx, Err *err) MUST_CHECK;
