#include <criterion/criterion.h>

#include "host/ports.h"

static void check(const char *said, const char *expected)
{
        AUTO_FREE char *port = port_in_message(said);
        cr_expect_str_eq(port ? port : "(none)", expected, "%s", said);
}

/* As Docker 20.10 and 26 write them. */
Test(ports, are_found_in_what_the_engine_says)
{
        check("driver failed programming external connectivity on endpoint app-web-1 (0c1): Bind "
              "for "
              "127.0.0.1:21347 failed: port is already allocated",
              "127.0.0.1:21347");
        check("driver failed programming external connectivity on endpoint app-web-1 (0c1): Error "
              "starting "
              "userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use",
              "0.0.0.0:8080");
        check("Error starting userland proxy: listen tcp6 [::]:8080: socket: address already in "
              "use",
              "[::]:8080");
        check("failed to bind host port: listen udp 127.0.0.1:53: bind: address already in use",
              "127.0.0.1:53");
}

Test(ports, are_not_found_elsewhere)
{
        check("No such container: web", "(none)");
        check("network app_default: address already in use", "(none)");
        check("Bind for ", "(none)");
        check("Bind for nowhere failed: port is already allocated", "(none)");
}
