/* Knows how the configuration's lists and the registered devices look from outside: sites, devices, rules,
 * parties, quantities, drivers, sources. Refuses to know readings and cases. Called by the table in
 * methods.c. */
#include <api/health.h>
#include <api/methods.h>
#include <pipeline/silent.h>
#include <base/span.h>

#include <stdio.h>
#include <string.h>

static void put_name(struct eg_json *json, const char *key, const char *name)
{
    eg_json_put_string(json, key, name && name[0] ? name : NULL);
}

void eg_m_lists_span(struct eg_json *json, const char *key, int64_t ms)
{
    char text[32];
    eg_json_put_string(json, key, ms > 0 ? eg_span_format(ms, text) : NULL);
}

static bool wanted(const struct eg_call *call, const char *param, const char *value)
{
    const char *text = eg_call_text(call, param);
    return !text || (value && strcmp(text, value) == 0);
}

/* --- sites --- */

static void write_site(struct eg_json *json, const struct eg_conf *conf, const struct eg_conf_site *site)
{
    eg_json_open(json, '{');
    eg_json_put_string(json, "id", site->id);
    eg_json_put_string(json, "name", site->name);
    put_name(json, "level", site->level);
    eg_json_put_string(json, "parent", site->parent == EG_CONF_NONE ? NULL : conf->sites[site->parent].id);
    eg_json_put_number(json, "latitude", site->latitude);
    eg_json_put_number(json, "longitude", site->longitude);
    eg_json_put_string(json, "mode", eg_mode_name(site->mode));
    eg_json_key(json, "parties");
    eg_json_open(json, '[');
    for (size_t i = 0; i < site->party_count; i++)
        eg_json_string(json, conf->parties[site->parties[i]].id);
    eg_json_close(json, ']');
    eg_json_close(json, '}');
}

int eg_m_lists_sites(struct eg_call *call)
{
    const struct eg_conf *conf = call->desk->conf;
    struct eg_scope scope;
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    eg_json_open(call->json, '[');
    for (size_t i = 0; i < conf->site_count; i++)
        if (eg_scope_has(conf, &scope, conf->sites[i].id) && wanted(call, "level", conf->sites[i].level))
            write_site(call->json, conf, &conf->sites[i]);
    eg_json_close(call->json, ']');
    return EG_CALL_DONE;
}

/* --- devices --- */

/* Learned from arrivals, so it is never round: "1m", not "60007ms". */
int64_t eg_m_lists_rhythm(int64_t interval_ms)
{
    int64_t step = interval_ms >= 600000 ? 60000 : interval_ms >= 2000 ? 1000 : 1;
    return (interval_ms + step / 2) / step * step;
}

/* One entry per reason and series. */
static void write_doubts(struct eg_call *call, const struct eg_device_view *view)
{
    struct eg_json *json = call->json;
    struct eg_series_view series;
    int64_t since_ms;
    eg_json_key(json, "suspect");
    eg_json_open(json, '[');
    for (size_t i = 0; i < view->series_count; i++) {
        if (!eg_pipeline_series(call->desk->pipeline,
                                eg_pipeline_device_series(call->desk->pipeline, view->id, i), &series))
            continue;
        for (int doubt = 0; doubt < EG_DOUBT_COUNT; doubt++) {
            if (!eg_silent_doubted(&series, (enum eg_doubt)doubt, &since_ms))
                continue;
            eg_json_open(json, '{');
            eg_json_put_string(json, "quantity", eg_quantity_info(series.quantity)->name);
            eg_json_put_string(json, "channel", series.channel);
            eg_json_put_string(json, "reason", eg_doubt_name((enum eg_doubt)doubt));
            eg_json_put_time(json, "since", since_ms);
            eg_json_close(json, '}');
        }
    }
    eg_json_close(json, ']');
}

static bool is_suspect(const struct eg_pipeline *pipeline, const struct eg_device_view *view)
{
    struct eg_series_view series;
    for (size_t i = 0; i < view->series_count; i++)
        if (eg_pipeline_series(pipeline, eg_pipeline_device_series(pipeline, view->id, i), &series) &&
            eg_silent_suspect(&series))
            return true;
    return false;
}

