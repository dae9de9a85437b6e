/* The hours an air quality index of a site was made of, when a case of it was opened. */
#ifndef EG_EVIDENCE_AIR_H
#define EG_EVIDENCE_AIR_H

#include <api/call.h>
#include <index/air.h>
#include <pipeline/batch.h>

struct eg_evidence_air { /* what came of them */
    bool told, american;
    int64_t start_ms, end_ms; /* of the hour or the day */
    struct eg_aqi aqi;
};
/* An element of "evidence" for each series whose hours counted; negative: it has failed, and says so. */
int eg_evidence_air_write(struct eg_call *call, const struct eg_case *row, const struct eg_conf_rule *rule,
                          const uint32_t *series, size_t count, struct eg_evidence_air *ret);
/* "index":{…} */
void eg_evidence_air_index(struct eg_json *json, const struct eg_evidence_air *air);

#endif
