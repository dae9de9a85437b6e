/* Private to the pipeline: rules over the index of a site (siteindex.c), and what of the site they look at (sitelook.c). */
#ifndef EG_SITEINDEX_H
#define EG_SITEINDEX_H

#include <index/hours.h>
#include <index/land.h>
#include <pipeline/batch.h>

struct eg_pipeline;
struct eg_series;

/* Indices that are made of the same series, and so have the same newest hour. */
enum eg_index_group { EG_INDEX_AIR, EG_INDEX_WASTE, EG_INDEX_SOIL, EG_INDEX_GROUPS };
enum eg_index_group eg_siteindex_group(int quantity); /* of an index */

/* A rule over the whole index of a site, as it stands there: siteindex.c. */
struct eg_siteindex {
    uint32_t rule, site; /* indices in the configuration */
    struct eg_rule_state state;
    int64_t at_ms;             /* the end of the newest hour or day that was judged; EG_TIME_NONE */
    struct eg_checkpoint base; /* what came after it is judged anew */
};
/* A site and group of indices that some rule looks at. */
struct eg_index_site {
    enum eg_index_group group;
    uint32_t *series; /* what its indices are made of */
    size_t series_count, series_capacity;
    size_t first, count; /* its rules: places in pipeline->siteindices */
    int64_t touched_ms;  /* hours that end there or later have changed; INT64_MAX: none */
    int64_t
        heard_ms; /* of soil and waste: the start of the hour in which something came last, by the clock */
    bool due;     /* an hour may be over */
};

/* What a rule sees of the site, hour by hour, up to one that is over. */
#define EG_LAND_LOOK_HOURS 72
struct eg_site_hours {
    const struct eg_conf_rule *rule;
    int64_t end_ms;            /* of the newest hour */
    struct eg_air_hours air;   /* the mean of its stations */
    struct eg_column *columns; /* Owned; of soil and waste, EG_LAND_LOOK_HOURS of each */
    double *values;            /* Owned */
    size_t column_count;
};
const struct eg_index_site *eg_sitelook_site(const struct eg_pipeline *pipeline,
                                             const struct eg_siteindex *index);
/* The end of the newest hour that can be judged; EG_TIME_NONE. Of soil and waste the clock has its say, too. */
int64_t eg_sitelook_newest_hour(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                                int64_t now_ms);
int64_t eg_sitelook_newest_day(int64_t hour_ms); /* the end of the newest local day, then */
/* `batch` may be NULL. False: no memory. */
bool eg_sitelook_gather(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                        const struct eg_conf_rule *rule, int64_t end_ms, const struct eg_batch *batch,
                        struct eg_site_hours *ret_hours);
void eg_sitelook_finish(struct eg_site_hours *hours);
/* Of the hour or day that ended there; false: it has none. */
void eg_sitelook_air(const struct eg_site_hours *hours, int64_t end_ms,
                     struct eg_aqi *ret_aqi); /* of the air alone */
bool eg_sitelook_value(const struct eg_site_hours *hours, int64_t end_ms, double *ret_value);
/* "primary pollutant: pm25 200", "fill 96 of b1": what it came of. */
const char *eg_sitelook_note(const struct eg_site_hours *hours, int64_t end_ms, char *out, size_t size);
/* So long its readings speak, by the clock. */
int64_t eg_sitelook_speaks(const struct eg_index_site *site);
int64_t
eg_sitelook_clock(const struct eg_pipeline *pipeline,
                  const struct eg_index_site *site); /* the newest reading that may be judged; EG_TIME_NONE */

void eg_siteindex_write(const struct eg_pipeline *pipeline, const struct eg_siteindex *index,
                        struct eg_batch *batch);
/* How a rule judges an hour or a day: here and where rules are tried over the past (siteback.c). */
bool eg_siteindex_of_days(const struct eg_conf_rule *rule);
struct eg_reach eg_siteindex_reach(const struct eg_conf_rule *rule, const struct eg_rule_state *state,
                                   int64_t end_ms, double value);

#endif
