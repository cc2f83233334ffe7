/* term_curses.c: the only file with ncurses. Facts marked "measured" are Debian 12's ncurses
 * 6.4, which flushes after every cursor movement and trips over unknown TERMs and locales. */
#define _XOPEN_SOURCE_EXTENDED 1
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <ncurses.h>
#include <term.h>

#include "ui/keys.h"
#include "ui/term.h"
#include "ui/term_kind.h"
/* term.h of terminfo defines these short names; ours must not meet them. */
#undef lines
#undef columns

enum { CK_PASTE_ON = KEY_MAX + 1, CK_PASTE_OFF, CK_FOCUS };
enum { FRAME_MAX = 1 << 18 };

static struct {
        bool up;
        int pipe_rd, signal_fd;
        FILE *pipe_wr;
        SCREEN *screen;
        struct termios saved;
        sigset_t saved_mask;
        Tier tier;
        bool sync, titled, title_stack, no_colour;
        int colours;
        attr_t attrs[ROLE_COUNT_];
        short pairs[ROLE_COUNT_];
        unsigned marker;
        size_t bytes;
} T;

/* ---- what kind of terminal is this ---- */

/* The terminal description to use; NULL: none fits, be plain. */
static const char *pick_term(void)
{
        const char *t = getenv("TERM");
        int problem;
        if (term_wants_plain())
                return NULL;
        if (setupterm(t, 1, &problem) != OK) {
                const char *instead = term_alike(t);
                if (setupterm(instead, 1, &problem) != OK &&
                    setupterm(instead = "vt100", 1, &problem) != OK)
                        return NULL;
                t = instead;
        }
        return cursor_address && clr_eol ? t : NULL; /* hardcopy terminals have neither */
}

/* ---- output ---- */

static void flush_frame(bool marker)
{
        static const char begin[] = "\033[?2026h", end[] = "\033[?2026l";
        static char b[FRAME_MAX + 128];
        size_t head = sizeof begin - 1, o = head;
        ssize_t n;
        fflush(T.pipe_wr);
        while (o < FRAME_MAX && (n = read(T.pipe_rd, b + o, FRAME_MAX - o)) > 0)
                o += (size_t)n;
        char *start = b + head;
        size_t len = o - head;
        /* Small frames are atomic anyway; the brackets would be a tenth of their bytes. */
        if (T.sync && len >= 1500) {
                memcpy(b, begin, head);
                start = b;
                memcpy(b + o, end, sizeof end - 1);
                len = o + sizeof end - 1;
        }
        T.bytes += len;
        if (marker)
                len += (size_t)snprintf(start + len, 64, "\033]7717;idle;%u\007", T.marker++);
        if (len && !term_write(start, len))
                clearok(curscr, TRUE);
}

static int pipe_putc(int c)
{
        return fputc(c, T.pipe_wr);
}

static void pipe_puts(const char *s)
{
        fputs(s, T.pipe_wr);
}

static void modes(bool on)
{
        if (T.tier != TIER_ASCII)
                pipe_puts(on ? "\033[?2004h" : "\033[?2004l");
}

static void raw_on(void)
{
        struct termios t = T.saved;
        cfmakeraw(&t);
        tcsetattr(0, TCSADRAIN, &t);
}

static void sync_size(void)
{
        struct winsize w;
        /* resize_term, not resizeterm: the latter queues a KEY_RESIZE of its own. */
        if (!ioctl(0, TIOCGWINSZ, &w) && w.ws_row && w.ws_col)
                resize_term(w.ws_row, w.ws_col);
}

