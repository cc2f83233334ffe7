/* compose_internal.h: shared by the files of compose; not for other rooms. */
#pragma once

#include "host/compose.h"

/* One service with every variable filled in, and the whole it is borrowed from. Holds
 * passwords: free it soon, show it never. */
bool compose_interpolated(Compose *c, const char *service, json_t **ret_service, json_t **ret_all,
                          Err *err) MUST_CHECK;
