/* A rule over the index of a site, over hours or days of the past: when it would have been beyond its limits. */
#ifndef EG_SITEBACK_H
#define EG_SITEBACK_H

#include <pipeline/backtest.h>
#include <pipeline/siteindex.h>

struct eg_siteback {
    const struct eg_conf_rule *rule;
    struct eg_rule_state state;
    struct eg_episode now; /* while a level holds */
};
void eg_siteback_begin(struct eg_siteback *back, const struct eg_conf_rule *rule);
/* The index of the hour or day that ended there; ascending, those without an index left out. True: an episode has ended with it. */
bool eg_siteback_feed(struct eg_siteback *back, int64_t end_ms, double value, struct eg_episode *ret_episode);
/* After the last one. True: an episode still holds. */
bool eg_siteback_last(const struct eg_siteback *back, struct eg_episode *ret_episode);

#endif
