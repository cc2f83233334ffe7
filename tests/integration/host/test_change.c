/* test_change.c: the shapes of compose files that people have, changed on copies and read back by
 * Docker Compose. Nothing is started: what counts is what would be written, and that nothing
 * was. */
#include "kit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "host/compose_change.h"

#define DATA  "/var/lib/postgresql/data"
#define IMAGE "postgres:17-bookworm"

typedef struct Text {
        const char *name, *text;
} Text;

typedef struct Shape {
        char dir[64];
        Compose *c;
        ComposeChange *ch;
        Err err;
} Shape;

static void shape_done(Shape *s)
{
        AUTO_ERR ignored = { 0 };
        s->ch = compose_change_free(s->ch);
        s->c = compose_close(s->c);
        (void)!io_remove_tree(s->dir, &ignored);
        err_clear(&s->err);
}
#define AUTO_SHAPE CLEANUP(shape_done) Shape

static Shape shape_of(const Text *files)
{
        Shape s = { .dir = "/tmp/labtest-shape-XXXXXX" };
        AUTO_ERR err = { 0 };
        cr_assert_not_null(mkdtemp(s.dir));
        for (; files->name; files++) {
                AUTO_FREE char *path = io_join(s.dir, files->name);
                AUTO_FREE char *dir = xstrdup(path);
                *strrchr(dir, '/') = '\0';
                cr_assert(
                        io_mkdir_p(dir, 0755, &err) &&
                                io_replace_file(path, files->text, strlen(files->text), 0644, &err),
                        "%s", err.message);
        }
        return s;
}

static bool change_to(Shape *s, const char *image, const char *target)
{
        ComposeVolumeWish w = { "db", DATA, "pgdata17", target };
        cr_assert(compose_open(s->dir, NULL, &s->c, &s->err), "%s", s->err.message);
        s->ch = compose_change_new(s->c);
        return compose_change_image(s->ch, NULL, "db", image, &s->err) &&
               compose_change_volume(s->ch, NULL, &w, &s->err);
}

/* Every file of `expected` reads so, no other changes, and the real ones are as they were. */
static void expect(Shape *s, const Text *before, const Text *expected, const char *target)
{
        cr_assert(change_to(s, IMAGE, target), "%s", s->err.message);
        size_t n = 0;
        for (const Text *e = expected; e->name; e++, n++) {
                AUTO_FREE char *path = io_join(s->dir, e->name);
                bool found = false;
                for (size_t i = 0; i < compose_change_count(s->ch); i++) {
                        ComposeChanged f = compose_change_file(s->ch, i);
                        if (!str_eq(f.path, path))
                                continue;
                        found = true;
                        cr_assert_str_eq(f.after, e->text, "%s is\n%s", e->name, f.after);
                        cr_assert_null(strstr(f.diff, "s3cr3t"), "%s", f.diff);
                }
                cr_assert(found, "%s is not changed; %s is", e->name,
                          compose_change_count(s->ch) ? compose_change_file(s->ch, 0).path
                                                      : "nothing");
        }
        cr_assert_eq(compose_change_count(s->ch), n, "%s", compose_change_file(s->ch, 0).path);
        for (; before->name; before++) {
                AUTO_FREE char *path = io_join(s->dir, before->name);
                AUTO_FREE char *now = NULL;
                AUTO_ERR err = { 0 };
                size_t len = 0;
                cr_assert(io_read_file(path, 1 << 20, &now, &len, &err));
                cr_assert_str_eq(now, before->text, "%s was written", before->name);
        }
}

#define BECOMES(target, before_, after_)                                                           \
        do {                                                                                       \
                static const Text before[] = { before_, { 0 } }, after[] = { after_, { 0 } };      \
                AUTO_SHAPE s = shape_of(before);                                                   \
                expect(&s, before, after, target);                                                 \
        } while (0)
#define F(name, text)                                                                              \
        {                                                                                          \
                name, text                                                                         \
        }
#define AND ,

