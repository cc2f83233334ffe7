#include "fake_kinds.h"

#include "base/buf.h"
#include "base/limits.h"

/* The fallback, and after it what else there is to say, as designated initialisers. */
#define P(n, t, ...)                                                                               \
        {                                                                                          \
                .name = (n), .type = PARAM_##t, .help = "a thing", .fallback = __VA_ARGS__         \
        }
#define R(n, t)                                                                                    \
        {                                                                                          \
                .name = (n), .type = PARAM_##t, .help = "a thing"                                  \
        }

static const ParamSpec inventory_params[] = { P("rows", STRING, "exact"),
                                              P("digest", STRING, ""),
                                              P("alembic", STRING, ""),
                                              P("per", LIST, "[]"),
                                              { 0 } };
static const ParamSpec inventory_results[] = {
        R("version", VERSION),      R("size", SIZE),
        R("tables", INT),           R("extensions", LIST),
        R("roles", LIST),           R("system_identifier", STRING),
        R("alembic", STRING),       R("md5_roles", LIST),
        R("ref", STRING),           R("prepared_xacts", INT),
        R("invalid_indexes", LIST), R("encoding", STRING),
        R("identity", MAP),         { 0 }
};
static const ParamSpec ext_params[] = { P("image", IMAGE, "~"), P("need", LIST, NULL), { 0 } };
static const ParamSpec clients_params[] = {
        P("dump", STRING, ""), P("restore", STRING, ""), P("rollback_restore", STRING, ""), { 0 }
};
static const ParamSpec clients_results[] = { R("dump_major", INT),
                                             R("rollback_reads_restrict", BOOL),
                                             { 0 } };
static const ParamSpec need_fields[] = { P("path", PATH, NULL), P("free", EXPR, NULL), { 0 } };
static const ParamSpec disk_params[] = { P("need", LIST, NULL, .fields = need_fields), { 0 } };
static const ParamSpec disk_results[] = { R("short", LIST), { 0 } };
static const ParamSpec manual_params[] = { P("items", LIST, NULL), { 0 } };
static const ParamSpec bundle_params[] = { P("root", PATH, "/b"),
                                           P("name", NAME, NULL),
                                           P("databases", LIST, "[]", .item = PARAM_NAME),
                                           P("dump", STRING, ""),
                                           P("globals", BOOL, "true"),
                                           P("files", LIST, "[]"),
                                           P("env", STRING, "redact"),
                                           { 0 } };
static const ParamSpec bundle_results[] = {
        R("path", PATH), R("objects", INT), R("tables", INT), { 0 }
};
static const ParamSpec verify_params[] = { P("bundle", PATH, NULL), { 0 } };
static const ParamSpec verify_results[] = { R("bad", LIST), { 0 } };
static const ParamSpec pull_params[] = { P("image", IMAGE, NULL), { 0 } };
static const ParamSpec server_params[] = { P("service", NAME, NULL),
                                           P("image", IMAGE, NULL),
                                           P("volume", NAME, NULL),
                                           P("create", BOOL, "false"),
                                           P("name", STRING, NULL),
                                           P("within", DURATION, "120s"),
                                           { 0 } };
static const ParamSpec server_results[] = { R("identity", MAP), R("volume", NAME), { 0 } };
static const ParamSpec stop_params[] = { P("services", LIST, "[]", .item = PARAM_NAME),
                                         P("grace", DURATION, "30s"),
                                         P("require", STRING, ""),
                                         P("no_deps", BOOL, "false"),
                                         P("health", STRING, ""),
                                         P("within", DURATION, "60s"),
                                         { 0 } };
