/* pg_roles_copy.c: the roles a database needs, with their verifiers, nothing overwritten. */
#include "base/fmt.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/facts.h"

static const ParamSpec params[] = {
        { .name = "from", .type = PARAM_TARGET, .help = "server the roles come from" },
        { .name = "databases",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "databases whose roles are needed; none: the source target's own" },
        { .name = "whole",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "the target becomes the source: every role as it is, superusers too, those that "
                  "are there altered, what holds for all of them" },
        { .name = "skip", .type = PARAM_LIST, .fallback = "[]", .help = "roles to leave alone" },
        { .name = "keep_superuser",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "let a superuser stay one; otherwise it arrives as a plain owner" },
        { 0 },
};

static const ParamSpec difference_fields[] = {
        { .name = "role", .type = PARAM_NAME, .help = "role" },
        { .name = "what", .type = PARAM_STRING, .help = "attribute" },
        { .name = "source", .type = PARAM_STRING, .help = "there" },
        { .name = "target", .type = PARAM_STRING, .help = "here" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "created", .type = PARAM_LIST, .help = "roles that were made" },
        { .name = "present",
          .type = PARAM_LIST,
          .help = "roles that were there, left as they are" },
        { .name = "altered",
          .type = PARAM_LIST,
          .help = "roles that were there and are as on the source now, but for their password" },
        { .name = "skipped", .type = PARAM_LIST, .help = "roles that were to be left alone" },
        { .name = "differences",
          .type = PARAM_LIST,
          .fields = difference_fields,
          .help = "what is not as on the source" },
        { .name = "md5",
          .type = PARAM_LIST,
          .help = "new roles with md5 passwords: they cannot log in where scram is asked for" },
        { .name = "without_password",
          .type = PARAM_LIST,
          .help = "new roles whose passwords the source does not show to the role that reads it" },
        { .name = "missing", .type = PARAM_LIST, .help = "roles that are not on the source" },
        { 0 },
};

static bool pg_roles_copy_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_roles_copy_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_roles_copy_run(StepCtx *ctx, void *state, Err *err);
static bool pg_roles_copy_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_roles_copy_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_roles_copy = {
        .name = "pg.roles.copy",
        .summary = "Copy the roles a database needs, with passwords",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_roles_copy_plan,
        .dry = pg_roles_copy_dry,
        .run = pg_roles_copy_run,
        .probe = pg_roles_copy_probe,
        .undo = pg_roles_copy_undo,
};

static bool pg_roles_copy_plan(StepCtx *ctx, void *state, Err *err)
{
        if (step_bool(ctx, "whole"))
                step_plan(
                        ctx,
                        "# from server %s: every role, with its password, settings and memberships",
                        step_words(ctx, "from"));
        else
                step_plan(ctx, "# from server %s: every role that %s needs, except %s",
                          step_words(ctx, "from"), step_words(ctx, "databases"),
                          step_words(ctx, "skip"));
        step_plan(ctx,
                  "create role .. password «verifier as it is»; grant ..; alter role .. set ..");
        step_plan_undo(ctx, "# drops the roles this run made");
        step_plan_undo(ctx, "drop role ..");
        return true;
}

/* Roles of all named databases together, each once. */
static bool pg_roles_copy_needed(StepCtx *ctx, Pg *source, json_t **ret, Err *err)
{
        AUTO_JSON databases = kit_name_list(ctx, "databases");
        AUTO_JSON seen = json_object();
        AUTO_JSON all = json_array();
        size_t i, k;
        json_t *d, *r;
        if (!json_array_size(databases))
                jx_append_str(databases, pg_database(source));
        json_array_foreach(databases, i, d) {
                AUTO_PG Pg *in = NULL;
                AUTO_JSON roles = NULL;
                if (!pg_reopen(source, json_string_value(d), &in, err) ||
                    !pg_roles_needed(in, &roles, err))
                        return err_wrap(err, "roles of database %s", json_string_value(d));
                json_array_foreach(roles, k, r)
                        if (!jx_get(seen, json_string_value(r))) {
                                jx_set_bool(seen, json_string_value(r), true);
                                json_array_append(all, r);
                        }
        }
        *ret = all;
        all = NULL;
        return true;
}

static void pg_roles_copy_tell(StepCtx *ctx, const json_t *report)
{
        static const char *const keys[] = { "created",          "present",     "altered",
                                            "skipped",          "differences", "md5",
                                            "without_password", "missing",     NULL };
        AUTO_JSON words = pg_roles_words(report);
        size_t i;
        json_t *w;
        kit_results_from(ctx, report, keys);
        json_array_foreach(words, i, w)
                step_log(ctx, SAY_WARN, "roles", "%s", json_string_value(w));
        step_report(ctx, "%zu made, %zu there already, %zu differences",
                    json_array_size(jx_get(report, "created")),
                    json_array_size(jx_get(report, "present")),
                    json_array_size(jx_get(report, "differences")));
}

static bool open_both(StepCtx *ctx, Pg **source, Pg **target, Err *err)
{
        const Target *from = step_param_target(ctx, "from", err);
        return from && kit_pg_open(ctx, from, NULL, source, err) &&
               kit_pg_open(ctx, step_target(ctx), NULL, target, err);
}

