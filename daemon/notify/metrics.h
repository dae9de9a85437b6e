/* The daemon in Prometheus' text format 0.0.4: what it counted, the latest values, open cases, store, outbox, faults. Knows names,
 * types and the format; where the text goes, it does not know (textfile.h). */
#ifndef EG_METRICS_H
#define EG_METRICS_H

#include <base/fault.h>
#include <notify/lanes.h>

#define EG_METRICS_READINGS_MAX 5000 /* values in one text; the rest are counted, not shown */
#define EG_METRICS_BYTES_MAX ((size_t)16 << 20)

/* What the pipeline's views do not tell. */
struct eg_metrics_state {
    int64_t started_ms, now_ms;
    bool broker_connected;
    const struct eg_faults *faults;
    struct eg_counters counters;
    unsigned long commits;
    int64_t last_commit_us;
    struct eg_store_figures store;
    struct eg_lanes_figures outbox;
};
/* Into an empty `out`, which fails when there is no memory or no room. */
void eg_metrics_write(struct eg_buf *out, const struct eg_pipeline *pipeline,
                      const struct eg_metrics_state *state);

#endif
