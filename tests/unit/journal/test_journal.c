/* What is written is read back; what a crash leaves is judged right; what is damaged is refused. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/redact.h"
#include "base/secret.h"
#include <unistd.h>

#include "journal/run_view.h"
#include "scratch.h"

static int count(const char *dir, JournalState *state)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *words = NULL;
        int64_t n = 0;
        cr_assert(journal_verify(dir, state, &n, &words, &err), "%s", err.message);
        return (int)n;
}

Test(journal, reads_back_what_was_appended)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_RUN_OPEN, NULL, "{\"run\":\"p1\",\"title\":\"Gr\u00f6\u00dfe\"}");
        must_append(j, EV_STEP_INTENT, "copy", "{\"attempt\":1}");
        AUTO_ERR err = { 0 };
        JournalReader *r = journal_reader_open(dir, &err);
        Event ev;
        cr_assert(journal_next(r, &ev, &err));
        cr_assert_eq(ev.type, EV_RUN_OPEN);
        cr_assert_eq(ev.seq, 1);
        cr_assert_str_eq(jx_str(ev.fields, "title", ""), "Gr\u00f6\u00dfe");
        cr_assert(journal_next(r, &ev, &err));
        cr_assert_str_eq(ev.step, "copy");
        cr_assert(journal_next(r, &ev, &err));
        cr_assert_eq(ev.type, EV_NONE);
        must_append(j, EV_STEP_DONE, "copy", "{\"note\":\"61 tables\"}");
        cr_assert(journal_next(r, &ev, &err), "a reader sees what comes later");
        cr_assert_eq(ev.type, EV_STEP_DONE);
        journal_reader_close(r);
        journal_close(j);
}

Test(journal, is_ascii_one_line_per_event_and_ends_with_its_hash)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"a\\nb \\u001b[2J \u00e9 \\u202e\"}");
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        for (size_t i = 0; i + 1 < n; i++)
                cr_assert(bytes[i] >= 0x20 && bytes[i] < 0x7f, "byte %zu is %02x", i, bytes[i]);
        cr_assert_eq(bytes[n - 1], '\n');
        cr_assert(str_starts(bytes,
                             "{\"seq\":1,\"prev\":\"00000000000000000000000000000000\",\"t\":\""));
        cr_assert_not_null(strstr(bytes, "a\\nb \\\\x1b[2J"), "%s", bytes);
        struct stat st;
        AUTO_FREE char *path = io_join(dir, "journal.jsonl");
        cr_assert_eq(stat(path, &st), 0);
        cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(journal, goes_on_after_reopening)
{
        AUTO_DIR dir = scratch_dir();
        for (int i = 0; i < 3; i++) {
                Journal *j = must_open(dir);
                cr_assert_eq(journal_seq(j), i);
                must_append(j, EV_NOTE, NULL, "{\"text\":\"x\"}");
                journal_close(j);
        }
        JournalState s;
        cr_assert_eq(count(dir, &s), 3);
        cr_assert_eq(s, JOURNAL_OK);
}

Test(journal, has_one_writer)
{
        AUTO_DIR dir = scratch_dir();
        AUTO_ERR err = { 0 };
        Journal *j = must_open(dir);
        cr_assert_null(journal_open(dir, &err));
        cr_assert_not_null(strstr(err.message, "another process"), "%s", err.message);
        journal_close(j);
}

Test(journal, drops_a_torn_last_line_and_keeps_a_copy)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"kept\"}");
        must_append(j, EV_NOTE, NULL, "{\"text\":\"torn\"}");
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        spit(dir, "journal.jsonl", bytes, n - 20);
        JournalState s;
        cr_assert_eq(count(dir, &s), 1);
        cr_assert_eq(s, JOURNAL_TORN);
        AUTO_ERR err = { 0 };
        JournalReader *r = journal_reader_open(dir, &err);
        Event ev;
        cr_assert(journal_next(r, &ev, &err) && ev.seq == 1);
        cr_assert(journal_next(r, &ev, &err) && ev.type == EV_NONE);
        j = must_open(dir);
        cr_assert(journal_next(r, &ev, &err), "%s", err.message);
        cr_assert_eq(ev.type, EV_JOURNAL_RECOVERED, "a reader follows over the cut");
        AUTO_FREE char *tail = slurp(dir, jx_str(ev.fields, "file", "?"), &n);
        cr_assert_eq(jx_int(ev.fields, "bytes", 0), (int64_t)n);
        cr_assert(str_starts(tail, "{\"seq\":2,"));
        journal_reader_close(r);
        journal_close(j);
        cr_assert_eq(count(dir, &s), 2);
        cr_assert_eq(s, JOURNAL_OK);
}

Test(journal, accepts_a_whole_record_without_its_newline)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"a\"}");
        must_append(j, EV_NOTE, NULL, "{\"text\":\"b\"}");
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        spit(dir, "journal.jsonl", bytes, n - 1);
        j = must_open(dir);
        cr_assert_eq(journal_seq(j), 2);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"c\"}");
        journal_close(j);
        JournalState s;
        cr_assert_eq(count(dir, &s), 3);
        cr_assert_eq(s, JOURNAL_OK);
}

Test(journal, refuses_a_bad_line_in_the_middle_and_changes_nothing)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        for (int i = 0; i < 3; i++)
                must_append(j, EV_NOTE, NULL, "{\"text\":\"honest\"}");
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        char *word = strstr(strchr(bytes, '\n'), "honest");
        memcpy(word, "Honest", 6);
        spit(dir, "journal.jsonl", bytes, n);
        AUTO_ERR err = { 0 };
        cr_assert_null(journal_open(dir, &err));
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert_not_null(strstr(err.message, "line 2"), "%s", err.message);
        size_t m;
        AUTO_FREE char *after = slurp(dir, "journal.jsonl", &m);
        cr_assert(n == m && memcmp(bytes, after, n) == 0);
}

Test(journal, notices_that_its_end_was_removed)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"a\"}");
        must_append(j, EV_GATE_OPEN, NULL, "{\"gate\":1,\"kind\":\"yes\"}");
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        spit(dir, "journal.jsonl", bytes, (size_t)(strchr(bytes, '\n') - bytes) + 1);
        AUTO_ERR err = { 0 };
        cr_assert_null(journal_open(dir, &err));
        cr_assert_not_null(strstr(err.message, "head"), "%s", err.message);
}

Test(journal, notices_that_its_head_was_removed)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_RUN_OPEN, NULL, "{\"run\":\"p1\"}");
        must_append(j, EV_NOTE, NULL, "{\"text\":\"a\"}");
        journal_close(j);
        AUTO_FREE char *head = xasprintf("%s/head", dir);
        cr_assert_eq(unlink(head), 0);
        JournalState s;
        (void)count(dir, &s);
        cr_assert_eq(s, JOURNAL_CORRUPT);
        AUTO_ERR err = { 0 };
        cr_assert_null(journal_open(dir, &err));
        cr_assert_not_null(strstr(err.message, "\"head\" beside journal.jsonl is gone"), "%s",
                           err.message);
        AUTO_VIEW v = NULL;
        cr_assert(run_view_load(dir, &v, &err));
        cr_assert_not_null(v->damage, "who looks at it is told");
}

/* A power cut between the first record and its head: nothing is lost. */
Test(journal, does_not_miss_a_head_that_was_never_written)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_RUN_OPEN, NULL, "{\"run\":\"p1\"}");
        journal_close(j);
        AUTO_FREE char *head = xasprintf("%s/head", dir);
        cr_assert_eq(unlink(head), 0);
        journal_close(must_open(dir));
}

