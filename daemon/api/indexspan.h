/* Which hours or days of an index are asked for, what its answer is wrapped in, and the way to a history of soil or waste. */
#ifndef EG_INDEXSPAN_H
#define EG_INDEXSPAN_H

#include <api/call.h>
#include <index/land.h>

#define EG_INDEX_SPAN_HOURS (800 * 24) /* two years and the days around them */
#define EG_INDEX_LIMIT 1000            /* points, where nobody says */
#define EG_INDEX_SOURCES 64            /* series that are named in an answer */

struct eg_index_span {
    int64_t from_ms,
        to_ms; /* [from, to): from is the start of an hour or a local day, to is not beyond now */
};
/* From "from", "to", "resolution" and "cursor". ret_days NULL: the index is told by the hour only. 0, or a refusal. */
int eg_index_span_find(struct eg_call *call, bool *ret_days, struct eg_index_span *ret_span);

/* The hour that begins at `at_ms`, or the local day that holds it. False: it is not over yet. */
bool eg_index_step(const struct eg_call *call, bool days, int64_t at_ms, int64_t *ret_start_ms,
                   int64_t *ret_end_ms);

/* The answer: up to its points, with the series the index is made of (those that are gone are left out), and behind them. next_ms: where
 * the next question begins, or EG_TIME_NONE. */
void eg_index_open(struct eg_call *call, const char *index, const char *device /* or NULL */, bool days,
                   const uint32_t *series, size_t count);
void eg_index_close(struct eg_call *call, int64_t next_ms);

/* m_land.c: of all devices in the scope, or of those with that name. */
int eg_m_land_history(struct eg_call *call, enum eg_land_index index, const struct eg_scope *scope,
                      const char *name);

#endif
