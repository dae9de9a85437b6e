/* Whether the gateway's clock is believed (doubting.h). Knows what the machine says of it and what speaks against that; refuses to know
 * what is dated by it. While it is in doubt the process's time is a line behind all that was committed, so that nothing comes before
 * what is there, and durations are right. Called by trusting.c, and by record.c. */
#include "doubting.h"

#include <base/log.h>
#include <ecogov/time.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DOUBTED_EVERY_MS 1000
#define TRUSTED_EVERY_MS 2000
/* Whoever steps a clock says a moment later that it is right: so long it is waited for that. */
#define STEP_GRACE_US INT64_C(10000000)

/* Of all that is known to have been: what is in the store, this program. */
static int64_t latest(int64_t newest_ms)
{
    return newest_ms > EG_CLOCK_RELEASED_MS ? newest_ms : EG_CLOCK_RELEASED_MS; /* EG_TIME_NONE is earlier */
}

const char *eg_doubting_reason(const struct eg_clock_look *look, enum eg_rtc rtc, int64_t newest_ms)
{
    if (look->synchronised)
        return NULL;
    if (look->wall_ms - latest(newest_ms) > EG_CLOCK_AHEAD_MOST_MS)
        return "future";
    if (newest_ms != EG_TIME_NONE && look->wall_ms < newest_ms - EG_CLOCK_STEP_MS)
        return "store";
    if (look->wall_ms < EG_CLOCK_RELEASED_MS)
        return "release";
    return rtc == EG_RTC_NO || (rtc == EG_RTC_AUTO && look->board && !look->rtc) ? "rtc" : NULL;
}

int64_t eg_doubting_line(const struct eg_clock_look *look, int64_t newest_ms)
{
    int64_t line_ms = look->wall_ms > EG_CLOCK_RELEASED_MS ? look->wall_ms : EG_CLOCK_RELEASED_MS;
    if (look->wall_ms - latest(newest_ms) > EG_CLOCK_AHEAD_MOST_MS)
        line_ms = EG_CLOCK_RELEASED_MS;
    return newest_ms != EG_TIME_NONE && line_ms <= newest_ms ? newest_ms + 1 : line_ms;
}

static const char *sentence_of(const char *why)
{
    return !strcmp(why, "store")     ? "it is earlier than what is in the store"
           : !strcmp(why, "release") ? "it is earlier than this program"
           : !strcmp(why, "future")  ? "it is more than twenty years ahead"
           : !strcmp(why, "step")    ? "it was set to another time, and nobody vouches for it"
                                     : "nothing keeps it while the power is off, and nothing has set it yet";
}

static void say(struct eg_doubting *doubting, int64_t since_ms)
{
    char since[EG_TIME_TEXT];
    if (eg_fault_raise(doubting->faults, "clock", since_ms,
                       "the gateway's clock is in doubt since %s: %s; readings without a time of their own "
                       "are marked and dated "
                       "anew when it is known, deadlines wait; connect the network so that NTP can set the "
                       "clock (timedatectl), "
                       "or set it by hand and say ecogovctl clock trust",
                       eg_time_format(since_ms, since), sentence_of(doubting->why)))
        eg_log(EG_LOG_WARNING, "clock: in doubt: %s", sentence_of(doubting->why));
}

static int64_t on_line(const struct eg_store_clock *kept, const struct eg_clock_look *look, int64_t later_ms)
{
    return kept->since_ms + later_ms + (look->boot_us - kept->boot_us) / 1000;
}

