#include "kit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/io.h"
#include "config.h"
#include "step_ctx_fake.h"

int kit_main(int argc, char **argv)
{
        const char *docker = getenv("PGSHERPA_LAB_DOCKER");
        if (!docker || !*docker) {
                fprintf(stderr, "skipped: PGSHERPA_LAB_DOCKER is not set: no Docker engine of the "
                                "lab (./dev lab up)\n");
                return 77;
        }
        struct criterion_test_set *tests = criterion_initialize();
        int rc = 0;
        if (criterion_handle_args(argc, argv, true))
                rc = !criterion_run_all_tests(tests);
        criterion_finalize(tests);
        return rc;
}

static void project_sh(const char *verb, const char *dir, const char *major, const char *project,
                       const char *up)
{
        AUTO_ARGV a = { 0 };
        argv_add_all(
                &a, (const char *const[]){ PGSHERPA_SOURCEDIR "/lab/project.sh", verb, dir, NULL });
        if (major) {
                argv_add(&a, major);
                argv_add(&a, project);
        }
        if (up)
                argv_add(&a, up);
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(proc_run(&a, NULL, &r, &err), "%s: %s", err.message, buf_str(&r.err));
}

Kit kit_new(int major)
{
        return kit_new_with(major, NULL);
}

Kit kit_new_with(int major, const char *up)
{
        static int n;
        Kit k = { .major = major, .steps = json_object() };
        snprintf(k.project, sizeof k.project, "labtest-%d-h%d", (int)getpid(), ++n);
        snprintf(k.dir, sizeof k.dir, "/tmp/%s", k.project);
        snprintf(k.run_dir, sizeof k.run_dir, "/tmp/%s-run", k.project);
        snprintf(k.run_id, sizeof k.run_id, "t%d-%d", (int)getpid(), n);
        AUTO_FREE char *text = xasprintf("%d", major);
        project_sh("create", k.dir, text, k.project, up);
        AUTO_ERR err = { 0 };
        cr_assert(io_mkdir_p(k.run_dir, 0700, &err));
        k.spec = json_object();
        jx_set_str(k.spec, "kind", "compose");
        jx_set_str(k.spec, "dir", k.dir);
        k.stack = (Target){ .name = "stack", .kind = "compose", .spec = k.spec, .all = k.spec };
        return k;
}

void kit_done(Kit *k)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *server = xasprintf("%s-new", k->project);
        AUTO_FREE char *volume = xasprintf("%s_new", k->project);
        project_sh("destroy", k->dir, NULL, NULL, NULL);
        free(kit_docker("rm", "--force", server, NULL));
        free(kit_docker("volume", "rm", "--force", volume, NULL));
        (void)!io_remove_tree(k->run_dir, &err);
        json_decref(k->steps);
        json_decref(k->spec);
}

/* Durations and sizes are written as in YAML; the step gets numbers. */
static json_t *typed(const StepKind *kind, const json_t *given)
{
        json_t *all = given ? json_deep_copy(given) : json_object();
        for (const ParamSpec *p = kind->params; p && p->name; p++) {
                const char *text = jx_str(all, p->name, NULL);
                int64_t n = 0;
                if (!text && !p->fallback)
                        cr_assert(jx_get(all, p->name), "%s needs %s", kind->name, p->name);
                if (text && p->type == PARAM_DURATION && fmt_parse_duration(text, &n))
                        jx_set_int(all, p->name, n);
        }
        return all;
}

static json_t *entry_of(Kit *k, const char *id, const char *kind, json_t *params)
{
        json_t *e = jx_get(k->steps, id);
        if (!e) {
                e = json_object();
                jx_set_str(e, "kind", kind);
                jx_set(e, "remembered", json_object());
                jx_set(k->steps, id, e);
        }
        if (params)
                jx_set(e, "params", params);
        return e;
}

