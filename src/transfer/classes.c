#include "transfer/classes.h"

#include <string.h>

static const ErrorClass classes[] = {
        { "extension-comment",
          "the extension brought its comment itself; only its owner changes it", "42501",
          "COMMENT EXTENSION ", "must be owner of extension" },
        { "public-exists", "every new database has the schema public", "42P06", "SCHEMA public",
          "already exists" },
        { "plpgsql-exists", "every new database has plpgsql", "42710", "EXTENSION plpgsql",
          "already exists" },
        { "plpgsql-exists", "every new database has plpgsql", "42710",
          "PROCEDURAL LANGUAGE plpgsql", "already exists" },
        { "unknown-setting", "the target has no such setting: nothing there could obey it", "42704",
          "ALTER DATABASE SET ", "unrecognized configuration parameter" },
        { "unknown-setting", "the target has no such setting: nothing there could obey it", "42704",
          "ALTER ROLE in DATABASE SET ", "unrecognized configuration parameter" },
};

const ErrorClass *classes_find(const char *object, const Err *err)
{
        for (size_t i = 0; i < LEN(classes); i++) {
                const ErrorClass *c = &classes[i];
                if (str_eq(err->sqlstate, c->sqlstate) && str_starts(object, c->object) &&
                    strstr(err->message, c->words))
                        return c;
        }
        return NULL;
}

/* undefined_object, invalid_parameter_value, cant_change_runtime_param, feature_not_supported
 * (strings that are not standard, 19). */
bool classes_of_setting(const Err *err)
{
        static const char *const states[] = { "42704", "22023", "55P02", "0A000" };
        for (size_t i = 0; i < LEN(states); i++)
                if (str_eq(err->sqlstate, states[i]))
                        return err->kind == ERR_SERVER;
        return false;
}
