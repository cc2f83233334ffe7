#include "journal/failpoint.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

int failpoint(int64_t seq, FailWhere where)
{
        static const char *const places[] = { "before-write", "after-write", "after-fsync" };
        const char *spec = getenv("PGSHERPA_FAIL");
        if (!spec || !*spec)
                return 0;
        char *rest;
        if (strtoll(spec, &rest, 10) != seq || *rest != ':')
                return 0;
        const char *place = rest + 1;
        size_t n = strlen(places[where]);
        if (strncmp(place, places[where], n) != 0 || place[n] != ':')
                return 0;
        const char *what = place + n + 1;
        if (str_eq(what, "kill"))
                kill(getpid(), SIGKILL);
        return str_eq(what, "enospc") ? ENOSPC : str_eq(what, "eio") ? EIO : 0;
}
