/* The handling of a case: the one table of steps, whoever takes them. Refuses to know who may take a step (govern.c) and what else one
 * brings about (command.c, deadline.c). */
#include <pipeline/handling.h>

#include <stdio.h>
#include <string.h>

#define AT(handling) (1u << (handling))
#define ACTIVE (AT(EG_OPEN) | AT(EG_ACKNOWLEDGED) | AT(EG_ASSIGNED) | AT(EG_IN_PROGRESS) | AT(EG_FIXED))
#define ENDED (AT(EG_CLOSED) | AT(EG_REJECTED))
#define STAYS (-1)

/* A case is over when somebody who did not fix it has looked. Only what needs no look (EG_PROOF_SPARED: a sensor's maintenance, a rule
 * with `close: measured`) is closed without. */
static const struct eg_step steps[] = {
    {"acknowledge", "acknowledged", AT(EG_OPEN), EG_ACKNOWLEDGED, EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
    {"assign", "assigned", ACTIVE & ~AT(EG_FIXED), EG_ASSIGNED, EG_NEEDS_PARTY, false, EG_PROOF_ANY},
    {"start", "started", AT(EG_OPEN) | AT(EG_ACKNOWLEDGED) | AT(EG_ASSIGNED), EG_IN_PROGRESS,
     EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
    {"fix", "fixed", ACTIVE & ~AT(EG_FIXED), EG_FIXED, EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
    {"verify", "verified", AT(EG_FIXED), EG_CLOSED, EG_NEEDS_NOTHING, true, EG_PROOF_ANY},
    {"close", "verified", AT(EG_FIXED), EG_CLOSED, EG_NEEDS_NOTHING, true, EG_PROOF_NEEDED},
    {"close", "closed", ACTIVE, EG_CLOSED, EG_NEEDS_NOTHING, false, EG_PROOF_SPARED},
    {"reject", "rejected", ACTIVE, EG_REJECTED, EG_NEEDS_NOTE, false, EG_PROOF_ANY},
    {"reopen", "reopened", ENDED | AT(EG_FIXED), EG_OPEN, EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
    {"comment", "comment", ACTIVE | ENDED, STAYS, EG_NEEDS_NOTE, false, EG_PROOF_ANY},
    {"@dispute", "disputed", AT(EG_FIXED) | AT(EG_CLOSED), EG_OPEN, EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
    {"@confirm", "confirmed", AT(EG_FIXED) | AT(EG_CLOSED), STAYS, EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
    {"@report", "reported", ACTIVE | ENDED, STAYS, EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
    {"@expire", "expired", AT(EG_ACKNOWLEDGED), EG_OPEN, EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
    {"@over", "closed", ACTIVE, EG_CLOSED, EG_NEEDS_NOTHING, false, EG_PROOF_ANY},
};

bool eg_handling_ended(const struct eg_case *row)
{
    return (AT(row->handling) & ENDED) != 0;
}

static bool of_these(const struct eg_step *step, bool spared)
{
    return step->proof == EG_PROOF_ANY || (step->proof == EG_PROOF_SPARED) == spared;
}

const struct eg_step *eg_handling_step(const char *verb, bool spared)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (!strcmp(steps[i].verb, verb) && of_these(&steps[i], spared))
            return &steps[i];
    return NULL;
}

bool eg_handling_allows(const struct eg_step *step, const struct eg_case *row)
{
    return (step->from & AT(row->handling)) != 0;
}

void eg_handling_allowed(const struct eg_case *row, bool spared, char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < sizeof steps / sizeof *steps && used < size; i++)
        if (*steps[i].verb != '@' && of_these(&steps[i], spared) && eg_handling_allows(&steps[i], row))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", steps[i].verb);
}

static const char *const reasons[EG_REASON_COUNT] = {"false_alarm", "duplicate", "sensor", "other"};

const char *eg_handling_reason(enum eg_reason reason)
{
    return reasons[reason];
}

int eg_handling_reason_find(const char *word)
{
    for (int i = 0; i < EG_REASON_COUNT; i++)
        if (!strcmp(reasons[i], word))
            return i;
    return -1;
}
