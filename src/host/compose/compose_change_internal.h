/* compose_change_internal.h: one try of a change, and the ways to make it. Inside compose only. */
#pragma once

#include "host/compose_change.h"
#include "host/compose/compose_edit_internal.h"
#include "host/compose/compose_shadow.h"

struct ComposeChange {
        Compose *c;
        json_t *files;  /* compose files, an override of ours included */
        json_t *config; /* what Compose reads now; NULL: not asked yet */
        Overlay now;    /* files as they shall be */
        char *diff[LEN(((Overlay *)0)->f)];
        bool override_only;
};

/* One try: files on top of what is there, thrown away unless it is proven. */
typedef struct Draft {
        ComposeChange *ch;
        Overlay o;
        json_t *files;
        char *diff[LEN(((Overlay *)0)->f)];
        const char *service;
        const char *image; /* of one of the two */
        const ComposeVolumeWish *volume;
} Draft;

/* Takes over what the project's files are to be so far. */
void draft_begin(Draft *d, ComposeChange *ch);
void draft_done(Draft *d);
#define AUTO_DRAFT CLEANUP(draft_done) Draft

/* Changes the draft; false without an error is a way that does not apply. The last ones write an
 * override file. */
typedef bool ComposeWay(Draft *d, Err *err);
enum { COMPOSE_WAYS = 8, COMPOSE_OVERRIDES = 2 };
extern ComposeWay *const compose_ways[COMPOSE_WAYS];
