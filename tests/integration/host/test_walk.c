/* test_walk.c: case A's path through a real project, forward and back. */
#include "kit.h"

#include <unistd.h>

#include "base/io.h"

static json_t *services(const char *name)
{
        return json_pack("{s:[s]}", "services", name);
}

static void forward(Kit *k, const char *image)
{
        AUTO_FREE char *server = xasprintf("%s-new", k->project);
        AUTO_FREE char *volume = xasprintf("%s_new", k->project);
        const json_t *r = kit_run(k, "new_server", "server.start",
                                  json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "service", "db", "image",
                                            image, "volume", volume, "name", server, "encoding",
                                            "UTF8", "locale", "en_US.utf8"));
        AUTO_FREE char *system = xstrdup(jx_str(jx_get(r, "identity"), "system", ""));
        cr_assert_gt(strlen(system), 5);
        cr_assert_eq(kit_probe(k, "new_server"), FOUND_ALL);
        kit_run(k, "stop.web", "compose.stop", services("web"));
        kit_run(k, "stop.worker", "compose.stop", services("worker"));
        kit_run(k, "stop.api", "compose.stop", services("api"));
        cr_assert_eq(kit_probe(k, "stop.api"), FOUND_ALL);
        r = kit_run(k, "stop_new", "server.stop", json_pack("{s:s}", "name", server));
        cr_assert_str_eq(jx_str(r, "system", ""), system);
        r = kit_run(k, "stop_old", "compose.stop",
                    json_pack("{s:[s],s:s,s:s}", "services", "db", "grace", "60s", "require",
                              "clean_shutdown"));
        cr_assert_str_neq(jx_str(r, "system", ""), system);
        r = kit_run(k, "image", "compose.set_image",
                    json_pack("{s:s,s:s}", "service", "db", "image", image));
        AUTO_FREE char *old_image = xasprintf("postgres:%d", k->major);
        cr_assert_str_eq(jx_str(r, "previous", ""), old_image);
        cr_assert_eq(kit_probe(k, "image"), FOUND_ALL);
        /* Now the file says the new image beside the old volume: nothing may start that (A10). */
        AUTO_ERR err = { 0 };
        cr_assert_not(kit_try(k, "run", "too_early", "compose.up", services("db"), &err));
        cr_assert(strstr(err.message, "holds data of PostgreSQL") ||
                          strstr(err.message, "but not where"),
                  "%s", err.message);
        r = kit_run(k, "volume", "compose.set_volume",
                    json_pack("{s:s,s:s,s:s}", "service", "db", "volume", volume, "image", image));
        AUTO_FREE char *old_volume = xasprintf("%s_pgdata", k->project);
        cr_assert_str_eq(jx_str(r, "previous", ""), old_volume);
        r = kit_run(k, "start_db", "compose.up",
                    json_pack("{s:[s],s:s}", "services", "db", "health", "pg_isready"));
        cr_assert_str_eq(jx_str(jx_get(r, "identity"), "system", ""), system);
        cr_assert_eq(kit_probe(k, "start_db"), FOUND_ALL);
        static const char *const order[] = { "api", "worker", "web" };
        for (size_t i = 0; i < LEN(order); i++) {
                AUTO_FREE char *id = xasprintf("start.%s", order[i]);
                kit_run(k, id, "compose.up",
                        json_pack("{s:[s],s:s}", "services", order[i], "health", "running"));
        }
}

static void back(Kit *k)
{
        static const char *const order[] = {
                "start.web", "start.worker", "start.api", "start_db",    "volume",   "image",
                "stop_old",  "stop_new",     "stop.api",  "stop.worker", "stop.web", "new_server"
        };
        for (size_t i = 0; i < LEN(order); i++) {
                kit_undo(k, order[i]);
                kit_undo(k, order[i]); /* twice is no harm */
        }
}

/* Of another mount since 18, and so of another path; tests/e2e walks from 13 to 17. */
Test(walk, from_15_to_18_with_its_other_mount_and_back)
{
        AUTO_KIT k = kit_new(15);
        AUTO_FREE char *before = kit_file(&k, "compose.yaml");
        AUTO_FREE char *path = io_join(k.dir, "compose.yaml");
        AUTO_FREE char *data = xasprintf("%s-db-1", k.project);
        AUTO_FREE char *system =
                kit_docker("exec", data, "psql", "-XAtU", "owner", "-d", "makapix", "-c",
                           "select system_identifier from pg_control_system()", NULL);
        forward(&k, "postgres:18");
        AUTO_FREE char *after = kit_file(&k, "compose.yaml");
        cr_assert_str_neq(after, before);
        cr_assert_not_null(strstr(after, "# the only copy of everything!"));
        back(&k);
        AUTO_FREE char *again = kit_file(&k, "compose.yaml");
        cr_assert_str_eq(again, before);
        kit_expect(&k, "db", "running healthy");
        kit_expect(&k, "api", "running healthy");
        kit_expect(&k, "web", "running healthy");
        kit_expect(&k, "worker", "running healthy");
        AUTO_FREE char *now =
                kit_docker("exec", data, "psql", "-XAtU", "owner", "-d", "makapix", "-c",
                           "select system_identifier from pg_control_system()", NULL);
        cr_assert_str_eq(now, system);
        AUTO_FREE char *server = xasprintf("%s-new", k.project);
        AUTO_FREE char *left = kit_docker("ps", "-aq", "--filter", "name", server, NULL);
        cr_assert_str_eq(left, "");
        AUTO_FREE char *volume = xasprintf("%s_new", k.project);
        AUTO_FREE char *volumes =
                kit_docker("volume", "ls", "-q", "--filter", "name", volume, NULL);
        cr_assert_str_eq(volumes, "");
}

int main(int argc, char **argv)
{
        return kit_main(argc, argv);
}
