/* part_sql.h: the two COPY statements of a part. */
#pragma once

#include "sql/sql.h"
#include "transfer/read/parts_plan.h"

bool part_whole(const Part *p); /* it is all of its table */
/* COPY .. TO STDOUT on the source: its range, its columns as they are to be spelled. */
void part_out_sql(const Part *p, const char *encoding, Sql *q);
/* COPY .. FROM STDIN on the target; `freeze`: the table is truncated in the same transaction. */
void part_in_sql(const Part *p, const char *encoding, bool freeze, Sql *q);
