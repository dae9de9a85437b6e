/* Cases: what happened, appended as events. Knows the active ones, how one begins, and its condition, which follows the readings. The
 * handling, which follows people, is command.c's business, and what time does to it deadline.c's. Called by those and by rule.c. */
#include <pipeline/evidence.h>
#include <pipeline/suspect.h>
#include <base/zone.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the active ones --- */

static size_t place_of(const struct eg_pipeline *pipeline, uint32_t number)
{
    size_t low = 0, high = pipeline->case_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (pipeline->cases[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct eg_case *eg_case_find(struct eg_pipeline *pipeline, uint32_t number)
{
    size_t at = place_of(pipeline, number);
    return at < pipeline->case_count && pipeline->cases[at]->number == number ? pipeline->cases[at] : NULL;
}

struct eg_case *eg_case_find_named(struct eg_pipeline *pipeline, const char *id)
{
    char *end;
    unsigned long number = strtoul(id, &end, 10);
    if (*id >= '0' && *id <= '9' && !*end && number <= UINT32_MAX)
        return eg_case_find(pipeline, (uint32_t)number);
    for (size_t i = 0; i < pipeline->case_count; i++)
        if (!strcmp(pipeline->cases[i]->id, id))
            return pipeline->cases[i];
    return NULL;
}

const struct eg_case *eg_pipeline_case_active(const struct eg_pipeline *pipeline, uint32_t number)
{
    size_t at = place_of(pipeline, number);
    return at < pipeline->case_count && pipeline->cases[at]->number == number ? pipeline->cases[at] : NULL;
}

const struct eg_case *eg_pipeline_case_at(const struct eg_pipeline *pipeline, size_t index)
{
    return index < pipeline->case_count ? pipeline->cases[index] : NULL;
}

bool eg_pipeline_cases_full(const struct eg_pipeline *pipeline)
{
    return pipeline->case_count >= EG_CASES_MAX;
}

bool eg_case_add(struct eg_pipeline *pipeline, const struct eg_case *row)
{
    if (!eg_room_more((void **)&pipeline->cases, pipeline->case_count, &pipeline->case_capacity,
                      sizeof(struct eg_case *), EG_CASES_MAX))
        return false;
    struct eg_case *copy = malloc(sizeof *copy);
    if (!copy)
        return false;
    *copy = *row;
    size_t at = place_of(pipeline, row->number);
    memmove(pipeline->cases + at + 1, pipeline->cases + at,
            (pipeline->case_count - at) * sizeof *pipeline->cases);
    pipeline->cases[at] = copy;
    pipeline->case_count++;
    pipeline->outage_count += row->kind == EG_CASE_OUTAGE;
    eg_suspect_case(pipeline, copy, true);
    pipeline->wake_known = false;
    return true;
}

void eg_case_drop(struct eg_pipeline *pipeline, uint32_t number)
{
    size_t at = place_of(pipeline, number);
    pipeline->outage_count -= pipeline->cases[at]->kind == EG_CASE_OUTAGE;
    eg_suspect_case(pipeline, pipeline->cases[at], false);
    free(pipeline->cases[at]);
    eg_suppress_forget_changes(pipeline, number);
    pipeline->case_count--;
    pipeline->wake_known = false;
    memmove(pipeline->cases + at, pipeline->cases + at + 1,
            (pipeline->case_count - at) * sizeof *pipeline->cases);
}

/* --- writing down --- */

void eg_case_write(const struct eg_case *row, struct eg_batch *batch)
{
    struct eg_case *out = EG_BATCH_ADD(batch, cases);
    if (out)
        *out = *row;
}

/* Appends an event: the version moves on, the row is written, those who want to know are told. */
void eg_case_happened(struct eg_pipeline *pipeline, struct eg_case *row, struct eg_case_event event,
                      struct eg_batch *batch)
{
    event.case_number = row->number;
    event.version = ++row->version;
    event.actor = eg_batch_text(batch, event.actor);
    event.from = eg_batch_text(batch, event.from);
    event.to = eg_batch_text(batch, event.to);
    event.note = eg_batch_text(batch, event.note);
    event.party = eg_batch_text(batch, event.party);
    struct eg_case_event *out = EG_BATCH_ADD(batch, case_events);
    if (out)
        *out = event;
    eg_case_write(row, batch);
    eg_tell_case(pipeline, row, &event, batch);
    eg_repeat_look_again(pipeline, row->number);
    pipeline->silent_wake_ms = INT64_MIN;
    batch->urgent = true;
}

/* --- the condition --- */

static bool worse(const struct eg_conf_rule *rule, double value, double than)
{
    return rule->below ? value < than : value > than;
}

static void note_value(struct eg_case *row, const struct eg_conf_rule *rule, const struct eg_judged *judged,
                       bool *ret_peaked)
{
    row->last_value = judged->value;
    row->last_ms = judged->at_ms;
    *ret_peaked = worse(rule, judged->value, row->peak_value);
    if (*ret_peaked) {
        row->peak_value = judged->value;
        row->peak_ms = judged->at_ms;
    }
}

void eg_case_follow(struct eg_case *row, const struct eg_conf_rule *rule, const struct eg_judged *judged,
                    struct eg_batch *batch)
{
    bool peaked;
    note_value(row, rule, judged, &peaked);
    eg_measure_follow(row, rule, judged, batch);
    if (peaked) /* `last` is a copy of the readings; only a new peak is worth a page on the card */
        eg_case_write(row, batch);
}

void eg_case_level(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_conf_rule *rule,
                   const struct eg_judged *judged, struct eg_batch *batch)
{
    bool peaked;
    struct eg_case_event event = {.at_ms = judged->at_ms,
                                  .known_ms = judged->now_ms,
                                  .actor = "ecogovd",
                                  .value = judged->value,
                                  .note = judged->note};
    enum eg_condition was = (enum eg_condition)row->condition,
                      is = judged->level == EG_LEVEL_NONE ? EG_CONDITION_OK : EG_CONDITION_BREACHING;
    note_value(row, rule, judged, &peaked);
    if (judged->level) /* of a rule with bands another one may hold by now */
        row->limit = judged->limit;
    if (is != was && !(was == EG_CONDITION_UNKNOWN && judged->old)) {
        row->condition = (uint8_t)is;
        event.kind = "condition";
        event.from = eg_condition_name(was);
        event.to = eg_condition_name(is);
        eg_case_happened(pipeline, row, event, batch);
    }
    if (judged->level && judged->level != row->level) { /* one that is ok keeps the level it had */
        event.kind = "level";
        event.from = eg_level_name((enum eg_level)row->level);
        event.to = eg_level_name(judged->level);
        row->level = (uint8_t)judged->level;
        eg_deadline_level(pipeline, row, judged->now_ms);
        eg_case_happened(pipeline, row, event, batch);
    }
    eg_measure_follow(row, rule, judged, batch);
    eg_recur_follow(pipeline, row->parent, judged->now_ms, batch);
}

void eg_case_unknown(struct eg_pipeline *pipeline, struct eg_case *row, int64_t at_ms, int64_t now_ms,
                     const char *note, struct eg_batch *batch)
{
    struct eg_case_event event = {.at_ms = at_ms,
                                  .known_ms = now_ms,
                                  .kind = "condition",
                                  .actor = "ecogovd",
                                  .from = eg_condition_name((enum eg_condition)row->condition),
                                  .to = eg_condition_name(EG_CONDITION_UNKNOWN),
                                  .value = (double)NAN,
                                  .note = note};
    if (row->condition == EG_CONDITION_UNKNOWN)
        return;
    row->condition = EG_CONDITION_UNKNOWN;
    eg_case_happened(pipeline, row, event, batch);
    eg_recur_follow(pipeline, row->parent, now_ms, batch);
}

/* Unique across villages without asking anybody: the site, the local day, a mark of this daemon's name, its own count. */
static void mint_id(const struct eg_conf *conf, struct eg_case *row)
{
    static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789";
    char local[32], mark[5] = "";
    uint64_t hash = eg_hash(conf->mqtt.client_id, strlen(conf->mqtt.client_id), 7);
    for (size_t i = 0; i < 4; i++, hash >>= 5)
        mark[i] = digits[hash & 31];
    eg_zone_format(row->opened_ms, local);
    snprintf(row->id, sizeof row->id, "%.60s-%.4s%.2s%.2s-%s-%u", row->site, local, local + 5, local + 8,
             mark, row->number);
}

struct eg_case *eg_case_begin(struct eg_pipeline *pipeline, struct eg_case *row, struct eg_case_event event,
                              struct eg_batch *batch)
{
    if (pipeline->case_count >= EG_CASES_MAX)
        return NULL; /* seen by eg_pipeline_cases_full() */
    row->number = pipeline->last_case + 1;
    row->detected_ms = row->began_ms = event.known_ms;
    row->closed_ms = row->due_ms = row->until_ms = row->within_since_ms = row->fix_missed_ms = EG_TIME_NONE;
    eg_govern_begin(pipeline->conf, row);
    eg_deadline_begin(pipeline, row, row->detected_ms);
    mint_id(pipeline->conf, row);
    if (!eg_case_add(pipeline, row)) {
        batch->failed = true;
        return NULL;
    }
    pipeline->last_case = row->number;
    struct eg_case *kept = eg_case_find(pipeline, row->number);
    event.kind = "opened";
    eg_case_happened(pipeline, kept, event, batch);
    return kept;
}

uint32_t eg_case_open_at(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_conf_rule *rule,
                         const struct eg_judged *judged, struct eg_batch *batch)
{
    row->kind = EG_CASE_BREACH;
    row->rule_version = rule->version;
    row->level = (uint8_t)judged->level;
    row->opened_ms = judged->since_ms;
    row->last_value = row->peak_value = judged->value;
    row->last_ms = row->peak_ms = judged->at_ms;
    row->limit = judged->levels[judged->level].open;
    snprintf(row->rule, sizeof row->rule, "%s", rule->id);
    struct eg_case *again = eg_recur_again(pipeline, rule, row, judged, batch);
    struct eg_case *opened = again ? again
                                   : eg_case_begin(pipeline, row,
                                                   (struct eg_case_event){.at_ms = judged->since_ms,
                                                                          .known_ms = judged->now_ms,
                                                                          .actor = "ecogovd",
                                                                          .to = eg_level_name(judged->level),
                                                                          .note = judged->note,
                                                                          .value = judged->value},
                                                   batch);
    if (!opened)
        return 0; /* the next reading asks again */
    uint32_t number = opened->number;
    eg_recur_join(pipeline, rule, number, judged->now_ms, batch);
    return number;
}

uint32_t eg_case_open(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_conf_rule *rule,
                      const struct eg_judged *judged, struct eg_batch *batch)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    struct eg_case row = {.quantity = series->quantity, .series = series->id};
    snprintf(row.site, sizeof row.site, "%s", device->site_id);
    snprintf(row.domain, sizeof row.domain, "%s", device->domain);
    snprintf(row.device, sizeof row.device, "%s", device->name);
    snprintf(row.channel, sizeof row.channel, "%s", series->channel);
    uint32_t number = eg_case_open_at(pipeline, &row, rule, judged, batch);
    const struct eg_case *opened = number ? eg_case_find(pipeline, number) : NULL;
    if (opened)
        eg_evidence_breach(series, pipeline->conf, rule, opened, batch);
    return number;
}

/* That its calibration is due is another matter (due.c). */
static struct eg_case *maintained(struct eg_pipeline *pipeline, const struct eg_case *about)
{
    for (size_t i = 0; i < pipeline->case_count; i++) {
        struct eg_case *row = pipeline->cases[i];
        if (row->kind == EG_CASE_MAINTENANCE && (row->series || !row->rule[0]) &&
            !strcmp(row->site, about->site) && !strcmp(row->domain, about->domain) &&
            !strcmp(row->device, about->device))
            return row;
    }
    return NULL;
}

uint32_t eg_case_maintain(struct eg_pipeline *pipeline, const struct eg_case *about,
                          struct eg_case_event event, struct eg_batch *batch)
{
    struct eg_case *there = maintained(pipeline, about);
    struct eg_case row = {
        .kind = EG_CASE_MAINTENANCE,
        .quantity = about->quantity,
        .series = about->number ? 0 : about->series, /* about a case: of a person who rejected it */
        .rule_version = about->number ? 0 : about->rule_version,
        .level = about->number ? EG_LEVEL_NOTICE : about->level,
        .condition = EG_CONDITION_UNKNOWN,
        .opened_ms = event.at_ms,
        .last_value = NAN,
        .peak_value = NAN,
        .limit = NAN,
        .last_ms = EG_TIME_NONE,
        .peak_ms = EG_TIME_NONE,
        .follows = about->number};
    event.value = NAN;
    event.from = event.to = NULL;
    if (there) {
        event.kind = "comment";
        eg_case_happened(pipeline, there, event, batch);
        return there->number;
    }
    memcpy(row.site, about->site, sizeof row.site);
    memcpy(row.domain, about->domain, sizeof row.domain);
    memcpy(row.device, about->device, sizeof row.device);
    memcpy(row.channel, about->channel, sizeof row.channel);
    if (!about->number)
        memcpy(row.rule, about->rule, sizeof row.rule); /* by a rule about devices */
    event.to = eg_level_name((enum eg_level)row.level);
    const struct eg_case *opened = eg_case_begin(pipeline, &row, event, batch);
    return opened ? opened->number : 0;
}
