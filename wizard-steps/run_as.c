/* run_as.c: a server of ours runs as the service will, or what keeps the service from running is
 * found out when nothing can be changed any more. */
#include <stdio.h>

#include "wizard-steps/host_steps.h"

bool service_uid(const json_t *service_container, long *ret_uid, long *ret_gid)
{
        const char *user = jx_str(jx_get(service_container, "Config"), "User", "");
        *ret_gid = 0;
        return sscanf(user, "%ld:%ld", ret_uid, ret_gid) >= 1;
}

static void each(Argv *a, const json_t *list, const char *flag)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one)
        {
                argv_add(a, flag);
                argv_add(a, json_string_value(one) ? json_string_value(one) : "");
        }
}

void run_as_service(const json_t *service_container, Argv *a)
{
        const json_t *host = jx_get(service_container, "HostConfig");
        const char *user = jx_str(jx_get(service_container, "Config"), "User", ""), *path;
        size_t i;
        json_t *one;
        if (*user) {
                argv_add(a, "--user");
                argv_add(a, user);
        }
        each(a, jx_get(host, "GroupAdd"), "--group-add");
        each(a, jx_get(host, "SecurityOpt"), "--security-opt");
        if (jx_bool(host, "ReadonlyRootfs", false))
                argv_add(a, "--read-only");
        json_object_foreach((json_t *)jx_get(host, "Tmpfs"), path, one)
        {
                const char *options = json_string_value(one);
                argv_add(a, "--tmpfs");
                argv_addf(a, "%s%s%s", path, options && *options ? ":" : "",
                          options ? options : "");
        }
        json_array_foreach(jx_get(host, "Ulimits"), i, one)
        {
                argv_add(a, "--ulimit");
                argv_addf(a, "%s=%lld:%lld", jx_str(one, "Name", ""),
                          (long long)jx_int(one, "Soft", 0), (long long)jx_int(one, "Hard", 0));
        }
}
