/* test_behaviour.c: what must never happen at a gate, and what a terminal must get back. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "tests/screens/tt.h"

static Tt *start(const char *view, const char *story, const char *mark)
{
        Tt *t = tt_start(&(TtSpec){ .rows = 24, .cols = 80, .args = { view, story, mark } });
        cr_assert(tt_wait(t, -1), "no first frame");
        return t;
}

static void nap(int ms)
{
        nanosleep(&(struct timespec){ .tv_nsec = (long)ms * 1000000 }, NULL);
}

/* ---- gates ---- */

/* Keys that were on their way when the question appeared were meant for something else. */
Test(gates, nothing_typed_before_the_question_was_seen_answers_it)
{
        Tt *t = start("run", "upgrade", "before_gate");
        cr_assert(tt_shows(t, "Safe to disconnect"));
        tt_send(t, "\r y");
        tt_next(t);
        for (int i = 0; i < 6; i++) {
                tt_send(t, "\r y");
                tt_settle(t, 20);
        }
        tt_settle(t, 200);
        AUTO_FREE char *now = tt_text(t);
        if (!strstr(now, "Stop them"))
                tt_send(t, "\033"); /* an Enter came first and opened the step's detail */
        cr_assert(tt_shows(t, "Stop them"));
        cr_assert_eq(tt_commands(t, "\"answer\""), 0, "an answer was sent that nobody gave");
        /* The same key is an answer once the question could be read: the test can fail. */
        tt_guard();
        tt_send(t, "y");
        bool went_on = tt_shows(t, "Safe to disconnect");
        AUTO_FREE char *after = tt_text(t);
        cr_assert(went_on, "%s", after);
        cr_assert_eq(tt_commands(t, "\"answer\":\"y\""), 1);
        cr_assert_eq(tt_end(t, "q"), 0);
}

Test(gates, enter_and_space_never_say_yes)
{
        Tt *t = start("run", "upgrade", "gate");
        cr_assert(tt_shows(t, "Stop them"));
        tt_guard();
        for (int i = 0; i < 5; i++)
                tt_keys(t, "\r \r x");
        tt_settle(t, 100);
        cr_assert_eq(tt_commands(t, "\"answer\""), 0);
        cr_assert(tt_shows(t, "Stop them"));
        tt_end(t, "qq");
}

Test(gates, n_and_esc_say_no)
{
        static const char *const keys[] = { "n", "\033" };
        for (size_t i = 0; i < LEN(keys); i++) {
                Tt *t = start("run", "upgrade", "gate");
                cr_assert(tt_shows(t, "Stop them"));
                tt_guard();
                tt_send(t, keys[i]);
                tt_settle(t, 250);
                cr_assert_eq(tt_commands(t, "\"answer\":\"n\""), 1);
                cr_assert_eq(tt_commands(t, "\"answer\":\"y\""), 0);
                tt_end(t, "q");
        }
}

Test(gates, an_answer_names_its_gate)
{
        Tt *t = start("run", "upgrade", "gate");
        cr_assert(tt_shows(t, "Stop them"));
        tt_guard();
        tt_send(t, "y");
        tt_settle(t, 250);
        cr_assert_eq(tt_commands(t, "\"gate\":5"), 1);
        cr_assert_eq(tt_commands(t, "\"seq\":"), 1);
        tt_end(t, "q");
}

Test(gates, a_typed_gate_wants_every_letter_and_refuses_paste)
{
        Tt *t = start("run", "upgrade", "word");
        cr_assert(tt_shows(t, "Type to confirm"));
        tt_settle(t, 100);
        tt_guard();
        tt_send(t, "\033[200~app_pgdata\r\033[201~");
        cr_assert(tt_shows(t, "pasting is refused"));
        tt_keys(t, "\r");
        cr_assert_eq(tt_commands(t, "\"answer\""), 0, "paste was taken");
        tt_keys(t, "app_pgdat");
        tt_keys(t, "\r");
        tt_settle(t, 100);
        cr_assert_eq(tt_commands(t, "\"answer\""), 0, "one letter short was enough");
        tt_keys(t, "x\r\177a");
        cr_assert_eq(tt_commands(t, "\"answer\""), 0);
        tt_send(t, "\r");
        tt_settle(t, 250);
        cr_assert_eq(tt_commands(t, "\"text\":\"app_pgdata\""), 1);
        tt_end(t, "q");
}

Test(gates, a_secret_is_sent_and_never_drawn)
{
        Tt *t = start("run", "upgrade", "secret");
        cr_assert(tt_shows(t, "not shown"));
        tt_settle(t, 100);
        tt_guard();
        tt_keys(t, "hunter2");
        AUTO_FREE char *text = tt_text(t);
        cr_assert_null(strstr(text, "hunter"));
        tt_send(t, "\r");
        tt_settle(t, 250);
        cr_assert_eq(tt_commands(t, "\"value\":\"hunter2\""), 1);
        tt_end(t, "q");
}

