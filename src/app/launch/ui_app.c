#include "app/launch/ui_app.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "app/show/export_log.h"
#include "app/launch/launch.h"
#include "app/launch/suggest.h"
#include "base/io.h"
#include "journal/run_dir.h"
#include "proc/proc.h"

/* The journeys on the home screen, in the order a newcomer wants them. */
static const UiJourney journeys[] = {
        { .runbook = "compose-upgrade",
          .title = "Upgrade PostgreSQL in a Compose project",
          .about = "dump and restore into a new volume, the old one is kept",
          .needs = "compose" },
        { .runbook = "local-upgrade",
          .title = "Move a database to another server",
          .about = "both servers keep running, the old one is only read",
          .needs = "local" },
        { 0 },
};

static bool start_path(const char *path, const json_t *answers, const Options *o,
                       const char *plan_sha256, char **ret_run_dir, Err *err)
{
        Launch l = { .answers = answers, .decisions = o->decisions, .secrets = o->secrets };
        return launch_path(path, &l, plan_sha256, ret_run_dir, err);
}

static bool discover(void *app, char **ret_run_dir, Err *err)
{
        AUTO_FREE char *path = NULL;
        AUTO_JSON none = json_object();
        return journeys_find("discover", &path, err) &&
               start_path(path, none, app, NULL, ret_run_dir, err);
}

static json_t *problems_json(const Problems *problems)
{
        json_t *out = json_object();
        json_t *list = json_array();
        for (size_t i = 0; i < problems->n; i++) {
                const Problem *p = &problems->list[i];
                json_t *row = json_object();
                jx_set_str(row, "text", p->text);
                jx_set_str(row, "hint", p->hint);
                jx_set_str(row, "rule", p->rule);
                jx_set_bool(row, "warning", p->warning);
                jx_set_str(row, "var", p->loc.file && !p->loc.line ? p->loc.file : NULL);
                jx_set_int(row, "line", p->loc.line);
                json_array_append_new(list, row);
        }
        jx_set(out, "problems", list);
        return out;
}

static bool questions(void *app, const char *runbook, const json_t *server, json_t **ret, Err *err)
{
        const Options *o = app;
        AUTO_FREE char *path = NULL;
        AUTO_PROBLEMS problems = { 0 };
        if (!journeys_find(runbook, &path, err))
                return false;
        Runbook *rb = journeys_load(path, &problems, err);
        if (!rb) {
                if (!err->kind)
                        err_set(err, ERR_USER, "%s:%d:%d: %s", path, problems.list[0].loc.line,
                                problems.list[0].loc.col, problems.list[0].text);
                return false;
        }
        *ret = suggest_questions(rb, server, o->vars);
        runbook_free(rb);
        return true;
}

static bool plan(void *app, const char *runbook, const json_t *answers, json_t **ret, Err *err)
{
        const Options *o = app;
        AUTO_FREE char *path = NULL;
        AUTO_PROBLEMS problems = { 0 };
        AUTO_JOURNEY j = { 0 };
        if (!journeys_find(runbook, &path, err))
                return false;
        if (!journey_open(path, answers, &j, &problems, err)) {
                if (err->kind)
                        return false;
                *ret = problems_json(&problems);
                return true;
        }
        return launch_plan(&j, o->decisions, ret, err);
}

static bool start(void *app, const char *runbook, const json_t *answers, const char *plan_sha256,
                  char **ret_run_dir, Err *err)
{
        AUTO_FREE char *path = NULL;
        return journeys_find(runbook, &path, err) &&
               start_path(path, answers, app, plan_sha256, ret_run_dir, err);
}

static bool resume(void *app, const char *run_dir, Err *err)
{
        const Options *o = app;
        return launch_resume(run_dir, o->secrets, err);
}

static bool shell(void *app, const char *dir, Err *err)
{
        const char *program = getenv("SHELL");
        AUTO_ARGV argv = { 0 };
        argv_add(&argv, program && *program ? program : "/bin/sh");
        int status = 0;
        return proc_foreground(&argv, dir, &status, err);
}

static bool export_to_file(void *app, const char *run_dir, const char *format, char **ret_path,
                           Err *err)
{
        AUTO_BUF out = buf_init(SIZE_MAX / 2);
        if (!export_log(run_dir, format, &out, err))
                return false;
        char *path = xasprintf("%s/log.%s", run_dir, format);
        if (!io_replace_file(path, buf_str(&out), out.len, 0600, err)) {
                free(path);
                return false;
        }
        *ret_path = path;
        return true;
}

/* "alice@vault" for the title bar; static storage, made once. */
static const char *who(void)
{
        static char text[128];
        if (text[0])
                return text;
        char host[65] = "";
        (void)gethostname(host, sizeof host - 1);
        const struct passwd *pw = getpwuid(getuid());
        snprintf(text, sizeof text, "%.60s@%.60s", pw ? pw->pw_name : "uid", host);
        return text;
}

UiApp ui_app_new(const Options *o)
{
        return (UiApp){ .app = (void *)(uintptr_t)o,
                        .journeys = journeys,
                        .discover = discover,
                        .questions = questions,
                        .plan = plan,
                        .start = start,
                        .resume = resume,
                        .shell = shell,
                        .export_log = export_to_file,
                        .who = who() };
}
