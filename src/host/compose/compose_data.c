/* compose_data.c: would this service start a server on files that are not for it?
 *
 * Two accidents are caught before a container exists: another major's files where the image
 * looks (it crash-loops: A1, A10), and files where the image does not look (it starts empty
 * beside them, or refuses: A2, A4). */
#include "base/io.h"
#include "base/majors.h"
#include "host/compose/compose_internal.h"

/* The mount of the service that holds `pgdata`, by the longest target. */
static const json_t *holder_of(const json_t *s, const char *pgdata)
{
        const json_t *best = NULL;
        size_t best_len = 0, i;
        json_t *v;
        json_array_foreach(jx_get(s, "volumes"), i, v) {
                const char *target = jx_str(v, "target", "");
                size_t n = strlen(target);
                if (n && n >= best_len && strncmp(pgdata, target, n) == 0 &&
                    (pgdata[n] == '/' || !pgdata[n])) {
                        best = v;
                        best_len = n;
                }
        }
        return best;
}

/* What `docker run --volume` would call the mount's source, or NULL when it does not exist
 * yet. malloc()ed. */
static bool source_of(const HostCall *call, const json_t *all, const json_t *mount, char **ret,
                      Err *err)
{
        const char *source = jx_str(mount, "source", "");
        *ret = NULL;
        if (!*source)
                return true;
        if (!str_eq(jx_str(mount, "type", ""), "volume")) {
                if (!docker_is_local() || io_exists(source))
                        *ret = xstrdup(source);
                return true;
        }
        const char *name = jx_str(jx_get(jx_get(all, "volumes"), source), "name", source);
        AUTO_JSON volume = NULL;
        if (!docker_inspect(call, DOCKER_VOLUME, name, &volume, err))
                return false;
        if (volume)
                *ret = xstrdup(name);
        return true;
}

/* "MAJOR PATH" lines: every place below the mount a server of the official images may be in,
 * read by a helper container that may only read and has no network. */
static bool servers_on(const HostCall *call, const char *source, const char *image, char **ret,
                       Err *err)
{
        static const char script[] =
                "for f in /look/PG_VERSION /look/*/PG_VERSION /look/*/docker/PG_VERSION "
                "/look/*/*/docker/PG_VERSION; do [ -s \"$f\" ] && "
                "printf '%s %s\\n' \"$(cat \"$f\")\" \"${f#/look/}\"; done; exit 0";
        AUTO_ARGV a = { 0 };
        argv_add_all(&a,
                     (const char *const[]){ "docker", "run", "--rm", "--pull", "never", "--network",
                                            "none", "--user", "0", "--volume", NULL });
        argv_addf(&a, "%s:/look:ro", source);
        argv_add_all(&a, (const char *const[]){ "--entrypoint", "sh", image, "-c", script, NULL });
        return docker_read_text(call, &a, ret, err) ||
               err_wrap(err, "looking at what is on %s", source);
}

typedef struct Where {
        const char *source, *image, *pgdata;
        const char *inside; /* PG_VERSION's path on the mount; NULL: not on it */
        int major;
} Where;

static bool misplaced(const Where *w, const char *found, Err *err)
{
        AUTO_FREE char *first = xstrndup(found, strcspn(found, "\n"));
        err_set(err, ERR_USER,
                "%s holds a PostgreSQL server (%s), but not where %s looks for one "
                "(%s): it would refuse, or "
                "start an empty one",
                w->source, first, w->image, w->pgdata);
        return err_hint(err,
                        "images from %d on want the volume at /var/lib/postgresql, older ones "
                        "at /var/lib/postgresql/data",
                        major_of_layout());
}

static bool judge(const Where *w, const char *found, Err *err)
{
        if (!*found)
                return true; /* empty: initdb will fill it */
        for (const char *line = found; *line && w->inside;) {
                size_t n = strcspn(line, "\n");
                const char *path = memchr(line, ' ', n);
                if (path && (size_t)(line + n - path - 1) == strlen(w->inside) &&
                    strncmp(path + 1, w->inside, strlen(w->inside)) == 0) {
                        int there = atoi(line);
                        if (there == w->major)
                                return true;
                        err_set(err, ERR_USER,
                                "%s holds data of PostgreSQL %d, the image %s is "
                                "PostgreSQL "
                                "%d: it "
                                "would not "
                                "start",
                                w->source, there, w->image, w->major);
                        return err_hint(err, "a new major needs a new volume and a copy of the "
                                             "data; put the old image tag back to start the old "
                                             "server");
                }
                line += n + (line[n] == '\n');
        }
        return misplaced(w, found, err);
}

static bool look_at(const HostCall *call, const json_t *all, const json_t *mount, Where *w,
                    Err *err)
{
        AUTO_FREE char *source = NULL, *found = NULL;
        if (!source_of(call, all, mount, &source, err))
                return false;
        if (!source)
                return true; /* would be made, empty */
        w->source = source;
        return servers_on(call, source, w->image, &found, err) && judge(w, found, err);
}

bool compose_data_fits(const HostCall *call, Compose *c, const char *service, Err *err)
{
        AUTO_JSON all = NULL;
        AUTO_JSON image = NULL;
        json_t *s = NULL;
        if (!compose_interpolated(c, service, &s, &all, err))
                return false;
        const char *name = jx_str(s, "image", "");
        if (*name && !docker_inspect(call, DOCKER_IMAGE, name, &image, err))
                return false;
        Where w = { .image = name, .major = image ? container_pg_major(image) : 0 };
        if (w.major == 0)
                return true; /* not PostgreSQL, or not here yet */
        w.pgdata = jx_str(jx_get(s, "environment"), "PGDATA", "");
        if (!*w.pgdata)
                w.pgdata = container_pgdata(image);
        const json_t *holder = holder_of(s, w.pgdata);
        if (holder) {
                const char *rest = w.pgdata + strlen(jx_str(holder, "target", ""));
                rest += strspn(rest, "/");
                AUTO_FREE char *inside = xasprintf("%s%sPG_VERSION", rest, *rest ? "/" : "");
                w.inside = inside;
                return look_at(call, all, holder, &w, err);
        }
        /* No mount holds it: then no mount may hold a server that was left behind (A4). */
        size_t i;
        json_t *v;
        json_array_foreach(jx_get(s, "volumes"), i, v) {
                if (str_starts(jx_str(v, "target", ""), "/var/lib/postgresql") &&
                    !look_at(call, all, v, &w, err))
                        return false;
        }
        return true;
}
