/* roles.h: the roles a database needs, carried over as they are.
 *
 *      AUTO_JSON report = NULL;
 *      RolesCopyOptions o = { .skip = skip };
 *      pg_roles_copy(source, target, &o, &report, err)
 *        -> {"created": ["api_worker"], "present": ["app"], "differences": [{"role", "what",
 *            "source", "target"}], "md5": ["api_worker"], "skipped": ["postgres"]}
 *
 * Needed are owners, grantees, roles of policies and of settings, what those are members of,
 * and who is a member of them; never pg_* roles. The password's verifier goes over verbatim
 * (as a Secret). A role that is there already is compared and reported, never overwritten:
 * an application on the shared server may depend on it.
 *
 * With `whole` the target is to become the source: every role goes, superusers as superusers, those
 * that are there (the one an image made) are altered to be alike, but for their password, and what
 * holds for all of them (ALTER ROLE ALL SET, GRANT .. ON PARAMETER) goes, too. */
#pragma once

#include "pg/conn.h"

/* Names, sorted. */
bool pg_roles_needed(Pg *pg, json_t **ret, Err *err) MUST_CHECK;

typedef struct RolesCopyOptions {
        const json_t *skip;  /* names; NULL: none */
        const json_t *only;  /* names; NULL: pg_roles_needed() of the source */
        bool keep_superuser; /* false: a superuser arrives as a plain owner */
        bool keep_replication;
        bool whole; /* instead of `only`, keep_superuser, keep_replication */
        bool dry;   /* report only */
} RolesCopyOptions;

/* `created` of a dry run is what a later one creates. One transaction on the target. */
bool pg_roles_copy(Pg *source, Pg *target, const RolesCopyOptions *o, json_t **ret_report,
                   Err *err) MUST_CHECK;
/* What is not on the target as it is on the source, by its report: a sentence for each, cleaned.
 * New reference. */
json_t *pg_roles_words(const json_t *report);

/* What ALTER ROLE changes, as pg_role_describe() tells it: attributes and comment; its settings are
 * reset. Not the password. */
bool pg_role_alter(Pg *pg, const json_t *role, Err *err) MUST_CHECK;

typedef struct RoleSpec {
        const char *name;
        const Secret *password; /* clear text, becomes a SCRAM verifier; or NULL */
        const Secret *verifier; /* goes in as it is; or NULL */
        bool login, createdb, createrole, superuser, replication, bypassrls, noinherit;
        int connlimit; /* -1: none */
        const char *valid_until;
} RoleSpec;

/* create role; fails with 42710 when it is there. */
void pg_role_create_sql(const RoleSpec *r, const Secret *verifier, Sql *q);
bool pg_role_create(Pg *pg, const RoleSpec *r, Err *err) MUST_CHECK;
bool pg_role_exists(Pg *pg, const char *name, bool *ret, Err *err) MUST_CHECK;
/* The verifier in pg_authid (superuser only); *ret NULL when it has none. */
bool pg_role_verifier(Pg *pg, const char *name, Secret **ret, Err *err) MUST_CHECK;
/* Sets a new password as a SCRAM verifier. */
bool pg_role_set_password(Pg *pg, const char *name, const Secret *password, Err *err) MUST_CHECK;
/* What a role is: {"rolname", "login", ..} or null; no password. */
bool pg_role_describe(Pg *pg, const char *name, json_t **ret, Err *err) MUST_CHECK;

/* Appends ` set "name" to 'value'` of one setconfig entry ("name=value"). Settings that are
 * lists of names (search_path ..) are stored quoted and must be given one by one
 * (dumputils.c, makeAlterConfigCommand).
 * An empty list has words of its own since 19; before, only what the session itself has can be one:
 * then
 * *first is the statement to run before (else it stays empty). `major` 0: of any server. */
void pg_setting_sql(Sql *first, Sql *q, const char *entry, int major);
/* Only its name, "app"."key" where it is a custom one. */
void pg_setting_name_sql(Sql *q, const char *name);