Test(gates, a_checklist_wants_every_tick)
{
        Tt *t = start("run", "upgrade", "manual");
        cr_assert(tt_shows(t, "The site loads"));
        tt_settle(t, 100);
        tt_guard();
        tt_keys(t, "y");
        cr_assert_eq(tt_commands(t, "\"answer\""), 0);
        tt_keys(t, " j j ");
        cr_assert(tt_shows(t, "All are ticked"));
        cr_assert_eq(tt_commands(t, "\"tick\""), 3);
        tt_send(t, "y");
        tt_settle(t, 250);
        cr_assert_eq(tt_commands(t, "\"answer\":\"y\""), 1);
        tt_end(t, "q");
}

Test(gates, undo_shows_its_list_before_it_goes_back)
{
        Tt *t = start("run", "undo", "failure");
        cr_assert(tt_shows(t, "What now?"));
        tt_settle(t, 100);
        tt_guard();
        tt_send(t, "u");
        cr_assert(tt_shows(t, "drop database makapix__pgsherpa"));
        cr_assert_eq(tt_commands(t, "\"answer\":\"u\""), 1);
        tt_guard();
        tt_send(t, "y");
        cr_assert(tt_shows(t, "2 of 5 steps done"));
        cr_assert_eq(tt_commands(t, "\"answer\":\"y\""), 1);
        tt_end(t, "q");
}

Test(gates, the_undo_key_of_a_running_step_sends_nothing_by_itself)
{
        Tt *t = start("run", "upgrade", "copy");
        cr_assert(tt_shows(t, "Safe to disconnect"));
        tt_keys(t, "u");
        cr_assert(tt_shows(t, "UNDONE BY"));
        cr_assert_eq(tt_commands(t, "rollback"), 0);
        tt_guard();
        tt_send(t, "g");
        tt_settle(t, 200);
        cr_assert_eq(tt_commands(t, "rollback"), 1);
        tt_end(t, "q");
}

Test(gates, a_typed_gate_keeps_for_good_with_ctrl_k)
{
        Tt *t = start("run", "upgrade", "word");
        cr_assert(tt_shows(t, "Type to confirm"));
        tt_settle(t, 100);
        tt_guard();
        tt_keys(t, "k");
        cr_assert_eq(tt_commands(t, "\"answer\""), 0);
        tt_send(t, "\013");
        tt_settle(t, 250);
        cr_assert_eq(tt_commands(t, "\"answer\":\"k\""), 1);
        tt_end(t, "q");
}

Test(gates, q_leaves_the_question_open_and_the_run_alone)
{
        Tt *t = start("run", "upgrade", "gate");
        cr_assert(tt_shows(t, "Stop them"));
        tt_guard();
        tt_keys(t, "q");
        cr_assert(tt_shows(t, "Enter answer"));
        tt_keys(t, "\r");
        cr_assert(tt_shows(t, "Stop them"));
        tt_guard();
        tt_keys(t, "q");
        cr_assert_eq(tt_commands(t, "\"answer\""), 0);
        tt_send(t, "q");
        tt_settle(t, 300);
        AUTO_FREE char *text = tt_text(t);
        cr_assert(strstr(text, "run p1 continues on vault"), "%s", text);
        cr_assert_eq(tt_finish(t), 0);
}

/* ---- workers ---- */

Test(workers, plus_and_minus_ask_for_more_and_fewer_while_a_step_has_some)
{
        Tt *t = start("run", "upgrade", "copy");
        cr_assert(tt_shows(t, "4 workers"));
        cr_assert(tt_shows(t, "+ more workers   - fewer   p pause"));
        tt_keys(t, "++-");
        tt_settle(t, 250);
        cr_assert_eq(tt_commands(t, "\"jobs\",\"delta\":1"), 2);
        cr_assert_eq(tt_commands(t, "\"jobs\",\"delta\":-1"), 1);
        tt_end(t, "q");
}

Test(workers, keys_do_nothing_where_no_step_has_any)
{
        Tt *t = start("run", "upgrade", "before_gate");
        cr_assert(tt_shows(t, "Safe to disconnect"));
        tt_keys(t, "+-");
        tt_settle(t, 250);
        AUTO_FREE char *now = tt_text(t);
        cr_assert_not(strstr(now, "more workers"), "%s", now);
        cr_assert_eq(tt_commands(t, "\"jobs\""), 0);
        tt_end(t, "q");
}

/* ---- the terminal afterwards ---- */

