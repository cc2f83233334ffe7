/* clients.h: who is connected to a server, as a person would call it: a container, a service, a
 * program of this machine.
 *
 *      AUTO_CLIENTS who = { 0 };
 *      kit_clients_look(ctx, &who, err)                    // of the step's target
 *      AUTO_JSON may_be = kit_clients_find(&who, client)   // one of pg_fence_others()
 *      AUTO_FREE char *words = kit_clients_words(&who, client, may_be);
 *
 * An address of a Docker network is one container's. Behind the loopback address are the containers
 * in the server's own network namespace (`network_mode: service:db`), or programs of this machine:
 * the kernel says which (host/peer.h). Behind its socket are those that share its directory. Behind
 * the gateway's address is whoever uses the published port. */
#pragma once

#include "host/peer.h"
#include "kit/docker.h"

typedef struct Clients {
        json_t *all;          /* inspect JSON of every running container */
        const json_t *server; /* the one the target's server is in, borrowed, or NULL */
        char *dir;            /* of the target's project, links resolved; "" for none */
        char *socket;         /* directory of its socket, inside; "" when not known */
        int port;             /* it listens on, inside */
        long pid;             /* of a process in its network namespace; 0: not known */
        Peer peer;            /* of the last client looked for */
} Clients;

void kit_clients_done(Clients *w) NONNULL;
#define AUTO_CLIENTS CLEANUP(kit_clients_done) Clients
/* A machine without Docker has no containers: that is no error. */
bool kit_clients_look(StepCtx *ctx, Clients *ret, Err *err) MUST_CHECK;
/* Containers this client may be in: none, the one, or several. New array. */
json_t *kit_clients_find(Clients *w, const json_t *client) MUST_CHECK;
/* "service api of project shop, as app in appdb with psql"; clean text, malloc()ed. */
char *kit_clients_words(const Clients *w, const json_t *client, const json_t *may_be) MUST_CHECK;

const char *kit_clients_service(const json_t *container);
/* A service of the target's own project, that `docker compose stop` reaches: no `docker compose
 * run`. */
bool kit_clients_is_own_service(const Clients *w, const json_t *container);
