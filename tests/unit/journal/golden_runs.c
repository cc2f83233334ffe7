#include "golden_runs.h"

#include "config.h"
#include "scratch.h"

/* ---- a clock that moves only when told ---- */

static int64_t now_ms;

static void pass(int64_t ms)
{
        char text[24];
        now_ms += ms;
        snprintf(text, sizeof text, "%lld", (long long)now_ms);
        setenv("PGSHERPA_CLOCK", text, 1);
}

static Journal *begin(const char *dir)
{
        now_ms = 1795207260000; /* 2026-11-20 20:41:00 UTC */
        pass(0);
        return must_open(dir);
}

#define HASH_A "3f1c9a0e5b7d2246881fa0c4d9e6b713aa54cc0276e8f19b3d5a7c1e90b2f468"
#define HASH_B "b81d06e7c2f4935aa07e5cd318f96b42e0dd71a3c85b9f0626e413d7fa8c950e"

static void open_run(Journal *j, const char *run, const char *host)
{
        AUTO_FREE char *json = xasprintf(
                "{\"run\":\"%s\",\"runbook\":\"compose-upgrade\",\"title\":\"Upgrade makapix 13 to "
                "17\","
                "\"version\":\"1\",\"tool\":\"pgsherpa 0.1.0\",\"sha256\":\"" HASH_A "\","
                "\"plan_sha256\":\"" HASH_B "\",\"host\":\"%s\",\"boot_id\":\"boot-1\","
                "\"user\":\"anna\",\"uid\":1000,\"pid\":4711,\"ssh\":\"10.0.0.23 50022 10.0.0.5 "
                "22\",\"tty\":\"pts/1\",\"vars\":{\"project\":\"/srv/"
                "makapix\",\"to\":17},\"secrets\":[{\"name\":\"pg\",\"from\":\"compose_env\"}],\"n_"
                "steps\":10,\"budget_ms\":1200000}",
                run, host);
        must_append(j, EV_RUN_OPEN, NULL, json);
}

static void plan(Journal *j)
{
        static const char *const phases[] = {
                "{\"id\":\"prepare\",\"title\":\"Prepare\",\"users_see\":\"site up\"}",
                "{\"id\":\"switch\",\"title\":\"Switch\",\"users_see\":\"site down\"}",
                "{\"id\":\"finish\",\"title\":\"Finish\",\"users_see\":\"site up\"}",
                "{\"id\":\"cleanup\",\"title\":\"Clean up\",\"cleanup\":true}",
        };
        static const struct {
                const char *id, *phase, *title, *kind, *touches, *undo;
                int minutes;
        } steps[] = {
                { "inventory", "prepare", "Look at the server", "pg.inventory", "nothing",
                  "\xe2\x80\x93", 1 },
                { "space", "prepare", "Check the disk", "host.disk", "nothing", "\xe2\x80\x93", 1 },
                { "backup", "prepare", "Back up makapix", "pg.backup", "files", "yes", 6 },
                { "verify", "prepare", "Read the backup again", "backup.verify", "nothing",
                  "\xe2\x80\x93", 2 },
                { "stop", "switch", "Stop 3 services", "compose.stop", "apps", "yes", 1 },
                { "edit", "switch", "Point compose at postgres:17", "compose.edit", "files", "yes",
                  1 },
                { "restore", "switch", "Restore makapix", "pg.restore", "target", "yes", 7 },
                { "compare", "switch", "Compare old and new", "pg.compare", "nothing",
                  "\xe2\x80\x93", 2 },
                { "start", "switch", "Start 3 services", "compose.start", "apps", "yes", 1 },
                { "look", "finish", "Look at the site", "manual", "nothing", "\xe2\x80\x93", 5 },
                { "remove", "cleanup", "Remove the old volume", "volume.remove", "old", "NO", 1 },
        };
        for (size_t i = 0; i < LEN(phases); i++)
                must_append(j, EV_PLAN_PHASE, NULL, phases[i]);
        for (size_t i = 0; i < LEN(steps); i++) {
                AUTO_FREE char *json = xasprintf(
                        "{\"n\":%zu,\"id\":\"%s\",\"phase\":\"%s\",\"title\":\"%s\",\"kind\":\"%"
                        "s\",\"touches\":\"%s\",\"undo\":\"%s\",\"estimate_ms\":%d,\"cleanup\":%s}",
                        i + 1, steps[i].id, steps[i].phase, steps[i].title, steps[i].kind,
                        steps[i].touches, steps[i].undo, steps[i].minutes * 60000,
                        i == LEN(steps) - 1 ? "true" : "false");
                must_append(j, EV_PLAN_STEP, NULL, json);
        }
        pass(1500);
        must_append(j, EV_PLAN_ACCEPT, NULL, "{\"sha256\":\"" HASH_B "\",\"by\":\"anna\"}");
        must_append(
                j, EV_RUN_ATTACH, NULL,
                "{\"by\":\"anna\",\"uid\":1000,\"pid\":4712,\"tty\":\"pts/1\",\"watch\":false}");
}

