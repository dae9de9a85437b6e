/* A sensor that is in doubt for long: its readings are stuck, or bad, jump about, depart from its neighbours'. That is a case about the
 * sensor, and while it is active its series opens none about the village: what it tells may be its own fault. Knows since when a series is
 * doubted from quality.c and examine.c; refuses to know what makes it doubtful. Called by series.c for each reading, by examine.c and by
 * case.c. */
#include <pipeline/outage.h>
#include <pipeline/quality.h>
#include <pipeline/suspect.h>

#include <base/json.h>
#include <ecogov/time.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DOUBTED (EG_FLAG_STUCK | EG_FLAG_BAD)

void eg_suspect_case(struct eg_pipeline *pipeline, const struct eg_case *row, bool begins)
{
    struct eg_series *series =
        row->kind == EG_CASE_MAINTENANCE ? eg_registry_series(pipeline, row->series) : NULL;
    if (series)
        series->suspect_case = begins ? row->number : 0;
}

/* Since when, and why in `note`; EG_TIME_NONE: it is not in doubt, as far as this is about its sensor. */
static int64_t doubted_since(const struct eg_series *series, char note[160])
{
    char time[EG_TIME_TEXT], value[EG_NUMBER_TEXT], usual[EG_NUMBER_TEXT];
    const struct eg_quantity_info *info = eg_quantity_info(series->quantity);
    const struct eg_finding *finding = series->finding;
    struct eg_verdict_of_quality verdict;
    if (series->last_flags & DOUBTED) {
        eg_quality_verdict(series, &verdict);
        if (verdict.stuck_since_ms != EG_TIME_NONE)
            snprintf(note, 160, "%s has been %s %s since %s", info->name,
                     eg_number_format(series->last_value, value), info->unit,
                     eg_time_format(verdict.stuck_since_ms, time));
        else
            snprintf(note, 160, "the readings of %s have been bad since %s", info->name,
                     eg_time_format(verdict.since_ms, time));
        return verdict.since_ms;
    }
    if (!finding)
        return EG_TIME_NONE;
    if (finding->drifting_ms != EG_TIME_NONE) {
        snprintf(note, 160, "%s has been %s all its neighbours, nearly every hour, since %s", info->name,
                 finding->side < 0 ? "below" : "above", eg_time_format(finding->drifting_ms, time));
        return finding->drifting_ms;
    }
    snprintf(note, 160, "%s has jumped about since %s, by far more than the usual %s %s", info->name,
             eg_time_format(finding->noisy_ms, time), eg_number_format(finding->usual, usual), info->unit);
    return finding->noisy_ms;
}

static void begin(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_conf_rule *rule,
                  int64_t since_ms, const char *note, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    struct eg_case about = {
        .quantity = series->quantity, .series = series->id, .rule_version = rule->version};
    snprintf(about.site, sizeof about.site, "%s", device->site_id);
    snprintf(about.domain, sizeof about.domain, "%s", device->domain);
    snprintf(about.device, sizeof about.device, "%s", device->name);
    snprintf(about.channel, sizeof about.channel, "%s", series->channel);
    snprintf(about.rule, sizeof about.rule, "%s", rule->id);
    about.level = (uint8_t)eg_outage_level(rule);
    series->suspect_case = eg_case_maintain(
        pipeline, &about,
        (struct eg_case_event){.at_ms = since_ms, .known_ms = now_ms, .actor = "ecogovd", .note = note},
        batch);
}

static void end(struct eg_pipeline *pipeline, struct eg_series *series, int64_t now_ms,
                struct eg_batch *batch)
{
    struct eg_case *row = eg_case_find(pipeline, series->suspect_case);
    bool own = row && row->series == series->id; /* else it is about more than this */
    series->suspect_case = 0;
    if (own)
        eg_command_over(pipeline, row, "its readings are good again", series->last_ms, now_ms, batch);
}

void eg_suspect_look(struct eg_pipeline *pipeline, struct eg_series *series, int64_t now_ms,
                     struct eg_batch *batch)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    bool doubted = series->last_flags & DOUBTED || series->finding;
    if (doubted == (series->suspect_case != 0) || !pipeline->device_rules || device->site == EG_CONF_NONE ||
        eg_registry_retired(device))
        return;
    if (!doubted) {
        end(pipeline, series, now_ms, batch);
        return;
    }
    char note[160];
    const struct eg_conf_rule *rule =
        eg_outage_rule(pipeline->conf, EG_WHEN_SUSPECT, device->site, device->domain);
    const int64_t doubted_ms = doubted_since(series, note);
    struct eg_case former; /* whom people have closed is waited for anew */
    int64_t since = doubted_ms;
    if (rule &&
        eg_recur_former(pipeline, EG_CASE_MAINTENANCE, rule->id, series->id, device->site_id, batch,
                        &former) &&
        former.closed_ms > since)
        since = former.closed_ms;
    if (rule && doubted_ms != EG_TIME_NONE && series->last_ms - since >= rule->hold_ms)
        begin(pipeline, series, rule, doubted_ms, note, now_ms, batch);
}