static void write_device(struct eg_call *call, const struct eg_device_view *view, enum eg_standing standing,
                         bool with_trend)
{
    struct eg_json *json = call->json;
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", view->site);
    eg_json_put_string(json, "domain", view->domain);
    eg_json_put_string(json, "device", view->device);
    put_name(json, "name", view->name);
    eg_json_put_string(json, "state", eg_standing_name(standing));
    write_doubts(call, view);
    eg_json_put_bool(json, "left", view->gone);
    eg_json_key(json, "retired");
    eg_silent_write_retired(json, view->retired_ms, view->retired_by, view->retired_note,
                            view->retired_heard_ms);
    eg_json_put_time(json, "last_seen", view->last_seen_ms > 0 ? view->last_seen_ms : EG_TIME_NONE);
    eg_m_lists_span(json, "interval", eg_m_lists_rhythm(view->interval_ms));
    eg_m_lists_span(json, "silent_after", view->silent_after_ms);
    eg_json_put_int(json, "series", (int64_t)view->series_count);
    eg_json_put_bool(json, "configured", view->conf_site != EG_CONF_NONE);
    eg_health_write(call, view, with_trend);
    eg_json_close(json, '}');
}

/* The next one that is asked for, behind *id; false: there is none. */
static bool next_device(const struct eg_call *call, const struct eg_scope *scope, const char *device,
                        size_t *id, struct eg_device_view *ret, enum eg_standing *ret_standing)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    for (size_t count = eg_pipeline_device_count(pipeline); ++*id <= count;) {
        if (!eg_pipeline_device(pipeline, (uint32_t)*id, ret) || !wanted(call, "domain", ret->domain) ||
            (device && !eg_call_device_is(ret, device)) || !eg_scope_has_device(call->desk->conf, scope, ret))
            continue;
        *ret_standing = eg_silent_standing(ret, call->state.now_ms, is_suspect(pipeline, ret));
        if (wanted(call, "state", eg_standing_name(*ret_standing)))
            return true;
    }
    return false;
}

int eg_m_lists_devices(struct eg_call *call)
{
    char digits[EG_CALL_NUMBER_MAX];
    const char *device = eg_call_path(call, "device", digits);
    struct eg_scope scope;
    struct eg_device_view view;
    enum eg_standing standing;
    size_t count = 0, id = 0;
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    while (count <= EG_HEALTH_TRENDS && next_device(call, &scope, device, &id, &view, &standing))
        count++;
    eg_json_open(call->json, '[');
    for (id = 0; next_device(call, &scope, device, &id, &view, &standing);)
        write_device(call, &view, standing, count <= EG_HEALTH_TRENDS);
    eg_json_close(call->json, ']');
    return EG_CALL_DONE;
}

/* --- parties, quantities, drivers, sources --- */

/* The ids of the channels by which it is told; addresses are nobody's business here. */
static void write_ways(struct eg_json *json, const struct eg_conf *conf, const struct eg_conf_party *party)
{
    eg_json_put_string(json, "language", eg_language_name(party->language));
    eg_json_key(json, "channels");
    eg_json_open(json, '[');
    for (size_t i = 0; i < party->route_count; i++)
        eg_json_string(json, conf->channels[party->routes[i].channel].id);
    eg_json_close(json, ']');
}

int eg_m_lists_parties(struct eg_call *call)
{
    const struct eg_conf *conf = call->desk->conf;
    eg_json_open(call->json, '[');
    for (size_t i = 0; i < conf->party_count; i++) {
        if (!wanted(call, "sector", eg_sector_name(conf->parties[i].sector)))
            continue;
        eg_json_open(call->json, '{');
        eg_json_put_string(call->json, "id", conf->parties[i].id);
        eg_json_put_string(call->json, "name", conf->parties[i].name);
        eg_json_put_string(call->json, "sector", eg_sector_name(conf->parties[i].sector));
        write_ways(call->json, conf, &conf->parties[i]);
        eg_json_key(call->json, "members");
        eg_json_open(call->json, '[');
        for (size_t m = 0; m < conf->parties[i].member_count; m++)
            eg_json_string(call->json, conf->parties[i].members[m]);
        eg_json_close(call->json, ']');
        uint32_t calendar = conf->parties[i].calendar;
        eg_json_put_string(call->json, "calendar",
                           calendar == EG_CONF_NONE ? NULL : conf->calendars[calendar].id);
        eg_json_close(call->json, '}');
    }
    eg_json_close(call->json, ']');
    return EG_CALL_DONE;
}

static void write_blank_separated(struct eg_json *json, const char *words)
{
    eg_json_open(json, '[');
    for (const char *at = words; at && *at;) {
        size_t n = strcspn(at, " ");
        if (n)
            eg_json_string_n(json, at, n);
        at += n + (at[n] == ' ');
    }
    eg_json_close(json, ']');
}

