/* Whom an event of a case is meant for, and why: after its mode, its lead, its assignee, and how far it has climbed. Refuses to know by
 * which channels they are told (tell.c). */
#include <pipeline/govern.h>
#include <pipeline/handling.h>

#include <string.h>

struct audience {
    const struct eg_conf *conf;
    const struct eg_case *row;
    struct eg_hearer *rows;
    size_t count;
};
enum sectors { ALL, GOVERNMENT };

static void add(struct audience *audience, uint32_t party, enum eg_why why)
{
    for (size_t i = 0; i < audience->count; i++)
        if (audience->rows[i].party == party)
            return;
    if (party != EG_CONF_NONE && audience->count < EG_AUDIENCE_MAX)
        audience->rows[audience->count++] = (struct eg_hearer){party, why};
}

static void add_named(struct audience *audience, const char *id, enum eg_why why)
{
    if (*id)
        add(audience, eg_conf_party_index(audience->conf, id), why);
}

static void add_rung(struct audience *audience, uint32_t rung, enum sectors sectors, enum eg_why why)
{
    const struct eg_conf *conf = audience->conf;
    uint32_t site = eg_govern_rung(conf, audience->row, rung);
    for (size_t i = 0; site != EG_CONF_NONE && i < conf->sites[site].party_count; i++)
        if (sectors == ALL || conf->parties[conf->sites[site].parties[i]].sector == EG_SECTOR_GOVERNMENT)
            add(audience, conf->sites[site].parties[i], why);
}

static void add_those_at_it(struct audience *audience, enum eg_why why)
{
    add_named(audience, audience->row->lead, why);
    add_named(audience, audience->row->assignee, why);
}

/* Those the mode brings in at once. */
static void add_by_mode(struct audience *audience, enum eg_why why, enum eg_why informed)
{
    add_those_at_it(audience, why);
    if (audience->row->mode == EG_MODE_COLLABORATIVE)
        add_rung(audience, 0, ALL, why);
    if (audience->row->mode == EG_MODE_GAP_FILLING)
        add_rung(audience, 0, GOVERNMENT, informed);
    for (uint32_t rung = 1; rung <= audience->row->escalation; rung++)
        add_rung(audience, rung, ALL, why);
}

static void add_all(struct audience *audience, enum eg_why why)
{
    add_those_at_it(audience, why);
    for (uint32_t rung = 0; rung <= audience->row->escalation; rung++)
        add_rung(audience, rung, ALL, why);
}

/* Those who would have heard of what was held back. */
static void add_caught_up(struct audience *audience)
{
    add_by_mode(audience, EG_WHY_CAUGHT_UP, EG_WHY_CAUGHT_UP);
    if (audience->row->handling == EG_FIXED)
        add_rung(audience, 0, audience->row->mode == EG_MODE_COLLABORATIVE ? ALL : GOVERNMENT,
                 EG_WHY_CAUGHT_UP);
}

static int level_of(const char *name)
{
    int level = EG_LEVEL_COUNT - 1;
    while (level && strcmp(eg_level_name((enum eg_level)level), name) != 0)
        level--;
    return level;
}

static bool is(const struct eg_case_event *event, const char *kind)
{
    return !strcmp(event->kind, kind);
}

/* Of the condition, and the end: who was told how it began hears how it goes on. */
static void follow_up(struct audience *audience, const struct eg_case_event *event)
{
    if (is(event, "level") && level_of(event->to) > level_of(event->from))
        add_by_mode(audience, EG_WHY_LEVEL, EG_WHY_LEVEL);
    else if (is(event, "condition") && !strcmp(event->to, "unknown"))
        add_those_at_it(audience, EG_WHY_UNKNOWN);
    else if (is(event, "condition") && !strcmp(event->from, "unknown") && !strcmp(event->to, "breaching"))
        add_those_at_it(audience, EG_WHY_STILL);
    else if (is(event, "condition"))
        add_all(audience, !strcmp(event->to, "ok") ? EG_WHY_RECOVERED : EG_WHY_BREACHING);
    else if (eg_handling_ended(audience->row) && !is(event, "comment") && !is(event, "suppressed"))
        add_all(audience, EG_WHY_ENDED);
}

size_t eg_audience_of(const struct eg_conf *conf, const struct eg_case *row,
                      const struct eg_case_event *event, struct eg_hearer ret[EG_AUDIENCE_MAX])
{
    struct audience audience = {conf, row, ret, 0};
    if (is(event, "opened"))
        add_by_mode(&audience, EG_WHY_OPENED, EG_WHY_INFORMED);
    else if (is(event, "reopened") || is(event, "disputed"))
        add_by_mode(&audience, EG_WHY_REOPENED, EG_WHY_REOPENED);
    else if (is(event, "resumed") && !eg_handling_ended(row))
        add_caught_up(&audience);
    else if (is(event, "assigned"))
        add_named(&audience, row->assignee, EG_WHY_ASSIGNED);
    else if (is(event, "missed"))
        add_those_at_it(&audience, EG_WHY_MISSED);
    else if (is(event, "expired"))
        add_those_at_it(&audience, EG_WHY_EXPIRED);
    else if (is(event, "escalated"))
        add_rung(&audience, row->escalation, ALL, EG_WHY_ESCALATED);
    else if (is(event, "offered"))
        add_named(&audience, event->party, EG_WHY_OFFERED);
    else if (is(event, "took_over"))
        add_named(&audience, event->party, EG_WHY_TOOK_OVER);
    else if (is(event, "fixed"))
        add_rung(&audience, 0, row->mode == EG_MODE_COLLABORATIVE ? ALL : GOVERNMENT, EG_WHY_FIXED);
    else
        follow_up(&audience, event);
    return audience.count;
}
