/* Reports by people: an observation opens a case or joins the one that is there, confirms or disputes a repair; a measurement by hand is a
 * reading like others, marked manual, and may verify a repair or dispute it. Knows which case is meant; what becomes of a case, command.c
 * and the table of steps know. Called by pipeline.c (over the socket) and message.c (by MQTT). */
#include <pipeline/evidence.h>
#include <pipeline/state.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MANUAL "manual"
#define NOTE_MAX 2048

static struct eg_slice slice(const char *text)
{
    return (struct eg_slice){text, strlen(text)};
}

/* --- the measurement --- */

/* What became of it. */
struct measured {
    uint32_t series; /* 0: nothing was measured */
    int64_t at_ms;
    uint32_t breach; /* the case its rules have for it; 0 */
};

/* As a reading of the site's "manual" device, or of the one named. */
static enum eg_code measure(struct eg_pipeline *pipeline, const struct eg_report *report, int64_t now_ms,
                            struct eg_batch *batch, struct measured *ret, char reason[EG_REASON_MAX])
{
    struct eg_counters *counters = &pipeline->counters;
    struct eg_reading reading = {.time_ms = report->time_ms == EG_TIME_NONE ? now_ms : report->time_ms,
                                 .value = report->value,
                                 .quantity = (uint16_t)report->quantity,
                                 .flags = EG_FLAG_MANUAL};
    const struct eg_routed routed = {.source = EG_CONF_NONE,
                                     .site = slice(report->site),
                                     .domain = slice(report->domain),
                                     .device = slice(report->device ? report->device : MANUAL)};
    if (eg_message_misnamed(pipeline, &routed, reason) ||
        eg_message_inadmissible(pipeline->conf, &reading, now_ms, reason))
        return EG_EINVAL;
    struct eg_device *device = eg_registry_device(
        pipeline, eg_registry_find_device(pipeline, routed.site, routed.domain, routed.device));
    if (!device)
        device = eg_registry_add_device(pipeline, &routed, now_ms, batch, reason);
    struct eg_series *series =
        device ? eg_registry_take_series(pipeline, device, &reading, batch, reason) : NULL;
    if (!series)
        return EG_EFULL;
    counters->r_decoded++;
    switch (eg_series_take(pipeline, series, &reading, now_ms, batch)) {
    case EG_FATE_DUPLICATE:
        counters->r_duplicate++;
        break;
    case EG_FATE_CORRECTED:
        counters->r_corrected++;
        counters->r_stored++;
        break;
    case EG_FATE_STORED:
        counters->r_stored++;
        break;
    }
    eg_judge_deferred(pipeline, now_ms, batch);
    eg_pipeline_settle(pipeline, batch);
    ret->series = series->id;
    ret->at_ms = reading.time_ms;
    for (size_t i = 0; i < series->watch_count && !ret->breach; i++)
        ret->breach = series->watches[i].state.case_number;
    return EG_OK;
}

/* --- which case? --- */

static int verdict_of(const struct eg_pipeline *pipeline, const struct eg_case *row,
                      const struct eg_report *report);

static bool joins(const struct eg_case *row, const struct eg_report *report)
{
    return row->kind != EG_CASE_REGIONAL && row->kind != EG_CASE_DRILL && row->kind != EG_CASE_MAINTENANCE &&
           row->kind != EG_CASE_DEVICE && row->kind != EG_CASE_OUTAGE && !strcmp(row->site, report->site) &&
           !strcmp(row->domain, report->domain);
}

/* The active case at the site and domain: one of the quantity that was measured before others, one that is said to be fixed when the
 * report is about a repair, the newest of them. */
static struct eg_case *find_there(const struct eg_pipeline *pipeline, const struct eg_report *report)
{
    struct eg_case *found = NULL;
    bool found_same = false;
    for (size_t i = 0; i < pipeline->case_count; i++) {
        struct eg_case *row = pipeline->cases[i];
        bool same = report->quantity != EG_QUANTITY_NONE && row->quantity == report->quantity;
        if (!joins(row, report) || (report->repair != EG_REPAIR_NONE && row->handling != EG_FIXED) ||
            (found_same && !same))
            continue;
        found = row;
        found_same = same;
    }
    return found;
}

