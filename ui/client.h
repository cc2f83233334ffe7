/* client.h: the UI's end of a run's control socket.
 *
 * Everything here is optional: without an engine the run directory is still drawn, and a
 * connection that breaks is made again a second later. Commands never wait for their answer;
 * what the engine refused turns up in client_problem(). */
#pragma once

#include "base/frame.h"

typedef struct Client {
        int fd; /* -1: not connected */
        bool watch;
        bool quiet; /* set before connecting: joining is not written into the log */
        FrameReader reader;
        char *problem; /* the engine's last refusal, in its words; taken by caller */
        int64_t seq;   /* the newest record the engine spoke of */
} Client;

void client_init(Client *c, bool watch);
void client_done(Client *c); /* says bye */
/* Tries once; false when nobody answers (no error: that is normal). */
bool client_connect(Client *c, const char *run_dir, const char *who);
/* Reads what is there. True when the engine said something. */
bool client_read(Client *c);
/* `command` is stolen. False when not connected (and problem says so). */
bool client_send(Client *c, json_t *command);
char *client_problem(Client *c); /* malloc()ed or NULL; forgotten by the client */
