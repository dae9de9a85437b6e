/* The table of what may be done with a case, and when. */
#ifndef EG_HANDLING_H
#define EG_HANDLING_H

#include <pipeline/batch.h>

enum eg_needs { EG_NEEDS_NOTHING, EG_NEEDS_NOTE, EG_NEEDS_PARTY };
struct eg_step {
    const char *verb; /* what is asked; those of the daemon itself begin with '@' */
    const char *kind; /* what the history says */
    unsigned from;    /* bit per enum eg_handling: where it is allowed */
    int to;           /* enum eg_handling, or -1: stays */
    enum eg_needs needs;
    bool looks; /* it says that the matter is over: who fixed it does not say so */
    enum eg_proof { EG_PROOF_ANY, EG_PROOF_NEEDED, EG_PROOF_SPARED } proof; /* of which cases it is true */
};

bool eg_handling_ended(const struct eg_case *row); /* closed or rejected */
/* `spared`: the case may be closed without a verification. NULL: no such verb. */
const struct eg_step *eg_handling_step(const char *verb, bool spared);
bool eg_handling_allows(const struct eg_step *step, const struct eg_case *row);
/* "acknowledge, assign, … or comment": what may be asked of a case as it stands. */
void eg_handling_allowed(const struct eg_case *row, bool spared, char *text, size_t size);

/* Why a case is none. */
enum eg_reason {
    EG_REASON_FALSE_ALARM,
    EG_REASON_DUPLICATE,
    EG_REASON_SENSOR,
    EG_REASON_OTHER,
    EG_REASON_COUNT
};
const char *eg_handling_reason(enum eg_reason reason); /* "false_alarm" "duplicate" "sensor" "other" */
int eg_handling_reason_find(const char *word);         /* -1: there is no such reason */

#endif
