/* What people do with cases: a command is looked at, refused with a sentence, or carried out. The table of steps is handling.c's, who may
 * say what is govern.c's. Called by pipeline.c. */
#include <pipeline/state.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer(struct eg_batch *batch, const struct eg_command *command, enum eg_code code,
                   uint32_t number, const char *sentence)
{
    eg_batch_answer(
        batch, (struct eg_answer){
                   .ticket = command->ticket, .code = code, .sentence = sentence, .case_number = number});
}

static bool does(const struct eg_step *step, const char *verb)
{
    return !strcmp(step->verb, verb);
}

/* --- objections --- */

static enum eg_code not_now(const struct eg_pipeline *pipeline, const struct eg_step *step,
                            const struct eg_case *row, char *text, size_t size)
{
    char may[128];
    bool spared = eg_govern_spared(pipeline->conf, row);
    eg_handling_allowed(row, spared, may, sizeof may);
    snprintf(text, size, "case %s is %s: %s is not allowed now; allowed: %s%s", row->id,
             eg_handling_name((enum eg_handling)row->handling), step->verb, may,
             does(step, "close") && !eg_handling_ended(row)
                 ? "; a case is closed when it is fixed and somebody has verified it"
                 : "");
    return EG_ECONFLICT;
}

/* What the step itself asks for. */
static enum eg_code lacking(const struct eg_pipeline *pipeline, const struct eg_command *command,
                            const struct eg_step *step, int64_t now_ms, char *text, size_t size)
{
    if (step->needs == EG_NEEDS_NOTE && (!command->note || !*command->note))
        snprintf(text, size, "%s needs a note: say in a sentence why", step->verb);
    else if (step->needs == EG_NEEDS_PARTY && !command->party)
        snprintf(text, size, "%s needs a party: who is to do it?", step->verb);
    else if (command->party && eg_conf_party_index(pipeline->conf, command->party) == EG_CONF_NONE)
        snprintf(text, size, "there is no party '%.60s' in the configuration", command->party);
    else if (command->until_ms != EG_TIME_NONE && !does(step, "acknowledge"))
        snprintf(text, size, "%s takes no time until: only an acknowledgement runs out", step->verb);
    else if (command->until_ms != EG_TIME_NONE && command->until_ms <= now_ms)
        snprintf(text, size, "until lies in the past: say until when somebody sees to it");
    else if (command->reason && !does(step, "reject"))
        snprintf(text, size, "%s takes no reason: say it in a note", step->verb);
    else if (command->reason && eg_handling_reason_find(command->reason) < 0)
        snprintf(text, size, "there is no reason '%.40s': false_alarm, duplicate, sensor or other",
                 command->reason);
    else
        return EG_OK;
    return EG_EINVAL;
}

static enum eg_code objection(const struct eg_pipeline *pipeline, const struct eg_command *command,
                              const struct eg_step *step, const struct eg_case *row, int64_t now_ms,
                              char *text, size_t size)
{
    if (command->version >= 0 && command->version != row->version) {
        snprintf(text, size, "case %s has moved on: you saw version %lld, it is at %u; look at it again",
                 row->id, (long long)command->version, row->version);
        return EG_ECONFLICT;
    }
    if (!eg_handling_allows(step, row))
        return not_now(pipeline, step, row, text, size);
    enum eg_code code = lacking(pipeline, command, step, now_ms, text, size);
    if (code != EG_OK || does(step, "assign")) /* who assigns speaks to the party, not for it */
        return code;
    return eg_govern_objection(pipeline->conf, row, command, step->looks, text, size);
}

/* --- which case? --- */

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
        return eg_handling_ended(ret);
    }
    return pipeline->past.find_case && pipeline->past.find_case(pipeline->past.case_user, id, ret) &&
           eg_handling_ended(ret);
}

