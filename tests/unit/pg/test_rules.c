#include <criterion/criterion.h>

#include "pg/clients.h"
#include "pg/compare.h"
#include "pg/report_text.h"
#include "pg/roles.h"
#include "pg/compare/rules.h"

static const char *excused(const char *kind, const char *object, const char *aspect, int from,
                           int to, const char *source, const char *target)
{
        AUTO_JSON a = source ? json_loads(source, JSON_DECODE_ANY, NULL) : NULL;
        AUTO_JSON b = target ? json_loads(target, JSON_DECODE_ANY, NULL) : NULL;
        AUTO_JSON owner = json_pack("{s:s}", "owner", "app");
        RuleCase c = { .kind = kind,
                       .object = object,
                       .aspect = aspect,
                       .source = a,
                       .target = b,
                       .source_major = from,
                       .target_major = to,
                       .source_object = owner,
                       .target_object = owner };
        return rule_excuses(&c);
}

#define ALL_OF(star)                                                                               \
        "\"web=DELETE" star "\", \"web=INSERT" star "\", \"web=REFERENCES" star                    \
        "\", \"web=SELECT" star "\", \"web=TRIGGER" star "\", \"web=TRUNCATE" star                 \
        "\", \"web=UPDATE" star "\""

Test(rules, know_the_privilege_that_17_brought_but_only_with_all_the_others)
{
        const char *all = "[" ALL_OF("") "]", *starred = "[" ALL_OF("*") "]";
        const char *some = "[\"web=SELECT\"]", *more = "[\"web=MAINTAIN\", \"web=SELECT\"]";
        cr_assert_str_eq(
                excused("table", "t", "acl", 13, 17, all, "[\"web=MAINTAIN\", " ALL_OF("") "]"),
                "maintain-privilege");
        cr_assert_str_eq(excused("table", "t", "acl", 13, 17, starred,
                                 "[\"web=MAINTAIN*\", " ALL_OF("*") "]"),
                         "maintain-privilege");
        cr_assert_null(
                excused("table", "t", "acl", 13, 17, all, "[\"web=MAINTAIN*\", " ALL_OF("") "]"));
        cr_assert_null(
                excused("table", "t", "acl", 13, 17, all, "[\"x=MAINTAIN\", " ALL_OF("") "]"));
        cr_assert_str_eq(
                excused("table", "t", "acl", 13, 17, some, "[\"app=MAINTAIN\", \"web=SELECT\"]"),
                "maintain-privilege"); /* the owner's */
        /* somebody gave it alone */
        cr_assert_null(excused("table", "t", "acl", 13, 17, some, more));
        /* downwards it is lost, and the direction says so */
        cr_assert_str_eq(excused("table", "t", "acl", 17, 13, more, some), "maintain-privilege");
        cr_assert_null(excused("table", "t", "acl", 17, 18, some, more));
        cr_assert_null(excused("table", "t", "acl", 13, 17, some, "[\"web=MAINTAIN\"]"));
        cr_assert_null(
                excused("table", "t", "acl", 13, 17, "[\"x=SELECT\", \"web=SELECT\"]", more));
}

Test(rules, know_who_passed_that_privilege_on)
{
        static const char old[] = "[\"web=DELETE/by\", \"web=INSERT/by\", \"web=REFERENCES/by\", "
                                  "\"web=SELECT/by\", \"web=TRIGGER/by\", \"web=TRUNCATE/by\", "
                                  "\"web=UPDATE/by\"]";
        AUTO_FREE char *with = xasprintf("[\"web=MAINTAIN/by\", %s", old + 1);
        AUTO_FREE char *other = xasprintf("[\"web=MAINTAIN/app2\", %s", old + 1);
        cr_assert_str_eq(excused("table", "t", "acl", 13, 17, old, with), "maintain-privilege");
        cr_assert_null(excused("table", "t", "acl", 13, 17, old, other));
        cr_assert_null(
                excused("table", "t", "acl", 17, 18, "[\"web=SELECT/by\"]", "[\"web=SELECT\"]"));
}