static void phase(Journal *j, EventType type, const char *id)
{
        AUTO_FREE char *json = xasprintf("{\"phase\":\"%s\"}", id);
        must_append(j, type, NULL, json);
}

static void intent(Journal *j, const char *step, int attempt)
{
        AUTO_FREE char *json =
                xasprintf("{\"attempt\":%d,\"effect\":\"write\",\"timeout_ms\":0}", attempt);
        must_append(j, EV_STEP_INTENT, step, json);
}

static void done(Journal *j, const char *step, int64_t ms, const char *note)
{
        AUTO_FREE char *json =
                xasprintf("{\"note\":\"%s\",\"ms\":%lld,\"tolerated\":0}", note, (long long)ms);
        pass(ms);
        must_append(j, EV_STEP_DONE, step, json);
        pass(40);
}

static void whole_step(Journal *j, const char *step, int64_t ms, const char *note)
{
        intent(j, step, 1);
        done(j, step, ms, note);
}

static void progress(Journal *j, const char *step, int i, int n)
{
        AUTO_FREE char *json = xasprintf(
                "{\"label\":\"copying\",\"unit\":\"bytes\",\"done\":%lld,\"total\":%lld,"
                "\"rate\":%d.5,\"eta_ms\":%d,\"things_done\":%d,\"things_total\":61,"
                "\"rows\":[{\"name\":\"public.posts\",\"done\":%d,\"total\":100,\"rate\":7.25,"
                "\"eta_ms\":-1},{\"name\":\"public.part_%d\",\"done\":%d,\"total\":9,\"rate\":0,"
                "\"eta_ms\":900}]}",
                (long long)i * 104857600, (long long)n * 104857600, 41000000 + i * 1000,
                (n - i) * 1000, i, i, i / 3, i % 9);
        pass(1000);
        must_append(j, EV_PROGRESS, step, json);
}

static void gate(Journal *j, int number, const char *step, const char *kind, const char *title)
{
        AUTO_FREE char *json = xasprintf(
                "{\"gate\":%d,\"kind\":\"%s\",\"title\":\"%s\",\"lines\":[\"The site goes down for "
                "about 12 minutes.\",\"Backup: 402 MB, read "
                "again.\"],\"choices\":[{\"key\":\"y\",\"label\":\"Go on\",\"consequence\":\"users "
                "see the maintenance page\"},{\"key\":\"r\",\"label\":\"Try "
                "again\",\"consequence\":\"the step from its "
                "start\"},{\"key\":\"u\",\"label\":\"Undo\",\"consequence\":\"shows the list "
                "first\"}],\"suggested\":\"y\"}",
                number, kind, title);
        must_append(j, EV_GATE_OPEN, step, json);
}

static void answer(Journal *j, int number, const char *step, const char *key, int64_t waited)
{
        AUTO_FREE char *json =
                xasprintf("{\"gate\":%d,\"answer\":\"%s\",\"by\":\"anna\",\"waited_ms\":%lld}",
                          number, key, (long long)waited);
        pass(waited);
        must_append(j, EV_GATE_ANSWER, step, json);
}

