/* holds.h: what rows alone can break, found on the source before anything stands still.
 *
 *      holds_check(source, &(HoldsAsked){ .deep = true }, found, err)
 *        -> {"object": "constraint is_dir on table files", "what": "rows that do not satisfy it any
 * more: 2", "verdict": "refused", "how": "correct them, or ..", "find": "select ctid, * from .."}
 *
 * A schema that the target takes is not yet a load that ends: its rows go through CHECKs, generated
 * columns, indexes, foreign keys and materialized views, and these are evaluated anew, with an
 * empty search_path as every restore has it (since CVE-2018-1058). What the source once let in need
 * not hold any more: a function was changed, or finds its tables only by a path; a constraint was
 * valid when a row came; an index is corrupt and let a second one in.
 *
 * So each is asked on the source as the load will ask it: of every row, with an empty search_path,
 * read only, as the table's owner. A function may undo that (RESET ROLE): those of a table whose
 * owner may do less than we are not run here but said; a load runs them at the latest, on the
 * target. `deep` false: only what calls functions or operators that users made, since what is
 * PostgreSQL's own does not change its mind; true: everything, and every unique index and foreign
 * key over all rows. Exclusion constraints are not: nothing short of building their index tells. */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"

/* Where it is. Bytes are those of the tables that are read, each once for every question about
 * it. */
typedef struct HoldsState {
        const char *object; /* that is asked about now, as pg_describe_object() says it */
        int done, total;
        int64_t bytes, bytes_total;
} HoldsState;

typedef struct HoldsAsked {
        bool deep;
        void (*told)(void *arg, const HoldsState *now); /* before each question, or NULL */
        void *arg;
} HoldsAsked;

/* On a connection to the database, in no transaction. What is found is appended, as direction.h
 * says. */
bool holds_check(Pg *source, const HoldsAsked *o, json_t *found, Err *err) MUST_CHECK;
