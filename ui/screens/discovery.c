/* discovery.c: the servers on this machine: a read-only run, and its facts as a list. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/screens/common.h"
#include "ui/widgets/list.h"

typedef struct Discovery {
        Screen s;
        List list;
        json_t *servers;  /* array of the facts' objects */
        json_t *problems; /* array of words: what could not be looked at */
        int64_t seen_seq;
} Discovery;

static Discovery *discovery_of(const Screen *s)
{
        return (Discovery *)(uintptr_t)s;
}

/* End of support by major: postgresql.org/support/versioning. */
static const struct {
        int major;
        const char *day;
} end_of_life[] = {
        { 10, "2022-11-10" }, { 11, "2023-11-09" }, { 12, "2024-11-21" },
        { 13, "2025-11-13" }, { 14, "2026-11-12" }, { 15, "2027-11-11" },
        { 16, "2028-11-09" }, { 17, "2029-11-08" }, { 18, "2030-11-14" },
};

static Mark support(int major, int64_t wall, char words[static 40])
{
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        words[0] = '\0';
        for (size_t i = 0; i < LEN(end_of_life); i++) {
                if (end_of_life[i].major != major)
                        continue;
                char iso[40];
                int64_t end;
                snprintf(iso, sizeof iso, "%sT00:00:00.000Z", end_of_life[i].day);
                if (!clock_parse_iso(iso, &end))
                        return MARK_NONE;
                int month = atoi(end_of_life[i].day + 5);
                long long days = (end - wall) / 86400000;
                if (days < 0)
                        snprintf(words, 40, "ended %s %.4s", months[month - 1], end_of_life[i].day);
                else if (days < 120)
                        snprintf(words, 40, "ends in %lld days", days);
                else
                        snprintf(words, 40, "to %s %.4s", months[month - 1], end_of_life[i].day);
                return days < 0 ? MARK_FAILED : days < 120 ? MARK_ATTENTION : MARK_DONE;
        }
        if (major > 0 && major < 10)
                snprintf(words, 40, "ended long ago");
        return major > 0 && major < 10 ? MARK_FAILED : MARK_NONE;
}

/* ---- what a server's fact says ---- */

static bool is_compose(const json_t *sv)
{
        return *jx_str(sv, "dir", "") && *jx_str(sv, "service", "");
}

static char *server_name(const json_t *sv)
{
        const char *name = jx_str(sv, "name", NULL);
        if (name)
                return xstrdup(name);
        if (is_compose(sv))
                return xasprintf("%s/%s", jx_str(sv, "project", "compose"),
                                 jx_str(sv, "service", ""));
        const char *container = jx_str(sv, "container", NULL);
        if (container)
                return xstrdup(container);
        return xasprintf("%s:%lld", jx_str(sv, "host", "local"),
                         (long long)jx_int(sv, "port", 5432));
}

/* One word for the column; all of it is in the detail. */
static const char *runs_as(const json_t *sv)
{
        const char *kind = jx_str(sv, "kind", NULL), *how = jx_str(sv, "runs_as", NULL);
        if (kind && !str_eq(kind, "local"))
                return kind;
        if (how)
                return how;
        return is_compose(sv) ? "compose" : jx_str(sv, "container", NULL) ? "container" : "system";
}

static int major_of(const json_t *sv)
{
        int64_t n = jx_int(sv, "major", 0);
        const char *text = jx_str(sv, "version", jx_str(sv, "major", NULL));
        return n ? (int)n : text ? atoi(text) : 0;
}

static char *version_of(const json_t *sv)
{
        const char *v = jx_str(sv, "version", NULL);
        return v ? xstrdup(v) : major_of(sv) ? xasprintf("%d", major_of(sv)) : xstrdup("?");
}

static int64_t databases_of(const json_t *sv)
{
        const json_t *d = jx_get(sv, "databases");
        return json_is_array(d) ? (int64_t)json_array_size(d) : jx_int(sv, "databases", -1);
}

/* ---- the facts of the run ---- */