static void prepare(Journal *j)
{
        phase(j, EV_PHASE_START, "prepare");
        intent(j, "inventory", 1);
        must_append(j, EV_FACT, "inventory", "{\"name\":\"src.size\",\"value\":421527552}");
        must_append(j, EV_FACT, "inventory", "{\"name\":\"src.version\",\"value\":\"13.14\"}");
        must_append(
                j, EV_FACT, "inventory",
                "{\"name\":\"src.inventory\",\"ref\":\"output/inventory.json\",\"sha256\":\"" HASH_A
                "\"}");
        done(j, "inventory", 900, "1 database, 214 tables, 402.0 MB");
        whole_step(j, "space", 310, "812.0 GB free, 1.2 GB needed");
        must_append(j, EV_CHECK, "space",
                    "{\"that\":\"free > 3 * size\",\"expected\":\"> 1.2 GB\",\"actual\":\"812.0 "
                    "GB\",\"verdict\":\"ok\",\"msg\":\"\"}");
        must_append(j, EV_DECISION_OPEN, NULL,
                    "{\"id\":\"window\",\"question\":\"When may the site be down?\","
                    "\"choices\":[\"now\",\"Wednesday 00:00\"],\"default\":\"now\"}");
        pass(8000);
        must_append(j, EV_DECISION_ANSWER, NULL,
                    "{\"id\":\"window\",\"answer\":\"now\",\"by\":\"anna\"}");
        intent(j, "backup", 1);
        must_append(j, EV_STEP_REMEMBER, "backup", "{\"data\":{\"path\":\"/srv/backup/p42\"}}");
        for (int i = 1; i <= 6; i++)
                progress(j, "backup", i, 6);
        must_append(
                j, EV_ARTIFACT, "backup",
                "{\"what\":\"backup\",\"path\":\"/srv/backup/p42/makapix.pgs\",\"size\":60112233,"
                "\"sha256\":\"" HASH_B "\"}");
        done(j, "backup", 41200, "402.0 MB in 57.3 MB, 1,482,031 rows");
        whole_step(j, "verify", 7100, "57.3 MB read, 214 of 214 tables");
        phase(j, EV_PHASE_END, "prepare");
}

static void go_down(Journal *j)
{
        gate(j, 1, "stop", "yes", "Stop the site now?");
        answer(j, 1, "stop", "y", 38000);
        phase(j, EV_PHASE_START, "switch");
        must_append(j, EV_DOWNTIME_BEGIN, NULL, "{\"budget_ms\":1200000}");
        intent(j, "stop", 1);
        must_append(j, EV_OBLIGE_ADD, "stop",
                    "{\"id\":\"apps\",\"text\":\"start web, worker, beat\"}");
        must_append(j, EV_PROC_SPAWN, "stop",
                    "{\"pid\":5001,\"starttime\":812345,\"argv\":[\"docker\",\"compose\",\"stop\","
                    "\"web\"]}");
        done(j, "stop", 5200, "web, worker, beat");
        intent(j, "edit", 1);
        must_append(j, EV_STEP_REMEMBER, "edit",
                    "{\"data\":{\"file\":\"/srv/makapix/docker-compose.yml\",\"sha256\":\"" HASH_A
                    "\"}}");
        done(j, "edit", 120, "1 line: image postgres:13 becomes postgres:17");
}

static void restore(Journal *j, int attempt)
{
        intent(j, "restore", attempt);
        for (int i = 1; i <= 8; i++)
                progress(j, "restore", i, 8);
}

static void come_up(Journal *j)
{
        must_append(j, EV_ERROR, "restore",
                    "{\"kind\":\"server\",\"sqlstate\":\"42501\",\"message\":\"permission denied "
                    "to grant role | `pg_read_all_data`\",\"object\":\"GRANT "
                    "monitoring\",\"verdict\":\"tolerated\",\"rule\":\"grants\",\"count\":3}");
        done(j, "restore", 372000, "1,482,031 rows, 88 indexes");
        intent(j, "compare", 1);
        must_append(j, EV_CHECK, "compare",
                    "{\"that\":\"differences == "
                    "0\",\"expected\":\"0\",\"actual\":\"0\",\"verdict\":\"ok\"}");
        must_append(j, EV_CHECK, "compare",
                    "{\"that\":\"collation version\",\"expected\":\"2.36\",\"actual\":\"2.31\","
                    "\"verdict\":\"warn\",\"msg\":\"the collation library is another one\"}");
        done(j, "compare", 41000, "214 of 214 tables equal, 61 of 61 sequences");
        whole_step(j, "start", 9300, "3 of 3 healthy");
        must_append(j, EV_OBLIGE_MET, "start", "{\"id\":\"apps\"}");
        must_append(j, EV_DOWNTIME_END, NULL, "{\"budget_ms\":1200000}");
        phase(j, EV_PHASE_END, "switch");
}

