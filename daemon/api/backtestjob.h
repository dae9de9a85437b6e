/* A trial of a rule under way: m_backtest.c runs it, backtestjob.c tells what came of it. */
#ifndef EG_BACKTESTJOB_H
#define EG_BACKTESTJOB_H

#include <api/indexback.h>
#include <base/json.h>
#include <pipeline/backtest.h>

#include <stdatomic.h>
#include <uv.h>

struct eg_backtest_found {
    uint32_t series; /* 0: it is of the index of a site */
    uint32_t site;   /* of an index: in the configuration */
    struct eg_episode episode;
    char *note; /* Owned, likewise: what it came of; NULL */
};
/* What is read of a series that the rule looks at beside others. */
struct eg_backtest_pile {
    struct eg_beside_point *points;
    size_t count, capacity;
};
struct eg_backtest_known { /* of a series; the worker must not ask the pipeline */
    struct eg_place place; /* land_use: Owned, the others stay as long as the pipeline */
    uint32_t device;
    uint16_t quantity;
};
struct eg_backtest_job {
    uv_work_t work;
    struct eg_desk *desk;
    atomic_bool stop;
    uint64_t ticket; /* 0: nobody waits for the answer */
    int64_t from_ms, to_ms;
    struct eg_conf *conf; /* Owned: the rule and the sites it names */
    struct eg_export *snapshot;
    bool *wanted;                    /* by series: the rule looks at it */
    struct eg_backtest_known *known; /* by series */
    size_t series_count, series_wanted;
    struct eg_export *beside;       /* NULL: the rule looks at nothing else */
    struct eg_backtest_pile *piles; /* by series */
    size_t beside_points;
    struct eg_indexback *index; /* NULL: the rule is over series */
    /* while it runs */
    struct eg_backtest *running;
    uint32_t running_series;
    uint64_t readings, episodes;
    struct eg_backtest_found *found;
    size_t found_count, found_capacity;
    struct eg_err err;
    int code;
};

/* The answer. 0, or an enum eg_code, negative, with a sentence in job->err. On the main thread. */
int eg_backtestjob_tell(struct eg_backtest_job *job, struct eg_json *json);

#endif
