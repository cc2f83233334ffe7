/* compose_proof.h: two answers of `docker compose config`, and that they differ in one thing.
 *
 * Pure. Values never go into an error: they may be passwords. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"

typedef struct ProofWish {
        const char *service;
        const char *image; /* or NULL, and then: */
        const char *volume, *target, *data_dir;
} ProofWish;

/* Does this configuration say what is wished? */
bool proof_says_so(const json_t *config, const ProofWish *w, Err *err) MUST_CHECK;
/* ... and differ from the one before in nothing else? */
bool proof_of_change(const json_t *before, const json_t *after, const ProofWish *w,
                     Err *err) MUST_CHECK;
/* Does a mount at `target` hold this directory? */
bool proof_holds(const char *target, const char *dir);
