/* --record: the MQTT edge with a file behind it instead of a turn. A line is on disk before its message is acknowledged. It takes the
 * daemon's place at the broker under a client id of its own, so that a running ecogovd loses nothing. */
#include "doubting.h"
#include "record.h"
#include "recording.h"

#include <base/clock.h>
#include <base/log.h>
#include <mqtt/mqtt.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)16 * 1024 * 1024)

struct record {
    uv_loop_t loop;
    uv_signal_t term, interrupt;
    uv_timer_t clock;
    bool doubted;
    struct eg_mqtt *mqtt;
    struct eg_buf line;
    FILE *file;
    unsigned long count;
    bool linked;
    int status;
};

static bool on_message(void *user, const struct eg_message *message)
{
    struct record *record = user;
    eg_buf_clear(&record->line);
    eg_recording_write(message, &record->line);
    if (!record->line.failed &&
        fwrite(record->line.data, 1, record->line.length, record->file) == record->line.length)
        record->count++;
    return true;
}

static void on_dry(void *user, unsigned unacked, enum eg_window window)
{
    struct record *record = user;
    (void)window;
    if (!unacked)
        return;
    if (fflush(record->file) != 0 || fdatasync(fileno(record->file)) != 0) {
        eg_log(EG_LOG_ERROR, "record: cannot write: %s; nothing is acknowledged", strerror(errno));
        record->status = EXIT_FAILURE;
        raise(SIGTERM);
        return;
    }
    eg_mqtt_release(record->mqtt);
}

static void on_link(void *user, bool connected, const char *why)
{
    struct record *record = user;
    eg_buf_clear(&record->line);
    if (record->linked != connected)
        eg_recording_write_link(eg_clock_now_ms(), connected, &record->line);
    record->linked = connected;
    fwrite(record->line.data ? record->line.data : "", 1, record->line.length, record->file);
    eg_log(connected ? EG_LOG_INFO : EG_LOG_WARNING, "mqtt: %s", why);
}

static void on_published(void *user, int64_t ticket, const char *error)
{
    (void)user;
    (void)ticket;
    (void)error;
}

/* --- the clock: a recording says when it is in doubt, so that a replay dates anew what a daemon would --- */

static void write_clock(struct record *record, const struct eg_clock_news *news)
{
    eg_buf_clear(&record->line);
    eg_recording_write_clock(eg_clock_now_ms(), news, &record->line);
    fwrite(record->line.data ? record->line.data : "", 1, record->line.length, record->file);
    fflush(record->file); /* whoever reads along sees it */
}

static void on_clock(uv_timer_t *timer)
{
    struct record *record = timer->data;
    struct eg_clock_look look;
    const struct eg_clock_news news = {.is = EG_CLOCK_TRUSTED, .was_ms = eg_clock_now_ms()};
    eg_clock_look(&look);
    if (!record->doubted || !look.synchronised)
        return;
    record->doubted = false;
    uv_timer_stop(timer);
    eg_clock_release();
    write_clock(record, &news);
    eg_log(EG_LOG_INFO, "record: the clock is trusted");
}

static void mind_clock(struct record *record, enum eg_rtc rtc)
{
    struct eg_clock_look look;
    eg_clock_look(&look);
    uv_timer_init(&record->loop, &record->clock);
    record->clock.data = record;
    if (!eg_doubting_reason(&look, rtc, EG_TIME_NONE))
        return;
    record->doubted = true;
    eg_clock_hold(eg_doubting_line(&look, EG_TIME_NONE), look.boot_us);
    write_clock(record, &(struct eg_clock_news){.is = EG_CLOCK_DOUBTED});
    uv_timer_start(&record->clock, on_clock, 1000, 1000);
}

static void gone(void *user)
{
    struct record *record = user;
    uv_close((uv_handle_t *)&record->clock, NULL);
    uv_close((uv_handle_t *)&record->term, NULL);
    uv_close((uv_handle_t *)&record->interrupt, NULL);
}

static void on_stop(uv_signal_t *handle, int number)
{
    struct record *record = handle->data;
    (void)number;
    uv_signal_stop(&record->term);
    uv_signal_stop(&record->interrupt);
    eg_mqtt_close(record->mqtt, gone, record);
}

int eg_record_run(struct eg_conf *conf, const char *path)
{
    struct record record = {.status = EXIT_SUCCESS};
    struct eg_err err = {EG_OK, ""};
    char client_id[64];
    const struct eg_mqtt_door door = {&record, on_message, on_dry, on_link, NULL, on_published};
    snprintf(client_id, sizeof client_id, "%.40s-record", conf->mqtt.client_id);
    conf->mqtt.client_id = client_id;
    conf->mqtt.publish = false;
    conf->mqtt.session_expiry_ms = 0;
    signal(SIGPIPE, SIG_IGN);
    record.file = strcmp(path, "-") ? fopen(path, "a") : stdout;
    if (!record.file || uv_loop_init(&record.loop) != 0) {
        fprintf(stderr, "%s: cannot be written: %s\n", path, strerror(errno));
        eg_conf_destroy(conf);
        return EXIT_FAILURE;
    }
    eg_buf_init(&record.line, LINE_MAX_BYTES);
    mind_clock(&record, conf->clock.rtc);
    uv_signal_init(&record.loop, &record.term);
    uv_signal_init(&record.loop, &record.interrupt);
    record.term.data = record.interrupt.data = &record;
    uv_signal_start(&record.term, on_stop, SIGTERM);
    uv_signal_start(&record.interrupt, on_stop, SIGINT);
    if (eg_mqtt_create(&record.loop, conf, &door, &record.mqtt, &err) != EG_OK) {
        fprintf(stderr, "%s\n", err.text);
        record.status = EXIT_FAILURE;
        gone(&record);
    }
    uv_run(&record.loop, UV_RUN_DEFAULT);
    uv_loop_close(&record.loop);
    eg_log(EG_LOG_INFO, "record: %lu messages", record.count);
    eg_buf_finish(&record.line);
    if (record.file != stdout && fclose(record.file) != 0)
        record.status = EXIT_FAILURE;
    eg_conf_destroy(conf);
    return record.status;
}