Test(journal, whoever_looks_at_a_cut_one_is_told)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_RUN_OPEN, NULL, "{\"run\":\"p1\"}");
        must_append(j, EV_GATE_OPEN, NULL, "{\"gate\":1,\"kind\":\"yes\"}");
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        spit(dir, "journal.jsonl", bytes, (size_t)(strchr(bytes, '\n') - bytes) + 1);
        AUTO_ERR err = { 0 };
        AUTO_VIEW v = NULL;
        cr_assert(run_view_load(dir, &v, &err));
        cr_assert_not_null(v->damage);
}

Test(journal, cuts_what_people_read_and_never_what_machines_read_back)
{
        AUTO_DIR dir = scratch_dir();
        AUTO_ERR err = { 0 };
        Journal *j = must_open(dir);
        AUTO_FREE char *big = xcalloc(1, 20001);
        memset(big, 'x', 20000);
        memcpy(big + 300, "\xc3\xa4\xc3\xa4\xc3\xa4", 6);
        json_t *f = json_object();
        jx_set_str(f, "message", big);
        jx_set_str(f, "sqlstate", "53100");
        Event ev;
        cr_assert(journal_append(j, EV_ERROR, "copy", f, &ev, &err), "%s", err.message);
        cr_assert(str_ends(jx_str(ev.fields, "message", ""), "\xe2\x80\xa6 (cut)"));
        cr_assert_str_eq(jx_str(ev.fields, "sqlstate", ""), "53100");

        f = json_object();
        json_t *data = json_object();
        jx_set_str(data, "one", big);
        jx_set(f, "data", data);
        cr_assert_not(journal_append(j, EV_STEP_REMEMBER, "copy", f, NULL, &err));
        cr_assert_eq(err.kind, ERR_USER, "%s", err.message);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"the journal lives on\"}");

        f = json_object();
        jx_set_str(f, "name", "src.inventory");
        jx_set_str(f, "value", big);
        cr_assert(journal_append(j, EV_FACT, NULL, f, &ev, &err), "%s", err.message);
        size_t n;
        AUTO_FREE char *spilled = slurp(dir, jx_str(ev.fields, "ref", "?"), &n);
        cr_assert(spilled && n > 20000 && !jx_get(ev.fields, "value"));
        journal_close(j);
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        for (char *s = bytes, *end; (end = strchr(s, '\n')); s = end + 1)
                cr_assert(end - s < 4096);
}

