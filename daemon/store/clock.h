/* The clock's last doubt, as table clock tells it. Private to the store. */
#ifndef EG_STORE_CLOCK_H
#define EG_STORE_CLOCK_H
#include <pipeline/batch.h>

struct eg_pipeline;
struct eg_store;

enum eg_clock_state {
    EG_CLOCK_NEVER = -1,
    EG_CLOCK_IN_DOUBT,
    EG_CLOCK_DATING, /* trusted; what was dated meanwhile is being dated anew (redate.c) */
    EG_CLOCK_DATED,
    EG_CLOCK_LEFT /* the machine was started anew: nobody will ever know */
};
struct eg_clock_row {
    int64_t id, since_ms, until_ms, shift_ms, latest_ms, boot_us;
    int64_t from_seq, to_seq; /* turns (from, to] */
    int64_t dated_seq;        /* up to there they are dated anew */
    uint32_t dated_series;    /* and hours and days, of series up to there */
    uint64_t stored;          /* r_stored as of from_seq */
    enum eg_clock_state state;
    char boot[40], why[24], how[24];
};

/* clock.c */
int eg_clock_open(struct eg_store *store, struct eg_err *err);
int eg_clock_put(struct eg_store *store, const struct eg_batch *batch); /* an SQLite code */
int eg_clock_put_own(struct eg_store *store, const struct eg_batch *batch);
/* The doubt, if it goes on, into a pipeline whose devices and series are there. */
int eg_clock_load(struct eg_store *store, struct eg_pipeline *pipeline, struct eg_err *err);
/* Turns behind that are not sealed: they may be dated anew. Readings that were stored up to there. */
int64_t eg_clock_seal_to(const struct eg_store *store);
uint64_t eg_clock_seal_stored(const struct eg_store *store);

/* redate.c */
struct eg_dating; /* of series, as far as it lies in memory */
void eg_redate_finish(struct eg_store *store);

#endif
