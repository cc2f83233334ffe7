/* test_steps.c: the kinds one by one, on a real project: what they say, what they refuse, and
 * what a probe finds after a kill. */
#include "kit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"

static const json_t *server_of(const json_t *results, const Kit *k)
{
        size_t i;
        json_t *s;
        json_array_foreach(jx_get(results, "servers"), i, s) {
                if (str_eq(jx_str(s, "project", ""), k->project))
                        return s;
        }
        return NULL;
}

static char *dump(const json_t *j)
{
        return jx_dump(j);
}

Test(discover_docker, knows_what_a_journey_asks)
{
        AUTO_KIT k = kit_new(13);
        const json_t *r = kit_run(&k, "look", "discover.docker", json_object());
        const json_t *s = server_of(r, &k);
        cr_assert_not_null(s);
        AUTO_FREE char *text = dump(s);
        cr_expect_str_eq(jx_str(s, "kind", ""), "compose");
        cr_expect_str_eq(jx_str(s, "dir", ""), k.dir);
        cr_expect_str_eq(jx_str(s, "service", ""), "db");
        cr_expect_eq(jx_int(s, "major", 0), 13);
        cr_expect_str_eq(jx_str(s, "user", ""), "owner");
        cr_expect_str_eq(jx_str(s, "db", ""), "makapix");
        cr_expect_gt(jx_int(s, "size", 0), 1000000, "%s", text);
        cr_expect_str_eq(jx_str(s, "support", ""), "ended Nov 2025");
        AUTO_FREE char *volume = xasprintf("%s_pgdata", k.project);
        cr_expect_str_eq(jx_str(s, "volume", ""), volume);
        AUTO_FREE char *stop = dump(jx_get(s, "stop_order"));
        cr_expect_str_eq(stop, "[\"web\",\"api\",\"worker\"]");
        AUTO_FREE char *start = dump(json_array_get(jx_get(s, "start_order"), 0));
        cr_expect_not_null(strstr(start, "\"health\":\"container\""), "%s", start);
        /* Secrets: nothing of .env may have come along. */
        AUTO_FREE char *env = kit_file(&k, ".env");
        const char *pw = strstr(env, "DB_PASSWORD=");
        AUTO_FREE char *word = xstrndup(pw + 12, strcspn(pw + 12, "\n"));
        cr_expect_null(strstr(text, word));
}

Test(compose_health, warns_of_a_check_that_may_restart_the_database)
{
        AUTO_KIT k = kit_new_with(15, "--up=db");
        AUTO_ERR err = { 0 };
        const json_t *r = kit_run(&k, "healthy", "compose.health", json_object());
        cr_expect_eq(json_array_size(jx_get(r, "risky_checks")), 0);
        AUTO_FREE char *path = io_join(k.dir, "compose.yaml");
        AUTO_FREE char *file = kit_file(&k, "compose.yaml");
        char *at = strstr(strstr(file, "pg_isready"), "timeout: 30s");
        cr_assert_not_null(at);
        memcpy(at, "timeout:  3s", 12);
        cr_assert(io_replace_file(path, file, strlen(file), 0644, &err));
        kit_run(&k, "up", "compose.up",
                json_pack("{s:[s],s:s}", "services", "db", "health", "pg_isready"));
        r = kit_run(&k, "again", "compose.health", json_object());
        AUTO_FREE char *risky = dump(jx_get(r, "risky_checks"));
        cr_expect_str_eq(risky, "[\"db\"]");
}

Test(compose_health, tells_who_is_well_and_who_did_not_come_back)
{
        AUTO_KIT k = kit_new(15);
        const json_t *r = kit_run(&k, "healthy", "compose.health", json_object());
        cr_expect_eq(json_array_size(jx_get(r, "unhealthy")), 0);
        cr_expect_eq(json_array_size(jx_get(r, "running")), 4);
        AUTO_JSON running = json_deep_copy(jx_get(r, "running"));
        kit_run(&k, "stop", "compose.stop", json_pack("{s:[s]}", "services", "worker"));
        r = kit_run(&k, "again", "compose.health", json_pack("{s:O}", "expect_running", running));
        AUTO_FREE char *missing = dump(jx_get(r, "not_back"));
        cr_expect_str_eq(missing, "[\"worker\"]");
        r = kit_run(&k, "drift", "compose.drift", json_object());
        cr_expect_eq(json_array_size(jx_get(r, "drifted")), 0);
        AUTO_FREE char *path = io_join(k.dir, "compose.yaml");
        AUTO_FREE char *file = kit_file(&k, "compose.yaml");
        AUTO_FREE char *edited = xasprintf("%s\n", file);
        char *shm = strstr(edited, "128mb");
        memcpy(shm, "256mb", 5);
        AUTO_ERR err = { 0 };
        cr_assert(io_replace_file(path, edited, strlen(edited), 0644, &err));
        r = kit_run(&k, "drift", "compose.drift", json_object());
        AUTO_FREE char *drifted = dump(jx_get(r, "drifted"));
        cr_expect_not_null(strstr(drifted, "\"service\":\"db\""), "%s", drifted);
        kit_undo(&k, "stop");
        kit_expect(&k, "worker", "running healthy");
}