/* For the way back: what the target's roles were. Values of their settings are nobody's to keep. */
static bool remember_target(StepCtx *ctx, Pg *target, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_JSON names = NULL;
        size_t i;
        json_t *v;
        if (!step_bool(ctx, "whole") || jx_get(step_remembered(ctx), "was"))
                return true;
        sql_add(&q,
                "select to_json(rolname) from pg_roles where rolname !~ '^pg_' order by rolname");
        if (!pg_json_rows(target, &q, &names, err))
                return false;
        json_t *memory = json_object(), *was = json_array();
        jx_set(memory, "was", was);
        json_array_foreach(names, i, v) {
                json_t *role = NULL;
                if (!pg_role_describe(target, json_string_value(v), &role, err)) {
                        json_decref(memory);
                        return false;
                }
                json_object_del(role, "settings");
                json_array_append_new(was, role);
        }
        return step_remember(ctx, memory, err);
}

static bool pg_roles_copy_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON names = NULL;
        AUTO_JSON skip = kit_name_list(ctx, "skip");
        AUTO_JSON report = NULL;
        bool whole = step_bool(ctx, "whole");
        if (!open_both(ctx, &source, &target, err) ||
            (!whole && !pg_roles_copy_needed(ctx, source, &names, err)) ||
            !remember_target(ctx, target, err))
                return false;
        RolesCopyOptions o = { .only = names,
                               .skip = skip,
                               .whole = whole,
                               .keep_superuser = step_bool(ctx, "keep_superuser") };
        if (!kit_roles_copy(ctx, source, target, o, "created", &report, err))
                return false;
        pg_roles_copy_tell(ctx, report);
        return true;
}

static bool count_there(Pg *pg, const json_t *names, size_t *ret, Err *err)
{
        size_t i;
        json_t *v;
        *ret = 0;
        json_array_foreach(names, i, v) {
                bool there = false;
                if (!pg_role_exists(pg, json_string_value(v), &there, err))
                        return false;
                *ret += there;
        }
        return true;
}

static bool pg_roles_copy_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        const json_t *names = jx_get(step_remembered(ctx), "created");
        size_t there = 0;
        *ret = FOUND_NOTHING;
        if (!json_array_size(names))
                return true;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !count_there(pg, names, &there, err))
                return false;
        if (there == json_array_size(names)) {
                step_result_set(ctx, "created", json_incref((json_t *)names));
                step_result_set(ctx, "differences", json_array());
                *ret = FOUND_ALL;
        } else if (there) {
                *ret = FOUND_DRIFT;
        }
        return true;
}

static bool pg_roles_copy_undo(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        const json_t *names = jx_get(step_remembered(ctx), "created");
        const json_t *was = jx_get(step_remembered(ctx), "was");
        size_t i;
        json_t *role;
        if (!json_array_size(names) && !json_array_size(was))
                return true;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) || !kit_roles_drop(pg, names, err))
                return false;
        json_array_foreach(was, i, role)
                if (!pg_role_alter(pg, role, err))
                        return false;
        return true;
}

/* The copy itself, as a report. */
static bool dry_report(StepCtx *ctx, Pg *source, Pg *target, Err *err)
{
        AUTO_JSON names = NULL;
        AUTO_JSON report = NULL;
        AUTO_JSON skip = kit_name_list(ctx, "skip");
        AUTO_PGRES PgRes *r = NULL;
        size_t i;
        json_t *one;
        bool whole = step_bool(ctx, "whole"), super = false;
        RolesCopyOptions o = { .skip = skip,
                               .whole = whole,
                               .keep_superuser = step_bool(ctx, "keep_superuser"),
                               .dry = true };
        if (!whole && !pg_roles_copy_needed(ctx, source, &names, err))
                return false;
        o.only = names;
        if (!pg_roles_copy(source, target, &o, &report, err) ||
            !dry_superuser(target, &super, err) ||
            !pg_ask(target,
                    "select rolname, rolsuper or rolcreaterole from pg_roles where rolname = "
                    "current_user",
                    &r, err))
                return false;
        json_array_foreach(jx_get(report, "created"), i, one)
                dry_will_on(ctx, step_target(ctx), "role", json_string_value(one), WILL_COME);
        if (whole && !super)
                step_problem(ctx,
                             "role %s is no superuser, and cannot make the target as the source is",
                             pg_cell(r, 0, 0));
        else if (json_array_size(jx_get(report, "created")) && !pg_cell_bool(r, 0, 1))
                step_problem(ctx,
                             "role %s may not create roles, and %s to be made (ALTER ROLE .. "
                             "CREATEROLE)",
                             pg_cell(r, 0, 0),
                             THINGS(json_array_size(jx_get(report, "created")), "role"));
        json_array_foreach(jx_get(report, "without_password"), i, one)
                step_warn(ctx,
                          "the source does not show this role the password of %s: it arrives "
                          "without one",
                          json_string_value(one));
        return dry_writable(ctx, target, err);
}

static bool pg_roles_copy_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON databases = kit_name_list(ctx, "databases");
        size_t i;
        json_t *d;
        Seen there = dry_pg_param(ctx, "from", NULL, &source),
             here = dry_pg(ctx, step_target(ctx), NULL, &target);
        if (there == SEEN_HERE && step_known(ctx, "databases"))
                json_array_foreach(databases, i, d) {
                        AUTO_PG Pg *in = NULL;
                        AUTO_ERR why = { 0 };
                        if (!pg_reopen(source, json_string_value(d), &in, &why))
                                step_problem(ctx, "%s", why.message);
                }
        if (there != SEEN_HERE || here != SEEN_HERE || !step_known(ctx, "databases") ||
            step_has_problems(ctx))
                return true;
        return dry_report(ctx, source, target, err);
}
