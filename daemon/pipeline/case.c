/* Cases: what happened, appended as events. Two axes: the condition follows the readings, the handling follows people; only the
 * table below says which step of handling is allowed. Called by rule.c (condition) and pipeline.c (commands). */
#include <pipeline/state.h>
#include <base/zone.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(handling) (1u << (handling))
#define ACTIVE (AT(EG_OPEN) | AT(EG_ACKNOWLEDGED) | AT(EG_ASSIGNED) | AT(EG_IN_PROGRESS) | AT(EG_FIXED))
#define ENDED (AT(EG_CLOSED) | AT(EG_REJECTED))

enum needs { NEEDS_NOTHING, NEEDS_NOTE, NEEDS_PARTY };

static const struct step {
    const char *verb, *kind; /* what is asked, what the history says */
    unsigned from;           /* handlings it is allowed in */
    int to;                  /* enum eg_handling, or -1: stays */
    enum needs needs;
} steps[] = {
    {"acknowledge", "acknowledged", AT(EG_OPEN), EG_ACKNOWLEDGED, NEEDS_NOTHING},
    {"assign", "assigned", ACTIVE & ~AT(EG_FIXED), EG_ASSIGNED, NEEDS_PARTY},
    {"start", "started", AT(EG_OPEN) | AT(EG_ACKNOWLEDGED) | AT(EG_ASSIGNED), EG_IN_PROGRESS, NEEDS_NOTHING},
    {"fix", "fixed", ACTIVE & ~AT(EG_FIXED), EG_FIXED, NEEDS_NOTHING},
    {"verify", "verified", AT(EG_FIXED), EG_CLOSED, NEEDS_NOTHING},
    {"close", "closed", ACTIVE, EG_CLOSED, NEEDS_NOTHING},
    {"reject", "rejected", ACTIVE, EG_REJECTED, NEEDS_NOTE},
    {"reopen", "reopened", ENDED, EG_OPEN, NEEDS_NOTHING},
    {"comment", "comment", ACTIVE | ENDED, -1, NEEDS_NOTE},
};

static bool ended(const struct eg_case *row)
{
    return (AT(row->handling) & ENDED) != 0;
}

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

const struct eg_case *eg_pipeline_case_active(const struct eg_pipeline *pipeline, uint32_t number)
{
    size_t at = place_of(pipeline, number);
    return at < pipeline->case_count && pipeline->cases[at]->number == number ? pipeline->cases[at] : NULL;
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
    return true;
}

static void drop(struct eg_pipeline *pipeline, uint32_t number)
{
    size_t at = place_of(pipeline, number);
    free(pipeline->cases[at]);
    pipeline->case_count--;
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
    struct eg_case_event *out = EG_BATCH_ADD(batch, case_events);
    if (out)
        *out = event;
    eg_case_write(row, batch);
    eg_tell_case(pipeline, row, &event, batch);
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
    if (peaked) /* `last` is a copy of the readings; only a new peak is worth a page on the card */
        eg_case_write(row, batch);
}

static void set_due(struct eg_case *row, const struct eg_conf_rule *rule)
{
    int64_t span = row->handling == EG_OPEN && rule->deadline_acknowledge_ms ? rule->deadline_acknowledge_ms
                                                                             : rule->deadline_fix_ms;
    row->due_ms = span && !ended(row) && row->handling != EG_FIXED ? row->detected_ms + span : EG_TIME_NONE;
}

void eg_case_level(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_conf_rule *rule,
                   const struct eg_judged *judged, struct eg_batch *batch)
{
    bool peaked, was_ok = row->condition == EG_CONDITION_OK;
    struct eg_case_event event = {
        .at_ms = judged->at_ms, .known_ms = judged->now_ms, .actor = "ecogovd", .value = judged->value};
    note_value(row, rule, judged, &peaked);
    if (judged->level == EG_LEVEL_NONE || was_ok) {
        row->condition = judged->level == EG_LEVEL_NONE ? EG_CONDITION_OK : EG_CONDITION_BREACHING;
        event.kind = "condition";
        event.from = eg_condition_name(was_ok ? EG_CONDITION_OK : EG_CONDITION_BREACHING);
        event.to = eg_condition_name((enum eg_condition)row->condition);
        eg_case_happened(pipeline, row, event, batch);
    }
    if (judged->level && judged->level != row->level) { /* one that is ok keeps the level it had */
        event.kind = "level";
        event.from = eg_level_name((enum eg_level)row->level);
        event.to = eg_level_name(judged->level);
        row->level = (uint8_t)judged->level;
        row->limit = rule->levels[judged->level].open;
        eg_case_happened(pipeline, row, event, batch);
    }
}

/* Who leads, after the site's mode of governance: a society or market party fills the gap, government leads where others are the
 * alternative, and where all share the work the first that is named. */
