#include "app/launch/journeys.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "config.h"
#include "engine/step.h"

KindTable journeys_kinds(void)
{
        static KindSpec specs[256];
        static const KindSpec *table[257];
        if (table[0])
                return table;
        size_t n = 0;
        for (const StepKind *const *k = step_kinds; *k && n < LEN(specs); k++, n++) {
                specs[n] = (KindSpec){ .name = (*k)->name,
                                       .summary = (*k)->summary,
                                       .traits = (*k)->traits,
                                       .params = (*k)->params,
                                       .results = (*k)->results,
                                       .undoable = (*k)->undo != NULL };
                table[n] = &specs[n];
        }
        table[n] = NULL;
        return table;
}

/* Where shipped runbooks are: the environment (tests), the source tree, the installation. */
static const char *const *search_path(void)
{
        static const char *path[4];
        size_t n = 0;
        const char *given = getenv("PGSHERPA_RUNBOOKS");
        if (given && *given)
                path[n++] = given;
        if (access(PGSHERPA_SOURCEDIR "/runbooks", R_OK) == 0)
                path[n++] = PGSHERPA_SOURCEDIR "/runbooks";
        path[n++] = PGSHERPA_DATADIR "/runbooks";
        path[n] = NULL;
        return path;
}

const char *const *journeys_part_dirs(void)
{
        static char *dirs[4];
        for (size_t i = 0; search_path()[i] && !dirs[i]; i++)
                dirs[i] = io_join(search_path()[i], "parts");
        return (const char *const *)dirs;
}

Runbook *journeys_load(const char *path, Problems *problems, Err *err)
{
        return runbook_load(path, journeys_part_dirs(), journeys_kinds(), problems, err);
}

static void list_names(Buf *names)
{
        for (const char *const *dir = search_path(); *dir; dir++) {
                DIR *d = opendir(*dir);
                for (struct dirent *e; d && (e = readdir(d));)
                        if (str_ends(e->d_name, ".yaml"))
                                buf_printf(names, "%s%.*s", names->len ? ", " : "",
                                           (int)strlen(e->d_name) - 5, e->d_name);
                if (d)
                        closedir(d);
                if (names->len)
                        return;
        }
}

bool journeys_find(const char *name, char **ret_path, Err *err)
{
        if (strchr(name, '/') || str_ends(name, ".yaml")) {
                char *real = realpath(name, NULL);
                if (!real)
                        return err_set(err, ERR_USER, "there is no file %s", name);
                *ret_path = real;
                return true;
        }
        for (const char *const *dir = search_path(); *dir; dir++) {
                char *path = xasprintf("%s/%s.yaml", *dir, name);
                if (access(path, R_OK) == 0) {
                        *ret_path = path;
                        return true;
                }
                free(path);
        }
        AUTO_BUF names = buf_init(4096);
        list_names(&names);
        err_set(err, ERR_USER, "there is no runbook `%s`", name);
        return err_hint(err, "shipped ones: %s; or give a path", buf_str(&names));
}

bool journey_open(const char *path, const json_t *answers, Journey *ret, Problems *problems,
                  Err *err)
{
        *ret = (Journey){ 0 };
        ret->runbook = journeys_load(path, problems, err);
        if (!ret->runbook)
                return false;
        if (!runbook_vars(ret->runbook, answers, &ret->vars, problems))
                return false;
        AUTO_JSON run = json_object();
        jx_set_str(run, "id", "\xe2\x80\xb9run\xe2\x80\xba");
        Scope scope = { .vars = ret->vars, .run = run, .planning = true };
        ret->plan = plan_new(ret->runbook, ret->vars, &scope, err);
        return ret->plan != NULL;
}

void journey_done(Journey *j)
{
        j->plan = plan_free(j->plan);
        json_decref(j->vars);
        j->vars = NULL;
        j->runbook = runbook_free(j->runbook);
}

void problems_print(const Problems *p)
{
        for (size_t i = 0; i < p->n; i++) {
                const Problem *q = &p->list[i];
                fprintf(stderr, "%s:%d:%d: %s %s: %s\n", q->loc.file ? q->loc.file : "answers",
                        q->loc.line, q->loc.col, q->warning ? "warning" : "error", q->rule,
                        q->text);
                if (q->hint)
                        fprintf(stderr, "        %s\n", q->hint);
        }
}
