/* The pure heart: a fold over events. No I/O, no clock, no log, no libuv, SQLite or libmosquitto.
 *
 *     event ─► route ─► driver.decode ─► admit ─► window ─► rule ─► case ─► batch
 *
 * Its state is a cache of the last commit plus the batch being filled: eg_pipeline_restore_*() rebuild it from the store. */
#ifndef EG_PIPELINE_H
#define EG_PIPELINE_H

#include <index/hours.h>
#include <pipeline/batch.h>
#include <pipeline/event.h>
#include <pipeline/quality.h>

struct eg_pipeline;

/* Marks by which quality control sets a reading aside: it stays, and no statistic takes it. */
#define EG_FLAGS_SET_ASIDE ((unsigned)EG_FLAG_BAD)

/* What the pipeline may ask of the past: committed readings, through a door that the store fills. Rare: only for readings that
 * come out of order. `time` ascending; corrections already applied (newest value per time). */
struct eg_past {
    void *user;
    bool (*lookup)(void *user, uint32_t series, int64_t time_ms, double *ret_value);
    int (*range)(void *user, uint32_t series, int64_t from_ms, int64_t to_ms /* exclusive */,
                 void (*each)(void *arg, int64_t time_ms, double value, uint16_t flags), void *arg);
    /* A case that is not active any more (those the pipeline knows itself); by id or number. */
    bool (*find_case)(void *case_user, const char *id, struct eg_case *ret_case);
    void *case_user;
    /* The bucket as it was written last, into one whose start is set; 0: there is none, `bucket` is untouched. Negative: cannot be told. */
    int (*rollup)(void *user, uint32_t series, enum eg_period period, struct eg_rollup *bucket);
    /* The newest closed or rejected case of a rule at a series; of no series (0), at the site. */
    bool (*find_former)(void *user, const char *rule, uint32_t series, const char *site,
                        struct eg_case *ret_case);
    /* The buckets that begin in a span, ascending, until `each` returns false. NULL: nothing is asked of hours gone by. */
    int (*rollups)(void *user, uint32_t series, enum eg_period period, int64_t from_ms, int64_t to_ms,
                   bool (*each)(void *arg, const struct eg_rollup *bucket), void *arg);
};

/* `conf` is borrowed for the pipeline's life, or until eg_pipeline_configure() replaces it. NULL: no memory. */
struct eg_pipeline *eg_pipeline_create(const struct eg_conf *conf, const struct eg_past *past);
void eg_pipeline_destroy(struct eg_pipeline *pipeline);
/* Forgets all that a store holds, to be rebuilt from one. What the drivers remember, whether the broker is heard, stay. */
int eg_pipeline_begin_anew(struct eg_pipeline *pipeline, struct eg_err *err);
/* SIGHUP: routes and rules anew; devices, series, windows and rule states of rules that kept their id stay. */
int eg_pipeline_configure(struct eg_pipeline *pipeline, const struct eg_conf *conf, struct eg_err *err);
void eg_pipeline_event(struct eg_pipeline *pipeline, const struct eg_event *event, struct eg_batch *batch);
/* Before the batch is committed: what came out of its order is judged now, all of it at once. */
void eg_pipeline_settle(struct eg_pipeline *pipeline, struct eg_batch *batch);
bool eg_pipeline_unsettled(const struct eg_pipeline *pipeline); /* there is something to settle */
/* The earliest time at which a TICK event would change anything; INT64_MAX for never. Beyond `now_ms` it may be too early: then it is
 * to be asked again at that time. */
int64_t eg_pipeline_deadline(struct eg_pipeline *pipeline, int64_t now_ms);

/* Rebuilding, called by eg_store_load() in this order: counters, devices, series, calibrations, tail readings,
 * rule states, cases, told, idents, ids. All copy. Negative (enum eg_code) with a sentence when the row contradicts what is there. */
void eg_pipeline_restore_counters(struct eg_pipeline *pipeline, const struct eg_counters *counters);
int eg_pipeline_restore_device(struct eg_pipeline *pipeline, const struct eg_row_device *row,
                               struct eg_err *err);
void eg_pipeline_restore_rhythm(struct eg_pipeline *pipeline, const struct eg_row_rhythm *row);
void eg_pipeline_restore_standing(struct eg_pipeline *pipeline, const struct eg_row_standing *row);
/* Oldest first. */
int eg_pipeline_restore_device_event(struct eg_pipeline *pipeline, const struct eg_row_device_event *row,
                                     struct eg_err *err);