static void teach_keys(void)
{
        static const struct {
                const char *seq;
                int key;
        } more[] = {
                { "\033[200~", CK_PASTE_ON }, { "\033[201~", CK_PASTE_OFF },
                { "\033[I", CK_FOCUS },       { "\033[O", CK_FOCUS },
                { "\033[A", KEY_UP },         { "\033[B", KEY_DOWN },
                { "\033[C", KEY_RIGHT },      { "\033[D", KEY_LEFT },
                { "\033OA", KEY_UP },         { "\033OB", KEY_DOWN },
                { "\033OC", KEY_RIGHT },      { "\033OD", KEY_LEFT },
                { "\033[H", KEY_HOME },       { "\033[F", KEY_END },
                { "\033[1~", KEY_HOME },      { "\033[4~", KEY_END },
                { "\033[5~", KEY_PPAGE },     { "\033[6~", KEY_NPAGE },
                { "\033[Z", KEY_BTAB },       { "\033[3~", KEY_DC },
        };
        for (size_t i = 0; i < LEN(more); i++)
                define_key(more[i].seq, more[i].key);
}

static void start_colours(void)
{
        const char *nc = getenv("NO_COLOR");
        T.no_colour = nc && *nc;
        T.colours = 0;
        if (T.no_colour || !has_colors())
                return;
        start_color();
        use_default_colors();
        T.colours = COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : COLORS >= 8 ? 8 : 0;
}

static bool open_signals(Err *err)
{
        static const int wanted[] = { SIGHUP, SIGTERM, SIGINT, SIGWINCH, SIGCONT };
        sigset_t m;
        sigemptyset(&m);
        for (size_t i = 0; i < LEN(wanted); i++)
                sigaddset(&m, wanted[i]);
        sigprocmask(SIG_BLOCK, &m, &T.saved_mask);
        signal(SIGPIPE, SIG_IGN);
        T.signal_fd = signalfd(-1, &m, SFD_NONBLOCK | SFD_CLOEXEC);
        if (T.signal_fd < 0)
                return err_set_errno(err, errno, "opening a signalfd for the terminal");
        return true;
}

TermOpen term_open(Err *err)
{
        int p[2];
        term_pick_locale();
        const char *t = pick_term();
        if (!t)
                return TERM_PLAIN;
        bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
        T.tier = !utf8 || str_starts(t, "vt") || str_eq(t, "ansi") ? TIER_ASCII
                 : str_eq(t, "linux")                              ? TIER_CONSOLE
                                                                   : TIER_UTF8;
        T.sync = T.tier == TIER_UTF8 && !getenv("UI_NO_SYNC");
        T.titled = str_starts(t, "xterm") || str_starts(t, "screen") || str_starts(t, "tmux");
        if (tcgetattr(0, &T.saved)) {
                err_set_errno(err, errno, "reading the terminal's settings");
                return TERM_ERROR;
        }
        if (pipe2(p, O_CLOEXEC)) {
                err_set_errno(err, errno, "making the frame pipe");
                return TERM_ERROR;
        }
        T.pipe_rd = p[0];
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        fcntl(p[1], F_SETPIPE_SZ, FRAME_MAX); /* one frame must always fit */
        T.pipe_wr = fdopen(p[1], "w");
        if (!T.pipe_wr || !(T.screen = newterm(t, T.pipe_wr, stdin))) {
                close(p[0]);
                return TERM_PLAIN;
        }
        set_term(T.screen);
        raw_on();
        def_prog_mode(); /* ncurses goes back to this after endwin(); raw, not as found */
        noecho();        /* its own echo, done in wget_wch() */
        sync_size();
        keypad(stdscr, TRUE);
        nodelay(stdscr, TRUE);
        set_escdelay(25); /* Esc must not feel slow; a terminal sends sequences at once */
        meta(stdscr, TRUE);
        teach_keys();
        start_colours();
        curs_set(0);
        modes(true);
        /* Keep the shell's title, where entering the alternate screen does not do it already. */
        T.title_stack = T.titled && !(enter_ca_mode && strstr(enter_ca_mode, "22;0"));
        if (T.title_stack)
                pipe_puts("\033[22;0t");
        T.up = true;
        if (!open_signals(err)) {
                term_close();
                return TERM_ERROR;
        }
        return TERM_OK;
}

