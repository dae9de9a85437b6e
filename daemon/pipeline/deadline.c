/* What time does to cases: deadlines that are missed, the climb to those above, acknowledgements that run out. No list of timers: a
 * case's row says when it is due, so that a timer can neither be lost by a restart nor fire for what a case was before. A deadline is
 * missed once: then the case has another one, at those above, or none. Called by pipeline.c (ticks), case.c and command.c. */
#include <pipeline/due.h>
#include <pipeline/examine.h>
#include <pipeline/unheard.h>
#include <pipeline/state.h>
#include <pipeline/calendar.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Which one runs; EG_DEADLINE_COUNT: none. */
static enum eg_deadline running(const struct eg_conf_terms *terms, const struct eg_case *row,
                                enum eg_handling handling)
{
    switch (handling) {
    case EG_OPEN:
        return terms->deadline_ms[row->level][EG_DEADLINE_ACKNOWLEDGE] ? EG_DEADLINE_ACKNOWLEDGE
                                                                       : EG_DEADLINE_FIX;
    case EG_ACKNOWLEDGED:
    case EG_ASSIGNED:
    case EG_IN_PROGRESS:
        return EG_DEADLINE_FIX;
    case EG_FIXED:
        return EG_DEADLINE_VERIFY;
    default:
        return EG_DEADLINE_COUNT;
    }
}

/* Of an exercise; a second is left to everybody. */
static int64_t faster(int64_t span_ms, uint32_t times)
{
    return span_ms / times > 1000 ? span_ms / times : 1000;
}

static int64_t span_of(const struct eg_conf *conf, const struct eg_case *row)
{
    const struct eg_conf_terms *terms = eg_govern_terms(conf, row);
    enum eg_deadline which = terms ? running(terms, row, (enum eg_handling)row->handling) : EG_DEADLINE_COUNT;
    int64_t span_ms = which == EG_DEADLINE_COUNT ? 0 : terms->deadline_ms[row->level][which];
    return span_ms && row->faster ? faster(span_ms, row->faster) : span_ms;
}

/* On a clock in doubt nothing is due: it begins when the time is known (eg_deadline_catch_up). */
static void set_due(const struct eg_pipeline *pipeline, struct eg_case *row, int64_t from_ms)
{
    const struct eg_conf *conf = pipeline->conf;
    int64_t span = pipeline->doubt.on ? 0 : span_of(conf, row);
    row->due_ms = span ? eg_calendar_after(eg_govern_calendar(conf, row), from_ms, span) : EG_TIME_NONE;
}

void eg_deadline_begin(const struct eg_pipeline *pipeline, struct eg_case *row, int64_t from_ms)
{
    const struct eg_conf_terms *terms = eg_govern_terms(pipeline->conf, row);
    row->missed = 0;
    row->overdue = false;
    set_due(pipeline, row, from_ms);
    /* An acknowledgement that ran out, and another one: what was missed before is not missed again. */
    if (terms && running(terms, row, (enum eg_handling)row->handling) == EG_DEADLINE_FIX &&
        row->due_ms != EG_TIME_NONE && row->due_ms <= row->fix_missed_ms)
        set_due(pipeline, row, row->fix_missed_ms);
}

bool eg_deadline_catch_up(const struct eg_pipeline *pipeline, struct eg_case *row, int64_t now_ms)
{
    if (row->due_ms != EG_TIME_NONE || row->overdue)
        return false;
    set_due(pipeline, row, now_ms);
    return row->due_ms != EG_TIME_NONE;
}

void eg_deadline_step(const struct eg_pipeline *pipeline, struct eg_case *row, enum eg_handling before,
                      int64_t now_ms)
{
    const struct eg_conf_terms *terms = eg_govern_terms(pipeline->conf, row);
    enum eg_handling after = (enum eg_handling)row->handling;
    if (terms && running(terms, row, before) == running(terms, row, after))
        return; /* the time to fix runs on, whoever has it in hand */
    eg_deadline_begin(pipeline, row, after == EG_FIXED || after == EG_OPEN ? now_ms : row->began_ms);
}

