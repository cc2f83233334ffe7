/* reprint.h: the same expression, printed by one server.
 *
 * PostgreSQL keeps an expression as a tree and prints it when asked, and what it prints is not
 * stable: `e in ('a', 'b')` on a varchar is printed (ARRAY['a'::varchar, ..])::text[], and after
 * one dump and load ARRAY[('a'::varchar)::text, ..]. Majors differ in qualifiers, quotes, casts
 * and line breaks on top of it. So no rule over two texts can tell a changed expression from one
 * that was only printed again.
 *
 * The target can. A Reprinter makes the schema of one side, without rows, in a scratch database
 * of the target's server, the way a copy would; what the target prints there for an object is
 * what it makes of that side's text. The chains
 *
 *      source, loaded once, loaded from there once more, ..
 *      the target as it is, loaded once, ..
 *
 * end in texts that do not change any more. Two objects are the same when a text of one chain is
 * a text of the other: all of them were printed by one server. Nothing of this happens while no
 * two texts differ, and a fresh copy needs one load: it is the source, loaded once. */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"

enum { REPRINT_SOURCE, REPRINT_TARGET };

typedef struct Reprinter {
        /* A connection to a database of the target's server that holds the schema of that side: at
         * the first call of a side as it is now (in `snapshot`, if not NULL), then as loaded from
         * what the last call made. Lives until the next call for that side. What nothing in `kinds`
         * ({"index": true, ..}, the kinds of the texts that are asked about) needs may be left out.
         * ERR_SERVER, ERR_USER: it cannot be done, and texts are compared as they are. */
        bool (*open)(void *arg, int side, const char *snapshot, const json_t *kinds, Pg **ret,
                     Err *err);
        void *arg;
} Reprinter;

/* Is this aspect of this kind an expression that the server prints, and may print otherwise? */
bool reprint_knows(const char *kind, const char *aspect);

/* `pending`: [{"kind", "object", "aspect", "source", "target"}, ..], whose texts differ. Sets
 * "same" in those that are the same to the target. False: it could not be asked. */
bool reprint_settle(const Reprinter *r, json_t *pending, const char *const snapshots[2],
                    Err *err) MUST_CHECK;
