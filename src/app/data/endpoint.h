/* endpoint.h: a server as it is given on the command line.
 *
 *      --from host=127.0.0.1,port=5432,user=app,db=shop --from-password-file /root/app.pw
 *
 * Typed pairs, not a connection string: `db=` comes last and takes everything behind it, so a
 * database may be called "a,b" or "host=evil dbname=x" and stays a name. There is no
 * `password=`: /proc shows everybody our arguments. A password comes from the first line of a
 * file that only its owner can read, or is asked for on the terminal, without echo, once the
 * server has said that it wants one. PGPASSWORD and ~/.pgpass are not read. */
#pragma once

#include "pg/conn.h"

typedef struct Endpoint {
        const char *option; /* "--from", for messages */
        char *host, *user;  /* never NULL once parsed */
        int port;
        char *database;   /* NULL: none was given */
        const char *room; /* database to stand in for what is not in one */
        Secret *password;
} Endpoint;

/* `text` NULL: the option is missing, which is an error. `password_file` may be NULL. */
bool endpoint_read(const char *option, const char *text, const char *password_file, Endpoint *ret,
                   Err *err) MUST_CHECK;
void endpoint_done(Endpoint *e) NONNULL;
#define AUTO_ENDPOINT CLEANUP(endpoint_done) Endpoint

/* Borrows from the endpoint. `database` NULL: its room. */
PgParams endpoint_params(const Endpoint *e, const char *database);
/* Connects, asking for a password when the server wants one and a terminal is there. The
 * password stays in the endpoint. `database` NULL: postgres, or template1 where that is not. */
bool endpoint_open(Endpoint *e, const char *database, Pg **ret, Err *err) MUST_CHECK;
/* Both sides of a copy or a comparison: the source's own database, and one of the target's (NULL:
 * as above). What was opened is the caller's to close, also after an error. */
bool endpoint_open_both(Endpoint *from, Endpoint *to, const char *to_database, Pg **ret_from,
                        Pg **ret_to, Err *err) MUST_CHECK;
/* The two options of one endpoint, as its verb was given them. */
typedef struct EndpointWords {
        const char *text, *password_file;
} EndpointWords;
#define ENDPOINT_FLAGS(option, words)                                                              \
        { option, .value = &(words).text },                                                        \
        {                                                                                          \
                option "-password-file", .value = &(words).password_file                           \
        }
/* May a database be called that? ERR_USER with the reason. */
bool endpoint_name_fits(const char *option, const char *name, Err *err) MUST_CHECK;