static void assert_left_clean(Tt *t, const char *how)
{
        struct termios now;
        tt_settle(t, 300);
        cr_assert_not(t->altscreen, "%s: still on the alternate screen", how);
        cr_assert(t->cursor, "%s: the cursor is hidden", how);
        cr_assert_not(t->title_pushed, "%s: the title was not given back", how);
        cr_assert_eq(tcgetattr(t->fd, &now), 0);
        cr_assert_eq(now.c_lflag, t->before.c_lflag, "%s: local modes", how);
        cr_assert_eq(now.c_iflag, t->before.c_iflag, "%s: input modes", how);
        cr_assert_eq(now.c_oflag, t->before.c_oflag, "%s: output modes", how);
}

Test(leaving, gives_the_terminal_back_by_key_and_by_signal)
{
        static const int how[] = { 0, SIGTERM, SIGINT, SIGHUP };
        for (size_t i = 0; i < LEN(how); i++) {
                Tt *t = start("run", "upgrade", "copy");
                char name[16];
                snprintf(name, sizeof name, "signal %d", how[i]);
                cr_assert(t->altscreen);
                if (how[i])
                        kill(t->pid, how[i]);
                else
                        tt_send(t, "q");
                assert_left_clean(t, name);
                cr_assert_eq(tt_finish(t), 0, "%s", name);
        }
}

Test(leaving, a_terminal_that_is_gone_ends_the_screen_at_once)
{
        Tt *t = start("run", "upgrade", "copy");
        close(t->fd);
        t->fd = open("/dev/null", 0);
        t->ended = true;
        int code = tt_finish(t);
        cr_assert_eq(code, 0, "it hangs or crashes: %d", code);
}

Test(leaving, suspends_and_comes_back)
{
        Tt *t = start("run", "upgrade", "copy");
        tt_send(t, "\032");
        for (int i = 0; i < 100 && t->altscreen; i++)
                tt_settle(t, 20);
        cr_assert_not(t->altscreen);
        int frame = t->idle;
        kill(t->pid, SIGCONT);
        cr_assert(tt_wait(t, frame));
        cr_assert(t->altscreen);
        cr_assert(tt_shows(t, "Copy 38 tables"));
        tt_send(t, "q");
        assert_left_clean(t, "after ^Z");
        cr_assert_eq(tt_finish(t), 0);
}

/* ---- size ---- */

/* Both have drawn all there is when they are alike; a busy machine takes longer for it. */
static bool become_alike(Tt *a, Tt *b)
{
        for (int tries = 0; tries < 60; tries++) {
                AUTO_FREE char *fresh = tt_dump(a);
                AUTO_FREE char *grown = tt_dump(b);
                if (str_eq(fresh, grown))
                        return true;
                tt_settle(a, 50);
                tt_settle(b, 50);
        }
        return false;
}

Test(size, a_screen_that_grew_equals_a_fresh_one)
{
        static const char *const marks[] = { "copy", "failure", "checklist" };
        for (size_t i = 0; i < LEN(marks); i++) {
                Tt *a = tt_start(&(TtSpec){
                        .rows = 40, .cols = 120, .args = { "run", "upgrade", marks[i] } });
                Tt *b = start("run", "upgrade", marks[i]);
                tt_settle(a, 250);
                tt_settle(b, 250);
                tt_resize(b, 40, 120);
                bool alike = become_alike(a, b);
                AUTO_FREE char *fresh = tt_dump(a);
                AUTO_FREE char *grown = tt_dump(b);
                cr_assert(alike, "fresh:\n%s\ngrown:\n%s", fresh, grown);
                tt_end(a, "q");
                tt_end(b, "q");
        }
}

/* Every view, keys and sizes at random: it never crashes and never hangs. */
static void storm(const char *view, const char *story, const char *mark, unsigned seed)
{
        static const char *const keys[] = { "j",        "k",
                                            "\r",       " ",
                                            "\t",       "g",
                                            "G",        "/",
                                            "f",        "x",
                                            "?",        "e",
                                            "[",        "]",
                                            "n",        "N",
                                            "L",        "c",
                                            "u",        "d",
                                            "b",        "\033",
                                            "\033[A",   "\033[B",
                                            "\033[5~",  "\033[6~",
                                            "\177",     "1",
                                            "\014",     "\024",
                                            "o",        "s",
                                            "w",        "p",
                                            "\302\251", "F",
                                            "l",        "\033[200~pasted\r\033[201~",
                                            "\020",     "\025",
                                            "<" };
        Tt *t = tt_start(&(TtSpec){ .rows = 24, .cols = 80, .args = { view, story, mark } });
        cr_assert(tt_wait(t, -1));
        for (int i = 0; i < 250 && !t->ended; i++) {
                seed = seed * 1103515245u + 12345u;
                if (i % 12 == 11) {
                        struct winsize w = { (unsigned short)(1 + (seed >> 16) % 60),
                                             (unsigned short)(1 + (seed >> 8) % 160), 0, 0 };
                        ioctl(t->fd, TIOCSWINSZ, &w);
                        vterm_set_size(t->vt, w.ws_row, w.ws_col);
                        t->rows = w.ws_row;
                        t->cols = w.ws_col;
                } else {
                        tt_send(t, keys[(seed >> 16) % LEN(keys)]);
                }
                tt_settle(t, i % 40 == 39 ? 330 : 2); /* sometimes past the guard */
        }
        tt_settle(t, 100);
        cr_assert_eq(t->odd, 0);
        if (!t->ended)
                kill(t->pid, SIGTERM);
        int code = tt_finish(t);
        cr_assert_eq(code, 0, "%s %s %s: it ended with %d", view, story, mark, code);
}

