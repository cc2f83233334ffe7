/* param.h: what one `with:` key of a step may hold.
 *
 * One row per key. The YAML loader, lint, the wizard's form, the man page and `explain` all
 * come from the same rows, so they cannot disagree:
 *
 *      static const ParamSpec params[] = {
 *              { .name = "image", .type = PARAM_IMAGE, .help = "image to pull" },
 *              { .name = "within", .type = PARAM_DURATION, .fallback = "15m", .help = ".." },
 *              { 0 },
 *      };
 *
 * A value reaches the step as json_t: string, name, version, image, path, url and sql as a
 * string; bool as a boolean; int, size (bytes) and duration (milliseconds) as an integer;
 * list as an array, map as an object. A secret arrives as {"$secret": "name"} and is opened
 * with step_secret(); a target as {"$target": "name"} or as an object written in place. */
#pragma once

#include "base/base.h"

/* The types of schema v1, one for one (runbook manual page, section TYPES). */
typedef enum ParamType {
        PARAM_STRING,
        PARAM_NAME,
        PARAM_BOOL,
        PARAM_INT,
        PARAM_SIZE,
        PARAM_DURATION,
        PARAM_VERSION,
        PARAM_IMAGE,
        PARAM_PATH,
        PARAM_URL,
        PARAM_EXPR,
        PARAM_SQL,
        PARAM_TARGET,
        PARAM_SECRET,
        PARAM_MAP,
        PARAM_LIST,
        PARAM_ANY, /* any value: `need: ${facts.src.extensions}` in results */
} ParamType;

typedef struct ParamSpec {
        const char *name;
        ParamType type;
        const char *fallback;           /* as written in YAML ("" for an empty string, "[]",
                                           "{}"; "~": left out; NULL: required) */
        const char *help;               /* one line, no full stop */
        const struct ParamSpec *fields; /* of a map or a list's items when they are maps */
        ParamType item;                 /* of a list without fields (0 = PARAM_STRING) */
} ParamSpec;

typedef enum StepTrait {
        STEP_READ_ONLY = 1 << 0,    /* never writes; always safe to run again */
        STEP_IDEMPOTENT = 1 << 1,   /* run() twice is the same as once */
        STEP_DESTRUCTIVE = 1 << 2,  /* asks the operator first, by name */
        STEP_NEEDS_WINDOW = 1 << 3, /* applications must be stopped */
        STEP_SHELL = 1 << 4,        /* the marked escape hatch: counted in the lint report */
        STEP_ON_SERVER = 1 << 5,    /* its target is a server (kind: postgres) */
        STEP_ON_PROJECT = 1 << 6,   /* its target is a compose project */
        STEP_ONLY_REPORTS = 1 << 7, /* its verdict counts where it is asked as a check (pre:,
                                       rollback.verify); as a step of its own it reports */
        STEP_LASTS = 1 << 8,        /* what it finds holds for later steps too: their pre: is
                                       asked in preflight already */
        STEP_FENCES = 1 << 9,       /* opens the fence of its phase around its target; what it
                                       remembered goes to TargetOps.fence_close */
        STEP_COUNTS = 1 << 10,      /* remembers what was written so far on the server it names as
                                       "target"; goes to TargetOps.writes_since on the way back */
} StepTrait;

/* What the runbook room needs to know of a step kind; engine/step.h has the rest. */
typedef struct KindSpec {
        const char *name;
        const char *summary;
        unsigned traits;
        const ParamSpec *params;
        const ParamSpec *results;
        bool undoable; /* has an undo() */
} KindSpec;

/* Every kind there is, ending with NULL; made by app from step_kinds[]. */
typedef const KindSpec *const *KindTable;
