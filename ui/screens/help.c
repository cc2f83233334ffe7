/* help.c: the keys of the screen below, out of the table that dispatches them. */
#include "ui/screens/common.h"

typedef struct Help {
        Screen s;
        const ScreenOps *of;
        const Screen *screen;
        int top;
} Help;

static const KeyRow everywhere[] = {
        { "?", { 0 }, NULL, "this help", NULL, NULL },
        { "L", { 0 }, NULL, "log of the run", NULL, NULL },
        { "^L", { 0 }, NULL, "draw again", NULL, NULL },
        { "^T", { 0 }, NULL, "write the screen into the run's folder", NULL, NULL },
        { "^Z", { 0 }, NULL, "to the shell, fg returns", NULL, NULL },
        { "q Esc", { 0 }, NULL, "one level up, never stops the run", NULL, NULL },
        { 0 },
};

static int draw_rows(Canvas *cv, Rect r, int y, const KeyRow *k, const Screen *s)
{
        int from = y;
        for (; k && k->shown; k++) {
                if (!k->help || (k->when && s && !k->when(s)))
                        continue;
                cv_text(cv, y, r.x, ROLE_KEY, k->shown);
                cv_cut(cv, y++, r.x + 11, r.w - 11, ROLE_TEXT, k->help);
        }
        return y - from;
}

static int count_rows(const KeyRow *k, const Screen *s)
{
        int n = 0;
        for (; k && k->shown; k++)
                n += k->help && (!k->when || !s || k->when(s));
        return n;
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Help *h = (Help *)s;
        int own = count_rows(h->of->keys, h->screen), all = count_rows(everywhere, NULL);
        Rect in;
        (void)ui;
        if (l->cls <= LAYOUT_COMPACT)
                in = (Rect){ l->body.y, 1, l->body.h, l->body.w - 2 };
        else
                in = cv_box(cv, layout_dialog(l, MIN(own + all + 5, l->body.h), 60),
                            "Keys on this screen");
        h->top = MAX(MIN(h->top, own + all + 3 - in.h), 0);
        Rect old = cv_clip(cv, in);
        int y = in.y + 1 - h->top;
        y += draw_rows(cv, in, y, h->of->keys, h->screen) + 1;
        cv_text(cv, y - (own ? 0 : 1), in.x, ROLE_DIM, "EVERYWHERE");
        y++;
        draw_rows(cv, in, y, everywhere, NULL);
        cv_clip_set(cv, old);
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        Help *h = (Help *)s;
        if (k == 'j' || k == K_DOWN)
                h->top++;
        else if (k == 'k' || k == K_UP)
                h->top = MAX(h->top - 1, 0);
        else
                return UI_POP; /* any other key closes it and does nothing else */
        return UI_REDRAW;
}

static const ScreenOps ops = {
        .name = "help", .modal = true, .quit = "close", .draw = draw, .key = key
};

Screen *help_new(const ScreenOps *of, const Screen *screen)
{
        Help *h = SCREEN_NEW(Help, &ops, NULL);
        h->of = of;
        h->screen = screen;
        return &h->s;
}
