/* Knows how the evidence of a case looks to people: the index and its hours, the devices that are not heard, the readings. Called by
 * show_cases.c. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <base/span.h>

#include <math.h>
#include <string.h>

static void head(const char *what)
{
    printf("\n  ");
    page_put(BOLD, word(what));
    putchar('\n');
}

/* "15:00 to 16:00: 200 (pm25 200, pm10 130)" */
static void put_index(const cJSON *index)
{
    const cJSON *sub;
    char from[PAGE_TEXT], to[PAGE_TEXT];
    const char *before = "";
    page_putf(PLAIN, word("  %s to %s: %.0f"), page_time(text_of(index, "from"), from),
              page_time(text_of(index, "to"), to), number_of(index, "value"));
    cJSON_ArrayForEach(sub, item_of(index, "sub"))
    {
        page_putf(PLAIN, "%s%s %.0f", *before ? before : " (", sub->string, sub->valuedouble);
        before = ", ";
    }
    puts(*before ? ")" : "");
}

/* "20m" as "20 min"; NULL: not known. */
static const char *span_of(const cJSON *row, const char *key, char out[PAGE_TEXT])
{
    const char *text = text_of(row, key);
    int64_t ms;
    return text && eg_span_parse(text, &ms) ? page_span(ms, out) : NULL;
}

static void put_device(const cJSON *device)
{
    char time[PAGE_TEXT], often[PAGE_TEXT], silent[PAGE_TEXT];
    const char *site = text_of(device, "site"), *domain = text_of(device, "domain"),
               *id = text_of(device, "device"), *name = text_of(device, "name"),
               *interval = span_of(device, "interval", often),
               *after = span_of(device, "silent_after", silent);
    if (name && id && strcmp(name, id) == 0)
        name = NULL;
    page_putf(PLAIN, "  %s/%s/%s%s%s%s  ", site ? site : "-", domain ? domain : "-", id ? id : "-",
              name ? " (" : "", name ? name : "", name ? ")" : "");
    page_putf(PLAIN, word("last heard %s"), page_time(text_of(device, "last_seen"), time));
    if (interval)
        page_putf(PLAIN, word(", usually every %s"), interval);
    if (after)
        page_putf(PLAIN, word(", silent after %s"), after);
    putchar('\n');
}

/* What stands in a line that holds `used` columns, or in the next one, set in. The columns then. */
static size_t put_on(size_t used, enum tone tone, const char *text)
{
    if (used + page_width(text) > page_columns()) {
        printf("\n  ");
        used = 2;
    }
    page_put(tone, text);
    return used + page_width(text);
}

static void put_series(const cJSON *row, const cJSON *series)
{
    const cJSON *reading;
    char text[4 * PAGE_TEXT], value[PAGE_TEXT], unit[PAGE_TEXT], time[PAGE_TEXT];
    const char *quantity = text_of(series, "quantity"), *channel = text_of(series, "channel"),
               *device = text_of(series, "device"), *site = text_of(series, "site"),
               *own = text_of(row, "site"), *period = text_of(series, "period");
    bool elsewhere = site && own && strcmp(site, own) != 0;
    int listed = cJSON_GetArraySize(item_of(series, "readings"));
    page_unit(text_of(series, "unit"), unit);
    snprintf(text, sizeof text, "  %s%s%s %s%s%s", elsewhere ? site : "", elsewhere ? "/" : "",
             device ? device : "-", quantity ? quantity : "-", channel && *channel ? "/" : "",
             channel ? channel : "");
    size_t used = put_on(0, PLAIN, text);
    if (*unit || period) {
        snprintf(text, sizeof text, " (%s%s%s)", unit, *unit && period ? ", " : "",
                 period ? word("mean of the hour") : "");
        used = put_on(used, PLAIN, text);
    }
    used = put_on(used, PLAIN, ":");
    cJSON_ArrayForEach(reading, item_of(series, "readings"))
    {
        snprintf(text, sizeof text, "  %s %s", page_time(text_of(reading, "time"), time),
                 page_value(quantity, number_of(reading, "value"), value));
        used = put_on(used, PLAIN, text);
    }
    if (number_of(series, "count") > listed) {
        snprintf(text, sizeof text, word("  (the newest of %.0f)"), number_of(series, "count"));
        put_on(used, DIM, text);
    }
    putchar('\n');
}

void show_evidence(const cJSON *row)
{
    const cJSON *one;
    if (cJSON_IsObject(item_of(row, "index"))) {
        head("index it stands on");
        put_index(item_of(row, "index"));
    }
    if (cJSON_GetArraySize(item_of(row, "devices"))) {
        head("devices that are not heard");
        cJSON_ArrayForEach(one, item_of(row, "devices")) put_device(one);
    }
    if (cJSON_GetArraySize(item_of(row, "evidence"))) {
        head("readings it stands on");
        cJSON_ArrayForEach(one, item_of(row, "evidence")) put_series(row, one);
    }
}
