/* Knows how `summary` looks to people: the tree of sites, and under a site that has devices what they measure. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <ecogov/quantity.h>
#include <ecogov/time.h>

#include <math.h>
#include <string.h>

#define PAST_MS 60000 /* asked for less than that ago it is the present */

static int depth_of(const cJSON *sites, const cJSON *site)
{
    int depth = 0;
    const cJSON *other;
    const char *parent = text_of(site, "parent");
    while (parent && depth < 16) {
        const char *up = NULL;
        bool found = false;
        cJSON_ArrayForEach(other,
                           sites) if (text_of(other, "site") && strcmp(text_of(other, "site"), parent) == 0)
        {
            up = text_of(other, "parent");
            found = true;
        }
        if (!found)
            break; /* above what was asked for */
        depth++;
        parent = up;
    }
    return depth;
}

static bool is_bad(const cJSON *row)
{
    const cJSON *flag;
    cJSON_ArrayForEach(flag, item_of(row, "flags")) if (cJSON_IsString(flag) &&
                                                        strcmp(flag->valuestring, "bad") == 0) return true;
    return false;
}

/* The newest values of a quantity at the site: one, or from … to. What a silent device said long ago is not now, and what was set aside is
 * no measurement. */
static void add_now(struct table *table, const cJSON *latest, const char *quantity)
{
    double low = NAN, high = NAN;
    char a[PAGE_TEXT], b[PAGE_TEXT];
    const cJSON *row;
    cJSON_ArrayForEach(row, latest)
    {
        double value = number_of(row, "value");
        if (cJSON_IsTrue(item_of(row, "silent")) || is_bad(row) || !text_of(row, "quantity") ||
            strcmp(text_of(row, "quantity"), quantity) != 0 || !isfinite(value))
            continue;
        low = isfinite(low) ? fmin(low, value) : value;
        high = isfinite(high) ? fmax(high, value) : value;
    }
    page_value(quantity, low, a);
    if (!isfinite(low))
        table_add(table, PLAIN, NULL);
    else if (strcmp(a, page_value(quantity, high, b)) == 0)
        table_add(table, PLAIN, a);
    else
        table_addf(table, PLAIN, "%s … %s", a, b);
}

static void add_period(struct table *table, const char *quantity, const cJSON *statistic)
{
    char mean[PAGE_TEXT], max[PAGE_TEXT];
    double complete = number_of(statistic, "completeness");
    if (!(number_of(statistic, "count") > 0)) {
        table_add(table, PLAIN, NULL);
        table_add(table, PLAIN, NULL);
        table_add(table, PLAIN, NULL);
        return;
    }
    table_add(table, PLAIN, page_value(quantity, number_of(statistic, "mean"), mean));
    table_add(table, PLAIN, page_value(quantity, number_of(statistic, "max"), max));
    table_addf(table, complete < 0.75 ? DIM : PLAIN, "%.0f %%", complete * 100);
}

static double sum_of(const cJSON *statistics, const char *key)
{
    double sum = 0;
    const cJSON *one;
    cJSON_ArrayForEach(one, statistics) sum += number_of(one, key) > 0 ? number_of(one, key) : 0;
    return sum;
}

/* "quality today: 3 readings doubtful, 2 set aside"; "times in doubt: 12 readings of today, 3 of this hour" */
static void doubts(const cJSON *hour, const cJSON *day, int indent)
{
    const double suspect = sum_of(day, "suspect"), aside = sum_of(day, "set_aside"),
                 today = sum_of(day, "clock"), now = sum_of(hour, "clock");
    if (suspect + aside > 0) {
        printf("%*s", indent, "");
        printf(word("quality today: %.0f readings doubtful, %.0f set aside"), suspect, aside);
        putchar('\n');
    }
    if (today > 0) {
        printf("%*s", indent, "");
        page_putf(BAD, word("times in doubt: %.0f readings today, %.0f of them this hour"), today, now);
        putchar('\n');
    }
}

