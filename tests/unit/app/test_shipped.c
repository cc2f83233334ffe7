/* Every shipped journey, planned with every subset of its lists empty: whatever they hold, somebody
 * is asked before users see anything, downtime, decisions and the point of no return are there, and
 * no title or question is cut on a terminal of 80 columns. */
#include <criterion/criterion.h>

#include <dirent.h>

#include "app/launch/journeys.h"
#include "base/io.h"
#include "base/majors.h"
#include "runbook/plan.h"

static json_t *one_of(const Var *v)
{
        static const char *const words[] = {
                [PARAM_INT] = "15",      [PARAM_PATH] = "/srv/x",
                [PARAM_SIZE] = "1GB",    [PARAM_IMAGE] = "postgres:17.2",
                [PARAM_DURATION] = "1d", [PARAM_NAME] = "x",
                [PARAM_STRING] = "x"
        };
        ParamType type = v->type == PARAM_LIST ? v->item : v->type;
        if (v->record)
                return json_pack("{s:s, s:s, s:s}", "name", "x", "health", "running", "within",
                                 "60s");
        cr_assert((size_t)type < LEN(words) && words[type],
                  "%s has a type this test has no answer for", v->name);
        return json_string(words[type]);
}

/* Bit i of `full`: the i-th list has something in it. */
static json_t *answers(const Runbook *rb, unsigned full)
{
        json_t *all = json_object();
        unsigned list = 0;
        for (size_t i = 0; i < rb->n_vars; i++) {
                const Var *v = &rb->vars[i];
                bool is_list = v->type == PARAM_LIST;
                json_t *one = is_list || !v->fallback ? one_of(v) : NULL;
                if (is_list) {
                        json_t *items = json_array();
                        if (full >> list++ & 1)
                                json_array_append(items, one);
                        json_decref(one);
                        one = items;
                }
                if (one)
                        json_object_set_new(all, v->name, one);
        }
        return all;
}

static unsigned lists(const Runbook *rb)
{
        unsigned n = 0;
        for (size_t i = 0; i < rb->n_vars; i++)
                n += rb->vars[i].type == PARAM_LIST;
        return n;
}

static bool is(const PlanStep *p, const char *kind)
{
        return str_eq(p->def->kind->name, kind);
}

static bool typed(const PlanStep *p)
{
        for (size_t i = 0; i < p->def->n_gates; i++)
                if (p->def->gates[i].kind == GATE_YES || p->def->gates[i].kind == GATE_WORD)
                        return !p->late && !p->def->when;
        return false;
}

static bool visible(const PlanStep *p)
{
        return p->def->downtime == DOWNTIME_BEGIN || is(p, "compose.stop") || is(p, "compose.up") ||
               is(p, "compose.start") || is(p, "pg.terminate") || p->def->effect == EFFECT_DESTROY;
}

static bool in_plan(const Plan *plan, const char *id)
{
        for (size_t i = 0; i < plan->n; i++)
                if (str_eq(plan->steps[i].def->id, id))
                        return true;
        return false;
}

static void check_plan(const char *name, const Plan *plan)
{
        const Runbook *rb = plan->rb;
        int asked = 0, seen = 0, begun = 0, ended = 0, fences = 0, soft = 0;
        for (size_t i = 0; i < plan->n; i++) {
                const PlanStep *p = &plan->steps[i];
                asked = !asked && typed(p) ? p->n : asked;
                seen = !seen && visible(p) ? p->n : seen;
                begun += p->def->downtime == DOWNTIME_BEGIN;
                ended += p->def->downtime == DOWNTIME_END;
                fences += is(p, "pg.fence") && p->in && p->in->fence.set;
                soft += p->def->pnr == PNR_SOFT;
        }
        cr_expect(!seen || (asked && asked <= seen),
                  "%s: users see step %d, the first yes is step %d", name, seen, asked);
        for (size_t i = 0; i < rb->n_phases; i++)
                if (rb->phases[i].fence.set)
                        cr_expect(begun == 1 && ended == 1 && fences == 1 && soft == 1,
                                  "%s: %d begins, %d ends, %d fences, %d points of no return", name,
                                  begun, ended, fences, soft);
        for (size_t i = 0; i < rb->n_decisions; i++)
                cr_expect(in_plan(plan, rb->decisions[i].needed_before), "%s: nobody asks for %s",
                          name, rb->decisions[i].id);
}

/* ---- words, at 80 columns ---- */

