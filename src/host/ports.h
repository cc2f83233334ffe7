/* ports.h: a published port that somebody else holds, and starting in spite of it.
 *
 * A port is often taken for a moment only: the engine may hold one that belonged to a container
 * that has just stopped (seen with 20.10 under load), and a proxy may need a second to go. So a
 * command that starts containers is tried again for a while when the engine says so:
 *
 *      AUTO_ARGV a = { 0 };
 *      argv_add_all(&a, (const char *const[]){ "docker", "start", "app-web-1", NULL });
 *      if (!docker_start(&call, &a, err))
 *              return false;   // "docker start: port 127.0.0.1:8080 is taken by nginx (process
 * 812)"
 *
 * Who holds it is looked for among the running containers and, with an engine on this machine, in
 * /proc/net/tcp (proc(5)). A process of another user is found only by root. */
#pragma once

#include "host/docker.h"

/* Like docker_do(), for `docker start` and `docker compose up`: both may be said twice. Tries
 * twelve times, about ten seconds, cancellable; another error is returned at once. */
bool docker_start(const HostCall *call, const Argv *argv, Err *err) MUST_CHECK;

/* The port in what an engine said when it could not publish one: "127.0.0.1:8080" or
 * "0.0.0.0:8080", malloc()ed; NULL when it said something else. */
char *port_in_message(const char *said);
/* "container app-web-1" or "nginx (process 812)", malloc()ed; NULL when nobody was found. */
char *port_holder(const HostCall *call, int port);