struct eg_case *eg_command_find(struct eg_pipeline *pipeline, const char *id, const struct eg_batch *batch,
                                struct eg_case *past)
{
    struct eg_case *row = eg_case_find_named(pipeline, id);
    return row ? row : find_ended(pipeline, id, batch, past) ? past : NULL;
}

/* --- carrying it out --- */

static bool same_matter(const struct eg_case *a, const struct eg_case *b)
{
    return a->kind == b->kind && a->series == b->series && !strcmp(a->rule, b->rule) &&
           !strcmp(a->site, b->site) && !strcmp(a->domain, b->domain) && !strcmp(a->device, b->device);
}

/* A case comes back to life: its rule watches it again, unless another one was opened for the same matter meanwhile. */
static bool revive(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch,
                   char *text, size_t size)
{
    for (size_t i = 0; i < pipeline->case_count; i++) {
        const struct eg_case *other = pipeline->cases[i];
        if (!same_matter(row, other))
            continue;
        snprintf(text, size, "case %s cannot be reopened: %s is open for the same matter", row->id,
                 other->id);
        return false;
    }
    if (!eg_case_add(pipeline, row) ||
        (row->kind == EG_CASE_BREACH && !eg_rule_recall_case(pipeline, row, batch)))
        batch->failed = true;
    else
        eg_judge_recall_last(pipeline, eg_case_find(pipeline, row->number));
    return true;
}

struct eg_case *eg_command_revive(struct eg_pipeline *pipeline, const struct eg_case *row,
                                  struct eg_batch *batch, char *text, size_t size)
{
    uint32_t number = row->number;
    return revive(pipeline, row, batch, text, size) && !batch->failed ? eg_case_find(pipeline, number) : NULL;
}

void eg_command_begin_anew(struct eg_case *row, int64_t now_ms)
{
    row->reopened++;
    row->began_ms = now_ms;
    row->escalation = 0;
    row->handed_on = false;
    row->clear_hours = 0;
    *row->fixer = *row->repairer = '\0';
}

/* What else the step leaves on the row. */
static void mark(const struct eg_pipeline *pipeline, const struct eg_command *command,
                 const struct eg_step *step, struct eg_case *row, uint32_t party, int64_t now_ms)
{
    const struct eg_conf *conf = pipeline->conf;
    enum eg_handling before = (enum eg_handling)row->handling;
    if (step->to < 0)
        return;
    row->handling = (uint8_t)step->to;
    row->closed_ms = eg_handling_ended(row) ? now_ms : EG_TIME_NONE;
    row->until_ms = command->until_ms; /* any other step says that somebody is at it, or that it is over */
    if (step->to == EG_OPEN)
        eg_command_begin_anew(row, now_ms);
    if (does(step, "assign"))
        snprintf(row->assignee, sizeof row->assignee, "%s", command->party);
    if (step->to == EG_FIXED) {
        snprintf(row->fixer, sizeof row->fixer, "%s", command->user);
        snprintf(row->repairer, sizeof row->repairer, "%s",
                 command->party          ? command->party
                 : *row->assignee        ? row->assignee
                 : party != EG_CONF_NONE ? conf->parties[party].id
                                         : "");
    }
    eg_deadline_step(pipeline, row, before, now_ms);
}

/* Where all share the work, and where it was offered, who takes it in hand leads from here on. */
static void take(struct eg_pipeline *pipeline, const struct eg_command *command, const struct eg_step *step,
                 struct eg_case *row, uint32_t party, int64_t now_ms, struct eg_batch *batch)
{
    bool free = row->mode == EG_MODE_COLLABORATIVE || (row->mode == EG_MODE_ALTERNATIVE && row->handed_on);
    if (party == EG_CONF_NONE || !free || !(does(step, "acknowledge") || does(step, "start")) ||
        !strcmp(row->lead, pipeline->conf->parties[party].id))
        return;
    char before[sizeof row->lead];
    memcpy(before, row->lead, sizeof before);
    snprintf(row->lead, sizeof row->lead, "%s", pipeline->conf->parties[party].id);
    eg_case_happened(pipeline, row,
                     (struct eg_case_event){.at_ms = now_ms,
                                            .known_ms = now_ms,
                                            .kind = "taken",
                                            .actor = command->user,
                                            .from = before,
                                            .to = row->lead,
                                            .party = row->lead,
                                            .value = NAN},
                     batch);
}

