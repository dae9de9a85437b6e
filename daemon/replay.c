/* --replay: the fold over a file. The same pipeline, batch and store as in service, with the recording's clock and no edges. What
 * it prints is the golden format of tests/replay: one line a decision, in the order they were made. */
#include "replay.h"
#include "recording.h"

#include <base/json.h>
#include <ecogov/time.h>
#include <base/zone.h>
#include <store/store.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define TURN_EVENTS_MAX 4096
#define TURN_READINGS_MAX 8192 /* as turn.c: the file grows by what lies unsealed and unfolded */
#define TURN_ROLLUPS_MAX 4096

struct replay {
    struct eg_conf *conf;
    struct eg_store *store;
    struct eg_reader *reader;
    struct eg_pipeline *pipeline;
    struct eg_batch batch;
    int64_t turn_began_ms, now_ms, woken_ms; /* woken: time has done its part up to here */
    unsigned long line;
};

/* --- what was decided --- */

static const struct eg_case *case_row(const struct replay *replay, uint32_t number)
{
    for (size_t i = replay->batch.cases_count; i-- > 0;)
        if (replay->batch.cases[i].number == number)
            return &replay->batch.cases[i];
    return NULL;
}

static void print_event(const struct replay *replay, const struct eg_case_event *event)
{
    const struct eg_case *row = case_row(replay, event->case_number);
    char time[EG_TIME_TEXT], value[EG_NUMBER_TEXT];
    if (!row)
        return;
    printf("%s case %s %s", eg_time_format(event->at_ms, time), row->id, event->kind);
    if (*event->from || *event->to)
        printf(" %s%s%s", event->from, *event->from ? "->" : "", event->to);
    printf(" %s %s/%s/%s %s%s%s", *row->rule ? row->rule : eg_case_kind_name((enum eg_case_kind)row->kind),
           row->site, row->domain, row->device, eg_case_quantity(row), *row->channel ? "#" : "",
           row->channel);
    if (isfinite(event->value))
        printf(" value=%s", eg_number_format(event->value, value));
    if (event->known_ms != event->at_ms)
        printf(" known=%s", eg_time_format(event->known_ms, time));
    if (strcmp(event->actor, "ecogovd") != 0)
        printf(" by=%s", event->actor);
    if (*event->party && strcmp(event->party, event->to) != 0)
        printf(" for=%s", event->party);
    if (*event->note)
        printf(" note=\"%s\"", event->note);
    putchar('\n');
}

static void print_device_event(const struct replay *replay, const struct eg_row_device_event *event)
{
    struct eg_device_view device;
    char time[EG_TIME_TEXT];
    if (!eg_pipeline_device(replay->pipeline, event->device, &device))
        return;
    printf("%s device %s/%s/%s %s by=%s note=\"%s\"\n", eg_time_format(event->at_ms, time), device.site,
           device.domain, device.device, eg_device_event_name(event->kind), event->actor, event->note);
}

static void print_decisions(const struct replay *replay)
{
    const struct eg_batch *batch = &replay->batch;
    char time[EG_TIME_TEXT];
    for (size_t i = 0; i < batch->devices_count; i++)
        printf("%s device %s/%s/%s registered\n", eg_time_format(batch->devices[i].registered_ms, time),
               batch->devices[i].site, batch->devices[i].domain, batch->devices[i].device);
    for (size_t i = 0; i < batch->device_events_count; i++)
        print_device_event(replay, &batch->device_events[i]);
    for (size_t i = 0; i < batch->quarantine_count; i++)
        printf("%s quarantine %s %s: %s\n", eg_time_format(batch->quarantine[i].at_ms, time),
               batch->quarantine[i].topic, batch->quarantine[i].verdict, batch->quarantine[i].reason);
    for (size_t i = 0; i < batch->case_events_count; i++)
        print_event(replay, &batch->case_events[i]);
    for (size_t i = 0; i < batch->answers_count; i++)
        if (batch->answers[i].code != EG_OK)
            printf("%s refused: %s\n", eg_time_format(batch->now_ms, time), batch->answers[i].sentence);
}