int eg_pipeline_restore_series(struct eg_pipeline *pipeline, const struct eg_row_series *row,
                               struct eg_err *err);
void eg_pipeline_restore_finding(struct eg_pipeline *pipeline,
                                 const struct eg_row_finding *row); /* after series */
/* Ascending by time for each series; `forget` is not asked for. */
int eg_pipeline_restore_calibration(struct eg_pipeline *pipeline, const struct eg_row_calibration *row,
                                    struct eg_err *err);
/* The newest reading of a series, and when it arrived (for last seen; EG_TIME_NONE: take its time). Before restore_reading. */
int eg_pipeline_restore_last(struct eg_pipeline *pipeline, uint32_t series, int64_t time_ms, double value,
                             uint16_t flags);
/* How far back restore_reading wants this series' readings: the start of the open day or of the longest rule window, whichever is
 * earlier; INT64_MAX when it wants none. Valid after restore_last. */
int64_t eg_pipeline_restore_since(const struct eg_pipeline *pipeline, uint32_t series);
/* Per series ascending by time (series in any order). Fills windows and the open rollups; evaluates no rule. */
void eg_pipeline_restore_reading(struct eg_pipeline *pipeline, uint32_t series, int64_t time_ms, double value,
                                 uint16_t flags);
void eg_pipeline_restore_rule_state(struct eg_pipeline *pipeline, const struct eg_row_rule_state *row);
int eg_pipeline_restore_case(struct eg_pipeline *pipeline, const struct eg_case *row,
                             struct eg_err *err); /* not closed */
int eg_pipeline_restore_told(struct eg_pipeline *pipeline, const struct eg_row_told *row, struct eg_err *err);
void eg_pipeline_restore_ident(struct eg_pipeline *pipeline, uint16_t mid, uint32_t hash); /* oldest first */
void eg_pipeline_restore_ids(struct eg_pipeline *pipeline, uint32_t last_case, int64_t last_outbox);
/* The clock is in doubt since then; devices up to `known` were there before. */
void eg_pipeline_restore_doubt(struct eg_pipeline *pipeline, int64_t since_ms, uint32_t known);
/* What readings said of their own time in it, in the order in which they came. */
void eg_pipeline_restore_said(struct eg_pipeline *pipeline, uint32_t series, double value, int64_t own_ms);

int eg_pipeline_restore_silence(struct eg_pipeline *pipeline, const struct eg_silence *row,
                                struct eg_err *err);
int eg_pipeline_restore_suppressed(struct eg_pipeline *pipeline, const struct eg_row_suppressed *row,
                                   struct eg_err *err);
/* An active case's condition or level changed then; oldest first, since it last came back to life. */
int eg_pipeline_restore_change(struct eg_pipeline *pipeline, uint32_t case_number, int64_t known_ms,
                               int64_t at_ms);

/* What the edges may look at between events (main thread). */
/* Since when the clock is in doubt; EG_TIME_NONE: it is not. */
int64_t eg_pipeline_doubted(const struct eg_pipeline *pipeline);
/* While it is: as many devices as the configuration asks for agree with each other how far ahead the true time is. */
bool eg_pipeline_agreed(const struct eg_pipeline *pipeline, int64_t *ret_ahead_ms);
const struct eg_counters *eg_pipeline_counters(const struct eg_pipeline *pipeline);
struct eg_device_view {
    uint32_t id, conf_site /* EG_CONF_NONE when the site left the configuration */;
    const char *site, *domain, *device, *name;
    const char *land_use; /* "" where nobody said */
    int64_t last_seen_ms, interval_ms /* learned, 0 = unknown */, silent_after_ms;
    size_t series_count;
    uint64_t faults;                /* since the daemon started, like those that follow */
    uint64_t heard, lost, repeated; /* messages by the device's own counter; all 0 when it has none */
    uint32_t restarts;              /* by its uptime or that counter, whichever tells of more */
    const char *fault;              /* the last one, a sentence; NULL: none */
    int64_t fault_ms;
    const struct eg_conf_device *described; /* NULL: not by hand */
    bool gone;                              /* has left, and is silent whatever its rhythm says */
    bool by_hand;                           /* people enter what it says: nobody waits to hear of it */
    bool retired;                           /* out of service */
    int64_t retired_ms, retired_heard_ms;   /* by people, and heard since; EG_TIME_NONE */
    const char *retired_by, *retired_note;
};
struct eg_series_view {
    uint32_t id, device;
    uint16_t quantity, last_flags;
    const char *channel;
    bool has_last;
    int64_t last_ms;
    double last_value;
    struct eg_rollup hour, day;               /* the open ones; count 0 = none */
    int64_t hour_interval_ms;                 /* so long a reading of that hour speaks for (pace.h) */
    struct eg_dayknown day_known;             /* of the open day, by its hours but the open one */
    double day_mean;                          /* of the open day's hours; NAN: it has no reading */
    struct eg_doubts hour_doubts, day_doubts; /* readings in the time of these */
    struct eg_verdict_of_quality quality;
    int64_t noisy_ms, drifting_ms; /* since when its hours say so; EG_TIME_NONE */
};
size_t eg_pipeline_device_count(const struct eg_pipeline *pipeline); /* ids are 1 … count */
bool eg_pipeline_device(const struct eg_pipeline *pipeline, uint32_t id, struct eg_device_view *ret_view);
uint32_t eg_pipeline_device_series(const struct eg_pipeline *pipeline, uint32_t device,
                                   size_t index);                    /* series id */