Test(compose_set_image, undo_leaves_a_file_alone_that_somebody_else_changed)
{
        AUTO_KIT k = kit_new_with(15, "--up=none");
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(k.dir, "compose.yaml");
        kit_run(&k, "image", "compose.set_image",
                json_pack("{s:s,s:s}", "service", "db", "image", "postgres:17"));
        AUTO_FREE char *edited = kit_file(&k, "compose.yaml");
        AUTO_FREE char *more = xasprintf("%s# a late thought\n", edited);
        cr_assert(io_replace_file(path, more, strlen(more), 0644, &err));
        cr_assert_eq(kit_probe(&k, "image"), FOUND_DRIFT);
        cr_assert_not(kit_try(&k, "undo", "image", NULL, NULL, &err));
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert_not_null(strstr(err.message, "somebody else"), "%s", err.message);
        AUTO_FREE char *now = kit_file(&k, "compose.yaml");
        cr_assert_str_eq(now, more);
}

Test(server_start, a_killed_attempt_is_thrown_away_and_begun_again)
{
        AUTO_KIT k = kit_new_with(15, "--up=db");
        AUTO_FREE char *server = xasprintf("%s-new", k.project);
        AUTO_FREE char *volume = xasprintf("%s_new", k.project);
        AUTO_FREE char *run_label = xasprintf("--label=pgsherpa.run=%s", k.run_id);
        json_t *params = json_pack("{s:s,s:s,s:s,s:s}", "service", "db", "image", "postgres:17",
                                   "volume", volume, "name", server);
        /* As a kill between `volume create` and `run` leaves it. */
        free(kit_docker("volume", "create", run_label, "--label=pgsherpa.step=new", volume, NULL));
        AUTO_ERR err = { 0 };
        cr_assert(kit_try(&k, "check", "new", "server.start", params, &err), "%s", err.message);
        cr_assert_eq(kit_probe(&k, "new"), FOUND_PART);
        /* And as a kill in the middle of initdb does: files, and no server. */
        AUTO_FREE char *mount = xasprintf("%s:/v", volume);
        free(kit_docker("run", "--rm", "-v", mount, "--entrypoint", "sh", "postgres:17", "-c",
                        "mkdir -p /v/base; echo 17 > /v/PG_VERSION", NULL));
        const json_t *r = kit_run(&k, "new", "server.start", json_incref(params));
        cr_assert_eq(jx_int(jx_get(r, "identity"), "major", 0), 17);
        AUTO_FREE char *inspect = kit_docker("inspect", server, NULL);
        cr_assert_not_null(strstr(inspect, "\"RestartPolicy\""));
        cr_assert_null(strstr(inspect, "\"HostPort\""));
        kit_undo(&k, "new");
        AUTO_FREE char *left = kit_docker("volume", "ls", "-q", "--filter", run_label + 2, NULL);
        cr_assert_str_eq(left, "");
}

Test(server_start, one_that_became_healthy_meanwhile_is_taken_and_not_made_anew)
{
        AUTO_KIT k = kit_new_with(15, "--up=db");
        AUTO_FREE char *server = xasprintf("%s-new", k.project);
        AUTO_FREE char *volume = xasprintf("%s_new", k.project);
        json_t *params = json_pack("{s:s,s:s,s:s,s:s}", "service", "db", "image", "postgres:17",
                                   "volume", volume, "name", server);
        AUTO_FREE char *system = xstrdup(jx_str(
                jx_get(kit_run(&k, "new", "server.start", params), "identity"), "system", ""));
        AUTO_FREE char *before = kit_docker("inspect", "--format", "{{.Id}}", server, NULL);
        const json_t *again = kit_run(&k, "new", "server.start", json_incref(params));
        AUTO_FREE char *after = kit_docker("inspect", "--format", "{{.Id}}", server, NULL);
        cr_assert_str_eq(after, before);
        cr_assert_str_eq(jx_str(jx_get(again, "identity"), "system", ""), system);
        kit_undo(&k, "new");
}

