/* The golden journals are what the journal writes today, byte for byte. */
#include "golden_runs.h"
#include "journal/verbs.h"
#include "scratch.h"

static void compare_or_update(const char *name, const char *suffix, const char *bytes, size_t n)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = golden_path(name, suffix);
        if (str_eq(getenv("PGSHERPA_GOLDEN"), "update")) {
                cr_assert(io_replace_file(path, bytes, n, 0644, &err), "%s", err.message);
                return;
        }
        AUTO_FREE char *kept = NULL;
        size_t m = 0;
        cr_assert(io_read_file(path, 16 << 20, &kept, &m, &err),
                  "%s (run with "
                  "PGSHERPA_GOLDEN=update once)",
                  err.message);
        for (size_t i = 0; i < MIN(n, m); i++)
                cr_assert_eq(kept[i], bytes[i],
                             "%s%s differs at byte %zu: golden \"%.60s\", now "
                             "\"%.60s\"",
                             name, suffix, i, kept + i, bytes + i);
        cr_assert_eq(n, m, "%s%s: one is longer", name, suffix);
}

Test(golden, journals_are_what_is_written_today)
{
        setenv("TZ", "UTC", 1);
        for (const GoldenRun *g = golden_runs; g->name; g++) {
                AUTO_DIR dir = scratch_dir();
                g->write(dir);
                size_t n;
                AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
                compare_or_update(g->name, ".jsonl", bytes, n);
        }
}

Test(golden, logs_say_what_the_journals_hold)
{
        static const char *const formats[] = { "md", "txt", "json", "lines" };
        setenv("TZ", "UTC", 1);
        for (const GoldenRun *g = golden_runs; g->name; g++) {
                AUTO_FREE char *path = golden_path(g->name, ".jsonl");
                for (size_t i = 0; i < LEN(formats); i++) {
                        AUTO_ERR err = { 0 };
                        AUTO_FREE char *suffix = xasprintf(".%s", formats[i]);
                        AUTO_FREE char *text = NULL;
                        cr_assert(journal_log(path, formats[i], &text, &err), "%s", err.message);
                        compare_or_update(g->name, suffix, text, strlen(text));
                }
        }
}
