/* Private to the pipeline: what of the rules' way of judging its files share. Included by state.h, which says what the structs hold. */
#ifndef EG_JUDGING_H
#define EG_JUDGING_H

#include <pipeline/circumstance.h>
#include <pipeline/doubt.h>
#include <pipeline/pipeline.h>
#include <pipeline/window.h>

struct eg_device;
struct eg_series;
struct eg_watch;
struct eg_rhythm;
struct eg_rollup;

/* rule.c */
/* The rules by quantity, so that a series is held against those of its own only. False: no memory. */
bool eg_rule_sort(struct eg_pipeline *pipeline, const struct eg_conf *conf);
bool eg_rule_applies(const struct eg_conf *conf, const struct eg_conf_rule *rule,
                     const struct eg_device *device, const struct eg_series *series);
/* Gives the series its watches for the rules of conf; states of those with the same id are carried over. False: no memory. */
bool eg_rule_bind(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_conf *old);
void eg_rule_unbind(struct eg_series *series);
struct eg_window *
eg_rule_window(const struct eg_conf_rule *rule); /* an empty one for its statistic; NULL: no memory */
void eg_rule_write_state(const struct eg_pipeline *pipeline, const struct eg_series *series,
                         const struct eg_watch *watch, struct eg_batch *batch);
/* A case was reopened: its rule watches it again, now or when it comes back. False: no memory. */
bool eg_rule_recall_case(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch);
/* What happened from `from_ms` to `to_ms` happened so much later. */
struct eg_redating {
    int64_t from_ms, to_ms, later_ms;
};
void eg_redate(int64_t *ms, const struct eg_redating *by); /* doubt.c: a moment in it */
void eg_siteindex_redate(struct eg_pipeline *pipeline, const struct eg_redating *by, struct eg_batch *batch);
void eg_rule_redate(struct eg_pipeline *pipeline, const struct eg_redating *by, struct eg_batch *batch);
void eg_rule_forget_case(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch);

/* rhythm.c: how long a reading speaks for, by those before it */
void eg_rhythm_add(struct eg_rhythm *rhythm, int64_t ms);
int64_t eg_rhythm_newest(const struct eg_rhythm *rhythm); /* EG_TIME_NONE */
/* For how much of the time before it a reading at `ms`, not added yet, speaks in a window: up to the reading before, unless that is
 * longer ago by more than a quarter than the longest of the fifteen distances before: then for that one; and never for more than an hour.
 * 0: there is none in the four hours before, which are all that matters. */
int64_t eg_rhythm_spoken(const struct eg_rhythm *rhythm, int64_t ms);
/* How much of (before, at] nobody observed. None, up to the rule's `gap`, or the device's `silent_after`, or three times the usual distance
 * of the readings and ten minutes; beyond that, all but the usual distance. `before` may be EG_TIME_NONE. */
int64_t eg_rhythm_unobserved(const struct eg_rhythm *rhythm, const struct eg_conf_rule *rule,
                             const struct eg_device *device, int64_t before_ms, int64_t at_ms);
int64_t eg_rhythm_speaks(const struct eg_rhythm *rhythm, const struct eg_conf_rule *rule,
                         const struct eg_device *device,
                         int64_t at_ms); /* up to how far the reading before one at `at_ms` */
/* After a restart: as far back as it has to be known before a reading at `before_ms` is judged. False: no memory. */
bool eg_rhythm_complete(struct eg_pipeline *pipeline, struct eg_series *series, int64_t before_ms,
                        const struct eg_batch *batch);

/* partner.c: series that rules at others look at */
/* Links a new series with those that are there. False: no memory. */
bool eg_partner_bind(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_batch *batch);
bool eg_partner_bind_all(struct eg_pipeline *pipeline); /* after a new configuration; no batch is open */
void eg_partner_unbind(struct eg_series *series);
/* Its newest judged reading, its lookouts' windows anew from the readings. */
bool eg_partner_refill(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_batch *batch);
/* How far back its lookouts want readings. */
int64_t eg_partner_since(const struct eg_series *series);
/* Of a reading at `time_ms`: those who looked past it already are judged anew. */
void eg_partner_tell(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t time_ms,
                     struct eg_batch *batch);
/* What the watch's links show at its series' newest reading. False: they are ahead of it, or unsettled. */
bool eg_partner_level(const struct eg_pipeline *pipeline, const struct eg_series *series,
                      const struct eg_watch *watch);
#define EG_LINKS_MAX 64
size_t eg_partner_sights(const struct eg_pipeline *pipeline, const struct eg_watch *watch,
                         struct eg_sight ret_sights[EG_LINKS_MAX]);
struct eg_place eg_partner_place(const struct eg_pipeline *pipeline, const struct eg_series *series);

/* judge.c */
struct eg_seen { /* what a rule sees at a reading */
    double value;
    bool valid;                    /* as much of the window is spoken for as the rule demands */
    int64_t observed_ms, width_ms; /* 0 where the rule does not need them */
    enum eg_blind blind;           /* of what could not be seen */
};
/* The one place that says what a rule sees: its statistic at a reading of that value, its window filled up to it. False: there is no such
 * value, or not a valid one (`valid` tells which), and nothing is judged. */
bool eg_judge_look(const struct eg_conf_rule *rule, struct eg_window *window, int64_t at_ms, double value,
                   struct eg_seen *ret);