/* It is not active any more. */
static void leave(struct eg_pipeline *pipeline, struct eg_case *row, int64_t now_ms, struct eg_batch *batch)
{
    uint32_t parent = row->parent;
    eg_rule_forget_case(pipeline, row, batch);
    eg_case_drop(pipeline, row->number);
    eg_recur_follow(pipeline, parent, now_ms, batch);
}

void eg_command_over(struct eg_pipeline *pipeline, struct eg_case *row, const char *note, int64_t at_ms,
                     int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_step *step = eg_handling_step("@over", false);
    struct eg_case_event event = {.at_ms = at_ms,
                                  .known_ms = now_ms,
                                  .kind = step->kind,
                                  .actor = "ecogovd",
                                  .note = note,
                                  .from = eg_handling_name((enum eg_handling)row->handling),
                                  .to = eg_handling_name((enum eg_handling)step->to),
                                  .value = NAN};
    row->handling = (uint8_t)step->to;
    row->closed_ms = now_ms;
    row->due_ms = row->until_ms = EG_TIME_NONE;
    row->overdue = false;
    eg_case_happened(pipeline, row, event, batch);
    leave(pipeline, row, now_ms, batch);
}

void eg_command_step(struct eg_pipeline *pipeline, const struct eg_command *command,
                     const struct eg_step *step, struct eg_case *row, int64_t now_ms, double value,
                     struct eg_batch *batch)
{
    char note[4200];
    enum eg_handling before = (enum eg_handling)row->handling;
    bool was_active = !eg_handling_ended(row);
    uint32_t party = eg_govern_party(pipeline->conf, row, command);
    mark(pipeline, command, step, row, party, now_ms);
    snprintf(note, sizeof note, "%s%s%s", command->reason ? command->reason : "", command->reason ? ": " : "",
             command->note ? command->note : "");
    struct eg_case_event event = {.at_ms = now_ms,
                                  .known_ms = now_ms,
                                  .kind = step->kind,
                                  .actor = command->user,
                                  .note = note,
                                  .party = step->to == EG_FIXED    ? row->repairer
                                           : party == EG_CONF_NONE ? ""
                                                                   : pipeline->conf->parties[party].id,
                                  .value = value,
                                  .from = step->to < 0 ? "" : eg_handling_name(before),
                                  .to = step->to < 0 ? ""
                                        : does(step, "assign")
                                            ? row->assignee
                                            : eg_handling_name((enum eg_handling)row->handling)};
    eg_case_happened(pipeline, row, event, batch);
    take(pipeline, command, step, row, party, now_ms, batch);
    if (!was_active || !eg_handling_ended(row))
        return;
    const struct eg_case done = *row;
    leave(pipeline, row, now_ms, batch);
    if (command->reason && eg_handling_reason_find(command->reason) == EG_REASON_SENSOR && *done.device &&
        done.kind != EG_CASE_MAINTENANCE)
        eg_case_maintain(pipeline, &done, event, batch);
}