static const ParamSpec up_results[] = { R("identity", MAP), { 0 } };
static const ParamSpec others_results[] = { R("others", LIST), { 0 } };
static const ParamSpec roles_params[] = {
        P("from", TARGET, NULL), P("databases", LIST, "[]"), P("skip", LIST, "[]"), { 0 }
};
static const ParamSpec copy_bundle[] = { P("root", PATH, NULL), P("name", NAME, NULL), { 0 } };
static const ParamSpec copy_params[] = { P("from", TARGET, NULL),
                                         P("database", NAME, NULL),
                                         P("into", STRING, "temporary"),
                                         P("bundle", MAP, "", .fields = copy_bundle),
                                         { 0 } };
static const ParamSpec copy_results[] = { R("database", NAME), R("bundle", PATH), { 0 } };
static const ParamSpec restore_params[] = { P("from", PATH, NULL),
                                            P("into", STRING, "temporary"),
                                            { 0 } };
static const ParamSpec compare_params[] = { P("database", NAME, ""),
                                            P("against", ANY, NULL),
                                            { 0 } };
static const ParamSpec compare_results[] = {
        R("tables", INT), R("differences", LIST), R("alembic", STRING), { 0 }
};
static const ParamSpec rename_params[] = {
        P("from", NAME, NULL), P("to", NAME, NULL), P("replace_empty", BOOL, "false"), { 0 }
};
static const ParamSpec analyze_params[] = { P("stages", BOOL, "true"), P("jobs", INT, "1"), { 0 } };
static const ParamSpec image_params[] = {
        P("service", NAME, NULL), P("image", IMAGE, NULL), P("apply", STRING, "later"), { 0 }
};
static const ParamSpec volume_params[] = { P("service", NAME, ""), P("volume", NAME, NULL), { 0 } };
static const ParamSpec previous_results[] = { R("previous", STRING), { 0 } };
static const ParamSpec note_params[] = { P("text", STRING, ""), { 0 } };
static const ParamSpec sql_params[] = { P("sql", SQL, NULL), { 0 } };
static const ParamSpec http_params[] = { P("url", URL, NULL), P("within", DURATION, "60s"), { 0 } };
static const ParamSpec exec_params[] = {
        P("argv", LIST, NULL), P("env", MAP, "{}"), P("stdin", STRING, ""), { 0 }
};
static const ParamSpec drift_results[] = {
        R("drifted", LIST), R("unhealthy", LIST), R("missing", LIST), { 0 }
};
static const ParamSpec try_results[] = { R("problems", LIST), { 0 } };
static const ParamSpec many_params[] = { P("n", INT, "3"),          P("size", SIZE, "1kB"),
                                         P("list", LIST, "[a, b]"), P("map", MAP, "{a: 1}"),
                                         P("any", ANY, ""),         P("opt", INT, ""),
                                         P("secret", SECRET, "~"),  P("path", PATH, "/x"),
                                         P("url", URL, ""),         { 0 } };

#define READ (STEP_READ_ONLY | STEP_IDEMPOTENT)
#define KIND(v, n, t, p, r, u)                                                                     \
        static const KindSpec v = { .name = (n),                                                   \
                                    .summary = "Do " n,                                            \
                                    .traits = (t),                                                 \
                                    .params = (p),                                                 \
                                    .results = (r),                                                \
                                    .undoable = (u) }
