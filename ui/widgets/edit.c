#include "ui/widgets/edit.h"

#include <string.h>

#include "base/text.h"
#include "ui/keys.h"

enum { EDIT_MAX = 4096 };

void edit_init(Edit *e, const char *text, bool hidden)
{
        *e = (Edit){ .cap = 64, .hidden = hidden };
        e->text = xcalloc(1, e->cap);
        edit_set(e, text ? text : "");
}

void edit_done(Edit *e)
{
        if (e->text)
                explicit_bzero(e->text, e->cap);
        free(e->text);
        *e = (Edit){ 0 };
}

/* realloc() could leave a copy of a password behind in freed memory. */
static void grow(Edit *e, size_t need)
{
        if (need < e->cap)
                return;
        size_t cap = MAX(e->cap * 2, need + 64);
        char *p = xcalloc(1, cap);
        memcpy(p, e->text, e->len);
        explicit_bzero(e->text, e->cap);
        free(e->text);
        e->text = p;
        e->cap = cap;
}

void edit_set(Edit *e, const char *text)
{
        size_t n = strlen(text);
        grow(e, n + 1);
        explicit_bzero(e->text, e->cap);
        memcpy(e->text, text, n);
        e->len = e->at = n;
}

static size_t before(const Edit *e, size_t at)
{
        while (at > 0 && ((unsigned char)e->text[--at] & 0xc0) == 0x80)
                ;
        return at;
}

static size_t after(const Edit *e, size_t at)
{
        if (at < e->len)
                at++;
        while (at < e->len && ((unsigned char)e->text[at] & 0xc0) == 0x80)
                at++;
        return at;
}

static void erase_range(Edit *e, size_t from, size_t to)
{
        memmove(e->text + from, e->text + to, e->len - to + 1);
        e->len -= to - from;
        explicit_bzero(e->text + e->len, e->cap - e->len);
        e->at = from;
}

bool edit_key(Edit *e, int key)
{
        switch (key) {
        case K_LEFT:
                e->at = before(e, e->at);
                return true;
        case K_RIGHT:
                e->at = after(e, e->at);
                return true;
        case K_HOME:
        case K_CTRL('A'):
                e->at = 0;
                return true;
        case K_END:
        case K_CTRL('E'):
                e->at = e->len;
                return true;
        case K_BACKSPACE:
                erase_range(e, before(e, e->at), e->at);
                return true;
        case K_DELETE:
                erase_range(e, e->at, after(e, e->at));
                return true;
        case K_CTRL('U'):
                erase_range(e, 0, e->len);
                return true;
        default:
                break;
        }
        char ch[4];
        if (key < 0x20 || key == 0x7f || key >= 0x110000)
                return false;
        size_t n = text_encode((uint32_t)key, ch);
        if (n == 0 || e->len + n > EDIT_MAX)
                return true;
        grow(e, e->len + n + 1);
        memmove(e->text + e->at + n, e->text + e->at, e->len - e->at + 1);
        memcpy(e->text + e->at, ch, n);
        e->at += n;
        e->len += n;
        return true;
}

void edit_draw(const Edit *e, Canvas *cv, int y, int x, int w, bool focus)
{
        if (w <= 0)
                return;
        if (e->hidden) { /* not even its length */
                int used = cv_text(cv, y, x, ROLE_DIM, e->len ? "(hidden)" : "");
                if (focus) {
                        cv->cursor_y = y;
                        cv->cursor_x = x + used;
                }
                return;
        }
        if (!focus) {
                cv_cut(cv, y, x, w, ROLE_TEXT, e->text);
                return;
        }
        AUTO_FREE char *head = xstrndup(e->text, e->at);
        const char *shown = e->text;
        int at = cv_width(cv, head);
        while (at >= w && *shown) { /* scroll so that the cursor is inside */
                const char *next = e->text + after(e, (size_t)(shown - e->text));
                AUTO_FREE char *gone = xstrndup(shown, (size_t)(next - shown));
                at -= cv_width(cv, gone);
                shown = next;
        }
        Rect old = cv_clip(cv, (Rect){ y, x, 1, w });
        cv_text(cv, y, x, ROLE_TEXT, shown);
        cv_clip_set(cv, old);
        cv->cursor_y = y;
        cv->cursor_x = x + at;
}
