/* The view is a pure fold: whole, in halves, or again, it is the same. */
#include "golden_runs.h"
#include "journal/export.h"
#include "journal/run_view.h"
#include "scratch.h"

typedef struct Events {
        Event *at;
        json_t **lines;
        size_t n;
} Events;

static Events read_golden(const char *name)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = golden_path(name, ".jsonl");
        JournalReader *r = journal_reader_open(path, &err);
        cr_assert_not_null(r, "%s", err.message);
        Events e = { 0 };
        Event ev;
        bool ok;
        while ((ok = journal_next(r, &ev, &err)) && ev.type != EV_NONE) {
                e.at = xrealloc(e.at, (e.n + 1) * sizeof *e.at);
                json_incref(ev.fields);
                e.at[e.n++] = ev;
        }
        cr_assert(ok, "%s: %s", name, err.message);
        cr_assert_gt(e.n, 20);
        journal_reader_close(r);
        return e;
}

static void events_done(Events *e)
{
        for (size_t i = 0; i < e->n; i++)
                json_decref(e->at[i].fields);
        free(e->at);
}

static char *dump(const RunView *v)
{
        AUTO_JSON j = run_view_dump(v);
        return jx_dump_sorted(j);
}

/* Two halves: the events of the second are read anew and given to the same view later, with
 * other views folded in between, so that nothing may hide in static variables. */
Test(run_view, folding_at_once_equals_folding_in_halves, .timeout = 60)
{
        for (const GoldenRun *g = golden_runs; g->name; g++) {
                Events e = read_golden(g->name);
                AUTO_VIEW whole = run_view_new();
                for (size_t n = 0; n <= e.n; n++) {
                        AUTO_VIEW a = run_view_new();
                        AUTO_VIEW other = run_view_new();
                        for (size_t i = 0; i < n / 2; i++)
                                run_view_apply(a, &e.at[i]);
                        for (size_t i = e.n - n / 2; i < e.n; i++)
                                run_view_apply(other, &e.at[i]);
                        Events again = read_golden(g->name);
                        for (size_t i = n / 2; i < n; i++)
                                run_view_apply(a, &again.at[i]);
                        events_done(&again);
                        AUTO_FREE char *x = dump(whole);
                        AUTO_FREE char *y = dump(a);
                        cr_assert_str_eq(x, y, "%s at %zu", g->name, n);
                        if (n < e.n)
                                run_view_apply(whole, &e.at[n]);
                }
                events_done(&e);
        }
}

static RunView *load(const char *name)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = golden_path(name, ".jsonl");
        RunView *v = NULL;
        cr_assert(run_view_load(path, &v, &err), "%s", err.message);
        cr_assert_null(v->damage);
        return v;
}

Test(run_view, tells_a_success)
{
        AUTO_VIEW v = load("success");
        cr_assert_str_eq(v->status, "done");
        cr_assert_eq(v->n_phases, 4);
        cr_assert_eq(v->n_steps, 11);
        cr_assert_eq(v->current, -1);
        cr_assert_eq(v->viewers, 0);
        int done, total;
        run_view_count(v, NULL, &done, &total);
        cr_assert_eq(done, 11);
        run_view_count(v, "prepare", &done, &total);
        cr_assert_eq(total, 4);
        const ViewStep *st = run_view_step(v, "restore");
        cr_assert_eq(st->status, ST_TOLERATED);
        cr_assert_eq(st->tolerated, 3);
        cr_assert_str_eq(st->note, "1,482,031 rows, 88 indexes");
        cr_assert_eq(st->progress.n_history, 8);
        cr_assert_str_eq(jx_str(run_view_step(v, "backup")->remembered, "path", ""),
                         "/srv/backup/p42");
        cr_assert_eq(jx_int(jx_get(v->facts, "src"), "size", 0), 421527552);
        cr_assert_str_eq(jx_str(jx_get(jx_get(v->facts, "src"), "inventory"), "$ref", ""),
                         "output/inventory.json");
        cr_assert_str_eq(v->decisions[0].answer, "now");
        cr_assert_eq(v->n_ticks, 2);
        cr_assert_eq(v->n_artifacts, 1);
        cr_assert(v->obligations[0].t_met);
        cr_assert_eq(run_view_downtime_ms(v, 0), v->downtime_end - v->downtime_begin);
        for (size_t i = 0; i < v->n_phases; i++)
                cr_assert_eq(v->phases[i].state, PH_DONE, "%s", v->phases[i].id);
        cr_assert_not(v->gate.open);
}