static void finish(Journal *j)
{
        phase(j, EV_PHASE_START, "finish");
        intent(j, "look", 1);
        gate(j, 7, "look", "manual", "Look at the site yourself");
        pass(20000);
        must_append(j, EV_MANUAL_TICK, "look",
                    "{\"item\":0,\"text\":\"Log in works\",\"by\":\"anna\",\"ticked\":true}");
        pass(11000);
        must_append(j, EV_MANUAL_TICK, "look",
                    "{\"item\":1,\"text\":\"An image can be "
                    "uploaded\",\"by\":\"anna\",\"ticked\":true}");
        answer(j, 7, "look", "y", 45000);
        done(j, "look", 31000, "2 of 2 ticked");
        phase(j, EV_PHASE_END, "finish");
        phase(j, EV_PHASE_START, "cleanup");
        must_append(j, EV_STEP_SKIPPED, "remove", "{\"reason\":\"kept until 27 Nov\"}");
        phase(j, EV_PHASE_END, "cleanup");
        must_append(j, EV_NOTE, NULL, "{\"text\":\"told the users\",\"by\":\"anna\"}");
        must_append(j, EV_RUN_CLOSE, NULL, "{\"status\":\"done\",\"reason\":\"\"}");
}

/* Everything goes well. */
static void write_success(const char *dir)
{
        Journal *j = begin(dir);
        open_run(j, "p42", "vault");
        plan(j);
        prepare(j);
        go_down(j);
        restore(j, 1);
        come_up(j);
        finish(j);
        journal_close(j);
}

static void undo(Journal *j, const char *step, const char *words, int64_t ms)
{
        AUTO_FREE char *json = xasprintf("{\"kind\":\"undo\",\"words\":\"%s\"}", words);
        AUTO_FREE char *end = xasprintf("{\"words\":\"%s\",\"ms\":%lld}", words, (long long)ms);
        must_append(j, EV_UNDO_INTENT, step, json);
        pass(ms);
        must_append(j, EV_UNDO_DONE, step, end);
}

/* The restore fails twice; everything is put back. */
static void write_failed(const char *dir)
{
        static const char failure[] =
                "{\"kind\":\"server\",\"sqlstate\":\"53100\",\"message\":\"restoring public.posts: "
                "could not extend file \\\"base/16412/16588\\\": No space left on "
                "device\",\"hint\":\"Check free disk "
                "space.\",\"ms\":17020,\"log_line\":2118,\"attempt\":%d}";
        Journal *j = begin(dir);
        open_run(j, "p43", "vault");
        plan(j);
        prepare(j);
        go_down(j);
        for (int attempt = 1; attempt <= 2; attempt++) {
                AUTO_FREE char *json =
                        xasprintf("%.*s%d}", (int)(strlen(failure) - 3), failure, attempt);
                restore(j, attempt);
                must_append(j, EV_STEP_FAILED, "restore", json);
                gate(j, attempt + 1, "restore", "error", "Restore makapix stopped");
                answer(j, attempt + 1, "restore", attempt == 1 ? "r" : "u", 61000);
        }
        must_append(j, EV_UNDO_START, NULL,
                    "{\"from\":\"restore\",\"to\":\"stop\",\"n_steps\":3,\"by\":\"anna\"}");
        undo(j, "restore", "drop database makapix_p43", 700);
        must_append(j, EV_UNDO_INTENT, "edit", "{\"words\":\"put docker-compose.yml back\"}");
        must_append(j, EV_UNDO_DRIFT, "edit",
                    "{\"message\":\"docker-compose.yml was changed at 20:50 by uid 0\"}");
        gate(j, 4, "edit", "undo", "docker-compose.yml was changed by somebody else");
        answer(j, 4, "edit", "y", 12000);
        must_append(j, EV_UNDO_DONE, "edit",
                    "{\"words\":\"docker-compose.yml as it was\",\"ms\":30}");
        undo(j, "stop", "start web, worker, beat", 8100);
        must_append(j, EV_OBLIGE_MET, "stop", "{\"id\":\"apps\"}");
        must_append(j, EV_DOWNTIME_END, NULL, "{}");
        must_append(j, EV_UNDO_END, NULL, "{\"ok\":true,\"message\":\"\"}");
        must_append(j, EV_RUN_CLOSE, NULL, "{\"status\":\"undone\",\"reason\":\"undone by anna\"}");
        journal_close(j);
}