static bool call(Kit *k, const char *which, const char *id, json_t *e, Found *found, Err *err)
{
        AUTO_ERR nobody = { 0 };
        const StepKind *kind = step_kind_find(jx_str(e, "kind", ""), &nobody);
        cr_assert_not_null(kind, "%s", nobody.message);
        AUTO_JSON params = typed(kind, jx_get(e, "params"));
        AUTO_FREE char *text = json_dumps(params, 0);
        AUTO_FREE char *dir = xasprintf("%s/%s", k->run_dir, id);
        cr_assert(io_mkdir_p(dir, 0700, err));
        AUTO_JSON others = json_object();
        const char *key;
        json_t *one;
        json_object_foreach(k->steps, key, one)
                json_object_set(others, key, jx_get(one, "remembered"));
        FakeStep f = fake_step(kind, text);
        f.id = id;
        f.run_id = k->run_id;
        f.kept_dir = dir;
        f.steps = others;
        json_decref(f.remembered);
        f.remembered = json_deep_copy(jx_get(e, "remembered"));
        fake_target(&f, "stack", json_incref(k->spec));
        fake_on(&f, "stack");
        bool ok = true;
        if (str_eq(which, "run"))
                ok = fake_run_alone(&f, err);
        else if (str_eq(which, "undo"))
                ok = fake_undo(&f, err);
        else if (str_eq(which, "probe"))
                ok = fake_probe_it(&f, found, err);
        else
                ok = fake_check(&f, err);
        jx_set(e, "remembered", json_deep_copy(f.remembered));
        jx_set(e, "results", json_deep_copy(f.results));
        fake_step_done(&f);
        return ok;
}

bool kit_try(Kit *k, const char *which, const char *id, const char *kind, json_t *params, Err *err)
{
        return call(k, which, id, entry_of(k, id, kind, params), NULL, err);
}

const json_t *kit_run(Kit *k, const char *id, const char *kind, json_t *params)
{
        AUTO_ERR err = { 0 };
        json_t *e = entry_of(k, id, kind, params);
        cr_assert(call(k, "check", id, e, NULL, &err), "%s check: %s", id, err.message);
        cr_assert(call(k, "run", id, e, NULL, &err), "%s: %s (%s)", id, err.message, err.hint);
        return jx_get(e, "results");
}

void kit_undo(Kit *k, const char *id)
{
        AUTO_ERR err = { 0 };
        cr_assert(call(k, "undo", id, jx_get(k->steps, id), NULL, &err), "undo of %s: %s (%s)", id,
                  err.message, err.hint);
}

Found kit_probe(Kit *k, const char *id)
{
        AUTO_ERR err = { 0 };
        Found found = FOUND_BUSY;
        cr_assert(call(k, "probe", id, jx_get(k->steps, id), &found, &err), "probe of %s: %s", id,
                  err.message);
        return found;
}

Compose *kit_compose(Kit *k)
{
        AUTO_ERR err = { 0 };
        Compose *c = NULL;
        cr_assert(compose_open(k->dir, NULL, &c, &err), "%s", err.message);
        return c;
}

void kit_expect(Kit *k, const char *service, const char *state)
{
        AUTO_COMPOSE c = kit_compose(k);
        const json_t *one = compose_container(c, service);
        AUTO_FREE char *now = one ? xasprintf("%s %s", container_status(one), container_health(one))
                                  : xstrdup("");
        cr_assert_str_eq(now, state, "%s is %s", service, now);
}

char *kit_file(Kit *k, const char *name)
{
        AUTO_FREE char *path = io_join(k->dir, name);
        AUTO_ERR err = { 0 };
        char *text = NULL;
        cr_assert(io_read_file(path, 1 << 20, &text, NULL, &err), "%s", err.message);
        return text;
}

char *kit_docker(const char *first, ...)
{
        AUTO_ARGV a = { 0 };
        argv_add(&a, "docker");
        va_list ap;
        va_start(ap, first);
        for (const char *w = first; w; w = va_arg(ap, const char *))
                argv_add(&a, w);
        va_end(ap);
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(proc_run(&a, &(ProcOptions){ .any_exit = true, .timeout_ms = 60000 }, &r, &err));
        size_t n = r.out.len;
        while (n && r.out.data[n - 1] == '\n')
                n--;
        return xstrndup(buf_str(&r.out), n);
}
