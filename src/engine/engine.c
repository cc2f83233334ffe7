/* engine.c: a run from its opening to its close, and everything that can come between. */
#include "engine/drive/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/io.h"
#include "engine/drive/dry.h"
#include "journal/run_dir.h"

/* ---- the process ---- */

/* No core file, no ptrace by others, files for the owner only, orphans come to us. */
static void engine_harden(void)
{
        struct rlimit none = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)prctl(PR_SET_DUMPABLE, 0);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        umask(077);
}

static void make_run_ns(Engine *e)
{
        char t[32];
        e->run_ns = json_object();
        jx_set_str(e->run_ns, "id", e->tag);
        jx_set_str(e->run_ns, "name", e->run);
        jx_set_str(e->run_ns, "dir", e->c->run_dir ? e->c->run_dir : "");
        jx_set_str(e->run_ns, "started",
                   clock_iso(e->state.t_open ? e->state.t_open : clock_wall_ms(), t));
        AUTO_FREE char *mark = xasprintf("pgsherpa:%s", e->tag);
        jx_set_str(e->run_ns, "mark", mark);
}

static bool only_reads(const Plan *plan)
{
        for (size_t i = 0; i < plan->n; i++)
                if (!lookup_read_only(&plan->steps[i]))
                        return false;
        return true;
}

static void engine_init(Engine *e, const EngineConfig *c)
{
        *e = (Engine){ .c = c,
                       .rb = c->runbook,
                       .plan = c->plan,
                       .ops = c->ops,
                       .arena = arena_new(),
                       .looked_up = json_object(),
                       .keep = json_array(),
                       .lock_fd = -1,
                       .dir_fd = -1,
                       .wake_fd = -1,
                       .read_only = only_reads(c->plan),
                       .later_begin = dry_begin,
                       .later_try = dry_try };
        desk_new(e);
        world_new(e);
        pthread_mutex_init(&e->journal_lock, NULL);
        pthread_mutex_init(&e->lazy_lock, NULL);
        state_init(&e->state);
        if (c->run_dir) {
                size_t n = strlen(c->run_dir);
                while (n > 1 && c->run_dir[n - 1] == '/')
                        n--;
                char *dir = arena_strndup(e->arena, c->run_dir, n);
                const char *slash = strrchr(dir, '/');
                e->run = slash ? slash + 1 : dir;
        } else {
                e->run = "plan";
        }
}

static void engine_done(Engine *e)
{
        control_close(e);
        e->journal = journal_close(e->journal);
        world_free(e);
        dry_end(e);
        free(e->stop_why);
        free(e->undo_to);
        free(e->tag);
        json_decref(e->run_ns);
        json_decref(e->looked_up);
        json_decref(e->keep);
        base_closep_(&e->dir_fd);
        base_closep_(&e->lock_fd);
        desk_free(e);
        state_done(&e->state);
        pthread_mutex_destroy(&e->journal_lock);
        pthread_mutex_destroy(&e->lazy_lock);
        e->arena = arena_free(e->arena);
}

/* ---- opening ---- */

/* What was accepted, beside the journal; app has usually put it there already. */
static bool keep_accepted(Engine *e, Err *err)
{
        AUTO_FREE char *path = io_join(e->c->run_dir, "plan.json");
        if (!runbook_save(e->rb, e->c->run_dir, err))
                return false;
        if (io_exists(path))
                return true;
        AUTO_JSON plan = plan_json(e->plan);
        AUTO_FREE char *text = jx_dump(plan);
        return io_replace_file(path, text, strlen(text), 0600, err);
}

static bool open_new(Engine *e, Err *err)
{
        char hex[5];
        AUTO_FREE char *kept = io_join(e->c->run_dir, "tag");
        if (!io_exists(kept)) {
                random_hex(2, hex);
                e->tag = xasprintf("%s-%s", e->run, hex);
        } else if (!run_dir_tag(e->c->run_dir, &e->tag, err)) {
                return false;
        }
        make_run_ns(e);
        return keep_accepted(e, err) && record_run_open(e, err) && record_plan(e, err);
}

static bool open_again(Engine *e, Err *err)
{
        const EngineState *s = &e->state;
        if (s->closed && !(e->c->rollback && !str_eq(s->closed, "undone"))) {
                err_set(err, ERR_USER, "run %s is over: %s", e->run, s->closed);
                return err_hint(err, "read it with `pgsherpa log %s`", e->run);
        }
        e->tag = xstrdup(s->tag);
        make_run_ns(e);
        AUTO_FREE char *by = record_operator();
        if (!record_run_resume(e, by, !s->paused && !s->closed, err))
                return false;
        if (!s->accepted && !record_plan(e, err)) /* died while writing the plan down */
                return false;
        if (e->c->rollback && !s->undoing) {
                e->stop = STOP_ROLLBACK;
                snprintf(e->stop_by, sizeof e->stop_by, "%s", by);
        }
        return true;
}

static bool take_run_lock(Engine *e, Err *err)
{
        if (!run_lock_try(e->c->run_dir, &e->lock_fd, err))
                return false;
        if (e->lock_fd >= 0)
                return true;
        err_set(err, ERR_USER, "run %s has an engine already", e->run);
        return err_hint(err, "attach to it: pgsherpa attach %s", e->run);
}

