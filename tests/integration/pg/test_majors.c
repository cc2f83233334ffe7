/* test_majors.c: the table of majors against the servers themselves. What a new major brings or
 * drops fails here with its name, until ./dev majors has written it down and somebody has read the
 * diff. */
#include <stdio.h>

#include "base/jsonx.h"
#include "base/majors.h"
#include "lab.h"

typedef struct Kind {
        const char *name;
        const MajorFact *facts;
        const char *sql;
} Kind;

static const Kind kinds[] = {
        { "setting", major_settings,
          "select json_object_agg(name, case when context in ('user', 'superuser', 'backend', "
          "'superuser-backend') then 's' else 'p' end) from pg_settings where name !~ '[.]'" },
        { "column", major_columns,
          "select json_object_agg(c.relname || '.' || a.attname, 'c') from pg_class c join "
          "pg_attribute a on a.attrelid = c.oid where c.relnamespace = 'pg_catalog'::regnamespace "
          "and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped" },
        { "keyword", major_keywords,
          "select json_object_agg(word, lower(catcode::text)) from pg_get_keywords()" },
};

static json_t *ask(int major, const Kind *kind)
{
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_ERR err = { 0 };
        AUTO_FREE char *text = lab_value(pg, kind->sql);
        json_t *names = jx_parse(text, strlen(text), &err);
        cr_assert(json_object_size(names) > 400 || kind == kinds, "%s", err.message);
        return names;
}

static const MajorFact *fact(const Kind *kind, const char *name)
{
        for (const MajorFact *f = kind->facts; f->name; f++)
                if (str_eq(f->name, name))
                        return f;
        return NULL;
}

/* Every row of the table, asked of one server. */
static void rows_hold(const Kind *kind, int major, const json_t *names)
{
        for (const MajorFact *f = kind->facts; f->name; f++) {
                char is = *jx_str(names, f->name, "");
                bool there = major_fact_holds(f, MIN(major, MAJOR_NEWEST)) || f->kind == is;
                if (!f->sometimes && there)
                        cr_expect_eq(f->kind, is,
                                     "PostgreSQL %d: %s %s is '%c', the table says '%c'", major,
                                     kind->name, f->name, is ? is : '-', f->kind);
                if (!f->sometimes && !major_fact_holds(f, MIN(major, MAJOR_NEWEST)))
                        cr_expect_neq(f->kind, is,
                                      "PostgreSQL %d: %s %s is there, the table says it is not",
                                      major, kind->name, f->name);
        }
}

/* What one of two majors has and the other has not stands in the table. */
static void only_one_has(const Kind *kind, int major, const json_t *here, int other,
                         const json_t *there)
{
        const char *name;
        json_t *is;
        json_object_foreach((json_t *)here, name, is)
                cr_expect(json_equal(is, jx_get(there, name)) || fact(kind, name),
                          "PostgreSQL %d has %s %s ('%s'), %d has '%s', and the table does not "
                          "know: ./dev majors",
                          major, kind->name, name, json_string_value(is), other,
                          jx_str(there, name, "-"));
}

static size_t lab_majors(int *ret, size_t max)
{
        size_t n = 0;
        const char *p = getenv("PGSHERPA_LAB_MAJORS");
        for (int major, used; p && n < max && sscanf(p, "%d%n", &major, &used) == 1; p += used)
                ret[n++] = major;
        return n;
}

Test(majors, what_came_and_went_is_what_the_servers_say)
{
        int majors[32];
        size_t n = lab_majors(majors, LEN(majors));
        cr_assert_geq(n, 2, "two majors at least: %zu", n);
        for (size_t k = 0; k < LEN(kinds); k++) {
                AUTO_JSON before = NULL;
                for (size_t i = 0; i < n; i++) {
                        AUTO_JSON names = ask(majors[i], &kinds[k]);
                        rows_hold(&kinds[k], majors[i], names);
                        if (before) {
                                only_one_has(&kinds[k], majors[i], names, majors[i - 1], before);
                                only_one_has(&kinds[k], majors[i - 1], before, majors[i], names);
                        }
                        json_decref(before);
                        before = json_incref(names);
                }
        }
}

/* The archives that its pg_dump writes begin with their format. */
Test(majors, a_servers_image_and_its_dates_are_in_order)
{
        for (int m = MAJOR_OLDEST; m <= MAJOR_NEWEST; m++) {
                const Major *one = major_find(m);
                cr_assert_not_null(one);
                cr_expect_eq(one->number, m);
                cr_expect(m == MAJOR_OLDEST ||
                                  strcmp(one->released, major_find(m - 1)->released) > 0,
                          "%d", m);
                cr_expect(m == MAJOR_OLDEST || one->archive >= major_find(m - 1)->archive, "%d", m);
                cr_expect_eq(major_of_archive(one->archive) <= m, true, "%d", m);
        }
        cr_expect_null(major_find(MAJOR_NEWEST + 1));
        cr_expect_eq(major_like(MAJOR_NEWEST + 1)->number, MAJOR_NEWEST);
}

/* A setting of a session that one server has and another has not is refused there, or is what we
 * call it. */
Test(majors, what_is_left_out_is_refused_and_what_is_renamed_is_taken)
{
        int majors[32];
        size_t n = lab_majors(majors, LEN(majors)), asked = 0;
        for (size_t i = 0; i < n; i++) {
                AUTO_PG Pg *pg = lab_open(majors[i], NULL);
                for (const MajorFact *f = major_settings; f->name; f++) {
                        SettingFate fate = setting_fate(f->name, NULL, majors[i]);
                        AUTO_FREE char *q = xasprintf(
                                "select current_setting('%s', true) is not null", f->name);
                        AUTO_FREE char *there = lab_value(pg, q);
                        AUTO_FREE char *now =
                                xasprintf("select current_setting('%s', true) is not null",
                                          fate.now ? fate.now : "work_mem");
                        AUTO_FREE char *renamed = lab_value(pg, now);
                        cr_expect_str_eq(renamed, "t", "%d: %s is said to be %s", majors[i],
                                         f->name, fate.now);
                        /* ssl_ecdh_curve is read under its old name, too */
                        if (!f->sometimes && fate.verdict != SETTING_RENAMED)
                                cr_expect_eq(fate.verdict == SETTING_SAME, str_eq(there, "t"),
                                             "%d: %s", majors[i], f->name);
                        asked++;
                }
        }
        cr_expect_gt(asked, 100);
}

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}
