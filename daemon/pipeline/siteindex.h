/* Private to the pipeline: rules over the index of a site (siteindex.c), and the air of a site that they look at (siteair.c). */
#ifndef EG_SITEINDEX_H
#define EG_SITEINDEX_H

#include <index/hours.h>
#include <pipeline/batch.h>

struct eg_pipeline;

/* A rule over the whole index of a site, as it stands there: siteindex.c. */
struct eg_siteindex {
    uint32_t rule, site; /* indices in the configuration */
    struct eg_rule_state state;
    int64_t at_ms;             /* the end of the newest hour or day that was judged; EG_TIME_NONE */
    struct eg_checkpoint base; /* what came after it is judged anew */
};
/* A site whose index some rule looks at. */
struct eg_index_site {
    uint32_t *series; /* of its stations' pollutants */
    size_t series_count, series_capacity;
    size_t first, count; /* its rules: places in pipeline->siteindices */
    int64_t touched_ms;  /* hours that end there or later have changed; INT64_MAX: none */
};
/* The mean of a site's stations, hour by hour. */
struct eg_site_hours {
    struct eg_air_hours air;
    int64_t end_ms; /* of the newest hour */
};
/* The end of the newest hour that can be judged; EG_TIME_NONE. */
int64_t eg_siteair_newest_hour(const struct eg_pipeline *pipeline, const struct eg_index_site *site);
int64_t eg_siteair_newest_day(int64_t hour_ms); /* the end of the newest local day, then */
void eg_siteair_gather(const struct eg_pipeline *pipeline, const struct eg_index_site *site, int64_t end_ms,
                       struct eg_site_hours *ret_hours);
/* Of the hour or day that ended there. */
void eg_siteair_index(const struct eg_conf_rule *rule, const struct eg_site_hours *hours, int64_t end_ms,
                      struct eg_aqi *ret_aqi);

#endif
