/* The series a case stands on beside those of its own device: what its rule looked at elsewhere, the stations an index was made of, what
 * was heard last of who is silent, what people measured. Knows them at the moment the case comes to be and writes them down, so that their
 * readings are kept as long as the case and are shown with it, whatever becomes of its rule. Refuses to know what readings said and how
 * they are kept (store). Called by case.c, siterun.c, outage.c and report.c. */
#include <pipeline/evidence.h>
#include <pipeline/hours.h>

#include <string.h>

static void stand_on(uint32_t number, uint32_t series, enum eg_evidence why, int64_t since_ms,
                     struct eg_batch *batch)
{
    struct eg_row_evidence *row = EG_BATCH_ADD(batch, evidence);
    if (row)
        *row = (struct eg_row_evidence){number, series, why, since_ms};
}

/* Back from the opening: what lies as far as that is looked at. A window of the calendar is as long as it may be. */
static int64_t back(const struct eg_case *row, int64_t a_ms, int64_t b_ms)
{
    return row->opened_ms - (a_ms > b_ms ? a_ms : b_ms);
}

void eg_evidence_breach(const struct eg_series *series, const struct eg_conf *conf,
                        const struct eg_conf_rule *rule, const struct eg_case *row, struct eg_batch *batch)
{
    if (rule->window_ms > EG_EVIDENCE_AROUND_MS)
        stand_on(row->number, series->id, EG_EVIDENCE_ASKED, back(row, rule->window_ms, 0), batch);
    for (size_t w = 0; w < series->watch_count; w++) {
        const struct eg_watch *watch = &series->watches[w];
        if (&conf->rules[watch->rule] != rule)
            continue;
        for (size_t i = 0; i < watch->link_count; i++) {
            const struct eg_conf_partner *partner = &rule->partners[watch->links[i].partner];
            stand_on(row->number, watch->links[i].series, EG_EVIDENCE_ASKED,
                     back(row, partner->within_ms, partner->window_ms), batch);
        }
    }
}

/* Of soil and waste the readings of a day, or the one that speaks for longer. */
static int64_t spoke(const struct eg_series *series, const struct eg_case *row)
{
    int64_t day_ms = row->opened_ms - EG_EVIDENCE_AROUND_MS,
            first_ms = row->opened_ms - eg_part_hours(series->part) * EG_HOUR_MS;
    int64_t since_ms = series->has_last && series->last_ms < day_ms ? series->last_ms : day_ms;
    return since_ms > first_ms ? since_ms : first_ms;
}

void eg_evidence_index(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                       const struct eg_conf_rule *rule, const struct eg_case *row, struct eg_batch *batch)
{
    const enum eg_land_index land = eg_land_index_find(eg_quantity_info(rule->quantity)->name);
    for (size_t i = 0, most = EG_EVIDENCE_MOST; i < site->series_count && most; i++) {
        const struct eg_series *series = pipeline->series[site->series[i] - 1];
        if (site->group != EG_INDEX_AIR && !eg_part_is_of(series->part, land))
            continue;
        stand_on(row->number, series->id, EG_EVIDENCE_ASKED,
                 site->group == EG_INDEX_AIR ? row->opened_ms - EG_AIR_HOURS * EG_HOUR_MS
                                             : spoke(series, row),
                 batch);
        most--;
    }
}

void eg_evidence_silent(const struct eg_pipeline *pipeline, const struct eg_device *device, uint32_t number,
                        struct eg_batch *batch)
{
    const struct eg_series *newest = NULL;
    for (size_t i = 0; i < device->series_count; i++) {
        const struct eg_series *series = pipeline->series[device->series[i] - 1];
        if (series->has_last && (!newest || series->last_ms > newest->last_ms))
            newest = series;
    }
    if (newest)
        stand_on(number, newest->id, EG_EVIDENCE_HEARD, newest->last_ms, batch);
}

void eg_evidence_measured(uint32_t number, uint32_t series, int64_t at_ms, struct eg_batch *batch)
{
    stand_on(number, series, EG_EVIDENCE_MEASURED, at_ms, batch);
}
