/* pg_step.h: a step kind on the lab's servers, as the tests of this folder try them. */
#pragma once

#include "sample.h"
#include "step_ctx_fake.h"

extern const StepKind step_pg_analyze, step_pg_check, step_pg_collation, step_pg_collation_refresh,
        step_pg_collisions, step_pg_login, step_pg_reindex, step_pg_textsearch_update,
        step_pg_compare, step_pg_database_create, step_pg_database_rename, step_pg_fence,
        step_pg_inventory, step_pg_ready, step_pg_role_create, step_pg_roles_copy, step_pg_sql,
        step_pg_terminate;

/* On that server; parameters as JSON text. */
FakeStep pg_step(const StepKind *kind, int major, const char *database, const char *fmt, ...)
        PRINTF(4, 5);
void pg_step_target(FakeStep *f, const char *name, int major, const char *database);
bool pg_step_exists(int major, const char *database);

#define MUST(ok, err) cr_assert((ok), "%s", (err).message)