Test(storm, run_checklist, .timeout = 120)
{
        storm("run", "upgrade", "checklist", 1);
}
Test(storm, run_copy, .timeout = 120)
{
        storm("run", "upgrade", "copy", 2);
}
Test(storm, run_failure, .timeout = 120)
{
        storm("run", "upgrade", "failure", 3);
}
Test(storm, run_manual, .timeout = 120)
{
        storm("run", "upgrade", "manual", 4);
}
Test(storm, run_word, .timeout = 120)
{
        storm("run", "upgrade", "word", 5);
}
Test(storm, log, .timeout = 120)
{
        storm("log", "upgrade", "done", 6);
}
Test(storm, home_and_discovery, .timeout = 120)
{
        storm("home", "discover", "found", 7);
}
Test(storm, journey, .timeout = 120)
{
        storm("journey", "upgrade", "done", 8);
}
Test(storm, welcome, .timeout = 120)
{
        storm("run", "welcome", "welcome", 9);
}

/* ---- poor terminals and slow lines ---- */

Test(terminal, the_ascii_tier_sends_only_ascii)
{
        Tt *t = tt_start(&(TtSpec){ .rows = 24,
                                    .cols = 80,
                                    .term = "vt100",
                                    .lang = "C",
                                    .args = { "run", "upgrade", "copy" } });
        cr_assert(tt_shows(t, "Safe to"));
        AUTO_FREE char *text = tt_text(t);
        for (const char *p = text; *p; p++)
                cr_assert((unsigned char)*p < 0x80);
        tt_end(t, "q");
}

Test(terminal, no_color_means_none)
{
        Tt *t = tt_start(&(TtSpec){ .rows = 24,
                                    .cols = 80,
                                    .env = { "NO_COLOR=1" },
                                    .args = { "run", "upgrade", "failure" } });
        cr_assert(tt_shows(t, "What now?"));
        for (int y = 0; y < 24; y++)
                for (int x = 0; x < 80; x++) {
                        VTermScreenCell c;
                        vterm_screen_get_cell(t->screen, (VTermPos){ y, x }, &c);
                        cr_assert(VTERM_COLOR_IS_DEFAULT_FG(&c.fg));
                        cr_assert(VTERM_COLOR_IS_DEFAULT_BG(&c.bg));
                }
        tt_end(t, "q");
}

Test(terminal, a_full_frame_is_small_and_a_second_costs_almost_nothing)
{
        Tt *t = tt_start(
                &(TtSpec){ .rows = 40, .cols = 120, .args = { "run", "upgrade", "copy" } });
        tt_settle(t, 300);
        cr_assert(tt_shows(t, "Safe to"));
        cr_assert_lt(t->bytes, 12 * 1024 * 2, "start: %zu bytes", t->bytes);
        size_t before = t->bytes;
        tt_settle(t, 300);
        nap(900);
        nap(900);
        nap(900);
        tt_settle(t, 300);
        size_t per_second = (t->bytes - before) / 3;
        cr_assert_lt(per_second, 2048, "%zu bytes a second", per_second);
        tt_end(t, "q");
}

Test(terminal, the_screen_is_written_where_it_says)
{
        Tt *t = start("run", "upgrade", "copy");
        cr_assert(tt_shows(t, "Safe to"));
        tt_keys(t, "\024");
        cr_assert(tt_shows(t, "screen written to"));
        char path[128], text[8192] = "";
        snprintf(path, sizeof path, "%s/screen.txt", t->run_dir);
        FILE *f = fopen(path, "r");
        cr_assert(f);
        cr_assert(fread(text, 1, sizeof text - 1, f) > 0);
        fclose(f);
        cr_assert(strstr(text, "public.uploads"));
        tt_end(t, "q");
}
