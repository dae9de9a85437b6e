/* The statistics of a series over one span of time, for questions: readings go in ascending by time. Quantiles are exact up to
 * EG_TALLY_EXACT readings, then a sketch's (sketch.h). Validity as the configuration says, else as GB 3095, table 4 does: an hour of which
 * 45 minutes are spoken for, a day with 20 such hours, a month with 27 such days (February 25), a year with 324 such days and twelve such
 * months; any other span with three quarters. */
#ifndef EG_TALLY_H
#define EG_TALLY_H
#include <pipeline/batch.h>
#include <pipeline/pace.h>
#include <pipeline/sketch.h>
#define EG_TALLY_EXACT 100000u
struct eg_tally_hour {
    struct eg_rollup rollup; /* with what lies in it before the span */
    double sum;
    uint64_t count, above;
};
struct eg_tally { /* eg_tally_begin() … eg_tally_finish(); what it holds is read by eg_tally_value() */
    int64_t from_ms, to_ms;
    enum eg_calendar calendar;
    double above, scale;
    uint64_t count;
    int64_t first_ms, last_ms, observed_ms;
    double above_ms, first, last, min, max, sum, sum_lost, mean, apart, east, north;
    double *values;
    size_t capacity;
    bool sketched, failed;
    struct eg_sketch sketch;
    struct eg_pace pace; /* of the hours so far, from span to span */
    struct eg_tally_hour hour;
    double hours[8]; /* means of the hours up to the last, NAN: not valid */
    unsigned hours_in, running, valid_hours, valid_days, month_days, valid_months;
    bool day_valid; /* the last one */
    double day_sum, day_mean,
        days_sum; /* means of the hours of the day under way; of the last one; of days */
    unsigned day_hours, days;
    int64_t month_start_ms, month_end_ms;
    const struct eg_conf_validity *validity;
    double running_most;
    int64_t day_end_ms;
};
/* `calendar`: what the span is, SLIDING: any. `scale`: eg_rollup_scale() of the quantity. Spans of one series follow each other. */
void eg_tally_begin(struct eg_tally *tally, enum eg_calendar calendar, int64_t from_ms, int64_t to_ms,
                    double above, double scale, const struct eg_conf_validity *validity);
/* Before the first reading of the first span: the hours of half a day before it, ascending, by which it is known how often it reports. */
void eg_tally_hour(struct eg_tally *tally, const struct eg_rollup *hour);
/* Ascending. What lies before the span, in the hour that it begins in, says only how much of that hour is spoken for. */
void eg_tally_add(struct eg_tally *tally, int64_t ms, double value);
/* No more will come; what lies behind `now_ms` has not been. */
void eg_tally_end(struct eg_tally *tally, int64_t now_ms);
void eg_tally_finish(struct eg_tally *tally);
/* False: there is no such value. EG_STAT_MEAN: of a day that of its hours' means, of a month and a year that of its days' means
 * (GB 3095-2026, table 4; HJ 663-2013), of any other span that of its readings. EG_STAT_ABOVE: minutes. EG_STAT_MAX_8H: the greatest mean
 * of eight hours in a row, of which six are valid. */
bool eg_tally_value(struct eg_tally *tally, enum eg_statistic statistic, double share, double *ret);
double eg_tally_completeness(const struct eg_tally *tally, int64_t now_ms); /* of the time that has passed */
bool eg_tally_valid(const struct eg_tally *tally);
#endif