Test(server_start, keeps_its_hands_off_what_is_not_ours)
{
        AUTO_KIT k = kit_new_with(15, "--up=db");
        AUTO_FREE char *server = xasprintf("%s-new", k.project);
        AUTO_FREE char *volume = xasprintf("%s_pgdata", k.project);
        AUTO_ERR err = { 0 };
        cr_assert_not(kit_try(&k, "check", "new", "server.start",
                              json_pack("{s:s,s:s,s:s,s:s}", "service", "db", "image",
                                        "postgres:17", "volume", volume, "name", server),
                              &err));
        cr_assert_not_null(strstr(err.message, "exists already"), "%s", err.message);
        err_clear(&err);
        cr_assert_not(kit_try(&k, "run", "new", "server.start", NULL, &err));
        cr_assert_not_null(strstr(err.message, "not ours"), "%s", err.message);
        err_clear(&err);
        cr_assert(kit_try(&k, "undo", "new", NULL, NULL, &err), "%s", err.message);
        kit_expect(&k, "db", "running healthy");
        /* A removal by name refuses what is in use, and what is no name. */
        cr_assert_not(kit_try(&k, "run", "rm", "volume.remove",
                              json_pack("{s:s}", "volume", volume), &err));
        cr_assert_not_null(strstr(err.message, "is used by"), "%s", err.message);
        err_clear(&err);
        cr_assert_not(kit_try(&k, "run", "rm2", "volume.remove",
                              json_pack("{s:s}", "volume", "lab*"), &err));
        err_clear(&err);
        cr_assert_not(kit_try(&k, "run", "rm3", "image.remove",
                              json_pack("{s:s}", "image", "postgres:15"), &err));
        cr_assert_not_null(strstr(err.message, "still used"), "%s", err.message);
}

Test(server_start, refuses_a_locale_the_image_does_not_have)
{
        AUTO_KIT k = kit_new_with(15, "--up=db");
        AUTO_ERR err = { 0 };
        AUTO_FREE char *server = xasprintf("%s-new", k.project);
        AUTO_FREE char *volume = xasprintf("%s_new", k.project);
        cr_assert_not(
                kit_try(&k, "check", "new", "server.start",
                        json_pack("{s:s,s:s,s:s,s:s,s:s}", "service", "db", "image", "postgres:17",
                                  "volume", volume, "name", server, "locale", "tlh_QO.UTF-8"),
                        &err));
        cr_assert_not_null(strstr(err.message, "does not have the locale"), "%s", err.message);
}

Test(volumes, are_made_copied_compared_and_removed)
{
        AUTO_KIT k = kit_new_with(15, "--up=db");
        AUTO_FREE char *from = xasprintf("%s_pgdata", k.project);
        AUTO_FREE char *to = xasprintf("%s_new", k.project);
        AUTO_ERR err = { 0 };
        json_t *params = json_pack("{s:s,s:s}", "from", from, "to", to);
        cr_assert_not(kit_try(&k, "check", "copy", "volume.copy", params, &err));
        cr_assert_not_null(strstr(err.message, "files in use"), "%s", err.message);
        kit_run(&k, "stop", "compose.stop",
                json_pack("{s:[s],s:s}", "services", "db", "require", ""));
        const json_t *r = kit_run(&k, "copy", "volume.copy", json_incref(params));
        cr_assert_gt(jx_int(r, "bytes", 0), 10000000);
        cr_assert_eq(kit_probe(&k, "copy"), FOUND_PART);
        kit_undo(&k, "copy");
        kit_run(&k, "make", "volume.create", json_pack("{s:s}", "volume", to));
        cr_assert_eq(kit_probe(&k, "make"), FOUND_ALL);
        kit_run(&k, "rm", "volume.remove", json_pack("{s:s}", "volume", to));
        cr_assert_eq(kit_probe(&k, "rm"), FOUND_ALL);
        cr_assert_eq(kit_probe(&k, "make"), FOUND_NOTHING);
        kit_undo(&k, "stop");
        kit_expect(&k, "db", "running healthy");
}

