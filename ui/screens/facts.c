/* facts.c: the lines of a gate: plain sentences, and "label  text" in two columns.
 *
 * The engine writes them for every frontend: a label, then at least two spaces (or ": ") and
 * the text; what begins with many spaces goes on in the text's column. */
#include <ctype.h>

#include "ui/screens/common.h"

enum { LABEL_MAX = 16, CONTINUED = 8 };

typedef struct Fact {
        size_t label; /* bytes of the label; 0: none */
        bool continued;
        const char *text;
} Fact;

static Fact split(const char *line)
{
        Fact f = { .text = line };
        size_t spaces = strspn(line, " ");
        if (spaces >= CONTINUED) {
                f.continued = true;
                f.text = line + spaces;
                return f;
        }
        if (!isalpha((unsigned char)line[0]))
                return f;
        for (size_t i = 1; i <= LABEL_MAX && line[i]; i++) {
                bool gap = line[i] == ' ' && line[i + 1] == ' ';
                bool colon = line[i] == ':' && line[i + 1] == ' ';
                if (!gap && !colon)
                        continue;
                f.label = i;
                f.text = line + i + 1 + strspn(line + i + 1, " ");
                return f;
        }
        return f;
}

static int label_width(const Canvas *cv, const char *const *lines, size_t n)
{
        int w = 0;
        for (size_t i = 0; i < n; i++) {
                AUTO_FREE char *label = xstrndup(lines[i], split(lines[i]).label);
                w = MAX(w, cv_width(cv, label));
        }
        return w ? w + 3 : 0;
}

int facts_rows(const Canvas *cv, const char *const *lines, size_t n, int w)
{
        int rows = 0, label = label_width(cv, lines, n);
        for (size_t i = 0; i < n; i++) {
                Fact f = split(lines[i]);
                int room = f.label || f.continued ? w - 2 - label : w;
                rows += MAX(cv_wrap_rows(cv, MAX(room, 8), f.text), 1);
        }
        return rows;
}

int facts_draw(Canvas *cv, const char *const *lines, size_t n, Rect r, int scroll)
{
        int label = label_width(cv, lines, n), y = r.y - scroll;
        Rect old = cv_clip(cv, r);
        for (size_t i = 0; i < n; i++) {
                Fact f = split(lines[i]);
                int x = r.x;
                if (f.label || f.continued)
                        x += 2 + label;
                if (f.label) {
                        AUTO_FREE char *name = xstrndup(lines[i], f.label);
                        cv_text(cv, y, r.x + 2, ROLE_DIM, name);
                }
                Rect t = { y, x, 1000, MAX(r.x + r.w - x, 8) };
                y += MAX(cv_wrap(cv, t, ROLE_TEXT, f.text), 1);
        }
        cv_clip_set(cv, old);
        return MIN(y - r.y, r.h);
}