static void gather(Discovery *d)
{
        static const char *const steps[] = { "docker", "local", "servers" };
        json_t *list = json_array(), *problems = json_array();
        for (size_t i = 0; i < LEN(steps); i++) {
                AUTO_JSON found = model_fact(d->s.run, steps[i], "servers");
                AUTO_JSON problem = model_fact(d->s.run, steps[i], "problem");
                if (json_is_array(found))
                        json_array_extend(list, found);
                if (json_is_string(problem) && *json_string_value(problem))
                        json_array_append(problems, problem);
        }
        json_decref(d->servers);
        json_decref(d->problems);
        d->servers = list;
        d->problems = problems;
}

static bool tick(Ui *ui, Screen *s)
{
        Discovery *d = discovery_of(s);
        if (d->seen_seq == s->run->view->last_seq)
                return false;
        d->seen_seq = s->run->view->last_seq;
        gather(d);
        return true;
}

static bool looking(const Screen *s)
{
        return !s->run->view->status && (s->run->alive || !s->run->view->n_steps);
}

/* ---- drawing ---- */

static void draw_server(Canvas *cv, const json_t *sv, int64_t wall, int y, int w, bool cursor)
{
        char words[40], size[24];
        AUTO_FREE char *name = server_name(sv);
        AUTO_FREE char *version = version_of(sv);
        Mark mark = support(major_of(sv), wall, words);
        int64_t bytes = jx_int(sv, "size", -1), dbs = databases_of(sv);
        bool narrow = w < 70;
        int name_w = narrow ? 20 : 18, x = 3 + name_w + 1;
        if (cursor)
                cv_mark(cv, y, 1, MARK_CURSOR);
        cv_cut_middle(cv, y, 3, name_w, ROLE_TEXT, name);
        if (!narrow) {
                cv_cut(cv, y, x, 12, ROLE_TEXT, runs_as(sv));
                x += 13;
        }
        cv_right(cv, y, x + 7, ROLE_STRONG, version);
        x += 9;
        if (!narrow) {
                if (dbs >= 0)
                        cv_rightf(cv, y, x + 3, ROLE_TEXT, "%lld", (long long)dbs);
                if (bytes >= 0)
                        cv_right(cv, y, x + 13, ROLE_TEXT, fmt_bytes(bytes, size));
                x += 15;
        }
        cv_mark(cv, y, x, mark);
        cv_cut(cv, y, x + 2, w - x - 2, ROLE_TEXT, words);
        if (cursor)
                cv_flag(cv, (Rect){ y, 1, 1, w - 1 }, CELL_SELECTED);
}

static int draw_databases(const json_t *sv, Canvas *cv, Rect r, int y)
{
        const json_t *dbs = jx_get(sv, "databases"), *db;
        size_t i;
        int from = y;
        char size[24];
        if (!json_is_array(dbs) || !json_array_size(dbs))
                return 0;
        cv_text(cv, y, r.x, ROLE_DIM, "DATABASE");
        cv_right(cv, y, r.x + 30, ROLE_DIM, "SIZE");
        cv_text(cv, y++, r.x + 33, ROLE_DIM, "OWNER");
        json_array_foreach(dbs, i, db) {
                if (y >= r.y + r.h)
                        break;
                if (json_is_string(db)) {
                        cv_cut(cv, y++, r.x, r.w, ROLE_TEXT, json_string_value(db));
                        continue;
                }
                cv_cut_middle(cv, y, r.x, 19, ROLE_TEXT, jx_str(db, "name", "?"));
                if (jx_int(db, "size", -1) >= 0)
                        cv_right(cv, y, r.x + 30, ROLE_TEXT,
                                 fmt_bytes(jx_int(db, "size", 0), size));
                cv_cut(cv, y++, r.x + 33, r.w - 33, ROLE_TEXT, jx_str(db, "owner", ""));
        }
        return y - from;
}