Test(run_view, tells_a_failure_that_was_undone)
{
        AUTO_VIEW v = load("failed");
        cr_assert_str_eq(v->status, "undone");
        cr_assert_eq(run_view_step(v, "restore")->status, ST_UNDONE);
        cr_assert_eq(run_view_step(v, "restore")->attempt, 2);
        cr_assert_str_eq(run_view_step(v, "edit")->undo_words, "docker-compose.yml as it was");
        cr_assert_eq(v->phases[1].state, PH_UNDONE);
        cr_assert_eq(v->phases[0].state, PH_DONE);
        cr_assert_eq(v->errors, 2);
}

Test(run_view, tells_who_is_asked_while_it_waits)
{
        Events e = read_golden("failed");
        AUTO_VIEW v = run_view_new();
        bool asked = false, failed = false;
        for (size_t i = 0; i < e.n; i++) {
                run_view_apply(v, &e.at[i]);
                if (!v->gate.open)
                        continue;
                if (str_eq(v->gate.kind, "yes")) {
                        asked = true;
                        cr_assert_eq(v->phases[1].state, PH_ASKING);
                        cr_assert_eq(run_view_step(v, "stop")->status, ST_GATED);
                        cr_assert_eq(v->gate.n_choices, 3);
                        cr_assert_eq(v->gate.opened_seq, e.at[i].seq);
                }
                if (str_eq(v->gate.kind, "error")) {
                        failed = true;
                        cr_assert_eq(v->phases[1].state, PH_FAILED);
                        cr_assert_eq(run_view_step(v, "restore")->error.log_line, 2118);
                }
        }
        cr_assert(asked && failed);
        events_done(&e);
}

Test(run_view, tells_a_run_that_was_killed_and_resumed)
{
        AUTO_VIEW v = load("killed");
        cr_assert_str_eq(v->status, "done");
        cr_assert_eq(run_view_step(v, "restore")->attempt, 2);
        cr_assert_str_eq(v->last_detach_cause, "hup");
        bool recovered = false;
        for (size_t i = 0; i < v->n_lines; i++)
                recovered |= strstr(v->lines[i].text, "incomplete") != NULL;
        cr_assert(recovered);
}

Test(run_view, puts_late_items_of_a_loop_behind_their_step)
{
        AUTO_VIEW v = load("loop");
        static const char *const ids[] = { "copy", "copy.gitea", "copy.media", "copy.paper|less",
                                           "analyze" };
        cr_assert_eq(v->n_steps, LEN(ids));
        for (size_t i = 0; i < LEN(ids); i++)
                cr_assert_str_eq(v->steps[i].id, ids[i]);
        cr_assert_eq(v->steps[2].n, 1);
        cr_assert_str_eq(v->steps[2].title, "Copy every database: media");
        cr_assert_eq(jx_int(v->steps[1].remembered, "n", 0), 2, "a later value wins");
        cr_assert_str_eq(jx_str(v->steps[1].remembered, "temp", ""), "x");
        cr_assert_eq(v->steps[3].status, ST_FAILED);
        cr_assert_eq(v->phases[0].state, PH_FAILED);
}

static void apply(RunView *v, EventType type, const char *step, int64_t seq, int64_t t, int64_t bt,
                  const char *json)
{
        AUTO_JSON fields = fields_of(json);
        Event ev = {
                .seq = seq, .t_ms = t, .bt_ms = bt, .type = type, .step = step, .fields = fields
        };
        run_view_apply(v, &ev);
}

Test(run_view, is_open_again_when_a_closed_run_is_rolled_back)
{
        AUTO_VIEW v = run_view_new();
        apply(v, EV_RUN_OPEN, NULL, 1, 1000, 100, "{\"boot_id\":\"a\"}");
        apply(v, EV_RUN_CLOSE, NULL, 2, 2000, 1100, "{\"status\":\"done\",\"reason\":\"x\"}");
        cr_assert_str_eq(v->status, "done");
        apply(v, EV_RUN_RESUME, NULL, 3, 9000, 8100, "{\"boot_id\":\"a\",\"after_crash\":false}");
        cr_assert_null(v->status);
        cr_assert_null(v->close_reason);
        cr_assert_eq(v->t_close, 0);
        apply(v, EV_RUN_CLOSE, NULL, 4, 10000, 9100, "{\"status\":\"undone\"}");
        cr_assert_str_eq(v->status, "undone");
        cr_assert_eq(v->t_close, 10000);
}

