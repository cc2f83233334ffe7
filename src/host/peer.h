/* peer.h: which process, and which container, is at the other end of a connection to a server's
 * loopback address: proc_pid_net(5) names the sockets of a network namespace, /proc/PID/fd whose
 * they are, cgroups(7) which container that process is in. Needs to be root, else nobody is found.
 */
#pragma once

#include "base/jsonx.h"

typedef struct Peer {
        long pid;
        char name[32];      /* of the program */
        char container[72]; /* id, or "": a program on the machine itself */
} Peer;

/* `server_pid`: any process in the server's network namespace; ports as the client has them.
 * False: not found. */
bool host_peer_find(long server_pid, int client_port, int server_port, Peer *ret) MUST_CHECK;
/* 64 hex digits of a container in the text of /proc/PID/cgroup or mountinfo; pure. */
bool host_peer_container(const char *text, char ret[static 72]) MUST_CHECK;
