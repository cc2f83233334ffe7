/* write_run.c: events of a run as a whole: its opening, its plan, its phases, its ends. */
#include "engine/record/record.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

char *record_operator(void)
{
        struct passwd pw, *found = NULL;
        char scratch[4096];
        const char *sudo = getenv("SUDO_USER");
        if (geteuid() == 0 && sudo && *sudo)
                return xstrdup(sudo);
        if (getpwuid_r(geteuid(), &pw, scratch, sizeof scratch, &found) == 0 && found)
                return xstrdup(found->pw_name);
        return xasprintf("uid %u", (unsigned)geteuid());
}

static json_t *secret_names(const Engine *e)
{
        json_t *list = json_array();
        for (size_t i = 0; i < e->rb->n_secrets; i++)
                json_array_append_new(list, json_pack("{s:s, s:s}", "name", e->rb->secrets[i].name,
                                                      "from", e->rb->secrets[i].from));
        return list;
}

bool record_run_open(Engine *e, Err *err)
{
        char host[256] = "";
        AUTO_FREE char *user = record_operator();
        (void)gethostname(host, sizeof host - 1);
        const char *ssh = getenv("SSH_CONNECTION"), *tty = getenv("SSH_TTY");
        json_t *f = json_object();
        jx_set_str(f, "run", e->run);
        jx_set_str(f, "tag", e->tag);
        jx_set_str(f, "runbook", e->rb->name);
        jx_set_str(f, "title", e->rb->title);
        jx_set_int(f, "version", e->rb->version);
        jx_set_str(f, "tool", e->c->tool ? e->c->tool : "pgsherpa");
        jx_set_str(f, "sha256", e->rb->sha256);
        jx_set_str(f, "plan_sha256", e->plan->sha256);
        jx_set_str(f, "host", host);
        jx_set_str(f, "boot_id", clock_boot_id());
        jx_set_str(f, "user", user);
        jx_set_int(f, "uid", getuid());
        jx_set_int(f, "pid", getpid());
        jx_set_str(f, "ssh", ssh ? ssh : "");
        jx_set_str(f, "tty", tty ? tty : "");
        jx_set(f, "vars", e->plan->vars ? json_deep_copy(e->plan->vars) : json_object());
        jx_set(f, "secrets", secret_names(e));
        jx_set_int(f, "n_steps", (int64_t)e->plan->n);
        jx_set_int(f, "budget_ms", e->rb->budget_ms);
        AUTO_JSON plan = plan_json(e->plan);
        jx_set_int(f, "downtime_ms", jx_int(plan, "downtime_ms", 0));
        return record_append(e, EV_RUN_OPEN, NULL, f, err);
}

/* ---- the plan, written down ---- */

static bool write_phase(Engine *e, const char *id, const char *title, const char *users_see,
                        bool cleanup, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "id", id);
        jx_set_str(f, "title", title ? title : id);
        if (users_see)
                jx_set_str(f, "users_see", users_see);
        jx_set_bool(f, "cleanup", cleanup);
        return record_append(e, EV_PLAN_PHASE, NULL, f, err);
}

static bool write_step(Engine *e, const PlanStep *p, Err *err)
{
        static const char *const marks[] = { "", "begin", "end" };
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "id", p->id);
        jx_set_str(f, "phase", p->phase);
        jx_set_str(f, "title", p->title);
        jx_set_str(f, "why", p->def->why ? p->def->why : "");
        jx_set_str(f, "kind", p->def->kind->name);
        jx_set_str(f, "touches", p->touches ? p->touches : "");
        jx_set_str(f, "undo", p->undo ? p->undo : "");
        jx_set_bool(f, "asks", p->asks);
        jx_set_bool(f, "hard", p->hard);
        jx_set_bool(f, "cleanup", p->cleanup);
        jx_set_str(f, "downtime", marks[p->def->downtime]);
        jx_set_int(f, "estimate_ms", p->def->estimate_ms);
        return record_append(e, EV_PLAN_STEP, NULL, f, err);
}

static bool write_accept(Engine *e, Err *err)
{
        AUTO_FREE char *by = record_operator();
        json_t *f = json_object();
        jx_set_str(f, "sha256", e->plan->sha256);
        jx_set_str(f, "by", by);
        return record_append(e, EV_PLAN_ACCEPT, NULL, f, err);
}

bool record_plan(Engine *e, Err *err)
{
        for (size_t i = 0; i < e->rb->n_phases; i++) {
                const Phase *ph = &e->rb->phases[i];
                if (!write_phase(e, ph->id, ph->title, ph->users_see, false, err))
                        return false;
        }
        if (e->rb->n_cleanup && !write_phase(e, "cleanup", "Clean up", NULL, true, err))
                return false;
        for (size_t i = 0; i < e->plan->n; i++)
                if (!write_step(e, &e->plan->steps[i], err))
                        return false;
        return write_accept(e, err);
}

/* ---- on the way ---- */

bool record_run_resume(Engine *e, const char *by, bool after_crash, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "by", by);
        jx_set_bool(f, "after_crash", after_crash);
        jx_set_str(f, "boot_id", clock_boot_id());
        jx_set_int(f, "pid", getpid());
        return record_append(e, EV_RUN_RESUME, NULL, f, err);
}

bool record_run_pause(Engine *e, const char *cause, const char *by, const Err *why, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "cause", cause);
        if (by)
                jx_set_str(f, "by", by);
        if (why)
                jx_set_str(f, "reason", why->message ? why->message : "");
        if (why && why->hint)
                jx_set_str(f, "hint", why->hint);
        return record_append(e, EV_RUN_PAUSE, NULL, f, err);
}

void record_run_attach(Engine *e, const Viewer *v)
{
        json_t *f = json_object();
        jx_set_str(f, "by", v->by);
        jx_set_int(f, "uid", v->uid);
        jx_set_int(f, "pid", v->pid);
        jx_set_str(f, "tty", v->tty);
        jx_set_bool(f, "watch", v->watch);
        record_tell(e, EV_RUN_ATTACH, NULL, f);
}

void record_run_detach(Engine *e, const Viewer *v, const char *cause)
{
        json_t *f = json_object();
        jx_set_str(f, "by", v->by);
        jx_set_int(f, "pid", v->pid);
        jx_set_str(f, "cause", cause);
        record_tell(e, EV_RUN_DETACH, NULL, f);
}

bool record_phase_start(Engine *e, const char *id, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "phase", id);
        return record_append(e, EV_PHASE_START, NULL, f, err);
}

bool record_phase_end(Engine *e, const char *id, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "phase", id);
        return record_append(e, EV_PHASE_END, NULL, f, err);
}

bool record_downtime(Engine *e, bool begin, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "budget_ms", e->rb->budget_ms);
        return record_append(e, begin ? EV_DOWNTIME_BEGIN : EV_DOWNTIME_END, NULL, f, err);
}

void record_clock_jump(Engine *e, int64_t by_ms)
{
        json_t *f = json_object();
        jx_set_int(f, "by_ms", by_ms);
        record_tell(e, EV_CLOCK_JUMP, NULL, f);
}

/* ---- the ends ---- */

bool record_run_abort(Engine *e, const char *by, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "by", by);
        return record_append(e, EV_RUN_ABORT, NULL, f, err);
}

bool record_run_close(Engine *e, const char *status, const char *reason, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "status", status);
        jx_set_str(f, "reason", reason ? reason : "");
        return record_append(e, EV_RUN_CLOSE, NULL, f, err);
}
