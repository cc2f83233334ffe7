/* compose_vars.h: what Compose fills in for ${NAME}, and where that value stands.
 *
 * A text like "postgres:${TAG:-13}" becomes another one by changing the value of one variable, in
 * the .env file that sets it, or its default. With several variables in one text the last one that
 * can do it alone is taken, the others keep what they are.
 *
 *      AUTO_FREE char *name = NULL, *value = NULL;
 *      if (vars_solve("postgres:${TAG}", "postgres:17", files, &name, &value))
 *              ...                     // "TAG", "17"
 *
 * The syntax is that of Compose's interpolation
 * (docs.docker.com/reference/compose-file/interpolation): $NAME, ${NAME}, and ${NAME:-text} with
 * its kin; $$ is a dollar. Pure: bytes in, bytes out. */
#pragma once

#include "base/base.h"

/* The bytes of one .env file. */
typedef struct EnvFile {
        const char *path, *bytes;
        size_t n;
} EnvFile;

typedef struct EnvFiles {
        EnvFile f[8];
        size_t n; /* a later one wins */
} EnvFiles;

bool vars_any(const char *text);
/* The variable to change so that `text` reads `wanted`, and its new value; both malloc()ed. */
bool vars_solve(const char *text, const char *wanted, const EnvFiles *files, char **ret_name,
                char **ret_value);
/* `text` with the default of ${name..} replaced, malloc()ed; NULL: it has no plain default. */
char *vars_with_default(const char *text, const char *name, const char *value);

/* The file that sets `name`, or NULL. */
const EnvFile *env_file_of(const EnvFiles *files, const char *name);
/* The file with another value for `name` (in its last line that sets it, quotes and comment kept),
 * malloc()ed; NULL: none does. *ret_diff shows that line alone: others may hold passwords. */
char *env_file_set(const EnvFile *f, const char *name, const char *value, size_t *ret_len,
                   char **ret_diff);

/* The length of the part of `text` before its first colon that is not inside ${..}. */
size_t vars_cut_colon(const char *text);
