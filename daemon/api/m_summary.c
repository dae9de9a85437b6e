/* Knows the village at a glance: for every site and domain the devices, the newest values, this hour, this
 * day and the cases; what lies below a site is counted in it. Refuses to know the past before this day
 * (m_history.c). Called by the table in methods.c. Costs one walk over the devices and one over the active
 * cases, times the depth of the tree; no look into the store. */
#include <api/completeness.h>
#include <api/asof.h>
#include <api/indices.h>
#include <api/methods.h>
#include <pipeline/rollup.h>
#include <pipeline/silent.h>
#include <base/zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMAINS_MAX 64
#define SITE_TEXT_MAX ((size_t)1 << 20)

struct statistic {
    uint64_t count;
    double means, min, max; /* means: the sum of those of its series */
    size_t known, valid;    /* series with readings; those of which enough is known */
    double covered;         /* sum of the completeness of all its series */
    uint64_t suspect, bad;  /* of the readings of this hour or day: in doubt; set aside, and not in count */
    uint64_t clock;         /* of these: dated by a clock in doubt */
};
struct tally { /* of one quantity */
    size_t series;
    struct statistic periods[EG_PERIOD_COUNT];
};
struct cell {          /* of a site and a domain */
    struct cell *next; /* of the same site */
    size_t domain;     /* index in summary.domains */
    size_t total, late, silent, suspect, retired;
    size_t cases[EG_LEVEL_COUNT];
    uint32_t first_device, last_device; /* at the site itself; chained by summary.next_device; 0: none */
    struct tally *tallies;              /* EG_QUANTITY_COUNT, or NULL */
    struct eg_indices *own, *indices;   /* of the site's own devices; of all */
};
struct summary {
    struct eg_call *call;
    struct eg_asof *asof;
    struct eg_scope scope;
    const char *only_domain;
    char domains[DOMAINS_MAX][EG_DOMAIN_TEXT]; /* a past case is gone when the next one is looked at */
    size_t domain_count;
    struct cell **sites;   /* by index in conf->sites */
    uint32_t *next_device; /* by device id */
    size_t unplaced;       /* devices whose site is not in the configuration */
    int64_t hour_ms;       /* the end of the newest whole hour */
    int code;              /* of what went wrong; the sentence is in the call */
};

/* --- gathering --- */

static void no_memory(struct summary *summary)
{
    summary->code = eg_call_fail(summary->call, EG_RPC_INTERNAL, "There is no memory for the summary.");
}

static struct cell *find_cell(struct summary *summary, uint32_t site, const char *domain)
{
    for (struct cell *cell = summary->sites[site]; cell; cell = cell->next)
        if (strcmp(summary->domains[cell->domain], domain) == 0)
            return cell;
    size_t index = 0;
    while (index < summary->domain_count && strcmp(summary->domains[index], domain) != 0)
        index++;
    if (index == DOMAINS_MAX) {
        summary->code =
            eg_call_fail(summary->call, EG_RPC_PARAMS,
                         "There are more than %d domains; ask for one by \"domain\".", DOMAINS_MAX);
        return NULL;
    }
    struct cell *cell = calloc(1, sizeof *cell);
    if (!cell) {
        no_memory(summary);
        return NULL;
    }
    if (index == summary->domain_count)
        snprintf(summary->domains[summary->domain_count++], EG_DOMAIN_TEXT, "%s", domain);
    cell->domain = index;
    cell->next = summary->sites[site];
    summary->sites[site] = cell;
    return cell;
}

/* The next site up that still is in scope, or EG_CONF_NONE. */
static uint32_t up(const struct summary *summary, uint32_t site)
{
    return site == summary->scope.site ? EG_CONF_NONE : summary->call->desk->conf->sites[site].parent;
}

