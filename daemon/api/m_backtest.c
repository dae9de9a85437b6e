/* Knows what a rule would have done with the readings that are stored: a job on a thread of libuv's pool over a snapshot, and its answer.
 * Refuses to know how a rule judges (pipeline/backtest.c). Called by the table in methods.c, and by server.c when the socket closes. */
#include <api/methods.h>
#include <api/rule_text.h>
#include <pipeline/backtest.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_DEFAULT 30
#define HOUR_MS INT64_C(3600000)
#define BITE_POINTS 4096
#define EPISODES_MAX 5000 /* that are told; all are counted */
#define CASES_MAX 10000   /* real ones that are held against them */
#define BESIDE_SERIES_MAX 64
#define BESIDE_POINTS_MAX 1000000 /* of what the rule looks at, too */

struct found {
    uint32_t series;
    struct eg_episode episode;
};
/* What is read of a series that the rule looks at beside others. */
struct pile {
    struct eg_beside_point *points;
    size_t count, capacity;
};
struct known {             /* of a series; the worker must not ask the pipeline */
    struct eg_place place; /* land_use: Owned, the others stay as long as the pipeline */
    uint32_t device;
    uint16_t quantity;
};
struct eg_backtest_job {
    uv_work_t work;
    struct eg_desk *desk;
    atomic_bool stop;
    uint64_t ticket; /* 0: nobody waits for the answer */
    int64_t from_ms, to_ms;
    struct eg_conf *conf; /* Owned: the rule and the sites it names */
    struct eg_export *snapshot;
    int64_t *intervals;  /* of their devices, by series; EG_TIME_NONE: the rule does not look at it */
    struct known *known; /* by series */
    size_t series_count, series_wanted;
    struct eg_export *beside; /* NULL: the rule looks at nothing else */
    struct pile *piles;       /* by series */
    size_t beside_points;
    /* while it runs */
    struct eg_backtest *running;
    uint32_t running_series;
    uint64_t readings, episodes;
    struct found *found;
    size_t found_count, found_capacity;
    struct eg_err err;
    int code;
};

static void job_free(struct eg_backtest_job *job)
{
    eg_export_close(job->snapshot);
    eg_export_close(job->beside);
    eg_backtest_destroy(job->running);
    eg_conf_destroy(job->conf);
    for (size_t i = 0; job->piles && i < job->series_count; i++)
        free(job->piles[i].points);
    free(job->piles);
    for (size_t i = 0; job->known && i < job->series_count; i++)
        free((char *)job->known[i].place.land_use);
    free(job->known);
    free(job->intervals);
    free(job->found);
    free(job);
}

/* --- on the worker's thread --- */

static void note(struct eg_backtest_job *job, const struct eg_episode *episode)
{
    job->episodes++;
    if (job->found_count == EPISODES_MAX)
        return;
    if (job->found_count == job->found_capacity) {
        size_t capacity = job->found_capacity ? 2 * job->found_capacity : 64;
        struct found *more = realloc(job->found, capacity * sizeof *more);
        if (!more)
            return; /* counted, not told */
        job->found = more;
        job->found_capacity = capacity;
    }
    job->found[job->found_count++] = (struct found){job->running_series, *episode};
}

static void end_series(struct eg_backtest_job *job)
{
    struct eg_episode episode;
    if (job->running && eg_backtest_last(job->running, &episode))
        note(job, &episode);
    eg_backtest_destroy(job->running);
    job->running = NULL;
}

static bool take_beside(void *arg, uint32_t series, const struct eg_point *point)
{
    struct eg_backtest_job *job = arg;
    struct pile *pile = &job->piles[series];
    if (point->flags & EG_FLAG_RETAINED)
        return true;
    if (job->beside_points++ == BESIDE_POINTS_MAX) {
        job->code =
            eg_err_set(&job->err, EG_EFULL,
                       "What the rule looks at beside has more than %d readings; ask for a shorter time.",
                       BESIDE_POINTS_MAX);
        return false;
    }
    if (pile->count == pile->capacity) {
        size_t capacity = pile->capacity ? 2 * pile->capacity : 256;
        struct eg_beside_point *more = realloc(pile->points, capacity * sizeof *more);
        if (!more) {
            job->code = eg_err_set(&job->err, EG_ENOMEM, "no memory for the test");
            return false;
        }
        pile->points = more;
        pile->capacity = capacity;
    }
    pile->points[pile->count++] = (struct eg_beside_point){point->time_ms, point->value};
    return true;
}

