/* Working time, counted along local days. Knows weekdays, hours, holidays and the days that make up for them. Called by deadline.c. */
#include <pipeline/calendar.h>
#include <base/zone.h>

#define DAYS_MAX 3660

static bool among(const struct eg_conf_dates *dates, size_t count, int32_t date)
{
    for (size_t i = 0; i < count; i++)
        if (date >= dates[i].first && date <= dates[i].last)
            return true;
    return false;
}

static bool works_on(const struct eg_conf_calendar *calendar, int32_t date)
{
    int weekday = (int)(((int64_t)date % 7 + 7 + 3) % 7); /* the first of 1970 was a Thursday; Monday is 0 */
    if (among(calendar->workdays, calendar->workday_count, date))
        return true;
    return (calendar->days >> weekday & 1) && !among(calendar->holidays, calendar->holiday_count, date);
}

int64_t eg_calendar_after(const struct eg_conf_calendar *calendar, int64_t from_ms, int64_t span_ms)
{
    if (!calendar)
        return from_ms + span_ms;
    int64_t day, next, reached = from_ms;
    eg_zone_day(from_ms, &day, &next);
    for (int days = 0; days < DAYS_MAX; days++) {
        bool works = works_on(calendar, eg_zone_date(day));
        for (size_t i = 0; works && i < calendar->hour_count; i++) {
            int64_t from = eg_zone_at(day, calendar->hours[i].from_min),
                    to = eg_zone_at(day, calendar->hours[i].to_min);
            if (from < from_ms)
                from = from_ms;
            if (to <= from)
                continue;
            if (to - from >= span_ms)
                return from + span_ms;
            span_ms -= to - from;
            reached = to;
        }
        eg_zone_day(next, &day, &next);
    }
    return reached;
}
