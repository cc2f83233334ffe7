#include "base/majors.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* 18 moved the data into a directory of its major, and the volume one level up
 * (docker-library/postgres, pull request 1259). When the last fixes of 19 come was not told when
 * this was written. */
static const Major majors[] = {
        { 12, "2019-10-03", "2024-11-21", 14, false },
        { 13, "2020-09-24", "2025-11-13", 14, false },
        { 14, "2021-09-30", "2026-11-12", 14, false },
        { 15, "2022-10-13", "2027-11-11", 14, false },
        { 16, "2023-09-14", "2028-11-09", 15, false },
        { 17, "2024-09-26", "2029-11-08", 16, false },
        { 18, "2025-09-25", "2030-11-14", 16, true },
        { 19, "2026-11-19", NULL, 16, true },
};
_Static_assert(LEN(majors) == MAJOR_NEWEST - MAJOR_OLDEST + 1, "a row for each major");

const Major *major_find(int number)
{
        return number < MAJOR_OLDEST || number > MAJOR_NEWEST ? NULL
                                                              : &majors[number - MAJOR_OLDEST];
}

const Major *major_like(int number)
{
        return &majors[MAX(MIN(number, MAJOR_NEWEST), MAJOR_OLDEST) - MAJOR_OLDEST];
}

char *major_newer_words(int number)
{
        return number <= MAJOR_NEWEST
                       ? NULL
                       : xasprintf("PostgreSQL %d is newer than %d, the newest this pgsherpa knows",
                                   number, MAJOR_NEWEST);
}

char *major_pgdata(int number, char **ret_mount)
{
        bool own = major_like(number)->own_directory;
        *ret_mount = xstrdup(own ? "/var/lib/postgresql" : "/var/lib/postgresql/data");
        return own ? xasprintf("/var/lib/postgresql/%d/docker", number)
                   : xstrdup("/var/lib/postgresql/data");
}

int major_of_layout(void)
{
        const Major *m = majors;
        while (!m->own_directory)
                m++;
        return m->number;
}

int major_of_archive(int format)
{
        for (size_t i = 0; i < LEN(majors); i++)
                if (majors[i].archive >= format)
                        return majors[i].number;
        return 0;
}

const char *major_archives_words(char ret[static MAJOR_ARCHIVES_SIZE])
{
        snprintf(ret, MAJOR_ARCHIVES_SIZE, "1.%d to 1.%d are known (PostgreSQL %d to %d)",
                 majors[0].archive, majors[LEN(majors) - 1].archive, MAJOR_OLDEST, MAJOR_NEWEST);
        return ret;
}

const MajorFact *major_new_word(const char *word, size_t n, int major)
{
        for (const MajorFact *k = major_keywords; k->name; k++)
                if (strlen(k->name) == n && strncasecmp(k->name, word, n) == 0 && k->since &&
                    k->kind != 'u' && major_fact_holds(k, major))
                        return k;
        return NULL;
}

/* ---- settings ---- */

/* What people have to be told of those that went; of others that they went is said. `now`: the same
 * under another name, in both directions. */
static const struct Went {
        const char *name;
        int since;
        const char *now, *why;
} went[] = {
        { "wal_keep_segments", 13, "wal_keep_size", "counted in megabytes now" },
        { "operator_precedence_warning", 14, NULL, "it warned of the change of 9.5" },
        { "vacuum_cleanup_index_scale_factor", 14, NULL, "VACUUM decides by itself" },
        { "stats_temp_directory", 15, NULL, "statistics are in shared memory" },
        { "force_parallel_mode", 16, "debug_parallel_query", "only its name changed" },
        { "promote_trigger_file", 16, NULL, "pg_promote() and pg_ctl promote do it" },
        { "vacuum_defer_cleanup_age", 16, NULL, "hot_standby_feedback and slots do it" },
        { "lc_collate", 16, NULL, "it is a property of each database" },
        { "lc_ctype", 16, NULL, "it is a property of each database" },
        { "db_user_namespace", 17, NULL, "it was never finished" },
        { "old_snapshot_threshold", 17, NULL, "it gave wrong answers" },
        { "trace_recovery_messages", 17, NULL, "log_min_messages does it" },
        { "ssl_ecdh_curve", 18, "ssl_groups", "it takes a list now" },
        { "io_workers", 19, "io_max_workers", "their number follows the load, up to this" },
        { "escape_string_warning", 19, NULL, "it warned of strings that are no more" },
};

