/* Knows how the daemon says how it is: `status`, and the notification of the same name. Refuses to know how
 * it came to be so. Called by the table in methods.c and by watch.c. */
#include <api/methods.h>
#include <base/hash.h>

#include <math.h>
#include <string.h>

static void write_broker(struct eg_json *json, const struct eg_desk *desk, const struct eg_api_state *state)
{
    eg_json_key(json, "broker");
    eg_json_open(json, '{');
    eg_json_put_string(json, "host", desk->conf->mqtt.host);
    eg_json_put_int(json, "port", desk->conf->mqtt.port);
    eg_json_put_bool(json, "connected", state->broker_connected);
    eg_json_put_time(json, "since", state->broker_since_ms > 0 ? state->broker_since_ms : EG_TIME_NONE);
    eg_json_close(json, '}');
}

/* Until all that was dated in doubt is dated anew. */
void eg_m_status_clock(struct eg_json *json, const struct eg_faults *faults)
{
    int64_t since_ms = EG_TIME_NONE;
    for (size_t i = 0; faults && i < faults->count; i++)
        if (!strcmp(faults->rows[i].key, "clock"))
            since_ms = faults->rows[i].since_ms;
    eg_json_key(json, "clock");
    eg_json_open(json, '{');
    eg_json_put_bool(json, "trusted", since_ms == EG_TIME_NONE);
    eg_json_put_time(json, "doubted_since", since_ms);
    eg_json_close(json, '}');
}

static void write_counters(struct eg_json *json, const struct eg_counters *counters)
{
    eg_json_key(json, "messages");
    eg_json_open(json, '{');
    eg_json_put_int(json, "received", (int64_t)counters->received);
    eg_json_put_int(json, "decoded", (int64_t)counters->decoded);
    eg_json_put_int(json, "duplicate", (int64_t)counters->duplicate);
    eg_json_put_int(json, "quarantined", (int64_t)counters->quarantined);
    eg_json_put_int(json, "ignored", (int64_t)counters->ignored);
    eg_json_close(json, '}');
    eg_json_key(json, "readings");
    eg_json_open(json, '{');
    eg_json_put_int(json, "decoded", (int64_t)counters->r_decoded);
    eg_json_put_int(json, "stored", (int64_t)counters->r_stored);
    eg_json_put_int(json, "duplicate", (int64_t)counters->r_duplicate);
    eg_json_put_int(json, "rejected", (int64_t)counters->r_rejected);
    eg_json_put_int(json, "corrected", (int64_t)counters->r_corrected);
    eg_json_close(json, '}');
}

#define DAYS_A_YEAR 365.25

/* Rounded: the last digits mean nothing. What is not known yet is null. */
static void write_wear(struct eg_json *json, const struct eg_desk *desk, int64_t now_ms, int64_t written)
{
    struct eg_store_wear wear = {NAN, NAN, NAN};
    if (desk->store)
        eg_store_wear(desk->store, now_ms, &wear);
    int64_t endurance = desk->conf->store.endurance_bytes;
    double factor = isfinite(wear.kernel_factor) ? wear.kernel_factor : 1,
           left = fmax((double)endurance - (double)written * factor, 0), a_day = wear.bytes_per_day * factor,
           years = endurance > 0 && a_day > 0 ? left / a_day / DAYS_A_YEAR : NAN;
    eg_json_put_number(json, "bytes_per_reading", round(wear.bytes_per_reading * 10) / 10);
    eg_json_put_number(json, "bytes_per_day", round(wear.bytes_per_day));
    eg_json_key(json, "card");
    eg_json_open(json, '{');
    eg_json_put_int(json, "endurance_bytes", endurance);
    eg_json_put_int(json, "written_bytes", written);
    eg_json_put_number(json, "kernel_factor", round(wear.kernel_factor * 100) / 100);
    eg_json_put_number(json, "years_left", round(years * 10) / 10);
    eg_json_close(json, '}');
}

static void write_store(struct eg_json *json, const struct eg_desk *desk, int64_t now_ms)
{
    struct eg_store_figures figures = {0};
    if (desk->store)
        eg_store_figures(desk->store, &figures);
    eg_json_key(json, "store");
    eg_json_open(json, '{');
    eg_json_put_string(json, "path", desk->conf->store.path);
    eg_json_put_int(json, "bytes", figures.bytes);
    eg_json_put_int(json, "readings", (int64_t)figures.readings);
    eg_json_put_int(json, "bytes_written", figures.bytes_written);
    eg_json_put_int(json, "schema", figures.schema);
    eg_json_put_int(json, "journal", (int64_t)figures.journal_readings);
    write_wear(json, desk, now_ms, figures.bytes_written);
    eg_json_close(json, '}');
}

