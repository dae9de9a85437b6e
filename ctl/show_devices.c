/* Knows how devices look to people: who is heard, how their batteries and radios are, what was lost; of a single one, all of it. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <base/span.h>

#include <math.h>
#include <string.h>

#define DAY_MS 86400000.0
#define LOW_BATTERY 20
#define WEAK_RSSI (-115)
#define MUCH_LOST 0.1

/* A column that nobody has anything for only takes room. */
struct columns {
    bool name, doubt, battery, signal, faults, lost;
};

static bool named(const cJSON *row)
{
    const char *name = text_of(row, "name"), *device = text_of(row, "device");
    return name && device && strcmp(name, device) != 0;
}

static struct columns columns_of(const cJSON *result)
{
    struct columns columns = {0};
    const cJSON *row;
    cJSON_ArrayForEach(row, result)
    {
        columns.name = columns.name || named(row);
        columns.doubt = columns.doubt || cJSON_GetArraySize(item_of(row, "suspect")) > 0;
        columns.battery = columns.battery || cJSON_IsObject(item_of(row, "battery"));
        columns.signal = columns.signal || cJSON_IsObject(item_of(row, "rssi"));
        columns.faults = columns.faults || number_of(row, "faults") > 0;
        columns.lost = columns.lost || isfinite(number_of(row, "loss_rate"));
    }
    return columns;
}

static size_t add_heads(const char **heads, size_t count, const struct columns *columns)
{
    if (columns->battery)
        heads[count++] = ">BATTERY";
    if (columns->signal)
        heads[count++] = ">SIGNAL";
    if (columns->faults)
        heads[count++] = ">FAULTS";
    if (columns->lost)
        heads[count++] = ">LOST";
    return count;
}

static void init(struct table *table, const struct columns *columns)
{
    const char *heads[TABLE_COLUMNS + 1] = {"SITE", "DOMAIN", "DEVICE"};
    size_t count = 3;
    if (columns->name)
        heads[count++] = "NAME";
    heads[count++] = "STATE";
    if (columns->doubt)
        heads[count++] = "IN DOUBT";
    heads[count++] = "LAST SEEN";
    heads[count++] = "INTERVAL";
    heads[count++] = ">SERIES";
    add_heads(heads, count, columns);
    table_init(table, heads);
}

static bool in_percent(const cJSON *battery)
{
    const char *unit = text_of(battery, "unit");
    return unit && strcmp(unit, "%") == 0;
}

static const char *battery_text(const cJSON *battery, char out[PAGE_TEXT])
{
    double value = number_of(battery, "value"), per_day = number_of(battery, "per_day");
    bool percent = in_percent(battery);
    const char *arrow = per_day <= -0.5 ? " ↓" : per_day >= 0.5 ? " ↑" : ""; /* in percent a day */
    if (!isfinite(value))
        return NULL;
    snprintf(out, PAGE_TEXT, percent ? "%.0f%%%s" : "%.2f V%s", value, percent ? arrow : "");
    return out;
}

static void add_battery(struct table *table, const cJSON *battery)
{
    char text[PAGE_TEXT];
    bool low = in_percent(battery) && number_of(battery, "value") < LOW_BATTERY;
    table_add(table, low ? BAD : PLAIN, battery_text(battery, text));
}

static void add_signal(struct table *table, const cJSON *row)
{
    double rssi = number_of(item_of(row, "rssi"), "value");
    if (isfinite(rssi))
        table_addf(table, rssi < WEAK_RSSI ? MILD : PLAIN, "%.0f dBm", rssi);
    else
        table_add(table, PLAIN, NULL);
}

static void add_count(struct table *table, const cJSON *row, const char *key, bool mild)
{
    char text[PAGE_TEXT];
    double count = number_of(row, key);
    table_add(table, mild && count > 0 ? MILD : PLAIN, isfinite(count) ? page_count(count, text) : NULL);
}

