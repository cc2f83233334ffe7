/* limits.h: every maximum in one place, each with its reason. */
#pragma once

#define LIMIT_YAML_BYTES (1024 * 1024) /* a runbook or theme; runbooks.md 2.1 */
#define LIMIT_YAML_DEPTH 32            /* libyaml is quadratic on deep nesting */
#define LIMIT_YAML_NODES 20000
#define LIMIT_RECORD     4096               /* one journal line: one write(), one page */
#define LIMIT_LINE       (64 * 1024)        /* one line of a child's output */
#define LIMIT_OUTPUT_LOG (16 * 1024 * 1024) /* output/<step>.log; then it says so */
#define LIMIT_CAPTURE    (32 * 1024 * 1024) /* docker inspect of a large host is 1 MiB */
#define LIMIT_FRAME      (1024 * 1024)      /* a control frame */
/* POSTGRES_PASSWORD_FILE: one line; an image reads no more */
#define LIMIT_SECRET_FILE  (64 * 1024)
#define LIMIT_COMPOSE_FILE (1024 * 1024)
#define LIMIT_HTTP_BODY    (1024 * 1024) /* a health page */
#define LIMIT_PATH         4096
#define LIMIT_NAME         63                   /* NAMEDATALEN - 1 */
#define LIMIT_PROBLEMS     200                  /* nobody reads more; suggestions cost time */
#define LIMIT_STEPS        1000                 /* of a runbook; a plan has to be read */
#define LIMIT_EXPR         4096                 /* characters of one expression */
#define LIMIT_MANIFEST     (64 * 1024 * 1024)   /* 5,000 tables with 1,600 columns fit */
#define LIMIT_SQL          (256 * 1024 * 1024)  /* schema text of one database */
#define LIMIT_MEMBER       (1024 * 1024 * 1024) /* plain bytes of one member of a bundle */