Test(host_disk, adds_up_what_is_needed_on_one_filesystem)
{
        AUTO_KIT k = kit_new_with(15, "--up=none");
        const json_t *r = kit_run(&k, "disk", "host.disk",
                                  json_pack("{s:[{s:s,s:i},{s:s,s:i}]}", "need", "path",
                                            "/var/backups/not/yet", "free", 1000, "path",
                                            "docker-root", "free", 1000));
        cr_assert_eq(json_array_size(jx_get(r, "short")), 0);
        int64_t room = jx_int(json_array_get(jx_get(r, "rooms"), 0), "free", 0);
        r = kit_run(&k, "disk", "host.disk",
                    json_pack("{s:[{s:s,s:I},{s:s,s:I}]}", "need", "path", "/tmp", "free",
                              (json_int_t)(room / 3 * 2), "path", "/var/tmp", "free",
                              (json_int_t)(room / 3 * 2)));
        cr_assert_eq(json_array_size(jx_get(r, "short")), 2);
        cr_assert_not_null(jx_get(r, "reclaimable"));
}

Test(http_check, asks_the_web_service)
{
        AUTO_KIT k = kit_new(15);
        AUTO_FREE char *env = kit_file(&k, ".env");
        int port = atoi(strstr(env, "WEB_PORT=") + 9);
        AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d/health", port);
        const json_t *r = kit_run(&k, "http", "http.check",
                                  json_pack("{s:s,s:s}", "url", url, "body_matches", "^ok"));
        cr_assert_eq(jx_int(r, "status", 0), 200);
        AUTO_ERR err = { 0 };
        cr_assert_not(kit_try(
                &k, "run", "no", "http.check",
                json_pack("{s:s,s:s,s:s}", "url", url, "body_matches", "^never", "within", "1s"),
                &err));
        cr_assert_not_null(strstr(err.message, "does not match"), "%s", err.message);
}

Test(compose_up, says_what_a_container_said_that_keeps_dying)
{
        AUTO_KIT k = kit_new(15);
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(k.dir, "compose.yaml");
        AUTO_FREE char *file = kit_file(&k, "compose.yaml");
        char *at = strstr(file, "command: web");
        memcpy(at, "command: wxx", 12);
        cr_assert(io_replace_file(path, file, strlen(file), 0644, &err));
        cr_assert_not(kit_try(&k, "run", "up", "compose.up",
                              json_pack("{s:[s],s:s}", "services", "web", "within", "30s"), &err));
        cr_assert_not_null(strstr(err.message, "container"), "%s", err.message);
        at = strstr(file, "command: wxx");
        memcpy(at, "command: web", 12);
        cr_assert(io_replace_file(path, file, strlen(file), 0644, &err));
        kit_undo(&k, "up");
        kit_expect(&k, "web", "running healthy");
}

/* Compose, killed after it made the new container under another name and before it removed the
 * old one: measured, and made here by hand. */
Test(compose_up, goes_on_where_a_killed_one_stopped)
{
        AUTO_KIT k = kit_new_with(15, "--up=db");
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(k.dir, "compose.yaml");
        AUTO_FREE char *file = kit_file(&k, "compose.yaml");
        for (int round = 0; round < 4; round++) {
                char *shm = strstr(file, round % 2 ? "256mb" : "128mb");
                memcpy(shm, round % 2 ? "128mb" : "256mb", 5);
                cr_assert(io_replace_file(path, file, strlen(file), 0644, &err));
                AUTO_PROC r = { 0 };
                AUTO_ERR ignored = { 0 };
                AUTO_FREE char *seconds = xasprintf("0.%d", 12 + 6 * round);
                AUTO_ARGV killed = { 0 };
                argv_add_all(&killed, (const char *const[]){ "timeout", "--signal=KILL", seconds,
                                                             "docker", "compose", "up", "-d",
                                                             "--no-deps", "db", NULL });
                (void)!proc_run(&killed, &(ProcOptions){ .cwd = k.dir, .any_exit = true }, &r,
                                &ignored);
                kit_run(&k, "up", "compose.up",
                        json_pack("{s:[s],s:s}", "services", "db", "health", "pg_isready"));
                AUTO_COMPOSE c = kit_compose(&k);
                AUTO_JSON drifted = NULL;
                cr_assert(compose_drift(c, &drifted, &err));
                cr_assert_eq(json_array_size(drifted), 0, "round %d", round);
                cr_assert_eq(kit_probe(&k, "up"), FOUND_ALL);
        }
}

