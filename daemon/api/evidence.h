/* The readings that a case stands on (cases.show). */
#ifndef EG_EVIDENCE_H
#define EG_EVIDENCE_H

#include <api/call.h>
#include <pipeline/batch.h>

/* "evidence":[…] into the call's answer; negative: it has failed, and says so. */
int eg_evidence_write(struct eg_call *call, const struct eg_case *row);

#endif