/* "pm25 stuck", and how many more. */
static void add_doubt(struct table *table, const cJSON *doubts)
{
    const cJSON *first = cJSON_GetArrayItem(doubts, 0);
    const char *quantity = text_of(first, "quantity"), *reason = text_of(first, "reason");
    int more = cJSON_GetArraySize(doubts) - 1;
    if (!first || !quantity || !reason)
        table_add(table, PLAIN, NULL);
    else if (more > 0)
        table_addf(table, MILD, "%s %s, +%d", quantity, word(reason), more);
    else
        table_addf(table, MILD, "%s %s", quantity, word(reason));
}

static void add_loss(struct table *table, const cJSON *row)
{
    double loss = number_of(row, "loss_rate"); /* none: the device counts no messages */
    if (isfinite(loss))
        table_addf(table, loss >= MUCH_LOST ? MILD : PLAIN, "%.1f%%", 100 * loss);
    else
        table_add(table, PLAIN, NULL);
}

/* What goes with its health, as far as anybody has it. */
static void add_health(struct table *table, const struct columns *columns, const cJSON *row)
{
    if (columns->battery)
        add_battery(table, item_of(row, "battery"));
    if (columns->signal)
        add_signal(table, row);
    if (columns->faults)
        add_count(table, row, "faults", true);
    if (columns->lost)
        add_loss(table, row);
}

static void add_row(struct table *table, const struct columns *columns, const cJSON *row)
{
    char time[PAGE_TEXT];
    const char *domain = text_of(row, "domain"), *state = text_of(row, "state");
    table_add(table, PLAIN, text_of(row, "site"));
    table_add(table, PLAIN, domain ? word(domain) : NULL);
    table_add(table, PLAIN, text_of(row, "device"));
    if (columns->name)
        table_add(table, PLAIN, text_of(row, "name"));
    table_add(table, page_tone(state), state ? word(state) : NULL);
    if (columns->doubt)
        add_doubt(table, item_of(row, "suspect"));
    table_add(table, PLAIN, page_time(text_of(row, "last_seen"), time));
    table_add(table, PLAIN, text_of(row, "interval"));
    add_count(table, row, "series", false);
    add_health(table, columns, row);
}

/* --- where there is little room: two tables, of what all tell and of what some tell. The device stands first, where it is never cut --- */

static bool tells_more(const struct columns *columns, const cJSON *row)
{
    return named(row) || cJSON_GetArraySize(item_of(row, "suspect")) > 0 ||
           cJSON_IsObject(item_of(row, "battery")) || cJSON_IsObject(item_of(row, "rssi")) ||
           number_of(row, "faults") > 0 || (columns->lost && isfinite(number_of(row, "loss_rate")));
}

static bool of_several_sites(const cJSON *result)
{
    const char *first = text_of(cJSON_GetArrayItem(result, 0), "site");
    const cJSON *row;
    cJSON_ArrayForEach(row, result)
    {
        const char *site = text_of(row, "site");
        if (first && site && strcmp(site, first) != 0)
            return true;
    }
    return false;
}

static void show_what_some_tell(const struct columns *columns, const cJSON *result)
{
    const char *heads[TABLE_COLUMNS + 1] = {"DEVICE"};
    size_t count = 1;
    bool sites = of_several_sites(result);
    struct table table;
    const cJSON *row;
    if (sites)
        heads[count++] = "SITE";
    if (columns->name)
        heads[count++] = "NAME";
    if (columns->doubt)
        heads[count++] = "IN DOUBT";
    if (add_heads(heads, count, columns) == 1 + (size_t)sites)
        return;
    table_init(&table, heads);
    table.cut_to = 8;
    cJSON_ArrayForEach(row, result)
    {
        if (!tells_more(columns, row))
            continue;
        table_add(&table, PLAIN, text_of(row, "device"));
        if (sites)
            table_add(&table, PLAIN, text_of(row, "site"));
        if (columns->name)
            table_add(&table, PLAIN, text_of(row, "name"));
        if (columns->doubt)
            add_doubt(&table, item_of(row, "suspect"));
        add_health(&table, columns, row);
    }
    putchar('\n');
    table_print(&table, 0);
}

