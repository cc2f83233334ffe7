#include <criterion/criterion.h>
#include <stdio.h>

#include "host/compose/compose_edit.h"

#define NEW  "postgres:17-bookworm"
#define DATA "/var/lib/postgresql/data"
#define VOL  "pgdata17"

/* `before` with `from` replaced by `to`, once. */
static char *with(const char *before, const char *from, const char *to)
{
        const char *at = strstr(before, from);
        cr_assert_not_null(at, "%s", from);
        return xasprintf("%.*s%s%s", (int)(at - before), before, to, at + strlen(from));
}

static void image_becomes(const char *before, const char *from, const char *to)
{
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_FREE char *expected = with(before, from, to);
        cr_assert(compose_edit_image("c.yaml", before, strlen(before), "db", NEW, &e, &err), "%s",
                  err.message);
        cr_assert_str_eq(e.after, expected, "got:\n%s", e.after);
        cr_assert_eq(e.after_len, strlen(expected));
        cr_assert(e.changed);
}

static void image_refused(const char *text, const char *why)
{
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(compose_edit_image("c.yaml", text, strlen(text), "db", NEW, &e, &err), "%s",
                      text);
        cr_assert_not_null(strstr(err.message, why), "%s", err.message);
}

Test(edit_image, keeps_comments_and_layout)
{
        image_becomes("# mine\n\nservices:\n\n  web:\n    image: postgres:13\n  db:\n"
                      "    image:   postgres:13     # TODO: upgrade\n\n    restart: always\n#end",
                      "image:   postgres:13 ", "image:   " NEW " ");
}

Test(edit_image, keeps_the_quotes_that_were_there)
{
        image_becomes("services: {db: {image: 'postgres:13', x: 1}}\n", "'postgres:13'",
                      "'" NEW "'");
        image_becomes("services:\n  db:\n    image: \"postgres:13\"\n", "\"postgres:13\"",
                      "\"" NEW "\"");
        image_becomes("services: {db: {image: postgres, x: 1}}\n", "postgres,", NEW ",");
        image_becomes("services:\n  db: {\"image\": \"postgr\\u0065s:13\"}\n",
                      "\"postgr\\u0065s:13\"", "\"" NEW "\"");
}

Test(edit_image, counts_bytes_where_libyaml_counts_characters)
{
        image_becomes("# Größe: ÄÖÜ 漢字 🐘\nservices:\n  wüst: {image: x}\n  db:\n    labels: {ä: "
                      "ö}\n    image: postgres:13 # ü\n",
                      "postgres:13", NEW);
        image_becomes("\xef\xbb\xbf# bom\nservices:\n  db:\n    image: postgres:13\n",
                      "postgres:13", NEW);
}

Test(edit_image, keeps_crlf_and_a_missing_last_newline)
{
        image_becomes("services:\r\n  db:\r\n    image: postgres:13\r\n    tty: no\r\n",
                      "postgres:13", NEW);
        image_becomes("services:\n  db:\n    image: postgres:13", "postgres:13", NEW);
}

Test(edit_image, leaves_an_anchor_near_it_alone)
{
        image_becomes("x-env: &env {A: 1}\nservices:\n  db:\n    environment: *env\n"
                      "    image: postgres:13\n"
                      "  web: &w\n    image: postgres:13\n  web2:\n    <<: *w\n",
                      "image: postgres:13\n  web", "image: " NEW "\n  web");
}

Test(edit_image, follows_anchors_aliases_and_merge_keys)
{
        image_becomes("services:\n  db: &db\n    image: postgres:13\n  db2: *db\n", "postgres:13",
                      NEW);
        image_becomes("x: &x {image: postgres:13}\nservices:\n  db: *x\n", "postgres:13", NEW);
        image_becomes("x: &x {image: postgres:13}\nservices:\n  db: {<<: *x}\n", "postgres:13",
                      NEW);
        image_becomes("x: &x {image: a:1}\ny: &y {tty: no}\nservices:\n  db: {<<: [*y, *x]}\n",
                      "a:1", NEW);
        image_becomes("x: &x {image: a:1}\nservices:\n  db: {<<: *x, image: postgres:13}\n",
                      "postgres:13", NEW);
}