/* The screen is given back; the terminal stays ours to return to. */
void term_leave(void)
{
        if (!T.up)
                return;
        modes(false);
        curs_set(1);
        endwin();
        /* Some terminals restore the cursor's visibility with the main screen. */
        if (cursor_normal)
                pipe_puts(cursor_normal);
        if (T.title_stack)
                pipe_puts("\033[23;0t");
        flush_frame(false);
        tcsetattr(0, TCSADRAIN, &T.saved);
}

void term_enter(void)
{
        if (!T.up)
                return;
        raw_on();
        sync_size();
        if (T.title_stack)
                pipe_puts("\033[22;0t");
        modes(true);
        curs_set(0);
        clearok(curscr, TRUE);
        refresh();
}

void term_close(void)
{
        if (!T.up)
                return;
        term_leave();
        T.up = false;
        if (T.signal_fd > 0)
                close(T.signal_fd);
        T.signal_fd = -1;
        /* Signals that arrived while blocked are not delivered to the caller afterwards. */
        sigset_t pending;
        struct timespec now = { 0 };
        sigemptyset(&pending);
        sigaddset(&pending, SIGWINCH);
        sigaddset(&pending, SIGCONT);
        sigaddset(&pending, SIGHUP);
        sigaddset(&pending, SIGINT);
        sigaddset(&pending, SIGTERM);
        while (sigtimedwait(&pending, NULL, &now) > 0)
                ;
        sigprocmask(SIG_SETMASK, &T.saved_mask, NULL);
        delscreen(T.screen);
        fclose(T.pipe_wr);
        close(T.pipe_rd);
}

void term_suspend(void)
{
        term_leave();
        raise(SIGSTOP);
        term_enter();
}

/* ---- drawing ---- */

void term_theme(Theme *theme)
{
        short next = 1;
        theme_resolve(theme, T.colours);
        for (int i = 0; i < ROLE_COUNT_; i++) {
                const Look *l = &theme->look[i];
                int fg = l->fg >= 0 ? l->fg : theme->base.fg,
                    bg = l->bg >= 0 ? l->bg : theme->base.bg;
                T.attrs[i] = (l->bold ? A_BOLD : 0) | (l->dim ? A_DIM : 0) |
                             (l->reverse ? A_REVERSE : 0) | (l->underline ? A_UNDERLINE : 0);
                T.pairs[i] = 0;
                if (T.colours && (fg >= 0 || bg >= 0)) {
                        init_pair(next, (short)fg, (short)bg);
                        T.pairs[i] = next++;
                }
        }
}

void term_size(int *ret_rows, int *ret_cols)
{
        *ret_rows = LINES;
        *ret_cols = COLS;
}

Tier term_tier(void)
{
        return T.tier;
}

static void set_look(const Cell *c)
{
        attr_t a = T.attrs[c->role];
        short pair = T.pairs[c->role];
        if (c->flags & CELL_SELECTED) {
                a |= T.attrs[ROLE_SELECT];
                if (T.pairs[ROLE_SELECT])
                        pair = T.pairs[ROLE_SELECT];
                a &= ~A_DIM; /* dim and reverse together are unreadable on many terminals */
        }
        if (c->flags & CELL_UNDERLINED)
                a |= A_UNDERLINE;
        if (c->flags & CELL_STRONG)
                a |= A_BOLD;
        attr_set(a, pair, NULL);
}

static bool same_look(const Cell *a, const Cell *b)
{
        return a->role == b->role && a->flags == b->flags;
}