/* One whose repair the measured value says something of, for or against: that goes before what the value is in itself. */
static struct eg_case *find_repaired(const struct eg_pipeline *pipeline, const struct eg_report *report)
{
    for (size_t i = 0; i < pipeline->case_count; i++)
        if (joins(pipeline->cases[i], report) && pipeline->cases[i]->handling == EG_FIXED &&
            verdict_of(pipeline, pipeline->cases[i], report) != 0)
            return pipeline->cases[i];
    return NULL;
}

/* --- what it means for the case --- */

/* Within the limit that ends the lowest level (1), beyond that which begins it (-1), or neither (0). */
static int verdict_of(const struct eg_pipeline *pipeline, const struct eg_case *row,
                      const struct eg_report *report)
{
    const struct eg_conf_rule *rule = eg_conf_rule_find(pipeline->conf, row->rule);
    int level = EG_LEVEL_NOTICE;
    if (!rule || report->quantity == EG_QUANTITY_NONE || row->quantity != report->quantity ||
        rule->statistic == EG_STAT_RATE || rule->statistic == EG_STAT_SUM)
        return 0;
    while (level < EG_LEVEL_COUNT - 1 && !rule->levels[level].set)
        level++;
    double open = rule->levels[level].open, clear = rule->levels[level].clear; /* of bands: the strictest */
    if (rule->band_count && row->level == level)
        open = row->limit;
    if (rule->below ? report->value < open : report->value > open)
        return -1;
    return (rule->below ? report->value >= clear : report->value <= clear) ? 1 : 0;
}

static const char *step_for(const struct eg_pipeline *pipeline, const struct eg_case *row,
                            const struct eg_report *report, const struct eg_command *command)
{
    char text[500];
    int verdict = row->handling == EG_FIXED ? verdict_of(pipeline, row, report) : 0;
    if (report->repair == EG_REPAIR_DISPUTED || verdict < 0)
        return "@dispute"; /* what was measured goes before what is said of it */
    if (verdict > 0 && eg_govern_objection(pipeline->conf, row, command, true, text, sizeof text) == EG_OK)
        return "verify";
    return report->repair == EG_REPAIR_CONFIRMED ? "@confirm" : "@report";
}

/* Who saw it, what, with what to prove it. */
static void write_note(const struct eg_report *report, char note[NOTE_MAX])
{
    size_t used = 0;
    *note = '\0';
    if (report->reporter)
        used += (size_t)snprintf(note + used, NOTE_MAX - used, "%.63s%s", report->reporter,
                                 report->text ? ": " : "");
    if (report->text)
        used += (size_t)snprintf(note + used, NOTE_MAX - used, "%.1400s", report->text);
    if (!isnan(report->latitude) && !isnan(report->longitude))
        used += (size_t)snprintf(note + used, NOTE_MAX - used, " [%.5f, %.5f]", report->latitude,
                                 report->longitude);
    if (report->photo)
        snprintf(note + used, NOTE_MAX - used, " [photo %.64s]", report->photo);
}

static enum eg_code join(struct eg_pipeline *pipeline, const struct eg_report *report, struct eg_case *row,
                         bool of_the_past, int64_t now_ms, struct eg_batch *batch, char reason[EG_REASON_MAX])
{
    char note[NOTE_MAX];
    write_note(report, note);
    const struct eg_command command = {.user = report->user,
                                       .note = note,
                                       .party = report->party,
                                       .member_of = report->member_of,
                                       .clerk = report->clerk,
                                       .until_ms = EG_TIME_NONE,
                                       .version = -1};
    const struct eg_step *step =
        eg_handling_step(step_for(pipeline, row, report, &command), eg_govern_spared(pipeline->conf, row));
    if (!eg_handling_allows(step, row)) {
        snprintf(reason, EG_REASON_MAX, "case %s is %s: there is no repair to be %s", row->id,
                 eg_handling_name((enum eg_handling)row->handling), step->kind);
        return EG_ECONFLICT;
    }
    if (of_the_past && step->to == EG_OPEN) {
        row = eg_command_revive(pipeline, row, batch, reason, EG_REASON_MAX);
        if (!row)
            return EG_ECONFLICT;
    }
    eg_command_step(pipeline, &command, step, row, now_ms,
                    report->quantity == EG_QUANTITY_NONE ? (double)NAN : report->value, batch);
    return EG_OK;
}