Test(edit_image, replaces_a_variable_by_text)
{
        image_becomes("services:\n  db:\n    image: postgres:${TAG}\n", "postgres:${TAG}", NEW);
        image_becomes("services:\n  db:\n    image: \"${IMAGE:-postgres:13}\" # x\n",
                      "${IMAGE:-postgres:13}", NEW);
}

Test(edit_image, refuses_what_it_cannot_change_alone)
{
        image_refused("services:\n  db:\n    image: &i postgres:13\n", "an anchor");
        image_refused("services:\n  db:\n    image: !x postgres:13\n", "carries a tag");
        image_refused("services:\n  db:\n    image: >-\n      postgres:13\n", "block of text");
        image_refused("services:\n  db:\n    build: .\n", "has no image");
        image_refused("services:\n  db:\n    image: [a]\n", "is a list");
        image_refused("services:\n  web: {image: x}\n", "has no service db");
        image_refused("services:\n\tdb: {image: x}\n", "c.yaml:");
        image_refused("services: {db: {image: x}}\n---\nservices: {}\n", "second document");
        image_refused("services:\n  db: {image: a, image: b}\n", "twice");
}

Test(edit_image, refuses_an_image_that_is_none)
{
        static const char *const bad[] = { "",      "postgres",       "a b:1",
                                           "x: y",  "post\"gres:1",   "p:1\n",
                                           "1.0",   "postgres:1 # c", "-x:1",
                                           "p:{a}", "p:1:",           "12:30" };
        for (size_t i = 0; i < LEN(bad); i++) {
                AUTO_COMPOSE_EDIT e = { 0 };
                AUTO_ERR err = { 0 };
                const char *text = "services: {db: {image: x}}";
                cr_expect_not(compose_edit_image("c", text, strlen(text), "db", bad[i], &e, &err),
                              "%s", bad[i]);
        }
}

Test(edit_image, says_when_there_is_nothing_to_do)
{
        const char *text = "services: {db: {image: " NEW "}}";
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(compose_edit_image("c", text, strlen(text), "db", NEW, &e, &err));
        cr_assert_not(e.changed);
        cr_assert_str_eq(e.diff, "");
        cr_assert_str_eq(e.previous, NEW);
}

/* ---- volumes ---- */

static void volume_becomes(const char *before, const char *target, const char *expected)
{
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(compose_edit_volume("c.yaml", before, strlen(before),
                                      &(ComposeVolume){ "db", DATA, VOL, target, NULL }, &e, &err),
                  "%s\n%s", before, err.message);
        cr_assert_str_eq(e.after, expected, "got:\n%s", e.after);
}

static void volume_refused(const char *text, const char *why)
{
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(compose_edit_volume("c.yaml", text, strlen(text),
                                          &(ComposeVolume){ "db", DATA, VOL, DATA, NULL }, &e,
                                          &err),
                      "%s\n->\n%s", text, e.after);
        cr_assert_not_null(strstr(err.message, why), "%s", err.message);
}

Test(edit_volume, short_syntax_with_comments)
{
        volume_becomes("services:\n  db:\n    volumes:\n"
                       "        - ./init:/docker-entrypoint-initdb.d:ro\n"
                       "        - pgdata:/var/lib/postgresql/data   # the only copy!\n"
                       "volumes:   # mine\n  # the old one\n  pgdata:\n    labels:\n"
                       "      owner: \"x\"\n# end",
                       DATA,
                       "services:\n  db:\n    volumes:\n"
                       "        - ./init:/docker-entrypoint-initdb.d:ro\n"
                       "        - pgdata17:/var/lib/postgresql/data   # the only copy!\n"
                       "volumes:   # mine\n  pgdata17:\n    external: true\n  # the old one\n"
                       "  pgdata:\n"
                       "    labels:\n      owner: \"x\"\n# end");
}