static bool looks_at(const struct eg_conf_partner *partner, const struct known *own,
                     const struct known *other)
{
    return other->quantity == partner->quantity &&
           (partner->of_site ? own->place.site == other->place.site : own->device == other->device);
}

/* The test of the rule at a series, with all that it looks at there. */
static struct eg_backtest *begin_series(struct eg_backtest_job *job, uint32_t series)
{
    const struct eg_conf_rule *rule = &job->conf->rules[0];
    const struct known *own = &job->known[series];
    struct eg_beside beside[BESIDE_SERIES_MAX];
    size_t count = 0;
    for (uint32_t id = 1; rule->partner_count && id < job->series_count; id++)
        for (unsigned i = 0; i < rule->partner_count && count < BESIDE_SERIES_MAX; i++)
            if (looks_at(&rule->partners[i], own, &job->known[id]))
                beside[count++] = (struct eg_beside){
                    .partner = i,
                    .same_channel = !rule->partners[i].of_site &&
                                    !strcmp(own->place.channel, job->known[id].place.channel),
                    .points = job->piles[id].points,
                    .count = job->piles[id].count};
    return eg_backtest_create(rule, &own->place, job->intervals[series], beside, count);
}

static bool take_point(void *arg, uint32_t series, const struct eg_point *point)
{
    struct eg_backtest_job *job = arg;
    struct eg_episode episode;
    if (!job->running || series != job->running_series) {
        end_series(job);
        job->running_series = series;
        job->running = begin_series(job, series);
        if (!job->running) {
            job->code = eg_err_set(&job->err, EG_ENOMEM, "no memory for the test");
            return false;
        }
    }
    if (point->flags & (EG_FLAG_RETAINED | EG_FLAGS_SET_ASIDE))
        return true; /* nobody knows how old it was; or quality control has set it aside */
    job->readings++;
    if (eg_backtest_feed(job->running, point->time_ms, point->value, &episode))
        note(job, &episode);
    return true;
}

static void pass(struct eg_backtest_job *job, struct eg_export *snapshot,
                 bool (*each)(void *arg, uint32_t series, const struct eg_point *point))
{
    bool done = false;
    while (job->code == EG_OK && !done) {
        if (atomic_load(&job->stop)) {
            job->code = eg_err_set(&job->err, EG_EBUSY, "The daemon is leaving.");
            return;
        }
        int code = eg_export_next(snapshot, BITE_POINTS, each, job, &done, &job->err);
        if (code < 0)
            job->code = code;
    }
}

static void test(uv_work_t *work)
{
    struct eg_backtest_job *job = work->data;
    if (job->beside)
        pass(job, job->beside, take_beside);
    pass(job, job->snapshot, take_point);
    end_series(job);
}

/* --- the answer --- */

struct real_case {
    uint32_t series;
    int64_t opened_ms, closed_ms;
    char id[96];
};
struct real_cases {
    struct real_case *rows;
    size_t count, capacity;
};

static bool take_case(void *arg, const struct eg_case *row)
{
    struct real_cases *cases = arg;
    if (cases->count == cases->capacity) {
        size_t capacity = cases->capacity ? 2 * cases->capacity : 64;
        struct real_case *more = realloc(cases->rows, capacity * sizeof *more);
        if (!more)
            return false;
        cases->rows = more;
        cases->capacity = capacity;
    }
    struct real_case *one = &cases->rows[cases->count++];
    *one = (struct real_case){row->series, row->opened_ms, row->closed_ms, ""};
    snprintf(one->id, sizeof one->id, "%s", row->id);
    return true;
}

static void put_overlaps(struct eg_json *json, const struct found *found, const struct real_cases *cases)
{
    const struct eg_episode *episode = &found->episode;
    eg_json_key(json, "overlaps");
    eg_json_open(json, '[');
    for (size_t i = 0; i < cases->count; i++) {
        const struct real_case *one = &cases->rows[i];
        if (one->series == found->series &&
            (episode->ended_ms == EG_TIME_NONE || one->opened_ms <= episode->ended_ms) &&
            (one->closed_ms == EG_TIME_NONE || one->closed_ms >= episode->opened_ms))
            eg_json_string(json, one->id);
    }
    eg_json_close(json, ']');
}

