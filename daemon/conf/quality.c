/* What quality control asks: the defaults (quality.def), what the section `quality` makes of them, and which of it holds for a series.
 * Knows names and numbers; refuses to know readings. Called by load.c, settings.c and, at a start and a reload, by the pipeline. */
#include <conf/resolve.h>
#include <ecogov/quantity.h>

#include <math.h>
#include <string.h>

#define NONE INFINITY
#define HOUR_MS 3600000.0
#define HUMIDITY_DEFAULT 95
#define NEIGHBOURS_DEFAULT_M 2000
#define NEIGHBOURS_MOST_M 100000
#define ROWS_MAX 10000

static int64_t hours(double count)
{
    return isinf(count) ? INT64_MAX : (int64_t)(count * HOUR_MS);
}

void eg_quality_defaults(struct eg_conf_quality *quality)
{
    quality->humidity = HUMIDITY_DEFAULT;
    quality->neighbours_m = NEIGHBOURS_DEFAULT_M;
    for (int i = 0; i < EG_QUANTITY_COUNT; i++)
        quality->quantities[i] = (struct eg_conf_limits){.low = -NONE,
                                                         .high = NONE,
                                                         .rise = NONE,
                                                         .fall = NONE,
                                                         .spike = NONE,
                                                         .stuck_ms = INT64_MAX,
                                                         .stuck_bad_ms = INT64_MAX,
                                                         .calm = -NONE,
                                                         .full = NONE,
                                                         .noise = NONE,
                                                         .drift = NONE};
#define EG_QUALITY(id, low_, high_, rise_, fall_, spike_, share_, stuck_, bad_, calm_, full_)                \
    quality->quantities[EG_Q_##id] = (struct eg_conf_limits){.low = isinf((double)low_) ? -NONE : low_,      \
                                                             .high = high_,                                  \
                                                             .rise = rise_,                                  \
                                                             .fall = fall_,                                  \
                                                             .spike = spike_,                                \
                                                             .spike_share = share_,                          \
                                                             .stuck_ms = hours(stuck_),                      \
                                                             .stuck_bad_ms = hours(bad_),                    \
                                                             .calm = isinf((double)calm_) ? -NONE : calm_,   \
                                                             .full = full_,                                  \
                                                             .noise = NONE,                                  \
                                                             .drift = NONE};
#include <conf/quality.def>
#undef EG_QUALITY
#define EG_STEADY(id, noise_, noise_share_, drift_, drift_share_)                                            \
    quality->quantities[EG_Q_##id].noise = noise_;                                                           \
    quality->quantities[EG_Q_##id].noise_share = noise_share_;                                               \
    quality->quantities[EG_Q_##id].drift = drift_;                                                           \
    quality->quantities[EG_Q_##id].drift_share = drift_share_;
#include <conf/steady.def>
#undef EG_STEADY
}

/* --- which holds --- */

static bool meant(const struct eg_conf_quality_row *row, int quantity, uint32_t site, const char *device)
{
    return row->quantity == quantity && (row->site == EG_CONF_NONE || row->site == site) &&
           (!row->device || strcmp(row->device, device) == 0);
}

static int closeness(const struct eg_conf_quality_row *row)
{
    return (row->device ? 2 : 0) + (row->site != EG_CONF_NONE ? 1 : 0);
}

const struct eg_conf_limits *eg_conf_limits_of(const struct eg_conf *conf, int quantity, uint32_t site,
                                               const char *device)
{
    const struct eg_conf_limits *limits = &conf->quality.quantities[quantity];
    int closest = 0; /* what names neither is in quantities[] */
    for (size_t i = 0; i < conf->quality.row_count; i++) {
        const struct eg_conf_quality_row *row = &conf->quality.rows[i];
        if (closeness(row) > closest && meant(row, quantity, site, device)) {
            closest = closeness(row);
            limits = &row->limits;
        }
    }
    return limits;
}

/* --- the section --- */

static void take_span(struct eg_resolve *resolve, const yaml_node_t *node, const char *key, const char *text,
                      int64_t *ret_ms)
{
    if (!text)
        return;
    int64_t ms = eg_resolve_span(resolve, node, key, text, 0);
    *ret_ms = ms > 0 ? ms : INT64_MAX;
}

/* 0: not asked. */
static void take_amount(struct eg_resolve *resolve, const yaml_node_t *node, const char *key,
                        const double *given, double *ret)
{
    if (!given)
        return;
    *ret = *given > 0 ? *given : NONE;
    if (!(*given >= 0) || isinf(*given))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, key),
                         "%s is %g, 0 or more is expected (0: not asked)", key, *given);
}

static void take_share(struct eg_resolve *resolve, const yaml_node_t *node, const char *key,
                       const double *given, double *ret)
{
    if (!given)
        return;
    *ret = *given;
    if (!(*given >= 0) || *given > 10)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, key),
                         "%s is %g, a share of 0 to 10 is expected", key, *given);
}