/* There, but with some values no more: `kept` alone is taken. */
static const struct Narrowed {
        const char *name;
        int since;
        const char *kept, *why;
} narrowed[] = {
        { "standard_conforming_strings", 19, "on",
          "a backslash in '..' is only itself there: where it meant more, write E'..'" },
        { "default_with_oids", 12, "off", "there are no tables WITH OIDS" },
};

static const struct Went *went_of(const char *name)
{
        for (size_t i = 0; i < LEN(went); i++)
                if (strcasecmp(went[i].name, name) == 0)
                        return &went[i];
        return NULL;
}

/* The other way: what the older major calls it. */
static const struct Went *came_of(const char *name)
{
        for (size_t i = 0; i < LEN(went); i++)
                if (went[i].now && strcasecmp(went[i].now, name) == 0)
                        return &went[i];
        return NULL;
}

/* Booleans are written in many ways, and a prefix of one is one, too (parse_bool()). */
static bool is_on(const char *value)
{
        static const char *const on[] = { "on", "true", "yes", "1" };
        size_t n = strlen(value);
        for (size_t i = 0; i < LEN(on) && n; i++)
                if (strncasecmp(on[i], value, n) == 0 && n <= strlen(on[i]) && (i || n == 2))
                        return true;
        return false;
}

static bool narrowed_out(const char *name, const char *value, int major, SettingFate *ret)
{
        for (size_t i = 0; i < LEN(narrowed); i++) {
                if (strcasecmp(narrowed[i].name, name) != 0 || major < narrowed[i].since ||
                    !value || is_on(value) == (strcmp(narrowed[i].kept, "on") == 0))
                        continue;
                *ret = (SettingFate){ SETTING_LEFT_OUT, NULL, narrowed[i].why, narrowed[i].since,
                                      true };
                return true;
        }
        return false;
}

/* The rows of one name; its major is the one after which, or before which, it is not as asked
 * for. */
static SettingFate fate(const char *name, const char *value, int major, bool own)
{
        SettingFate f = { SETTING_SAME };
        const MajorFact *before = NULL, *after = NULL;
        if (strchr(name, '.') || narrowed_out(name, value, major, &f))
                return f;
        for (const MajorFact *s = major_settings; s->name; s++) {
                if (strcasecmp(s->name, name) != 0)
                        continue;
                if (s->sometimes || (major_fact_holds(s, major) && (!own || s->kind == 's')))
                        return f;
                if (!own || s->kind == 's') {
                        if (major >= s->since)
                                before = s;
                        else
                                after = after ? after : s;
                } else if (major_fact_holds(s, major)) {
                        f.why = "only the server as a whole has it there";
                }
        }
        if (!before && !after)
                return (SettingFate){ f.why ? SETTING_LEFT_OUT : SETTING_SAME, NULL, f.why, 0,
                                      false };
        const struct Went *w = before ? went_of(name) : came_of(name);
        const char *now = !w ? NULL : before ? w->now : w->name;
        bool known = now && fate(now, NULL, major, own).verdict == SETTING_SAME;
        f.verdict = known ? SETTING_RENAMED : SETTING_LEFT_OUT;
        f.since = before ? before->before : after->since;
        f.now = known ? now : NULL;
        if (w && (before || known))
                f.why = w->why;
        else if (!f.why)
                f.why = before ? "there is no such setting any more"
                               : "there is no such setting yet";
        return f;
}

SettingFate setting_fate(const char *name, const char *value, int major)
{
        return fate(name, value, major, false);
}

SettingFate setting_fate_own(const char *name, const char *value, int major)
{
        return fate(name, value, major, true);
}
