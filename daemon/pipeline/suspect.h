/* Sensors in doubt. Private to the pipeline. */
#ifndef EG_SUSPECT_H
#define EG_SUSPECT_H
#include <pipeline/state.h>

/* After a reading that is the series' newest. */
void eg_suspect_look(struct eg_pipeline *pipeline, struct eg_series *series, int64_t now_ms,
                     struct eg_batch *batch);
/* A case is active from here on, or not any more. */
void eg_suspect_case(struct eg_pipeline *pipeline, const struct eg_case *row, bool begins);
/* recur.c: the newest of that kind, rule and series that ended, as this turn left it, else as the past knows it. */
bool eg_recur_former(const struct eg_pipeline *pipeline, enum eg_case_kind kind, const char *rule,
                     uint32_t series, const char *site, const struct eg_batch *batch, struct eg_case *ret);
#endif