/* The engine is killed in the middle of the restore, in the middle of a line; ssh is gone too. */
static void write_killed(const char *dir)
{
        Journal *j = begin(dir);
        open_run(j, "p44", "vault");
        plan(j);
        prepare(j);
        must_append(j, EV_RUN_DETACH, NULL, "{\"by\":\"anna\",\"pid\":4712,\"cause\":\"hup\"}");
        must_append(
                j, EV_RUN_ATTACH, NULL,
                "{\"by\":\"anna\",\"uid\":1000,\"pid\":4800,\"tty\":\"pts/2\",\"watch\":false}");
        go_down(j);
        restore(j, 1);
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        spit(dir, "journal.jsonl", bytes, n - 77);
        pass(95000);
        j = must_open(dir);
        must_append(j, EV_RUN_RESUME, NULL,
                    "{\"by\":\"anna\",\"after_crash\":true,\"boot_id\":\"boot-1\"}");
        must_append(
                j, EV_RUN_ATTACH, NULL,
                "{\"by\":\"anna\",\"uid\":1000,\"pid\":4900,\"tty\":\"pts/3\",\"watch\":false}");
        must_append(
                j, EV_STEP_UNKNOWN, "restore",
                "{\"message\":\"the engine was gone while it ran; the database is half there\"}");
        gate(j, 2, "restore", "unknown", "Restore makapix: how should it go on?");
        answer(j, 2, "restore", "r", 5000);
        restore(j, 2);
        come_up(j);
        finish(j);
        journal_close(j);
}

/* A loop over facts, a pause, two people, an error that ends it, and nothing is put back. */
static void write_loop(const char *dir)
{
        Journal *j = begin(dir);
        open_run(j, "p45", "nas");
        must_append(j, EV_PLAN_PHASE, NULL, "{\"id\":\"copy\",\"title\":\"Copy\"}");
        must_append(j, EV_PLAN_STEP, NULL,
                    "{\"n\":1,\"id\":\"copy\",\"phase\":\"copy\",\"title\":\"Copy every database\","
                    "\"kind\":\"pg.copy\",\"touches\":\"target\",\"undo\":\"yes\"}");
        must_append(j, EV_PLAN_STEP, NULL,
                    "{\"n\":2,\"id\":\"analyze\",\"phase\":\"copy\",\"title\":\"Analyze\","
                    "\"kind\":\"pg.analyze\",\"touches\":\"target\",\"undo\":\"\\u2013\"}");
        phase(j, EV_PHASE_START, "copy");
        must_append(j, EV_RUN_ATTACH, NULL, "{\"by\":\"bob\",\"tty\":\"pts/4\",\"watch\":true}");
        static const char *const items[] = { "copy.gitea", "copy.media", "copy.paper|less" };
        for (size_t i = 0; i < LEN(items); i++) {
                intent(j, items[i], 1);
                must_append(j, EV_STEP_REMEMBER, items[i], "{\"data\":{\"temp\":\"x\",\"n\":1}}");
                must_append(j, EV_STEP_REMEMBER, items[i], "{\"data\":{\"n\":2}}");
                if (i == 1) {
                        must_append(j, EV_RUN_PAUSE, NULL, "{\"cause\":\"asked\",\"by\":\"anna\"}");
                        must_append(j, EV_RUN_RESUME, NULL,
                                    "{\"by\":\"anna\",\"after_crash\":false}");
                        must_append(j, EV_CLOCK_JUMP, NULL, "{\"by_ms\":-3600000}");
                }
                if (i < 2)
                        done(j, items[i], 1000 * (int64_t)(i + 1), "copied");
        }
        must_append(
                j, EV_STEP_FAILED, items[2],
                "{\"kind\":\"link\",\"message\":\"connection to pi lost <b>\\u202e\",\"ms\":20}");
        must_append(j, EV_RUN_ABORT, NULL, "{\"by\":\"anna\"}");
        must_append(j, EV_RUN_CLOSE, NULL,
                    "{\"status\":\"aborted\",\"reason\":\"stopped by anna\"}");
        journal_close(j);
}

const GoldenRun golden_runs[] = {
        { "success", write_success },
        { "failed", write_failed },
        { "killed", write_killed },
        { "loop", write_loop },
        { 0 },
};

char *golden_path(const char *name, const char *suffix)
{
        return xasprintf("%s/tests/golden/journals/%s%s", PGSHERPA_SOURCEDIR, name, suffix);
}