static void put_found(struct eg_json *json, const struct eg_backtest_job *job, const struct found *found,
                      const struct real_cases *cases)
{
    const struct eg_episode *episode = &found->episode;
    int64_t until_ms = episode->ended_ms != EG_TIME_NONE ? episode->ended_ms : job->to_ms;
    struct eg_series_view series;
    struct eg_device_view device;
    if (!eg_pipeline_series(job->desk->pipeline, found->series, &series) ||
        !eg_pipeline_device(job->desk->pipeline, series.device, &device))
        return;
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", device.site);
    eg_json_put_string(json, "domain", device.domain);
    eg_json_put_string(json, "device", device.device);
    eg_json_put_string(json, "channel", series.channel);
    eg_json_put_string(json, "level", eg_level_name(episode->level));
    eg_json_put_time(json, "opened_at", episode->opened_ms);
    eg_json_put_time(json, "detected_at", episode->known_ms);
    eg_json_put_time(json, "ended_at", episode->ended_ms);
    eg_json_put_int(json, "seconds", (until_ms - episode->opened_ms) / 1000);
    eg_json_key(json, "peak");
    eg_json_open(json, '{');
    eg_json_put_number(json, "value", episode->peak_value);
    eg_json_put_time(json, "time", episode->peak_ms);
    eg_json_close(json, '}');
    put_overlaps(json, found, cases);
    eg_json_close(json, '}');
}

static void put_result(struct eg_json *json, const struct eg_backtest_job *job,
                       const struct real_cases *cases)
{
    const struct eg_conf_rule *rule = &job->conf->rules[0];
    char unit[EG_UNIT_TEXT];
    eg_json_open(json, '{');
    eg_json_put_string(json, "rule", rule->id);
    eg_json_put_string(json, "quantity", eg_quantity_info(rule->quantity)->name);
    eg_json_put_string(json, "unit", eg_conf_rule_unit(rule, rule->quantity, unit));
    eg_json_put_time(json, "from", job->from_ms);
    eg_json_put_time(json, "to", job->to_ms);
    eg_json_put_int(json, "series", (int64_t)job->series_wanted);
    eg_json_put_int(json, "readings", (int64_t)job->readings);
    eg_json_put_int(json, "count", (int64_t)job->episodes);
    eg_json_key(json, "cases");
    eg_json_open(json, '[');
    for (size_t i = 0; i < job->found_count; i++)
        put_found(json, job, &job->found[i], cases);
    eg_json_close(json, ']');
    eg_json_close(json, '}');
}

static void tested(uv_work_t *work, int status)
{
    struct eg_backtest_job *job = work->data;
    struct eg_desk *desk = job->desk;
    struct eg_buf text;
    struct eg_json json;
    struct real_cases cases = {0};
    struct eg_case_query query = {
        .handling = -1, .condition = -1, .level = -1, .since_ms = EG_TIME_NONE, .limit = CASES_MAX};
    (void)status;
    desk->backtest = NULL;
    eg_buf_init(&text, (size_t)8 << 20);
    eg_json_init(&json, &text);
    if (job->code == EG_OK && desk->reader)
        job->code = eg_reader_cases(desk->reader, &query, take_case, &cases, &job->err);
    if (job->code >= 0)
        put_result(&json, job, &cases);
    if (job->code >= 0 && text.failed)
        job->code = eg_err_set(&job->err, EG_ENOMEM, "The answer would be too long; ask for a shorter time.");
    desk->told(desk->told_user, job->ticket, job->code >= 0 ? 0 : eg_call_code(job->code),
               job->code >= 0 ? text.data : job->err.text);
    eg_buf_finish(&text);
    free(cases.rows);
    job_free(job);
}

/* --- the question --- */

static bool is_wanted(void *arg, uint32_t series)
{
    const struct eg_backtest_job *job = arg;
    return series < job->series_count && job->intervals[series] != EG_TIME_NONE;
}

static bool is_beside(void *arg, uint32_t series)
{
    const struct eg_backtest_job *job = arg;
    for (size_t i = 0; i < job->conf->rules[0].partner_count && series < job->series_count; i++)
        if (job->known[series].quantity == job->conf->rules[0].partners[i].quantity)
            return true;
    return false;
}