Test(rules, read_settings_in_the_words_of_both_majors)
{
        const char *is = "settings", *of = "function";
        cr_assert_str_eq(excused(of, "f", is, 15, 17,
                                 "[\"force_parallel_mode=on\", \"work_mem=1MB\"]",
                                 "[\"debug_parallel_query=on\", \"work_mem=1MB\"]"),
                         "unknown-setting");
        cr_assert_str_eq(excused(of, "f", is, 17, 15, "[\"debug_parallel_query=on\"]",
                                 "[\"force_parallel_mode=on\"]"),
                         "unknown-setting");
        cr_assert_null(excused(of, "f", is, 15, 17, "[\"force_parallel_mode=on\"]",
                               "[\"debug_parallel_query=off\"]"));
        cr_assert_null(excused(of, "f", is, 15, 17, "[\"work_mem=1MB\"]", "null"));
        cr_assert_null(excused(of, "f", is, 17, 18, "[\"debug_parallel_query=on\"]", "null"));
        cr_assert_str_eq(excused("database", "database", is, 18, 19,
                                 "[\"standard_conforming_strings=off\"]", "null"),
                         "unknown-setting");
        cr_assert_null(excused("database", "database", is, 18, 19,
                               "[\"standard_conforming_strings=on\"]", "null"));
        cr_assert_null(excused("database", "database", is, 17, 18,
                               "[\"standard_conforming_strings=off\"]", "null"));
        cr_assert_null(excused("table", "t", is, 15, 17, "[\"force_parallel_mode=on\"]", "null"));
}

Test(rules, let_a_subscription_stream_in_parallel_only_since_16)
{
        cr_assert_str_eq(excused("subscription", "s", "streaming", 18, 15, "\"parallel\"", "null"),
                         "streaming");
        cr_assert_null(excused("subscription", "s", "streaming", 18, 17, "\"parallel\"", "null"));
        cr_assert_null(excused("subscription", "s", "streaming", 18, 15, "\"on\"", "null"));
}

static const char *excused_public(const char *aspect, int from, int to, const char *source,
                                  const char *target, bool usual)
{
        AUTO_JSON a = json_loads(source, JSON_DECODE_ANY, NULL);
        AUTO_JSON b = json_loads(target, JSON_DECODE_ANY, NULL);
        AUTO_JSON old = json_pack("{s:s, s:b}", "owner", "app", "usual_owner", usual);
        AUTO_JSON new = json_pack("{s:s, s:b}", "owner", usual ? "pg_database_owner" : "app",
                                  "usual_owner", usual);
        RuleCase c = { .kind = "schema",
                       .object = "\"public\"",
                       .aspect = aspect,
                       .source = a,
                       .target = b,
                       .source_major = from,
                       .target_major = to,
                       .source_object = from < 15 ? old : new,
                       .target_object = to < 15 ? old : new };
        return rule_excuses(&c);
}

Test(rules, let_only_create_of_public_and_the_first_owner_change_on_schema_public)
{
        const char *old = "[\"PUBLIC=CREATE\", \"PUBLIC=USAGE\", \"app=USAGE\", \"web=USAGE\"]";
        const char *new = "[\"PUBLIC=USAGE\", \"pg_database_owner=USAGE\", \"web=USAGE\"]";
        cr_assert_str_eq(excused_public("acl", 13, 17, old, new, true), "public-schema");
        cr_assert_str_eq(excused_public("acl", 17, 13, new, old, true), "public-schema");
        cr_assert_str_eq(excused_public("owner", 13, 17, "\"app\"", "\"pg_database_owner\"", true),
                         "public-schema");
        cr_assert_null(excused_public("owner", 13, 17, "\"app\"", "\"other\"", false));
        /* somebody's USAGE, PUBLIC's USAGE, a CREATE that is new */
        cr_assert_null(excused_public("acl", 13, 17, old, "[\"PUBLIC=USAGE\"]", true));
        cr_assert_null(excused_public("acl", 13, 17, old, "[\"web=USAGE\"]", true));
        cr_assert_null(excused_public("acl", 13, 17, new, old, true));
        cr_assert_null(excused_public("acl", 15, 17, old, new, true));
        cr_assert_null(
                excused_public("acl", 13, 17, old, "[\"PUBLIC=USAGE\", \"web=USAGE\"]", false));
        cr_assert_null(excused("schema", "\"app\"", "owner", 13, 17, "\"a\"", "\"b\""));
}

