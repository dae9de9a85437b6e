/* Private to the pipeline: what a case stands on beside its own device (evidence.c). */
#ifndef EG_PIPELINE_EVIDENCE_H
#define EG_PIPELINE_EVIDENCE_H

#include <pipeline/siteindex.h>
#include <pipeline/state.h>

#define EG_EVIDENCE_MOST 64                               /* series of a case, of one kind */
#define EG_EVIDENCE_AROUND_MS (INT64_C(24) * 3600 * 1000) /* of its own series so much is kept in any case */

void eg_evidence_breach(const struct eg_series *series, const struct eg_conf *conf,
                        const struct eg_conf_rule *rule, const struct eg_case *row, struct eg_batch *batch);
void eg_evidence_index(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                       const struct eg_conf_rule *rule, const struct eg_case *row, struct eg_batch *batch);
/* Its newest reading. */
void eg_evidence_silent(const struct eg_pipeline *pipeline, const struct eg_device *device, uint32_t number,
                        struct eg_batch *batch);
void eg_evidence_measured(uint32_t number, uint32_t series, int64_t at_ms, struct eg_batch *batch);

#endif
