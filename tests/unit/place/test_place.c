/* What every kind of place keeps, and what the kinds make of a target's own words. */
#include <criterion/criterion.h>

#include "base/text.h"
#include "place/place.h"

static json_t *parsed(const char *text)
{
        json_error_t e;
        json_t *j = json_loads(text, 0, &e);
        cr_assert_not_null(j, "%s: %s", e.text, text);
        return j;
}

static size_t how_many_have(const char *mark)
{
        size_t n = 0;
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                for (const char *const *m = (*p)->marks; m && *m; m++)
                        n += str_eq(*m, mark);
        return n;
}

static bool has_row(const ParamSpec *rows, const char *name)
{
        for (; rows && rows->name; rows++)
                if (str_eq(rows->name, name))
                        return true;
        return false;
}

Test(place_contract, what_a_kind_lets_a_runbook_say_it_can_do)
{
        for (const PlaceKind *const *k = place_kinds; *k; k++) {
                const PlaceSpec *s = &(*k)->spec;
                cr_assert_not_null(s->name);
                cr_expect_eq(!s->via, !(*k)->address, "%s: via and address()", s->name);
                cr_expect_eq(!s->via, !s->marks, "%s: via and marks", s->name);
                cr_expect_eq(!s->via, !s->words, "%s: via and words", s->name);
                cr_expect_eq(!s->condition, !(*k)->done_if, "%s: condition and done_if()", s->name);
                cr_expect_eq(!s->secret_from, !(*k)->secret, "%s: secret_from, secret()", s->name);
                cr_expect_eq(!s->secret_from, !s->secret_of, "%s: secret_from, rows", s->name);
                cr_expect(!(*k)->identify || s->has_identity, "%s: identify()", s->name);
                cr_expect(s->fields || (!(*k)->identify && !(*k)->lock_name),
                          "%s is no target of its own, and is asked who it is", s->name);
                cr_expect(!s->needs || has_row(s->via, s->needs), "%s: needs", s->name);
                cr_expect(!s->refers || has_row(s->via, s->refers), "%s: refers", s->name);
        }
}

Test(place_contract, a_mark_is_a_key_of_via_and_of_one_kind_only)
{
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                for (const char *const *m = (*p)->marks; m && *m; m++) {
                        cr_expect(has_row((*p)->via, *m), "%s: %s", (*p)->name, *m);
                        cr_expect_eq(how_many_have(*m), 1, "%s: %s", (*p)->name, *m);
                }
}

Test(place_contract, each_key_of_via_may_be_left_out_and_has_words)
{
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                for (const ParamSpec *row = (*p)->via; row && row->name; row++) {
                        cr_expect_str_eq(row->fallback ? row->fallback : "(required)", "~",
                                         "%s: %s", (*p)->name, row->name);
                        cr_expect(row->help && *row->help, "%s: %s", (*p)->name, row->name);
                }
}

/* ---- the kinds ---- */

typedef struct Row {
        const char *via, *kind;
        PlaceNames names;
} Row;

static void expect_same(const char *is, const char *want, const char *via)
{
        cr_expect_str_eq(is ? is : "(none)", want ? want : "(none)", "%s", via);
}

