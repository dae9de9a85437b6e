/* Home Assistant finds devices, readings and open cases by itself (homeassistant.h). Knows what was said of which device and site, and how
 * soon something may be said again; what a description looks like, ha_words.c knows. Called by house.c on the loop's thread. */
#include <notify/ha_words.h>
#include <notify/homeassistant.h>
#include <base/buf.h>
#include <base/clock.h>
#include <base/hash.h>

#include <stdlib.h>
#include <string.h>

#define LOOK_MS 1000
#define BITE 100 /* publications a look */

struct told {               /* of a device or a site */
    uint64_t config, state; /* hashes of what was said last; 0: nothing, 1 in config: that it is gone */
    int64_t state_ms;
    size_t series; /* as many as were described */
    bool dirty;
};
struct eg_homeassistant {
    uv_timer_t timer;
    const struct eg_pipeline *pipeline;
    struct eg_homeassistant_door door;
    struct eg_ha ha; /* how it is called, from the configuration */
    bool wanted, taking_back, connected, cases_dirty;
    struct told *devices; /* [id - 1] */
    size_t device_count;
    struct told *sites; /* [index in the configuration] */
    struct eg_ha_cases *cases;
    size_t site_count;
    int64_t cases_ms; /* when they were counted */
    size_t next;      /* whose turn it is: a look ends after a bite */
    int64_t all_ms;
    int left; /* publications that this look may still make */
};

static bool grow(struct told **rows, size_t *count, size_t wanted)
{
    if (wanted <= *count)
        return true;
    struct told *more = realloc(*rows, wanted * sizeof *more);
    if (!more)
        return false;
    memset(more + *count, 0, (wanted - *count) * sizeof *more);
    for (size_t i = *count; i < wanted; i++)
        more[i].dirty = true;
    *rows = more;
    *count = wanted;
    return true;
}

static bool publish(struct eg_homeassistant *home, const char *topic, const struct eg_buf *body)
{
    if (home->left <= 0 || body->failed ||
        home->door.publish(home->door.user, topic, body->data ? body->data : "", body->length) < 0)
        return false;
    home->left--;
    return true;
}

static void say_config(struct eg_homeassistant *home, struct told *told, const char *topic,
                       struct eg_buf *body, bool there)
{
    uint64_t hash = there ? eg_hash(body->data, body->length, 3) | 2 : 1;
    if (!there)
        eg_buf_clear(body);
    if (hash == told->config || (!there && !told->config && !home->taking_back))
        return;
    if (publish(home, topic, body))
        told->config = hash;
}

static bool say_state(struct eg_homeassistant *home, struct told *told, const char *topic,
                      const struct eg_buf *body, int64_t now_ms)
{
    uint64_t hash = eg_hash(body->data, body->length, 5) | 1;
    if (hash == told->state)
        return true;
    if (!publish(home, topic, body))
        return false;
    told->state = hash;
    told->state_ms = now_ms;
    return true;
}

/* Described anew only when something may have changed: a device speaks often, and what it is changes rarely. */
static bool describe(struct eg_homeassistant *home, const struct eg_device_view *view, struct told *told,
                     bool there)
{
    char topic[EG_HA_TOPIC];
    struct eg_buf body;
    if (there ? told->config > 1 && told->series == view->series_count : told->config == 1)
        return true;
    eg_buf_init(&body, EG_HA_BODY);
    eg_ha_device_config(&home->ha, home->pipeline, view, topic, &body);
    say_config(home, told, topic, &body, there);
    eg_buf_finish(&body);
    told->series = view->series_count;
    return there ? told->config > 1 : told->config < 2;
}

/* Whether nothing is left to be said of it now. */
static bool look_at_device(struct eg_homeassistant *home, uint32_t id, int64_t now_ms)
{
    struct eg_device_view view;
    struct told *told = &home->devices[id - 1];
    char topic[EG_HA_TOPIC];
    struct eg_buf body;
    if (!eg_pipeline_device(home->pipeline, id, &view))
        return true;
    bool there = home->wanted && view.conf_site != EG_CONF_NONE && view.series_count &&
                 (!home->ha.retire_ms || now_ms - view.last_seen_ms < home->ha.retire_ms);
    if (!describe(home, &view, told, there))
        return false;
    if (!there)
        return true;
    if (told->state && now_ms - told->state_ms < home->ha.interval_ms)
        return false;
    eg_buf_init(&body, EG_HA_BODY);
    eg_ha_device_state(&home->ha, home->pipeline, &view, now_ms, topic, &body);
    bool done = say_state(home, told, topic, &body, now_ms);
    eg_buf_finish(&body);
    return done;
}

