/* Builds the house floor by floor and takes it down in mirror order; carries what one edge tells to the floor that must know, so
 * that the edges never see each other. Called by main.c. */
#include "house.h"
#include "reload.h"
#include "repair.h"
#include "trusting.h"

#include <base/clock.h>
#include <base/log.h>
#include <base/zone.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define SUMMARY_EVERY_MS 60000 /* CONTRACT §6: at most once a minute */

/* --- what one floor tells another --- */

/* The turn goes before the link does: what comes in between is not acknowledged, and the broker brings it again. */
static bool on_message(void *user, const struct eg_message *message)
{
    struct house *house = user;
    return house->turn && eg_turn_message(house->turn, message);
}

static void on_dry(void *user, unsigned unacked, enum eg_window window)
{
    struct house *house = user;
    (void)unacked;
    if (house->turn)
        eg_turn_dry(house->turn, window == EG_WINDOW_FULL, window == EG_WINDOW_PERHAPS);
}

static bool hand(struct house *house, struct eg_event event)
{
    return !house->leaving && eg_turn_event(house->turn, event);
}

/* Whose silence it is: what the broker does not bring no device is to blame for. */
static void tell_link(struct house *house, bool up)
{
    if (house->linked != up)
        hand(house, (struct eg_event){.kind = EG_EVENT_LINK, .link_up = up});
    house->linked = up;
}

static void on_link(void *user, bool connected, const char *why)
{
    struct house *house = user;
    tell_link(house, connected);
    if (connected) {
        eg_log(EG_LOG_INFO, "mqtt: %s", why);
        eg_fault_clear(&house->faults, "mqtt");
    } else if (!house->leaving && eg_fault_raise(&house->faults, "mqtt", eg_clock_now_ms(), "%s", why)) {
        eg_log(EG_LOG_WARNING, "mqtt: %s", why);
    }
}

static void offer_summary(void *user, const char *site, const char *json, size_t length)
{
    struct house *house = user;
    eg_state_offer(house->state, site, json, length, eg_clock_now_ms());
}

static void on_summary(uv_timer_t *timer)
{
    eg_api_summaries(((struct house *)timer->data)->api, offer_summary, timer->data);
}

static int publish_state(void *user, const char *topic, const char *body, size_t length)
{
    struct house *house = user;
    return eg_mqtt_state(house->mqtt, topic, body, length);
}

static void on_telling(void *user, bool connected)
{
    struct house *house = user;
    eg_outbox_link(house->outbox, connected);
    if (house->home)
        eg_homeassistant_link(house->home, connected);
    if (connected) {
        eg_state_forget(house->state);
        uv_timer_start(&house->summary, on_summary, 0, SUMMARY_EVERY_MS);
    } else {
        uv_timer_stop(&house->summary);
    }
}

static void on_published(void *user, int64_t ticket, const char *error)
{
    eg_outbox_published(((struct house *)user)->outbox, ticket, error);
}

static int publish(void *user, const char *topic, const char *body, size_t length, bool retain,
                   int64_t ticket)
{
    struct house *house = user;
    return house->mqtt ? eg_mqtt_publish(house->mqtt, topic, body, length, retain, ticket) : EG_EBUSY;
}

static bool on_delivery(void *user, const struct eg_delivery *delivery)
{
    struct house *house = user;
    return house->turn && eg_turn_delivery(house->turn, delivery);
}

static bool look_at_outbox(void *user, int64_t id, unsigned *ret_tries, int64_t *ret_next_ms,
                           const char **ret_error)
{
    return eg_outbox_look(((const struct house *)user)->outbox, id, ret_tries, ret_next_ms, ret_error);
}

static bool on_command(void *user, const struct eg_command *command)
{
    return hand(user, (struct eg_event){.kind = EG_EVENT_COMMAND, .command = *command});
}

static bool on_report(void *user, const struct eg_report *report)
{
    return hand(user, (struct eg_event){.kind = EG_EVENT_REPORT, .report = *report});
}

