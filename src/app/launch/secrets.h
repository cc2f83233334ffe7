/* secrets.h: where passwords come from, except the keyboard. */
#pragma once

#include "base/jsonx.h"
#include "base/secret.h"

/* `spec` is the runbook's map with ${...} resolved: {"from": "file", "path": ".."} |
 * {"from": "env", "key": ".."} | {"from": "compose_env", "target": "stack", "service": "db",
 * "key": "POSTGRES_PASSWORD"} | {"from": "command", "argv": [..]} | {"from": "generate",
 * "length": 32, "store": {"file": ".."}}. The error names the secret, never its value. */
bool secrets_load(const char *name, const json_t *spec, const json_t *targets, Secret **ret,
                  Err *err) MUST_CHECK;