void eg_deadline_level(const struct eg_pipeline *pipeline, struct eg_case *row, int64_t at_ms)
{
    int64_t before = row->due_ms;
    if (row->missed)
        return;
    set_due(pipeline, row,
            at_ms); /* what has become worse is to be done sooner, but not before it was known */
    if (before != EG_TIME_NONE && (row->due_ms == EG_TIME_NONE || row->due_ms > before))
        row->due_ms = before;
}

/* --- what is over --- */

static struct eg_case_event by_time(int64_t at_ms, int64_t now_ms, const char *kind)
{
    return (struct eg_case_event){
        .at_ms = at_ms, .known_ms = now_ms, .kind = kind, .actor = "ecogovd", .value = (double)NAN};
}

static void take_over(struct eg_pipeline *pipeline, struct eg_case *row, int64_t at_ms, int64_t now_ms,
                      struct eg_batch *batch)
{
    const struct eg_conf *conf = pipeline->conf;
    uint32_t lead = eg_govern_first(conf, eg_govern_rung(conf, row, 0), true, true);
    struct eg_case_event event = by_time(at_ms, now_ms, "took_over");
    char before[sizeof row->lead];
    if (lead == EG_CONF_NONE)
        return;
    memcpy(before, row->lead, sizeof before);
    snprintf(row->lead, sizeof row->lead, "%s", conf->parties[lead].id);
    row->handed_on = true;
    event.from = before;
    event.to = event.party = row->lead;
    eg_case_happened(pipeline, row, event, batch);
}

static void offer(struct eg_pipeline *pipeline, struct eg_case *row, int64_t at_ms, int64_t now_ms,
                  struct eg_batch *batch)
{
    const struct eg_conf *conf = pipeline->conf;
    uint32_t site = eg_govern_rung(conf, row, 0);
    for (size_t i = 0; site != EG_CONF_NONE && i < conf->sites[site].party_count; i++) {
        const struct eg_conf_party *party = &conf->parties[conf->sites[site].parties[i]];
        struct eg_case_event event = by_time(at_ms, now_ms, "offered");
        if (party->sector == EG_SECTOR_GOVERNMENT)
            continue;
        row->handed_on = true;
        event.to = event.party = party->id;
        eg_case_happened(pipeline, row, event, batch);
    }
}

static void climb(struct eg_pipeline *pipeline, struct eg_case *row, int64_t at_ms, int64_t now_ms,
                  struct eg_batch *batch)
{
    const struct eg_conf *conf = pipeline->conf;
    uint32_t below = eg_govern_rung(conf, row, row->escalation),
             above = eg_govern_rung(conf, row, row->escalation + 1);
    struct eg_case_event event = by_time(at_ms, now_ms, "escalated");
    if (above == EG_CONF_NONE) {
        row->overdue = true;
        eg_case_write(row, batch);
        return;
    }
    row->escalation++;
    set_due(pipeline, row, at_ms); /* those above have as long again */
    event.from = conf->sites[below].id;
    event.to = conf->sites[above].id;
    eg_case_happened(pipeline, row, event, batch);
}

static void miss(struct eg_pipeline *pipeline, struct eg_case *row, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_conf_terms *terms = eg_govern_terms(pipeline->conf, row);
    int64_t at_ms = row->due_ms;
    struct eg_case_event event = by_time(at_ms, now_ms, "missed");
    enum eg_deadline which = terms ? running(terms, row, (enum eg_handling)row->handling) : EG_DEADLINE_COUNT;
    if (which == EG_DEADLINE_COUNT ||
        !terms->deadline_ms[row->level][which]) { /* the rule asks for it no more */
        row->due_ms = EG_TIME_NONE;
        eg_case_write(row, batch);
        pipeline->wake_known = false;
        return;
    }
    row->missed++;
    if (which == EG_DEADLINE_FIX)
        row->fix_missed_ms = at_ms;
    event.to = eg_deadline_name(which);
    eg_case_happened(pipeline, row, event, batch);
    if (!row->handed_on && row->mode == EG_MODE_GAP_FILLING)
        take_over(pipeline, row, at_ms, now_ms, batch);
    if (!row->handed_on && row->mode == EG_MODE_ALTERNATIVE)
        offer(pipeline, row, at_ms, now_ms, batch);
    climb(pipeline, row, at_ms, now_ms, batch);
}

