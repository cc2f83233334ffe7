#include "proof.h"

#include "transfer/reprinter.h"

bool proof(Pg *source, Pg *target, const CompareOptions *o, json_t **ret, Err *err)
{
        PgParams from, to;
        CompareOptions mine = *o;
        cr_assert(lab_params(pg_major(source), pg_database(source), &from));
        cr_assert(lab_params(pg_major(target), pg_database(target), &to));
        ReprintPlan plan = { .source = &from, .target = &to, .cancel = o->cancel };
        AUTO_REPRINTING r = reprinting_new(&plan);
        mine.reprinter = reprinting_of(r);
        return pg_compare(source, target, &mine, ret, err);
}
