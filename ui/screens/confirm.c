/* confirm.c: one page before something starts: y, or not. Enter does nothing. */
#include "ui/screens/common.h"

typedef struct Confirm {
        Screen s;
        char *title, *text;
        const char *yes;
        UiAct (*act)(Ui *ui, void *ctx);
        void *ctx;
} Confirm;

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        const Confirm *c = (const Confirm *)s;
        int rows = cv_wrap_rows(cv, MIN(76, l->body.w - 2) - 4, c->text);
        Rect in;
        (void)ui;
        if (l->cls <= LAYOUT_COMPACT) {
                cv_cut(cv, l->body.y, 1, l->body.w - 2, ROLE_STRONG, c->title);
                in = (Rect){ l->body.y + 1, 1, l->body.h - 1, l->body.w - 2 };
        } else {
                in = cv_box(cv, layout_dialog(l, rows + 6, 76), c->title);
        }
        cv_wrap(cv, (Rect){ in.y + (in.h > rows + 2), in.x, in.h - 2, in.w }, ROLE_TEXT, c->text);
        int y = in.y + in.h - 1 - (in.h > rows + 3), x = in.x;
        x += cv_text(cv, y, x, ROLE_KEY, "y") + 1;
        x += cv_text(cv, y, x, ROLE_TEXT, c->yes) + 4;
        x += cv_text(cv, y, x, ROLE_KEY, "n") + 1;
        cv_text(cv, y, x, ROLE_TEXT, "not now");
}

static UiAct yes(Ui *ui, Screen *s, int key)
{
        const Confirm *c = (const Confirm *)s;
        return c->act(ui, c->ctx);
}

static UiAct no(Ui *ui, Screen *s, int key)
{
        return UI_POP;
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        return k == K_ENTER || k == ' ' ? UI_REDRAW : UI_PASS;
}

static const KeyRow keys[] = {
        { "y", { 'y' }, NULL, "do it; Enter and Space do nothing here", NULL, yes },
        { "n Esc", { 'n' }, NULL, "not now", NULL, no },
        { 0 },
};

static void free_confirm(Screen *s)
{
        free(((Confirm *)s)->title);
        free(((Confirm *)s)->text);
}

static const ScreenOps ops = {
        .name = "confirm",
        .modal = true,
        .guarded = true,
        .quit = "not now",
        .keys = keys,
        .draw = draw,
        .key = key,
        .free = free_confirm,
};

Screen *confirm_new(const char *title, char *text, const char *yes_word,
                    UiAct (*act)(Ui *ui, void *ctx), void *ctx)
{
        Confirm *c = SCREEN_NEW(Confirm, &ops, NULL);
        c->title = xstrdup(title);
        c->text = text;
        c->yes = yes_word;
        c->act = act;
        c->ctx = ctx;
        c->s.refuse_paste = true;
        return &c->s;
}