static void draw_detail(const json_t *sv, Canvas *cv, Rect r)
{
        static const struct {
                const char *label, *key;
        } rows[] = { { "runs as", "runs_as" }, { "directory", "dir" }, { "image", "image" },
                     { "volume", "volume" },   { "data", "data_dir" }, { "health", "health" },
                     { "database", "db" },     { "user", "user" } };
        int y = r.y;
        Rect old = cv_clip(cv, r);
        const json_t *warnings = jx_get(sv, "warnings"), *w;
        size_t i;
        json_array_foreach(warnings, i, w) {
                cv_mark(cv, y, r.x, MARK_ATTENTION);
                AUTO_FREE char *text = jx_words(w);
                y += MAX(cv_wrap(cv, (Rect){ y, r.x + 2, r.h, r.w - 2 }, ROLE_TEXT, text), 1);
        }
        const char *problem = jx_str(sv, "problem", NULL);
        if (problem && *problem) {
                cv_mark(cv, y, r.x, MARK_ATTENTION);
                y += MAX(cv_wrap(cv, (Rect){ y, r.x + 2, r.h, r.w - 2 }, ROLE_TEXT, problem), 1);
        }
        int below = y; /* the warnings have the whole width */
        for (i = 0; i < LEN(rows) && y < r.y + r.h; i++) {
                const json_t *v = jx_get(sv, rows[i].key);
                if (!v || json_is_null(v) || json_is_object(v) || json_is_array(v))
                        continue;
                AUTO_FREE char *text = jx_words(v);
                cv_cut(cv, y, r.x, 10, ROLE_DIM, rows[i].label);
                cv_cut_middle(cv, y++, r.x + 11, (r.h > 12 || r.w < 70 ? r.w : 33) - 12, ROLE_TEXT,
                              text);
        }
        if (r.h > 12 && y + 1 < r.y + r.h) /* below, or beside where rows are few */
                draw_databases(sv, cv, r, y + 1);
        else if (r.w >= 70)
                draw_databases(sv, cv, (Rect){ r.y, r.x + 34, r.h, r.w - 34 }, below);
        cv_clip_set(cv, old);
}

static void summary(const Discovery *d, int64_t wall, Buf *out)
{
        int over = 0, soon = 0;
        size_t n = json_array_size(d->servers), i;
        const json_t *sv;
        char words[40];
        json_array_foreach(d->servers, i, sv) {
                Mark m = support(major_of(sv), wall, words);
                over += m == MARK_FAILED;
                soon += m == MARK_ATTENTION;
        }
        buf_printf(out, "%zu server%s.", n, n == 1 ? "" : "s");
        if (over)
                buf_printf(out, " %d %s past end of life.", over, over == 1 ? "is" : "are");
        if (soon)
                buf_printf(out, " %d soon will be.", soon);
}

static void draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l)
{
        Discovery *d = discovery_of(s);
        Rect b = l->body;
        bool wide = l->cls == LAYOUT_WIDE, compact = l->cls == LAYOUT_COMPACT;
        int n = (int)json_array_size(d->servers), w = wide ? b.w * 62 / 100 : b.w, y = b.y;
        AUTO_BUF head = buf_init(256);
        if (n)
                summary(d, ui->wall, &head);
        else if (looking(s))
                buf_adds(&head, "Looking at containers, Compose projects and local servers.");
        else
                buf_adds(&head, "No PostgreSQL server was found on this machine.");
        cv_cut(cv, y, 1, w - 2, ROLE_TEXT, buf_str(&head));
        y += compact ? 1 : 2;
        if (n && w >= 70) {
                int x = 3 + 18 + 1;
                cv_text(cv, y, 3, ROLE_DIM, "SERVER");
                cv_text(cv, y, x, ROLE_DIM, "RUNS AS");
                cv_right(cv, y, x + 20, ROLE_DIM, "VERSION");
                cv_right(cv, y, x + 25, ROLE_DIM, "DBS");
                cv_right(cv, y, x + 35, ROLE_DIM, "SIZE");
                cv_text(cv, y++, x + 37, ROLE_DIM, "SUPPORT");
        }
        int detail = wide || compact || !n ? 0 : MIN(9, b.h / 2);
        list_fit(&d->list, n, MAX(b.y + b.h - y - detail - 1, 1));
        for (int i = 0; i < d->list.height && d->list.top + i < n; i++)
                draw_server(cv, json_array_get(d->servers, (size_t)(d->list.top + i)), ui->wall,
                            y + i, w - 1, d->list.top + i == d->list.cursor);
        const json_t *sv = json_array_get(d->servers, (size_t)d->list.cursor);
        if (!n || !sv)
                return;
        AUTO_FREE char *name = server_name(sv);
        if (wide) {
                cv_vline(cv, b.y, w, b.h);
                cv_cut(cv, b.y, w + 2, b.w - w - 3, ROLE_STRONG, name);
                draw_detail(sv, cv, (Rect){ b.y + 2, w + 2, b.h - 2, b.w - w - 3 });
        } else if (detail) {
                cv_rule(cv, b.y + b.h - detail, 0, b.w, name, NULL);
                draw_detail(sv, cv, (Rect){ b.y + b.h - detail + 1, 3, detail - 1, b.w - 5 });
        }
}

