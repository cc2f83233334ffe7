/* place.h: where a server can live: who is it, and how is it reached there?
 *
 * A target of kind postgres says in `via:` where its server lives: in a container, as a service of
 * a Compose project, at an address. Everything that depends on this is one PlaceKind, in a file of
 * its own (host.c, container.c, compose.c). A new kind is one more file and one word in
 * meson.build: docs/first-place.md makes one in ten minutes. Nobody else reads the keys of `via:`.
 *
 *      PgParams p = { 0 };
 *      if (!place_pg_params(arena, target, NULL, &p, err) || !pg_open(&p, &pg, err))
 *              return false;
 *
 * Some places are targets of their own as well ({kind: compose, dir: /srv/app}), keep secrets, or
 * answer a condition of done_if. A function that a kind leaves NULL means "not here".
 *
 * Contract of every function of a PlaceKind: it only looks, and never changes anything. It may be
 * called from several threads at a time, and keeps no state. Errors say what was looked for and
 * where; ERR_USER when the runbook or the place must change, ERR_LINK when it may answer later. No
 * password goes into an error, a log, or a command's arguments. */
#pragma once

#include "base/arena.h"
#include "engine/target.h"
#include "pg/conn.h"
#include "runbook/place_spec.h"

/* How steps call what a server lives in. All borrowed from the target; NULL or 0: it has none. */
typedef struct PlaceNames {
        const char *container; /* name of its container, or the beginning of its id */
        const char *stack;     /* of its Compose project: the target's name, else the directory */
        const char *dir;       /* directory of that project, as written */
        const char *service;   /* of that project */
        int port_here;         /* TCP port at this machine's loopback address */
} PlaceNames;

typedef struct PlaceKind {
        PlaceSpec spec; /* what a runbook may say of it */

        /* ---- a server that lives there; `t` is of kind postgres, and `via:` has one of the marks
         * ---- */

        /* Where does it listen, now? Sets ret->host (an address, a name, or a socket's directory),
         * ret->port, and ret->system where the place knows the system identifier of the server it
         * means: then pg_open() refuses another one that answers there. Strings live in the arena.
         * Leaves user, database and password alone. Must return within seconds and may not connect
         * to the server: that is the caller's. Required where spec.via is set. */
        bool (*address)(Arena *a, const Target *t, PgParams *ret, Err *err);
        /* How do steps call what it lives in? Fills *ret (zeroed) from the target's own words,
         * without looking at the machine; so it also works in preflight, before the place is there.
         * NULL: it has no names. */
        void (*names)(const Target *t, PlaceNames *ret);
        /* The container it lives in: name or id, malloc()ed. An error when it has none now. NULL:
         * it never lives in one. */
        bool (*container)(const Target *t, char **ret, Err *err);

        /* ---- the place as a target of its own; `t` is of kind spec.name ---- */

        /* Who is it really? Adds to `who`, for a runbook's `identity:` and the journal: {"project":
         * ".."}. Asked at every use of the target. NULL: nothing can be mistaken. */
        bool (*identify)(const Target *t, json_t *who, Err *err);
        /* Name of the lock that keeps two runs off it, malloc()ed; unique on this machine, a file's
         * name
         * ("compose-shop"). NULL: it needs none. */
        bool (*lock_name)(const Target *t, char **ret, Err *err);

        /* ---- what else may be asked of it ---- */

        /* The condition of done_if that has the key spec.condition ({"compose_image": "db",
         * "equals": ".."}): is it so already? Required where spec.condition is set. */
        bool (*done_if)(const Target *t, const json_t *cond, bool *ret, Err *err);
        /* The secret that `{from: SECRET_FROM, ..}` means (`spec`, resolved); `targets` are all of
         * the run. The error calls it `name`. The caller frees *ret. Required where
         * spec.secret_from is set. */
        bool (*secret)(const char *name, const json_t *spec, const json_t *targets, Secret **ret,
                       Err *err);
} PlaceKind;

/* Every kind, sorted by name, ending with NULL; made by meson.build. */
extern const PlaceKind *const place_kinds[];

/* The `via:` of a server; NULL for other targets. Borrowed. */
const json_t *place_via(const Target *t);
/* The kind of place a server lives in; NULL: its `via:` names none. */
const PlaceKind *place_of(const Target *t);
/* The kind of a target that is a place itself ({kind: NAME}); NULL: there is none. */
const PlaceKind *place_named(const char *kind);
/* The kind that keeps secrets of `{from: FROM}`; NULL: none does. */
const PlaceKind *place_of_secret(const char *from);

/* Parameters for connecting to `t`, whose strings live in the arena; `app` is "pgsherpa".
 * `database` NULL or "": the target's own, else its user's name. A target that is no server is
 * ERR_USER. */
bool place_pg_params(Arena *a, const Target *t, const char *database, PgParams *ret,
                     Err *err) MUST_CHECK;
PlaceNames place_names(const Target *t);
/* The image of the container it lives in, as it was asked for ("postgres:16"). In the arena. NULL:
 * in no container, or it could not be seen. `cancel` may be NULL. */
const char *place_image(Arena *a, const Target *t, const volatile bool *cancel);
/* For a kind: "the target does not say where its server is", as an error. Always false. */
bool place_nowhere(Err *err);

/* ---- server.c: the engine's questions (engine/target.h has their contracts) ---- */
bool place_identify(const Target *t, json_t **ret, Err *err) MUST_CHECK;
bool place_lock_name(const Target *t, char **ret, Err *err) MUST_CHECK;
bool place_done_if(const Target *t, const json_t *cond, bool *ret, Err *err) MUST_CHECK;
/* Connects to a server for a question of the engine's, with a statement_timeout of 30 s. */
bool place_pg_open(const Target *t, const char *database, Pg **ret, Err *err) MUST_CHECK;