static const char *lead_of(const struct eg_conf *conf, const struct eg_conf_site *site)
{
    for (size_t i = 0; i < site->party_count; i++) {
        const struct eg_conf_party *party = &conf->parties[site->parties[i]];
        bool government = party->sector == EG_SECTOR_GOVERNMENT;
        if (site->mode == EG_MODE_COLLABORATIVE || government == (site->mode == EG_MODE_ALTERNATIVE))
            return party->id;
    }
    return "";
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

uint32_t eg_case_open(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_conf_rule *rule,
                      const struct eg_judged *judged, struct eg_batch *batch)
{
    if (pipeline->case_count >= EG_CASES_MAX)
        return 0; /* seen by eg_pipeline_cases_full(); the next reading asks again */
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    const struct eg_conf_site *site =
        device->site == EG_CONF_NONE ? NULL : &pipeline->conf->sites[device->site];
    struct eg_case row = {.number = pipeline->last_case + 1,
                          .quantity = series->quantity,
                          .series = series->id,
                          .rule_version = rule->version,
                          .level = (uint8_t)judged->level,
                          .opened_ms = judged->since_ms,
                          .detected_ms = judged->now_ms,
                          .closed_ms = EG_TIME_NONE,
                          .last_value = judged->value,
                          .peak_value = judged->value,
                          .last_ms = judged->at_ms,
                          .peak_ms = judged->at_ms,
                          .limit = rule->levels[judged->level].open};
    snprintf(row.site, sizeof row.site, "%s", device->site_id);
    snprintf(row.domain, sizeof row.domain, "%s", device->domain);
    snprintf(row.device, sizeof row.device, "%s", device->name);
    snprintf(row.rule, sizeof row.rule, "%s", rule->id);
    snprintf(row.channel, sizeof row.channel, "%s", series->channel);
    if (site) {
        row.mode = (uint8_t)site->mode;
        snprintf(row.lead, sizeof row.lead, "%s", lead_of(pipeline->conf, site));
    }
    set_due(&row, rule);
    mint_id(pipeline->conf, &row);
    if (!eg_case_add(pipeline, &row)) {
        batch->failed = true;
        return 0;
    }
    pipeline->last_case = row.number;
    eg_case_happened(pipeline, eg_case_find(pipeline, row.number),
                     (struct eg_case_event){.at_ms = judged->since_ms,
                                            .known_ms = judged->now_ms,
                                            .kind = "opened",
                                            .actor = "ecogovd",
                                            .to = eg_level_name(judged->level),
                                            .value = judged->value},
                     batch);
    return row.number;
}

/* --- people --- */

static void answer(struct eg_batch *batch, const struct eg_command *command, enum eg_code code,
                   uint32_t number, const char *sentence)
{
    batch->urgent = true;
    struct eg_answer *row = EG_BATCH_ADD(batch, answers);
    if (row)
        *row = (struct eg_answer){.ticket = command->ticket,
                                  .code = code,
                                  .sentence = eg_batch_text(batch, sentence),
                                  .case_number = number};
}

static const struct step *step_of(const char *verb)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (!strcmp(steps[i].verb, verb))
            return &steps[i];
    return NULL;
}

/* "acknowledge, assign, … or comment": what may be asked of a case as it stands. */
static void allowed(const struct eg_case *row, char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < sizeof steps / sizeof *steps && used < size; i++)
        if (steps[i].from & AT(row->handling))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", steps[i].verb);
}