static void title(Ui *ui, Screen *s, Buf *out)
{
        buf_adds(out, "Discovery");
}

static Role status(Ui *ui, Screen *s, Buf *left, Buf *right)
{
        const Discovery *d = discovery_of(s);
        const RunView *v = s->run->view;
        char t[24];
        if (v->t_close)
                buf_printf(right, "looked for %s", fmt_duration(v->t_close - v->t_open, t));
        const json_t *problem = json_array_get(d->problems, 0);
        if (problem) {
                buf_printf(left, "! %s", json_string_value(problem));
                return ROLE_WARN;
        }
        if (looking(s))
                buf_adds(left, "Looking around changes nothing.");
        else if (str_eq(v->status, "failed"))
                buf_printf(left, "! Not everything could be looked at%s%s",
                           v->close_reason ? ": " : ".", v->close_reason ? v->close_reason : "");
        else
                buf_adds(left, "Nothing has been changed.");
        return ROLE_TEXT;
}

/* ---- keys ---- */

static UiAct next(Ui *ui, Screen *s, int k)
{
        Discovery *d = discovery_of(s);
        const json_t *sv = json_array_get(d->servers, (size_t)d->list.cursor);
        const char *needs = is_compose(sv) ? "compose" : "local";
        if (!sv)
                return UI_NONE;
        for (const UiJourney *j = ui->app->journeys; j && j->runbook; j++) {
                if (!str_eq(j->needs, needs))
                        continue;
                AUTO_ERR err = { 0 };
                json_t *questions = NULL;
                if (!ui->app->questions(ui->app->app, j->runbook, sv, &questions, &err))
                        ui_say_err(ui, j->runbook, &err);
                else
                        ui_push(ui, form_new(ui, j->runbook, j->title, questions));
                return UI_REDRAW;
        }
        ui_say(ui, ROLE_WARN, "! there is no journey for a server that runs as %s", runs_as(sv));
        return UI_REDRAW;
}

static UiAct again(Ui *ui, Screen *s, int k)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = NULL;
        RunModel *m = NULL;
        if (!ui->app->discover(ui->app->app, &dir, &err) ||
            !model_open(dir, ui->app->who, false, &m, &err)) {
                ui_say_err(ui, "looking again", &err);
                return UI_REDRAW;
        }
        ui_replace(ui, discovery_new(m, true));
        return UI_REDRAW;
}

static UiAct key(Ui *ui, Screen *s, int k)
{
        return list_key(&discovery_of(s)->list, k) ? UI_REDRAW : UI_PASS;
}

static bool found(const Screen *s)
{
        return json_array_size(discovery_of(s)->servers) > 0;
}
static bool is_over(const Screen *s)
{
        return !looking(s);
}

static const KeyRow keys[] = {
        { "Enter",
          { K_ENTER, 'n' },
          "upgrade this one",
          "the questions of its journey",
          found,
          next },
        { "s", { 's' }, "look again", "looks once more", is_over, again },
        { "j k", { 0 }, NULL, "server", NULL, NULL },
        { 0 },
};

static void free_discovery(Screen *s)
{
        Discovery *d = discovery_of(s);
        json_decref(d->servers);
        json_decref(d->problems);
}

static const ScreenOps ops = {
        .name = "discovery",
        .keys = keys,
        .title = title,
        .draw = draw,
        .status = status,
        .key = key,
        .tick = tick,
        .free = free_discovery,
};

Screen *discovery_new(RunModel *m, bool owns)
{
        Discovery *d = SCREEN_NEW(Discovery, &ops, m);
        d->s.owns_run = owns;
        d->servers = json_array();
        d->problems = json_array();
        return &d->s;
}