/* Runs the timers of each level to the reading; gives the level that holds now. `unobserved_ms`: of the time since the one before. */
struct eg_reach {
    const struct eg_conf_limit *levels;
    bool holds; /* the rule's further conditions do */
    int64_t at_ms, unobserved_ms;
    double value;
};
enum eg_level eg_judge_advance(const struct eg_conf_rule *rule, struct eg_rule_state *state,
                               const struct eg_reach *reach);
void eg_judge_nothing(struct eg_rule_state *state); /* as before the first reading */
/* Before a reading at `next_ms` is judged: keeps `now` where a stretch of late_limit ends. True: it was kept. */
bool eg_judge_checkpoint(const struct eg_conf *conf, struct eg_checkpoint checkpoints[EG_CHECKPOINTS],
                         const struct eg_checkpoint *now, int64_t next_ms);
/* Where nothing mattered no checkpoint was written: finds it among the readings. Before one is looked at, or written. False: no memory. */
bool eg_judge_catch_up(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_watch *watch);
/* Of a rule that is new to the series, and nothing is known of: all was well. */
void eg_judge_begin(const struct eg_series *series, struct eg_watch *watch);
/* All that came up to now is settled: it is not judged anew. */
void eg_judge_settle(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_watch *watch);
void eg_judge_restore(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_watch *watch,
                      const struct eg_row_rule_state *row);
/* `checkpoints` may be NULL. True: something moved. */
bool eg_judge_redate(struct eg_rule_state *state, struct eg_checkpoint *checkpoints,
                     const struct eg_redating *by);
/* Judges the rules of the series at its newest reading, but for those that look at others, too. */
void eg_judge_newest(struct eg_pipeline *pipeline, struct eg_series *series, int64_t now_ms,
                     struct eg_batch *batch);
/* Those: noted, and judged when the event is over. `before_ms`: the newest reading before. */
void eg_judge_defer(struct eg_pipeline *pipeline, struct eg_series *series, int64_t before_ms,
                    struct eg_batch *batch);
void eg_judge_deferred(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);
/* A case's last value is written with its events only, so that not every reading costs a page: a restart finds it among the readings
 * again. Where it could not be found there, it is written before. */
void eg_judge_recall_last(struct eg_pipeline *pipeline, struct eg_case *row);
/* Instead of eg_judge_newest(): the reading is of a kind that is not judged. */
void eg_judge_pass_over(struct eg_pipeline *pipeline, struct eg_series *series, bool judged_before,
                        struct eg_batch *batch);

/* rejudge.c: the readings from `from_ms` on are judged anew, with this turn. */
void eg_rejudge_mark(struct eg_pipeline *pipeline, struct eg_series *series, int64_t from_ms,
                     struct eg_batch *batch);

/* siterule.c: rules over the index of a site */
/* Anew after a configuration, states carried over; once the sites of the devices are known. False: no memory. */
bool eg_siteindex_bind_all(struct eg_pipeline *pipeline, const struct eg_conf *old);
/* It is new. `batch`: it was heard just now; NULL: it was there. */
bool eg_siteindex_bind(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_batch *batch);
void eg_siteindex_finish(struct eg_pipeline *pipeline);
/* An hour of the series is over. */
void eg_siteindex_closed(struct eg_pipeline *pipeline, const struct eg_series *series);
/* A reading of it came, or is judged otherwise, that may be judged. Gives the start of its hour: asked once for it while it lasts. */
int64_t eg_siteindex_hear(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t time_ms,
                          int64_t now_ms, struct eg_batch *batch);
void eg_siteindex_tick(struct eg_pipeline *pipeline, int64_t now_ms);
/* siteindex.c. At the end of an event, and of settling: judges what is over; settling, what has changed, too. */
void eg_siteindex_judge(struct eg_pipeline *pipeline, int64_t now_ms, bool settling, struct eg_batch *batch);
void eg_siteindex_restore(struct eg_pipeline *pipeline, const struct eg_row_rule_state *row);
/* A case that is active again, or was found at a start: its rule follows it. An ended one: what came up to now is settled. */
void eg_siteindex_recall(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch);
void eg_siteindex_forget(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch);
/* From then on nobody knows how its case stands; INT64_MAX: it is of no index. */
int64_t eg_siteindex_due(const struct eg_pipeline *pipeline, const struct eg_case *row);

/* gather.c */
struct eg_gathered {
    int64_t time_ms;
    double value;
    size_t order;
    uint16_t flags, was; /* was: before review.c has looked at it */
    size_t batch_row;    /* where in the batch, from 1; 0: it is committed */
};
struct eg_gather { /* zeroed at first; serves again */
    struct eg_gathered *rows;
    size_t count, capacity;
    bool failed;
};
/* All readings of [from, to). False: no memory, or they could not be read. */
bool eg_gather_span(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t from_ms,
                    int64_t to_ms, const struct eg_batch *batch, struct eg_gather *gather);
/* The same, and so much before `from_ms` that `count` readings that may be judged are among those up to it, and all of `width_ms` before
 * the first of these; or all there are. */
bool eg_gather_back(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t from_ms,
                    int64_t to_ms, size_t count, int64_t width_ms, const struct eg_batch *batch,
                    struct eg_gather *gather);
void eg_gather_finish(struct eg_gather *gather);

#endif
