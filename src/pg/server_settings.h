/* server_settings.h: settings of a whole server: where each comes from, and what becomes of it.
 *
 *      pg_server_settings(pg, 17, &settings, err)
 *        -> [{"name": "work_mem", "value": "64MB", "from": "postgresql.auto.conf:3",
 *             "fate": "carried", "words": "with ALTER SYSTEM"}, ..]
 *
 * Only what is not as initdb and the image make it: lines of the files (pg_file_settings, the last
 * line that names a setting counts, as for the server), the command line and the environment, lines
 * of pg_hba.conf and pg_ident.conf, settings of roles and databases that the new major does not
 * know.
 *
 *      carried     set on the new server with ALTER SYSTEM; pg_hba.conf and pg_ident.conf as they
 * are renamed     the same under its new name dropped     the new major has no such setting, with
 * the reason stays       it is in a file outside the data directory, or on the command line:
 * whoever starts the server (a compose file) gives it to the new one as well decide      it would
 * keep the new server from starting, or cannot be carried: a person's turn
 *
 * Which settings came and went when: base/majors.h. Those of roles and databases go with them
 * (pg_roles_copy(), and a database's copy), in the words of the new major. Values that may
 * hold a password (conninfo, commands, custom names) are not told: "value" is null. */
#pragma once

#include "pg/conn.h"

/* `to`: the major it goes to; 0: its own. Needs a superuser. */
bool pg_server_settings(Pg *pg, int to, json_t **ret, Err *err) MUST_CHECK;

/* Takes over what is "carried" or "renamed", from one server to another. *ret_report: {"settings":
 * [names set], "files": [paths replaced], "refused": [".."]}: refused are those the target does not
 * take, in its words; nothing of those is set. Files that the target reads as wrong are put back;
 * so are all with `try_files`, which only looks whether it would read them. */
bool pg_server_settings_carry(Pg *source, Pg *target, bool try_files, json_t **ret_report,
                              Err *err) MUST_CHECK;
/* {"set work_mem": "sha256.."}: what "carried" and "renamed" settings are to be on a server of
 * major `to`, by the names they have there. */
bool pg_server_settings_lines(Pg *pg, int to, json_t **ret, Err *err) MUST_CHECK;
/* ALTER SYSTEM RESET of these. */
bool pg_server_settings_reset(Pg *target, const json_t *names, Err *err) MUST_CHECK;

/* pg_hba.conf or pg_ident.conf: "hba_file", "ident_file". Whole files, as the server reads them. */
bool pg_server_file_read(Pg *pg, const char *setting, char **ret, Err *err) MUST_CHECK;
bool pg_server_file_write(Pg *pg, const char *setting, const char *text, Err *err) MUST_CHECK;
