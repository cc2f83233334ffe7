/* layout.c: see the header. */
#include "kit/layout.h"

#include "host/container.h"
#include "host/docker.h"

static bool kit_layout_is_below(const char *path, const char *dir)
{
        size_t n = strlen(dir);
        return n && strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]);
}

/* PGDATA that the service set itself stays; else the new image's own, which from 18 on is
 * below /var/lib/postgresql/MAJOR (docker-library/postgres pull request 1259). The volume goes
 * where the image declares one, so that no anonymous volume comes to lie inside it. */
void kit_layout_of(const char *service_pgdata, const json_t *service_container, const json_t *image,
                   PgLayout *ret)
{
        *ret = (PgLayout){ .explicit_pgdata = service_pgdata && *service_pgdata };
        const char *data = ret->explicit_pgdata ? service_pgdata : container_pgdata(image);
        if (!*data)
                data = "/var/lib/postgresql/data";
        const char *mount = NULL, *key;
        json_t *value;
        json_object_foreach(jx_get(jx_get(image, "Config"), "Volumes"), key, value) {
                if (kit_layout_is_below(data, key) && (!mount || strlen(key) > strlen(mount)))
                        mount = key;
        }
        if (!mount && service_container)
                mount = jx_str(container_mount_of(service_container, data), "Destination", NULL);
        ret->pgdata = xstrdup(data);
        ret->mount = xstrdup(mount ? mount : data);
}

void kit_layout_done(PgLayout *l)
{
        free(l->pgdata);
        free(l->mount);
        *l = (PgLayout){ 0 };
}
