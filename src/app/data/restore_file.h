/* restore_file.h: `pgsherpa restore` of what another tool wrote: SQL, or an archive of pg_dump. */
#pragma once

#include "app/data/endpoint.h"

typedef struct RestoreFile {
        const char *path;
        const char *database; /* of several in the file; or NULL */
        Endpoint *to;
        bool quiet, json;
} RestoreFile;

/* Exit code. */
int restore_file(const RestoreFile *o);
/* The roles of a pg_dumpall, then each of its databases under its own name. */
int restore_file_all(const RestoreFile *o);