Test(journal, splits_what_is_remembered_over_several_records)
{
        AUTO_DIR dir = scratch_dir();
        AUTO_ERR err = { 0 };
        Journal *j = must_open(dir);
        json_t *data = json_object(), *f = json_object();
        for (int i = 0; i < 200; i++) {
                AUTO_FREE char *key = xasprintf("role_%03d", i);
                jx_set_str(data, key, "a value of some forty characters, or more");
        }
        jx_set(f, "data", data);
        Event ev;
        cr_assert(journal_append(j, EV_STEP_REMEMBER, "roles", f, &ev, &err), "%s", err.message);
        cr_assert_gt(journal_seq(j), 2);
        cr_assert_eq(json_object_size(jx_get(ev.fields, "data")), 200);
        journal_close(j);
        JournalReader *r = journal_reader_open(dir, &err);
        size_t seen = 0;
        while (journal_next(r, &ev, &err) && ev.type != EV_NONE)
                seen += json_object_size(jx_get(ev.fields, "data"));
        journal_reader_close(r);
        cr_assert_eq(seen, 200);
}

Test(journal, hides_secrets_in_texts_but_leaves_names_that_undo_needs)
{
        AUTO_DIR dir = scratch_dir();
        char weak[] = "media", strong[] = "c4nary-Pa$$w0rd-of-test";
        Secret *a = secret_take("weak", weak, strlen(weak));
        Secret *b = secret_take("strong", strong, strlen(strong));
        Journal *j = must_open(dir);
        must_append(j, EV_ERROR, "x",
                    "{\"message\":\"login as media with c4nary-Pa$$w0rd-of-test\"}");
        must_append(j, EV_STEP_REMEMBER, "x",
                    "{\"data\":{\"db\":\"media\",\"leak\":\"c4nary-Pa$$w0rd-of-test\"}}");
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        cr_assert_null(strstr(bytes, "c4nary"));
        cr_assert_not_null(strstr(bytes, "login as (hidden) with (hidden)"));
        cr_assert_not_null(strstr(bytes, "\"db\":\"media\",\"leak\":\"(hidden)\""));
        secret_free(a);
        secret_free(b);
}