static void add_statistic(struct statistic *sum, const struct eg_rollup *rollup, double mean,
                          const struct eg_doubts *doubts, int64_t now_ms, double completeness, bool valid)
{
    if (now_ms < rollup->start_ms || now_ms >= rollup->end_ms)
        return; /* an hour that is over says nothing about this one */
    sum->suspect += doubts->suspect;
    sum->bad += doubts->bad;
    sum->clock += doubts->clock;
    if (!rollup->count)
        return;
    if (!sum->count || rollup->min < sum->min)
        sum->min = rollup->min;
    if (!sum->count || rollup->max > sum->max)
        sum->max = rollup->max;
    sum->count += rollup->count;
    sum->means += mean;
    sum->covered += completeness;
    sum->known++;
    sum->valid += valid;
}

static void add_series(struct summary *summary, uint32_t site, const char *domain,
                       const struct eg_series_view *series)
{
    int64_t now_ms = summary->asof->at_ms;
    const struct eg_conf_validity *validity = &summary->call->desk->conf->validity;
    const double hour_mean =
        series->hour.sum / (double)series->hour.count; /* none is asked for of no reading */
    const struct eg_dayknown day = eg_completeness_of_day(series, now_ms, validity);
    for (; site != EG_CONF_NONE && summary->code == 0; site = up(summary, site)) {
        struct cell *cell = find_cell(summary, site, domain);
        if (cell && !cell->tallies)
            cell->tallies = calloc(EG_QUANTITY_COUNT + 1, sizeof *cell->tallies);
        if (!cell || !cell->tallies || (int)series->quantity >= EG_QUANTITY_COUNT)
            return;
        struct tally *tally = &cell->tallies[series->quantity];
        tally->series++;
        add_statistic(&tally->periods[EG_PERIOD_HOUR], &series->hour, hour_mean, &series->hour_doubts, now_ms,
                      eg_completeness(&series->hour, EG_PERIOD_HOUR, series->hour_interval_ms, now_ms),
                      eg_rollup_valid(&series->hour, EG_PERIOD_HOUR, series->hour_interval_ms, validity));
        add_statistic(
            &tally->periods[EG_PERIOD_DAY], &series->day, series->day_mean, &series->day_doubts, now_ms,
            eg_completeness_share(day.observed_ms, series->day.start_ms, series->day.end_ms, now_ms),
            day.hours >= validity->day_hours);
    }
}

static void add_device(struct summary *summary, const struct eg_device_view *device)
{
    const struct eg_pipeline *pipeline = summary->call->desk->pipeline;
    enum eg_standing standing = eg_silent_standing(device, summary->asof->at_ms, false);
    bool retired = standing == EG_RETIRED, silent = standing == EG_SILENT, suspect = false;
    struct eg_series_view series;
    for (size_t i = 0; i < device->series_count; i++) {
        if (!eg_asof_series(summary->asof, eg_pipeline_device_series(pipeline, device->id, i), &series))
            continue;
        suspect = suspect || eg_silent_suspect(&series);
        add_series(summary, device->conf_site, device->domain, &series);
    }
    for (uint32_t site = device->conf_site; site != EG_CONF_NONE && summary->code == 0;
         site = up(summary, site)) {
        struct cell *cell = find_cell(summary, site, device->domain);
        if (!cell)
            return;
        cell->total += !retired;
        cell->late += standing == EG_STANDING_LATE;
        cell->silent += silent;
        cell->suspect += suspect && !silent && !retired;
        cell->retired += retired;
        if (site != device->conf_site)
            continue;
        if (cell->last_device)
            summary->next_device[cell->last_device] = device->id;
        else
            cell->first_device = device->id;
        cell->last_device = device->id;
        if (!eg_indices_add(&cell->own, summary->asof, device, retired, summary->hour_ms))
            no_memory(summary);
    }
}