/* In Chinese with its name, and where there is little room with nothing else. */
static void add_quantity(struct table *table, const char *quantity)
{
    int known = words_chinese() ? eg_quantity_find(quantity, strlen(quantity)) : EG_QUANTITY_NONE;
    const char *name = known >= 0 ? eg_quantity_info(known)->about_zh : "";
    table_addf(table, PLAIN, "%s%s%s", *name && page_narrow() ? "" : quantity,
               *name && !page_narrow() ? " " : "", name);
}

static void measured(const cJSON *cell, int indent)
{
    static const char *const heads[] = {"QUANTITY", ">NOW", ">HOUR",  ">MAX", ">KNOWN",
                                        ">TODAY",   ">MAX", ">KNOWN", "UNIT", NULL};
    const cJSON *hour = item_of(cell, "hour"), *day = item_of(cell, "day");
    struct table table;
    char unit[PAGE_TEXT];
    table_init(&table, heads);
    for (int i = 0; i < cJSON_GetArraySize(day); i++) {
        const cJSON *whole = cJSON_GetArrayItem(day, i);
        const char *quantity = text_of(whole, "quantity");
        add_quantity(&table, quantity ? quantity : "-");
        add_now(&table, item_of(cell, "latest"), quantity ? quantity : "");
        add_period(&table, quantity, cJSON_GetArrayItem(hour, i)); /* the same quantities in the same order */
        add_period(&table, quantity, whole);
        table_add(&table, PLAIN, page_unit(text_of(whole, "unit"), unit));
    }
    table_print(&table, indent);
    doubts(hour, day, indent);
}

/* "▁▂▅█·▃": a bar an hour, a dot where there is nothing. */
static void spark(const cJSON *values)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double most = 0;
    const cJSON *one;
    cJSON_ArrayForEach(one, values) most = fmax(most, cJSON_IsNumber(one) ? one->valuedouble : 0);
    cJSON_ArrayForEach(one, values)
    {
        double share = most > 0 && cJSON_IsNumber(one) ? one->valuedouble / most : 0;
        fputs(cJSON_IsNumber(one) ? bars[(int)fmin(7, share * 8)] : "·", stdout);
    }
}

static void names(const cJSON *list)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, list) printf("%s%s", one == list->child ? " " : ", ", word(one->valuestring));
}

static enum tone tone_of(const cJSON *index)
{
    double level = number_of(index, "level");
    return level >= 5 ? page_tone("critical") : level >= 3 ? page_tone("warning") : PLAIN;
}

/* Behind the text, or below it where it does not fit: "▁▂▃… last 24 h". */
static void day_line(const cJSON *index, const char *text, int indent)
{
    const cJSON *day = item_of(index, "last_24h");
    const char *label = word("last 24 h");
    size_t wide =
        (size_t)indent + page_width(text) + 3 + (size_t)cJSON_GetArraySize(day) + 1 + page_width(label);
    if (wide > page_columns())
        printf("\n%*s", indent + 2, "");
    else
        printf("   ");
    spark(day);
    page_putf(DIM, " %s", label);
}

