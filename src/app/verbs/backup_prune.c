/* backup_prune.c: `pgsherpa backup prune`, `lock` and `unlock`: which bundles stay. */
#include <stdio.h>
#include <unistd.h>

#include "app/verbs/backup.h"
#include "app/launch/bundle_locks.h"
#include "app/cli/flags.h"
#include "app/cli/verb.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "base/text.h"

#define DAY_MS     ((int64_t)24 * 60 * 60 * 1000)
#define NUMBER_MAX 100000 /* bundles, days: 270 years */

typedef struct Prune {
        const char *dir, *last, *days, *name;
        bool dry, yes, json;
        int64_t n, bytes; /* that go */
} Prune;

static bool number(const char *option, const char *text, int64_t least, int64_t *ret, Err *err)
{
        char *end;
        long long n = strtoll(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || n < least || n > NUMBER_MAX)
                return err_set(err, ERR_USER, "%s wants a number from %lld to %d", option,
                               (long long)least, NUMBER_MAX);
        *ret = n;
        return true;
}

/* Those of another name are not spoken of. */
static json_t *only_named(json_t *all, const char *name)
{
        AUTO_FREE char *encoded = name ? bundle_encode(name) : NULL; /* as files have it */
        json_t *some = json_array(), *row;
        size_t i;
        json_array_foreach(all, i, row)
                if (!name || str_eq(jx_str(row, "name", ""), encoded))
                        json_array_append(some, row);
        return some;
}

static void show(const json_t *row)
{
        char size[24];
        AUTO_FREE char *path = text_clean_str(jx_str(row, "path", ""));
        AUTO_FREE char *why = text_clean_str(jx_str(row, "why", ""));
        printf("%-6s  %9s  %s\n        %s\n", jx_bool(row, "remove", false) ? "REMOVE" : "stays",
               jx_int(row, "size", -1) < 0 ? "?" : fmt_bytes(jx_int(row, "size", 0), size), path,
               why);
}

static void count(Prune *p, const json_t *list)
{
        size_t i;
        json_t *row;
        json_array_foreach(list, i, row) {
                if (!jx_bool(row, "remove", false))
                        continue;
                p->n++;
                p->bytes += jx_int(row, "size", 0);
        }
}

/* Exit code, or -1: go on. */
static int asked(const Prune *p)
{
        char answer[64], want[32];
        if (p->yes)
                return -1;
        if (!isatty(STDIN_FILENO) || p->json) {
                fprintf(stderr, "pgsherpa backup prune: nobody is there to be asked: nothing was "
                                "removed\n"
                                "hint: --yes removes them, --dry-run only shows them\n");
                return EXIT_REFUSED;
        }
        snprintf(want, sizeof want, "remove %lld", (long long)p->n);
        printf("type `%s` to remove them: ", want);
        fflush(stdout);
        if (!fgets(answer, sizeof answer, stdin))
                answer[0] = '\0';
        answer[strcspn(answer, "\n")] = '\0';
        if (str_eq(answer, want))
                return -1;
        puts("nothing was removed");
        return EXIT_CANCELLED;
}

/* The world may have moved while somebody thought: locks are looked at again by bundle_remove(). */
static int remove_all(const Prune *p, json_t *list)
{
        int64_t done = 0;
        size_t i;
        json_t *row;
        int code = EXIT_DONE;
        json_array_foreach(list, i, row) {
                AUTO_ERR err = { 0 };
                if (!jx_bool(row, "remove", false))
                        continue;
                bool ok = bundle_remove(jx_str(row, "path", ""), &err);
                jx_set_bool(row, "removed", ok);
                if (ok)
                        done++;
                else
                        code = verb_fail(&err, EXIT_NO);
        }
        if (!p->json)
                printf("%lld of %lld removed\n", (long long)done, (long long)p->n);
        return code;
}