/* What lies below counts in each site above. */
static void add_indices(struct summary *summary)
{
    for (uint32_t i = 0; i < summary->call->desk->conf->site_count; i++)
        for (const struct cell *cell = summary->sites[i]; cell; cell = cell->next)
            for (uint32_t site = i; cell->own && site != EG_CONF_NONE && summary->code == 0;
                 site = up(summary, site)) {
                struct cell *above = find_cell(summary, site, summary->domains[cell->domain]);
                if (above && !eg_indices_join(&above->indices, cell->own))
                    no_memory(summary);
            }
}

static void add_case(struct summary *summary, const char *at, const char *domain, int level)
{
    uint32_t site = eg_conf_site_find(summary->call->desk->conf, at, strlen(at));
    for (; site != EG_CONF_NONE && summary->code == 0; site = up(summary, site)) {
        struct cell *cell = find_cell(summary, site, domain);
        if (cell && level >= 0 && level < EG_LEVEL_COUNT)
            cell->cases[level]++;
    }
}

static bool wanted(const struct summary *summary, const char *site, const char *domain)
{
    return (!summary->only_domain || strcmp(summary->only_domain, domain) == 0) &&
           eg_scope_has(summary->call->desk->conf, &summary->scope, site);
}

static bool take_past_case(void *arg, const struct eg_case *row, enum eg_level level)
{
    struct summary *summary = arg;
    if (wanted(summary, row->site, row->domain))
        add_case(summary, row->site, row->domain, (int)level);
    return summary->code == 0;
}

static void gather(struct summary *summary)
{
    const struct eg_desk *desk = summary->call->desk;
    struct eg_device_view device;
    const struct eg_case *row;
    int64_t hour_end;
    size_t count = eg_pipeline_device_count(desk->pipeline);
    eg_zone_hour(summary->asof->at_ms, &summary->hour_ms, &hour_end);
    for (size_t id = 1; id <= count && summary->code == 0; id++) {
        if (!eg_pipeline_device(desk->pipeline, (uint32_t)id, &device) ||
            (summary->only_domain && strcmp(summary->only_domain, device.domain) != 0) ||
            !eg_scope_has_device(desk->conf, &summary->scope, &device) ||
            !eg_asof_device(summary->asof, (uint32_t)id, &device))
            continue;
        if (device.conf_site == EG_CONF_NONE)
            summary->unplaced++;
        else
            add_device(summary, &device);
    }
    if (summary->asof->past)
        eg_asof_cases(summary->asof, summary->only_domain, take_past_case, summary);
    for (size_t i = 0;
         !summary->asof->past && (row = eg_pipeline_case_at(desk->pipeline, i)) && summary->code == 0; i++)
        if (row->kind != EG_CASE_DRILL && wanted(summary, row->site, row->domain))
            add_case(summary, row->site, row->domain, row->level);
    if (summary->code == 0)
        summary->code = summary->asof->code;
    add_indices(summary);
}

static void finish(struct summary *summary)
{
    size_t count = summary->call->desk->conf->site_count;
    for (size_t i = 0; summary->sites && i < count; i++)
        for (struct cell *cell = summary->sites[i], *next; cell; cell = next) {
            next = cell->next;
            free(cell->tallies);
            eg_indices_destroy(cell->own);
            eg_indices_destroy(cell->indices);
            free(cell);
        }
    free(summary->sites);
    free(summary->next_device);
}

static bool prepare(struct summary *summary)
{
    const struct eg_desk *desk = summary->call->desk;
    summary->sites = calloc(desk->conf->site_count + 1, sizeof *summary->sites);
    summary->next_device = calloc(eg_pipeline_device_count(desk->pipeline) + 1, sizeof *summary->next_device);
    if (!summary->sites || !summary->next_device)
        no_memory(summary);
    return summary->code == 0;
}

/* --- telling --- */

