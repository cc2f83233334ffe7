/* passfile.h: how a password reaches pg_dump: not in argv, not in its environment.
 *
 * libpq reads PGPASSFILE. For a program on this host that is a file without a name, in our own
 * memory (memfd, opened through /proc/PID/fd); for one in a container it is a file of mode 0600
 * in /dev/shm, which is memory too, removed as soon as the child has ended. */
#pragma once

#include "base/err.h"
#include "base/secret.h"
#include "pg/clients.h"

typedef struct PassFile {
        char *path; /* for PGPASSFILE; NULL: there is no password */
        char *dir;  /* to be mounted into the container, or NULL */
        int fd;
} PassFile;

bool passfile_make(const Secret *password, PgClientWhere where, PassFile *ret, Err *err) MUST_CHECK;
void passfile_done(PassFile *p) NONNULL;
#define AUTO_PASSFILE CLEANUP(passfile_done) PassFile