enum {
        PLAN_TITLE = 44,   /* the plan's column STEP, where nothing is estimated */
        DIALOG_TITLE = 69, /* the frame of a dialog */
        QUESTION = 34,     /* its row on the page of questions */
        HELP = 150,        /* two rows below the questions */
        EXPLAIN = 53,      /* a kind's line in `pgsherpa explain` */
};

static int columns(const char *text)
{
        int n = 0;
        for (; *text; text++)
                n += ((unsigned char)*text & 0xc0) != 0x80;
        return n;
}

static void fits(const char *where, const char *what, const char *text, int most)
{
        int w = text ? columns(text) : 0;
        cr_expect(w <= most, "%s: %s has %d columns, of which %d are shown: %s", where, what, w,
                  most, text);
}

/* A question without a question's words is a type: "string", "int". */
static void check_questions(const char *name, const Runbook *rb)
{
        for (size_t i = 0; i < rb->n_vars; i++) {
                cr_expect(rb->vars[i].ask, "%s: %s asks nothing", name, rb->vars[i].name);
                fits(name, rb->vars[i].name, rb->vars[i].ask, QUESTION);
                fits(name, rb->vars[i].name, rb->vars[i].help, HELP);
        }
        for (size_t i = 0; i < rb->n_decisions; i++)
                fits(name, rb->decisions[i].id, rb->decisions[i].question, DIALOG_TITLE);
}

static void check_titles(const char *name, const Plan *plan)
{
        for (size_t i = 0; i < plan->n; i++) {
                const PlanStep *p = &plan->steps[i];
                fits(name, p->id, p->title, PLAN_TITLE);
                for (size_t k = 0; k < p->def->n_expect; k++) {
                        const Expect *x = &p->def->expect[k];
                        /* Without words of its own a person reads the expression. */
                        cr_expect(x->msg || x->otherwise == VERDICT_FAIL,
                                  "%s: %s: an expectation without words", name, p->id);
                        if (x->otherwise == VERDICT_ASK)
                                fits(name, p->id, x->msg, DIALOG_TITLE);
                }
        }
}

static Runbook *load(const char *path)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_ERR err = { 0 };
        Runbook *rb = journeys_load(path, &problems, &err);
        cr_assert_not_null(rb, "%s: %s", path, problems.n ? problems.list[0].text : err.message);
        return rb;
}

static void check_runbook(const char *path)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_ERR err = { 0 };
        Runbook *rb = load(path);
        check_questions(path, rb);
        for (unsigned full = 0; full < 1u << lists(rb); full++) {
                AUTO_JSON given = answers(rb, full);
                AUTO_JSON vars = NULL;
                AUTO_FREE char *name = xasprintf("%s, lists %x", path, full);
                cr_assert(runbook_vars(rb, given, &vars, &problems), "%s: %s", name,
                          problems.list[0].text);
                Plan *plan = plan_new(rb, vars, NULL, &err);
                cr_assert_not_null(plan, "%s: %s", name, err.message);
                check_plan(name, plan);
                check_titles(name, plan);
                plan_free(plan);
        }
        runbook_free(rb);
}

Test(kinds, have_a_summary_that_fits_its_line)
{
        for (KindTable k = journeys_kinds(); *k; k++)
                fits("pgsherpa explain", (*k)->name, (*k)->summary, EXPLAIN);
}

Test(shipped, asks_before_users_see_anything_whatever_its_lists_hold)
{
        DIR *d = opendir(SHIPPED);
        int n = 0;
        cr_assert_not_null(d);
        for (struct dirent *e; (e = readdir(d));) {
                if (!str_ends(e->d_name, ".yaml"))
                        continue;
                AUTO_FREE char *path = io_join(SHIPPED, e->d_name);
                check_runbook(path);
                n++;
        }
        closedir(d);
        cr_assert_geq(n, 4);
}

/* A major that is newer than this pgsherpa is met with a warning and the rehearsal, not with a
 * limit. */
Test(shipped, knows_no_newest_major_of_its_own)
{
        Runbook *rb = load(SHIPPED "/compose-upgrade.yaml");
        size_t seen = 0;
        for (size_t i = 0; i < rb->n_vars; i++) {
                const Var *v = &rb->vars[i];
                bool from = str_eq(v->name, "from"), to = str_eq(v->name, "to");
                if (!from && !to)
                        continue;
                seen++;
                cr_expect_not(v->has_max, "%s", v->name);
                cr_expect_eq(v->min, to ? MAJOR_OLDEST + 1 : MAJOR_OLDEST, "%s", v->name);
        }
        cr_expect_eq(seen, 2);
        runbook_free(rb);
}
