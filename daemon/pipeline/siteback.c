/* Knows how to run a rule over the hours or days of an index without a case coming of it, with the code that judges live (siteindex.c).
 * Refuses to know where they come from. Called by api/indexback.c. */
#include <pipeline/siteback.h>
#include <pipeline/state.h>

void eg_siteback_begin(struct eg_siteback *back, const struct eg_conf_rule *rule)
{
    *back = (struct eg_siteback){.rule = rule};
    eg_judge_nothing(&back->state);
}

bool eg_siteback_feed(struct eg_siteback *back, int64_t end_ms, double value, struct eg_episode *ret_episode)
{
    const enum eg_level before = (enum eg_level)back->state.level;
    const struct eg_reach reach = eg_siteindex_reach(back->rule, &back->state, end_ms, value);
    eg_judge_advance(back->rule, &back->state, &reach);
    back->state.seen_ms = end_ms;
    return eg_episode_go_on(back->rule, &back->state, before, end_ms, value, &back->now, ret_episode);
}

bool eg_siteback_last(const struct eg_siteback *back, struct eg_episode *ret_episode)
{
    if (back->state.level)
        *ret_episode = back->now;
    return back->state.level;
}