static uint32_t open_case(struct eg_pipeline *pipeline, const struct eg_report *report, int64_t now_ms,
                          struct eg_batch *batch)
{
    char note[NOTE_MAX];
    bool measured = report->quantity != EG_QUANTITY_NONE;
    int64_t at_ms = report->time_ms == EG_TIME_NONE || report->time_ms > now_ms ? now_ms : report->time_ms;
    struct eg_case row = {.kind = EG_CASE_REPORT,
                          .quantity = (uint16_t)(measured ? report->quantity : EG_QUANTITY_COUNT),
                          .level = (uint8_t)pipeline->conf->reports.level,
                          .condition = EG_CONDITION_UNKNOWN,
                          .opened_ms = at_ms,
                          .last_value = measured ? report->value : (double)NAN,
                          .peak_value = measured ? report->value : (double)NAN,
                          .last_ms = measured ? at_ms : EG_TIME_NONE,
                          .peak_ms = measured ? at_ms : EG_TIME_NONE,
                          .limit = NAN};
    snprintf(row.site, sizeof row.site, "%s", report->site);
    snprintf(row.domain, sizeof row.domain, "%s", report->domain);
    write_note(report, note);
    const struct eg_case *opened =
        eg_case_begin(pipeline, &row,
                      (struct eg_case_event){.at_ms = at_ms,
                                             .known_ms = now_ms,
                                             .actor = report->user,
                                             .to = eg_level_name(pipeline->conf->reports.level),
                                             .note = note,
                                             .party = report->party,
                                             .value = measured ? report->value : (double)NAN},
                      batch);
    return opened ? opened->number : 0;
}

static enum eg_code misplaced(const struct eg_pipeline *pipeline, const struct eg_report *report,
                              int64_t now_ms, char reason[EG_REASON_MAX])
{
    const struct eg_routed routed = {.source = EG_CONF_NONE,
                                     .site = slice(report->site),
                                     .domain = slice(report->domain),
                                     .device = slice(MANUAL)};
    if (eg_message_misnamed(pipeline, &routed, reason))
        return EG_EINVAL;
    if (report->party && eg_conf_party_index(pipeline->conf, report->party) == EG_CONF_NONE)
        snprintf(reason, EG_REASON_MAX, "there is no party '%.60s' in the configuration", report->party);
    else if (report->time_ms != EG_TIME_NONE &&
             report->time_ms > now_ms + pipeline->conf->future_tolerance_ms)
        snprintf(reason, EG_REASON_MAX, "the report's time lies in the future");
    else if (!report->text && report->quantity == EG_QUANTITY_NONE && report->repair == EG_REPAIR_NONE &&
             !report->photo)
        snprintf(reason, EG_REASON_MAX,
                 "the report says nothing: a text, a measured value or what became of a repair");
    else
        return EG_OK;
    return EG_EINVAL;
}

