/* Who has fallen silent, and what that makes of cases. Private to the pipeline. */
#ifndef EG_UNHEARD_H
#define EG_UNHEARD_H
#include <pipeline/state.h>

/* It was heard, by a message that arrived at `now_ms`. */
void eg_unheard_heard(struct eg_pipeline *pipeline, struct eg_device *device, int64_t now_ms,
                      struct eg_batch *batch);
/* A reading of it came. */
void eg_unheard_spoke(struct eg_pipeline *pipeline, const struct eg_series *series);
/* A reading of that time says nothing of how it is now. */
bool eg_unheard_old(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t time_ms,
                    int64_t now_ms);
void eg_unheard_link(struct eg_pipeline *pipeline, bool up, int64_t now_ms);
/* So long it may be silent. */
int64_t eg_unheard_after(const struct eg_pipeline *pipeline, const struct eg_device *device);
/* The first moment of its silence; INT64_MAX: it is silent, or was never heard. */
int64_t eg_unheard_due(const struct eg_pipeline *pipeline, const struct eg_device *device);
int64_t eg_unheard_wake(struct eg_pipeline *pipeline, int64_t now_ms); /* when the next one does */
void eg_unheard_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);

#endif
