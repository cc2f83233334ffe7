/* graph.h: everything between the tables' making and the end, as one graph of tasks: rows, large
 * objects, indexes, constraints, statistics, and the rest of the schema. graph_internal.h draws
 * it. */
#pragma once

#include "dumps/toc.h"
#include "transfer/choose/content.h"
#include "transfer/transfer.h"

typedef struct GraphPlan {
        Transfer *t;
        const PgParams *source; /* NULL: out of a bundle */
        const char *database, *snapshot;
        const PgParams *target; /* NULL: only into a bundle */
        const char *into;
        Content *content;
        const Toc *toc;
        BundleWriter *writer; /* or NULL */
        const char *dir;      /* the database's in the bundle that is written */
        json_t *blobs;        /* the record of the large objects, to be filled */
        const Bundle *bundle; /* where rows come from without a source */
        const json_t *record;
        int64_t *n_blobs; /* out of the bundle */
        Table **first;    /* of the content: in this order, before the others */
        size_t n_first;
} GraphPlan;
bool graph_run(const GraphPlan *p, Err *err);