/* "a, b" */
static const char *listed(const cJSON *list, char *out, size_t size)
{
    const cJSON *one;
    size_t used = 0;
    *out = '\0';
    cJSON_ArrayForEach(one, list) if (cJSON_IsString(one) && used < size) used +=
        (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", one->valuestring);
    return out;
}

/* No index now: "AQI not known since 11-20 22:00; then 112 Unhealthy   ▁▂▃…", or why there is none to tell. */
static void unknown_line(const cJSON *index, const char *title, bool silent, int indent)
{
    const cJSON *last = item_of(index, "last");
    const char *category = text_of(last, words_chinese() ? "category_zh" : "category");
    char note[256], text[512], time[PAGE_TEXT];
    if (!last) {
        page_put(DIM, word(silent ? "not known for more than 24 h" : "no whole hour yet"));
        return;
    }
    snprintf(note, sizeof note, word("not known since %s; then %.0f"),
             page_time(text_of(last, "until"), time), number_of(last, "aqi_of_available"));
    snprintf(text, sizeof text, "%s %s %s", title, note, category ? category : "");
    page_put(DIM, note);
    if (category) {
        putchar(' ');
        page_put(tone_of(last), category);
    }
    day_line(index, text, indent);
}

/* "AQI 162 moderately polluted: pm25   ▁▂▃…" */
static void air_line(const cJSON *index, const char *title, bool silent, int indent)
{
    double published = number_of(index, "aqi"), available = number_of(index, "aqi_of_available");
    const char *category = text_of(index, words_chinese() ? "category_zh" : "category");
    char text[512], list[256];
    if (!index)
        return;
    printf("%*s%s ", indent, "", title);
    if (isfinite(published)) {
        listed(item_of(index, "primary"), list, sizeof list);
        page_putf(tone_of(index), "%.0f %s", published, category ? category : "");
        printf("%s%s", *list ? ": " : "", list);
        snprintf(text, sizeof text, "%s %.0f %s: %s", title, published, category ? category : "", list);
    } else if (isfinite(available)) {
        char note[400];
        snprintf(note, sizeof note, word("(of what is measured; not measured: %s)"),
                 listed(item_of(index, "missing"), list, sizeof list));
        printf("%.0f ", available);
        page_put(DIM, note);
        snprintf(text, sizeof text, "%s %.0f %s", title, available, note);
    } else {
        unknown_line(index, title, silent, indent);
    }
    if (isfinite(available))
        day_line(index, text, indent);
    putchar('\n');
}

/* "WHO 2021: pm25 2.4 ×, pm10 1.1 × the guideline of 24 h" */
static void who_line(const cJSON *means, int indent)
{
    const cJSON *one;
    int beyond = 0;
    if (!cJSON_GetArraySize(means))
        return;
    printf("%*sWHO 2021:", indent, "");
    cJSON_ArrayForEach(one, means)
    {
        const char *quantity = text_of(one, "quantity");
        if (cJSON_IsTrue(item_of(one, "met")))
            continue;
        printf("%s", beyond++ ? ", " : " ");
        page_putf(number_of(one, "ratio") >= 2 ? page_tone("warning") : PLAIN, "%s %.1f ×",
                  quantity ? quantity : "-", number_of(one, "ratio"));
    }
    printf(" %s\n", word(beyond ? "the guideline for a day" : "met in the last 24 h"));
}

/* "salinity: moderately saline (5.2 dS/m, s1)" */
static void salinity_line(const cJSON *salinity, int indent)
{
    const char *category = text_of(salinity, words_chinese() ? "category_zh" : "category"),
               *device = text_of(salinity, "device");
    if (!salinity)
        return;
    printf("%*s%s ", indent, "", word("salinity:"));
    page_putf(number_of(salinity, "level") > 2 ? page_tone("warning") : PLAIN, "%s",
              category ? category : "-");
    page_putf(DIM, " (%.3g dS/m, %s)", number_of(salinity, "ec"), device ? device : "-");
    putchar('\n');
}

static void index_lines(const cJSON *cell, int indent)
{
    const cJSON *indices = item_of(cell, "index");
    const bool silent = number_of(item_of(cell, "devices"), "reporting") <= 0;
    const cJSON *waste = item_of(indices, "waste_pressure"), *soil = item_of(indices, "soil_gb15618");
    air_line(item_of(indices, "aqi_cn"), "AQI", silent, indent);
    air_line(item_of(indices, "aqi_us"), "US AQI", silent, indent);
    who_line(item_of(indices, "who_2021"), indent);
    if (waste && isfinite(number_of(waste, "pressure"))) {
        printf("%*s%s ", indent, "", word("waste pressure"));
        page_putf(tone_of(waste), "%.0f", number_of(waste, "pressure"));
        if (cJSON_GetArraySize(item_of(waste, "primary")))
            putchar(':'), names(item_of(waste, "primary"));
        putchar('\n');
    }
    if (soil) {
        /* "GB 15618: safe use cd (Nemerow 2.31, field-3)" */
        const char *category = text_of(soil, words_chinese() ? "category_zh" : "category");
        printf("%*sGB 15618: ", indent, "");
        page_putf(number_of(soil, "level") > 1 ? page_tone("warning") : PLAIN, "%s",
                  category ? category : "-");
        names(item_of(soil, "above_screening"));
        if (isfinite(number_of(soil, "nemerow")) && text_of(soil, "device"))
            page_putf(DIM, word(" (Nemerow %.2f, %s)"), number_of(soil, "nemerow"), text_of(soil, "device"));
        putchar('\n');
    }
    salinity_line(item_of(indices, "salinity"), indent);
}

static void domain_line(const cJSON *cell, int indent)
{
    static const char *const levels[] = {"critical", "warning", "notice"};
    const cJSON *devices = item_of(cell, "devices"), *cases = item_of(cell, "cases");
    int total = (int)number_of(devices, "total"), silent = (int)number_of(devices, "silent"),
        suspect = (int)number_of(devices, "suspect"), open = (int)number_of(cases, "open");
    printf("%*s", indent, "");
    page_put(BOLD,
             word(*cell->string ? cell->string : "all domains")); /* an outage is the site's as a whole */
    printf("  ");
    if (total == 1)
        printf("%s", word("1 device"));
    else if (total || *cell->string)
        printf(word("%d devices, %d reporting"), total, (int)number_of(devices, "reporting"));
    if (silent)
        printf(word(", %d silent"), silent);
    if (suspect)
        printf(word(", %d suspect"), suspect);
    if (open && !total && !*cell->string)
        printf(word("open cases: %d"), open);
    else if (open == 1)
        printf("%s", word(", 1 open case"));
    else if (open)
        printf(word(", %d open cases"), open);
    for (size_t i = 0, said = 0; open && i < sizeof levels / sizeof *levels; i++)
        if (number_of(cases, levels[i]) > 0) {
            printf("%s", said++ ? ", " : ": ");
            page_putf(page_tone(levels[i]), "%.0f %s", number_of(cases, levels[i]), word(levels[i]));
        }
    putchar('\n');
    index_lines(cell, indent + 2);
    if (cJSON_GetArraySize(item_of(cell, "latest")))
        measured(cell, indent + 2);
}

/* A past moment is named, so that nobody takes it for now. */
static void past_line(const struct session *session, const char *at)
{
    char time[PAGE_TEXT];
    int64_t ms;
    if (!at || !eg_time_parse(at, strlen(at), &ms) || session->now_ms - ms < PAST_MS)
        return;
    page_putf(BOLD, word("As it was on %s"), page_time(at, time));
    putchar('\n');
}

void show_summary(const struct session *session, const cJSON *result)
{
    const cJSON *sites = item_of(result, "sites"), *site, *cell;
    show_doubted_clock(item_of(result, "clock"));
    past_line(session, text_of(result, "at"));
    cJSON_ArrayForEach(site, sites)
    {
        int indent = 2 * depth_of(sites, site);
        const char *name = text_of(site, "name"), *level = text_of(site, "level"),
                   *id = text_of(site, "site");
        printf("%*s", indent, "");
        page_put(BOLD, name ? name : "-");
        if (id && (!name || strcmp(id, name) != 0))
            page_putf(DIM, " %s", id);
        if (level)
            page_putf(DIM, " (%s)", word(level));
        putchar('\n');
        cJSON_ArrayForEach(cell, item_of(site, "domains")) domain_line(cell, indent + 2);
    }
    double unplaced = number_of(result, "unplaced");
    if (unplaced > 0) {
        printf(word("%d devices are at sites that the configuration does not know any more."), (int)unplaced);
        putchar('\n');
    }
}
