/* verb_compare.c: `pgsherpa compare --from .. --to ..`: are two databases equal? */
#include <stdio.h>

#include "app/data/comparison.h"
#include "app/data/endpoint.h"
#include "app/cli/flags.h"
#include "app/cli/verb.h"
#include "base/io.h"
#include "pg/report_text.h"

typedef struct Compare {
        EndpointWords from, to;
        const char *database, *format, *output, *jobs;
        bool json, quiet, deep, bundle, no_scratch;
        json_t *ignore, *schemas, *tables;
        CompareOptions o;
} Compare;

static void compare_done(Compare *c)
{
        json_decref(c->ignore);
        json_decref(c->schemas);
        json_decref(c->tables);
}

static int tell(const Compare *c, const json_t *report)
{
        AUTO_ERR err = { 0 };
        if (!c->output) {
                comparison_print(report, c->format);
        } else {
                AUTO_FREE char *verdict = report_verdict(report);
                if (!comparison_save(report, c->format, c->output, &err))
                        return verb_fail(&err, EXIT_UNKNOWN);
                puts(verdict);
        }
        return jx_bool(report, "equal", false) ? EXIT_DONE : EXIT_NO;
}

static int compare_now(const Compare *c, Endpoint *from, Endpoint *to)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON report = NULL;
        if (!endpoint_open_both(from, to, to->database, &source, &target, &err))
                return verb_fail(&err, verb_work_code(&err, true));
        AUTO_WORK w = work_begin(work_show(c->quiet, c->json));
        PgParams old = endpoint_params(from, from->database),
                 new = endpoint_params(to, to->database);
        ReprintPlan asks = { .source = &old, .target = &new };
        if (!comparison_run(w, source, target, c->no_scratch ? NULL : &asks, &c->o, &report, &err))
                return work_fail(w, &err, verb_work_code(&err, true));
        return tell(c, report);
}

static int compare_bundle(const Compare *c, Endpoint *to)
{
        AUTO_ERR err = { 0 };
        AUTO_BUNDLE b = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON report = NULL;
        if (!bundle_open(c->from.text, &b, &err))
                return verb_fail(&err, verb_bundle_code(c->from.text, &err));
        if (!bundle_database(b, c->database ? c->database : "", &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!endpoint_open(to, to->database, &target, &err))
                return verb_fail(&err, verb_work_code(&err, true));
        AUTO_WORK w = work_begin(work_show(c->quiet, c->json));
        if (!comparison_run_bundle(w, b, c->database ? c->database : "", target, &c->o, &report,
                                   &err))
                return work_fail(w, &err, verb_work_code(&err, true));
        return tell(c, report);
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_ENDPOINT from = { 0 };
        AUTO_ENDPOINT to = { 0 };
        Compare CLEANUP(compare_done) c = { .format = "text",
                                            .ignore = json_array(),
                                            .schemas = json_array(),
                                            .tables = json_array() };
        size_t n;
        const Flag flags[] = {
                ENDPOINT_FLAGS("--from", c.from),       ENDPOINT_FLAGS("--to", c.to),
                { "--database", .value = &c.database }, { "--deep", .set = &c.deep },
                { "--schema", .list = c.schemas },      { "--table", .list = c.tables },
                { "--ignore", .list = c.ignore },       { "--no-scratch", .set = &c.no_scratch },
                { "--jobs", .value = &c.jobs },         { "--format", .value = &c.format },
                { "-o", .value = &c.output },           { "--json", .set = &c.json },
                { "--quiet", .set = &c.quiet },         { 0 },
        };
        if (!flags_read(flags, argc, argv, NULL, 0, &n, &err) ||
            !flags_jobs(c.jobs, &c.o.jobs, &err))
                return verb_fail(&err, EXIT_USAGE);
        c.bundle = c.from.text && strchr(c.from.text, '/') && io_exists(c.from.text);
        if ((!c.bundle &&
             !endpoint_read("--from", c.from.text, c.from.password_file, &from, &err)) ||
            !endpoint_read("--to", c.to.text, c.to.password_file, &to, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!to.database || (!c.bundle && !from.database))
                return verb_usage("compare", "%s needs db=NAME", to.database ? "--from" : "--to");
        if (c.database && !c.bundle)
                return verb_usage("compare",
                                  "--database chooses one in a bundle; here it is db=NAME");
        if (c.json)
                c.format = "json";
        if (str_eq(c.format, "txt"))
                c.format = "text";
        if (!str_eq(c.format, "text") && !str_eq(c.format, "md") && !str_eq(c.format, "json"))
                return verb_usage("compare", "--format is text, md or json");
        c.o.ignore = c.ignore;
        c.o.schemas = c.schemas;
        c.o.tables = c.tables;
        c.o.deep = c.deep;
        return c.bundle ? compare_bundle(&c, &to) : compare_now(&c, &from, &to);
}

const Verb verb_compare = {
        .name = "compare",
        .args = "--from host=..,port=..,user=..,db=..|./BUNDLE [--database NAME] --to "
                "host=..,port=..,user=..,db=.. [--from-password-file PATH] [--to-password-file "
                "PATH] [--deep] [--schema NAME].. [--table SCHEMA.NAME].. [--ignore KIND].. "
                "[--no-scratch] [--jobs N] [--json|--format md] [-o FILE] [--quiet]",
        .summary = "are two databases equal? Every row and every object; exit code 1: no",
        .run = run,
};
