/* proof.h: pg_compare() as its callers run it: what differs in text, the target is asked about. */
#pragma once

#include "lab.h"
#include "pg/compare.h"

/* Both connections are to the lab's servers. */
bool proof(Pg *source, Pg *target, const CompareOptions *o, json_t **ret, Err *err) MUST_CHECK;