Test(run_view, counts_time_over_a_reboot_by_the_wall_clock)
{
        AUTO_VIEW v = run_view_new();
        apply(v, EV_RUN_OPEN, NULL, 1, 1000000, 50000, "{\"boot_id\":\"a\"}");
        apply(v, EV_DOWNTIME_BEGIN, NULL, 2, 1010000, 60000, "{}");
        apply(v, EV_NOTE, NULL, 3, 1020000, 70000, "{}");
        cr_assert_eq(run_view_elapsed_ms(v, 75000), 25000);
        cr_assert_eq(run_view_downtime_ms(v, 75000), 15000);
        cr_assert_eq(run_view_elapsed_ms(v, 0), 20000);
        /* rebooted: 60 s later by the wall clock, the boot clock says 90 s */
        apply(v, EV_RUN_RESUME, NULL, 4, 1080000, 90000,
              "{\"after_crash\":true,\"boot_id\":\"b\"}");
        cr_assert_eq(run_view_elapsed_ms(v, 0), 80000);
        cr_assert_eq(run_view_downtime_ms(v, 0), 70000);
        apply(v, EV_DOWNTIME_END, NULL, 5, 1090000, 100000, "{}");
        cr_assert_eq(run_view_downtime_ms(v, 999999999), 80000);
        apply(v, EV_DOWNTIME_BEGIN, NULL, 6, 1100000, 110000, "{}");
        apply(v, EV_DOWNTIME_END, NULL, 7, 1101000, 111000, "{}");
        cr_assert_eq(run_view_downtime_ms(v, 0), 81000, "a second window adds up");
        apply(v, EV_RUN_CLOSE, NULL, 8, 1102000, 112000, "{\"status\":\"done\"}");
        cr_assert_eq(run_view_elapsed_ms(v, 999999999), 102000);
}

Test(run_view, closes_a_question_that_nobody_asks_any_more)
{
        AUTO_VIEW v = run_view_new();
        apply(v, EV_RUN_OPEN, NULL, 1, 1, 1, "{\"boot_id\":\"a\"}");
        apply(v, EV_PLAN_STEP, NULL, 2, 1, 1, "{\"id\":\"s\",\"n\":1,\"phase\":\"p\"}");
        apply(v, EV_GATE_OPEN, "s", 3, 1, 1, "{\"gate\":1,\"kind\":\"yes\"}");
        cr_assert_eq(v->steps[0].status, ST_GATED);
        apply(v, EV_RUN_RESUME, NULL, 4, 2, 2, "{\"after_crash\":true}");
        cr_assert_not(v->gate.open);
        cr_assert_eq(v->steps[0].status, ST_PENDING);
}

Test(run_view, keeps_the_last_lines_only)
{
        AUTO_VIEW v = run_view_new();
        for (int i = 1; i <= 50001; i++) {
                AUTO_FREE char *json = xasprintf("{\"text\":\"line %d\"}", i);
                apply(v, EV_NOTE, NULL, i, i, i, json);
        }
        cr_assert_eq(v->n_lines, 20000);
        cr_assert_eq(v->lines_dropped, 30001);
        cr_assert_str_eq(v->lines[0].text, "line 30002");
        cr_assert_str_eq(v->lines[19999].text, "line 50001");
}