static bool on_import(void *user, const struct eg_import *import)
{
    const struct house *house = user;
    return !(house->turn && eg_turn_is_short(house->turn)) &&
           hand(user, (struct eg_event){.kind = EG_EVENT_IMPORT, .import = *import});
}

static bool on_retry(void *user, const struct eg_retry *retry)
{
    return hand(user, (struct eg_event){.kind = EG_EVENT_RETRY, .retry = *retry});
}

static void tell_state(void *user, struct eg_api_state *ret)
{
    struct house *house = user;
    struct eg_turn_figures figures = {0};
    struct eg_lanes_figures outbox;
    eg_outbox_figures(house->outbox, &outbox);
    if (house->turn) /* the socket answers until its own floor is taken down */
        eg_turn_figures(house->turn, &figures);
    *ret = (struct eg_api_state){
        .started_ms = house->started_ms,
        .now_ms = eg_clock_now_ms(),
        .faults = &house->faults,
        .counters = figures.counters,
        .commits = figures.commits,
        .last_commit_us = figures.last_commit_us,
        .clock_jumps = house->doubting.jumps,
        .outbox = {outbox.pending, outbox.failing, outbox.unreachable, outbox.delivered, outbox.failed}};
    ret->broker_connected = house->mqtt && eg_mqtt_connected(house->mqtt, &ret->broker_since_ms);
}

static void tell_metrics(void *user, struct eg_metrics_state *ret)
{
    struct house *house = user;
    struct eg_api_state now;
    tell_state(user, &now);
    *ret = (struct eg_metrics_state){.started_ms = now.started_ms,
                                     .now_ms = now.now_ms,
                                     .broker_connected = now.broker_connected,
                                     .faults = now.faults,
                                     .counters = now.counters,
                                     .commits = now.commits,
                                     .last_commit_us = now.last_commit_us};
    eg_outbox_figures(house->outbox, &ret->outbox);
    eg_store_figures(house->store, &ret->store);
}

static void on_pause(void *user)
{
    struct house *house = user;
    house->watchdog.committing = true;
    if (house->mqtt)
        eg_mqtt_pause(house->mqtt);
}

static void on_release(void *user, const struct eg_batch *batch)
{
    struct house *house = user;
    house->watchdog.committing = false;
    if (house->mqtt)
        eg_mqtt_release(house->mqtt);
    if (house->api)
        eg_api_release(house->api, batch);
    if (eg_pipeline_cases_full(house->pipeline)) {
        if (eg_fault_raise(
                &house->faults, "cases.full", eg_clock_now_ms(),
                "there are as many open cases as ecogov holds: breaches open no more until some are closed"))
            eg_log(EG_LOG_ERROR, "cases: the table of open cases is full");
    } else {
        eg_fault_clear(&house->faults, "cases.full");
    }
    eg_outbox_release(house->outbox, batch);
    if (house->home)
        eg_homeassistant_release(house->home, batch);
}

static void on_hold(void *user, bool held)
{
    struct house *house = user;
    if (house->mqtt && held)
        eg_mqtt_pause(house->mqtt);
    else if (house->mqtt)
        eg_mqtt_release(house->mqtt);
}

/* --- leaving: mirror order, each floor when the one above is gone --- */

static void close_signals(struct house *house)
{
    if (!house->has_signals)
        return;
    uv_close((uv_handle_t *)&house->term, NULL);
    uv_close((uv_handle_t *)&house->interrupt, NULL);
    uv_close((uv_handle_t *)&house->hup, NULL);
    eg_watchdog_close(&house->watchdog);
    eg_doubting_close(&house->doubting);
}

static void api_gone(void *user)
{
    struct house *house = user;
    house->api = NULL;
    uv_close((uv_handle_t *)&house->summary, NULL);
    close_signals(house);
}

static void mqtt_gone(void *user)
{
    struct house *house = user;
    house->mqtt = NULL;
    eg_state_destroy(house->state);
    house->state = NULL;
    uv_timer_stop(&house->summary);
    if (house->api)
        eg_api_close(house->api, api_gone, house);
    else
        api_gone(house);
}