/* No name may go, and no two words become one: what else differs, the target is asked about. */
Test(rules, take_texts_for_the_same_only_with_other_quotes_and_line_breaks)
{
        const char *old = "\" SELECT \\\"t\\\".\\\"id\\\",\\n \\\"t\\\".\\\"j\\\"::\\\"json\\\" "
                          "FROM \\\"t\\\"\"";
        cr_assert_str_eq(excused("table", "v", "definition", 15, 17, old,
                                 "\" SELECT \\\"t\\\".\\\"id\\\",\\n  \\\"t\\\".\\\"j\\\"::json\\n "
                                 "FROM \\\"t\\\"\""),
                         "deparsed-text");
        cr_assert_null(excused("table", "v", "definition", 15, 17, old,
                               "\" SELECT \\\"id\\\", \\\"j\\\"::json FROM \\\"t\\\"\""));
        cr_assert_null(excused("table", "v", "definition", 15, 17,
                               "\"a.s FROM a, b WHERE a.x > 5 AND b.x < 9\"",
                               "\"a.s FROM a, b WHERE b.x > 5 AND a.x < 9\""));
        cr_assert_null(excused("table", "v", "definition", 17, 17, old,
                               "\" SELECT \\\"t\\\".\\\"id\\\"\""));
        cr_assert_null(excused("constraint", "c", "definition", 13, 17, "\"CHECK (a.f(x))\"",
                               "\"CHECK (b.f(x))\""));
        cr_assert_null(excused("constraint", "c", "definition", 13, 17, "\"CHECK (x = 'a b')\"",
                               "\"CHECK (x = 'ab')\""));
        cr_assert_null(excused("constraint", "c", "definition", 13, 17, "\"CHECK (not a)\"",
                               "\"CHECK (nota)\""));
        cr_assert_null(excused("column", "c", "default", 13, 17, "\"'\\\"json\\\"'::text\"",
                               "\"'json'::text\""));
        cr_assert_null(excused("column", "c", "type", 13, 17, "\"\\\"json\\\"\"", "\"json\""));
}

static const char *lone(const char *kind, const char *source, const char *target)
{
        AUTO_JSON s = source ? json_loads(source, 0, NULL) : NULL;
        AUTO_JSON t = target ? json_loads(target, 0, NULL) : NULL;
        RuleCase c = { .kind = kind,
                       .object = "o",
                       .aspect = source ? RULE_MISSING : RULE_ONLY_TARGET,
                       .source = s,
                       .target = t,
                       .source_major = 15,
                       .target_major = 18,
                       .source_object = s,
                       .target_object = t };
        return rule_excuses(&c);
}

Test(rules, know_what_no_dump_carries)
{
        const char *invalid = "{\"valid\": false, \"partitioned\": false}";
        cr_assert_str_eq(lone("index", invalid, NULL), "invalid-index");
        cr_assert_null(lone("index", NULL, invalid));
        cr_assert_null(lone("index", "{\"valid\": true, \"partitioned\": false}", NULL));
        cr_assert_null(lone("index", "{\"valid\": false, \"partitioned\": true}", NULL));
        cr_assert_str_eq(lone("operator", "{\"function\": \"-\"}", NULL), "shell-operator");
        cr_assert_null(lone("operator", "{\"function\": \"int4eq(integer,integer)\"}", NULL));
        /* an older major cannot have kept it: but it must not be silent about a whole object */
        cr_assert_null(lone("table", NULL, "{\"owner\": \"x\"}"));
}

Test(rules, know_how_a_locale_may_be_spelt)
{
        cr_assert_str_eq(excused("database", "database", "collate", 13, 17, "\"en_US.utf8\"",
                                 "\"en_US.UTF-8\""),
                         "locale-spelling");
        cr_assert_null(
                excused("database", "database", "collate", 13, 17, "\"en_US.utf8\"", "\"C.utf8\""));
        cr_assert_str_eq(excused("database", "d", "locale", 15, 17, "\"de_AT@collation=phonebook\"",
                                 "\"de-AT-u-co-phonebk\""),
                         "locale-spelling");
        cr_assert_str_eq(excused("collation", "c", "locale", 17, 13, "\"de-AT\"", "\"de_AT\""),
                         "locale-spelling");
        cr_assert_null(excused("database", "d", "locale", 15, 17, "\"de@collation=phonebook\"",
                               "\"sv-u-co-phonebk\""));
        /* what stands behind the language only ICU knows, so the target is asked */
        cr_assert_null(excused("collation", "c", "locale", 15, 17, "\"de@collation=phonebook\"",
                               "\"de-u-co-eor\""));
        cr_assert_null(excused("collation", "c", "locale", 13, 15, "\"de\"", "\"\""));
}

