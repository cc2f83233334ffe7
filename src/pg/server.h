/* server.h: what a server holds beside the insides of its databases.
 *
 *      ServerOptions o = { .always = "app", .to = 17 };
 *      pg_server_look(pg, &o, &server, err)
 *        -> {"system", "version", "major", "size", "encoding", "locale",
 *            "databases": [{"name", "key", "size", "owner", "template"}],     those to be carried
 *            "left_out": [{"name", "size"}], "refused": ["..", ..], "notes": ["..", ..],
 *            "roles": ["app", ..], "md5_roles": ["old", ..], "settings": [..server_settings.h..]}
 *
 * A journey that replaces a server carries all of it, or says beforehand by name what it cannot.
 * `postgres` is carried when somebody put something into it or changed it, `template1` never: what
 * is in it is told in "notes". "key" is the name in letters that an id of a step may have, each
 * once.
 *
 *      pg_server_lines(pg, names, 17, &lines, err)
 *        -> {"server": {"set work_mem": "sha256.."},       what a server of major `to` shall have
 *            "role app": {"login": "true", "set work_mem": "sha256..", ..},
 *            "member app of readers": {"admin": "false", "inherit": "true", "set": "true"},
 *            "database app": {"owner": "app", "acl": "..", ..}, "every role": {..}, ..}
 *
 * The same as text, object by object, for a comparison: what pg_dumpall would write of roles,
 * memberships, databases and settings of every level. Passwords and values of settings are there as
 * hashes only: people keep keys in settings, and this goes into files. */
#pragma once

#include "pg/conn.h"

typedef struct ServerOptions {
        const json_t *databases; /* names; NULL or empty: all there are */
        const char *always;      /* carried although nothing may be in it, or NULL */
        int to;                  /* major it goes to; 0: its own */
} ServerOptions;

/* Connects to `postgres` and `template1`, too. */
bool pg_server_look(Pg *pg, const ServerOptions *o, json_t **ret, Err *err) MUST_CHECK;

/* Of databases only those named. */
bool pg_server_lines(Pg *pg, const json_t *databases, int to, json_t **ret, Err *err) MUST_CHECK;
/* [{"object", "what", "source", "target"}] of what is not the same in both (of "server" only what
 * the source has: the target's image has settings of its own), but for what `rules` says:
 * {"object\nwhat": "the rule's name"}; how many were excused, by rule, in *ret_rules. New
 * references. */
json_t *pg_server_differences(const json_t *source, const json_t *target, const json_t *rules,
                              json_t **ret_rules);
