/* container_server.h: what the files of a server in a container say of it: where it listens, and
 * which cluster it is.
 *
 * A container's address is a guess: with network_mode: host any server of the machine may answer
 * there, with a port of its own in a mounted configuration none does. So the running server's own
 * postmaster.pid is read (storage.sgml; line 4 the port, 5 the socket's directory, 6 the first
 * address it listens on), and the system identifier at the head of its global/pg_control
 * (pg_control.h): both through /proc of the container's processes, else by `docker exec`. Who
 * answers at that address with another identifier is another server, and pg_open() refuses it. */
#pragma once

#include "host/docker.h"

typedef struct ContainerServer {
        char *data_dir;   /* inside the container */
        char *socket_dir; /* inside the container; "" when it has none */
        char *listens;    /* "*", "localhost", an address; "" for nothing */
        char *system;     /* its system identifier, decimal */
        int port;
} ContainerServer;

void container_server_done(ContainerServer *s) NONNULL;
#define AUTO_CONTAINER_SERVER CLEANUP(container_server_done) ContainerServer

/* ERR_LINK: its server has not started (yet), or its files cannot be read from here. */
bool container_server(const HostCall *call, const json_t *c, ContainerServer *ret,
                      Err *err) MUST_CHECK;

/* The text of postmaster.pid, taken apart; pure. `ret->system` stays NULL. */
bool container_server_parse(const char *pid_file, ContainerServer *ret) MUST_CHECK;