int eg_doubting_begin(struct eg_doubting *doubting, const struct eg_conf *conf, struct eg_store *store,
                      struct eg_err *err)
{
    struct eg_clock_look look;
    struct eg_store_clock kept;
    eg_clock_look(&look);
    eg_store_clock(store, &kept);
    doubting->conf = conf;
    doubting->fresh = doubting->told = false;
    bool same = *look.boot && !strcmp(kept.boot, look.boot);
    if (kept.doubted && same) { /* the daemon was started anew in the middle of it */
        snprintf(doubting->why, sizeof doubting->why, "%s", kept.why);
        eg_clock_hold(on_line(&kept, &look, 0), look.boot_us);
        say(doubting, kept.since_ms);
        doubting->told = true;
        return EG_OK;
    }
    if (kept.doubted) {
        int code = eg_store_leave_doubt(store, err);
        if (code != EG_OK)
            return code;
        eg_log(EG_LOG_WARNING, "clock: the machine was started anew before it was known what time it was: "
                               "what was dated then keeps "
                               "the flag clock");
    }
    if (kept.believed_devices && same && !look.synchronised) {
        int64_t now_ms = on_line(&kept, &look, kept.shift_ms);
        doubting->line = llabs(now_ms - look.wall_ms) > EG_CLOCK_STEP_MS;
        if (doubting->line)
            eg_clock_hold(now_ms, look.boot_us);
        return EG_OK;
    }
    const char *why = eg_doubting_reason(&look, conf->clock.rtc, kept.newest_ms);
    if (!why)
        return EG_OK;
    snprintf(doubting->why, sizeof doubting->why, "%s", why);
    eg_clock_hold(eg_doubting_line(&look, kept.newest_ms), look.boot_us);
    doubting->fresh = true;
    say(doubting, eg_clock_now_ms());
    return EG_OK;
}

static void doubt(struct eg_doubting *doubting)
{
    struct eg_clock_look look;
    struct eg_clock_news news = {.is = EG_CLOCK_DOUBTED};
    eg_clock_look(&look);
    news.boot_us = look.boot_us;
    memcpy(news.boot, look.boot, sizeof news.boot);
    memcpy(news.why, doubting->why, sizeof news.why);
    if (doubting->tell(doubting->user, &news)) {
        doubting->fresh = false;
        doubting->told = true;
    }
}

void eg_doubting_tell(struct eg_doubting *doubting)
{
    if (doubting->fresh)
        doubt(doubting);
}

/* --- from then on --- */

static void leapt(struct eg_doubting *doubting, const char *how)
{
    const struct eg_clock_news news = {.is = EG_CLOCK_LEAPT};
    doubting->jumps++;
    eg_log(EG_LOG_INFO, "clock: %s", how);
    doubting->tell(doubting->user, &news);
}

/* `now` is what devices have told, until the wall clock is right. */
static void mind_line(struct eg_doubting *doubting, const struct eg_clock_look *look)
{
    if (!look->synchronised && llabs(eg_clock_now_ms() - look->wall_ms) > EG_CLOCK_STEP_MS)
        return;
    doubting->line = false;
    eg_clock_release();
    leapt(doubting, "it was set");
}

