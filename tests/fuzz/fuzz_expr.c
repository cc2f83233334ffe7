/* fuzz_expr.c: any text as an expression: parsed, evaluated with facts and while planning. */
#include <stdio.h>

#include "runbook/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char facts_text[] =
        "{\"src\": {\"version\": \"16.4\", \"size\": 1000, \"roles\": [], \"on\": true, \"no\": "
        "null}, \"inv\": {\"x\": {\"size\": 10}, \"y\": {\"size\": 2.5}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static json_t *facts;
        AUTO_ARENA a = arena_new();
        AUTO_ERR err = { 0 };
        if (!facts)
                facts = jx_parse(facts_text, strlen(facts_text), &err);
        char *text = arena_strndup(a, (const char *)data, size);
        int col;
        Expr *e = expr_parse(a, text, &col, &err);
        if (!e) {
                if (!err.message || col < 1 || (size_t)col > strlen(text) + 1)
                        abort();
                return 0;
        }
        for (int planning = 0; planning < 2; planning++) {
                const Scope scope = { .facts = facts,
                                      .vars = jx_get(facts, "src"),
                                      .planning = planning };
                AUTO_JSON v = NULL;
                AUTO_ERR why = { 0 };
                if (expr_eval(e, &scope, &v, &why) != (v != NULL) || (!v && !why.message))
                        abort();
        }
        return 0;
}