Test(change, a_tag_and_a_path_in_dot_env_are_changed_there)
{
        BECOMES(DATA,
                F("compose.yaml", "services:\n  db:\n    image: postgres:${TAG}\n    environment: "
                                  "{P: '${PASSWORD}'}\n"
                                  "    volumes:\n      - ${DATA_PATH}:/var/lib/postgresql/data\n")
                        AND F(".env", "PASSWORD=s3cr3t\nTAG=13 # mine\nDATA_PATH='./data'\n"),
                F("compose.yaml",
                  "services:\n  db:\n    image: postgres:${TAG}\n    environment: {P: "
                  "'${PASSWORD}'}\n"
                  "    volumes:\n      - ${DATA_PATH}:/var/lib/postgresql/data\n\nvolumes:\n  "
                  "pgdata17:\n    external: true\n")
                        AND F(".env",
                              "PASSWORD=s3cr3t\nTAG=17-bookworm # mine\nDATA_PATH='pgdata17'\n"));
}

Test(change, a_default_is_changed_where_it_stands)
{
        BECOMES("/var/lib/postgresql",
                F("docker-compose.yml",
                  "services:\n  db:\n    image: ${IMG:-postgres:13}\n    volumes: "
                  "['${D:-pg}:/var/lib/postgresql/data']\nvolumes:\n  pg:\n"),
                F("docker-compose.yml",
                  "services:\n  db:\n    image: ${IMG:-postgres:17-bookworm}\n    volumes: "
                  "['${D:-pgdata17}:/var/lib/postgresql']\nvolumes:\n  pgdata17:\n    external: "
                  "true\n  pg:\n"));
}

Test(change, a_variable_that_others_use_too_is_left_alone)
{
        BECOMES(DATA,
                F("compose.yaml", "services:\n  db:\n    image: postgres:${TAG}\n    volumes: "
                                  "['pg:/var/lib/postgresql/data']\n"
                                  "  exporter:\n    image: exporter:${TAG}\nvolumes:\n  pg:\n")
                        AND F(".env", "TAG=13\n"),
                F("compose.yaml", "services:\n  db:\n    image: postgres:17-bookworm\n    volumes: "
                                  "['pgdata17:/var/lib/postgresql/data']\n"
                                  "  exporter:\n    image: exporter:${TAG}\nvolumes:\n  "
                                  "pgdata17:\n    external: true\n  pg:\n"));
}

Test(change, an_anchor_that_others_use_too_gets_lines_beside_it)
{
        BECOMES("/var/lib/postgresql",
                F("compose.yaml",
                  "x-pg: &pg\n  image: postgres:13\n  volumes:\n    - "
                  "pg:/var/lib/postgresql/data\n    - ./c:/etc/x:ro\n"
                  "services:\n  db:\n    <<: *pg\n  replica:\n    <<: *pg\nvolumes:\n  pg:\n"),
                F("compose.yaml", "x-pg: &pg\n  image: postgres:13\n  volumes:\n    - "
                                  "pg:/var/lib/postgresql/data\n    - ./c:/etc/x:ro\n"
                                  "services:\n  db:\n    volumes:\n"
                                  "      - pgdata17:/var/lib/postgresql\n      - ./c:/etc/x:ro\n"
                                  "    image: postgres:17-bookworm\n    <<: *pg\n  replica:\n"
                                  "    <<: *pg\nvolumes:\n  pgdata17:\n    external: true\n"
                                  "  pg:\n"));
}

Test(change, an_anchor_that_only_this_service_uses_is_changed_in_place)
{
        BECOMES(DATA,
                F("compose.yaml",
                  "x-a: &pg\n  image: postgres:13\n  volumes: "
                  "['pg:/var/lib/postgresql/data']\nservices:\n  db: *pg\nvolumes: {pg: }\n"),
                F("compose.yaml", "x-a: &pg\n  image: postgres:17-bookworm\n  volumes: "
                                  "['pgdata17:/var/lib/postgresql/data']\nservices:\n  db: "
                                  "*pg\nvolumes: {pgdata17: {external: true}, pg: }\n"));
}

