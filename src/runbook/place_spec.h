/* place_spec.h: what a runbook may say of a kind of place that a server can live in.
 *
 * The loader and lint read these rows; place/place.h has the rest of each kind. Like the rows of a
 * step kind (param.h) they are written once, in the kind's own file. */
#pragma once

#include "runbook/param.h"

typedef struct PlaceSpec {
        const char *name; /* "container"; the word after `kind:` where it has `fields` */

        /* ---- `via:` of a target of kind postgres ---- */
        const ParamSpec *via;     /* keys it adds to `via:`; NULL: no server lives there */
        const char *const *marks; /* a `via:` with one of these means this place; ends with NULL */
        const char *words;        /* what to write, for a hint: "compose and service" */
        const char *needs;        /* a key that must stand beside a mark, or NULL */
        const char *needs_beside; /* beside what, for the message: "a compose project" */
        const char *refers;       /* a key of `via:` whose text names a target, or NULL */

        /* ---- a target of its own: `{kind: NAME, ..}` ---- */
        const ParamSpec *fields; /* its keys but `kind` and `identity`; NULL: no such target */
        bool has_identity;       /* `identity:` may say who it must be */

        /* ---- a secret: `{from: SECRET_FROM, ..}` ---- */
        const char *secret_from;    /* NULL: no secrets come from there */
        const ParamSpec *secret_of; /* its keys but `from` */

        /* ---- done_if ---- */
        const ParamSpec *condition; /* one row, the key that asks it; NULL: nothing is asked */
} PlaceSpec;

/* Every kind there is, ending with NULL; made by src/place/meson.build. */
extern const PlaceSpec *const place_specs[];
