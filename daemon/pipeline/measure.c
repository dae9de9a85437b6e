/* `close: measured`: a case ends by itself when its readings have been within `clear` for so many valid hours. Only hours that were
 * observed count; one that was not takes nothing away. Called by case.c, for each reading that is judged, and by
 * series.c when an hour is over. */
#include <pipeline/hours.h>
#include <pipeline/state.h>

#include <stdio.h>

static int lowest(const struct eg_conf_limit *levels)
{
    int level = EG_LEVEL_NOTICE;
    while (level < EG_LEVEL_COUNT - 1 && !levels[level].set)
        level++;
    return level;
}

void eg_measure_follow(struct eg_case *row, const struct eg_conf_rule *rule, const struct eg_judged *judged,
                       struct eg_batch *batch)
{
    double clear = judged->levels[lowest(judged->levels)].clear;
    bool beyond = rule->below ? judged->value < clear : judged->value > clear;
    bool within = row->condition == EG_CONDITION_OK && !beyond;
    if (!rule->terms.measured_hours || within == (row->within_since_ms != EG_TIME_NONE))
        return;
    row->within_since_ms = within ? judged->at_ms : EG_TIME_NONE;
    row->clear_hours = 0;
    eg_case_write(row, batch);
}

void eg_measure_count(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_conf_rule *rule,
                      int64_t first_ms, int64_t end_ms, struct eg_batch *batch)
{
    char note[96];
    if (row->within_since_ms == EG_TIME_NONE || row->within_since_ms > first_ms)
        return;
    if (++row->clear_hours < rule->terms.measured_hours) {
        eg_case_write(row, batch);
        return;
    }
    snprintf(note, sizeof note, "%u valid hours within the limit", row->clear_hours);
    eg_command_over(pipeline, row, note, end_ms, batch->now_ms, batch);
}

void eg_measure_hour(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_rollup *hour,
                     struct eg_batch *batch)
{
    for (size_t i = 0; i < series->watch_count; i++) {
        const struct eg_watch *watch = &series->watches[i];
        const struct eg_conf_rule *rule = &pipeline->conf->rules[watch->rule];
        struct eg_case *row = rule->terms.measured_hours && watch->state.case_number
                                  ? eg_case_find(pipeline, watch->state.case_number)
                                  : NULL;
        if (row && eg_rollup_valid(hour, EG_PERIOD_HOUR, eg_hours_interval(series, hour->start_ms),
                                   &pipeline->conf->validity))
            eg_measure_count(pipeline, row, rule, hour->first_ms, hour->end_ms, batch);
    }
}
