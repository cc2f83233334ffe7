/* disk.h: how much room there is where it will really be needed.
 *
 * A path that does not exist yet is measured where it would be made; "docker-root" stands for
 * the directory in which the engine keeps volumes and images (`docker info`). Two needs on
 * one filesystem add up: the caller compares devices. */
#pragma once

#include <sys/types.h>

#include "host/docker.h"

typedef struct DiskRoom {
        char *measured; /* existing directory that was measured, malloc()ed */
        dev_t device;
        int64_t free_bytes; /* for this user */
        int64_t total_bytes;
        int64_t free_inodes; /* -1: the filesystem does not count them */
} DiskRoom;

bool disk_room(const HostCall *call, const char *path, DiskRoom *ret, Err *err) MUST_CHECK;
void disk_room_done(DiskRoom *r) NONNULL;
#define AUTO_ROOM CLEANUP(disk_room_done) DiskRoom

/* What could be given back: {"images": [{"name", "id", "size"}], "build_cache": bytes,
 * "total": bytes}: images no container was made from, never volumes. */
bool disk_reclaimable(const HostCall *call, json_t **ret, Err *err) MUST_CHECK;
