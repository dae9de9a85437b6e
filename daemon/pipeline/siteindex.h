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
    int64_t
        at_ms; /* the end of the newest hour or day that was judged, or could not be; EG_TIME_NONE: it has not begun */
    struct eg_checkpoint checkpoints[EG_CHECKPOINTS]; /* where judging anew may begin */
    bool
        fresh; /* it is as old as the site: it begins with the first reading that may be judged, in whatever order they come */
};
/* A site and group of indices that some rule looks at. */
struct eg_index_site {
    enum eg_index_group group;
    uint32_t *series; /* what its indices are made of */
    size_t series_count, series_capacity;
    size_t first, count; /* its rules: places in pipeline->siteindices */
    int64_t judged_ms;   /* up to there somebody has judged; EG_TIME_NONE */
    int64_t
        touched_ms; /* hours that were judged have changed, from the one that ends there on; INT64_MAX: none */
    int64_t
        late_ms; /* the minute, by the clock, in which something came last of an hour that was over; EG_TIME_NONE */
    bool due; /* an hour may be over */
};

/* What a rule sees of the site, hour by hour, up to one that is over. */
struct eg_site_hours {
    const struct eg_conf_rule *rule;
    int64_t end_ms;          /* of the newest hour */
    struct eg_air_hours air; /* the mean of its stations, where there are no `means` */
    int64_t first;           /* hours since the epoch that are held: [first, first + count) */
    size_t count;
    int64_t *means; /* Owned; of its stations, [pollutant * count + hour]; NULL: of soil and waste */
    struct eg_column *columns; /* Owned; of soil and waste, `count` of each */
    double *values;            /* Owned */
    size_t column_count;
};
const struct eg_index_site *eg_sitelook_site(const struct eg_pipeline *pipeline,
                                             const struct eg_siteindex *index);
/* The end of the newest hour that can be judged; EG_TIME_NONE. Of soil and waste the clock has its say, too. */
int64_t eg_sitelook_newest_hour(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                                int64_t now_ms);
int64_t eg_sitelook_newest_day(int64_t hour_ms); /* the end of the newest local day, then */
/* All that the index of the hours and days that end in [from_ms, end_ms] is made of. `batch` may be NULL. False: no memory, or it could not
 * be read. */
bool eg_sitelook_gather(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                        const struct eg_conf_rule *rule, int64_t from_ms, int64_t end_ms,
                        const struct eg_batch *batch, struct eg_site_hours *ret_hours);
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

/* Of an hour that ends there readings are late from then on, by the clock, and nobody waits for more of them. */
#define EG_SITE_WAITS_MS INT64_C(300000)
/* So long after something late came more of it may come. */
#define EG_SITE_QUIET_MS INT64_C(120000)
/* So long after it soil and waste speak on in hours of which nobody tells anything. */
#define EG_SITE_SPEAKS_ON_MS INT64_C(3900000)

/* siterun.c: judges all up to the hour or day that ends at `end_ms`; hours that were judged and have changed, from the one on that ends at
 * `touched_ms` (INT64_MAX: none). */
void eg_siterun_judge(struct eg_pipeline *pipeline, struct eg_siteindex *index, int64_t end_ms,
                      int64_t touched_ms, int64_t now_ms, struct eg_batch *batch);
int64_t eg_siterun_unknown_after(const struct eg_conf_rule *rule);
/* All that was judged up to now is settled. `row`: its case, or NULL. */
void eg_siteindex_settle(struct eg_siteindex *index, const struct eg_case *row);
void eg_siteindex_write(const struct eg_pipeline *pipeline, const struct eg_siteindex *index,
                        struct eg_batch *batch);
/* How a rule judges an hour or a day: here and where rules are tried over the past (siteback.c). */
bool eg_siteindex_of_days(const struct eg_conf_rule *rule);
struct eg_reach eg_siteindex_reach(const struct eg_conf_rule *rule, const struct eg_rule_state *state,
                                   int64_t end_ms, double value);

#endif
