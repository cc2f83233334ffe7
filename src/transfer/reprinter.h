/* reprinter.h: asks a target what it makes of a schema, in scratch databases of its server.
 *
 *      ReprintPlan p = { .source = &old, .target = &new, .cancel = flag };
 *      AUTO_REPRINTING r = reprinting_new(&p);
 *      CompareOptions o = { .reprinter = reprinting_of(r) };
 *      pg_compare(source, target, &o, &report, err)
 *
 * See pg/reprint.h for why. Both sides are dumped, schema only, by one pg_dump, the newer of both
 * majors, and go into databases pgsherpa_reprint_<backend>_<n> the way a copy goes; without rows,
 * grants, comments and what would reach another server. An object that the target does not take
 * is left out: its text then differs, as it does in a copy.
 *
 * Nothing is made before the first text differs, and nothing ever on the source. The role needs
 * CREATEDB on the target, which must not be read only; else open() fails, and the comparison
 * says that it could not ask. What is left by a process that died is dropped by the next one on
 * the same server: the database's comment says whose it is, and that connection is gone. */
#pragma once

#include "pg/reprint.h"

typedef struct ReprintPlan {
        const PgParams *source; /* with its database; NULL: `schema` is what it was */
        const json_t *schema;   /* reprinting_schema() of the source, made earlier */
        const PgParams *target; /* with its database */
        const char *source_image, *target_image; /* where clients may be found; or NULL */
        const volatile bool *cancel;
} ReprintPlan;

/* What of a schema carries expressions, and what that needs, to be asked about when the server is
 * gone:
 * [{"class", "schema", "name", "sql"}, ..], in the order they are run. Without mappings of users,
 * subscriptions, and servers whose options may be secret. By a pg_dump of the server's own
 * major. */
bool reprinting_schema(const PgParams *server, const char *image, const volatile bool *cancel,
                       json_t **ret, Err *err) MUST_CHECK;

/* All of the plan must outlive it. */
typedef struct Reprinting Reprinting;
Reprinting *reprinting_new(const ReprintPlan *p) MUST_CHECK;
const Reprinter *reprinting_of(Reprinting *r);
/* Drops what it made; NULL. */
Reprinting *reprinting_free(Reprinting *r);

static inline void reprinting_freep(Reprinting **r)
{
        *r = reprinting_free(*r);
}
#define AUTO_REPRINTING CLEANUP(reprinting_freep) Reprinting *