/* An exercise: a case like one of this rule at this site, that no reading has opened and none ends. */
static void drill(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                  struct eg_batch *batch)
{
    const struct eg_conf *conf = pipeline->conf;
    const struct eg_conf_rule *rule = command->rule ? eg_conf_rule_find(conf, command->rule) : NULL;
    uint32_t site =
        command->site ? eg_conf_site_find(conf, command->site, strlen(command->site)) : EG_CONF_NONE;
    char text[300];
    int level = EG_LEVEL_NONE;
    if (command->faster < 0 || command->faster > EG_DRILL_FASTER_MOST) {
        snprintf(text, sizeof text, "faster is 1 to %d: so many times faster its deadlines run",
                 EG_DRILL_FASTER_MOST);
        answer(batch, command, EG_EINVAL, 0, text);
        return;
    }
    for (int i = EG_LEVEL_NOTICE; rule && i < EG_LEVEL_COUNT; i++)
        if (rule->levels[i].set &&
            (command->level ? !strcmp(eg_level_name((enum eg_level)i), command->level) : !level))
            level = i;
    if (!rule || site == EG_CONF_NONE || !level) {
        if (!rule)
            snprintf(text, sizeof text, "there is no rule '%.60s'", command->rule ? command->rule : "");
        else if (site == EG_CONF_NONE)
            snprintf(text, sizeof text, "there is no site '%.60s'", command->site ? command->site : "");
        else
            snprintf(text, sizeof text, "rule %.60s has no level %.20s", rule->id, command->level);
        answer(batch, command, EG_ENOTFOUND, 0, text);
        return;
    }
    struct eg_case row = {.kind = EG_CASE_DRILL,
                          .quantity = (uint16_t)(rule->when ? EG_QUANTITY_COUNT : rule->quantity),
                          .rule_version = rule->version,
                          .level = (uint8_t)level,
                          .opened_ms = now_ms,
                          .last_value = rule->levels[level].open,
                          .peak_value = rule->levels[level].open,
                          .last_ms = now_ms,
                          .peak_ms = now_ms,
                          .limit = rule->levels[level].open,
                          .faster = command->faster > 1 ? (uint32_t)command->faster : 0};
    snprintf(row.rule, sizeof row.rule, "%s", rule->id);
    snprintf(row.site, sizeof row.site, "%s", conf->sites[site].id);
    snprintf(row.domain, sizeof row.domain, "%s", rule->domain ? rule->domain : "");
    for (size_t i = 0; i < pipeline->case_count; i++)
        if (same_matter(&row, pipeline->cases[i])) {
            snprintf(text, sizeof text, "%s is under way: the same exercise runs once at a time",
                     pipeline->cases[i]->id);
            answer(batch, command, EG_ECONFLICT, 0, text);
            return;
        }
    const struct eg_case *opened =
        eg_case_begin(pipeline, &row,
                      (struct eg_case_event){.at_ms = now_ms,
                                             .known_ms = now_ms,
                                             .actor = command->user,
                                             .to = eg_level_name((enum eg_level)level),
                                             .note = "exercise",
                                             .value = NAN},
                      batch);
    answer(batch, command, opened ? EG_OK : EG_EFULL, opened ? opened->number : 0,
           opened ? "" : "as many cases are open as ecogov holds");
}

void eg_command_take(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                     struct eg_batch *batch)
{
    if (!strcmp(command->verb, "drill")) {
        drill(pipeline, command, now_ms, batch);
        return;
    }
    char text[500];
    struct eg_case past, *row = eg_command_find(pipeline, command->case_id, batch, &past);
    const struct eg_step *step =
        *command->verb == '@' ? NULL
                              : eg_handling_step(command->verb, row && eg_govern_spared(pipeline->conf, row));
    if (!step || !row) {
        snprintf(text, sizeof text, step ? "there is no case '%.100s'" : "a case knows no step '%.100s'",
                 step ? command->case_id : command->verb);
        answer(batch, command, step ? EG_ENOTFOUND : EG_EINVAL, 0, text);
        return;
    }
    uint32_t number = row->number;
    enum eg_code code = objection(pipeline, command, step, row, now_ms, text, sizeof text);
    if (code == EG_OK && row == &past && step->to == EG_OPEN) {
        row = eg_command_revive(pipeline, &past, batch, text, sizeof text);
        if (!row)
            code = batch->failed ? EG_ENOMEM : EG_ECONFLICT;
    }
    if (code == EG_OK)
        eg_command_step(pipeline, command, step, row, now_ms, NAN, batch);
    answer(batch, command, code, number, code == EG_OK ? "" : text);
}