static bool look_at_site(struct eg_homeassistant *home, size_t site)
{
    struct told *told = &home->sites[site];
    char topic[EG_HA_TOPIC];
    struct eg_buf body;
    eg_buf_init(&body, EG_HA_BODY);
    eg_ha_site_config(&home->ha, home->pipeline, site, topic, &body);
    say_config(home, told, topic, &body, home->wanted);
    bool done = home->wanted ? told->config > 1 : told->config < 2;
    if (home->wanted && told->config > 1) {
        eg_buf_clear(&body);
        eg_ha_site_state(&eg_pipeline_conf(home->pipeline)->sites[site], &home->cases[site], topic, &body);
        done = say_state(home, told, topic, &body, 0) && done;
    }
    eg_buf_finish(&body);
    return done;
}

/* The sites of this configuration, and their cases once an interval, if any has moved. */
static bool look_at_cases(struct eg_homeassistant *home, size_t sites, int64_t now_ms)
{
    if (!home->cases && sites) {
        home->cases = calloc(sites, sizeof *home->cases);
        if (!home->cases || !grow(&home->sites, &home->site_count, sites))
            return false;
        home->cases_dirty = true;
        home->cases_ms = 0;
    }
    if (!home->cases_dirty || (now_ms - home->cases_ms < home->ha.interval_ms && now_ms >= home->cases_ms))
        return true;
    home->cases_dirty = false;
    home->cases_ms = now_ms;
    if (sites)
        eg_ha_count(home->pipeline, home->cases);
    for (size_t i = 0; i < home->site_count; i++)
        home->sites[i].dirty = true;
    return true;
}

static void on_timer(uv_timer_t *timer)
{
    struct eg_homeassistant *home = timer->data;
    const struct eg_conf *conf = eg_pipeline_conf(home->pipeline);
    int64_t now_ms = eg_clock_now_ms();
    if (!home->connected ||
        !grow(&home->devices, &home->device_count, eg_pipeline_device_count(home->pipeline)) ||
        !look_at_cases(home, conf->site_count, now_ms))
        return;
    bool all = now_ms - home->all_ms >= home->ha.interval_ms ||
               now_ms < home->all_ms; /* one falls silent without saying so */
    if (all)
        home->all_ms = now_ms;
    for (size_t i = 0; i < home->device_count && all; i++)
        home->devices[i].dirty = true;
    home->left = BITE;
    for (size_t i = 0; i < conf->site_count && home->left > 0; i++)
        if (home->sites[i].dirty)
            home->sites[i].dirty = !look_at_site(home, i);
    size_t count = home->device_count;
    for (size_t i = 0; i < count && home->left > 0; i++, home->next++) {
        struct told *told = &home->devices[home->next % count];
        if (told->dirty)
            told->dirty = !look_at_device(home, (uint32_t)(home->next % count) + 1, now_ms);
    }
}

void eg_homeassistant_release(struct eg_homeassistant *home, const struct eg_batch *batch)
{
    struct eg_series_view view;
    if (!home->wanted)
        return;
    home->cases_dirty = home->cases_dirty || batch->cases_count;
    for (size_t i = 0; i < batch->readings_count; i++)
        if (eg_pipeline_series(home->pipeline, batch->readings[i].series, &view) &&
            view.device <= home->device_count)
            home->devices[view.device - 1].dirty = true;
}

void eg_homeassistant_link(struct eg_homeassistant *home, bool connected)
{
    home->connected = connected;
    for (size_t i = 0; connected && i < home->device_count; i++) /* the broker may have forgotten all */
        home->devices[i] = (struct told){.dirty = true};
    for (size_t i = 0; connected && i < home->site_count; i++)
        home->sites[i] = (struct told){.dirty = true};
}

void eg_homeassistant_configure(struct eg_homeassistant *home, const struct eg_conf *conf)
{
    const struct eg_conf_homeassistant *own = &conf->home_assistant;
    home->wanted = own->enable && conf->mqtt.publish;
    home->taking_back = own->take_back && conf->mqtt.publish;
    eg_ha_init(&home->ha, conf);
    for (size_t i = 0; i < home->device_count; i++) {
        home->devices[i].dirty = true;
        home->devices[i].series = 0;
    }
    free(home->sites); /* they are numbered anew */
    free(home->cases);
    home->sites = NULL;
    home->cases = NULL;
    home->site_count = 0;
    if (home->wanted || home->taking_back || home->device_count)
        uv_timer_start(&home->timer, on_timer, 0, LOOK_MS);
}

struct eg_homeassistant *eg_homeassistant_create(uv_loop_t *loop, const struct eg_pipeline *pipeline,
                                                 const struct eg_homeassistant_door *door)
{
    struct eg_homeassistant *home = calloc(1, sizeof *home);
    if (!home)
        return NULL;
    home->pipeline = pipeline;
    home->door = *door;
    uv_timer_init(loop, &home->timer);
    home->timer.data = home;
    return home;
}

static void on_closed(uv_handle_t *handle)
{
    struct eg_homeassistant *home = handle->data;
    free(home->devices);
    free(home->sites);
    free(home->cases);
    free(home);
}

void eg_homeassistant_close(struct eg_homeassistant *home)
{
    if (home)
        uv_close((uv_handle_t *)&home->timer, on_closed);
}
