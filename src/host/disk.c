#include "host/disk.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fmt.h"
#include "base/text.h"
#include "host/container.h"

void disk_room_done(DiskRoom *r)
{
        free(r->measured);
        *r = (DiskRoom){ 0 };
}

static bool docker_root(const HostCall *call, char **ret, Err *err)
{
        AUTO_JSON info = NULL;
        if (!docker_info(call, &info, err))
                return false;
        *ret = xstrdup(jx_str(info, "DockerRootDir", "/var/lib/docker"));
        if (docker_is_local())
                return true;
        free(*ret);
        *ret = NULL;
        return err_set(err, ERR_USER,
                       "the Docker engine is on another machine: its disk cannot be "
                       "measured from here");
}

bool disk_room(const HostCall *call, const char *path, DiskRoom *ret, Err *err)
{
        AUTO_FREE char *dir = NULL;
        if (str_eq(path, "docker-root")) {
                if (!docker_root(call, &dir, err))
                        return false;
        } else {
                dir = xstrdup(path);
        }
        struct statvfs vfs;
        struct stat st;
        /* Up to what exists: a backup directory is made only when it is used. */
        while (stat(dir, &st) < 0 || statvfs(dir, &vfs) < 0) {
                if (errno != ENOENT && errno != ENOTDIR) {
                        AUTO_FREE char *clean = text_clean_str(dir);
                        return err_set_errno(err, errno, "measuring %s", clean);
                }
                char *slash = strrchr(dir, '/');
                if (!slash || str_eq(dir, "/")) {
                        free(dir);
                        dir = xstrdup(*path == '/' ? "/" : ".");
                } else if (slash == dir) {
                        slash[1] = '\0';
                } else {
                        *slash = '\0';
                }
        }
        *ret = (DiskRoom){
                .measured = xstrdup(dir),
                .device = st.st_dev,
                .free_bytes = (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize,
                .total_bytes = (int64_t)vfs.f_blocks * (int64_t)vfs.f_frsize,
                .free_inodes = vfs.f_files ? (int64_t)vfs.f_favail : -1,
        };
        return true;
}

/* "1.234GB", "(virtual 5MB)" and the like, in Docker's powers of 1000. */
static int64_t docker_size(const char *text)
{
        /* Not strtod(): its decimal point is the locale's, Docker's is not. */
        double n = 0, weight = 1;
        bool fraction = false;
        const char *end = text;
        for (; (*end >= '0' && *end <= '9') || *end == '.'; end++) {
                if (*end == '.') {
                        fraction = true;
                        continue;
                }
                n = n * 10 + (*end - '0');
                weight *= fraction ? 10 : 1;
        }
        n /= weight;
        static const struct {
                const char *unit;
                double factor;
        } units[] = {
                { "kB", 1e3 }, { "KB", 1e3 },  { "MB", 1e6 },
                { "GB", 1e9 }, { "TB", 1e12 }, { "B", 1 },
        };
        for (size_t i = 0; i < LEN(units); i++)
                if (str_starts(end, units[i].unit))
                        return (int64_t)(n * units[i].factor);
        return 0;
}

static bool is_used(const json_t *containers, const char *id)
{
        size_t i;
        json_t *c;
        json_array_foreach(containers, i, c) {
                if (str_eq(container_image_id(c), id))
                        return true;
        }
        return false;
}

static bool unused_images(const HostCall *call, json_t *list, int64_t *total, Err *err)
{
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "images", "--no-trunc", "--format",
                                                "{{json .}}", NULL });
        AUTO_JSON images = NULL;
        AUTO_JSON containers = NULL;
        AUTO_JSON seen = json_object();
        if (!docker_read_lines(call, &a, &images, err) ||
            !docker_containers(call, true, NULL, &containers, err))
                return false;
        size_t i;
        json_t *one;
        json_array_foreach(images, i, one) {
                const char *id = jx_str(one, "ID", ""), *tag = jx_str(one, "Tag", "");
                if (is_used(containers, id))
                        continue;
                bool named = !str_eq(tag, "<none>");
                AUTO_FREE char *name =
                        named ? xasprintf("%s:%s", jx_str(one, "Repository", ""), tag)
                              : xstrdup(id);
                int64_t size = docker_size(jx_str(one, "Size", "0B"));
                json_t *entry = json_object();
                jx_set_str(entry, "name", name);
                jx_set_str(entry, "id", id);
                jx_set_int(entry, "size", size);
                json_array_append_new(list, entry);
                if (!jx_get(seen, id)) /* two tags of one image free its bytes once */
                        *total += size;
                jx_set_bool(seen, id, true);
        }
        return true;
}

static bool build_cache(const HostCall *call, int64_t *ret, Err *err)
{
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "system", "df", "--format", "{{json .}}",
                                                NULL });
        AUTO_JSON rows = NULL;
        if (!docker_read_lines(call, &a, &rows, err))
                return false;
        size_t i;
        json_t *row;
        json_array_foreach(rows, i, row) {
                if (str_eq(jx_str(row, "Type", ""), "Build Cache"))
                        *ret = docker_size(jx_str(row, "Reclaimable", "0B"));
        }
        return true;
}

bool disk_reclaimable(const HostCall *call, json_t **ret, Err *err)
{
        json_t *images = json_array();
        int64_t total = 0, cache = 0;
        if (!unused_images(call, images, &total, err) || !build_cache(call, &cache, err)) {
                json_decref(images);
                return false;
        }
        *ret = json_object();
        jx_set(*ret, "images", images);
        jx_set_int(*ret, "build_cache", cache);
        jx_set_int(*ret, "total", total + cache);
        return true;
}