static void print_sum(const struct replay *replay)
{
    const struct eg_counters *c = eg_pipeline_counters(replay->pipeline);
    size_t active = 0;
    const struct eg_case *row;
    for (size_t i = 0; (row = eg_pipeline_case_at(replay->pipeline, i)); i++)
        active += row->kind != EG_CASE_DRILL;
    printf("messages received=%llu decoded=%llu duplicate=%llu quarantined=%llu ignored=%llu\n",
           (unsigned long long)c->received, (unsigned long long)c->decoded, (unsigned long long)c->duplicate,
           (unsigned long long)c->quarantined, (unsigned long long)c->ignored);
    printf("readings decoded=%llu stored=%llu duplicate=%llu rejected=%llu corrected=%llu\n",
           (unsigned long long)c->r_decoded, (unsigned long long)c->r_stored,
           (unsigned long long)c->r_duplicate, (unsigned long long)c->r_rejected,
           (unsigned long long)c->r_corrected);
    printf("devices=%zu series=%zu cases active=%zu\n", eg_pipeline_device_count(replay->pipeline),
           eg_pipeline_series_count(replay->pipeline), active);
}

/* --- turns in virtual time --- */

static int commit(struct replay *replay, struct eg_err *err)
{
    bool more = true;
    if (!replay->batch.events)
        return EG_OK;
    eg_pipeline_settle(replay->pipeline, &replay->batch);
    if (replay->batch.failed)
        return eg_err_set(err, EG_ENOMEM, "no memory to decide a turn");
    print_decisions(replay);
    int code = eg_store_commit(replay->store, &replay->batch, err);
    while (code == EG_OK && more)
        code = eg_store_tidy(replay->store, replay->now_ms, 1000000, &more, err);
    eg_batch_clear(&replay->batch);
    return code;
}

/* What time did up to now, each at its own moment. */
static int wake(struct replay *replay, int64_t now_ms, struct eg_err *err)
{
    int code = EG_OK;
    int64_t due_ms;
    while (code == EG_OK && (due_ms = eg_pipeline_deadline(replay->pipeline, now_ms)) <= now_ms) {
        if (due_ms <= 0) /* nothing of the past: the rules are others than when the store was left */
            due_ms = now_ms;
        const struct eg_event tick = {.kind = EG_EVENT_TICK,
                                      .now_ms = due_ms > replay->woken_ms ? due_ms : replay->woken_ms};
        replay->woken_ms = tick.now_ms;
        eg_pipeline_event(replay->pipeline, &tick, &replay->batch);
        code = commit(replay, err);
    }
    replay->woken_ms = now_ms;
    return code;
}

/* Nothing in the turn that is told, and nothing that waits to be judged: it may go on. Nobody waits for a replay's turns, and as many as
 * the live day had would each wait for the disk. */
static bool may_go_on(const struct replay *replay)
{
    const struct eg_batch *batch = &replay->batch;
    return !batch->devices_count && !batch->device_events_count && !batch->quarantine_count &&
           !batch->case_events_count && !batch->answers_count && batch->events < TURN_EVENTS_MAX &&
           batch->readings_count < TURN_READINGS_MAX && !eg_pipeline_unsettled(replay->pipeline);
}

/* What was dated in doubt is dated anew, and all that follows from it is made of the store. */
static int trust(struct replay *replay, const struct eg_event *event, struct eg_err *err)
{
    bool more = true;
    int code = commit(replay, err);
    if (code != EG_OK)
        return code;
    replay->turn_began_ms = event->now_ms;
    eg_pipeline_event(replay->pipeline, event, &replay->batch);
    code = commit(replay, err);
    while (code == EG_OK && more)
        code = eg_store_redate(replay->store, 1000000, &more, err);
    eg_reader_forget(replay->reader);
    if (code == EG_OK)
        code = eg_pipeline_begin_anew(replay->pipeline, err);
    return code == EG_OK ? eg_store_load(replay->store, replay->pipeline, err) : code;
}

