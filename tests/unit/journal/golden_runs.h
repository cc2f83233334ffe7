/* golden_runs.h: four runs as an engine would journal them, with a clock of their own.
 *
 * They are written by the real journal_append() and kept in tests/golden/journals; every fold,
 * export and screen test may use them. After a wanted change of format:
 *
 *      PGSHERPA_GOLDEN=update meson test 'journal golden'      # then read the diff
 */
#pragma once

#include "journal/journal.h"

typedef struct GoldenRun {
        const char *name;
        void (*write)(const char *dir);
} GoldenRun;

extern const GoldenRun golden_runs[]; /* ends with {0} */

/* path of tests/golden/journals/<name><suffix>, malloc()ed */
char *golden_path(const char *name, const char *suffix);
