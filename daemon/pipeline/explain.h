/* What a rule sees at a series now, and how far that is from opening or ending a case: for people who ask. */
#ifndef EG_EXPLAIN_H
#define EG_EXPLAIN_H

#include <pipeline/circumstance.h>
#include <pipeline/pipeline.h>

#define EG_EXPLAIN_SIGHTS 64
struct eg_explained {
    struct eg_rule_state state;
    int64_t judged_ms; /* the newest reading that may be judged; EG_TIME_NONE */
    double judged_value;
    bool has_value; /* the statistic has one there */
    double value;
    int64_t observed_ms, width_ms; /* of the window; 0: it has none */
    struct eg_circumstance goes;   /* blind: why nothing is judged */
    struct eg_sight sights[EG_EXPLAIN_SIGHTS];
    size_t sight_count;
    int64_t speaks_ms; /* so long the newest reading speaks for */
    char note[160];    /* of an index: what it came of */
};
/* By the rule's place in the configuration. False: the rule does not look at that series. */
bool eg_explain_tell(const struct eg_pipeline *pipeline, uint32_t rule, uint32_t series,
                     struct eg_explained *ret);
/* The same of a rule over the index of sites: at its `nth` site. False: there are no more. *ret_site: in the configuration. */
bool eg_explain_index(const struct eg_pipeline *pipeline, uint32_t rule, size_t nth, struct eg_explained *ret,
                      uint32_t *ret_site);

/* The domain of its cases, where the rule is over an index. */
const char *eg_siteindex_domain(const struct eg_conf_rule *rule);

#endif
