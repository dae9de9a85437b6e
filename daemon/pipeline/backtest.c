/* Knows how to run a rule over readings without a case coming of it. Refuses to know where they come from. Called by api/m_backtest.c. */
#include <pipeline/backtest.h>
#include <pipeline/state.h>

#include <stdlib.h>
#include <string.h>

struct companion { /* a series that the rule looks at, too */
    struct eg_beside beside;
    size_t next;
    struct eg_window *window; /* NULL: the reading itself */
    struct eg_sight sight;
};
struct eg_backtest {
    const struct eg_conf_rule *rule;
    struct eg_place place;
    struct eg_rhythm rhythm;
    struct eg_window *window;
    struct companion *companions;
    size_t companion_count;
    struct eg_rule_state state;
    struct eg_episode now; /* while a level holds */
};

static bool begin_companion(struct companion *one, const struct eg_conf_rule *rule,
                            const struct eg_beside *beside)
{
    const struct eg_conf_partner *partner = &rule->partners[beside->partner];
    const struct eg_window_shape shape = {.width_ms = partner->window_ms,
                                          .calendar = partner->calendar,
                                          .statistic = partner->statistic,
                                          .share = partner->share};
    one->beside = *beside;
    one->sight = (struct eg_sight){.partner = beside->partner, .same_channel = beside->same_channel};
    return partner->statistic == EG_STAT_LAST || (one->window = eg_window_create(&shape));
}

struct eg_backtest *eg_backtest_create(const struct eg_conf_rule *rule, const struct eg_place *place,
                                       const struct eg_beside *beside, size_t count)
{
    struct eg_backtest *backtest = calloc(1, sizeof *backtest);
    bool ok = backtest != NULL;
    if (!ok)
        return NULL;
    backtest->rule = rule;
    backtest->place = *place;
    eg_judge_nothing(&backtest->state);
    count = count < EG_LINKS_MAX ? count : EG_LINKS_MAX;
    backtest->companions = calloc(count ? count : 1, sizeof *backtest->companions);
    ok = backtest->companions != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = begin_companion(&backtest->companions[backtest->companion_count++], rule, &beside[i]);
    if (ok && rule->statistic != EG_STAT_LAST)
        ok = (backtest->window = eg_rule_window(rule)) != NULL;
    if (ok)
        return backtest;
    eg_backtest_destroy(backtest);
    return NULL;
}

void eg_backtest_destroy(struct eg_backtest *backtest)
{
    if (!backtest)
        return;
    for (size_t i = 0; i < backtest->companion_count; i++)
        eg_window_destroy(backtest->companions[i].window);
    free(backtest->companions);
    eg_window_destroy(backtest->window);
    free(backtest);
}

/* What they show after all their readings up to `at_ms`. */
static void come_along(struct eg_backtest *backtest, int64_t at_ms, struct eg_sight sights[EG_LINKS_MAX])
{
    for (size_t i = 0; i < backtest->companion_count; i++) {
        struct companion *one = &backtest->companions[i];
        for (; one->next < one->beside.count && one->beside.points[one->next].time_ms <= at_ms; one->next++) {
            const struct eg_beside_point *point = &one->beside.points[one->next];
            one->sight.measured = true;
            one->sight.ms = point->time_ms;
            one->sight.value = point->value;
            if (one->window)
                eg_window_add(one->window, point->time_ms, point->value, 0); /* or it is short of a reading */
        }
        one->sight.known =
            one->sight.measured &&
            (!one->window ||
             eg_window_value(one->window, backtest->rule->partners[one->sight.partner].statistic,
                             &one->sight.value));
        sights[i] = one->sight;
    }
}

static void follow(const struct eg_conf_rule *rule, enum eg_level level, int64_t time_ms, double value,
                   struct eg_episode *now)
{
    bool worse = rule->below ? value < now->peak_value : value > now->peak_value;
    if (level > now->level)
        now->level = level;
    if (worse) {
        now->peak_value = value;
        now->peak_ms = time_ms;
    }
}

bool eg_episode_go_on(const struct eg_conf_rule *rule, const struct eg_rule_state *state,
                      enum eg_level before, int64_t time_ms, double value, struct eg_episode *now,
                      struct eg_episode *ret_ended)
{
    const enum eg_level level = (enum eg_level)state->level;
    if (level && !before) {
        int64_t since_ms = state->since_ms[level];
        *now = (struct eg_episode){.opened_ms = since_ms != EG_TIME_NONE ? since_ms : time_ms,
                                   .known_ms = time_ms,
                                   .ended_ms = EG_TIME_NONE,
                                   .level = level,
                                   .peak_value = value,
                                   .peak_ms = time_ms};
    } else if (level) {
        follow(rule, level, time_ms, value, now);
    } else if (before) {
        *ret_ended = *now;
        ret_ended->ended_ms = time_ms;
        return true;
    }
    return false;
}

/* What the rule sees at the reading, as judge.c would; false: nothing. */
static bool see(struct eg_backtest *backtest, int64_t time_ms, double value, struct eg_reach *ret)
{
    const struct eg_conf_rule *rule = backtest->rule;
    struct eg_sight sights[EG_LINKS_MAX];
    struct eg_circumstance goes = {.levels = rule->levels, .holds = true};
    struct eg_seen seen;
    if (!eg_judge_look(rule, backtest->window, time_ms, value, &seen))
        return false;
    if (rule->band_count || rule->node_count) {
        come_along(backtest, time_ms, sights);
        if (!eg_circumstance_tell(rule, &backtest->place, time_ms, sights, backtest->companion_count, &goes))
            return false;
    }
    *ret = (struct eg_reach){.levels = goes.levels,
                             .holds = goes.holds,
                             .at_ms = time_ms,
                             .value = seen.value,
                             .unobserved_ms = eg_rhythm_unobserved(&backtest->rhythm, rule, NULL,
                                                                   backtest->state.seen_ms, time_ms)};
    return true;
}

bool eg_backtest_feed(struct eg_backtest *backtest, int64_t time_ms, double value,
                      struct eg_episode *ret_episode)
{
    struct eg_reach reach;
    enum eg_level before = (enum eg_level)backtest->state.level;
    if (backtest->window &&
        !eg_window_add(backtest->window, time_ms, value, eg_rhythm_spoken(&backtest->rhythm, time_ms)))
        return false; /* short of memory it is short of a reading */
    bool saw = see(backtest, time_ms, value, &reach);
    eg_rhythm_add(&backtest->rhythm, time_ms);
    if (!saw)
        return false;
    eg_judge_advance(backtest->rule, &backtest->state, &reach);
    backtest->state.seen_ms = time_ms;
    return eg_episode_go_on(backtest->rule, &backtest->state, before, time_ms, reach.value, &backtest->now,
                            ret_episode);
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

struct eg_place eg_pipeline_place(const struct eg_pipeline *pipeline, const struct eg_conf *conf,
                                  uint32_t series)
{
    struct eg_place place = eg_partner_place(pipeline, pipeline->series[series - 1]);
    place.conf = conf;
    return place;
}
