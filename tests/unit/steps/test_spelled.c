#include <criterion/criterion.h>

#include "kit/spelled.h"

Test(spelled, a_text_names_a_host)
{
        static const char *const texts[] = {
                "db",
                "DB",
                "db:5432",
                "db/app",
                "postgres://app:x@db/app",
                "postgresql://db/app",
                "jdbc:postgresql://db:5432/x",
                "host=db dbname=x",
                "dbname=x host='db'",
                "\"host\":\"db\"",
                "a,db,c",
                "postgres://u@a:1,db:2/x",
                "psql -h db -U x",
                "-hdb",
                "psql -hdb -U x",
                "--host=db",
                "(db)",
                "[db]:5432",
                "url=postgres://db&x=1",
                "other db\n",
                "olddb postgres://x@db/olddb",
        };
        for (size_t i = 0; i < LEN(texts); i++)
                cr_expect(kit_names_host(texts[i], "db"), "%s", texts[i]);
}

Test(spelled, another_text_does_not)
{
        static const char *const texts[] = {
                "",
                "database",
                "olddb",
                "db2",
                "db-1",
                "my-db",
                "/srv/db",
                "/srv/db/",
                "/var/db:/x",
                "postgresql:///db",
                "db.example.com",
                "x_db",
                "--with-hdb",
                "sdb1",
        };
        for (size_t i = 0; i < LEN(texts); i++)
                cr_expect_not(kit_names_host(texts[i], "db"), "%s", texts[i]);
        cr_expect_not(kit_names_host("anything", ""));
        cr_expect(kit_names_host("postgres://x@172.18.0.2:5432/a", "172.18.0.2"));
        cr_expect_not(kit_names_host("postgres://x@172.18.0.20:5432/a", "172.18.0.2"));
        cr_expect(kit_names_host("postgres://x@[fd00::2]:5432/a", "fd00::2"));
}

/* As inspect prints it, of what is read. */
static json_t *container(void)
{
        return json_pack("{s:s,s:s,s:{s:s,s:{s:s}},s:{s:{s:[{s:s}]},s:{s:{s:s,s:[s]}}}}", "Id",
                         "abc", "Name", "/app-db-1", "Config", "Hostname", "abc", "Labels",
                         "com.docker.compose.service", "db", "NetworkSettings", "Ports", "5432/tcp",
                         "HostPort", "5433", "Networks", "app_default", "IPAddress", "172.30.0.2",
                         "Aliases", "pg");
}

Test(spelled, every_name_of_a_server)
{
        AUTO_JSON db = container();
        AUTO_SPELLED s = kit_spellings(db);
        static const char *const names[] = { "db",        "app-db-1",       "abc",
                                             "pg",        "db.app_default", "pg.app_default",
                                             "172.30.0.2" };
        for (size_t i = 0; i < LEN(names); i++)
                cr_expect(kit_list_has(s.names, names[i]), "%s", names[i]);
        cr_expect(kit_list_has(s.hosts, "host.docker.internal"));
        cr_expect(kit_with_port(&s, "host.docker.internal",
                                "postgres://x@host.docker.internal:5433/a"));
        cr_expect_not(kit_with_port(&s, "host.docker.internal",
                                    "postgres://x@host.docker.internal:5434/a"));
}
