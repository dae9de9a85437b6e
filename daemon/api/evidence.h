/* What a case stands on (cases.show). */
#ifndef EG_EVIDENCE_H
#define EG_EVIDENCE_H

#include <api/call.h>
#include <pipeline/batch.h>

/* "evidence":[…] into the call's answer, and "index" or "devices" where the case is about those; negative: it has failed, and says so. */
int eg_evidence_write(struct eg_call *call, const struct eg_case *row);
/* Of which series: keys of an open object. */
void eg_evidence_head(struct eg_json *json, const struct eg_device_view *device,
                      const struct eg_series_view *series);

#endif