static void write_quantity(struct eg_json *json, const struct eg_quantity_info *info)
{
    eg_json_open(json, '{');
    eg_json_put_string(json, "name", info->name);
    eg_json_put_string(json, "unit", info->unit);
    eg_json_put_number(json, "low", info->low);
    eg_json_put_number(json, "high", info->high);
    eg_json_put_int(json, "decimals", info->decimals);
    eg_json_key(json, "aliases");
    write_blank_separated(json, info->aliases);
    eg_json_put_string(json, "about", info->about_en);
    eg_json_put_string(json, "about_zh", info->about_zh);
    eg_json_close(json, '}');
}

int eg_m_lists_quantities(struct eg_call *call)
{
    int only = eg_call_quantity(call);
    eg_json_open(call->json, '[');
    for (int q = 0; q < EG_QUANTITY_COUNT; q++)
        if (only == EG_QUANTITY_NONE || q == only)
            write_quantity(call->json, eg_quantity_info(q));
    eg_json_close(call->json, ']');
    return EG_CALL_DONE;
}

static void write_words(struct eg_json *json, const char *key, const char *const *words)
{
    eg_json_key(json, key);
    eg_json_open(json, '[');
    for (; words && *words; words++)
        eg_json_string(json, *words);
    eg_json_close(json, ']');
}

static void write_messages(struct eg_json *json, const uint64_t counts[EG_VERDICT_COUNT])
{
    eg_json_key(json, "messages");
    eg_json_open(json, '{');
    for (int verdict = 0; verdict < EG_VERDICT_COUNT; verdict++)
        eg_json_put_int(json, eg_verdict_name((enum eg_verdict)verdict), (int64_t)counts[verdict]);
    eg_json_close(json, '}');
}

/* The sources that a driver reads, and what came by them. */
static void write_use(struct eg_call *call, const struct eg_driver *driver)
{
    const struct eg_conf *conf = call->desk->conf;
    uint64_t sums[EG_VERDICT_COUNT] = {0}, counts[EG_VERDICT_COUNT];
    eg_json_key(call->json, "sources");
    eg_json_open(call->json, '[');
    for (size_t i = 0; i < conf->source_count; i++) {
        if (conf->sources[i].driver != driver)
            continue;
        eg_json_string(call->json, conf->sources[i].id);
        eg_pipeline_source_counts(call->desk->pipeline, i, counts);
        for (int verdict = 0; verdict < EG_VERDICT_COUNT; verdict++)
            sums[verdict] += counts[verdict];
    }
    eg_json_close(call->json, ']');
    write_messages(call->json, sums);
}

int eg_m_lists_drivers(struct eg_call *call)
{
    const struct eg_driver *driver;
    struct eg_json *json = call->json;
    eg_json_open(json, '[');
    for (size_t i = 0; (driver = eg_driver_at(i)); i++) {
        if (!wanted(call, "driver", driver->name))
            continue;
        eg_json_open(json, '{');
        eg_json_put_string(json, "name", driver->name);
        eg_json_put_string(json, "about", driver->about);
        eg_json_key(json, "keys");
        write_blank_separated(json, driver->keys);
        eg_json_put_string(json, "device_path", driver->device);
        write_words(json, "codecs", driver->codecs);
        write_words(json, "checksums", driver->checksums);
        write_use(call, driver);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
    return EG_CALL_DONE;
}

int eg_m_lists_sources(struct eg_call *call)
{
    const struct eg_conf *conf = call->desk->conf;
    struct eg_json *json = call->json;
    eg_json_open(json, '[');
    for (size_t i = 0; i < conf->source_count; i++) {
        const struct eg_conf_source *source = &conf->sources[i];
        uint64_t counts[EG_VERDICT_COUNT] = {0};
        eg_pipeline_source_counts(call->desk->pipeline, i, counts);
        eg_json_open(json, '{');
        eg_json_put_string(json, "id", source->id);
        eg_json_put_string(json, "topic", source->topic);
        eg_json_put_string(json, "driver", source->driver ? source->driver->name : NULL);
        eg_json_put_string(json, "site", source->site);
        eg_json_put_string(json, "domain", source->domain);
        eg_json_put_string(json, "device", source->device);
        write_messages(json, counts);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
    return EG_CALL_DONE;
}