Test(place, a_target_is_called_by_its_own_words)
{
        static const Row rows[] = {
                { "{\"compose\": \"stack\", \"service\": \"db\"}",
                  "compose",
                  { .stack = "stack", .dir = "/srv/app", .service = "db" } },
                { "{\"compose\": {\"$target\": \"stack\"}, \"service\": \"db\"}",
                  "compose",
                  { .stack = "stack", .dir = "/srv/app", .service = "db" } },
                { "{\"compose\": {\"kind\": \"compose\", \"dir\": \"/x\"}, \"service\": \"db\"}",
                  "compose",
                  { .stack = "/x", .dir = "/x", .service = "db" } },
                { "{\"compose_dir\": \"/y\", \"service\": \"db\"}",
                  "compose",
                  { .stack = "/y", .dir = "/y", .service = "db" } },
                { "{\"container\": \"\\\"; drop\\n$(rm)\"}",
                  "container",
                  { .container = "\"; drop\n$(rm)" } },
                { "{\"host\": \"127.0.0.1\"}", "host", { .port_here = 5432 } },
                { "{\"host\": \"localhost\", \"port\": \"5433\"}", "host", { .port_here = 5433 } },
                { "{\"host\": \"::1\", \"port\": 5434}", "host", { .port_here = 5434 } },
                { "{\"host\": \"db.example.com\", \"port\": 5434}", "host", { 0 } },
                { "{\"socket\": \"/run/postgresql\"}", "host", { 0 } },
        };
        AUTO_JSON all = parsed("{\"stack\": {\"kind\": \"compose\", \"dir\": \"/srv/app\"}}");
        for (size_t i = 0; i < LEN(rows); i++) {
                AUTO_JSON via = parsed(rows[i].via);
                AUTO_JSON spec = json_pack("{sO}", "via", via);
                Target t = { .name = "t", .kind = "postgres", .spec = spec, .all = all };
                const PlaceKind *kind = place_of(&t);
                expect_same(kind ? kind->spec.name : NULL, rows[i].kind, rows[i].via);
                PlaceNames is = place_names(&t), want = rows[i].names;
                expect_same(is.container, want.container, rows[i].via);
                expect_same(is.stack, want.stack, rows[i].via);
                expect_same(is.dir, want.dir, rows[i].via);
                expect_same(is.service, want.service, rows[i].via);
                cr_expect_eq(is.port_here, want.port_here, "%s: %d", rows[i].via, is.port_here);
        }
}

Test(place, an_address_is_taken_as_it_is_written)
{
        AUTO_ARENA a = arena_new();
        AUTO_ERR err = { 0 };
        AUTO_JSON spec = parsed("{\"user\": \"app\", \"via\": {\"host\": \"db.example.com\", "
                                "\"port\": \"5433\"}}");
        PgParams p = { 0 };
        Target t = { .name = "old", .kind = "postgres", .spec = spec };
        cr_assert(place_pg_params(a, &t, NULL, &p, &err), "%s", err.message);
        cr_expect_str_eq(p.host, "db.example.com");
        cr_expect_eq(p.port, 5433);
        cr_expect_str_eq(p.user, "app");
        cr_expect_str_eq(p.database, "app");
        cr_assert(place_pg_params(a, &t, "other", &p, &err), "%s", err.message);
        cr_expect_str_eq(p.database, "other");
}

Test(place, a_server_that_is_nowhere_is_said_with_all_there_is_to_write)
{
        AUTO_ARENA a = arena_new();
        AUTO_JSON nowhere = parsed("{\"via\": {}}");
        AUTO_JSON lost = parsed("{\"via\": {\"compose\": \"gone\", \"service\": \"db\"}}");
        AUTO_JSON none = json_object();
        PgParams p = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(place_pg_params(
                a, &(Target){ .name = "old", .kind = "postgres", .spec = nowhere, .all = none },
                NULL, &p, &err));
        cr_expect_str_eq(err.message, "target old: the target does not say where its server is");
        cr_expect_str_eq(err.hint, "write `via:` with compose and service, container, host and "
                                   "port, or socket");
        err_clear(&err);
        cr_assert_not(place_pg_params(
                a, &(Target){ .name = "old", .kind = "postgres", .spec = lost, .all = none }, NULL,
                &p, &err));
        cr_expect_str_eq(err.message, "target old: there is no target gone");
        err_clear(&err);
        cr_assert_not(place_pg_params(a, &(Target){ .name = "here", .kind = "host", .spec = none },
                                      NULL, &p, &err));
        cr_expect_str_eq(err.message, "target here is of kind host, not a PostgreSQL server");
}

Test(place, a_machine_is_not_mistaken_and_not_locked)
{
        AUTO_JSON who = NULL;
        AUTO_ERR err = { 0 };
        char *lock = NULL;
        AUTO_JSON spec = json_object();
        Target t = { .name = "here", .kind = "host", .spec = spec };
        cr_assert(place_identify(&t, &who, &err) && place_lock_name(&t, &lock, &err));
        cr_expect_eq(json_object_size(who), 0);
        cr_expect_null(lock);
}

Test(place, a_condition_that_nobody_has_is_refused_by_name)
{
        AUTO_ERR err = { 0 };
        bool is = true;
        AUTO_JSON cond = parsed("{\"moon\": \"full\"}");
        AUTO_JSON spec = json_object();
        cr_assert_not(place_done_if(&(Target){ .kind = "host", .spec = spec }, cond, &is, &err));
        cr_expect_str_eq(err.message, "done_if: none of sql, role, database, compose_image");
}
