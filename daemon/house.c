/* Builds the house floor by floor and takes it down in mirror order; carries what one edge tells to the floor that must know, so
 * that the edges never see each other. Called by main.c. */
#include "house.h"
#include "repair.h"
#include "turn.h"
#include "watchdog.h"

#include <api/api.h>
#include <base/clock.h>
#include <base/log.h>
#include <base/zone.h>
#include <mqtt/mqtt.h>
#include <notify/outbox.h>
#include <notify/state.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define FAULTS_MAX_BYTES ((size_t)64 * 1024)
#define SUMMARY_EVERY_MS 60000 /* CONTRACT §6: at most once a minute */

struct house {
    uv_loop_t loop;
    struct eg_conf *conf, *next_conf;
    struct eg_faults faults;
    struct eg_store *store;
    struct eg_reader *reader;
    struct eg_pipeline *pipeline;
    struct eg_turn *turn;
    struct eg_mqtt *mqtt;
    struct eg_api *api;
    struct eg_outbox *outbox;
    struct eg_state *state;
    uv_signal_t term, interrupt, hup;
    struct eg_watchdog watchdog;
    uv_timer_t summary;
    int64_t started_ms;
    bool leaving, has_signals;
    int status;
};

/* --- what one floor tells another --- */

static bool on_message(void *user, const struct eg_message *message)
{
    struct house *house = user;
    return eg_turn_message(house->turn, message);
}

static void on_dry(void *user, unsigned unacked, enum eg_window window)
{
    struct house *house = user;
    (void)unacked;
    eg_turn_dry(house->turn, window == EG_WINDOW_FULL, window == EG_WINDOW_PERHAPS);
}

static void on_link(void *user, bool connected, const char *why)
{
    struct house *house = user;
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
    struct house *house = timer->data;
    eg_api_summaries(house->api, offer_summary, house);
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
    struct house *house = user;
    return !house->leaving && eg_turn_command(house->turn, command);
}

static bool on_import(void *user, const struct eg_import *import)
{
    struct house *house = user;
    return !house->leaving && eg_turn_import(house->turn, import);
}

static bool on_retry(void *user, const struct eg_retry *retry)
{
    struct house *house = user;
    return !house->leaving && eg_turn_retry(house->turn, retry);
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
        .outbox = {outbox.pending, outbox.failing, outbox.unreachable, outbox.delivered, outbox.failed}};
    ret->broker_connected = house->mqtt && eg_mqtt_connected(house->mqtt, &ret->broker_since_ms);
}

static void on_pause(void *user)
{
    struct house *house = user;
    house->watchdog.committing = true;
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
}

static bool find_case(void *user, const char *id, struct eg_case *ret)
{
    return eg_reader_case(user, id, ret, NULL) == EG_OK;
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

/* --- SIGHUP: all of it or none of it --- */

static void take_conf(void *user)
{
    struct house *house = user;
    struct eg_err err;
    struct eg_conf *old = house->conf, *fresh = house->next_conf;
    house->next_conf = NULL;
    if (eg_pipeline_configure(house->pipeline, fresh, &err) != EG_OK)
        eg_log(EG_LOG_ERROR, "reload: %s", err.text);
    if (eg_store_configure(house->store, fresh, &err) != EG_OK)
        eg_log(EG_LOG_WARNING, "reload: %s", err.text);
    eg_zone_use(fresh->time_zone);
    eg_turn_configure(house->turn, fresh);
    eg_api_configure(house->api, fresh);
    eg_outbox_configure(house->outbox, fresh);
    if (!eg_mqtt_configure(house->mqtt, fresh))
        eg_log(EG_LOG_WARNING,
               "reload: the client id, credentials, TLS and mqtt.publish take effect with the next start");
    house->conf = fresh;
    eg_conf_destroy(old);
    eg_fault_clear(&house->faults, "conf");
    eg_log(EG_LOG_INFO, "reload: %zu sites, %zu sources, %zu rules are in force", fresh->site_count,
           fresh->source_count, fresh->rule_count);
    sd_notify(0, "READY=1");
}

/* status shows the first fault, the log all of them. */
static void refuse_reload(struct house *house, const char *faults)
{
    eg_fault_raise(&house->faults, "conf", eg_clock_now_ms(), "the configuration was not reloaded: %.*s",
                   (int)strcspn(faults, "\n"), faults);
    eg_log(EG_LOG_ERROR, "reload refused, the old configuration goes on:");
    for (const char *line = faults; *line; line += strcspn(line, "\n"), line += *line == '\n')
        eg_log(EG_LOG_ERROR, "%.*s", (int)strcspn(line, "\n"), line);
}

static void on_reload(uv_signal_t *signal, int number)
{
    struct house *house = signal->data;
    struct eg_buf faults;
    (void)number;
    if (house->leaving || house->next_conf)
        return;
    sd_notify(0, "RELOADING=1");
    eg_buf_init(&faults, FAULTS_MAX_BYTES);
    house->next_conf = eg_conf_load(house->conf->path, &faults);
    if (!house->next_conf) {
        refuse_reload(house, faults.data ? faults.data : "no memory");
        sd_notify(0, "READY=1");
    } else {
        eg_turn_quiet(house->turn, take_conf, house);
    }
    eg_buf_finish(&faults);
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
    eg_reader_past(house->reader, &past);
    past.find_case = find_case;
    past.case_user = house->reader;
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
    const struct eg_turn_edges edges = {house, on_pause, on_release, on_fatal};
    const struct eg_api_door api_door = {house, tell_state, on_command, on_import, look_at_outbox, on_retry};
    const struct eg_mqtt_door mqtt_door = {house, on_message, on_dry, on_link, on_telling, on_published};
    const struct eg_lanes_door outbox_door = {house, publish, on_delivery};
    const struct eg_state_door state_door = {house, publish_state};
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
    if (!house->state)
        return eg_err_set(err, EG_ENOMEM, "no memory for the outbox");
    code = eg_outbox_create(&house->loop, house->conf, house->reader, &house->faults, &outbox_door,
                            &house->outbox, err);
    if (code == EG_OK)
        code = eg_mqtt_create(&house->loop, house->conf, &mqtt_door, &house->mqtt, err);
    if (code == EG_OK)
        remember_subscriptions(house);
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
    uv_signal_start(&house->hup, on_reload, SIGHUP);
    eg_watchdog_start(&house->watchdog, &house->loop, &house->turn);
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