static int prune(Prune *p, const BundleRule *rule)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON all = NULL;
        size_t i;
        json_t *row;
        char size[24];
        if (!bundle_list(p->dir, &all, &err))
                return verb_fail(&err, EXIT_UNKNOWN);
        AUTO_JSON list = only_named(all, p->name);
        json_array_foreach(list, i, row)
                bundle_locks_settle(row);
        bundle_prune_plan(list, rule);
        count(p, list);
        if (!p->json) {
                json_array_foreach(list, i, row)
                        show(row);
                printf("%lld of %zu bundles, %s, %s\n", (long long)p->n, json_array_size(list),
                       fmt_bytes(p->bytes, size),
                       p->dry ? "would be removed" : "are to be removed");
        }
        int code = p->n == 0 || p->dry ? EXIT_DONE : asked(p);
        if (code == -1)
                code = remove_all(p, list);
        if (p->json)
                backup_print_json(list);
        return code;
}

int backup_prune(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        Prune p = { 0 };
        const char *root = NULL, *words[1] = { NULL };
        BundleRule rule = { .now_ms = clock_wall_ms() };
        int64_t days = 0;
        size_t n;
        const Flag flags[] = {
                { "--keep-last", .value = &p.last }, { "--keep-days", .value = &p.days },
                { "--name", .value = &p.name },      { "--dry-run", .set = &p.dry },
                { "--root", .value = &root },        { "--yes", .set = &p.yes },
                { "--json", .set = &p.json },        { 0 },
        };
        if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err) ||
            (p.last && !number("--keep-last", p.last, 1, &rule.keep_last, &err)) ||
            !backup_root(words[0], root, &p.dir, &err) ||
            (p.days && !number("--keep-days", p.days, 0, &days, &err)))
                return verb_fail(&err, EXIT_USAGE);
        if (!p.last && !p.days)
                return verb_usage("backup", "prune wants --keep-last N, --keep-days D, or both");
        rule.keep_ms = days * DAY_MS;
        return prune(&p, &rule);
}

/* ---- locks, by hand ---- */

static int locking(int argc, char **argv, bool lock)
{
        AUTO_ERR err = { 0 };
        AUTO_BUNDLE b = NULL;
        AUTO_FREE char *was = NULL;
        const char *words[1], *run = "by hand";
        bool json = false;
        size_t n;
        const Flag both[] = { { "--json", .set = &json }, { 0 } };
        const Flag with_run[] = { { "--run", .value = &run }, { "--json", .set = &json }, { 0 } };
        if (!flags_read(lock ? with_run : both, argc, argv, words, LEN(words), &n, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (n != 1 || !*run)
                return verb_usage("backup", "%s wants a bundle", lock ? "lock" : "unlock");
        if (lock && !bundle_open(words[0], &b, &err)) /* a damaged one may be let go */
                return verb_fail(&err, verb_bundle_code(words[0], &err));
        was = bundle_locked_by(words[0]);
        if (lock && was && !str_eq(was, run)) {
                AUTO_FREE char *clean = text_clean_str(was);
                AUTO_FREE char *path = text_clean_str(words[0]);
                fprintf(stderr, "pgsherpa: %s is locked by run %s already\n", path, clean);
                return EXIT_REFUSED;
        }
        if (lock ? !bundle_lock(words[0], run, &err) : !bundle_unlock(words[0], NULL, NULL, &err))
                return verb_fail(&err, EXIT_UNKNOWN);
        if (json) {
                AUTO_JSON about = bundle_describe(words[0]);
                backup_print_json(about);
                return EXIT_DONE;
        }
        AUTO_FREE char *clean = text_clean_str(was ? was : "");
        if (lock)
                puts("locked: prune leaves it alone until `pgsherpa backup unlock`");
        else if (was)
                printf("unlocked; it was locked by run %s\n", clean);
        else
                puts("it was not locked");
        return EXIT_DONE;
}

int backup_lock(int argc, char **argv)
{
        return locking(argc, argv, true);
}

int backup_unlock(int argc, char **argv)
{
        return locking(argc, argv, false);
}
