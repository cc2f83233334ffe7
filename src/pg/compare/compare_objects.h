/* compare_objects.h: objects of two catalogs against each other, aspect by aspect. Of this room
 * only; compare.h is the door. */
#pragma once

#include "pg/report.h"
#include "pg/reprint.h"
#include "pg/tablelist.h"

typedef struct ObjectsCompare {
        Report *report;
        const TableScope *scope; /* NULL: everything */
        const json_t *map_roles; /* {"old": "new"}; NULL: names are the same */
        int source_major, target_major;
        const Reprinter *reprinter; /* NULL: texts are compared as each side prints them */
        const char *snapshots[2];   /* of source and target; NULL: as they are now */
        json_t *pending;            /* texts that differ, until the target has been asked */
        /* what only comes with the rows, or at a copy's end, is left out */
        bool rowless;
        bool subscriptions; /* what is not compared of them has been said */
} ObjectsCompare;

/* Both sides: dictionaries of one kind, by name; `t` NULL: nothing there. */
void objects_compare_kind(ObjectsCompare *c, const char *kind, const json_t *s, const json_t *t);
/* Live: merged, a batch at a time, and reprinted. Inside the transactions that are the
 * snapshots. */
bool objects_compare_live(ObjectsCompare *c, Pg *source, Pg *target, Err *err) MUST_CHECK;
/* After all kinds: what of the texts that differed is the same to the target. */
bool objects_compare_reprinted(ObjectsCompare *c, Err *err) MUST_CHECK;
/* Says in the report of what rows were not read: materialized views and foreign tables. */
void objects_report_unread(Report *r, int64_t views, int64_t foreign);
/* {"count", "content", "bytes", "owners"} of table_data_large_objects() on both sides. */
void objects_compare_large(ObjectsCompare *c, const json_t *s, const json_t *t);