Test(compose, knows_a_project_that_has_no_containers)
{
        AUTO_KIT k = kit_new_with(15, "--up=db");
        AUTO_FREE char *file = io_join(k.dir, "compose.yaml");
        free(kit_docker("compose", "-f", file, "--project-directory", k.dir, "down", NULL));
        AUTO_COMPOSE c = kit_compose(&k);
        cr_assert_str_eq(compose_project(c), k.project);
        AUTO_FREE char *files = dump(compose_files(c));
        cr_assert_not_null(strstr(files, "compose.yaml"), "%s", files);
        const json_t *r =
                kit_run(&k, "up", "compose.up",
                        json_pack("{s:[s],s:s}", "services", "db", "health", "pg_isready"));
        cr_assert_eq(jx_int(jx_get(r, "identity"), "major", 0), 15);
        kit_undo(&k, "up"); /* there was none before: it goes, its volume stays */
        kit_expect(&k, "db", "");
        AUTO_FREE char *volume = xasprintf("%s_pgdata", k.project);
        AUTO_FREE char *filter = xasprintf("name=%s", volume);
        AUTO_FREE char *kept = kit_docker("volume", "ls", "-q", "--filter", filter, NULL);
        cr_assert_str_eq(kept, volume);
}

Test(files, are_copied_put_back_and_never_overwritten_behind_somebodys_back)
{
        AUTO_KIT k = kit_new_with(15, "--up=none");
        AUTO_ERR err = { 0 };
        AUTO_FREE char *to = io_join(k.dir, ".env");
        AUTO_FREE char *from = io_join(k.dir, "compose.yaml");
        AUTO_FREE char *fresh = io_join(k.dir, "new.env");
        AUTO_FREE char *before = kit_file(&k, ".env");
        AUTO_FREE char *wanted = kit_file(&k, "compose.yaml");
        kit_run(&k, "copy", "file.copy", json_pack("{s:s,s:s}", "from", from, "to", to));
        AUTO_FREE char *now = kit_file(&k, ".env");
        cr_assert_str_eq(now, wanted);
        cr_assert_eq(kit_probe(&k, "copy"), FOUND_ALL);
        kit_run(&k, "back", "file.restore", json_pack("{s:s}", "step", "copy"));
        AUTO_FREE char *again = kit_file(&k, ".env");
        cr_assert_str_eq(again, before);
        kit_undo(&k, "back");
        kit_undo(&k, "copy");
        cr_assert_eq(kit_probe(&k, "copy"), FOUND_NOTHING);
        kit_run(&k, "fresh", "file.copy", json_pack("{s:s,s:s}", "from", from, "to", fresh));
        cr_assert(io_exists(fresh));
        kit_undo(&k, "fresh");
        kit_undo(&k, "fresh");
        cr_assert_not(io_exists(fresh));
}

Test(exec, runs_words_and_remembers_its_end)
{
        AUTO_KIT k = kit_new_with(15, "--up=none");
        AUTO_ERR err = { 0 };
        const json_t *r = kit_run(&k, "e", "exec",
                                  json_pack("{s:[s,s],s:{s:s}}", "argv", "printenv", "WHO", "env",
                                            "WHO", "it's $me"));
        cr_assert_str_eq(jx_str(r, "output", ""), "it's $me\n");
        cr_assert_eq(kit_probe(&k, "e"), FOUND_ALL);
        cr_assert_not(kit_try(&k, "run", "f", "exec",
                              json_pack("{s:[s,s]}", "argv", "ls", "/no/such"), &err));
        cr_assert_not_null(strstr(err.message, "No such file"), "%s", err.message);
        cr_assert_eq(kit_probe(&k, "f"), FOUND_DRIFT);
        err_clear(&err);
        cr_assert_not(kit_try(&k, "check", "g", "exec",
                              json_pack("{s:[s]}", "argv", "no-such-tool-here"), &err));
        AUTO_FREE char *script = io_join(k.dir, "s.sh");
        static const char text[] = "echo \"<$V>\"; exit 0\n";
        cr_assert(io_replace_file(script, text, sizeof text - 1, 0600, &err));
        r = kit_run(
                &k, "s", "shell",
                json_pack("{s:s,s:b,s:{s:s}}", "script", script, "unsafe", 1, "env", "V", "$(id)"));
        cr_assert_str_eq(jx_str(r, "output", ""), "<$(id)>\n");
        cr_assert_not(kit_try(&k, "check", "t", "shell",
                              json_pack("{s:s,s:b}", "script", script, "unsafe", 0), &err));
}

int main(int argc, char **argv)
{
        return kit_main(argc, argv);
}