Test(change, an_alias_gets_an_override_file)
{
        BECOMES(DATA,
                F("compose.yaml", "services:\n  a: &pg\n    image: postgres:13\n    volumes: "
                                  "['pg:/var/lib/postgresql/data']\n  db: *pg\nvolumes:\n  pg:\n"),
                F("compose.override.yaml",
                  "# Written by pgsherpa: read by `docker compose` after the other file, and "
                  "wins.\nservices:\n  db:\n"
                  "    volumes:\n      - pgdata17:/var/lib/postgresql/data\n    image: "
                  "postgres:17-bookworm\n\nvolumes:\n  pgdata17:\n    external: true\n"));
}

Test(change, what_extends_gets_lines_of_its_own)
{
        BECOMES(DATA,
                F("compose.yaml", "services:\n  db:\n    extends: {file: base/pg.yaml, service: "
                                  "pg}\nvolumes:\n  pg:\n")
                        AND F("base/pg.yaml", "services:\n  pg:\n    image: postgres:13\n    "
                                              "volumes: ['pg:/var/lib/postgresql/data']\n"),
                F("compose.yaml",
                  "services:\n  db:\n    volumes:\n      - pgdata17:/var/lib/postgresql/data\n    "
                  "image: postgres:17-bookworm\n"
                  "    extends: {file: base/pg.yaml, service: pg}\nvolumes:\n  pgdata17:\n    "
                  "external: true\n  pg:\n"));
}

Test(change, what_extends_and_moves_its_mount_says_all_of_them)
{
        BECOMES("/var/lib/postgresql",
                F("compose.yaml",
                  "services:\n  db:\n    extends: pg\n  pg:\n    image: postgres:13\n    volumes: "
                  "['pg:/var/lib/postgresql/data', 'cf:/etc/x:ro']\nvolumes:\n  pg:\n  cf:\n"),
                F("compose.yaml",
                  "services:\n  db:\n    volumes: !override\n      - pgdata17:/var/lib/postgresql\n"
                  "      - "
                  "{\"read_only\":true,\"source\":\"cf\",\"target\":\"/etc/"
                  "x\",\"type\":\"volume\",\"volume\":{}}\n"
                  "    image: postgres:17-bookworm\n    extends: pg\n  pg:\n"
                  "    image: postgres:13\n"
                  "    volumes: ['pg:/var/lib/postgresql/data', 'cf:/etc/x:ro']\n"
                  "volumes:\n  pgdata17:\n    external: true\n  pg:\n  cf:\n"));
}

Test(change, an_included_file_is_changed_itself)
{
        BECOMES(DATA,
                F("compose.yaml",
                  "include:\n  - ./db/compose.yaml\nservices:\n  web: {image: web:1}\n")
                        AND F("db/compose.yaml",
                              "services:\n  db:\n    image: postgres:13\n    volumes: "
                              "['pg:/var/lib/postgresql/data']\nvolumes: {pg: }\n"),
                F("db/compose.yaml", "services:\n  db:\n    image: postgres:17-bookworm\n    "
                                     "volumes: ['pgdata17:/var/lib/postgresql/data']\nvolumes: "
                                     "{pgdata17: {external: true}, pg: }\n"));
}

Test(change, of_several_files_the_one_that_wins)
{
        BECOMES(DATA,
                F("compose.yaml", "services:\n  db:\n    image: postgres:13\n    volumes: "
                                  "['pg:/var/lib/postgresql/data']\nvolumes: {pg: }\n")
                        AND F("compose.override.yaml",
                              "services:\n  db:\n    image: postgres:13-alpine\n    volumes: "
                              "!override\n      - pg:/var/lib/postgresql/data:Z\n"),
                F("compose.override.yaml",
                  "services:\n  db:\n    image: postgres:17-bookworm\n    volumes: !override\n     "
                  " - pgdata17:/var/lib/postgresql/data:Z\n\nvolumes:\n  pgdata17:\n    external: "
                  "true\n"));
}

Test(change, an_override_that_only_adds_a_file_is_in_nobodys_way)
{
        BECOMES(DATA,
                F("compose.yaml", "services:\n  db:\n    image: postgres:13\n    volumes: "
                                  "['pg:/var/lib/postgresql/data']\nvolumes: {pg: }\n")
                        AND F("compose.override.yaml",
                              "services:\n  db:\n    volumes:\n      - ./conf:/etc/x:ro\n"),
                F("compose.yaml", "services:\n  db:\n    image: postgres:17-bookworm\n    volumes: "
                                  "['pgdata17:/var/lib/postgresql/data']\nvolumes: {pgdata17: "
                                  "{external: true}, pg: }\n"));
}

