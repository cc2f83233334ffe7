/* verb_compare.c: `pgsherpa compare --from .. --to ..`: are two databases equal? */
#include <stdio.h>

#include "app/comparing.h"
#include "app/endpoint.h"
#include "app/flags.h"
#include "app/verb.h"

typedef struct Compare {
        const char *from, *to, *from_file, *to_file, *format;
        bool        json, quiet;
        json_t     *ignore;
} Compare;

static void compare_done(Compare *c)
{
        json_decref(c->ignore);
}

static int compare_now(const Compare *c, Endpoint *from, Endpoint *to)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON report = NULL;
        if (!endpoint_open(from, from->database, &source, &err) ||
            !endpoint_open(to, to->database, &target, &err))
                return verb_fail(&err, verb_work_code(&err, true));
        AUTO_WORK w = work_begin(c->quiet);
        if (!comparing(w, source, target, c->ignore, &report, &err))
                return verb_fail(&err, verb_work_code(&err, true));
        comparing_print(report, c->format);
        return jx_bool(report, "equal", false) ? EXIT_DONE : EXIT_NO;
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_ENDPOINT from = { 0 };
        AUTO_ENDPOINT to = { 0 };
        Compare CLEANUP(compare_done) c = { .format = "txt", .ignore = json_array() };
        size_t n;
        const Flag flags[] = {
                { "--from", .value = &c.from },
                { "--from-password-file", .value = &c.from_file },
                { "--to", .value = &c.to },
                { "--to-password-file", .value = &c.to_file },
                { "--ignore", .list = c.ignore },
                { "--format", .value = &c.format },
                { "--json", .set = &c.json },
                { "--quiet", .set = &c.quiet },
                { 0 },
        };
        if (!flags_read(flags, argc, argv, NULL, 0, &n, &err) ||
            !endpoint_read("--from", c.from, c.from_file, &from, &err) ||
            !endpoint_read("--to", c.to, c.to_file, &to, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!from.database || !to.database)
                return verb_usage("compare", "%s needs db=NAME", from.database ? "--to" : "--from");
        if (c.json)
                c.format = "json";
        if (!str_eq(c.format, "txt") && !str_eq(c.format, "md") && !str_eq(c.format, "json"))
                return verb_usage("compare", "--format is txt, md or json");
        return compare_now(&c, &from, &to);
}

const Verb verb_compare = {
        .name = "compare",
        .args = "--from host=..,port=..,user=..,db=.. --to host=..,port=..,user=..,db=.. "
                "[--from-password-file PATH] [--to-password-file PATH] [--ignore KIND].. "
                "[--json|--format md] [--quiet]",
        .summary = "are two databases equal? Every row and every object; exit code 1: no",
        .run = run,
};