Test(edit_volume, moves_the_mount_up_for_18_and_keeps_the_mode)
{
        volume_becomes("services:\n  db:\n    volumes: "
                       "[\"pgdata:/var/lib/postgresql/data:Z\"]\nvolumes:\n    pgdata:\n",
                       "/var/lib/postgresql",
                       "services:\n  db:\n    volumes: [\"pgdata17:/var/lib/postgresql:Z\"]\n"
                       "volumes:\n    pgdata17:\n      external: true\n    pgdata:\n");
}

Test(edit_volume, long_syntax)
{
        volume_becomes("services:\n  db:\n    volumes:\n      - type: volume\n"
                       "        source: 'pgdata'\n"
                       "        target: /var/lib/postgresql/data\n        volume:\n"
                       "          nocopy: true\n"
                       "volumes: {pgdata: }\n",
                       "/var/lib/postgresql",
                       "services:\n  db:\n    volumes:\n      - type: volume\n"
                       "        source: 'pgdata17'\n"
                       "        target: /var/lib/postgresql\n        volume:\n"
                       "          nocopy: true\n"
                       "volumes: {pgdata17: {external: true}, pgdata: }\n");
        volume_becomes("services:\n  db:\n    volumes:\n      - {type: bind, source: ./pg, target: "
                       "/var/lib/postgresql/data}\n",
                       DATA,
                       "services:\n  db:\n    volumes:\n"
                       "      - {type: volume, source: pgdata17, target: "
                       "/var/lib/postgresql/data}\n"
                       "\nvolumes:\n  pgdata17:\n    external: true\n");
}

Test(edit_volume, adds_a_top_level_section_where_there_is_none)
{
        volume_becomes("services:\n  db:\n    volumes:\n      - ./pg:/var/lib/postgresql/data",
                       DATA,
                       "services:\n  db:\n    volumes:\n      - pgdata17:/var/lib/postgresql/data\n"
                       "\nvolumes:\n  pgdata17:\n    external: true\n");
        volume_becomes("services:\r\n  db:\r\n    volumes:\r\n      - "
                       "pg:/var/lib/postgresql/data\r\nvolumes:\r\n  pg:\r\n",
                       DATA,
                       "services:\r\n  db:\r\n    volumes:\r\n"
                       "      - pgdata17:/var/lib/postgresql/data\r\n"
                       "volumes:\r\n  pgdata17:\r\n    external: true\r\n  pg:\r\n");
        volume_becomes("volumes:\nservices:\n  db:\n    volumes:\n      - "
                       "/srv/pg:/var/lib/postgresql/data\n",
                       DATA,
                       "volumes:\n  pgdata17:\n    external: true\nservices:\n  db:\n    volumes:\n"
                       "      - pgdata17:/var/lib/postgresql/data\n");
        volume_becomes("services: {db: {volumes: ['pg:/var/lib/postgresql/data']}}\nvolumes: {}\n",
                       DATA,
                       "services: {db: {volumes: ['pgdata17:/var/lib/postgresql/data']}}\n"
                       "volumes: {pgdata17: {external: true}}\n");
        volume_becomes("services:\n  db:\n    volumes:\n      - "
                       "pg:/var/lib/postgresql/data\nvolumes:\n  pg:",
                       DATA,
                       "services:\n  db:\n    volumes:\n      - pgdata17:/var/lib/postgresql/data\n"
                       "volumes:\n  pgdata17:\n    external: true\n  pg:");
        volume_becomes(
                "services:\n  db:\n    volumes:\n      - pg:/var/lib/postgresql/data\nvolumes:",
                DATA,
                "services:\n  db:\n    volumes:\n      - pgdata17:/var/lib/postgresql/data\n"
                "volumes:\n  pgdata17:\n    external: true");
}

Test(edit_volume, knows_a_volume_that_is_declared_already)
{
        volume_becomes(
                "services:\n  db:\n    volumes:\n      - pg:/var/lib/postgresql/data\nvolumes:\n  "
                "pg:\n  pgdata17: {external: true}\n",
                DATA,
                "services:\n  db:\n    volumes:\n      - "
                "pgdata17:/var/lib/postgresql/data\nvolumes:\n  pg:\n  pgdata17: {external: "
                "true}\n");
        volume_refused("services:\n  db:\n    volumes:\n      - "
                       "pg:/var/lib/postgresql/data\nvolumes:\n  pgdata17:\n",
                       "not as external");
}

