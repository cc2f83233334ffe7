/* pg_server.c: what a whole server holds, before it is replaced: all that will be carried, what was
 * left out, and what cannot go, each by name. */
#include "base/buf.h"
#include "base/fmt.h"
#include "base/text.h"
#include "kit/pg_steps.h"
#include "pg/server.h"

#define NAMED 40 /* left out databases by name; the rest is counted */

static const ParamSpec params[] = {
        { .name = "databases",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "databases to carry; none: every one there is" },
        { .name = "always",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "a database that is carried although nothing may be in it" },
        { .name = "to", .type = PARAM_INT, .fallback = "0", .help = "major it goes to" },
        { 0 },
};

static const ParamSpec database_fields[] = {
        { .name = "name", .type = PARAM_STRING, .help = "its name" },
        { .name = "key", .type = PARAM_STRING, .help = "the name in letters that an id may have" },
        { .name = "size", .type = PARAM_SIZE, .help = "its size" },
        { .name = "owner", .type = PARAM_STRING, .help = "its owner" },
        { .name = "template", .type = PARAM_BOOL, .help = "whether others are made from it" },
        { 0 },
};

static const ParamSpec setting_fields[] = {
        { .name = "name", .type = PARAM_STRING, .help = "its name, or that of the file" },
        { .name = "value", .type = PARAM_STRING, .help = "its value, where no key can be in it" },
        { .name = "from",
          .type = PARAM_STRING,
          .help = "file and line, command line, role or database" },
        { .name = "fate",
          .type = PARAM_STRING,
          .help = "carried, renamed, dropped, stays or decide" },
        { .name = "words", .type = PARAM_STRING, .help = "why" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "version", .type = PARAM_VERSION, .help = "version of the server" },
        { .name = "system", .type = PARAM_STRING, .help = "which cluster this is" },
        { .name = "size", .type = PARAM_SIZE, .help = "size of all databases" },
        { .name = "encoding", .type = PARAM_STRING, .help = "encoding of new databases" },
        { .name = "locale", .type = PARAM_STRING, .help = "locale of new databases" },
        { .name = "databases",
          .type = PARAM_LIST,
          .fields = database_fields,
          .help = "databases that are carried" },
        { .name = "names", .type = PARAM_LIST, .help = "their names" },
        { .name = "watch",
          .type = PARAM_LIST,
          .help = "databases a fence has to watch: none means all, when all are carried" },
        { .name = "left_out",
          .type = PARAM_LIST,
          .item = PARAM_MAP,
          .help = "databases that are not carried" },
        { .name = "left_words",
          .type = PARAM_STRING,
          .help = "the same as a sentence, with sizes" },
        { .name = "left_word",
          .type = PARAM_STRING,
          .help = "what is to be typed to leave them out" },
        { .name = "refused",
          .type = PARAM_LIST,
          .help = "what keeps the server from being replaced" },
        { .name = "notes", .type = PARAM_LIST, .help = "what does not go along" },
        { .name = "roles", .type = PARAM_LIST, .help = "every role" },
        { .name = "md5_roles", .type = PARAM_LIST, .help = "roles with md5 passwords" },
        { .name = "settings",
          .type = PARAM_LIST,
          .fields = setting_fields,
          .help = "settings that are not the image's own, and what becomes of each" },
        { .name = "undecided",
          .type = PARAM_LIST,
          .help = "settings somebody has to decide about" },
        { .name = "dropped", .type = PARAM_LIST, .help = "settings the new major does not have" },
        { .name = "ref", .type = PARAM_PATH, .help = "file with all of it, for pg.server.compare" },
        { 0 },
};

static const char *const verdict[] = { "refused", "undecided", NULL };

static bool pg_server_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_server_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_server = {
        .name = "pg.server",
        .summary = "List what a server holds, and what becomes of it",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = pg_server_plan,
        .run = pg_server_run,
};

static bool pg_server_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# lists databases, roles and settings, and where each setting comes from");
        return true;
}

static json_t *names_of(const json_t *databases)
{
        json_t *names = json_array(), *d;
        size_t i;
        json_array_foreach(databases, i, d)
                json_array_append(names, jx_get(d, "name"));
        return names;
}

