#include "tests/screens/tt.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/frame.h"
#include "base/io.h"

/* ---- what the terminal tells us beside the picture ---- */

static int on_osc(const char *c, size_t n, void *user)
{
        Tt *t = user;
        char b[64] = "";
        unsigned seq;
        memcpy(b, c, MIN(n, sizeof b - 1));
        if (sscanf(b, "7717;idle;%u", &seq) == 1)
                t->idle = (int)seq;
        else if (strncmp(b, "52;", 3) && strncmp(b, "2;", 2) && strcmp(b, "104")) {
                t->odd++;
                snprintf(t->last_odd, sizeof t->last_odd, "OSC %.50s", b);
        }
        return 1;
}

static int on_csi(const char *leader, const long *args, int n, const char *inter, char c,
                  void *user)
{
        Tt *t = user;
        if (c == 't' && n > 0)
                t->title_pushed = args[0] == 22;
        else if (c != 'c') { /* cursor shape of TERM=linux */
                t->odd++;
                snprintf(t->last_odd, sizeof t->last_odd, "CSI %c, %d arguments", c, n);
        }
        return 1;
}

static int on_prop(VTermProp prop, VTermValue *val, void *user)
{
        Tt *t = user;
        if (prop == VTERM_PROP_ALTSCREEN)
                t->altscreen = val->boolean;
        if (prop == VTERM_PROP_CURSORVISIBLE)
                t->cursor = val->boolean;
        return 1;
}

static VTermParserCallbacks odd_ones = { .osc = on_osc, .csi = on_csi };
static VTermScreenCallbacks callbacks = { .settermprop = on_prop };

static void to_app(const char *s, size_t n, void *user)
{
        Tt *t = user;
        if (write(t->fd, s, n) < 0)
                return; /* it is gone; tt_finish() finds out */
}

static void find_run_dir(Tt *t)
{
        snprintf(t->run_dir, sizeof t->run_dir, "%s/runs/p1", t->state);
}

Tt *tt_start(const TtSpec *spec)
{
        Tt *t = xcalloc(1, sizeof *t);
        struct winsize w = { (unsigned short)spec->rows, (unsigned short)spec->cols, 0, 0 };
        t->rows = spec->rows;
        t->cols = spec->cols;
        t->idle = -1;
        t->cursor = true;
        snprintf(t->state, sizeof t->state, "/tmp/pgs-XXXXXX");
        cr_assert(mkdtemp(t->state));
        find_run_dir(t);
        char state[64], story[256] = "";
        snprintf(state, sizeof state, "PGSHERPA_STATE=%s", t->state);
        snprintf(story, sizeof story, "%s/%s.jsonl", STORIES, spec->args[1]);
        t->pid = forkpty(&t->fd, NULL, NULL, &w);
        cr_assert(t->pid >= 0);
        if (t->pid == 0) {
                static const char *const keep[] = { "ASAN_OPTIONS", "LSAN_OPTIONS",
                                                    "UBSAN_OPTIONS" };
                const char *kept[LEN(keep)];
                for (size_t i = 0; i < LEN(keep); i++)
                        kept[i] = getenv(keep[i]) ? xstrdup(getenv(keep[i])) : NULL;
                clearenv();
                for (size_t i = 0; i < LEN(keep); i++)
                        if (kept[i])
                                setenv(keep[i], kept[i], 1);
                putenv(state);
                setenv("TERM", spec->term ? spec->term : "xterm-256color", 1);
                setenv("LANG", spec->lang ? spec->lang : "C.UTF-8", 1);
                setenv("HOME", t->state, 1);
                setenv("UI_TEST", "1", 1);
                setenv("PGSHERPA_STORIES", STORIES, 1);
                for (size_t i = 0; i < LEN(spec->env) && spec->env[i]; i++)
                        putenv((char *)(uintptr_t)spec->env[i]);
                char *argv[] = { (char *)(uintptr_t) "ui_replay",
                                 (char *)(uintptr_t)spec->args[0],
                                 story,
                                 (char *)(uintptr_t)spec->args[2],
                                 (char *)(uintptr_t)spec->args[3],
                                 (char *)(uintptr_t)spec->args[4],
                                 NULL };
                execv(UI_REPLAY, argv);
                _exit(127);
        }
        tcgetattr(t->fd, &t->before);
        t->vt = vterm_new(spec->rows, spec->cols);
        vterm_set_utf8(t->vt, 1);
        vterm_output_set_callback(t->vt, to_app, t);
        t->screen = vterm_obtain_screen(t->vt);
        vterm_screen_enable_altscreen(t->screen, 1);
        vterm_screen_set_callbacks(t->screen, &callbacks, t);
        vterm_screen_set_unrecognised_fallbacks(t->screen, &odd_ones, t);
        vterm_screen_reset(t->screen, 1);
        return t;
}