/* The wall clock has jumped, and the line goes on. */
static void mind_step(struct eg_doubting *doubting, const struct eg_clock_look *look)
{
    if (!doubting->held_us)
        doubting->held_us = look->boot_us;
    if (look->synchronised) {
        const bool back = look->wall_ms < eg_clock_now_ms();
        doubting->held_us = 0;
        eg_clock_release();
        leapt(doubting,
              back ? "it was set back, and is synchronised" : "it was set forward, and is synchronised");
    } else if (look->boot_us - doubting->held_us > STEP_GRACE_US) {
        doubting->held_us = 0;
        snprintf(doubting->why, sizeof doubting->why, "step");
        say(doubting, eg_clock_now_ms());
        doubting->fresh = true;
        doubt(doubting);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct eg_doubting *doubting = timer->data;
    const struct eg_pipeline *pipeline = *doubting->pipeline;
    struct eg_clock_look look;
    int64_t ahead_ms;
    eg_clock_look(&look);
    (void)eg_clock_now_ms(); /* sees whether it has jumped */
    bool doubted = pipeline && eg_pipeline_doubted(pipeline) != EG_TIME_NONE;
    if (doubting->fresh)
        doubt(doubting);
    else if (doubted && (look.synchronised || doubting->by_hand || eg_pipeline_agreed(pipeline, &ahead_ms)))
        doubting->trust(doubting->user);
    else if (!doubted && !doubting->told && doubting->line)
        mind_line(doubting, &look);
    else if (!doubted && !doubting->told && eg_clock_held())
        mind_step(doubting, &look);
    uv_timer_start(timer, on_timer, eg_clock_held() ? DOUBTED_EVERY_MS : TRUSTED_EVERY_MS, 0);
}

/* Has it been set? One that somebody has set to another time while the daemon ran was ahead perhaps, and is right now; else what is there
 * already was before. */
static const char *not_set(const struct eg_doubting *doubting, const struct eg_clock_look *look)
{
    bool step = !strcmp(doubting->why, "step");
    return eg_doubting_reason(look, EG_RTC_YES, step ? EG_TIME_NONE : eg_clock_now_ms());
}

int eg_doubting_by_hand(struct eg_doubting *doubting, uint64_t ticket, struct eg_err *err)
{
    struct eg_clock_look look;
    char wall[EG_TIME_TEXT];
    const struct eg_pipeline *pipeline = *doubting->pipeline;
    eg_clock_look(&look);
    if (!pipeline || eg_pipeline_doubted(pipeline) == EG_TIME_NONE)
        return eg_err_set(err, EG_ECONFLICT, "The clock is not in doubt.");
    if (doubting->ticket)
        return eg_err_set(err, EG_EBUSY, "Somebody has said so already; ask again in a moment.");
    const char *wrong = not_set(doubting, &look);
    if (wrong)
        return eg_err_set(err, EG_ECONFLICT,
                          "The gateway's clock shows %s, which cannot be: %s; set it first (timedatectl "
                          "set-time).",
                          eg_time_format(look.wall_ms, wall), sentence_of(wrong));
    doubting->by_hand = true;
    doubting->ticket = ticket;
    doubting->trust(doubting->user);
    return EG_OK;
}

bool eg_doubting_decide(struct eg_doubting *doubting, const struct eg_pipeline *pipeline,
                        struct eg_clock_news *ret)
{
    struct eg_clock_look look;
    int64_t was_ms = eg_clock_now_ms(), ahead_ms = 0;
    char time[EG_TIME_TEXT];
    eg_clock_look(&look);
    if (eg_pipeline_doubted(pipeline) == EG_TIME_NONE)
        return false;
    *ret = (struct eg_clock_news){.is = EG_CLOCK_TRUSTED, .was_ms = was_ms, .ticket = doubting->ticket};
    if (look.synchronised || doubting->by_hand) {
        snprintf(ret->why, sizeof ret->why, "%s", look.synchronised ? "ntp" : "person");
        eg_clock_release();
    } else if (eg_pipeline_agreed(pipeline, &ahead_ms)) {
        snprintf(ret->why, sizeof ret->why, "devices");
        doubting->line = llabs(was_ms + ahead_ms - look.wall_ms) > EG_CLOCK_STEP_MS;
        if (doubting->line)
            eg_clock_hold(was_ms + ahead_ms, look.boot_us);
        else
            eg_clock_release();
    } else {
        return false;
    }
    doubting->by_hand = false;
    doubting->ticket = 0;
    eg_log(EG_LOG_INFO, "clock: trusted (%s): what was %s is %" PRId64 " s later", ret->why,
           eg_time_format(was_ms, time), (eg_clock_now_ms() - was_ms) / 1000);
    return true;
}

void eg_doubting_over(struct eg_doubting *doubting)
{
    doubting->told = false;
    doubting->jumps++;
    eg_fault_clear(doubting->faults, "clock");
    eg_clock_guard();
}

void eg_doubting_configure(struct eg_doubting *doubting, const struct eg_conf *conf)
{
    doubting->conf = conf;
}

void eg_doubting_start(struct eg_doubting *doubting, uv_loop_t *loop)
{
    uv_timer_init(loop, &doubting->timer);
    doubting->timer.data = doubting;
    doubting->has_timer = true;
    if (!eg_clock_held())
        eg_clock_guard();
    uv_timer_start(&doubting->timer, on_timer, eg_clock_held() ? 0 : TRUSTED_EVERY_MS, 0);
}

void eg_doubting_close(struct eg_doubting *doubting)
{
    if (doubting->has_timer)
        uv_close((uv_handle_t *)&doubting->timer, NULL);
    doubting->has_timer = false;
}
