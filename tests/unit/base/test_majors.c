#include <criterion/criterion.h>

#include "base/majors.h"

static void becomes(const char *name, const char *value, int major, const char *now)
{
        SettingFate f = setting_fate_own(name, value, major);
        cr_expect_eq(f.verdict,
                     str_eq(now, name) ? SETTING_SAME
                     : *now            ? SETTING_RENAMED
                                       : SETTING_LEFT_OUT,
                     "%s %d", name, major);
        if (f.verdict == SETTING_RENAMED)
                cr_expect_str_eq(f.now, now);
        cr_expect_eq(f.why != NULL, f.verdict != SETTING_SAME, "%s %d", name, major);
}

Test(majors, a_setting_of_a_role_stays_is_renamed_or_left_out)
{
        becomes("work_mem", "64MB", 19, "work_mem");
        becomes("app.tenant", "7", 12, "app.tenant");
        becomes("force_parallel_mode", "on", 15, "force_parallel_mode");
        becomes("force_parallel_mode", "on", 16, "debug_parallel_query");
        becomes("FORCE_PARALLEL_MODE", "on", 19, "debug_parallel_query");
        becomes("debug_parallel_query", "on", 15, "force_parallel_mode");
        becomes("operator_precedence_warning", "on", 14, "");
        becomes("operator_precedence_warning", "on", 13, "operator_precedence_warning");
        becomes("escape_string_warning", "off", 18, "escape_string_warning");
        becomes("escape_string_warning", "off", 19, "");
        becomes("vacuum_truncate", "off", 18, "vacuum_truncate");
        becomes("vacuum_truncate", "off", 17, "");
        becomes("md5_password_warnings", "off", 17, "");
        becomes("transaction_timeout", "5s", 16, "");
}

Test(majors, a_setting_that_was_the_servers_alone_is_no_roles)
{
        becomes("wal_receiver_timeout", "1min", 19, "wal_receiver_timeout");
        becomes("wal_receiver_timeout", "1min", 18, "");
        cr_expect_eq(setting_fate("wal_receiver_timeout", "1min", 18).verdict, SETTING_SAME);
        becomes("allow_system_table_mods", "on", 12, "");
}

Test(majors, strings_are_standard_from_19_on_whatever_was_said)
{
        static const char *const on[] = { "on", "true", "t", "yes", "y", "1", "ON", "tru" };
        static const char *const off[] = { "off", "false", "no", "0", "of" };
        for (size_t i = 0; i < LEN(on); i++)
                becomes("standard_conforming_strings", on[i], 19, "standard_conforming_strings");
        for (size_t i = 0; i < LEN(off); i++) {
                becomes("standard_conforming_strings", off[i], 19, "");
                becomes("standard_conforming_strings", off[i], 18, "standard_conforming_strings");
        }
        cr_expect(setting_fate("standard_conforming_strings", "off", 19).meaning);
        cr_expect_not(setting_fate("escape_string_warning", "off", 19).meaning);
        becomes("default_with_oids", "on", 12, "");
}

Test(majors, a_name_of_a_name_is_only_taken_where_that_is_known)
{
        cr_expect_eq(setting_fate("io_workers", NULL, 19).verdict, SETTING_RENAMED);
        cr_expect_eq(setting_fate("io_max_workers", NULL, 18).verdict, SETTING_RENAMED);
        cr_expect_eq(setting_fate("io_max_workers", NULL, 17).verdict, SETTING_LEFT_OUT);
        cr_expect_eq(setting_fate("io_workers", NULL, 17).verdict, SETTING_LEFT_OUT);
}

Test(majors, images_and_archives_are_those_of_the_major)
{
        AUTO_FREE char *old = NULL;
        AUTO_FREE char *new = NULL;
        AUTO_FREE char *a = major_pgdata(17, &old);
        AUTO_FREE char *b = major_pgdata(19, &new);
        char words[MAJOR_ARCHIVES_SIZE];
        cr_expect_str_eq(a, "/var/lib/postgresql/data");
        cr_expect_str_eq(old, "/var/lib/postgresql/data");
        cr_expect_str_eq(b, "/var/lib/postgresql/19/docker");
        cr_expect_str_eq(new, "/var/lib/postgresql");
        cr_expect_eq(major_of_layout(), 18);
        cr_expect_eq(major_of_archive(13), MAJOR_OLDEST);
        cr_expect_eq(major_of_archive(14), 12);
        cr_expect_eq(major_of_archive(15), 16);
        cr_expect_eq(major_of_archive(16), 17);
        cr_expect_eq(major_of_archive(17), 0);
        cr_expect_str_eq(major_archives_words(words),
                         "1.14 to 1.16 are known (PostgreSQL 12 to 19)");
}

Test(majors, a_word_that_was_a_name_is_known_by_the_major_that_took_it)
{
        cr_expect_eq(major_new_word("SYSTEM_USER", 11, 17)->since, 16);
        cr_expect_null(major_new_word("system_user", 11, 15));
        cr_expect_eq(major_new_word("json", 4, 18)->since, 17);
        cr_expect_null(major_new_word("json", 4, 16), "there it is a word, and a name");
        cr_expect_null(major_new_word("repack", 6, 19));
        cr_expect_null(major_new_word("select", 6, 19), "it never was one");
}

Test(majors, one_that_is_newer_than_the_table_is_said_and_no_other)
{
        AUTO_FREE char *words = major_newer_words(MAJOR_NEWEST + 1);
        cr_expect_str_eq(words, "PostgreSQL 20 is newer than 19, the newest this pgsherpa knows");
        cr_expect_null(major_newer_words(MAJOR_NEWEST));
}