static long resident_kb(void)
{
        long pages = 0;
        FILE *f = fopen("/proc/self/statm", "r");
        cr_assert(f && fscanf(f, "%*d %ld", &pages) == 1);
        fclose(f);
        return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN true
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN false
#endif
static const bool under_asan = UNDER_ASAN;

Test(run_view, does_not_grow_with_a_week_of_progress)
{
        AUTO_VIEW v = run_view_new();
        apply(v, EV_PLAN_STEP, NULL, 1, 1, 1, "{\"id\":\"s\",\"n\":1,\"phase\":\"p\"}");
        apply(v, EV_STEP_INTENT, "s", 2, 1, 1, "{}");
        long before = 0;
        for (int i = 0; i < 100000; i++) {
                AUTO_FREE char *json = xasprintf(
                        "{\"label\":\"copied %d rows of something\",\"done\":%d,\"rate\":%d,"
                        "\"rows\":[{\"name\":\"public.table_%d\"},{\"name\":\"public.other_%d\"}]}",
                        i, i, i, i, i / 7);
                apply(v, EV_PROGRESS, "s", 3 + i, i, i, json);
                if (i == 2000)
                        before = resident_kb();
        }
        if (!under_asan) /* which keeps freed blocks for a while, on purpose */
                cr_assert_lt(resident_kb() - before, 2048);
        cr_assert_eq(v->steps[0].progress.n_history, 64);
        cr_assert_float_eq(v->steps[0].progress.history[63], 99999.0, 0.1);
        cr_assert_str_eq(v->steps[0].progress.rows[0].name, "public.table_99999");
}

Test(run_view, shows_the_good_part_of_a_damaged_journal)
{
        AUTO_DIR dir = scratch_dir();
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = golden_path("success", ".jsonl");
        AUTO_FREE char *bytes = NULL;
        size_t n;
        cr_assert(io_read_file(path, 1 << 20, &bytes, &n, &err));
        bytes[n / 2] ^= 1;
        spit(dir, "journal.jsonl", bytes, n);
        RunView *v = NULL;
        cr_assert(run_view_load(dir, &v, &err), "%s", err.message);
        cr_assert_not_null(v->damage);
        cr_assert_str_eq(v->run, "p42");
        cr_assert_null(v->status);
        run_view_free(v);
}

/* ---- as the engine writes it ---- */

static RunView *with_step(void)
{
        RunView *v = run_view_new();
        apply(v, EV_RUN_OPEN, NULL, 1, 1, 1, "{\"boot_id\":\"a\",\"pid\":7,\"version\":1}");
        apply(v, EV_PLAN_PHASE, NULL, 2, 1, 1, "{\"id\":\"p\"}");
        apply(v, EV_PLAN_STEP, NULL, 3, 1, 1, "{\"id\":\"s\",\"n\":1,\"phase\":\"p\"}");
        return v;
}

Test(run_view, takes_a_plan_that_was_written_twice_once)
{
        AUTO_VIEW v = with_step();
        apply(v, EV_RUN_RESUME, NULL, 4, 2, 2,
              "{\"after_crash\":true,\"boot_id\":\"a\",\"pid\":8}");
        apply(v, EV_PLAN_PHASE, NULL, 5, 2, 2, "{\"id\":\"p\"}");
        apply(v, EV_PLAN_STEP, NULL, 6, 2, 2, "{\"id\":\"s\",\"n\":1,\"phase\":\"p\"}");
        apply(v, EV_PLAN_STEP, NULL, 7, 2, 2, "{\"id\":\"z\",\"n\":2,\"phase\":\"p\"}");
        cr_assert_eq(v->n_phases, 1);
        cr_assert_eq(v->n_steps, 2);
        cr_assert_str_eq(v->version, "1");
}

Test(run_view, tells_a_pause_from_a_new_engine)
{
        AUTO_VIEW v = with_step();
        apply(v, EV_RUN_ATTACH, NULL, 4, 2, 2, "{\"by\":\"anna\"}");
        apply(v, EV_RUN_PAUSE, NULL, 5, 2, 2, "{\"cause\":\"asked\"}");
        cr_assert(v->paused);
        apply(v, EV_RUN_RESUME, NULL, 6, 3, 3, "{\"boot_id\":\"a\",\"pid\":7}");
        cr_assert_not(v->paused);
        cr_assert_eq(v->viewers, 1, "the same engine: anna still looks");
        apply(v, EV_RUN_RESUME, NULL, 7, 4, 4, "{\"boot_id\":\"a\",\"pid\":9}");
        cr_assert_eq(v->viewers, 0, "another engine, also without a crash");
}

Test(run_view, opens_again_when_a_failed_run_is_rolled_back)
{
        AUTO_VIEW v = with_step();
        apply(v, EV_RUN_CLOSE, NULL, 4, 2, 2, "{\"status\":\"failed\",\"reason\":\"x\"}");
        apply(v, EV_RUN_RESUME, NULL, 5, 3, 3, "{\"boot_id\":\"a\",\"pid\":9}");
        cr_assert_null(v->status);
        cr_assert_eq(v->t_close, 0);
        apply(v, EV_RUN_CLOSE, NULL, 6, 4, 4, "{\"status\":\"undone\",\"reason\":\"\"}");
        cr_assert_str_eq(v->status, "undone");
}

Test(run_view, leaves_a_step_that_undo_went_by_as_it_was)
{
        AUTO_VIEW v = with_step();
        apply(v, EV_STEP_INTENT, "s", 4, 2, 2, "{\"attempt\":1}");
        apply(v, EV_STEP_DONE, "s", 5, 3, 3, "{\"note\":\"made\",\"tolerated\":0}");
        apply(v, EV_UNDO_INTENT, "s", 6, 4, 4, "{\"words\":\"drop it\"}");
        apply(v, EV_UNDO_DRIFT, "s", 7, 4, 4, "{\"message\":\"changed\"}");
        apply(v, EV_UNDO_INTENT, "s", 8, 5, 5, "{\"words\":\"drop it\"}");
        cr_assert_eq(v->steps[0].status, ST_UNDOING);
        apply(v, EV_UNDO_DONE, "s", 9, 6, 6, "{\"words\":\"left as it is\",\"left\":true}");
        cr_assert_eq(v->steps[0].status, ST_DONE);
        cr_assert(v->steps[0].kept);
        cr_assert_eq(v->n_deeds, 3);
        cr_assert_eq(v->deeds[1].status, ST_UNDO_FAILED);
        cr_assert_str_eq(v->deeds[1].note, "changed");
        cr_assert_eq(v->deeds[2].status, ST_SKIPPED);
}

Test(run_view, counts_errors_by_rule_and_forgives_what_is_tried_again)
{
        AUTO_VIEW v = with_step();
        apply(v, EV_STEP_INTENT, "s", 4, 2, 2, "{\"attempt\":1}");
        for (int i = 1; i <= 3; i++) {
                AUTO_FREE char *json =
                        xasprintf("{\"kind\":\"server\",\"sqlstate\":\"42501\",\"message\":\"m "
                                  "%d\",\"verdict\":\"tolerated\",\"rule\":\"\",\"count\":%d}",
                                  i, i);
                apply(v, EV_ERROR, "s", 4 + i, 3, 3, json);
        }
        cr_assert_eq(v->steps[0].tolerated, 3);
        cr_assert_eq(v->n_issues, 1);
        cr_assert_eq(v->issues[0].count, 3);
        apply(v, EV_STEP_FAILED, "s", 8, 4, 4,
              "{\"kind\":\"link\",\"sqlstate\":\"\",\"message\":\"gone\"}");
        cr_assert_eq(v->errors, 1);
        cr_assert_null(v->steps[0].error.sqlstate, "an empty SQLSTATE is none");
        apply(v, EV_ERROR, "s", 9, 4, 4,
              "{\"kind\":\"link\",\"message\":\"gone\",\"verdict\":\"retry\",\"count\":1}");
        cr_assert_eq(v->errors, 0);
        cr_assert_eq(v->n_issues, 2);
        cr_assert_eq(v->issues[1].verdict, ISSUE_RETRIED);
}

/* ---- what names may do to a log ---- */

Test(export, keeps_hostile_names_in_their_cells)
{
        AUTO_ERR err = { 0 };
        AUTO_VIEW v = run_view_new();
        apply(v, EV_RUN_OPEN, NULL, 1, 1000, 1, "{\"run\":\"p1\",\"title\":\"a\\nb # <script>\"}");
        apply(v, EV_PLAN_STEP, NULL, 2, 1000, 1,
              "{\"id\":\"s\",\"n\":1,\"phase\":\"p\",\"title\":\"x | y ` z [l](http://e) *b* __i__ "
              "oc_files \\u202e \\u001b[2J &amp;\"}");
        apply(v, EV_STEP_INTENT, "s", 3, 1000, 1, "{}");
        AUTO_BUF md = buf_init(100000);
        AUTO_BUF txt = buf_init(100000);
        cr_assert(export_markdown(v, "HEAD", &md, &err));
        cr_assert(export_text(v, NULL, &txt, &err));
        cr_assert(str_starts(buf_str(&md), "# a b # &lt;script&gt;\n"), "%s", buf_str(&md));
        cr_assert_not_null(strstr(buf_str(&md), "head HEAD |"));
        cr_assert_not_null(strstr(buf_str(&md), "| 1 x \\| y \\` z \\[l\\](http://e) \\*b\\* "
                                                "\\_\\_i\\_\\_ oc_files \\\\u202e \\\\x1b\\[2J "
                                                "&amp;amp; |"),
                           "%s", buf_str(&md));
        const Buf *both[] = { &md, &txt };
        for (size_t i = 0; i < LEN(both); i++)
                for (const char *s = buf_str(both[i]); *s; s++)
                        cr_assert((unsigned char)*s >= 0x20 || *s == '\n');
        AUTO_BUF small = buf_init(10);
        cr_assert_not(export_markdown(v, NULL, &small, &err), "a cut log is no log");
}
