#include <stdio.h>

#include <criterion/criterion.h>

#include "base/majors.h"
#include "host/image_next.h"

/* `want` NULL: asked for. `says`: a part of the words; NULL: nothing is said. */
static void next(const char *image, int from, int to, const char *want, const char *says)
{
        ImageNext CLEANUP(image_next_done) n = { 0 };
        image_next(image, from, to, &n);
        if (want)
                cr_expect(str_eq(n.image, want), "%s becomes %s, not %s", image,
                          n.image ? n.image : "(asked)", want);
        else
                cr_expect_null(n.image, "%s becomes %s", image, n.image ? n.image : "");
        cr_expect_eq(n.words != NULL, says != NULL, "%s: %s", image,
                     n.words ? n.words : "(silent)");
        if (says && n.words)
                cr_expect_not_null(strstr(n.words, says), "%s: %s", image, n.words);
}

Test(image, keeps_the_flavour_of_the_official_ones)
{
        next("postgres:13", 13, 18, "postgres:18", NULL);
        next("postgres:13.5", 13, 18, "postgres:18", NULL);
        next("postgres:13.23-bookworm", 13, 18, "postgres:18-bookworm", NULL);
        next("postgres:16-alpine", 16, 19, "postgres:19-alpine", NULL);
        next("postgres:16.4-alpine3.20", 16, 18, "postgres:18-alpine", "Alpine's own number");
        next("postgres:18beta2-trixie", 18, 19, "postgres:19-trixie", NULL);
        next("postgres:17rc1", 17, 18, "postgres:18", NULL);
        next("postgres", 13, 18, "postgres:18", NULL);
        next("postgres:latest", 13, 18, "postgres:18", NULL);
        next("postgres:alpine", 17, 18, "postgres:18-alpine", NULL);
        next("docker.io/library/postgres:14.2-bullseye", 14, 18,
             "docker.io/library/postgres:18-bullseye", NULL);
        next("localhost:5000/postgres:14", 14, 18, "localhost:5000/postgres:18", NULL);
        next("registry.example.com:443/infra/postgres:12-alpine", 12, 18,
             "registry.example.com:443/infra/postgres:18-alpine", NULL);
}

Test(image, drops_a_digest_and_says_so)
{
        next("postgres:13.5@sha256:"
             "4d1b17af6f66b852ee3a721f6691a2ca7352f9d28f570a6a48cee0ebe646b2fd",
             13, 18, "postgres:18", "the digest is left out");
        next("postgres:14-alpine@sha256:0b1fa1d2ec8c4d5e7e1c3b9", 14, 18, "postgres:18-alpine",
             "the digest");
        next("postgres@sha256:0b1fa1d2ec8c4d5e7e1c3b9", 14, 18, "postgres:18", "the digest");
        next("pgvector/pgvector:pg16@sha256:0b1fa1d2", 16, 18, "pgvector/pgvector:pg18",
             "the digest");
        next("ghcr.io/x/y@sha256:0b1fa1d2", 16, 18, NULL, "its publisher");
}

Test(image, knows_the_major_in_tags_of_others)
{
        next("timescale/timescaledb:latest-pg16", 16, 18, "timescale/timescaledb:latest-pg18",
             NULL);
        next("timescale/timescaledb-ha:pg16", 16, 18, "timescale/timescaledb-ha:pg18", NULL);
        next("timescale/timescaledb-ha:pg16.2-all", 16, 18, "timescale/timescaledb-ha:pg18-all",
             NULL);
        next("pgvector/pgvector:pg16", 16, 18, "pgvector/pgvector:pg18", NULL);
        next("ankane/pgvector:pg15", 15, 18, "ankane/pgvector:pg18", NULL);
        next("postgis/postgis:16-master", 16, 18, "postgis/postgis:18-master", NULL);
        next("pgautoupgrade/pgautoupgrade:16-alpine", 16, 18,
             "pgautoupgrade/pgautoupgrade:18-alpine", NULL);
        next("apache/age:PG16_latest", 16, 18, "apache/age:PG18_latest", NULL);
        next("cimg/postgres:14.2", 14, 18, "cimg/postgres:18", NULL);
        next("bitnami/postgresql:16", 16, 18, "bitnami/postgresql:18", NULL);
        next("paradedb/paradedb:latest-pg17", 17, 18, "paradedb/paradedb:latest-pg18", NULL);
        next("x/y:postgres16-slim", 16, 18, "x/y:postgres18-slim", NULL);
}

