/* verbs.c: every verb, in the order of the help text. */
#include "app/cli/verb.h"

extern const Verb verb_home, verb_run, verb_plan, verb_lint, verb_explain, verb_runs, verb_status,
        verb_attach, verb_resume, verb_log, verb_journal, verb_engine, verb_backup, verb_restore,
        verb_copy, verb_compare, verb_rollback, verb_ctl;

const Verb *const verbs[] = {
        &verb_run,     &verb_plan,    &verb_lint,   &verb_explain,  &verb_runs,
        &verb_status,  &verb_attach,  &verb_resume, &verb_rollback, &verb_ctl,
        &verb_log,     &verb_journal, &verb_backup, &verb_restore,  &verb_copy,
        &verb_compare, &verb_home,    &verb_engine, NULL,
};
