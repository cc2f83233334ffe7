#include "app/data/comparison.h"

#include <stdio.h>

#include "base/io.h"
#include "pg/report_text.h"

static CompareOptions with_work(Work *w, const CompareOptions *wanted)
{
        CompareOptions o = wanted ? *wanted : (CompareOptions){ 0 };
        o.cancel = work_flag(w);
        o.progress = work_compared;
        o.progress_arg = w;
        return o;
}

bool comparison_run_bundle(Work *w, const Bundle *b, const char *database, Pg *target,
                           const CompareOptions *wanted, json_t **ret_report, Err *err)
{
        CompareOptions o = with_work(w, wanted);
        work_cancels_connections(w, target, NULL);
        bool ok = transfer_compare(b, database, target, &o, ret_report, err);
        work_cancels_connections(w, NULL, NULL);
        return ok;
}

bool comparison_run(Work *w, Pg *source, Pg *target, const ReprintPlan *asks,
                    const CompareOptions *wanted, json_t **ret_report, Err *err)
{
        CompareOptions o = with_work(w, wanted);
        ReprintPlan plan = asks ? *asks : (ReprintPlan){ 0 };
        plan.cancel = work_flag(w);
        AUTO_REPRINTING r = asks ? reprinting_new(&plan) : NULL;
        if (r)
                o.reprinter = reprinting_of(r);
        work_cancels_connections(w, source, target);
        bool ok = pg_compare(source, target, &o, ret_report, err);
        work_cancels_connections(w, NULL, NULL);
        return ok;
}

void comparison_print(const json_t *report, const char *format)
{
        AUTO_BUF b = buf_init(REPORT_TEXT_MAX);
        report_write(report, format, &b);
        fputs(buf_str(&b), stdout);
}

bool comparison_save(const json_t *report, const char *format, const char *path, Err *err)
{
        AUTO_BUF b = buf_init(REPORT_TEXT_MAX);
        report_write(report, format, &b);
        return io_replace_file(path, buf_str(&b), b.len, 0600, err) ||
               err_wrap(err, "writing the report");
}
