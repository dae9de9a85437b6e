/* Which hours or days of an index are asked for, and the way to a history of soil or waste. */
#ifndef EG_INDEXSPAN_H
#define EG_INDEXSPAN_H

#include <api/call.h>
#include <index/land.h>

#define EG_INDEX_SPAN_HOURS (800 * 24) /* two years and the days around them */
#define EG_INDEX_LIMIT 1000            /* points, where nobody says */

struct eg_index_span {
    int64_t from_ms,
        to_ms; /* [from, to): from is the start of an hour or a local day, to is not beyond now */
};
/* From "from", "to", "resolution" and "cursor". ret_days NULL: the index is told by the hour only. 0, or a refusal. */
int eg_index_span_find(struct eg_call *call, bool *ret_days, struct eg_index_span *ret_span);

/* m_land.c: of all devices in the scope, or of those with that name. */
int eg_m_land_history(struct eg_call *call, enum eg_land_index index, const struct eg_scope *scope,
                      const char *name);

#endif
