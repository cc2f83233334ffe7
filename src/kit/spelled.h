/* spelled.h: a server as settings of applications may call it, and texts that do.
 *
 *      AUTO_SPELLED s = kit_spellings(db);
 *      kit_any_name(s.names, "postgres://app@db:5432/x")           // true
 *      kit_mounts_name(container, s.names)                         // a settings file of it does */
#pragma once

#include "base/jsonx.h"

/* Names and addresses inside Docker; those of this machine, with its port. */
typedef struct Spelled {
        const json_t *db; /* inspect JSON, borrowed */
        json_t *names;    /* service, container, aliases, addresses */
        json_t *hosts;    /* of this machine, where a port is published */
        json_t *ports;    /* published, as text */
} Spelled;

Spelled kit_spellings(const json_t *db);
void kit_spelled_done(Spelled *s) NONNULL;
#define AUTO_SPELLED CLEANUP(kit_spelled_done) Spelled

bool kit_list_has(const json_t *list, const char *text);
void kit_list_add(json_t *list, const char *text); /* once; NULL and "": not at all */

/* "db", "db:5432", "..@db/app", "jdbc:postgresql://db", "host='db'": a text names it as a host;
 * pure. */
bool kit_names_host(const char *text, const char *name);
bool kit_any_name(const json_t *names, const char *text);
/* "host:port" with one of its published ports. */
bool kit_with_port(const Spelled *s, const char *host, const char *text);
/* A file that is mounted into this container names it, or one right below a mounted directory. */
bool kit_mounts_name(const json_t *container, const json_t *names);