Test(journal, keeps_its_own_keys_and_integers_that_jq_would_round)
{
        AUTO_DIR dir = scratch_dir();
        Journal *j = must_open(dir);
        must_append(j, EV_NOTE, NULL, "{\"seq\":7,\"text\":\"a\",\"big\":9007199254740993}");
        journal_close(j);
        size_t n;
        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
        cr_assert_not_null(strstr(bytes, "\"seq_\":7"));
        cr_assert_not_null(strstr(bytes, "\"big\":\"9007199254740993\""));
        JournalState s;
        cr_assert_eq(count(dir, &s), 1);
}

static int die_at(const char *dir, const char *spec)
{
        pid_t pid = fork();
        if (pid == 0) {
                setenv("PGSHERPA_FAIL", spec, 1);
                Journal *j = must_open(dir);
                for (int i = 0; i < 5; i++)
                        must_append(j, EV_NOTE, NULL, "{\"text\":\"x\"}");
                _exit(0);
        }
        int status;
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

Test(journal, can_be_told_where_to_die)
{
        const struct {
                const char *spec;
                int left;
        } cases[] = { { "3:before-write:kill", 2 },
                      { "3:after-write:kill", 3 },
                      { "3:after-fsync:kill", 3 },
                      { "9:after-fsync:kill", 5 } };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_DIR dir = scratch_dir();
                cr_assert_eq(die_at(dir, cases[i].spec), cases[i].left == 5 ? 0 : SIGKILL);
                JournalState s;
                cr_assert_eq(count(dir, &s), cases[i].left, "%s", cases[i].spec);
                cr_assert_eq(s, JOURNAL_OK);
        }
}

Test(journal, says_its_last_words_on_a_full_disk_and_goes_on_when_there_is_room)
{
        AUTO_DIR dir = scratch_dir();
        AUTO_ERR err = { 0 };
        AUTO_FREE char *ballast = io_join(dir, "ballast");
        Journal *j = must_open(dir);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"a\"}");
        cr_assert(io_exists(ballast));
        setenv("PGSHERPA_FAIL", "2:before-write:enospc", 1);
        cr_assert_not(journal_append(j, EV_NOTE, NULL, NULL, NULL, &err));
        cr_assert_eq(err.sys_errno, ENOSPC);
        cr_assert_not_null(err.hint);
        cr_assert_not(journal_append(j, EV_NOTE, NULL, NULL, NULL, &err), "dead is dead");
        cr_assert_not(io_exists(ballast));
        journal_close(j);
        unsetenv("PGSHERPA_FAIL");
        JournalState s;
        cr_assert_eq(count(dir, &s), 2, "io.error is in it");
        j = must_open(dir);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"room again\"}");
        journal_close(j);
}

Test(journal, never_trusts_a_disk_that_failed_to_sync)
{
        AUTO_DIR dir = scratch_dir();
        AUTO_ERR err = { 0 };
        Journal *j = must_open(dir);
        must_append(j, EV_NOTE, NULL, "{\"text\":\"a\"}");
        setenv("PGSHERPA_FAIL", "2:after-write:eio", 1);
        cr_assert_not(journal_append(j, EV_NOTE, NULL, NULL, NULL, &err));
        unsetenv("PGSHERPA_FAIL");
        cr_assert_eq(err.sys_errno, EIO);
        cr_assert_not(journal_append(j, EV_NOTE, NULL, NULL, NULL, &err));
        journal_close(j);
        cr_assert_null(journal_open(dir, &err));
        cr_assert_not_null(strstr(err.hint, "io-error.json"), "%s", err.hint);
}
