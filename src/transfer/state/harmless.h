/* harmless.h: errors of a restore that are known to be harmless, each with its reason.
 *
 * An error is of a class by its SQLSTATE, by the object that failed and by the server's words, all
 * three; never by number ("3 errors ignored"). What is of no class stops the restore. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"

typedef struct HarmlessError {
        const char *name, *reason;
        const char *sqlstate;
        const char *object; /* how toc_object()'s text begins */
        const char *words;  /* stands in the server's message */
} HarmlessError;

/* The server does not take a setting: it has none of that name, not with this value, or only for
 * itself. */
bool harmless_setting(const Err *err) NONNULL;
/* NULL: of none. `object` as transfer_tolerates() has it. */
const HarmlessError *harmless_find(const char *object, const Err *err) NONNULL;
/* The schema is there because it was prepared (make/prepared.h): CREATE SCHEMA that fails with
 * 42P06 is no failure. NULL: it is not. */
const HarmlessError *harmless_prepared_schema(const json_t *prepared, const char *object,
                                              const Err *err);
