/* compose_internal.h: shared by the files of compose; not for other rooms. */
#pragma once

#include "host/compose.h"

/* One service with every variable filled in, and the whole it is borrowed from. Holds
 * passwords: free it soon, show it never. */
bool compose_interpolated(Compose *c, const char *service, json_t **ret_service, json_t **ret_all,
                          Err *err) MUST_CHECK;

/* First words of an override file that we wrote. */
#define COMPOSE_OVERRIDE_MARK "# Written by pgsherpa"
/* Where an override file would be found by a plain `docker compose up`, malloc()ed; NULL: nowhere,
 * because the project has one already or was started with files named by hand. */
char *compose_override_path(const Compose *c);