Test(edit_volume, takes_the_mount_nearest_to_the_data)
{
        volume_becomes(
                "services:\n  db:\n    volumes:\n      - a:/var/lib/postgresql\n      - "
                "b:/var/lib/postgresql/data\n      - c:/var/lib/postgresql/data2\nvolumes:\n  a:\n",
                DATA,
                "services:\n  db:\n    volumes:\n      - a:/var/lib/postgresql\n      - "
                "pgdata17:/var/lib/postgresql/data\n      - "
                "c:/var/lib/postgresql/data2\nvolumes:\n  pgdata17:\n    external: true\n  a:\n");
}

Test(edit_volume, follows_variables_anchors_and_volumes_without_a_name)
{
        volume_becomes("services:\n  db:\n    volumes:\n      - "
                       "${D:-./a:b}:/var/lib/postgresql/data:Z\nvolumes:\n  a:\n",
                       DATA,
                       "services:\n  db:\n    volumes:\n      - "
                       "pgdata17:/var/lib/postgresql/data:Z\nvolumes:\n  pgdata17:\n    external: "
                       "true\n  a:\n");
        volume_becomes(
                "services:\n  db:\n    volumes:\n      - /var/lib/postgresql/data\nvolumes: {a: "
                "}\n",
                DATA,
                "services:\n  db:\n    volumes:\n      - "
                "pgdata17:/var/lib/postgresql/data\nvolumes: {pgdata17: {external: true}, a: }\n");
        volume_becomes("x: &v [\"pg:/var/lib/postgresql/data\"]\nservices:\n  db:\n    volumes: "
                       "*v\nvolumes: {a: }\n",
                       DATA,
                       "x: &v [\"pgdata17:/var/lib/postgresql/data\"]\nservices:\n  db:\n    "
                       "volumes: *v\nvolumes: {pgdata17: {external: true}, a: }\n");
}

Test(edit_volume, keeps_the_variable_where_its_value_is_changed_elsewhere)
{
        const char *text = "services:\n  db:\n    volumes:\n      - "
                           "\"${D}:/var/lib/postgresql/data\"\nvolumes: {a: }\n";
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_ERR err = { 0 };
        ComposeVolume w = { "db", DATA, VOL, "/var/lib/postgresql", "${D}" };
        cr_assert(compose_edit_volume("c", text, strlen(text), &w, &e, &err), "%s", err.message);
        cr_assert_not_null(strstr(e.after, "- \"${D}:/var/lib/postgresql\"\nvolumes: {pgdata17: "
                                           "{external: true}, a: }"),
                           "%s", e.after);
}

/* ---- lines of its own ---- */

static void inserted(const char *before, const ComposeInsert *w, const char *expected)
{
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(compose_insert("c.yaml", before, strlen(before), w, &e, &err), "%s\n%s", before,
                  err.message);
        cr_assert_str_eq(e.after, expected, "got:\n%s", e.after);
}

Test(insert, adds_lines_in_the_indentation_that_is_there)
{
        static const char *const image[] = { "image: " NEW, NULL };
        ComposeInsert w = { .service = "db", .lines = image };
        inserted("x: &pg {a: b}\nservices:\n    db:   # mine\n        <<: *pg\n", &w,
                 "x: &pg {a: b}\nservices:\n    db:   # mine\n        image: " NEW
                 "\n        <<: *pg\n");
        inserted("services:\r\n  db:\r\n    # x\r\n    extends: a\r\n", &w,
                 "services:\r\n  db:\r\n    # x\r\n    image: " NEW "\r\n    extends: a\r\n");
        inserted("services:\n  db: {extends: a}\n", &w,
                 "services:\n  db: {image: " NEW ", extends: a}\n");
        inserted("services:\n  web: {image: a}\n", &w,
                 "services:\n  db:\n    image: " NEW "\n  web: {image: a}\n");
}