Test(image, asks_where_another_version_must_fit)
{
        next("postgis/postgis:16-3.4", 16, 18, NULL, "3.4");
        next("postgis/postgis:16-3.4-alpine", 16, 18, NULL, "3.4");
        next("imresamu/postgis:16-3.4.2-bundle0-bookworm", 16, 18, NULL, "3.4.2");
        next("supabase/postgres:15.1.0.147", 15, 18, NULL, "does not say");
        next("bitnami/postgresql:16.4.0-debian-12-r0", 16, 18, NULL, "does not say");
        next("tensorchord/pgvecto-rs:pg14-v0.2.0", 14, 18, NULL, "v0.2.0");
        next("ghcr.io/immich-app/postgres:14-vectorchord0.4.3-pgvectors0.2.0", 14, 18, NULL,
             "vectorchord0.4.3");
        next("timescale/timescaledb:2.14.2-pg16", 16, 18, NULL, "2.14.2");
        next("timescale/timescaledb-ha:pg16.2-ts2.14.2", 16, 18, NULL, "ts2.14.2");
        next("pgvector/pgvector:0.7.0-pg16", 16, 18, NULL, "0.7.0");
        next("apache/age:release_PG16_1.5.0", 16, 18, NULL, "1.5.0");
        next("percona/percona-distribution-postgresql:16.3-2", 16, 18, NULL, "(2)");
        next("tensorchord/vchord-postgres:pg17-v0.3.0", 17, 18, NULL, "v0.3.0");
        next("citusdata/citus:12.1", 16, 18, NULL, "does not say");
        next("ghcr.io/cloudnative-pg/postgresql:16.4-29-bookworm", 16, 18, NULL, "(29)");
        next("timescale/timescaledb:latest", 16, 18, NULL, "does not say");
        next("gitlab/gitlab-ce:17.2.1-ce.0", 16, 18, NULL, "does not say");
        next("x/y:16-16", 16, 18, NULL, "16");
        next("", 16, 18, NULL, "its publisher");
}

/* Whatever the tag: what is suggested names `to`, no other number of the old tag, and is asked
 * again with itself. */
Test(image, suggests_nothing_that_is_not_in_the_name)
{
        static const char *const parts[] = { "16",       "pg16",   "16.4",   "latest", "alpine",
                                             "bookworm", "3.4",    "v0.2.0", "ha",     "PG16",
                                             "r0",       "debian", "16.4.0", "all" };
        size_t asked = 0, found = 0;
        for (size_t i = 0; i < LEN(parts); i++)
                for (size_t k = 0; k < LEN(parts); k++)
                        for (size_t sep = 0; sep < 2; sep++) {
                                ImageNext CLEANUP(image_next_done) n = { 0 };
                                AUTO_FREE char *image =
                                        xasprintf("some/db:%s%c%s", parts[i], "-_"[sep], parts[k]);
                                image_next(image, 16, 18, &n);
                                asked += !n.image;
                                found += n.image != NULL;
                                cr_expect(n.image || n.words, "%s: nothing at all", image);
                                if (!n.image)
                                        continue;
                                const char *tag = strchr(n.image, ':');
                                cr_expect_not_null(strstr(tag, "18"), "%s: %s", image, n.image);
                                cr_expect_null(strstr(tag, "16"), "%s: %s", image, n.image);
                                cr_expect_null(strpbrk(tag, "02345679."), "%s: %s", image, n.image);
                                ImageNext CLEANUP(image_next_done) back = { 0 };
                                image_next(n.image, 18, 18, &back);
                                cr_expect(str_eq(back.image, n.image), "%s", n.image);
                        }
        cr_expect_gt(asked, 100);
        cr_expect_gt(found, 20);
}
