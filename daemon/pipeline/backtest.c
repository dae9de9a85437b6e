/* Knows how to run a rule over readings without a case coming of it. Refuses to know where they come from. Called by api/m_backtest.c. */
#include <pipeline/backtest.h>
#include <pipeline/state.h>

#include <stdlib.h>

struct eg_backtest {
    const struct eg_conf_rule *rule;
    int64_t interval_ms;
    struct eg_window *window;
    struct eg_rule_state state;
    struct eg_episode now; /* while a level holds */
};

struct eg_backtest *eg_backtest_create(const struct eg_conf_rule *rule, int64_t interval_ms)
{
    struct eg_backtest *backtest = calloc(1, sizeof *backtest);
    if (!backtest)
        return NULL;
    backtest->rule = rule;
    backtest->interval_ms = interval_ms;
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        backtest->state.since_ms[level] = backtest->state.clear_since_ms[level] = EG_TIME_NONE;
    if (rule->statistic != EG_STAT_LAST && !(backtest->window = eg_rule_window(rule))) {
        free(backtest);
        return NULL;
    }
    return backtest;
}

void eg_backtest_destroy(struct eg_backtest *backtest)
{
    if (!backtest)
        return;
    eg_window_destroy(backtest->window);
    free(backtest);
}

static void follow(struct eg_backtest *backtest, enum eg_level level, int64_t time_ms, double value)
{
    struct eg_episode *now = &backtest->now;
    bool worse = backtest->rule->below ? value < now->peak_value : value > now->peak_value;
    if (level > now->level)
        now->level = level;
    if (worse) {
        now->peak_value = value;
        now->peak_ms = time_ms;
    }
}

bool eg_backtest_feed(struct eg_backtest *backtest, int64_t time_ms, double value,
                      struct eg_episode *ret_episode)
{
    struct eg_seen seen;
    enum eg_level before = (enum eg_level)backtest->state.level;
    if (backtest->window && !eg_window_add(backtest->window, time_ms, value))
        return false; /* short of memory it is short of a reading */
    if (!eg_judge_look(backtest->rule, backtest->window, backtest->interval_ms, time_ms, value, &seen))
        return false;
    enum eg_level level = eg_judge_advance(backtest->rule, &backtest->state, time_ms, seen.value);
    if (level && !before) {
        int64_t since_ms = backtest->state.since_ms[level];
        backtest->now = (struct eg_episode){.opened_ms = since_ms != EG_TIME_NONE ? since_ms : time_ms,
                                            .known_ms = time_ms,
                                            .ended_ms = EG_TIME_NONE,
                                            .level = level,
                                            .peak_value = seen.value,
                                            .peak_ms = time_ms};
    } else if (level) {
        follow(backtest, level, time_ms, seen.value);
    } else if (before) {
        *ret_episode = backtest->now;
        ret_episode->ended_ms = time_ms;
        return true;
    }
    return false;
}

bool eg_backtest_last(const struct eg_backtest *backtest, struct eg_episode *ret_episode)
{
    if (!backtest->state.level)
        return false;
    *ret_episode = backtest->now;
    return true;
}

bool eg_pipeline_rule_applies(const struct eg_pipeline *pipeline, const struct eg_conf *conf,
                              const struct eg_conf_rule *rule, uint32_t series)
{
    if (!series || series > pipeline->series_count)
        return false;
    const struct eg_series *row = pipeline->series[series - 1];
    return eg_rule_applies(conf, rule, &pipeline->devices[row->device - 1], row);
}
