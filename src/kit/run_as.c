/* run_as.c: a server of ours runs as the service will, or what keeps the service from running is
 * found out when nothing can be changed any more. */
#include <stdio.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "kit/run_as.h"

bool kit_service_uid(const json_t *service_container, long *ret_uid, long *ret_gid)
{
        const char *user = jx_str(jx_get(service_container, "Config"), "User", "");
        *ret_gid = 0;
        return sscanf(user, "%ld:%ld", ret_uid, ret_gid) >= 1;
}

static void one_more(Argv *a, const char *flag, const char *value)
{
        argv_add(a, flag);
        argv_add(a, value);
}

static void run_as_each(Argv *a, const json_t *list, const char *flag)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one)
                one_more(a, flag, json_string_value(one) ? json_string_value(one) : "");
}

static void run_as_tmpfs(const json_t *service_container, Argv *a)
{
        const json_t *host = jx_get(service_container, "HostConfig");
        const char *path;
        size_t i;
        json_t *one;
        json_object_foreach((json_t *)jx_get(host, "Tmpfs"), path, one) {
                const char *options = json_string_value(one);
                argv_add(a, "--tmpfs");
                argv_addf(a, "%s%s%s", path, options && *options ? ":" : "",
                          options ? options : "");
        }
        /* As `type: tmpfs` writes it. */
        json_array_foreach(jx_get(host, "Mounts"), i, one)
                if (str_eq(jx_str(one, "Type", ""), "tmpfs")) {
                        long long size =
                                (long long)jx_int(jx_get(one, "TmpfsOptions"), "SizeBytes", 0);
                        long long mode = (long long)jx_int(jx_get(one, "TmpfsOptions"), "Mode", 0);
                        argv_add(a, "--mount");
                        AUTO_FREE char *sized =
                                size ? xasprintf(",tmpfs-size=%lld", size) : xstrdup("");
                        AUTO_FREE char *moded =
                                mode ? xasprintf(",tmpfs-mode=%llo", mode) : xstrdup("");
                        argv_addf(a, "type=tmpfs,destination=%s%s%s", jx_str(one, "Target", ""),
                                  sized, moded);
                }
}

/* What a process may do, beside who it is. */
static void run_as_rights(const json_t *host, Argv *a)
{
        const char *name;
        size_t i;
        json_t *one;
        run_as_each(a, jx_get(host, "CapAdd"), "--cap-add");
        run_as_each(a, jx_get(host, "CapDrop"), "--cap-drop");
        if (jx_bool(host, "Privileged", false))
                argv_add(a, "--privileged");
        json_object_foreach((json_t *)jx_get(host, "Sysctls"), name, one) {
                argv_add(a, "--sysctl");
                argv_addf(a, "%s=%s", name, json_string_value(one) ? json_string_value(one) : "");
        }
        json_array_foreach(jx_get(host, "Devices"), i, one) {
                const char *how = jx_str(one, "CgroupPermissions", "");
                argv_add(a, "--device");
                argv_addf(a, "%s:%s%s%s", jx_str(one, "PathOnHost", ""),
                          jx_str(one, "PathInContainer", ""), *how ? ":" : "", how);
        }
        if (str_eq(jx_str(host, "IpcMode", ""), "host"))
                one_more(a, "--ipc", "host");
        if (*jx_str(host, "UsernsMode", ""))
                one_more(a, "--userns", jx_str(host, "UsernsMode", ""));
        if (jx_bool(host, "Init", false))
                argv_add(a, "--init");
        const char *runtime = jx_str(host, "Runtime", "");
        if (*runtime && !str_eq(runtime, "runc") && !str_eq(runtime, "io.containerd.runc.v2"))
                one_more(a, "--runtime", runtime);
}

void kit_run_as_service(const json_t *service_container, Argv *a)
{
        const json_t *host = jx_get(service_container, "HostConfig");
        const char *user = jx_str(jx_get(service_container, "Config"), "User", "");
        size_t i;
        json_t *one;
        if (*user)
                one_more(a, "--user", user);
        run_as_each(a, jx_get(host, "GroupAdd"), "--group-add");
        run_as_each(a, jx_get(host, "SecurityOpt"), "--security-opt");
        if (jx_bool(host, "ReadonlyRootfs", false))
                argv_add(a, "--read-only");
        run_as_tmpfs(service_container, a);
        json_array_foreach(jx_get(host, "Ulimits"), i, one) {
                argv_add(a, "--ulimit");
                argv_addf(a, "%s=%lld:%lld", jx_str(one, "Name", ""),
                          (long long)jx_int(one, "Soft", 0), (long long)jx_int(one, "Hard", 0));
        }
        run_as_rights(host, a);
}

static void run_as_number(Argv *a, const json_t *host, const char *key, const char *flag)
{
        long long n = (long long)jx_int(host, key, 0);
        if (n) {
                argv_add(a, flag);
                argv_addf(a, "%lld", n);
        }
}

void kit_limit_as_service(const json_t *service_container, Argv *a)
{
        const json_t *host = jx_get(service_container, "HostConfig");
        long long cpus = (long long)jx_int(host, "NanoCpus", 0);
        run_as_number(a, host, "Memory", "--memory");
        run_as_number(a, host, "MemorySwap", "--memory-swap");
        run_as_number(a, host, "MemoryReservation", "--memory-reservation");
        run_as_number(a, host, "CpuShares", "--cpu-shares");
        run_as_number(a, host, "CpuPeriod", "--cpu-period");
        run_as_number(a, host, "CpuQuota", "--cpu-quota");
        if (cpus) {
                argv_add(a, "--cpus");
                argv_addf(a, "%lld.%09lld", cpus / 1000000000, cpus % 1000000000);
        }
        if (*jx_str(host, "CpusetCpus", ""))
                one_more(a, "--cpuset-cpus", jx_str(host, "CpusetCpus", ""));
        if (jx_int(host, "PidsLimit", 0) > 0)
                run_as_number(a, host, "PidsLimit", "--pids-limit");
}

bool kit_limits_in_words(const json_t *service_container, Buf *b)
{
        const json_t *host = jx_get(service_container, "HostConfig");
        long long cpus = (long long)jx_int(host, "NanoCpus", 0),
                  memory = (long long)jx_int(host, "Memory", 0),
                  pids = (long long)jx_int(host, "PidsLimit", 0);
        char size[24];
        size_t before = b->len;
        if (memory)
                buf_printf(b, "%s of memory", fmt_bytes(memory, size));
        if (cpus)
                buf_printf(b, "%s%lld.%02lld CPUs", b->len > before ? ", " : "", cpus / 1000000000,
                           cpus % 1000000000 / 10000000);
        else if (jx_int(host, "CpuQuota", 0) > 0 || *jx_str(host, "CpusetCpus", ""))
                buf_printf(b, "%sa share of the CPUs", b->len > before ? ", " : "");
        if (pids > 0)
                buf_printf(b, "%s%lld processes", b->len > before ? ", " : "", pids);
        return b->len > before;
}