/* Only what is not closed or rejected: the pipeline holds those, so the answer costs no look into the store.
 */
static void write_cases(struct eg_json *json, const struct eg_desk *desk)
{
    int64_t active = 0, handling[EG_HANDLING_COUNT] = {0}, level[EG_LEVEL_COUNT] = {0};
    const struct eg_case *row;
    for (size_t i = 0; (row = eg_pipeline_case_at(desk->pipeline, i)); i++) {
        if (row->kind == EG_CASE_DRILL)
            continue;
        active++;
        if (row->handling < EG_HANDLING_COUNT)
            handling[row->handling]++;
        if (row->level < EG_LEVEL_COUNT)
            level[row->level]++;
    }
    eg_json_key(json, "cases");
    eg_json_open(json, '{');
    for (int h = EG_OPEN; h < EG_CLOSED; h++)
        eg_json_put_int(json, eg_handling_name((enum eg_handling)h), handling[h]);
    eg_json_put_int(json, "active", active);
    eg_json_key(json, "level");
    eg_json_open(json, '{');
    for (int l = EG_LEVEL_NOTICE; l < EG_LEVEL_COUNT; l++)
        eg_json_put_int(json, eg_level_name((enum eg_level)l), level[l]);
    eg_json_close(json, '}');
    eg_json_close(json, '}');
}

static void write_faults(struct eg_json *json, const struct eg_faults *faults)
{
    eg_json_key(json, "faults");
    eg_json_open(json, '[');
    for (size_t i = 0; faults && i < faults->count; i++) {
        eg_json_open(json, '{');
        eg_json_put_string(json, "key", faults->rows[i].key);
        eg_json_put_string(json, "text", faults->rows[i].text);
        eg_json_put_time(json, "since", faults->rows[i].since_ms);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

void eg_m_status_write(const struct eg_desk *desk, struct eg_json *json)
{
    struct eg_api_state state = {0};
    desk->door->state(desk->door->user, &state);
    eg_json_open(json, '{');
    eg_json_put_string(json, "version", ECOGOV_VERSION);
    eg_json_put_int(json, "protocol", 1);
    eg_json_put_string(json, "config", desk->conf->path);
    eg_json_put_time(json, "started_at", state.started_ms);
    eg_json_put_time(json, "now", state.now_ms);
    eg_json_put_string(json, "time_zone", desk->conf->time_zone);
    eg_m_status_clock(json, state.faults);
    write_broker(json, desk, &state);
    write_counters(json, &state.counters);
    write_store(json, desk, state.now_ms);
    write_cases(json, desk);
    eg_json_key(json, "outbox");
    eg_json_open(json, '{');
    eg_json_put_int(json, "pending", (int64_t)state.outbox.pending);
    eg_json_put_int(json, "failing", (int64_t)state.outbox.failing);
    eg_json_put_int(json, "unreachable", (int64_t)state.outbox.unreachable);
    eg_json_put_int(json, "delivered", (int64_t)state.outbox.delivered);
    eg_json_put_int(json, "failed", (int64_t)state.outbox.failed);
    eg_json_close(json, '}');
    write_faults(json, state.faults);
    eg_json_key(json, "turns");
    eg_json_open(json, '{');
    eg_json_put_int(json, "commits", (int64_t)state.commits);
    eg_json_put_number(json, "last_commit_ms", (double)state.last_commit_us / 1000.0);
    eg_json_close(json, '}');
    eg_json_close(json, '}');
}

uint64_t eg_m_status_fingerprint(const struct eg_desk *desk)
{
    struct eg_api_state state = {0};
    desk->door->state(desk->door->user, &state);
    int64_t link[3] = {state.broker_connected, state.broker_since_ms, state.clock_jumps};
    uint64_t print = eg_hash(&state.counters, sizeof state.counters, 1);
    print = eg_hash(&state.outbox, sizeof state.outbox, print);
    print = eg_hash(link, sizeof link, print);
    const struct eg_case *row;
    for (size_t i = 0; (row = eg_pipeline_case_at(desk->pipeline, i)); i++) {
        uint32_t mark[2] = {row->number, row->version};
        print = eg_hash(mark, sizeof mark, print);
    }
    for (size_t i = 0; state.faults && i < state.faults->count; i++) {
        const struct eg_fault *fault = &state.faults->rows[i];
        print = eg_hash(fault->key, strlen(fault->key), print);
        print = eg_hash(fault->text, strlen(fault->text), print);
    }
    return print ? print : 1; /* 0 stands for "nothing told yet" */
}

int eg_m_status(struct eg_call *call)
{
    eg_m_status_write(call->desk, call->json);
    return EG_CALL_DONE;
}