static void show_narrow(const struct columns *columns, const cJSON *result)
{
    static const char *const heads[] = {"DEVICE",    "SITE",     "DOMAIN",  "STATE",
                                        "LAST SEEN", "INTERVAL", ">SERIES", NULL};
    char time[PAGE_TEXT];
    struct table table;
    const cJSON *row;
    table_init(&table, heads);
    table.cut_to = 8;
    cJSON_ArrayForEach(row, result)
    {
        const char *domain = text_of(row, "domain"), *state = text_of(row, "state");
        table_add(&table, PLAIN, text_of(row, "device"));
        table_add(&table, PLAIN, text_of(row, "site"));
        table_add(&table, PLAIN, domain ? word(domain) : NULL);
        table_add(&table, page_tone(state), state ? word(state) : NULL);
        table_add(&table, PLAIN, page_time(text_of(row, "last_seen"), time));
        table_add(&table, PLAIN, text_of(row, "interval"));
        add_count(&table, row, "series", false);
    }
    table_print(&table, 0);
    show_what_some_tell(columns, result);
}

/* --- one device --- */

static void put_label(const char *label)
{
    printf("  ");
    page_label(DIM, word(label), 12);
}

static void put_time_of(const cJSON *object)
{
    char time[PAGE_TEXT];
    page_putf(DIM, "  %s", page_time(text_of(object, "time"), time));
    putchar('\n');
}

static void show_battery(const cJSON *battery)
{
    char text[PAGE_TEXT];
    double per_day = number_of(battery, "per_day"), left = number_of(battery, "days_left");
    if (!cJSON_IsObject(battery))
        return;
    put_label("battery");
    page_put(PLAIN, battery_text(battery, text));
    if (isfinite(per_day))
        page_putf(PLAIN, word(", %+.2f a day"), per_day);
    if (isfinite(left))
        page_putf(left < 30 ? BAD : PLAIN, word(", about %.0f days left"), left);
    put_time_of(battery);
}

static void show_retirement(const cJSON *retired)
{
    char at[PAGE_TEXT], heard[PAGE_TEXT];
    const char *by = text_of(retired, "by"), *note = text_of(retired, "note");
    page_putf(PLAIN, word("by %s, %s: %s"), by ? by : "-", page_time(text_of(retired, "at"), at),
              note ? note : "-");
    if (text_of(retired, "heard"))
        page_putf(MILD, word("; but it was heard again at %s: restore it, or switch it off"),
                  page_time(text_of(retired, "heard"), heard));
    putchar('\n');
}

void show_retired(const struct session *session, const cJSON *row)
{
    const char *site = text_of(row, "site"), *domain = text_of(row, "domain"),
               *device = text_of(row, "device");
    (void)session;
    page_putf(PLAIN, "%s/%s/%s: ", site ? site : "-", domain ? domain : "-", device ? device : "-");
    if (cJSON_IsObject(item_of(row, "retired"))) {
        page_putf(PLAIN, "%s ", word("retired"));
        show_retirement(item_of(row, "retired"));
    } else {
        page_put(PLAIN, word("in service again"));
        putchar('\n');
    }
}

