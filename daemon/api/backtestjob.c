/* Knows how the cases that a rule would have opened are told, beside the real ones. Refuses to know how they were found. Called by
 * m_backtest.c. */
#include <api/backtestjob.h>
#include <api/methods.h>
#include <pipeline/explain.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MAX 10000 /* real ones that are held against them */

struct real_case {
    uint32_t series;
    uint16_t quantity;
    int64_t opened_ms, closed_ms;
    char id[96], site[EG_CALL_NAME_MAX];
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
    *one = (struct real_case){row->series, row->quantity, row->opened_ms, row->closed_ms, "", ""};
    snprintf(one->id, sizeof one->id, "%s", row->id);
    snprintf(one->site, sizeof one->site, "%s", row->site);
    return true;
}

/* Of the same series; of an index, at the same site. */
static bool same_place(const struct eg_backtest_job *job, const struct eg_backtest_found *found,
                       const struct real_case *one)
{
    if (one->series != found->series)
        return false;
    return found->series || (one->quantity == job->conf->rules[0].quantity &&
                             !strcmp(one->site, job->desk->conf->sites[found->site].id));
}

static void put_overlaps(struct eg_json *json, const struct eg_backtest_job *job,
                         const struct eg_backtest_found *found, const struct real_cases *cases)
{
    const struct eg_episode *episode = &found->episode;
    eg_json_key(json, "overlaps");
    eg_json_open(json, '[');
    for (size_t i = 0; i < cases->count; i++) {
        const struct real_case *one = &cases->rows[i];
        if (same_place(job, found, one) &&
            (episode->ended_ms == EG_TIME_NONE || one->opened_ms <= episode->ended_ms) &&
            (one->closed_ms == EG_TIME_NONE || one->closed_ms >= episode->opened_ms))
            eg_json_string(json, one->id);
    }
    eg_json_close(json, ']');
}

static void put_found(struct eg_json *json, const struct eg_backtest_job *job,
                      const struct eg_backtest_found *found, const struct real_cases *cases)
{
    const struct eg_episode *episode = &found->episode;
    int64_t until_ms = episode->ended_ms != EG_TIME_NONE ? episode->ended_ms : job->to_ms;
    struct eg_series_view series = {.channel = ""};
    struct eg_device_view device = {.device = NULL};
    if (job->index) {
        if (found->site >= job->desk->conf->site_count) /* it has left the configuration meanwhile */
            return;
        device.site = job->desk->conf->sites[found->site].id;
        device.domain = eg_siteindex_domain(&job->conf->rules[0]);
    } else if (!eg_pipeline_series(job->desk->pipeline, found->series, &series) ||
               !eg_pipeline_device(job->desk->pipeline, series.device, &device)) {
        return;
    }
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", device.site);
    eg_json_put_string(json, "domain", device.domain);
    eg_json_put_string(json, "device", device.device);
    eg_json_put_string(json, "channel", series.channel);
    if (job->index)
        eg_json_put_string(json, "made_of", found->note);
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
    put_overlaps(json, job, found, cases);
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

int eg_backtestjob_tell(struct eg_backtest_job *job, struct eg_json *json)
{
    struct real_cases cases = {0};
    const struct eg_case_query query = {
        .handling = -1, .condition = -1, .level = -1, .since_ms = EG_TIME_NONE, .limit = CASES_MAX};
    int code =
        job->desk->reader ? eg_reader_cases(job->desk->reader, &query, take_case, &cases, &job->err) : EG_OK;
    if (code >= 0)
        put_result(json, job, &cases);
    free(cases.rows);
    return code;
}