size_t eg_pipeline_series_count(const struct eg_pipeline *pipeline); /* ids are 1 … count */
bool eg_pipeline_series(const struct eg_pipeline *pipeline, uint32_t id, struct eg_series_view *ret_view);
/* From which hour since the epoch on it says nothing more: its device was taken out of service. INT64_MAX: it is in service. */
int64_t eg_pipeline_serves_until(const struct eg_pipeline *pipeline, uint32_t series);
/* The series' readings of that time are scaled or shifted by its calibration. */
bool eg_pipeline_calibrated(const struct eg_pipeline *pipeline, uint32_t series, int64_t time_ms);
/* What the device had said, of a reading flagged `calibrated`: to twelve digits. False: not known. */
bool eg_pipeline_original(const struct eg_pipeline *pipeline, uint32_t series, int64_t time_ms, double value,
                          double *ret);
/* The valid means of an air pollutant's hours that end at `end_ms`, one before it, … ; newest first, EG_NANO_NONE where there is none, and
 * all of them for what is no pollutant. */
void eg_pipeline_hours(const struct eg_pipeline *pipeline, uint32_t series, int64_t end_ms,
                       int64_t ret_nano[EG_AIR_HOURS]);
const struct eg_conf *eg_pipeline_conf(const struct eg_pipeline *pipeline);
/* Cases that are not closed or rejected, ascending by number. NULL behind the last. */
const struct eg_case *eg_pipeline_case_at(const struct eg_pipeline *pipeline, size_t index);
/* No more can be active at a time: breaches open no case until people have closed some. */
bool eg_pipeline_cases_full(const struct eg_pipeline *pipeline);
/* What a party would be told of a case, added to the three; false: there is no such party. */
bool eg_pipeline_preview(const struct eg_conf *conf, const struct eg_case *row, const char *party,
                         int64_t now_ms, struct eg_buf *title, struct eg_buf *text, struct eg_buf *line);
/* Is nobody told of this case now, and why? The texts live until the next event. */
enum eg_suppressor {
    EG_SUPPRESSED_NOT,
    EG_SUPPRESSED_BY_SILENCE,
    EG_SUPPRESSED_BY_MAINTENANCE,
    EG_SUPPRESSED_BY_FLAPPING
};
struct eg_suppression {
    enum eg_suppressor by; /* what lasts longest */
    bool said;             /* a silence or a window is among what holds it back */
    int64_t until_ms;
    char id[64]; /* of the silence or the window; "" */
    const char *reason;
};
const char *eg_suppressor_name(enum eg_suppressor by); /* "silence" "maintenance" "flapping" */
bool eg_pipeline_suppression(const struct eg_pipeline *pipeline, const struct eg_case *row, int64_t now_ms,
                             struct eg_suppression *ret);
/* The keys of an open object. State: "pending" "active" "expired" "removed". */
struct eg_json;
void eg_silence_write(struct eg_json *json, const struct eg_silence *row, int64_t now_ms);
const char *eg_silence_state(const struct eg_silence *row, int64_t now_ms);
/* By number; NULL when it is not active. Its last and peak values are newer than in the store, which hears of events only. */
const struct eg_case *eg_pipeline_case_active(const struct eg_pipeline *pipeline, uint32_t number);
/* Per source: messages by verdict. */
void eg_pipeline_source_counts(const struct eg_pipeline *pipeline, size_t source,
                               uint64_t ret_counts[EG_VERDICT_COUNT]);

#endif