/* It joins a case, opens one, or says that nothing is wrong: *ret_case is 0 then. */
static enum eg_code place(struct eg_pipeline *pipeline, const struct eg_report *report, uint32_t breach,
                          int64_t now_ms, struct eg_batch *batch, uint32_t *ret_case,
                          char reason[EG_REASON_MAX])
{
    struct eg_case past, *row = NULL;
    if (report->case_id) /* the reading may have moved it, or closed it */
        row = eg_command_find(pipeline, report->case_id, batch, &past);
    else if (!(row = find_repaired(pipeline, report)) && !(row = eg_case_find(pipeline, breach)))
        row = find_there(pipeline, report);
    if (row) {
        *ret_case = row->number;
        return join(pipeline, report, row, row == &past, now_ms, batch, reason);
    }
    if (report->repair != EG_REPAIR_NONE) {
        snprintf(reason, EG_REASON_MAX, "no case at %s in %s is said to be fixed: name the case",
                 report->site, report->domain);
        return EG_ENOTFOUND;
    }
    if (!report->text && !report->photo)
        return EG_OK; /* a measurement, and nothing is wrong */
    *ret_case = open_case(pipeline, report, now_ms, batch);
    if (!*ret_case)
        snprintf(reason, EG_REASON_MAX, "as many cases are open as ecogov holds");
    return *ret_case ? EG_OK : EG_EFULL;
}

enum eg_code eg_report_take(struct eg_pipeline *pipeline, const struct eg_report *report, int64_t now_ms,
                            struct eg_batch *batch, uint32_t *ret_case, char reason[EG_REASON_MAX])
{
    struct eg_case past;
    struct measured measured = {0};
    *ret_case = 0;
    enum eg_code code = misplaced(pipeline, report, now_ms, reason);
    if (code == EG_OK && report->case_id && !eg_command_find(pipeline, report->case_id, batch, &past)) {
        snprintf(reason, EG_REASON_MAX, "there is no case '%.100s'", report->case_id);
        code = EG_ENOTFOUND;
    }
    if (code == EG_OK && report->quantity != EG_QUANTITY_NONE)
        code = measure(pipeline, report, now_ms, batch, &measured, reason);
    if (code == EG_OK)
        code = place(pipeline, report, measured.breach, now_ms, batch, ret_case, reason);
    if (*ret_case && measured.series)
        eg_evidence_measured(*ret_case, measured.series, measured.at_ms, batch);
    return code;
}

void eg_report_answer(struct eg_pipeline *pipeline, const struct eg_report *report, int64_t now_ms,
                      struct eg_batch *batch)
{
    char reason[EG_REASON_MAX] = "";
    struct eg_answer answer = {.ticket = report->ticket, .report = true};
    answer.code = eg_report_take(pipeline, report, now_ms, batch, &answer.case_number, reason);
    answer.sentence = reason;
    eg_batch_answer(batch, answer);
}

/* A person's message; retained, it would come again with each subscription. */
void eg_report_message(struct eg_speakers *speakers, struct eg_batch *batch, struct eg_became *became)
{
    const struct eg_sink *sink = speakers->pipeline->sink;
    const struct eg_sink_report *said = &sink->report;
    char site[64], domain[EG_DOMAIN_TEXT];
    uint32_t number;
    if (speakers->message->retain)
        return;
    snprintf(site, sizeof site, "%.*s", (int)speakers->routed.site.length, speakers->routed.site.text);
    snprintf(domain, sizeof domain, "%.*s", (int)speakers->routed.domain.length,
             speakers->routed.domain.text);
    struct eg_report report = {.site = site,
                               .domain = domain,
                               .text = *said->text ? said->text : NULL,
                               .reporter = *said->reporter ? said->reporter : NULL,
                               .photo = *said->photo ? said->photo : NULL,
                               .case_id = *said->case_id ? said->case_id : NULL,
                               .user = "mqtt",
                               .quantity = sink->count ? sink->readings[0].quantity : EG_QUANTITY_NONE,
                               .value = sink->count ? sink->readings[0].value : 0,
                               .time_ms = said->time_ms,
                               .latitude = said->latitude,
                               .longitude = said->longitude,
                               .repair = said->repair};
    if (eg_report_take(speakers->pipeline, &report, speakers->now_ms, batch, &number, became->reason) ==
        EG_OK) {
        became->fate = EG_MESSAGE_DECODED;
    } else {
        became->fate = EG_MESSAGE_REFUSED;
        became->verdict = EG_IMPLAUSIBLE;
    }
}
