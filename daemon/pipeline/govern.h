/* Who leads a case, who is told, and who may say what: modes of governance. */
#ifndef EG_GOVERN_H
#define EG_GOVERN_H

#include <pipeline/batch.h>
#include <pipeline/event.h>

/* What the handling of this case is held to; NULL: nothing (its rule left the configuration). */
const struct eg_conf_terms *eg_govern_terms(const struct eg_conf *conf, const struct eg_case *row);
/* Mode and lead of a fresh case. */
void eg_govern_begin(const struct eg_conf *conf, struct eg_case *row);
/* It may be closed without a verification. */
bool eg_govern_spared(const struct eg_conf *conf, const struct eg_case *row);

/* The site whose parties are asked at this rung of the escalation (0: the case's own, or the first above it that has any); EG_CONF_NONE:
 * there is none so high. */
uint32_t eg_govern_rung(const struct eg_conf *conf, const struct eg_case *row, uint32_t rung);
/* The first party of a sector at the site or above it; government: `is`. EG_CONF_NONE. */
uint32_t eg_govern_first(const struct eg_conf *conf, uint32_t site, bool government, bool is);
/* By whose working hours it is handled now; NULL: all hours. */
const struct eg_conf_calendar *eg_govern_calendar(const struct eg_conf *conf, const struct eg_case *row);

/* For whom a command speaks: the party it names, else one the user is a member of; EG_CONF_NONE. */
uint32_t eg_govern_party(const struct eg_conf *conf, const struct eg_case *row,
                         const struct eg_command *command);
/* Why this user may not speak for the party he names, or may not say that the matter is over; EG_OK. */
enum eg_code eg_govern_objection(const struct eg_conf *conf, const struct eg_case *row,
                                 const struct eg_command *command, bool looks, char *text, size_t size);

/* audience.c: the parties that an event is meant for, each once, the first reason first. Whom an alarm is called off for, who was told
 * of it knows (told.c). */
#define EG_AUDIENCE_MAX 64
struct eg_hearer {
    uint32_t party;
    enum eg_why why;
};
size_t eg_audience_of(const struct eg_conf *conf, const struct eg_case *row,
                      const struct eg_case_event *event, struct eg_hearer ret[EG_AUDIENCE_MAX]);

#endif