static void expire(struct eg_pipeline *pipeline, struct eg_case *row, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_step *step = eg_handling_step("@expire", false);
    struct eg_case_event event = by_time(row->until_ms, now_ms, step->kind);
    enum eg_handling before = (enum eg_handling)row->handling;
    row->until_ms = EG_TIME_NONE;
    row->handling = (uint8_t)step->to;
    eg_deadline_step(pipeline, row, before, event.at_ms);
    event.from = eg_handling_name(before);
    event.to = eg_handling_name((enum eg_handling)step->to);
    eg_case_happened(pipeline, row, event, batch);
}

static bool waits(const struct eg_case *row)
{
    return row->due_ms != EG_TIME_NONE && !row->overdue;
}

static bool holds(const struct eg_case *row)
{
    return row->until_ms != EG_TIME_NONE && row->handling == EG_ACKNOWLEDGED;
}

/* What a case is held against has changed, or is gone: that is part of its history. */
static void note_rule(struct eg_pipeline *pipeline, struct eg_case *row, int64_t now_ms,
                      struct eg_batch *batch)
{
    const struct eg_conf_rule *rule = *row->rule ? eg_conf_rule_find(pipeline->conf, row->rule) : NULL;
    uint64_t version = rule ? rule->version : 0;
    struct eg_case_event event = by_time(now_ms, now_ms, "rule_changed");
    char from[20], to[20];
    if (!*row->rule || version == row->rule_version)
        return;
    snprintf(from, sizeof from, "%016" PRIx64, row->rule_version);
    snprintf(to, sizeof to, "%016" PRIx64, version);
    event.from = row->rule_version ? from : "";
    event.to = version ? to : "";
    row->rule_version = version;
    if (rule && rule->levels[row->level].set && !rule->band_count)
        row->limit = rule->levels[row->level].open;
    eg_case_happened(pipeline, row, event, batch);
}

void eg_deadline_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    for (size_t i = 0; i < pipeline->case_count && !pipeline->rules_seen; i++)
        note_rule(pipeline, pipeline->cases[i], now_ms, batch);
    pipeline->rules_seen = true;
    pipeline->wake_known = false;
    for (size_t i = 0; i < pipeline->case_count; i++) {
        struct eg_case *row = pipeline->cases[i];
        for (bool more = true; more;) { /* in the order of their times, as if a tick had come at each */
            int64_t due = waits(row) && !eg_suppress_waits(pipeline, row) ? row->due_ms : INT64_MAX,
                    until = holds(row) ? row->until_ms : INT64_MAX;
            more = due <= now_ms || until <= now_ms;
            if (more && until <= due)
                expire(pipeline, row, now_ms, batch);
            else if (more)
                miss(pipeline, row, now_ms, batch);
        }
    }
}

/* Of the cases. */
static int64_t first_due(struct eg_pipeline *pipeline)
{
    if (pipeline->wake_known)
        return pipeline->wake_ms;
    pipeline->rules_seen = pipeline->rules_seen || !pipeline->case_count;
    if (!pipeline->rules_seen)
        return 0; /* at once */
    int64_t first = eg_silence_wake(pipeline), held = eg_suppress_wake(pipeline);
    first = held < first ? held : first;
    const int64_t others[] = {eg_repeat_wake(pipeline), eg_digest_wake(pipeline)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        first = others[i] < first ? others[i] : first;
    for (size_t i = 0; i < pipeline->case_count; i++) {
        const struct eg_case *row = pipeline->cases[i];
        if (waits(row) && row->due_ms < first && !eg_suppress_waits(pipeline, row))
            first = row->due_ms;
        if (holds(row) && row->until_ms < first)
            first = row->until_ms;
    }
    pipeline->wake_ms = first;
    pipeline->wake_known = true;
    return first;
}

int64_t eg_pipeline_deadline(struct eg_pipeline *pipeline, int64_t now_ms)
{
    if (pipeline->doubt.on) /* time does nothing while nobody knows what time it is */
        return INT64_MAX;
    int64_t due = first_due(pipeline), silent = eg_unheard_wake(pipeline, now_ms);
    int64_t calibration = eg_due_wake(pipeline, now_ms);
    int64_t examine = eg_examine_wake(pipeline, now_ms);
    due = due < calibration ? due : calibration;
    due = due < examine ? due : examine;
    due = due < pipeline->index_wake_ms ? due : pipeline->index_wake_ms;
    return due < silent ? due : silent;
}
