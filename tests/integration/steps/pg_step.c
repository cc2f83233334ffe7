/* The kinds that write: done, killed, probed, undone, on real servers. */
#include <unistd.h>

#include "pg_step.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}

FakeStep pg_step(const StepKind *kind, int major, const char *database, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *params = xvasprintf(fmt, ap);
        va_end(ap);
        PgParams p;
        lab_params(major, database, &p);
        static char run[32]; /* a test is a process; several run side by side */
        snprintf(run, sizeof run, "p%d-fake", (int)getpid());
        FakeStep f = fake_step(kind, params);
        f.run_id = run;
        f.password = p.password;
        fake_target(&f, "on",
                    json_pack("{s:s, s:{s:s, s:i}, s:s, s:s}", "kind", "postgres", "via", "host",
                              p.host, "port", p.port, "user", p.user, "database", p.database));
        fake_on(&f, "on");
        return f;
}

void pg_step_target(FakeStep *f, const char *name, int major, const char *database)
{
        PgParams p;
        lab_params(major, database, &p);
        fake_target(f, name,
                    json_pack("{s:s, s:{s:s, s:i}, s:s, s:s}", "kind", "postgres", "via", "host",
                              p.host, "port", p.port, "user", p.user, "database", p.database));
}

bool pg_step_exists(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_FREE char *q =
                xasprintf("select count(*) from pg_database where datname = '%s'", database);
        AUTO_FREE char *n = lab_value(pg, q);
        return str_eq(n, "1");
}
