/* text.c: a long text to scroll through: commands, output, a diff. */
#include "ui/screens/common.h"
#include "ui/widgets/list.h"

typedef struct Text {
        Screen s;
        char *title, *text;
        int top, rows, height, width;
} Text;

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Text *t = (Text *)s;
        Rect b = l->body, in = { b.y + 1, b.x + 2, b.h - 1, b.w - 4 };
        (void)ui;
        cv_cut(cv, b.y, b.x + 1, b.w - 2, ROLE_STRONG, t->title);
        t->rows = cv_wrap_rows(cv, in.w, t->text);
        t->height = in.h;
        t->top = MAX(MIN(t->top, t->rows - in.h), 0);
        Rect old = cv_clip(cv, in);
        cv_wrap(cv, (Rect){ in.y - t->top, in.x, t->rows, in.w }, ROLE_TEXT, t->text);
        cv_clip_set(cv, old);
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        const Text *t = (const Text *)s;
        if (t->rows > t->height)
                buf_printf(right, "lines %d to %d of %d", t->top + 1,
                           MIN(t->top + t->height, t->rows), t->rows);
        return s->run ? run_status(ui, s->run, left, right) : ROLE_TEXT;
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        if (s->below && s->below->ops->title)
                s->below->ops->title(ui, s->below, out);
}

static UiAct move(Ui *ui, Screen *s, int key)
{
        Text *t = (Text *)s;
        List l = { .n = t->rows, .cursor = t->top, .top = t->top, .height = t->height };
        (void)ui;
        list_key(&l, key);
        t->top = l.cursor;
        return UI_REDRAW;
}

static UiAct copy(Ui *ui, Screen *s, int key)
{
        ui_copy(ui, "text", ((Text *)s)->text);
        return UI_REDRAW;
}

static void free_text(Screen *s)
{
        Text *t = (Text *)s;
        free(t->title);
        free(t->text);
}

static const KeyRow keys[] = {
        { "j k", { 'j', 'k', K_UP, K_DOWN }, "line", "line", NULL, move },
        { "Space b", { ' ', 'b', K_PGDN, K_PGUP }, "page", "page", NULL, move },
        { "g G", { 'g', 'G', K_HOME, K_END }, NULL, "top, end", NULL, move },
        { "c", { 'c' }, "copy", "to the clipboard and a file", NULL, copy },
        { 0 },
};

static const ScreenOps ops = {
        .name = "text",
        .keys = keys,
        .title = title,
        .draw = draw,
        .status = status,
        .free = free_text,
};

Screen *text_new(const char *title_, char *text, RunModel *m)
{
        Text *t = SCREEN_NEW(Text, &ops, m);
        t->title = xstrdup(title_);
        t->text = text;
        return &t->s;
}