Test(insert, adds_a_mount_to_a_list_and_declares_it)
{
        ComposeInsert w = { .service = "db", .mount = VOL ":" DATA, .volume = VOL };
        inserted("services:\n  db:\n    volumes:\n    - ./a:/b   # c\nvolumes:\n  x:\n", &w,
                 "services:\n  db:\n    volumes:\n    - pgdata17:/var/lib/postgresql/data\n    - "
                 "./a:/b   # c\nvolumes:\n  pgdata17:\n    external: true\n  x:\n");
}

Test(edit_volume, refuses_what_it_cannot_change_alone)
{
        volume_refused("services:\n  db: {image: x}\n", "no volume here");
        volume_refused("services:\n  db:\n    volumes:\n      - &v pg:/var/lib/postgresql/data\n",
                       "an anchor");
        volume_refused("services:\n  db:\n    volumes:\n      - {type: bind, source: ./x, target: "
                       "/var/lib/postgresql/data, bind: {selinux: z}}\n",
                       "bind mount with options");
        volume_refused("x: &v {pg: }\nservices:\n  db:\n    volumes:\n      - "
                       "pg:/var/lib/postgresql/data\nvolumes: *v\n",
                       "cannot be added to");
        volume_refused("services:\n  db:\n    volumes:\n      - "
                       "pg:/var/lib/postgresql/data\nvolumes: [a]\n",
                       "a list");
        volume_refused("{services: {db: {volumes: ['pg:/var/lib/postgresql/data']}}}",
                       "one flow map");
        volume_refused(
                "services:\n  db:\n    volumes:\n      - pg:/var/lib/postgresql/data\nvolumes: ~\n",
                "says null");
}

Test(edit_volume, wants_a_name_that_yaml_reads_as_text)
{
        static const struct {
                const char *name;
                bool good;
        } names[] = {
                { "pg17", true },    { "3proxy_pgdata17", true },
                { "a.b-c_d", true }, { "123", false },
                { "1e5", false },    { "0x1f", false },
                { "no", false },     { "Null", false },
                { "", false },       { ".x", false },
                { "a b", false },    { "a:b", false },
                { "-x", false },     { "a\nb", false },
        };
        const char *text = "services:\n  db:\n    volumes:\n      - pg:/var/lib/postgresql/data\n";
        for (size_t i = 0; i < LEN(names); i++) {
                AUTO_COMPOSE_EDIT e = { 0 };
                AUTO_ERR err = { 0 };
                cr_expect_eq(compose_edit_volume(
                                     "c", text, strlen(text),
                                     &(ComposeVolume){ "db", DATA, names[i].name, DATA, NULL }, &e,
                                     &err),
                             names[i].good, "%s", names[i].name);
        }
}

/* Whatever bytes come: no crash, and what is accepted reads back as one change. */
Test(edit_image, survives_every_cut_of_a_file)
{
        const char *text = "# ü\nservices:\n"
                           "  db: {image: 'postgres:13', volumes: "
                           "[\"pg:/var/lib/postgresql/data\"]}\n"
                           "  web:\n    image: \"x\"\n    depends_on: [db]\nvolumes:\n  pg: {}\n";
        for (size_t n = 0; n <= strlen(text); n++) {
                AUTO_COMPOSE_EDIT a = { 0 }, b = { 0 };
                AUTO_ERR err = { 0 }, err2 = { 0 };
                AUTO_FREE char *cut = xstrndup(text, n);
                if (compose_edit_image("c", cut, n, "db", NEW, &a, &err))
                        cr_assert_not_null(strstr(a.after, NEW));
                else
                        cr_assert_not_null(err.message);
                if (compose_edit_volume("c", cut, n,
                                        &(ComposeVolume){ "db", DATA, VOL, DATA, NULL }, &b, &err2))
                        cr_assert_not_null(strstr(b.after, VOL ":" DATA));
                else
                        cr_assert_not_null(err2.message);
        }
}