static void outbox_gone(void *user)
{
    struct house *house = user;
    house->outbox = NULL;
    if (house->mqtt)
        eg_mqtt_close(house->mqtt, mqtt_gone, house);
    else
        mqtt_gone(house);
}

static void committed_all(void *user)
{
    struct house *house =
        user; /* the turn's memory is gone; its last PUBACKs and answers went out in on_release() */
    house->turn = NULL;
    eg_outbox_close(house->outbox, outbox_gone, house);
}

static void leave(struct house *house, int status)
{
    if (house->leaving)
        return;
    house->leaving = true;
    house->status = status;
    sd_notify(0, "STOPPING=1");
    eg_textfile_close(house->textfile);
    house->textfile = NULL;
    eg_homeassistant_close(house->home);
    house->home = NULL;
    eg_outbox_stop(house->outbox);
    eg_turn_close(house->turn, committed_all, house);
}

static void on_stop(uv_signal_t *signal, int number)
{
    eg_log(EG_LOG_INFO, "%s: finishing the turn", number == SIGINT ? "SIGINT" : "SIGTERM");
    leave(signal->data, EXIT_SUCCESS);
}

static void on_fatal(void *user, const char *sentence)
{
    eg_log(EG_LOG_ERROR, "the store does not take the turn: %s; leaving, to start again from what is on disk",
           sentence);
    leave(user, EXIT_FAILURE);
}

/* --- moving in --- */

static int build_memory(void *user, struct eg_err *err)
{
    struct house *house = user;
    struct eg_past past = {0};
    int code = eg_store_open(house->conf, &house->store, err);
    if (code == EG_OK)
        code = eg_reader_open(house->store, &house->reader, err);
    if (code != EG_OK)
        return code;
    code = eg_doubting_begin(&house->doubting, house->conf, house->store, err);
    if (code != EG_OK)
        return code;
    house->started_ms = eg_clock_now_ms();
    eg_reader_past(house->reader, &past);
    house->pipeline = eg_pipeline_create(house->conf, &past);
    if (!house->pipeline)
        return eg_err_set(err, EG_ENOMEM, "no memory for the pipeline");
    return eg_store_load(house->store, house->pipeline, err);
}

static void unbuild(void *user)
{
    struct house *house = user;
    eg_pipeline_destroy(house->pipeline);
    eg_reader_close(house->reader);
    eg_store_close(house->store);
    house->pipeline = NULL;
    house->reader = NULL;
    house->store = NULL;
}

/* Beside the store, since it is of this daemon's session as much as the store is. */
static void remember_subscriptions(struct house *house)
{
    char path[4096];
    struct eg_err err;
    snprintf(path, sizeof path, "%s.subscriptions", house->conf->store.path);
    if (eg_mqtt_remember(house->mqtt, path, &err) != EG_OK)
        eg_log(EG_LOG_WARNING,
               "mqtt: what leaves the configuration while this daemon is down stays subscribed: %s",
               err.text);
}

