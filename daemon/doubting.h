/* Whether the gateway's clock is believed (ADR 27): asks the machine, decides when to doubt, and when no more. */
#ifndef EG_DOUBTING_H
#define EG_DOUBTING_H

#include <base/clock.h>
#include <base/fault.h>
#include <store/store.h>
#include <uv.h>

struct eg_doubting {
    /* Borrowed, set by the house. */
    void *user;
    struct eg_faults *faults;
    struct eg_pipeline *const *pipeline;
    bool (*tell)(void *user, const struct eg_clock_news *news); /* an event; false: not now */
    void (*trust)(void *user); /* in a moment that is quiet: eg_doubting_decide(), and what follows from it */
    /* Its own. */
    const struct eg_conf *conf;
    uv_timer_t timer;
    bool has_timer, fresh /* a doubt that no turn has heard of yet */, told;
    bool line;    /* devices told the time: `now` is theirs, since the wall clock is wrong */
    bool by_hand; /* somebody has said that the wall clock is right */
    uint64_t ticket;
    unsigned jumps; /* of `now`: how often it was another time at once */
    char why[24];
    int64_t held_us; /* since when the line stands in for a wall clock that jumped; 0: it does not */
};

/* Why a machine's clock is not believed at a start; NULL: it is. `newest_ms`: of what is in the store, or EG_TIME_NONE. Pure. */
const char *eg_doubting_reason(const struct eg_clock_look *look, enum eg_rtc rtc, int64_t newest_ms);
/* The first moment of the line: behind all there is. */
int64_t eg_doubting_line(const struct eg_clock_look *look, int64_t newest_ms);

/* At a start, with the store open and no pipeline loaded: from here on `now` is what is believed. */
int eg_doubting_begin(struct eg_doubting *doubting, const struct eg_conf *conf, struct eg_store *store,
                      struct eg_err *err);
void eg_doubting_tell(struct eg_doubting *doubting); /* the first event of all */
void eg_doubting_start(struct eg_doubting *doubting, uv_loop_t *loop);
void eg_doubting_close(struct eg_doubting *doubting);
void eg_doubting_configure(struct eg_doubting *doubting, const struct eg_conf *conf);
/* Is it to be trusted now, and how? Then `now` is the true time from here on. */
/* Somebody says that the wall clock is right. EG_ECONFLICT, EG_EBUSY with a sentence; else the answer comes with the ticket. */
int eg_doubting_by_hand(struct eg_doubting *doubting, uint64_t ticket, struct eg_err *err);
bool eg_doubting_decide(struct eg_doubting *doubting, const struct eg_pipeline *pipeline,
                        struct eg_clock_news *ret);
void eg_doubting_over(struct eg_doubting *doubting); /* and all is dated anew */

#endif