static void write_latest(const struct summary *summary, const struct cell *cell)
{
    const struct eg_pipeline *pipeline = summary->call->desk->pipeline;
    struct eg_json *json = summary->call->json;
    struct eg_device_view device;
    struct eg_series_view series;
    eg_json_key(json, "latest");
    eg_json_open(json, '[');
    for (uint32_t id = cell->first_device; id; id = summary->next_device[id]) {
        eg_asof_device(summary->asof, id, &device);
        bool silent = eg_silent_is(&device, summary->asof->at_ms);
        for (size_t i = 0; i < device.series_count; i++) {
            if (!eg_asof_series(summary->asof, eg_pipeline_device_series(pipeline, id, i), &series) ||
                !series.has_last)
                continue;
            const struct eg_quantity_info *info = eg_quantity_info(series.quantity);
            eg_json_open(json, '{');
            eg_json_put_string(json, "device", device.device);
            eg_json_put_string(json, "quantity", info->name);
            eg_json_put_string(json, "channel", series.channel);
            eg_json_put_number(json, "value", series.last_value);
            eg_json_put_string(json, "unit", info->unit);
            eg_json_put_time(json, "time", series.last_ms);
            eg_json_put_bool(json, "silent", silent);
            eg_json_key(json, "flags");
            eg_m_readings_flags(json, series.last_flags);
            eg_json_close(json, '}');
        }
    }
    eg_json_close(json, ']');
}

