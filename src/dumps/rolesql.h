/* rolesql.h: which role a statement of pg_dumpall is about. */
#pragma once

#include "base/base.h"
#include "base/limits.h"

typedef enum RoleVerb {
        ROLE_OTHER,
        ROLE_CREATE, /* CREATE ROLE name */
        ROLE_ALTER,  /* ALTER ROLE name WITH .. */
        ROLE_SET,    /* ALTER ROLE name [IN DATABASE ..] SET .. */
        ROLE_GRANT,  /* GRANT .. TO name: the one that gets it */
} RoleVerb;

#define ROLE_NAME_SIZE (LIMIT_NAME * 2)

/* `name`: as the catalogs have it; "" for ROLE_OTHER. A name that is too long is ROLE_OTHER. */
RoleVerb rolesql_verb(const char *sql, char name[static ROLE_NAME_SIZE]) NONNULL;
