/* When parties work, and how long they are given: calendars and deadlines. Knows what the strings mean; how working time is counted is
 * pipeline/calendar.c's business. Called by resolve.c and rules.c. */
#include <conf/resolve.h>

#include <ecogov/time.h>

#include <stdio.h>
#include <string.h>

#define WORKING_WEEK 0x1f /* Monday to Friday */
#define DAY_MIN 1440
#define DAY_MS INT64_C(86400000)

static const char *const deadline_names[EG_DEADLINE_COUNT] = {"acknowledge", "fix", "verify"};

const char *eg_deadline_name(enum eg_deadline deadline)
{
    return deadline_names[deadline];
}

/* "HH:MM", up to 24:00; the minute of the day, or -1. */
static int minute_of(const char *text, size_t length)
{
    if (length != 5 || text[2] != ':' || strspn(text, "0123456789") != 2 ||
        strspn(text + 3, "0123456789") < 2)
        return -1;
    int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';
    return hour * 60 + minute <= DAY_MIN && minute < 60 ? hour * 60 + minute : -1;
}

static void take_hours(struct eg_resolve *resolve, const struct eg_raw_calendar *raw, const yaml_node_t *node,
                       struct eg_conf_calendar *calendar)
{
    const yaml_node_t *list = eg_files_key(resolve->file, node, "hours");
    for (unsigned i = 0; i < raw->hours_count; i++) {
        const char *text = raw->hours[i], *dash = strchr(text, '-');
        int from = dash ? minute_of(text, (size_t)(dash - text)) : -1,
            to = dash ? minute_of(dash + 1, strlen(dash + 1)) : -1;
        int before = calendar->hour_count ? calendar->hours[calendar->hour_count - 1].to_min : 0;
        if (from < 0 || to <= from)
            eg_resolve_fault(resolve, eg_files_item(resolve->file, list, i),
                             "hours are '%.40s', a span such as \"08:30-12:00\" is expected", text);
        else if (from < before)
            eg_resolve_fault(resolve, eg_files_item(resolve->file, list, i),
                             "hours ascend: '%.40s' begins before the one above it has ended", text);
        else if (calendar->hour_count == EG_CALENDAR_HOURS)
            eg_resolve_fault(resolve, eg_files_item(resolve->file, list, i),
                             "at most %d hours a day are taken", EG_CALENDAR_HOURS);
        else {
            calendar->hours[calendar->hour_count].from_min = from;
            calendar->hours[calendar->hour_count++].to_min = to;
        }
    }
    if (!raw->hours_count) {
        calendar->hours[0].to_min = DAY_MIN;
        calendar->hour_count = 1;
    }
}

/* "2026-10-01"; days since 1970. */
static bool date_of(const char *text, size_t length, int32_t *ret)
{
    char whole[32];
    int64_t ms;
    if (length != 10)
        return false;
    snprintf(whole, sizeof whole, "%.10sT00:00:00Z", text);
    if (!eg_time_parse(whole, strlen(whole), &ms))
        return false;
    *ret = (int32_t)(ms / DAY_MS);
    return true;
}

struct eg_conf_dates *eg_resolve_dates(struct eg_resolve *resolve, const yaml_node_t *list, char **texts,
                                       unsigned count, size_t *ret_count)
{
    struct eg_conf_dates *dates = eg_resolve_keep(resolve, count, sizeof *dates);
    for (unsigned i = 0; dates && i < count; i++) {
        const char *dots = strstr(texts[i], "..");
        struct eg_conf_dates *row = &dates[*ret_count];
        size_t first = dots ? (size_t)(dots - texts[i]) : strlen(texts[i]);
        if (date_of(texts[i], first, &row->first) &&
            (dots ? date_of(dots + 2, strlen(dots + 2), &row->last) : date_of(texts[i], first, &row->last)) &&
            row->first <= row->last)
            ++*ret_count;
        else
            eg_resolve_fault(resolve, eg_files_item(resolve->file, list, i),
                             "'%.40s' is no date: 2026-10-01, or \"2026-10-01..2026-10-08\" is expected",
                             texts[i]);
    }
    return dates;
}

void eg_resolve_calendar(struct eg_resolve *resolve, const struct eg_raw_calendar *raw,
                         const yaml_node_t *node, struct eg_conf_calendar *ret)
{
    const struct eg_conf *conf = &resolve->loaded->conf;
    struct eg_conf_calendar calendar = {.id = raw->id};
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a calendar's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    for (const struct eg_conf_calendar *other = conf->calendars; other != ret; other++)
        if (!strcmp(other->id, raw->id))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "calendar '%.60s' is given twice",
                             raw->id);
    for (unsigned i = 0; i < raw->days_count; i++) /* the words count from Sunday */
        calendar.days |= (uint8_t)(1u << (raw->days[i] + 6) % 7);
    if (!raw->days_count)
        calendar.days = WORKING_WEEK;
    take_hours(resolve, raw, node, &calendar);
    calendar.holidays = eg_resolve_dates(resolve, eg_files_key(resolve->file, node, "holidays"),
                                         raw->holidays, raw->holidays_count, &calendar.holiday_count);
    calendar.workdays = eg_resolve_dates(resolve, eg_files_key(resolve->file, node, "workdays"),
                                         raw->workdays, raw->workdays_count, &calendar.workday_count);
    *ret = calendar;
}

static void take_spans(struct eg_resolve *resolve, const struct eg_raw_spans *raw, const yaml_node_t *node,
                       int64_t ret[EG_DEADLINE_COUNT])
{
    const char *const texts[EG_DEADLINE_COUNT] = {raw->acknowledge, raw->fix, raw->verify};
    for (int i = 0; i < EG_DEADLINE_COUNT; i++)
        ret[i] = eg_resolve_span(resolve, node, deadline_names[i], texts[i], ret[i]);
}

void eg_resolve_spans(struct eg_resolve *resolve, const struct eg_raw_spans *raw, const yaml_node_t *node,
                      struct eg_conf_terms *terms)
{
    take_spans(resolve, raw, node, terms->deadline_ms[EG_LEVEL_NONE]);
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        memcpy(terms->deadline_ms[level], terms->deadline_ms[EG_LEVEL_NONE], sizeof *terms->deadline_ms);
}

void eg_resolve_deadline(struct eg_resolve *resolve, const struct eg_raw_deadline *raw,
                         const yaml_node_t *node, struct eg_conf_terms *terms)
{
    if (!raw)
        return;
    const struct eg_raw_spans *const own[EG_LEVEL_COUNT] = {NULL, raw->notice, raw->warning, raw->critical};
    eg_resolve_spans(resolve, &raw->any, node, terms);
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        if (own[level])
            take_spans(resolve, own[level],
                       eg_resolve_node(resolve, node, eg_level_name((enum eg_level)level)),
                       terms->deadline_ms[level]);
}