Test(change, a_volume_without_a_name_gets_one)
{
        BECOMES(DATA,
                F("compose.yaml", "services:\n  db:\n    image: postgres:13\n    volumes:\n      - "
                                  "/var/lib/postgresql/data\n"),
                F("compose.yaml",
                  "services:\n  db:\n    image: postgres:17-bookworm\n    volumes:\n      - "
                  "pgdata17:/var/lib/postgresql/data\n\nvolumes:\n  pgdata17:\n    external: "
                  "true\n"));
        BECOMES(DATA,
                F("compose.yaml",
                  "services:\n  db:\n    image: postgres\n    volumes:\n      - ./c:/etc/x\n"),
                F("compose.yaml", "services:\n  db:\n    image: postgres:17-bookworm\n    "
                                  "volumes:\n      - pgdata17:/var/lib/postgresql/data\n      - "
                                  "./c:/etc/x\n\nvolumes:\n  pgdata17:\n    external: true\n"));
        BECOMES(DATA,
                F("compose.yaml",
                  "services:\n  db:\n    image: "
                  "postgres@sha256:"
                  "0123456789012345678901234567890123456789012345678901234567890123\n"),
                F("compose.yaml",
                  "services:\n  db:\n    volumes:\n      - pgdata17:/var/lib/postgresql/data\n    "
                  "image: postgres:17-bookworm\n\nvolumes:\n  pgdata17:\n    external: true\n"));
}

Test(change, a_link_is_followed_and_the_tree_beside_it_found)
{
        static const Text before[] = {
                { "real/pg.yaml",
                  "services:\n  db:\n    image: postgres:13\n    env_file: ./app.env\n    volumes: "
                  "['pg:/var/lib/postgresql/data']\nvolumes: {pg: }\n" },
                { "p/app.env", "A=b\n" },
                { 0 }
        };
        AUTO_SHAPE s = shape_of(before);
        AUTO_FREE char *dir = io_join(s.dir, "p");
        AUTO_FREE char *link = io_join(dir, "compose.yaml");
        AUTO_FREE char *base = xstrdup(s.dir);
        cr_assert_eq(symlink("../real/pg.yaml", link), 0);
        snprintf(s.dir, sizeof s.dir, "%s", dir);
        cr_assert(change_to(&s, IMAGE, DATA), "%s", s.err.message);
        cr_assert_eq(compose_change_count(s.ch), 1);
        cr_assert_str_eq(compose_change_file(s.ch, 0).path, link);
        snprintf(s.dir, sizeof s.dir, "%s", base);
}

static void refused(const Text *files, const char *image, const char *why, const char *hint)
{
        AUTO_SHAPE s = shape_of(files);
        cr_assert_not(change_to(&s, image, DATA));
        cr_assert_not_null(strstr(s.err.message, why), "%s", s.err.message);
        cr_assert_not_null(strstr(s.err.hint, hint), "%s", s.err.hint);
}

Test(change, what_is_built_here_is_no_tag_to_be_changed)
{
        static const Text alone[] = {
                { "compose.yaml", "services:\n  db:\n    build: ./pg\n    volumes: "
                                  "['pg:/var/lib/postgresql/data']\nvolumes: {pg: }\n" },
                { "pg/Dockerfile",
                  "# ours\nFROM --platform=linux/amd64 postgres:13 AS x\nRUN true\n" },
                { 0 }
        };
        static const Text beside[] = {
                { "compose.yaml", "services:\n  db:\n    build: ./pg\n    image: ours:13\n    "
                                  "volumes: ['pg:/var/lib/postgresql/data']\nvolumes: {pg: }\n" },
                { "pg/Dockerfile", "FROM postgres:13\nRUN true\n" },
                { 0 }
        };
        refused(alone, "postgres:17", "all that its Dockerfile adds to postgres:13 would be lost",
                "change FROM");
        refused(beside, "postgres:17", "all that its Dockerfile adds to postgres:13 would be lost",
                "change FROM");
}

int main(int argc, char **argv)
{
        return kit_main(argc, argv);
}