static void write_period(struct eg_json *json, const char *key, const struct cell *cell,
                         enum eg_period period)
{
    eg_json_key(json, key);
    eg_json_open(json, '[');
    for (int q = 0; cell->tallies && q < EG_QUANTITY_COUNT; q++) {
        const struct tally *tally = &cell->tallies[q];
        const struct statistic *sum = &tally->periods[period];
        if (!tally->series)
            continue;
        bool any = sum->count > 0;
        eg_json_open(json, '{');
        eg_json_put_string(json, "quantity", eg_quantity_info(q)->name);
        eg_json_put_string(json, "unit", eg_quantity_info(q)->unit);
        eg_json_put_int(json, "series", (int64_t)tally->series);
        eg_json_put_int(json, "count", (int64_t)sum->count);
        eg_json_key(json, "mean");
        any && !eg_quantity_direction(q) ? eg_json_number(json, sum->means / (double)sum->known)
                                         : eg_json_null(json);
        eg_json_key(json, "min");
        any ? eg_json_number(json, sum->min) : eg_json_null(json);
        eg_json_key(json, "max");
        any ? eg_json_number(json, sum->max) : eg_json_null(json);
        eg_json_put_number(json, "completeness", sum->covered / (double)tally->series);
        eg_json_put_bool(json, "valid", any && sum->valid == sum->known);
        eg_json_put_int(json, "suspect", (int64_t)sum->suspect);
        eg_json_put_int(json, "set_aside", (int64_t)sum->bad);
        eg_json_put_int(json, "clock", (int64_t)sum->clock);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

static void write_cell(const struct summary *summary, const struct cell *cell)
{
    struct eg_json *json = summary->call->json;
    size_t active = 0;
    eg_json_open(json, '{');
    eg_json_key(json, "devices");
    eg_json_open(json, '{');
    eg_json_put_int(json, "total", (int64_t)cell->total);
    eg_json_put_int(json, "reporting", (int64_t)(cell->total - cell->silent));
    eg_json_put_int(json, "silent", (int64_t)cell->silent);
    eg_json_put_int(json, "suspect", (int64_t)cell->suspect);
    if (cell->late)
        eg_json_put_int(json, "late", (int64_t)cell->late);
    if (cell->retired)
        eg_json_put_int(json, "retired", (int64_t)cell->retired);
    eg_json_close(json, '}');
    write_latest(summary, cell);
    write_period(json, "hour", cell, EG_PERIOD_HOUR);
    write_period(json, "day", cell, EG_PERIOD_DAY);
    eg_json_key(json, "index");
    eg_indices_write(json, summary->call->desk->pipeline, cell->indices, summary->hour_ms);
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        active += cell->cases[level];
    eg_json_key(json, "cases");
    eg_json_open(json, '{');
    eg_json_put_int(json, "open", (int64_t)active);
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        eg_json_put_int(json, eg_level_name((enum eg_level)level), (int64_t)cell->cases[level]);
    eg_json_close(json, '}');
    eg_json_close(json, '}');
}

static void write_site(const struct summary *summary, uint32_t index)
{
    struct eg_json *json = summary->call->json;
    const struct eg_conf *conf = summary->call->desk->conf;
    const struct eg_conf_site *site = &conf->sites[index];
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", site->id);
    eg_json_put_string(json, "name", site->name);
    eg_json_put_string(json, "level", site->level && site->level[0] ? site->level : NULL);
    eg_json_put_string(json, "parent", site->parent == EG_CONF_NONE ? NULL : conf->sites[site->parent].id);
    eg_json_key(json, "domains");
    eg_json_open(json, '{');
    for (size_t domain = 0; domain < summary->domain_count; domain++) /* the same order at every site */
        for (const struct cell *cell = summary->sites[index]; cell; cell = cell->next)
            if (cell->domain == domain) {
                eg_json_key(json, summary->domains[domain]);
                write_cell(summary, cell);
            }
    eg_json_close(json, '}');
    eg_json_close(json, '}');
}

void eg_m_summary_each(struct eg_desk *desk,
                       void (*each)(void *user, const char *site, const char *json, size_t length),
                       void *user)
{
    struct eg_buf text;
    struct eg_json json;
    struct eg_call call = {.desk = desk, .json = &json};
    struct eg_asof now;
    struct summary summary = {.call = &call, .asof = &now, .scope = {.all = true, .site = EG_CONF_NONE}};
    desk->door->state(desk->door->user, &call.state);
    eg_asof_init(&now, &call, EG_TIME_NONE);
    eg_buf_init(&text, SITE_TEXT_MAX);
    if (prepare(&summary))
        gather(&summary);
    for (size_t i = 0; summary.code == 0 && i < desk->conf->site_count; i++) {
        eg_buf_clear(&text);
        eg_json_init(&json, &text);
        write_site(&summary, (uint32_t)i);
        if (!text.failed)
            each(user, desk->conf->sites[i].id, text.data, text.length);
    }
    finish(&summary);
    eg_buf_finish(&text);
}

static void write_summary(const struct summary *summary)
{
    struct eg_json *json = summary->call->json;
    const struct eg_conf *conf = summary->call->desk->conf;
    eg_json_open(json, '{');
    eg_json_put_time(json, "at", summary->asof->at_ms);
    eg_m_status_clock(json, summary->call->state.faults);
    eg_json_key(json, "sites");
    eg_json_open(json, '[');
    for (size_t i = 0; i < conf->site_count; i++)
        if (eg_scope_has(conf, &summary->scope, conf->sites[i].id))
            write_site(summary, (uint32_t)i);
    eg_json_close(json, ']');
    eg_json_put_int(json, "unplaced", (int64_t)summary->unplaced);
    eg_json_close(json, '}');
}

int eg_m_summary(struct eg_call *call)
{
    struct eg_asof asof;
    struct summary summary = {.call = call, .asof = &asof, .only_domain = eg_call_text(call, "domain")};
    int64_t at_ms = eg_call_time(call, "at", EG_TIME_NONE);
    if (at_ms != EG_TIME_NONE && at_ms > call->state.now_ms)
        return eg_call_fail(call, EG_RPC_PARAMS, "summary: \"at\" lies in the future.");
    int code = eg_call_scope(call, &summary.scope);
    if (code == 0)
        code = eg_asof_init(&asof, call, at_ms == call->state.now_ms ? EG_TIME_NONE : at_ms);
    if (code < 0)
        return code;
    if (prepare(&summary))
        gather(&summary);
    if (summary.code == 0)
        write_summary(&summary);
    finish(&summary);
    eg_asof_finish(&asof);
    return summary.code;
}