static int build_edges(struct house *house, struct eg_err *err)
{
    const struct eg_turn_edges edges = {house, on_pause, on_release, on_hold, eg_trusting_redated, on_fatal};
    const struct eg_api_door api_door = {house,    tell_state, on_command,    on_import,      look_at_outbox,
                                         on_retry, on_report,  eg_reload_ask, eg_trusting_ask};
    const struct eg_mqtt_door mqtt_door = {house, on_message, on_dry, on_link, on_telling, on_published};
    const struct eg_lanes_door outbox_door = {house, publish, on_delivery};
    const struct eg_state_door state_door = {house, publish_state};
    const struct eg_textfile_door textfile_door = {house, tell_metrics};
    const struct eg_homeassistant_door home_door = {house, publish_state};
    int fds = sd_listen_fds(0);
    int code = eg_turn_create(&house->loop, house->conf, house->pipeline, house->store, &house->faults,
                              &edges, &house->turn, err);
    if (code == EG_OK) {
        uv_timer_init(&house->loop, &house->summary);
        house->summary.data = house;
        code = eg_api_create(&house->loop, house->conf, fds > 0 ? SD_LISTEN_FDS_START : -1, house->pipeline,
                             house->store, house->reader, &api_door, &house->api, err);
    }
    if (code != EG_OK)
        return code;
    house->state = eg_state_create(&state_door);
    house->textfile = eg_textfile_create(&house->loop, house->pipeline, &house->faults, &textfile_door);
    house->home = eg_homeassistant_create(&house->loop, house->pipeline, &home_door);
    if (!house->state || !house->textfile || !house->home)
        return eg_err_set(err, EG_ENOMEM, "no memory for the outbox");
    code = eg_outbox_create(&house->loop, house->conf, house->reader, &house->faults, &outbox_door,
                            &house->outbox, err);
    if (code == EG_OK)
        code = eg_mqtt_create(&house->loop, house->conf, &mqtt_door, &house->mqtt, err);
    if (code == EG_OK) {
        remember_subscriptions(house);
        eg_textfile_configure(house->textfile, house->conf);
        eg_homeassistant_configure(house->home, house->conf);
        eg_doubting_tell(&house->doubting);
        /* Not yet. Last of all: what fell due meanwhile may make it a commit at once, and that pauses every edge. */
        hand(house, (struct eg_event){.kind = EG_EVENT_LINK, .link_up = false});
    }
    return code;
}

static void build_signals(struct house *house)
{
    house->has_signals = true;
    uv_signal_init(&house->loop, &house->term);
    uv_signal_init(&house->loop, &house->interrupt);
    uv_signal_init(&house->loop, &house->hup);
    house->term.data = house->interrupt.data = house->hup.data = house;
    uv_signal_start(&house->term, on_stop, SIGTERM);
    uv_signal_start(&house->interrupt, on_stop, SIGINT);
    uv_signal_start(&house->hup, eg_reload_signal, SIGHUP);
    eg_watchdog_start(&house->watchdog, &house->loop, &house->turn);
    eg_doubting_start(&house->doubting, &house->loop);
}

int eg_house_run(struct eg_conf *conf)
{
    struct house *house = calloc(1, sizeof *house);
    struct eg_err err = {EG_OK, ""};
    if (!house || uv_loop_init(&house->loop) != 0) {
        free(house);
        eg_conf_destroy(conf);
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    house->conf = conf;
    house->fixed = eg_reload_fixed(conf);
    eg_trusting_init(house);
    house->started_ms = eg_clock_now_ms();
    int code = eg_zone_use(conf->time_zone)
                   ? eg_repair_build(conf->store.path, &house->faults, build_memory, unbuild, house, &err)
                   : eg_err_set(&err, EG_EINVAL, "time zone %s is not known here", conf->time_zone);
    if (code == EG_OK)
        code = build_edges(house, &err);
    if (code == EG_OK) {
        build_signals(house);
        eg_log(EG_LOG_INFO, "ecogovd " ECOGOV_VERSION ": %zu devices, %zu series, store %s, socket %s",
               eg_pipeline_device_count(house->pipeline), eg_pipeline_series_count(house->pipeline),
               conf->store.path, conf->socket.path);
        sd_notifyf(0, "READY=1\nSTATUS=Watching over %zu sites", conf->site_count);
        uv_run(&house->loop, UV_RUN_DEFAULT);
    } else {
        eg_log(EG_LOG_ERROR, "cannot start: %s", err.text);
        house->status = EXIT_FAILURE;
        if (house->turn) {
            leave(house, EXIT_FAILURE);
            uv_run(&house->loop, UV_RUN_DEFAULT);
        }
    }
    int status = house->status;
    eg_reader_close(house->reader);
    eg_store_close(house->store);
    eg_pipeline_destroy(house->pipeline);
    eg_conf_destroy(house->conf);
    uv_loop_close(&house->loop);
    free(house);
    return status;
}
