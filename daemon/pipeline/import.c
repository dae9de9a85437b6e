/* History from elsewhere: rows as an export writes them become readings that are stored, summed up and judged by no rule. Knows which
 * device a row means; what a reading does is series.c's business. First all rows are looked at, then they are taken, so that a
 * wrong one leaves nothing behind; only a bound of the registry can end it half way, and the answer says where. */
#include <pipeline/state.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct eg_slice slice(const char *text)
{
    return (struct eg_slice){text, strlen(text)};
}

static bool same_device(const struct eg_device *device, const struct eg_import_row *row)
{
    return !strcmp(device->name, row->device) && !strcmp(device->site_id, row->site);
}

/* The registered device a row means: the one in the given domain, else the only one of that name at that site. 0: none. *ret_several:
 * its domain must be told. `guess`: what was found for the row before; rows come series by series. */
static uint32_t find_device(const struct eg_pipeline *pipeline, const struct eg_import_row *row,
                            uint32_t guess, bool *ret_several)
{
    uint32_t found = 0;
    *ret_several = false;
    if (guess && same_device(&pipeline->devices[guess - 1], row))
        return guess;
    if (*row->domain) {
        found = eg_registry_find_device(pipeline, slice(row->site), slice(row->domain), slice(row->device));
        if (found != EG_ID_NONE)
            return found;
        found = 0;
    }
    for (size_t i = 0; i < pipeline->device_count; i++)
        if (same_device(&pipeline->devices[i], row)) {
            *ret_several |= found != 0;
            found = (uint32_t)i + 1;
        }
    return found;
}

/* The domain of a device that is new: given, or described in the configuration. NULL: unknown. */
static const char *domain_of(const struct eg_conf *conf, const struct eg_import_row *row)
{
    const char *found = *row->domain ? row->domain : NULL;
    for (size_t i = 0; i < conf->device_count && !found; i++)
        if (!strcmp(conf->devices[i].id, row->device) &&
            !strcmp(conf->sites[conf->devices[i].site].id, row->site))
            found = conf->devices[i].domain;
    return found;
}

static struct eg_routed route_of(const struct eg_import_row *row, const char *domain)
{
    return (struct eg_routed){.source = EG_CONF_NONE,
                              .site = slice(row->site),
                              .domain = slice(domain),
                              .device = slice(row->device)};
}

/* Why a row is not taken; false: it may be. */
static bool objection(const struct eg_pipeline *pipeline, const struct eg_import_row *row, int64_t now_ms,
                      uint32_t *guess, char reason[EG_REASON_MAX])
{
    bool several;
    uint32_t id = find_device(pipeline, row, *guess, &several);
    const char *domain = id ? pipeline->devices[id - 1].domain : domain_of(pipeline->conf, row);
    struct eg_routed routed = route_of(row, domain ? domain : "air");
    *guess = several ? 0 : id;
    if (several)
        snprintf(reason, EG_REASON_MAX, "site '%s' has more than one device '%s': say its domain", row->site,
                 row->device);
    else if (eg_message_misnamed(pipeline, &routed, reason))
        return true;
    else if (!domain)
        snprintf(reason, EG_REASON_MAX, "device '%s' at site '%s' is new: say its domain", row->device,
                 row->site);
    else if (!isfinite(row->reading.value) || row->reading.time_ms == EG_TIME_NONE)
        snprintf(reason, EG_REASON_MAX, "a time and a value are needed");
    else
        return eg_message_inadmissible(pipeline->conf, &row->reading, now_ms, reason) != NULL;
    return true;
}

static bool take_row(struct eg_pipeline *pipeline, const struct eg_import_row *row, int64_t now_ms,
                     uint32_t *guess, struct eg_batch *batch, struct eg_answer *answer,
                     char reason[EG_REASON_MAX])
{
    bool several;
    struct eg_reading reading = row->reading;
    struct eg_counters *counters = &pipeline->counters;
    uint32_t id = *guess = find_device(pipeline, row, *guess, &several);
    struct eg_device *device = eg_registry_device(pipeline, id);
    if (!device) {
        struct eg_routed routed = route_of(row, domain_of(pipeline->conf, row));
        device = eg_registry_add_device(pipeline, &routed, now_ms, batch, reason);
    }
    struct eg_series *series =
        device ? eg_registry_take_series(pipeline, device, &reading, batch, reason) : NULL;
    if (!series)
        return false;
    reading.flags =
        (uint16_t)((reading.flags & ~(EG_FLAG_REQUALIFIED | EG_FLAG_CALIBRATED)) | EG_FLAG_IMPORTED);
    counters->r_decoded++;
    if (eg_series_take(pipeline, series, &reading, now_ms, batch) == EG_FATE_DUPLICATE) {
        counters->r_duplicate++;
        answer->duplicate++;
    } else {
        counters->r_stored++;
        answer->imported++;
    }
    return true;
}

void eg_import_take(struct eg_pipeline *pipeline, const struct eg_import *import, int64_t now_ms,
                    struct eg_batch *batch)
{
    char reason[EG_REASON_MAX] = "", sentence[EG_REASON_MAX + 96] = "";
    struct eg_answer answer = {.ticket = import->ticket, .code = EG_OK};
    uint32_t guess = 0;
    size_t at = 0;
    while (at < import->count && !objection(pipeline, &import->rows[at], now_ms, &guess, reason))
        at++;
    if (at < import->count) {
        answer.code = EG_EINVAL;
        snprintf(sentence, sizeof sentence, "row %lld: %s", (long long)(import->first + (int64_t)at), reason);
    }
    guess = 0;
    for (at = 0; answer.code == EG_OK && at < import->count; at++)
        if (!take_row(pipeline, &import->rows[at], now_ms, &guess, batch, &answer, reason)) {
            answer.code = EG_EINVAL;
            snprintf(sentence, sizeof sentence, "row %lld: %s; the rows before it are in",
                     (long long)(import->first + (int64_t)at), reason);
        }
    answer.sentence = sentence;
    eg_batch_answer(batch, answer);
}
