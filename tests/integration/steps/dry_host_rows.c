/* Docker: one Compose project with a running PostgreSQL (service db) and services that do not
 * run. */
#include "dry_row.h"

#include "kit.h"

static FakeStep on_stack(Scene *s, const StepKind *k, json_t *params)
{
        FakeStep f = scene_step(k, params);
        fake_target(&f, "stack", json_incref(s->kit->spec));
        fake_on(&f, "stack");
        return f;
}

static char *volume(Scene *s, const char *word)
{
        char *name = scene_name(s, word);
        json_array_append_new(s->volumes, json_string(name));
        return name;
}

static char *volume_there(Scene *s, const char *word)
{
        char *name = volume(s, word);
        free(kit_docker("volume", "create", name, NULL));
        return name;
}

static char *container(Scene *s, const char *word)
{
        char *name = scene_name(s, word);
        json_array_append_new(s->containers, json_string(name));
        return name;
}

static char *container_there(Scene *s, const char *word, const char *label, const char *image,
                             const char *volume)
{
        char *name = container(s, word);
        AUTO_FREE char *mount = xasprintf("%s:/data", volume ? volume : "nothing");
        if (volume)
                free(kit_docker("run", "--detach", "--pull", "never", "--no-healthcheck", "--name",
                                name, "--label", label, "--volume", mount, "--entrypoint", "sleep",
                                image, "600", NULL));
        else
                free(kit_docker("run", "--detach", "--pull", "never", "--no-healthcheck", "--name",
                                name, "--label", label, "--entrypoint", "sleep", image, "600",
                                NULL));
        return name;
}

/* ---- projects ---- */

static FakeStep set_image(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(s, k,
                        json_pack("{s:s, s:s}", "service", planted ? "d$(rm)" : "db", "image",
                                  "postgres:18"));
}

static FakeStep set_image_apply(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(s, k,
                        json_pack("{s:s, s:s, s:s}", "service", "db", "image", "postgres:18",
                                  "apply", planted ? "now" : "later"));
}

static FakeStep set_volume(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = planted ? volume(s, "new") : volume_there(s, "new");
        return on_stack(s, k,
                        json_pack("{s:s, s:s, s:s}", "service", "db", "volume", name, "image",
                                  "postgres:17"));
}

static FakeStep set_volume_image(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = volume_there(s, "new");
        return on_stack(s, k,
                        json_pack("{s:s, s:s, s:s}", "service", "db", "volume", name, "image",
                                  planted ? "pgsherpa-test-none:1" : "postgres:17"));
}

static FakeStep start(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(
                s, k,
                json_pack("{s:[s], s:i}", "services", planted ? "worker" : "db", "within", 60000));
}

static FakeStep start_health(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(s, k,
                        json_pack("{s:[s], s:s, s:i}", "services", "db", "health",
                                  planted ? "fine" : "running", "within", 60000));
}

static FakeStep stop(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(s, k,
                        json_pack("{s:[s], s:s, s:i}", "services", planted ? "no\"; drop" : "db",
                                  "require", "clean_shutdown", "grace", 60000));
}

static FakeStep stop_how(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(s, k,
                        json_pack("{s:[s], s:s, s:i}", "services", "db", "require",
                                  planted ? "a_clean_one" : "clean_shutdown", "grace", 60000));
}

static FakeStep up(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(s, k,
                        json_pack("{s:[s], s:s, s:i}", "services", planted ? "d$(rm)" : "db",
                                  "health", "container", "within", 60000));
}

static FakeStep up_nobody(Scene *s, const StepKind *k, bool planted)
{
        json_t *names = planted ? json_array() : json_pack("[s]", "db");
        return on_stack(s, k, json_pack("{s:o, s:i}", "services", names, "within", 60000));
}

/* ---- images ---- */

static FakeStep pull(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(
                s, k,
                json_pack("{s:s}", "image", planted ? "localhost:1/none/$(rm):1" : "postgres:17"));
}

static FakeStep pull_from_nowhere(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(
                s, k,
                json_pack("{s:s}", "image", planted ? "localhost:1/none/here:1" : "postgres:17"));
}

/* One more tag of an image that is here. */
static char *tag(Scene *s, const char *of)
{
        char *name = xasprintf("pgsherpa-%s:1", s->tag);
        json_array_append_new(s->images, json_string(name));
        free(kit_docker("tag", of, name, NULL));
        return name;
}

static FakeStep remove_used(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = tag(s, "postgres:17");
        if (planted)
                free(container_there(s, "user", "a=b", name, NULL));
        return on_stack(s, k, json_pack("{s:s}", "image", name));
}