/* Why this command cannot be, or EG_OK. */
static enum eg_code objection(const struct eg_pipeline *pipeline, const struct eg_command *command,
                              const struct step *step, const struct eg_case *row, char *text, size_t size)
{
    char may[128];
    bool party_known = false;
    for (size_t i = 0; command->party && i < pipeline->conf->party_count; i++)
        party_known = party_known || !strcmp(pipeline->conf->parties[i].id, command->party);
    if (command->version >= 0 && command->version != row->version) {
        snprintf(text, size, "case %s has moved on: you saw version %lld, it is at %u; look at it again",
                 row->id, (long long)command->version, row->version);
        return EG_ECONFLICT;
    }
    if (!(step->from & AT(row->handling))) {
        allowed(row, may, sizeof may);
        snprintf(text, size, "case %s is %s: %s is not allowed now; allowed: %s", row->id,
                 eg_handling_name((enum eg_handling)row->handling), step->verb, may);
        return EG_ECONFLICT;
    }
    if (step->needs == NEEDS_NOTE && (!command->note || !*command->note)) {
        snprintf(text, size, "%s needs a note: say in a sentence why", step->verb);
        return EG_EINVAL;
    }
    if (step->needs == NEEDS_PARTY && !command->party) {
        snprintf(text, size, "%s needs a party: who is to do it?", step->verb);
        return EG_EINVAL;
    }
    if (command->party && !party_known) {
        snprintf(text, size, "there is no party '%.60s' in the configuration", command->party);
        return EG_EINVAL;
    }
    return EG_OK;
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

/* Not active any more: as this turn left it, else as the past knows it. */
static bool find_ended(const struct eg_pipeline *pipeline, const char *id, const struct eg_batch *batch,
                       struct eg_case *ret)
{
    char number[16];
    for (size_t i = batch->cases_count; i-- > 0;) {
        snprintf(number, sizeof number, "%u", batch->cases[i].number);
        if (strcmp(batch->cases[i].id, id) != 0 && strcmp(number, id) != 0)
            continue;
        *ret = batch->cases[i];
        return ended(ret);
    }
    return pipeline->past.find_case && pipeline->past.find_case(pipeline->past.case_user, id, ret) &&
           ended(ret);
}

/* A case comes back to life: its rule watches it again, unless another one was opened for the same matter meanwhile. */
static bool revive(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch,
                   char *text, size_t size)
{
    for (size_t i = 0; i < pipeline->case_count; i++) {
        const struct eg_case *other = pipeline->cases[i];
        if (other->series != row->series || strcmp(other->rule, row->rule) != 0)
            continue;
        snprintf(text, size, "case %s cannot be reopened: %s is open for the same matter", row->id,
                 other->id);
        return false;
    }
    if (!eg_case_add(pipeline, row) || !eg_rule_recall_case(pipeline, row, batch))
        batch->failed = true;
    else
        eg_judge_recall_last(pipeline, eg_case_find(pipeline, row->number));
    return true;
}

static const struct eg_conf_rule *rule_of(const struct eg_pipeline *pipeline, const struct eg_case *row)
{
    for (size_t i = 0; i < pipeline->conf->rule_count; i++)
        if (!strcmp(pipeline->conf->rules[i].id, row->rule))
            return &pipeline->conf->rules[i];
    return NULL;
}

static void carry_out(struct eg_pipeline *pipeline, const struct eg_command *command, const struct step *step,
                      struct eg_case *row, int64_t now_ms, struct eg_batch *batch)
{
    enum eg_handling before = (enum eg_handling)row->handling;
    const struct eg_conf_rule *rule = rule_of(pipeline, row);
    if (step->to >= 0) {
        row->handling = (uint8_t)step->to;
        row->closed_ms = ended(row) ? now_ms : EG_TIME_NONE;
        if (step->to == EG_OPEN)
            row->reopened++;
        if (rule)
            set_due(row, rule);
    }
    if (command->party && step->needs == NEEDS_PARTY)
        snprintf(row->assignee, sizeof row->assignee, "%s", command->party);
    eg_case_happened(pipeline, row,
                     (struct eg_case_event){.at_ms = now_ms,
                                            .known_ms = now_ms,
                                            .kind = step->kind,
                                            .actor = command->user,
                                            .note = command->note,
                                            .value = NAN,
                                            .from = step->to < 0 ? "" : eg_handling_name(before),
                                            .to = step->to < 0 ? ""
                                                  : step->needs == NEEDS_PARTY
                                                      ? row->assignee
                                                      : eg_handling_name((enum eg_handling)row->handling)},
                     batch);
    if (ended(row) && !((AT(before)) & ENDED)) {
        eg_rule_forget_case(pipeline, row, batch);
        drop(pipeline, row->number);
    }
}

void eg_case_command(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                     struct eg_batch *batch)
{
    char text[400];
    const struct step *step = step_of(command->verb);
    struct eg_case *row = eg_case_find_named(pipeline, command->case_id), past;
    bool of_the_past = false;
    if (!row && find_ended(pipeline, command->case_id, batch, &past)) {
        row = &past;
        of_the_past = true;
    }
    if (!step || !row) {
        snprintf(text, sizeof text, step ? "there is no case '%.100s'" : "a case knows no step '%.100s'",
                 step ? command->case_id : command->verb);
        answer(batch, command, step ? EG_ENOTFOUND : EG_EINVAL, 0, text);
        return;
    }
    uint32_t number = row->number;
    enum eg_code code = objection(pipeline, command, step, row, text, sizeof text);
    if (code == EG_OK && of_the_past && step->to == EG_OPEN) {
        if (!revive(pipeline, row, batch, text, sizeof text))
            code = EG_ECONFLICT;
        else if (!batch->failed)
            row = eg_case_find(pipeline, number);
    }
    if (code == EG_OK)
        carry_out(pipeline, command, step, row, now_ms, batch);
    answer(batch, command, code, number, code == EG_OK ? "" : text);
}
