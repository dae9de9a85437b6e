/* A rule over the index of sites tried over readings of the past: on the worker's thread of m_backtest.c. */
#ifndef EG_INDEXBACK_H
#define EG_INDEXBACK_H

#include <api/call.h>
#include <pipeline/backtest.h>
#include <store/store.h>

#define EG_INDEXBACK_NOTE 160

struct eg_indexback;

/* What the rule looks at, of the sites it applies to, from `from_ms` to `to_ms`. 0 and *ret, or a refusal. `conf` is the rule's, with the
 * sites of the pipeline's own in the same order; both are borrowed. */
int eg_indexback_prepare(struct eg_call *call, const struct eg_conf *conf, int64_t from_ms, int64_t to_ms,
                         struct eg_indexback **ret);
void eg_indexback_destroy(struct eg_indexback *back);       /* accepts NULL */
int64_t eg_indexback_from(const struct eg_indexback *back); /* readings are wanted from then on */
bool eg_indexback_wants(const struct eg_indexback *back, uint32_t series);
size_t eg_indexback_series(const struct eg_indexback *back);
/* The next reading, series by series, ascending by time. */
void eg_indexback_feed(struct eg_indexback *back, uint32_t series, const struct eg_point *point);
/* When all are in: each episode at a site, with what the index came of when it began. False: no memory. */
bool eg_indexback_tell(struct eg_indexback *back,
                       void (*each)(void *arg, uint32_t site, const struct eg_episode *episode,
                                    const char *note),
                       void *arg);

#endif