static FakeStep reclaim(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = scene_name(s, "image");
        AUTO_FREE char *full = xasprintf("pgsherpa-%s:1", name);
        AUTO_FREE char *made = container_there(s, "maker", "a=b", "postgres:17", NULL);
        json_array_append_new(s->images, json_string(full));
        free(kit_docker("commit", made, full, NULL));
        return on_stack(s, k,
                        json_pack("{s:[s]}", "images", planted ? "pgsherpa-none:$(rm)" : full));
}

static FakeStep reclaim_used(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = scene_name(s, "image");
        AUTO_FREE char *full = xasprintf("pgsherpa-%s:1", name);
        AUTO_FREE char *made = container_there(s, "maker", "a=b", "postgres:17", NULL);
        json_array_append_new(s->images, json_string(full));
        free(kit_docker("commit", made, full, NULL));
        if (planted)
                free(container_there(s, "user", "a=b", full, NULL));
        return on_stack(s, k, json_pack("{s:[s]}", "images", full));
}

/* ---- servers of our own ---- */

static FakeStep server(Scene *s, const StepKind *k, const char *name, const char *vol,
                       const char *image, const char *locale)
{
        return on_stack(s, k,
                        json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b}", "image", image, "volume",
                                  vol, "name", name, "service", "db", "locale", locale, "within",
                                  120000, "create", 1));
}

static FakeStep server_taken(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = planted ? container_there(s, "new", "a=b", "postgres:17", NULL)
                                       : container(s, "new");
        AUTO_FREE char *vol = volume(s, "new");
        return server(s, k, name, vol, "postgres:17", "C");
}

static FakeStep server_volume(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = container(s, "new");
        AUTO_FREE char *vol = planted ? volume_there(s, "new") : volume(s, "new");
        return server(s, k, name, vol, "postgres:17", "C");
}

static FakeStep server_image(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = container(s, "new");
        AUTO_FREE char *vol = volume(s, "new");
        return server(s, k, name, vol, planted ? "pgsherpa-test-none:1" : "postgres:17", "C");
}

static FakeStep server_of_what(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = container(s, "new");
        AUTO_FREE char *vol = volume(s, "new");
        return server(s, k, name, vol, planted ? "pgsherpa-lab/app:1" : "postgres:17", "C");
}

static FakeStep server_locale(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = container(s, "new");
        AUTO_FREE char *vol = volume(s, "new");
        return server(s, k, name, vol, "postgres:17", planted ? "xx_XX.UTF-8" : "C");
}

static FakeStep server_name(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = container(s, "new");
        AUTO_FREE char *vol = volume(s, "new");
        return server(s, k, planted ? "a\"; drop $(rm)\n" : name, vol, "postgres:17", "C");
}

static FakeStep stop_server(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = planted ? container(s, "none")
                                       : container_there(s, "one", "a=b", "postgres:17", NULL);
        return on_stack(s, k,
                        json_pack("{s:s, s:s, s:i, s:i}", "name", name, "require", "", "grace",
                                  1000, "within", 30000));
}

static FakeStep stop_server_how(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = container_there(s, "one", "a=b", "pgsherpa-lab/app:1", NULL);
        return on_stack(s, k,
                        json_pack("{s:s, s:s, s:i, s:i}", "name", name, "require",
                                  planted ? "clean_shutdown" : "", "grace", 1000, "within", 30000));
}

static FakeStep remove_another(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name =
                container_there(s, "one", planted ? "pgsherpa.run=another" : "pgsherpa.run=p1-dry",
                                "postgres:17", NULL);
        free(kit_docker("stop", "--time", "1", name, NULL));
        return on_stack(s, k, json_pack("{s:s}", "name", name));
}

static FakeStep remove_running(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name =
                container_there(s, "one", "pgsherpa.run=p1-dry", "postgres:17", NULL);
        if (!planted)
                free(kit_docker("stop", "--time", "1", name, NULL));
        return on_stack(s, k, json_pack("{s:s}", "name", name));
}

static FakeStep try_server(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(s, k,
                        json_pack("{s:s, s:s, s:i}", "service", "db", "image",
                                  planted ? "pgsherpa-test-none:1" : "postgres:17", "within",
                                  120000));
}

static FakeStep try_nobody(Scene *s, const StepKind *k, bool planted)
{
        return on_stack(s, k,
                        json_pack("{s:s, s:s, s:i}", "service", planted ? "worker" : "db", "image",
                                  "postgres:17", "within", 120000));
}

/* ---- volumes ---- */

static FakeStep make_volume(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = planted ? volume_there(s, "v") : volume(s, "v");
        return on_stack(s, k, json_pack("{s:s}", "volume", name));
}

