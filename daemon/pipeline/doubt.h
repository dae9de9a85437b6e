/* The gateway's clock in doubt. Private to the pipeline. */
#ifndef EG_DOUBT_H
#define EG_DOUBT_H
#include <pipeline/batch.h>
#include <pipeline/event.h>

struct eg_device;
struct eg_pipeline;
struct eg_series;
struct eg_speakers;

/* Is the gateway's clock in doubt? doubt.c. */
#define EG_DOUBT_VOTES 64
struct eg_clock_doubt {
    bool on;
    int64_t since_ms; /* what was dated from here on is */
    uint32_t known;   /* devices that were there before: the others have no vote */
    struct eg_vote {
        uint32_t device;
        int64_t ahead_ms; /* of our clock is its own */
    } votes[EG_DOUBT_VOTES];
    size_t vote_count;
    struct eg_said_set *said; /* what readings said of their own time meanwhile; NULL: none did */
};

void eg_doubt_take(struct eg_pipeline *pipeline, const struct eg_clock_news *news, int64_t now_ms,
                   struct eg_batch *batch);
/* Of a reading, before it is admitted. Where it comes alive while the clock is in doubt: flags it, where it will be dated by arrival. What
 * it says of its own time, if that is ahead of our clock, is given back, and is nothing to be dated by for now; 0: nothing. */
int64_t eg_doubt_date(const struct eg_speakers *speakers, const struct eg_device *device,
                      struct eg_reading *reading);
/* It came before: the same value of the same time of its own. The last EG_SAID_MOST of all series are known, also after a restart. */
#define EG_SAID_MOST 65536
bool eg_doubt_said(const struct eg_pipeline *pipeline, uint32_t series, double value, int64_t own_ms);
/* `at` in the batch; if it is there. */
void eg_doubt_keep(struct eg_pipeline *pipeline, int64_t own_ms, size_t at, struct eg_batch *batch);
void eg_doubt_finish(struct eg_clock_doubt *doubt);

/* deadline.c: none ran meanwhile; one that is due begins now. True: the case has one now. */
bool eg_deadline_catch_up(const struct eg_pipeline *pipeline, struct eg_case *row, int64_t now_ms);

#endif