static void take_limits(struct eg_resolve *resolve, const struct eg_raw_quality_limits *raw,
                        const yaml_node_t *node, struct eg_conf_limits *limits)
{
    if (raw->low)
        limits->low = *raw->low;
    if (raw->high)
        limits->high = *raw->high;
    if (raw->step)
        limits->rise = limits->fall = *raw->step > 0 ? *raw->step : NONE;
    if (raw->fall)
        limits->fall = *raw->fall > 0 ? *raw->fall : NONE;
    take_span(resolve, node, "stuck", raw->stuck, &limits->stuck_ms);
    take_span(resolve, node, "stuck_bad", raw->stuck_bad, &limits->stuck_bad_ms);
    take_amount(resolve, node, "spike", raw->spike, &limits->spike);
    take_share(resolve, node, "spike_share", raw->spike_share, &limits->spike_share);
    take_amount(resolve, node, "noise", raw->noise, &limits->noise);
    take_share(resolve, node, "noise_share", raw->noise_share, &limits->noise_share);
    take_amount(resolve, node, "drift", raw->drift, &limits->drift);
    take_share(resolve, node, "drift_share", raw->drift_share, &limits->drift_share);
    if (limits->stuck_ms == INT64_MAX)
        limits->stuck_bad_ms = INT64_MAX;
    if (!(limits->low <= limits->high))
        eg_resolve_fault(resolve, node, "what is usual ends at %g, below %g where it begins", limits->high,
                         limits->low);
    if ((raw->step && *raw->step < 0) || (raw->fall && *raw->fall < 0))
        eg_resolve_fault(resolve, node, "step and fall are a change in a minute, 0 or more; 0: not asked");
    if (limits->stuck_bad_ms < limits->stuck_ms)
        eg_resolve_fault(resolve, node, "stuck_bad is shorter than stuck");
}

/* Takes the entries of one closeness, so that what is said of a device builds on what is said of all. */
static void take_rows(struct eg_resolve *resolve, const struct eg_raw_quality *raw, const yaml_node_t *list,
                      int close)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    struct eg_conf_quality *quality = &conf->quality;
    for (unsigned i = 0; i < raw->limits_count; i++) {
        const struct eg_raw_quality_limits *from = &raw->limits[i];
        const yaml_node_t *entry = eg_files_item(resolve->file, list, i);
        struct eg_conf_quality_row row = {.device = from->device, .site = EG_CONF_NONE};
        if ((from->device ? 2 : 0) + (from->site ? 1 : 0) != close)
            continue;
        row.quantity =
            eg_resolve_measured(resolve, eg_resolve_node(resolve, entry, "quantity"), from->quantity);
        if (from->site)
            row.site = eg_resolve_site(resolve, eg_resolve_node(resolve, entry, "site"), from->site);
        if (row.quantity == EG_QUANTITY_NONE || (from->site && row.site == EG_CONF_NONE))
            continue; /* told */
        for (size_t k = 0; k < quality->row_count; k++)
            if (close && closeness(&quality->rows[k]) == close && quality->rows[k].site == row.site &&
                quality->rows[k].quantity == row.quantity &&
                (!row.device || !strcmp(quality->rows[k].device, row.device)))
                eg_resolve_fault(resolve, entry, "quality.limits says twice what is asked of the same");
        row.limits = *eg_conf_limits_of(conf, row.quantity, row.site, row.device ? row.device : "");
        take_limits(resolve, from, entry, &row.limits);
        if (close)
            quality->rows[quality->row_count++] = row;
        else
            quality->quantities[row.quantity] = row.limits;
    }
}

void eg_resolve_quality(struct eg_resolve *resolve, const struct eg_raw_quality *raw, const yaml_node_t *node)
{
    struct eg_conf_quality *quality = &resolve->loaded->conf.quality;
    const yaml_node_t *list = eg_files_key(resolve->file, node, "limits");
    if (raw->set_aside)
        quality->strict = *raw->set_aside == EG_SET_ASIDE_SUSPECT;
    if (raw->humidity && (*raw->humidity < 0 || *raw->humidity > 100))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "humidity"),
                         "humidity is %g, it may be 0 to 100 (0: particles are not asked for it)",
                         *raw->humidity);
    if (raw->humidity)
        quality->humidity = *raw->humidity > 0 ? *raw->humidity : NONE;
    if (raw->neighbours && !(*raw->neighbours >= 0 && *raw->neighbours <= NEIGHBOURS_MOST_M))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "neighbours"),
                         "neighbours is %g, it may be 0 to %d metres", *raw->neighbours, NEIGHBOURS_MOST_M);
    if (raw->neighbours)
        quality->neighbours_m = *raw->neighbours;
    if (quality->row_count + raw->limits_count > ROWS_MAX) {
        eg_resolve_fault(resolve, list, "quality.limits has %u entries, it may have %d", raw->limits_count,
                         ROWS_MAX);
        return;
    }
    const struct eg_conf_quality_row *before = quality->rows; /* of other files */
    quality->rows = eg_resolve_keep(resolve, quality->row_count + raw->limits_count, sizeof *quality->rows);
    if (quality->rows && before)
        memcpy(quality->rows, before, quality->row_count * sizeof *before);
    for (int close = 0; quality->rows && close <= 3; close++)
        take_rows(resolve, raw, list, close);
}