/* Nothing has been written when this fails. */
static bool open_quietly(Engine *e, Err *err)
{
        if (!take_run_lock(e, err) || !loop_open(e, err))
                return false;
        clocks_open(e);
        e->dir_fd = open(e->c->run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (e->dir_fd < 0)
                return err_set_errno(err, errno, "opening %s", e->c->run_dir);
        if (e->c->resume && !resume_replay(e, err))
                return false;
        /* The socket last: who started us takes it as "it is up". */
        return locks_take_all(e, err) && control_open(e, err);
}

static bool open_run(Engine *e, Err *err)
{
        if (!e->c->resume) {
                e->state.tag = "";
                if (!open_quietly(e, err))
                        return false;
                e->journal = journal_open(e->c->run_dir, err);
                return e->journal && open_new(e, err);
        }
        e->journal = journal_open(e->c->run_dir, err); /* first: it cuts a torn tail */
        return e->journal && open_quietly(e, err) && open_again(e, err);
}

/* ---- the plan ---- */

static bool enter_phase(Engine *e, const char *id, Err *err)
{
        if (jx_get(e->state.phases, id))
                return true;
        return record_phase_start(e, id, err);
}

static bool leave_phase(Engine *e, const char *id, Err *err)
{
        if (str_eq(jx_str(e->state.phases, id, ""), "ended"))
                return true;
        return record_phase_end(e, id, err);
}

static void engine_reap(void)
{
        while (waitpid(-1, NULL, WNOHANG) > 0) /* nobody of ours runs between two steps */
                ;
}

static bool engine_safe_point(Engine *e, Err *err)
{
        engine_reap();
        if (!loop_pump(e, 0, err) || e->stop)
                return false;
        return !e->pause_wanted || gate_not_now(e, NULL, err);
}

static bool engine_walk(Engine *e, Err *err)
{
        const Plan *plan = e->plan;
        if (!ask_start_at(e, err))
                return false;
        for (size_t i = 0; i < plan->n; i++) {
                const PlanStep *p = &plan->steps[i];
                bool last = i + 1 == plan->n || !str_eq(plan->steps[i + 1].phase, p->phase);
                if (!engine_safe_point(e, err) || !enter_phase(e, p->phase, err) ||
                    !steps_drive(e, p, err) || !fence_after(e, p, last, err))
                        return false;
                if (last && !leave_phase(e, p->phase, err))
                        return false;
        }
        return true;
}

/* ---- the ends ---- */

/* One stop has unwound to here. True: the run (or this engine's part of it) is over. */
static bool handle_stop(Engine *e, int *ret_code, Err *err)
{
        Stop stop = e->stop;
        e->stop = STOP_NONE;
        switch (stop) {
        case STOP_SHUTDOWN:
                *ret_code = ENGINE_PAUSED;
                /* no signal: a pause that met a gate which waits for days */
                (void)!record_run_pause(e, e->terms == 0 ? "asked" : "shutdown", e->stop_by, NULL,
                                        err);
                return true;
        case STOP_ABORT:
                *ret_code = ENGINE_ABORTED;
                (void)!(record_run_abort(e, e->stop_by, err) &&
                        record_run_close(e, "aborted", "", err));
                return true;
        case STOP_FAIL:
                *ret_code = ENGINE_FAILED;
                (void)!record_run_close(e, "failed", e->stop_why, err);
                return true;
        case STOP_ROLLBACK:
                if (!undo_run(e, err))
                        return !e->stop; /* stopped again: handled next; else broken */
                *ret_code = ENGINE_FAILED;
                return e->state.closed != NULL;
        case STOP_NONE:
                break;
        }
        return true;
}

/* What no question could be made of. The run is left as after a crash, but its journal says why,
 * for whoever comes to look: nobody reads the log of an engine. Where the journal cannot be written
 * any more, *err is all there is. */
static int stopped_by_an_error(Engine *e, const Err *err)
{
        AUTO_ERR ignored = { 0 };
        (void)!record_run_pause(e, "error", NULL, err, &ignored);
        return ENGINE_FAILED;
}

static int run_to_its_end(Engine *e, Err *err)
{
        int code = ENGINE_FAILED;
        bool over = false;
        if (e->state.undoing && !e->stop)
                e->stop = STOP_ROLLBACK;
        while (!over) {
                if (!e->stop) {
                        if (engine_walk(e, err))
                                return record_run_close(e, "done", "", err) ? ENGINE_DONE
                                                                            : ENGINE_FAILED;
                        if (!e->stop)
                                return stopped_by_an_error(e, err);
                }
                err_clear(err);
                over = handle_stop(e, &code, err);
        }
        return code;
}

bool engine_plan(const EngineConfig *config, json_t **ret, Err *err)
{
        Engine *e = xcalloc(1, sizeof *e);
        engine_init(e, config);
        /* The run's name is not known before there is a run. */
        e->tag = xstrdup("\xe2\x80\xb9run\xe2\x80\xba");
        make_run_ns(e);
        bool ok = plan_fill(e, ret, err);
        engine_done(e);
        free(e);
        return ok;
}

int engine_run(const EngineConfig *config, Err *err)
{
        Engine *e = xcalloc(1, sizeof *e);
        int code = ENGINE_REFUSED;
        engine_harden();
        engine_init(e, config);
        if (open_run(e, err))
                code = run_to_its_end(e, err);
        else if (e->state.last_seq && e->io_failed)
                code = ENGINE_FAILED;
        engine_done(e);
        free(e);
        return code;
}
