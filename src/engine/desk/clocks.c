/* clocks.c: the downtime clock, its budget, and a wall clock that jumps. */
#include "engine/desk/desk_impl.h"

#include "base/clock.h"
#include "base/fmt.h"

int64_t clocks_downtime_ms(const Engine *e)
{
        const EngineState *s = &e->state;
        if (s->downtime_begin_t == 0)
                return -1;
        /* Boot clocks of two boots cannot be subtracted; the wall clock is the fallback. */
        bool same_boot = str_eq(s->boot_id, clock_boot_id());
        if (s->downtime_end_t)
                return same_boot ? s->downtime_end_bt - s->downtime_begin_bt
                                 : s->downtime_end_t - s->downtime_begin_t;
        return same_boot ? clock_boot_ms() - s->downtime_begin_bt
                         : clock_wall_ms() - s->downtime_begin_t;
}

bool clocks_downtime(Engine *e, bool begin, Err *err)
{
        const EngineState *s = &e->state;
        bool running = s->downtime_begin_t != 0 && s->downtime_end_t == 0;
        if (running == begin)
                return true;
        if (!begin && s->downtime_begin_t == 0)
                return true;
        return record_downtime(e, begin, err);
}

static void say_budget(Engine *e, int64_t used, bool over)
{
        char a[24], b[24];
        AUTO_ERR ignored = { 0 }; /* io_failed is set: whoever waits sees it */
        Check c = { .that = "downtime within its budget",
                    .expected = fmt_clock(e->rb->budget_ms, b),
                    .actual = fmt_clock(used, a),
                    .verdict = "warn" };
        AUTO_FREE char *msg = xasprintf(
                over ? "downtime %s is over its budget of %s" : "downtime %s of %s is used", a, b);
        c.msg = msg;
        (void)!record_check(e, &c, &ignored);
}

static void watch_budget(Engine *e)
{
        int64_t budget = e->rb->budget_ms;
        if (budget <= 0 || e->state.downtime_begin_t == 0 || e->state.downtime_end_t)
                return;
        int64_t used = clocks_downtime_ms(e);
        int warn_at = e->rb->warn_at > 0 ? e->rb->warn_at : 70;
        if (!e->desk->budget_warned && used * 100 >= budget * warn_at) {
                e->desk->budget_warned = true;
                say_budget(e, used, used > budget);
        }
        if (!e->desk->budget_over && used > budget) {
                e->desk->budget_over = true;
                say_budget(e, used, true);
        }
}

static void watch_jump(Engine *e)
{
        int64_t skew = clock_wall_ms() - clock_boot_ms();
        int64_t by = skew - e->desk->clock_skew_ms;
        bool first = e->desk->clock_skew_ms == 0;
        e->desk->clock_skew_ms = skew;
        if (first || (by < 2000 && by > -2000))
                return;
        record_clock_jump(e, by);
}

static void clocks_tick(Engine *e)
{
        int64_t now = clock_boot_ms();
        if (now - e->desk->last_tick_bt < 500 && now >= e->desk->last_tick_bt)
                return;
        e->desk->last_tick_bt = now;
        if (!e->journal || e->io_failed || e->state.closed)
                return;
        watch_budget(e);
        watch_jump(e);
}

void clocks_open(Engine *e)
{
        static const LoopUser clocks = { .tick = clocks_tick };
        loop_serve(e, &clocks);
}
