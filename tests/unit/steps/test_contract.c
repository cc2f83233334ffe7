/* test_contract.c: what every step kind promises, asked of each of them. */
#include <criterion/criterion.h>
#include <ctype.h>

#include "engine/step.h"

#define EACH_KIND(k)                                                                               \
        for (const StepKind *const *p_ = step_kinds; *p_; p_++)                                    \
                for (const StepKind *k = *p_; k; k = NULL)

static void one_line_of_help(const char *kind, const char *what, const char *text)
{
        cr_assert_not_null(text, "%s: %s has no help", kind, what);
        cr_assert(*text, "%s: %s has an empty help", kind, what);
        cr_assert_null(strchr(text, '\n'), "%s: help of %s is more than a line", kind, what);
        cr_assert_neq(text[strlen(text) - 1], '.', "%s: help of %s ends with a full stop", kind,
                      what);
}

static void rows_are_told(const char *kind, const ParamSpec *rows)
{
        for (const ParamSpec *r = rows; r && r->name; r++) {
                one_line_of_help(kind, r->name, r->help);
                for (const char *c = r->name; *c; c++)
                        cr_assert(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
                                          *c == '_',
                                  "%s: `%s` is not a name a runbook can say", kind, r->name);
                if (r->fields)
                        rows_are_told(kind, r->fields);
        }
}

Test(steps, are_sorted_and_named_like_their_files)
{
        const char *before = "";
        EACH_KIND(k)
        {
                cr_assert_gt(strcmp(k->name, before), 0, "%s stands after %s", k->name, before);
                before = k->name;
                for (const char *c = k->name; *c; c++)
                        cr_assert(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
                                          strchr("._", *c),
                                  "%s", k->name);
        }
}

Test(steps, say_what_they_do_and_what_they_take)
{
        EACH_KIND(k)
        {
                one_line_of_help(k->name, "summary", k->summary);
                rows_are_told(k->name, k->params);
                rows_are_told(k->name, k->results);
        }
}

Test(steps, can_be_planned_and_run)
{
        EACH_KIND(k)
        {
                cr_assert_not_null(k->run, "%s has no run()", k->name);
                cr_assert_not_null(k->plan, "%s cannot say what it would do", k->name);
        }
}

/* tests/integration/steps/dry_*.c prove that what it says is so. */
Test(steps, that_write_can_be_tried_dry)
{
        EACH_KIND(k)
        {
                if (k->traits & STEP_READ_ONLY)
                        cr_assert_null(k->dry, "%s only reads: it runs, instead of being tried",
                                       k->name);
                else
                        cr_assert_not_null(k->dry,
                                           "%s writes and has no dry(): nobody knows "
                                           "before the downtime whether it can",
                                           k->name);
        }
}

Test(steps, that_only_read_have_nothing_to_undo)
{
        EACH_KIND(k)
        {
                if (k->traits & STEP_READ_ONLY)
                        cr_assert_null(k->undo, "%s only reads, yet can be undone", k->name);
        }
}

Test(steps, that_write_can_be_asked_after_a_crash)
{
        EACH_KIND(k)
        {
                if (!(k->traits & STEP_READ_ONLY))
                        cr_assert_not_null(k->probe, "%s writes and has no probe()", k->name);
        }
}

Test(steps, that_delete_have_no_undo_to_promise)
{
        EACH_KIND(k)
        {
                if (k->traits & STEP_DESTRUCTIVE)
                        cr_assert_null(k->undo, "%s deletes, yet promises an undo", k->name);
        }
}

Test(steps, are_found_by_name_and_the_nearest_is_named_otherwise)
{
        AUTO_ERR err = { 0 };
        cr_assert_not_null(step_kind_find("note", &err));
        cr_assert_null(step_kind_find("nots", &err));
        cr_assert_not_null(strstr(err.hint, "`note`"));
}