Test(rules, let_the_older_major_be_silent_but_not_the_newer)
{
        cr_assert_str_eq(excused("column", "c", "compression", 13, 17, NULL, "\"p\""),
                         "unknown-before");
        cr_assert_null(excused("column", "c", "compression", 15, 17, "\"p\"", "null"));
}

Test(inventory, writes_names_as_a_person_would)
{
        static const char *const names[][2] = {
                { "\"app\".\"users\"", "app.users" },
                { "\"Odd Names\".\"a\"\"b\"", "\"Odd Names\".\"a\"\"b\"" },
                { "\"app\".\"t\".\"x_1\" extra", "app.t.x_1 extra" },
                { "plain", "plain" },
                { "\"unfinished", "unfinished" },
        };
        for (size_t i = 0; i < LEN(names); i++) {
                AUTO_FREE char *got = inventory_name(names[i][0]);
                cr_assert_str_eq(got, names[i][1]);
        }
}

static json_t *inventory(const char *method, int rows)
{
        return json_pack("{s:s, s:{s:i}, s:{s:{s:i, s:s}}, s:{s:{s:{s:s}}}, "
                         "s:{s:i, s:s, s:i, s:s}}",
                         "method", method, "facts", "major", 17, "data", "\"a\".\"t\"", "rows",
                         rows, "hash", "1", "objects", "table", "\"a\".\"t\"", "owner", "app",
                         "large_objects", "count", 0, "content", "0", "bytes", 0, "owners", "0");
}

Test(compare, refuses_to_compare_what_was_hashed_in_two_ways)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON a = inventory("server", 1);
        AUTO_JSON b = inventory("stream", 1);
        json_t *report = NULL;
        cr_assert_not(inventory_compare(a, b, &(CompareOptions){ 0 }, &report, &err));
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert_not_null(err.hint);
}

Test(compare, lists_what_the_runbook_told_it_to_ignore)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON a = inventory("server", 1);
        AUTO_JSON b = inventory("server", 2);
        AUTO_JSON ignore = json_pack("[s]", "table.rows");
        json_t *report = NULL;
        cr_assert(inventory_compare(a, b, &(CompareOptions){ 0 }, &report, &err));
        cr_assert_eq(jx_int(report, "differences_total", 0), 1);
        json_decref(report);
        cr_assert(inventory_compare(a, b, &(CompareOptions){ .ignore = ignore }, &report, &err));
        cr_assert(jx_bool(report, "equal", false));
        cr_assert_eq(json_array_size(jx_get(report, "normalised")), 1);
        json_decref(report);
}

Test(compare, knows_a_role_by_its_new_name)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON a = inventory("server", 1);
        AUTO_JSON b = inventory("server", 1);
        AUTO_JSON map = json_pack("{s:s}", "app", "shop");
        json_t *report = NULL;
        json_object_set_new(jx_get(jx_get(jx_get(b, "objects"), "table"), "\"a\".\"t\""), "owner",
                            json_string("shop"));
        cr_assert(inventory_compare(a, b, &(CompareOptions){ 0 }, &report, &err));
        cr_assert_not(jx_bool(report, "equal", true));
        json_decref(report);
        cr_assert(inventory_compare(a, b, &(CompareOptions){ .map_roles = map }, &report, &err));
        cr_assert(jx_bool(report, "equal", false));
        json_decref(report);
}

static json_t *with_roles(const char *owner, const char *quoted, const char *settings,
                          const char *acl)
{
        json_t *inv = inventory("server", 1), *objects = jx_get(inv, "objects");
        AUTO_FREE char *defaults = xasprintf("%s in every schema on tables", quoted);
        AUTO_FREE char *mapping = xasprintf("\"far\" for %s", quoted);
        json_object_set_new(jx_get(jx_get(objects, "table"), "\"a\".\"t\""), "owner",
                            json_string(owner));
        jx_set(objects, "role setting",
               json_pack("{s:{s:s, s:[s]}}", quoted, "role", owner, "settings", settings));
        jx_set(objects, "user mapping",
               json_pack("{s:{s:s, s:[s]}}", mapping, "role", owner, "secrets", settings));
        jx_set(objects, "default privileges",
               json_pack("{s:{s:s, s:o}}", defaults, "role", owner, "acl",
                         json_loads(acl, 0, NULL)));
        return inv;
}