/* Where the series are, and what the rule looks at beside them. */
static int prepare_beside(struct eg_call *call, struct eg_backtest_job *job)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    const struct eg_conf_rule *rule = &job->conf->rules[0];
    struct eg_err err = {0};
    int64_t back_ms = 0;
    bool ok = true;
    job->known = calloc(job->series_count, sizeof *job->known);
    job->piles = calloc(job->series_count, sizeof *job->piles);
    for (uint32_t id = 1; job->known && id < job->series_count; id++) {
        struct known *one = &job->known[id];
        struct eg_series_view view;
        eg_pipeline_series(pipeline, id, &view);
        one->place = eg_pipeline_place(pipeline, job->conf, id);
        one->device = view.device;
        one->quantity = view.quantity;
        if (one->place.land_use)
            ok = (one->place.land_use = strdup(one->place.land_use)) != NULL && ok;
    }
    if (!ok || !job->known || !job->piles)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the test.");
    if (!rule->partner_count)
        return 0;
    for (size_t i = 0; i < rule->partner_count; i++) {
        int64_t back = rule->partners[i].within_ms + rule->partners[i].window_ms;
        back_ms = back > back_ms ? back : back_ms;
    }
    const struct eg_export_filter filter = {
        .from_ms = job->from_ms - back_ms, .to_ms = job->to_ms, .wanted = is_beside, .arg = job};
    if (eg_export_open(call->desk->store, &filter, &job->beside, &err) < 0)
        return eg_call_fail_err(call, &err);
    return 0;
}

static int prepare(struct eg_call *call, struct eg_backtest_job *job)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    struct eg_err err = {0};
    int code = eg_rule_text_parse(call, eg_call_text(call, "rule"), &job->conf);
    if (code < 0)
        return code;
    if (job->conf->rules[0].index)
        return eg_call_fail(call, EG_RPC_PARAMS,
                            "A rule over a site's index cannot be tried over the past; indices.history tells "
                            "when it was beyond a limit.");
    job->to_ms = eg_call_time(call, "to", call->state.now_ms);
    job->from_ms = eg_call_time(call, "from", job->to_ms - DAYS_DEFAULT * 24 * HOUR_MS);
    if (job->from_ms >= job->to_ms)
        return eg_call_fail(call, EG_RPC_PARAMS, "rules.backtest: \"from\" must lie before \"to\".");
    job->series_count = eg_pipeline_series_count(pipeline) + 1;
    job->intervals = malloc(job->series_count * sizeof *job->intervals);
    if (!job->intervals)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the test.");
    job->intervals[0] = EG_TIME_NONE;
    for (uint32_t id = 1; id < job->series_count; id++) {
        struct eg_series_view series;
        struct eg_device_view device;
        bool looks = eg_pipeline_rule_applies(pipeline, job->conf, &job->conf->rules[0], id) &&
                     eg_pipeline_series(pipeline, id, &series) &&
                     eg_pipeline_device(pipeline, series.device, &device);
        job->intervals[id] = looks ? device.interval_ms : EG_TIME_NONE;
        job->series_wanted += looks;
    }
    code = prepare_beside(call, job);
    if (code < 0)
        return code;
    const struct eg_export_filter filter = {
        .from_ms = job->from_ms, .to_ms = job->to_ms, .wanted = is_wanted, .arg = job};
    if (eg_export_open(call->desk->store, &filter, &job->snapshot, &err) < 0)
        return eg_call_fail_err(call, &err);
    return 0;
}

int eg_m_backtest(struct eg_call *call)
{
    struct eg_desk *desk = call->desk;
    if (!desk->store || !desk->loop)
        return eg_call_no_store(call);
    if (desk->backtest)
        return eg_call_fail(call, EG_RPC_BUSY, "Another rule is being tested; wait for it to end.");
    struct eg_backtest_job *job = calloc(1, sizeof *job);
    if (!job)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the test.");
    int code = prepare(call, job);
    if (code < 0) {
        job_free(job);
        return code;
    }
    job->work.data = job;
    job->desk = desk;
    job->ticket = call->ticket = call->asked ? ++desk->last_ticket : 0;
    desk->backtest = job;
    uv_queue_work(desk->loop, &job->work, test, tested);
    return EG_CALL_LATER;
}

bool eg_m_backtest_stop(struct eg_desk *desk)
{
    if (!desk->backtest)
        return false;
    atomic_store(&desk->backtest->stop, true);
    return true;
}