KIND(k01, "bundle.create", STEP_IDEMPOTENT, bundle_params, bundle_results, false);
KIND(k02, "bundle.verify", READ, verify_params, verify_results, false);
KIND(k03, "compose.drift", READ, NULL, drift_results, false);
KIND(k04, "compose.health", READ | STEP_ON_PROJECT, NULL, drift_results, false);
KIND(k05, "compose.set_image", STEP_IDEMPOTENT, image_params, previous_results, true);
KIND(k06, "compose.set_volume", STEP_IDEMPOTENT, volume_params, previous_results, true);
KIND(k07, "compose.stop", STEP_IDEMPOTENT, stop_params, NULL, true);
KIND(k08, "compose.up", STEP_IDEMPOTENT, stop_params, up_results, true);
KIND(k09, "exec", STEP_SHELL, exec_params, NULL, false);
KIND(k10, "host.disk", READ, disk_params, disk_results, false);
KIND(k11, "http.check", READ, http_params, NULL, false);
KIND(k12, "image.pull", STEP_IDEMPOTENT, pull_params, NULL, false);
KIND(k13, "image.remove", STEP_DESTRUCTIVE, pull_params, NULL, false);
KIND(k14, "manual", READ, manual_params, NULL, false);
KIND(k15, "note", READ, note_params, NULL, false);
KIND(k16, "pg.analyze", STEP_IDEMPOTENT, analyze_params, NULL, false);
KIND(k17, "pg.clients", READ, clients_params, clients_results, false);
KIND(k18, "pg.compare", READ, compare_params, compare_results, false);
KIND(k19, "pg.copy", STEP_IDEMPOTENT, copy_params, copy_results, true);
KIND(k20, "pg.database.rename", 0, rename_params, NULL, true);
KIND(k21, "pg.extension.available", READ, ext_params, drift_results, false);
KIND(k22, "pg.fence", STEP_IDEMPOTENT, NULL, others_results, true);
KIND(k23, "pg.inventory", READ | STEP_ON_SERVER, inventory_params, inventory_results, false);
KIND(k24, "pg.restore", STEP_IDEMPOTENT, restore_params, copy_results, true);
KIND(k25, "pg.roles.copy", STEP_IDEMPOTENT, roles_params, NULL, true);
KIND(k26, "pg.sql", 0, sql_params, NULL, false);
KIND(k27, "server.start", STEP_IDEMPOTENT, server_params, server_results, true);
KIND(k28, "server.stop", STEP_IDEMPOTENT, stop_params, NULL, true);
KIND(k29, "shell", STEP_SHELL, exec_params, NULL, false);
KIND(k30, "test.many", READ, many_params, NULL, false);
KIND(k34, "effects.try", READ, NULL, try_results, false);
KIND(k32, "pg.collation.refresh", STEP_IDEMPOTENT, NULL, NULL, true);
KIND(k33, "pg.reindex", STEP_IDEMPOTENT, NULL, NULL, false);
KIND(k31, "volume.remove", STEP_DESTRUCTIVE, volume_params, NULL, false);

const KindSpec *const fake_kinds[] = { &k01, &k02, &k03, &k04, &k05, &k06, &k07, &k08, &k09,
                                       &k10, &k11, &k12, &k13, &k14, &k15, &k16, &k17, &k18,
                                       &k19, &k20, &k21, &k22, &k23, &k24, &k25, &k26, &k27,
                                       &k28, &k29, &k30, &k31, &k32, &k33, &k34, NULL };

char *load_and_tell(const char *text, Runbook **ret)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_ERR err = { 0 };
        Runbook *rb =
                runbook_load_text("t.yaml", text, strlen(text), NULL, fake_kinds, &problems, &err);
        AUTO_BUF b = buf_init(LIMIT_YAML_BYTES);
        for (size_t i = 0; i < problems.n; i++) {
                AUTO_FREE char *line = problem_words(&problems.list[i]);
                buf_printf(&b, "%s\n", line);
        }
        if (ret)
                *ret = rb;
        else
                runbook_free(rb);
        return xstrdup(buf_str(&b));
}

char *with_steps(const char *steps)
{
        return xasprintf("api: pgsherpa/v1\nrunbook: t\ntitle: T\nversion: 1\n"
                         "vars: {dir: {type: path, default: /srv}, n: {type: int, default: 3}, "
                         "list: {type: \"list<name>\", default: [a, b]}, services: {type: "
                         "list<service>, default: [{name: web}]}}\n"
                         "secrets: {pg: {from: prompt}}\n"
                         "targets:\n"
                         "  stack: {kind: compose, dir: \"${vars.dir}\"}\n"
                         "  old: {kind: postgres, via: {compose: stack, service: db}, password: "
                         "secrets.pg}\n"
                         "defaults: {timeout: 10m}\n"
                         "phases:\n- id: one\n  steps:\n%s",
                         steps);
}