static void tell_left_out(StepCtx *ctx, const json_t *left)
{
        AUTO_BUF words = buf_init(16 * 1024);
        size_t i, n = json_array_size(left);
        json_t *d;
        json_array_foreach(left, i, d) {
                char size[24];
                AUTO_FREE char *name = text_clean_str(jx_str(d, "name", ""));
                if (i < NAMED)
                        buf_printf(&words, "%s%s (%s)", i ? ", " : "", name,
                                   fmt_bytes(jx_int(d, "size", 0), size));
        }
        if (n > NAMED)
                buf_printf(&words, " and %zu more", n - NAMED);
        AUTO_FREE char *first = text_clean_str(jx_str(json_array_get(left, 0), "name", ""));
        AUTO_FREE char *word =
                n == 1 ? xasprintf("leave out %s", first) : xasprintf("leave out %zu databases", n);
        step_result_str(ctx, "left_words", buf_str(&words));
        step_result_str(ctx, "left_word", n ? word : "");
        if (n)
                step_log(ctx, SAY_WARN, "pgsherpa", "not carried: %s", buf_str(&words));
}

static void tell_settings(StepCtx *ctx, const json_t *settings)
{
        json_t *undecided = json_array(), *dropped = json_array(), *s;
        size_t i;
        json_array_foreach(settings, i, s) {
                const char *fate = jx_str(s, "fate", ""), *value = jx_str(s, "value", NULL);
                bool decide = str_eq(fate, "decide"), drop = str_eq(fate, "dropped");
                AUTO_FREE char *line = xasprintf("%s%s%s (%s): %s", jx_str(s, "name", ""),
                                                 value ? " = " : "", value ? value : "",
                                                 jx_str(s, "from", ""), jx_str(s, "words", ""));
                AUTO_FREE char *clean = text_clean_str(line);
                step_log(ctx, decide ? SAY_ERROR : drop ? SAY_WARN : SAY_INFO, fate, "%s", clean);
                if (decide || drop)
                        jx_append_str(decide ? undecided : dropped, clean);
        }
        step_result_set(ctx, "undecided", undecided);
        step_result_set(ctx, "dropped", dropped);
}

static void tell_lists(StepCtx *ctx, const json_t *server)
{
        static const char *const keys[] = { "version", "system",    "size",      "encoding",
                                            "locale",  "databases", "left_out",  "refused",
                                            "notes",   "roles",     "md5_roles", "settings",
                                            NULL };
        size_t i;
        json_t *v;
        json_t *names = names_of(jx_get(server, "databases"));
        bool all = json_array_size(jx_get(server, "left_out")) == 0;
        kit_results_from(ctx, server, keys);
        step_result_set(ctx, "names", names);
        step_result_set(ctx, "watch", all ? json_array() : json_incref(names));
        json_array_foreach(jx_get(server, "refused"), i, v)
                step_log(ctx, SAY_ERROR, "pgsherpa", "%s", json_string_value(v));
        json_array_foreach(jx_get(server, "notes"), i, v)
                step_log(ctx, SAY_WARN, "pgsherpa", "%s", json_string_value(v));
        json_array_foreach(jx_get(server, "databases"), i, v) {
                char size[24];
                AUTO_FREE char *name = text_clean_str(jx_str(v, "name", ""));
                step_say(ctx, "database %s, %s", name, fmt_bytes(jx_int(v, "size", 0), size));
        }
}

static bool pg_server_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON server = NULL;
        AUTO_JSON wanted = kit_name_list(ctx, "databases");
        AUTO_JSON lines = NULL;
        char size[24];
        const char *path = NULL;
        ServerOptions o = { .databases = wanted,
                            .to = (int)step_int(ctx, "to"),
                            .always = *step_str(ctx, "always") ? step_str(ctx, "always") : NULL };
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_server_look(pg, &o, &server, err))
                return false;
        tell_lists(ctx, server);
        tell_left_out(ctx, jx_get(server, "left_out"));
        tell_settings(ctx, jx_get(server, "settings"));
        step_report(ctx, "%s of %s, %s, %s that are not the image's",
                    THINGS(json_array_size(jx_get(server, "databases")), "database"),
                    fmt_bytes(jx_int(server, "size", 0), size),
                    THINGS(json_array_size(jx_get(server, "roles")), "role"),
                    THINGS(json_array_size(jx_get(server, "settings")), "setting"));
        if (!jx_bool(server, "superuser", false))
                return step_result_file(ctx, "ref", server, &path, err);
        if (!pg_server_lines(pg, jx_get(step_results(ctx), "names"), o.to ? o.to : pg_major(pg),
                             &lines, err))
                return false;
        jx_set(server, "lines", json_incref(lines));
        return step_result_file(ctx, "ref", server, &path, err);
}
