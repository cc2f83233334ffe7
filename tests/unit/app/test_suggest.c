/* test_suggest.c: what the wizard has filled in before anybody typed, from a server that discovery
 * found. */
#include <criterion/criterion.h>

#include "app/launch/suggest.h"
#include "base/jsonx.h"
#include "base/majors.h"

static const json_t *question(const json_t *list, const char *name)
{
        size_t i;
        json_t *q;
        json_array_foreach(list, i, q)
                if (str_eq(jx_str(q, "name", ""), name))
                        return q;
        return NULL;
}

static json_t *asked(const char *image, int major, const char *to)
{
        static Var vars[] = { { .name = "to", .ask = "to", .type = PARAM_INT },
                              { .name = "to_image",
                                .ask = "image",
                                .help = "Keep the flavour.",
                                .type = PARAM_IMAGE },
                              { .name = "volume", .ask = "volume", .type = PARAM_NAME } };
        Runbook rb = { .vars = vars, .n_vars = LEN(vars) };
        AUTO_JSON server =
                json_pack("{s:s, s:i, s:s}", "image", image, "major", major, "project", "shop");
        AUTO_JSON given = to ? json_pack("{s:s}", "to", to) : json_object();
        return suggest_questions(&rb, server, given);
}

Test(suggest, the_newest_major_of_the_table_and_its_image)
{
        AUTO_JSON list = asked("pgvector/pgvector:pg14@sha256:00aa", 14, NULL);
        AUTO_FREE char *image = xasprintf("pgvector/pgvector:pg%d", MAJOR_NEWEST);
        AUTO_FREE char *volume = xasprintf("shop_pgdata%d", MAJOR_NEWEST);
        cr_expect_eq(jx_int(question(list, "to"), "default", 0), MAJOR_NEWEST);
        cr_expect_str_eq(jx_str(question(list, "to_image"), "default", ""), image);
        cr_expect_str_eq(jx_str(question(list, "volume"), "default", ""), volume);
        cr_expect_not_null(strstr(jx_str(question(list, "to_image"), "help", ""), "digest"));
}

Test(suggest, the_one_that_was_typed)
{
        AUTO_JSON list = asked("timescale/timescaledb:latest-pg16", 16, "18");
        cr_expect_str_eq(jx_str(question(list, "to_image"), "default", ""),
                         "timescale/timescaledb:latest-pg18");
        cr_expect_str_eq(jx_str(question(list, "to_image"), "help", ""), "Keep the flavour.");
}

Test(suggest, no_image_where_nobody_knows)
{
        AUTO_JSON list =
                asked("ghcr.io/immich-app/postgres:14-vectorchord0.4.3-pgvectors0.2.0", 14, "18");
        const json_t *q = question(list, "to_image");
        cr_expect_null(jx_get(q, "default"));
        cr_expect_null(jx_get(q, "found"));
        cr_expect_not_null(strstr(jx_str(q, "help", ""), "vectorchord0.4.3"));
}