void term_draw(const Canvas *cv, bool marker)
{
        char run[1024];
        erase();
        for (int y = 0; y < cv->rows && y < LINES; y++) {
                int x = 0;
                while (x < cv->cols) {
                        const Cell *first = canvas_cell(cv, y, x);
                        size_t len = 0;
                        int start = x;
                        while (x < cv->cols) {
                                const Cell *c = canvas_cell(cv, y, x);
                                size_t n = strlen(c->ch);
                                if (!same_look(first, c) || len + n >= sizeof run)
                                        break;
                                memcpy(run + len, c->ch, n);
                                len += n;
                                x++;
                        }
                        run[len] = '\0';
                        set_look(first);
                        mvaddstr(y, start, run);
                }
        }
        if (cv->cursor_y >= 0 && cv->cursor_y < LINES && cv->cursor_x < COLS) {
                curs_set(1);
                move(cv->cursor_y, MAX(cv->cursor_x, 0));
        } else {
                curs_set(0);
                move(LINES - 1, 0);
        }
        wnoutrefresh(stdscr);
        doupdate();
        flush_frame(marker);
}

void term_repaint(void)
{
        clearok(curscr, TRUE);
}

void term_bell(void)
{
        pipe_puts("\a");
}

void term_title(const char *title)
{
        if (!T.titled)
                return;
        pipe_puts("\033]2;");
        for (; *title; title++)
                if ((unsigned char)*title >= 0x20 && *title != 0x7f)
                        pipe_putc(*title);
        pipe_puts("\a");
}

void term_copy(const char *text)
{
        if (T.tier == TIER_ASCII)
                return;
        AUTO_FREE char *bytes = term_base64(text, MIN(strlen(text), (size_t)70000));
        pipe_puts("\033]52;c;");
        pipe_puts(bytes); /* terminals cut at about 75,000 */
        pipe_puts("\a");
        flush_frame(false);
}

size_t term_bytes(void)
{
        return T.bytes;
}

/* ---- input ---- */

static int key_of_code(wint_t c)
{
        static const int map[][2] = {
                { KEY_UP, K_UP },
                { KEY_DOWN, K_DOWN },
                { KEY_LEFT, K_LEFT },
                { KEY_RIGHT, K_RIGHT },
                { KEY_HOME, K_HOME },
                { KEY_END, K_END },
                { KEY_PPAGE, K_PGUP },
                { KEY_NPAGE, K_PGDN },
                { KEY_ENTER, K_ENTER },
                { KEY_BTAB, K_BACKTAB },
                { KEY_BACKSPACE, K_BACKSPACE },
                { KEY_DC, K_DELETE },
                { KEY_F(1), '?' },
                { KEY_SUSPEND, K_CTRL('Z') },
                { CK_PASTE_ON, K_PASTE_ON },
                { CK_PASTE_OFF, K_PASTE_OFF },
        };
        for (size_t i = 0; i < LEN(map); i++)
                if ((wint_t)map[i][0] == c)
                        return map[i][1];
        return K_NONE;
}

int term_key(void)
{
        wint_t c;
        for (;;) {
                int r = wget_wch(stdscr, &c);
                if (r == ERR)
                        return K_NONE;
                if (r == KEY_CODE_YES) {
                        int k = key_of_code(c);
                        if (k == K_NONE)
                                continue; /* a key we have no use for */
                        return k;
                }
                switch (c) {
                case '\r':
                case '\n':
                        return K_ENTER;
                case 27:
                        return K_ESC;
                case '\t':
                        return K_TAB;
                case 8:
                case 127:
                        return K_BACKSPACE;
                case 0:
                        continue;
                default:
                        return (int)c;
                }
        }
}

int term_signal_fd(void)
{
        return T.signal_fd;
}

TermSignal term_signal(void)
{
        struct signalfd_siginfo si;
        if (read(T.signal_fd, &si, sizeof si) != sizeof si)
                return TERM_SIG_NONE;
        if (si.ssi_signo == SIGWINCH) {
                sync_size();
                clearok(curscr, TRUE);
                return TERM_SIG_RESIZE;
        }
        if (si.ssi_signo == SIGCONT) {
                clearok(curscr, TRUE);
                return TERM_SIG_CONT;
        }
        return TERM_SIG_LEAVE;
}