/* One read; false when nothing came in time or the program is gone. */
static bool take(Tt *t, int timeout_ms)
{
        struct pollfd p = { .fd = t->fd, .events = POLLIN };
        char b[16384 + sizeof t->held];
        if (t->ended || poll(&p, 1, timeout_ms) <= 0)
                return false;
        memcpy(b, t->held, t->n_held);
        ssize_t n = read(t->fd, b + t->n_held, 16384);
        if (n <= 0) {
                t->ended = true;
                return false;
        }
        t->bytes += (size_t)n;
        size_t len = t->n_held + (size_t)n, give = len;
        /* This libvterm hands an OSC over in pieces when a read cuts it: keep it together. */
        for (size_t i = len; i-- > 0 && b[i] != '\a';)
                if (b[i] == '\033' && (i + 1 == len || b[i + 1] == ']') &&
                    len - i < sizeof t->held) {
                        give = i;
                        break;
                }
        t->n_held = len - give;
        memcpy(t->held, b + give, t->n_held);
        vterm_input_write(t->vt, b, give);
        return true;
}

bool tt_wait(Tt *t, int frame)
{
        while (t->idle <= frame)
                if (!take(t, 3000))
                        return false;
        return true;
}

void tt_settle(Tt *t, int quiet_ms)
{
        while (take(t, quiet_ms))
                ;
}

void tt_send(Tt *t, const char *bytes)
{
        to_app(bytes, strlen(bytes), t);
}

void tt_key(Tt *t, const char *bytes)
{
        int frame = t->idle;
        tt_send(t, bytes);
        cr_assert(tt_wait(t, frame), "no frame after a key within 3 s");
}

void tt_keys(Tt *t, const char *keys)
{
        for (; *keys; keys++)
                tt_key(t, (char[]){ *keys, '\0' });
}

void tt_resize(Tt *t, int rows, int cols)
{
        struct winsize w = { (unsigned short)rows, (unsigned short)cols, 0, 0 };
        int frame = t->idle;
        t->rows = rows;
        t->cols = cols;
        vterm_set_size(t->vt, rows, cols);
        ioctl(t->fd, TIOCSWINSZ, &w);
        tt_wait(t, frame);
}

void tt_guard(void)
{
        nanosleep(&(struct timespec){ .tv_nsec = 380000000 }, NULL);
}

bool tt_shows(Tt *t, const char *text)
{
        for (int tries = 0; tries < 300; tries++) {
                AUTO_FREE char *now = tt_text(t);
                if (strstr(now, text))
                        return true;
                if (!take(t, 20) && t->ended)
                        return false;
        }
        return false;
}

/* ---- pictures ---- */

static char attribute(const VTermScreenCell *c)
{
        if (VTERM_COLOR_IS_INDEXED(&c->fg) && !VTERM_COLOR_IS_DEFAULT_FG(&c->fg))
                return (char)(c->fg.indexed.idx < 8 ? '0' + c->fg.indexed.idx
                                                    : 'A' + c->fg.indexed.idx % 26);
        if (!VTERM_COLOR_IS_INDEXED(&c->fg) && !VTERM_COLOR_IS_DEFAULT_FG(&c->fg))
                return '*';
        return c->attrs.reverse ? 'r' : c->attrs.bold ? 'b' : c->attrs.underline ? 'u' : '.';
}

static size_t add_char(char *line, size_t k, uint32_t u)
{
        if (u < 0x80) {
                line[k++] = (char)u;
        } else if (u < 0x800) {
                line[k++] = (char)(0xc0 | u >> 6);
                line[k++] = (char)(0x80 | (u & 63));
        } else {
                line[k++] = (char)(0xe0 | u >> 12);
                line[k++] = (char)(0x80 | (u >> 6 & 63));
                line[k++] = (char)(0x80 | (u & 63));
        }
        return k;
}

