#include "transfer/state/harmless.h"

#include <string.h>

static const HarmlessError known[] = {
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

const HarmlessError *harmless_find(const char *object, const Err *err)
{
        for (size_t i = 0; i < LEN(known); i++) {
                const HarmlessError *c = &known[i];
                if (str_eq(err->sqlstate, c->sqlstate) && str_starts(object, c->object) &&
                    strstr(err->message, c->words))
                        return c;
        }
        return NULL;
}

/* undefined_object, invalid_parameter_value, cant_change_runtime_param, feature_not_supported
 * (strings that are not standard, 19). */
bool harmless_setting(const Err *err)
{
        static const char *const states[] = { "42704", "22023", "55P02", "0A000" };
        for (size_t i = 0; i < LEN(states); i++)
                if (str_eq(err->sqlstate, states[i]))
                        return err->kind == ERR_SERVER;
        return false;
}

static const HarmlessError was_prepared = { .name = "prepared-schema",
                                            .reason = "the schema was there: it was prepared" };

const HarmlessError *harmless_prepared_schema(const json_t *prepared, const char *object,
                                              const Err *err)
{
        size_t i;
        json_t *s;
        if (!str_eq(err->sqlstate, "42P06") || !str_starts(object, "SCHEMA "))
                return NULL;
        json_array_foreach(jx_get(jx_get(prepared, "inside"), "schemas"), i, s)
                if (str_eq(jx_str(s, "name", ""), object + strlen("SCHEMA ")))
                        return &was_prepared;
        return NULL;
}