/* Also where the object itself is called by the role, and where two become one. */
Test(compare, knows_a_role_by_its_new_name_in_names_too)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON a = with_roles("a\"b", "\"a\"\"b\"", "work_mem=1MB",
                                 "[\"a\\\"b=SELECT\", \"web=SELECT\"]");
        AUTO_JSON b = with_roles("shop", "\"shop\"", "work_mem=1MB", "[\"shop=SELECT\"]");
        AUTO_JSON other = with_roles("shop", "\"shop\"", "work_mem=2MB", "[\"shop=SELECT\"]");
        AUTO_JSON map = json_pack("{s:s, s:s}", "a\"b", "shop", "web", "shop");
        json_t *report = NULL;
        cr_assert(inventory_compare(a, b, &(CompareOptions){ .map_roles = map }, &report, &err));
        AUTO_FREE char *text = json_dumps(jx_get(report, "differences"), JSON_INDENT(1));
        cr_assert(jx_bool(report, "equal", false), "%s", text);
        json_decref(report);
        cr_assert(
                inventory_compare(a, other, &(CompareOptions){ .map_roles = map }, &report, &err));
        AUTO_FREE char *two = json_dumps(jx_get(report, "differences"), JSON_COMPACT);
        cr_assert_eq(jx_int(report, "differences_total", 0), 2, "%s", two);
        cr_assert(strstr(two, "\"what\":\"secrets\",\"source\":\"(not shown)\""), "%s", two);
        json_decref(report);
}

/* A thousand are listed; all of them are counted. */
Test(compare, counts_what_it_excused)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON a = inventory("server", 1);
        AUTO_JSON b = inventory("server", 1);
        json_t *report = NULL;
        for (int i = 0; i < 1500; i++) {
                AUTO_FREE char *name = xasprintf("\"a\".\"t%d\"", i);
                jx_set(jx_get(jx_get(a, "objects"), "table"), name,
                       json_pack("{s:s}", "tablespace", "x"));
                jx_set(jx_get(jx_get(b, "objects"), "table"), name,
                       json_pack("{s:s}", "tablespace", "y"));
        }
        cr_assert(inventory_compare(a, b, &(CompareOptions){ 0 }, &report, &err));
        cr_assert_eq(json_array_size(jx_get(report, "normalised")), 1000);
        cr_assert_eq(jx_int(report, "normalised_total", 0), 1500);
        cr_assert_eq(jx_int(jx_get(jx_get(report, "rules"), "tablespace"), "n", 0), 1500);
        AUTO_FREE char *verdict = report_verdict(report);
        cr_assert(strstr(verdict, "1500 expected differences") || strstr(verdict, "1,500 expected"),
                  "%s", verdict);
        json_decref(report);
}

static void set_is(const char *entry, int major, const char *before, const char *sql)
{
        AUTO_SQL first = { 0 };
        AUTO_SQL q = { 0 };
        pg_setting_sql(&first, &q, entry, major);
        AUTO_FREE char *text = sql_for_humans(&q);
        AUTO_FREE char *prepared = sql_for_humans(&first);
        cr_assert_str_eq(text, sql);
        cr_assert_str_eq(prepared, before);
}

Test(settings, of_roles_and_databases_are_said_again_as_they_were)
{
        set_is("work_mem=64MB", 17, "", " set \"work_mem\" to '64MB'");
        set_is("search_path=\"$user\", public, \"Odd, Name\"", 17, "",
               " set \"search_path\" to '$user', 'public', 'Odd, Name'");
        set_is("search_path=\"\"", 17, "", " set \"search_path\" to ''");
        set_is("search_path=", 18, "select pg_catalog.set_config('search_path', '', false)",
               " set \"search_path\" from current");
        set_is("temp_tablespaces=", 0,
               "select pg_catalog.set_config('temp_tablespaces', '', false)",
               " set \"temp_tablespaces\" from current");
        set_is("search_path=", 19, "", " set \"search_path\" to null");
        set_is("lc_messages=", 19, "", " set \"lc_messages\" to ''");
        set_is("app.tenant=it's=1", 17, "", " set \"app\".\"tenant\" to 'it''s=1'");
}

Test(clients, know_since_when_psql_reads_restrict)
{
        cr_assert(pg_client_knows_restrict(&(PgClient){ .version_num = 170006 }));
        cr_assert_not(pg_client_knows_restrict(&(PgClient){ .version_num = 170005 }));
        cr_assert_not(pg_client_knows_restrict(&(PgClient){ .version_num = 120022 }));
        cr_assert(pg_client_knows_restrict(&(PgClient){ .version_num = 180000 }));
}
