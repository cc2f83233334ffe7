/* runs_list.c: the runs there are, for the home screen and `pgsherpa runs`. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/io.h"
#include "journal/reader.h"
#include "journal/run_dir.h"
#include "journal/run_view.h"

static const char *status_of(const RunView *v, bool alive)
{
        if (v->status)
                return v->status;
        if (!v->t_open)
                return alive ? "running" : "empty";
        if (!alive)
                return "stopped";
        return v->gate.open ? "waiting" : v->paused ? "paused" : "running";
}

/* Progress is left out: it tells nothing here and may be most of a journal. */
static RunView *fold_quickly(const char *dir, bool *ret_damaged, Err *err)
{
        RunView *v = run_view_new();
        JournalReader *r = journal_reader_open(dir, err);
        Event ev;
        bool ok = r != NULL;
        if (r)
                journal_reader_skip_progress(r);
        while (ok && (ok = journal_next(r, &ev, err)) && ev.type != EV_NONE)
                run_view_apply(v, &ev);
        if (ok)
                run_view_hold_against_head(v, dir);
        *ret_damaged = !ok || v->damage;
        journal_reader_close(r);
        return v;
}

static RunSummary summary_of(Arena *a, const char *dir, const char *id)
{
        AUTO_ERR err = { 0 };
        RunSummary s = { .dir = arena_strdup(a, dir), .id = arena_strdup(a, id) };
        s.engine_alive = run_lock_held(dir);
        AUTO_VIEW v = fold_quickly(dir, &s.damaged, &err);
        s.title = arena_strdup(a, v->title ? v->title : "");
        s.runbook = arena_strdup(a, v->runbook ? v->runbook : "");
        s.status = arena_strdup(a, status_of(v, s.engine_alive));
        s.t_open = v->t_open;
        s.t_close = v->t_close;
        s.elapsed_ms = run_view_elapsed_ms(v, s.engine_alive ? clock_boot_ms() : 0);
        return s;
}

static int newest_first(const void *a, const void *b)
{
        const RunSummary *x = a, *y = b;
        long n = strtol(x->id + 1, NULL, 10), m = strtol(y->id + 1, NULL, 10);
        return (n < m) - (n > m);
}

bool runs_list(Arena *a, RunSummary **ret, size_t *ret_n, Err *err)
{
        AUTO_FREE char *root = run_dir_root();
        *ret = NULL;
        *ret_n = 0;
        DIR *d = opendir(root);
        if (!d && errno == ENOENT)
                return true;
        if (!d)
                return err_set_errno(err, errno, "reading %s", root);
        AUTO_FREE RunSummary *list = NULL;
        size_t n = 0;
        for (struct dirent *e; (e = readdir(d));) {
                if (e->d_name[0] != 'p' || !isdigit((unsigned char)e->d_name[1]))
                        continue;
                AUTO_FREE char *dir = io_join(root, e->d_name);
                list = xrealloc(list, (n + 1) * sizeof *list);
                list[n++] = summary_of(a, dir, e->d_name);
        }
        closedir(d);
        if (n == 0)
                return true;
        qsort(list, n, sizeof *list, newest_first);
        *ret = arena_new_array(a, RunSummary, n);
        memcpy(*ret, list, n * sizeof *list);
        *ret_n = n;
        return true;
}
