/* dry() says yes: then run() does not fail for a reason that could be seen before. One row at least
 * for each kind that writes, each a failure planted on real servers, real Docker, real files. */
#include "dry_row.h"

#include "kit.h"

int main(int argc, char **argv)
{
        if (!str_eq(getenv("PGSHERPA_LAB_DOCKER"), "1")) {
                fprintf(stderr, "skipped: PGSHERPA_LAB_DOCKER is not set: no Docker engine of the "
                                "lab (./dev lab up)\n");
                return 77;
        }
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}

static int rows_of(const char *kind)
{
        const DryRow *const all[] = { dry_file_rows, dry_pg_rows, dry_pg_move_rows, dry_host_rows };
        int n = 0;
        for (size_t i = 0; i < LEN(all); i++)
                for (const DryRow *r = all[i]; r->kind; r++)
                        n += str_eq(r->kind, kind);
        return n;
}

Test(dry, has_a_row_for_every_kind_that_writes)
{
        for (const StepKind *const *k = step_kinds; *k; k++)
                if (!((*k)->traits & STEP_READ_ONLY))
                        cr_expect_gt(rows_of((*k)->name), 0,
                                     "%s writes, and nothing is planted for its dry()", (*k)->name);
}

Test(dry, files_and_commands, .timeout = 120)
{
        dry_prove(dry_file_rows, NULL);
}

Test(dry, work_on_a_server, .timeout = 300)
{
        dry_prove(dry_pg_rows, NULL);
}

Test(dry, data_that_moves, .timeout = 600)
{
        dry_prove(dry_pg_move_rows, NULL);
}

Test(dry, docker_and_compose, .timeout = 900)
{
        AUTO_KIT k = kit_new_with(17, "--up=db");
        dry_prove(dry_host_rows, &k);
}