static void dump_pass(Tt *t, FILE *f, bool attributes)
{
        for (int y = 0; y < t->rows; y++) {
                char line[4096];
                size_t k = 0, keep = 0;
                for (int x = 0; x < t->cols; x++) {
                        VTermScreenCell c;
                        vterm_screen_get_cell(t->screen, (VTermPos){ y, x }, &c);
                        if (attributes) {
                                line[k++] = attribute(&c);
                                keep = line[k - 1] != '.' ? k : keep;
                        } else if (c.chars[0] != (uint32_t)-1) {
                                uint32_t u = c.chars[0] ? c.chars[0] : ' ';
                                k = add_char(line, k, u);
                                keep = u != ' ' ? k : keep;
                        }
                }
                fprintf(f, "%.*s\n", (int)keep, line);
        }
}

static char *dump(Tt *t, bool with_attributes)
{
        char *out;
        size_t n;
        FILE *f = open_memstream(&out, &n);
        dump_pass(t, f, false);
        if (with_attributes)
                dump_pass(t, f, true);
        fclose(f);
        /* The state directory has a new name in every test, of the same length. */
        for (char *p = out; (p = strstr(p, t->state));)
                memcpy(p, "/tmp/pgs-000000", strlen(t->state));
        return out;
}

char *tt_dump(Tt *t)
{
        return dump(t, true);
}

char *tt_text(Tt *t)
{
        return dump(t, false);
}

void tt_golden(Tt *t, const char *name)
{
        AUTO_FREE char *path = xasprintf("%s/%s.scr", GOLDEN, name);
        AUTO_FREE char *want = NULL;
        AUTO_ERR err = { 0 };
        size_t n;
        if (getenv("UPDATE_GOLDEN")) {
                tt_settle(t, 400);
                AUTO_FREE char *got = tt_dump(t);
                cr_assert(io_replace_file(path, got, strlen(got), 0644, &err), "%s", err.message);
                return;
        }
        cr_assert(io_read_file(path, 1 << 20, &want, &n, &err),
                  "%s is missing: UPDATE_GOLDEN=1 writes it", path);
        /* A frame may still be under way (the engine's socket answers when it likes). Equal
         * once and still equal when it is quiet is equal. */
        for (int tries = 0; tries < 150; tries++) {
                AUTO_FREE char *got = tt_dump(t);
                if (!strcmp(got, want)) {
                        tt_settle(t, 40);
                        AUTO_FREE char *still = tt_dump(t);
                        if (!strcmp(still, want))
                                return;
                }
                take(t, 20);
        }
        AUTO_FREE char *got = tt_dump(t);
        cr_assert_str_eq(got, want, "%s differs; it is now:\n%s", name, got);
}

/* ---- the end ---- */

int tt_finish(Tt *t)
{
        AUTO_ERR err = { 0 };
        int status = -1;
        for (int i = 0; i < 200 && take(t, 50); i++)
                ;
        for (int i = 0; i < 300; i++) { /* a program that hangs must fail the test */
                if (waitpid(t->pid, &status, WNOHANG) == t->pid)
                        break;
                if (!take(t, 10))
                        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
                status = -1;
        }
        if (status == -1) {
                kill(t->pid, SIGKILL);
                waitpid(t->pid, &status, 0);
        }
        vterm_free(t->vt);
        close(t->fd);
        /* The stand-in engine may still write its last line. */
        for (int i = 0; i < 20 && !io_remove_tree(t->state, &err); i++) {
                err_clear(&err);
                nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        }
        free(t);
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int tt_end(Tt *t, const char *keys)
{
        cr_assert_eq(t->odd, 0, "a sequence the terminal does not know: %s", t->last_odd);
        tt_send(t, keys);
        return tt_finish(t);
}

void tt_next(Tt *t)
{
        AUTO_ERR err = { 0 };
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        snprintf(sa.sun_path, sizeof sa.sun_path, "%.60s/control.sock", t->run_dir);
        cr_assert(fd >= 0 && !connect(fd, (struct sockaddr *)&sa, sizeof sa));
        AUTO_JSON m = json_pack("{s:s}", "cmd", "next");
        cr_assert(frame_send(fd, m, &err));
        char answer[512];
        cr_assert(read(fd, answer, sizeof answer) > 0);
}

int tt_commands(Tt *t, const char *part)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(t->run_dir, "commands.jsonl");
        AUTO_FREE char *text = NULL;
        size_t n;
        int found = 0;
        if (!io_read_file(path, 1 << 20, &text, &n, &err))
                return 0;
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
                found += strstr(line, part) != NULL;
        return found;
}
