/* Does a case fit what a silence or a maintenance window is about, and until when does a window last? Knows sites, days and hours; what
 * follows from it, suppress.c knows. Called by silence.c and suppress.c. */
#include <pipeline/state.h>
#include <base/zone.h>

#include <stdio.h>
#include <string.h>

#define DAYS_MAX 400 /* a window that goes on longer is looked at again then */

static bool device_fits(const char *wanted, const struct eg_case *row)
{
    char path[EG_MATCHER_DEVICE];
    if (!strchr(wanted, '/'))
        return !strcmp(wanted, row->device);
    snprintf(path, sizeof path, "%s/%s/%s", row->site, row->domain, row->device);
    return !strcmp(wanted, path);
}

/* The case's site, or one above it; one that left the configuration is known by its own name only. */
static bool site_fits(const struct eg_conf *conf, const char *wanted, const struct eg_case *row)
{
    uint32_t site = eg_conf_site_find(conf, row->site, strlen(row->site));
    if (site == EG_CONF_NONE)
        return !strcmp(wanted, row->site);
    for (; site != EG_CONF_NONE; site = conf->sites[site].parent)
        if (!strcmp(conf->sites[site].id, wanted))
            return true;
    return false;
}

bool eg_matcher_fits(const struct eg_conf *conf, const struct eg_matcher *matcher, const struct eg_case *row)
{
    return row->level <= matcher->level && (!*matcher->domain || !strcmp(matcher->domain, row->domain)) &&
           (!*matcher->rule || !strcmp(matcher->rule, row->rule)) &&
           (matcher->quantity == EG_QUANTITY_NONE || matcher->quantity == row->quantity) &&
           (!*matcher->device || device_fits(matcher->device, row)) &&
           (!*matcher->site || site_fits(conf, matcher->site, row));
}

static bool begins_on(const struct eg_conf_window *window, int32_t date)
{
    unsigned weekday = (unsigned)(((int64_t)date % 7 + 7 + 4) % 7); /* the first of 1970 was a Thursday */
    bool dated = !window->date_count;
    for (size_t i = 0; i < window->date_count; i++)
        dated = dated || (date >= window->dates[i].first && date <= window->dates[i].last);
    return dated && (window->days >> weekday & 1);
}

/* The end of the stretch of this window that began on the day that starts at `day`, if `at_ms` lies in it; 0. */
static int64_t end_of(const struct eg_conf_window *window, int64_t day, int64_t next, int64_t at_ms)
{
    bool whole = window->hours.from == window->hours.to;
    if (!begins_on(window, eg_zone_date(day)))
        return 0;
    int64_t from = whole ? day : eg_zone_at(day, window->hours.from),
            to = whole                                   ? next
                 : window->hours.to > window->hours.from ? eg_zone_at(day, window->hours.to)
                                                         : eg_zone_at(next, window->hours.to);
    return at_ms >= from && at_ms < to ? to : 0;
}

int64_t eg_matcher_window_end(const struct eg_conf_window *window, int64_t now_ms)
{
    int64_t day, next, before, end = 0, at_ms = now_ms;
    for (int i = 0; i < DAYS_MAX; i++) {
        eg_zone_day(at_ms, &day, &next);
        int64_t reached = end_of(window, day, next, at_ms);
        if (!reached) { /* it may have begun yesterday */
            eg_zone_day(day - 1, &before, &day);
            reached = end_of(window, before, day, at_ms);
        }
        if (!reached)
            break;
        end = at_ms = reached;
    }
    return end;
}