static FakeStep make_volume_named(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = volume(s, "v");
        return on_stack(s, k, json_pack("{s:s}", "volume", planted ? "v\"; drop $(rm)" : name));
}

static FakeStep copy_volume(Scene *s, const StepKind *k, const char *from, const char *to)
{
        return on_stack(
                s, k, json_pack("{s:s, s:s, s:s}", "from", from, "to", to, "image", "postgres:17"));
}

static FakeStep copy_nothing(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *from = planted ? volume(s, "from") : volume_there(s, "from");
        AUTO_FREE char *to = volume(s, "to");
        return copy_volume(s, k, from, to);
}

static FakeStep copy_used(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *from = volume_there(s, "from");
        AUTO_FREE char *to = volume(s, "to");
        if (planted)
                free(container_there(s, "user", "a=b", "postgres:17", from));
        return copy_volume(s, k, from, to);
}

static FakeStep copy_over(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *from = volume_there(s, "from");
        AUTO_FREE char *to = planted ? volume_there(s, "to") : volume(s, "to");
        return copy_volume(s, k, from, to);
}

static FakeStep remove_volume(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = volume_there(s, "v");
        if (planted)
                free(container_there(s, "user", "a=b", "postgres:17", name));
        return on_stack(s, k, json_pack("{s:s}", "volume", name));
}

static FakeStep remove_pattern(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *name = volume_there(s, "v");
        return on_stack(s, k, json_pack("{s:s}", "volume", planted ? "v*" : name));
}

const DryRow dry_host_rows[] = {
        { "compose.set_image", "a service that is missing", "d$(rm)", set_image, FAILS },
        { "compose.set_image", "a word for apply that is none", "it is `later`", set_image_apply,
          FAILS },
        { "compose.set_volume", "a volume that is missing", "there is no volume", set_volume,
          FAILS },
        { "compose.set_volume", "an image that is missing", "is not here", set_volume_image,
          FAILS },
        { "compose.start", "a service without a container", "has no container", start, FAILS },
        { "compose.start", "a health check that is none", "no health check", start_health, FAILS },
        { "compose.stop", "a service that is missing", "drop", stop, FAILS },
        { "compose.stop", "a word for require that is none", "it is clean_shutdown", stop_how,
          FAILS },
        { "compose.up", "a service that is missing", "d$(rm)", up, FAILS },
        { "compose.up", "no service", "none is named", up_nobody, FAILS },
        { "image.pull", "a name that is none", "is not the name of an image", pull, FAILS },
        { "image.pull", "a registry that is not there", "does not give it", pull_from_nowhere,
          FAILS },
        { "image.remove", "a container that uses it", "is still used by", remove_used, FAILS },
        { "image.reclaim", "an image that is missing", "no image", reclaim, FAILS },
        { "image.reclaim", "a container that uses it", "is used by a container", reclaim_used,
          FAILS },
        { "server.start", "a container of that name", "there is a container", server_taken, FAILS },
        { "server.start", "a volume of that name", "exists already", server_volume, FAILS },
        { "server.start", "an image that is missing", "is not here", server_image, FAILS },
        { "server.start", "an image of no PostgreSQL", "does not say which PostgreSQL",
          server_of_what, FAILS },
        { "server.start", "a locale the image lacks", "does not have the locale", server_locale,
          FAILS },
        { "server.start", "a name Docker does not take", "cannot be the name of a container",
          server_name, FAILS },
        { "server.stop", "a container that is missing", "there is no container", stop_server,
          FAILS },
        { "server.stop", "a container without a server", "runs no PostgreSQL", stop_server_how,
          FAILS },
        { "server.remove", "another run's container", "was not made by this run", remove_another,
          FAILS },
        { "server.remove", "a container that runs", "still runs", remove_running, FAILS },
        { "server.try", "an image that is missing", "is not here", try_server, FAILS },
        { "server.try", "a service without a container", "has no container", try_nobody, FAILS },
        { "volume.create", "a volume of that name", "exists already", make_volume, FAILS },
        { "volume.create", "a name Docker does not take", "cannot be the name of a volume",
          make_volume_named, FAILS },
        { "volume.copy", "a volume that is missing", "there is no volume", copy_nothing, FAILS },
        { "volume.copy", "a container that runs on it", "runs on volume", copy_used, FAILS },
        { "volume.copy", "a volume of the new name", "exists already", copy_over, FAILS },
        { "volume.remove", "a container that has it", "is used by", remove_volume, FAILS },
        { "volume.remove", "a pattern", "is not the name of one volume", remove_pattern, FAILS },
        { 0 },
};