static int take(struct replay *replay, const struct eg_event *event, struct eg_err *err)
{
    const bool set_back = event->kind == EG_EVENT_CLOCK && event->clock.is == EG_CLOCK_TRUSTED;
    if (event->now_ms < replay->now_ms && !set_back)
        return eg_err_set(err, EG_EINVAL, "time goes backwards: a recording ascends by time");
    replay->now_ms = event->now_ms;
    int code = EG_OK;
    if (replay->batch.events &&
        event->now_ms - replay->turn_began_ms >= replay->conf->store.commit_interval_ms &&
        (!may_go_on(replay) || event->kind == EG_EVENT_COMMAND || event->kind == EG_EVENT_REPORT))
        code = commit(replay, err);
    if (code == EG_OK)
        code = wake(replay, event->now_ms, err);
    if (code != EG_OK || event->kind == EG_EVENT_TICK)
        return code;
    if (event->kind == EG_EVENT_CLOCK && event->clock.is == EG_CLOCK_TRUSTED)
        return trust(replay, event, err);
    if (!replay->batch.events)
        replay->turn_began_ms = event->now_ms;
    eg_pipeline_event(replay->pipeline, event, &replay->batch);
    if (replay->batch.urgent || replay->batch.failed || replay->batch.events >= TURN_EVENTS_MAX ||
        replay->batch.readings_count >= TURN_READINGS_MAX || replay->batch.rollups_count >= TURN_ROLLUPS_MAX)
        code = commit(replay, err);
    return code;
}

static int play(struct replay *replay, FILE *file, struct eg_err *err)
{
    char *line = NULL;
    size_t capacity = 0;
    int code = EG_OK;
    for (ssize_t length; code == EG_OK && (length = getline(&line, &capacity, file)) >= 0;) {
        struct eg_recorded recorded;
        replay->line++;
        if (length <= 1)
            continue;
        if ((size_t)length > LINE_MAX_BYTES) {
            code = eg_err_set(err, EG_EINVAL, "a line of %zd bytes; at most %zu are taken", length,
                              LINE_MAX_BYTES);
            break;
        }
        code = eg_recording_parse(line, (size_t)length, &recorded, err);
        if (code == EG_OK) {
            code = take(replay, &recorded.event, err);
            eg_recording_finish(&recorded);
        }
    }
    free(line);
    if (code == EG_OK)
        code = commit(replay, err);
    return code == EG_OK ? eg_store_mark_replayed(replay->store, err) : code;
}

static int move_in(struct replay *replay, struct eg_err *err)
{
    struct eg_past past = {0};
    replay->conf->mqtt.publish = false; /* nobody is told of what is long over */
    for (size_t i = 0; i < replay->conf->party_count; i++)
        replay->conf->parties[i].route_count = 0;
    if (!eg_zone_use(replay->conf->time_zone))
        return eg_err_set(err, EG_EINVAL, "time zone %s is not known here", replay->conf->time_zone);
    int code = eg_store_open(replay->conf, &replay->store, err);
    if (code == EG_OK)
        code = eg_reader_open(replay->store, &replay->reader, err);
    if (code != EG_OK)
        return code;
    eg_reader_past(replay->reader, &past);
    replay->pipeline = eg_pipeline_create(replay->conf, &past);
    if (!replay->pipeline)
        return eg_err_set(err, EG_ENOMEM, "no memory for the pipeline");
    return eg_store_load(replay->store, replay->pipeline, err);
}

int eg_replay_run(struct eg_conf *conf, const char *path)
{
    struct replay replay = {.conf = conf};
    struct eg_err err = {EG_OK, ""};
    FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
    int code;
    eg_batch_init(&replay.batch);
    if (!file)
        code = eg_err_set(&err, EG_EIO, "cannot be opened: %s", strerror(errno));
    else
        code = move_in(&replay, &err);
    if (code == EG_OK)
        code = play(&replay, file, &err);
    if (code == EG_OK)
        print_sum(&replay);
    else
        fprintf(stderr, "%s:%lu: %s\n", path, replay.line, err.text);
    if (file && file != stdin)
        fclose(file);
    eg_batch_finish(&replay.batch);
    eg_reader_close(replay.reader);
    eg_store_close(replay.store);
    eg_pipeline_destroy(replay.pipeline);
    eg_conf_destroy(conf);
    return code == EG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
