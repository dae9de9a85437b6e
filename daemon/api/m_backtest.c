/* Knows what a rule would have done with the readings that are stored: a job on a thread of libuv's pool over a snapshot. Refuses to know
 * how a rule judges (pipeline/backtest.c, indexback.c) and how its end is told (backtestjob.c). Called by the table in methods.c, and by
 * server.c when the socket closes. */
#include <api/backtestjob.h>
#include <api/methods.h>
#include <api/rule_text.h>
#include <pipeline/backtest.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_DEFAULT 30
#define HOUR_MS INT64_C(3600000)
#define BITE_POINTS 4096
#define EPISODES_MAX 5000 /* that are told; all are counted */
#define BESIDE_SERIES_MAX 64
#define BESIDE_POINTS_MAX 1000000 /* of what the rule looks at, too */

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
    free(job->wanted);
    for (size_t i = 0; i < job->found_count; i++)
        free(job->found[i].note);
    free(job->found);
    eg_indexback_destroy(job->index);
    free(job);
}

/* --- on the worker's thread --- */

static void note(struct eg_backtest_job *job, uint32_t site, const struct eg_episode *episode,
                 const char *made_of)
{
    job->episodes++;
    if (job->found_count == EPISODES_MAX)
        return;
    if (job->found_count == job->found_capacity) {
        size_t capacity = job->found_capacity ? 2 * job->found_capacity : 64;
        struct eg_backtest_found *more = realloc(job->found, capacity * sizeof *more);
        if (!more)
            return; /* counted, not told */
        job->found = more;
        job->found_capacity = capacity;
    }
    job->found[job->found_count++] = (struct eg_backtest_found){job->running_series, site, *episode,
                                                                made_of && *made_of ? strdup(made_of) : NULL};
}

static void end_series(struct eg_backtest_job *job)
{
    struct eg_episode episode;
    if (job->running && eg_backtest_last(job->running, &episode))
        note(job, EG_CONF_NONE, &episode, NULL);
    eg_backtest_destroy(job->running);
    job->running = NULL;
}

static bool take_beside(void *arg, uint32_t series, const struct eg_point *point)
{
    struct eg_backtest_job *job = arg;
    struct eg_backtest_pile *pile = &job->piles[series];
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

static bool looks_at(const struct eg_conf_partner *partner, const struct eg_backtest_known *own,
                     const struct eg_backtest_known *other)
{
    return other->quantity == partner->quantity &&
           (partner->of_site ? own->place.site == other->place.site : own->device == other->device);
}

/* The test of the rule at a series, with all that it looks at there. */
static struct eg_backtest *begin_series(struct eg_backtest_job *job, uint32_t series)
{
    const struct eg_conf_rule *rule = &job->conf->rules[0];
    const struct eg_backtest_known *own = &job->known[series];
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
    return eg_backtest_create(rule, &own->place, beside, count);
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
        note(job, EG_CONF_NONE, &episode, NULL);
    return true;
}

static bool take_of_index(void *arg, uint32_t series, const struct eg_point *point)
{
    struct eg_backtest_job *job = arg;
    job->readings += point->time_ms >= job->from_ms && !(point->flags & EG_FLAGS_SET_ASIDE);
    eg_indexback_feed(job->index, series, point);
    return true;
}

static void take_site(void *arg, uint32_t site, const struct eg_episode *episode, const char *made_of)
{
    note(arg, site, episode, made_of);
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
    if (job->index) {
        pass(job, job->snapshot, take_of_index);
        if (job->code == EG_OK && !eg_indexback_tell(job->index, take_site, job))
            job->code = eg_err_set(&job->err, EG_ENOMEM, "no memory for the test");
        return;
    }
    if (job->beside)
        pass(job, job->beside, take_beside);
    pass(job, job->snapshot, take_point);
    end_series(job);
}

/* --- the answer --- */

static void tested(uv_work_t *work, int status)
{
    struct eg_backtest_job *job = work->data;
    struct eg_desk *desk = job->desk;
    struct eg_buf text;
    struct eg_json json;
    (void)status;
    desk->backtest = NULL;
    eg_buf_init(&text, (size_t)8 << 20);
    eg_json_init(&json, &text);
    if (job->code == EG_OK)
        job->code = eg_backtestjob_tell(job, &json);
    if (job->code >= 0 && text.failed)
        job->code = eg_err_set(&job->err, EG_ENOMEM, "The answer would be too long; ask for a shorter time.");
    desk->told(desk->told_user, job->ticket, job->code >= 0 ? 0 : eg_call_code(job->code),
               job->code >= 0 ? text.data : job->err.text);
    eg_buf_finish(&text);
    job_free(job);
}

/* --- the question --- */

static bool is_wanted(void *arg, uint32_t series)
{
    const struct eg_backtest_job *job = arg;
    return series < job->series_count && job->wanted[series];
}

static bool is_of_index(void *arg, uint32_t series)
{
    const struct eg_backtest_job *job = arg;
    return eg_indexback_wants(job->index, series);
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
        struct eg_backtest_known *one = &job->known[id];
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

/* Of a rule over the index of sites. */
static int prepare_index(struct eg_call *call, struct eg_backtest_job *job)
{
    struct eg_err err = {0};
    int code = eg_indexback_prepare(call, job->conf, job->from_ms, job->to_ms, &job->index);
    if (code < 0)
        return code;
    job->series_wanted = eg_indexback_series(job->index);
    const struct eg_export_filter filter = {
        .from_ms = eg_indexback_from(job->index), .to_ms = job->to_ms, .wanted = is_of_index, .arg = job};
    if (eg_export_open(call->desk->store, &filter, &job->snapshot, &err) < 0)
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
    job->to_ms = eg_call_time(call, "to", call->state.now_ms);
    job->from_ms = eg_call_time(call, "from", job->to_ms - DAYS_DEFAULT * 24 * HOUR_MS);
    if (job->from_ms >= job->to_ms)
        return eg_call_fail(call, EG_RPC_PARAMS, "rules.backtest: \"from\" must lie before \"to\".");
    if (job->conf->rules[0].index)
        return prepare_index(call, job);
    job->series_count = eg_pipeline_series_count(pipeline) + 1;
    job->wanted = calloc(job->series_count, sizeof *job->wanted);
    if (!job->wanted)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the test.");
    for (uint32_t id = 1; id < job->series_count; id++) {
        job->wanted[id] = eg_pipeline_rule_applies(pipeline, job->conf, &job->conf->rules[0], id);
        job->series_wanted += job->wanted[id];
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
