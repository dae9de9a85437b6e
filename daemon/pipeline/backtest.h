/* A rule over readings of the past: when it would have been beyond its limits, with the very code that judges live. */
#ifndef EG_BACKTEST_H
#define EG_BACKTEST_H

#include <pipeline/circumstance.h>
#include <pipeline/pipeline.h>

struct eg_backtest; /* one rule at one series */

/* From the breach to the reading at which the rule was content again. (A real case goes on until people close it.) */
struct eg_episode {
    int64_t opened_ms;   /* event time of the breach */
    int64_t known_ms;    /* the reading at which `hold` was over */
    int64_t ended_ms;    /* EG_TIME_NONE: it still held at the last reading */
    enum eg_level level; /* the worst */
    double peak_value;
    int64_t peak_ms;
};

/* After the rule was judged, `before` having been its level. True: an episode has ended with it. */
bool eg_episode_go_on(const struct eg_conf_rule *rule, const struct eg_rule_state *state,
                      enum eg_level before, int64_t time_ms, double value, struct eg_episode *now,
                      struct eg_episode *ret_ended);

/* Readings of a series that the rule looks at, too; ascending by time. Borrowed for the backtest's life. */
struct eg_beside {
    unsigned partner; /* index in the rule's partners */
    bool same_channel;
    const struct eg_beside_point {
        int64_t time_ms;
        double value;
    } * points;
    size_t count;
};
/* Borrowed rule and place; `beside` is copied. NULL: no memory */
struct eg_backtest *eg_backtest_create(const struct eg_conf_rule *rule, const struct eg_place *place,
                                       const struct eg_beside *beside, size_t count);
void eg_backtest_destroy(struct eg_backtest *backtest); /* accepts NULL */
/* The next reading, ascending by time. True: an episode has ended with it. */
bool eg_backtest_feed(struct eg_backtest *backtest, int64_t time_ms, double value,
                      struct eg_episode *ret_episode);
/* After the last one. True: an episode still holds. */
bool eg_backtest_last(const struct eg_backtest *backtest, struct eg_episode *ret_episode);

/* The rule looks at that series; `conf` is the rule's, with the sites of the pipeline's own in the same order. */
bool eg_pipeline_rule_applies(const struct eg_pipeline *pipeline, const struct eg_conf *conf,
                              const struct eg_conf_rule *rule, uint32_t series);
/* Where it is, in `conf`. */
struct eg_place eg_pipeline_place(const struct eg_pipeline *pipeline, const struct eg_conf *conf,
                                  uint32_t series);

#endif
