/* kit_yaml.h: runbooks of the engine's tests, from one head and what each test adds. */
#pragma once

#define KIT_HEAD                                                                                   \
        "api: pgsherpa/v1\n"                                                                       \
        "runbook: kit\n"                                                                           \
        "title: A run in a small world\n"                                                          \
        "version: 1\n"                                                                             \
        "defaults: {timeout: 30s}\n"

/* Steps of one phase, indented by six blanks. */
#define KIT_PHASE(id)  "  - id: " id "\n    title: Phase " id "\n    steps:\n"
#define KIT_STEP(body) "      - {" body "}\n"