static void show_standing(const cJSON *row)
{
    char time[PAGE_TEXT];
    const cJSON *doubt, *due = item_of(row, "calibration_due");
    cJSON_ArrayForEach(doubt, item_of(row, "suspect"))
    {
        const char *quantity = text_of(doubt, "quantity"), *channel = text_of(doubt, "channel"),
                   *reason = text_of(doubt, "reason");
        bool named = channel && *channel;
        put_label("in doubt");
        page_putf(MILD, "%s%s%s%s: %s", quantity ? quantity : "-", named ? " (" : "", named ? channel : "",
                  named ? ")" : "", reason ? word(reason) : "-");
        page_putf(DIM, word(", since %s"), page_time(text_of(doubt, "since"), time));
        putchar('\n');
    }
    if (cJSON_IsObject(item_of(row, "retired"))) {
        put_label("retired");
        show_retirement(item_of(row, "retired"));
    }
    if (cJSON_IsTrue(item_of(row, "left"))) {
        put_label("left");
        page_put(PLAIN, word("it said so itself"));
        putchar('\n');
    }
    if (cJSON_IsObject(due)) {
        const char *quantity = text_of(due, "quantity");
        put_label("calibration");
        page_putf(cJSON_IsTrue(item_of(due, "overdue")) ? BAD : PLAIN, word("good until %s"),
                  page_time(text_of(due, "time"), time));
        if (quantity)
            page_putf(PLAIN, " (%s)", quantity);
        putchar('\n');
    }
}

static void show_radio(const cJSON *row)
{
    const cJSON *rssi = item_of(row, "rssi"), *snr = item_of(row, "snr");
    if (!cJSON_IsObject(rssi) && !cJSON_IsObject(snr))
        return;
    put_label("signal");
    if (cJSON_IsObject(rssi))
        page_putf(PLAIN, "RSSI %.0f dBm", number_of(rssi, "value"));
    if (cJSON_IsObject(snr))
        page_putf(PLAIN, "%sSNR %.1f dB", cJSON_IsObject(rssi) ? ", " : "", number_of(snr, "value"));
    put_time_of(cJSON_IsObject(rssi) ? rssi : snr);
}

static void show_uptime(const cJSON *uptime)
{
    char text[PAGE_TEXT];
    double seconds = number_of(uptime, "value");
    if (!isfinite(seconds))
        return;
    put_label("uptime");
    page_put(PLAIN, page_span((int64_t)(seconds * 1000), text));
    put_time_of(uptime);
}

static void show_counts(const cJSON *row)
{
    char heard[PAGE_TEXT], lost[PAGE_TEXT], repeated[PAGE_TEXT], time[PAGE_TEXT];
    const cJSON *fault = item_of(row, "last_fault");
    if (number_of(row, "heard") > 0) {
        put_label("messages");
        page_putf(PLAIN, word("%s heard, %s lost, %s repeated"), page_count(number_of(row, "heard"), heard),
                  page_count(number_of(row, "lost"), lost), page_count(number_of(row, "repeated"), repeated));
        putchar('\n');
    }
    put_label("restarts");
    page_putf(PLAIN, "%.0f", number_of(row, "restarts"));
    putchar('\n');
    put_label("faults");
    page_putf(number_of(row, "faults") > 0 ? MILD : PLAIN, "%.0f", number_of(row, "faults"));
    if (cJSON_IsObject(fault)) {
        printf("  ");
        page_put(PLAIN, text_of(fault, "text"));
        put_time_of(fault);
    } else {
        putchar('\n');
    }
    page_putf(DIM, word("  Counted since %s, when the daemon started."),
              page_time(text_of(row, "counted_since"), time));
    putchar('\n');
}

void show_devices(const struct session *session, const cJSON *result)
{
    (void)session;
    const struct columns columns = columns_of(result);
    struct table table;
    const cJSON *row;
    if (page_narrow()) {
        show_narrow(&columns, result);
    } else {
        init(&table, &columns);
        cJSON_ArrayForEach(row, result)
        {
            add_row(&table, &columns, row);
        }
        table_print(&table, 0);
    }
    if (cJSON_GetArraySize(result) != 1)
        return;
    row = cJSON_GetArrayItem(result, 0);
    putchar('\n');
    show_standing(row);
    show_battery(item_of(row, "battery"));
    show_radio(row);
    show_uptime(item_of(row, "uptime"));
    show_counts(row);
}
