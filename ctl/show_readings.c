/* Knows how readings look to people: the newest ones, and a series over time with a bar for each point. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <math.h>
#include <string.h>

#define BAR 24

static const char *flags_of(const cJSON *row, char *out, size_t size)
{
    size_t used = 0;
    const cJSON *flag;
    *out = '\0';
    cJSON_ArrayForEach(flag, item_of(row, "flags"))
    {
        int more = snprintf(out + used, size - used, "%s%s", used ? " " : "",
                            cJSON_IsString(flag) ? flag->valuestring : "?");
        if (more < 0 || (size_t)more >= size - used)
            break;
        used += (size_t)more;
    }
    return out;
}

void show_latest(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"SITE",   "DOMAIN", "DEVICE", "QUANTITY", "CHANNEL",
                                        ">VALUE", "UNIT",   "TIME",   "FLAGS",    NULL};
    struct table table;
    char text[PAGE_TEXT], flags[128];
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, result)
    {
        const char *quantity = text_of(row, "quantity"), *domain = text_of(row, "domain");
        table_add(&table, PLAIN, text_of(row, "site"));
        table_add(&table, PLAIN, domain ? word(domain) : NULL);
        table_add(&table, PLAIN, text_of(row, "device"));
        table_add(&table, PLAIN, quantity);
        table_add(&table, PLAIN, text_of(row, "channel"));
        table_add(&table, BOLD, page_value(quantity, number_of(row, "value"), text));
        table_add(&table, PLAIN, page_unit(text_of(row, "unit"), text));
        table_add(&table, PLAIN, page_time(text_of(row, "time"), text));
        table_add(&table, DIM, flags_of(row, flags, sizeof flags));
    }
    table_print(&table, 0);
}

void show_statistics(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"SITE", "DOMAIN", "DEVICE", "QUANTITY", "CHANNEL", ">MEAN",
                                        ">MIN", ">MAX",   "UNIT",   ">COUNT",   ">HOURS",  NULL};
    struct table table;
    char text[PAGE_TEXT];
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, item_of(result, "series"))
    {
        const char *quantity = text_of(row, "quantity"), *domain = text_of(row, "domain");
        table_add(&table, PLAIN, text_of(row, "site"));
        table_add(&table, PLAIN, domain ? word(domain) : NULL);
        table_add(&table, PLAIN, text_of(row, "device"));
        table_add(&table, PLAIN, quantity);
        table_add(&table, PLAIN, text_of(row, "channel"));
        table_add(&table, BOLD, page_value(quantity, number_of(row, "mean"), text));
        table_add(&table, PLAIN, page_value(quantity, number_of(row, "min"), text));
        table_add(&table, PLAIN, page_value(quantity, number_of(row, "max"), text));
        table_add(&table, PLAIN, page_unit(text_of(row, "unit"), text));
        table_add(&table, PLAIN, page_count(number_of(row, "count"), text));
        table_add(&table, PLAIN, page_count(number_of(row, "hours"), text));
    }
    table_print(&table, 0);
    show_next(result);
}

static double height(const cJSON *point)
{
    double value = number_of(point, "value");
    return isfinite(value) ? value : number_of(point, "mean");
}

/* In eighths of a column, from the lowest to the highest value (from 0 when nothing is below). */
static const char *bar(double value, double low, double high, char out[BAR * 3 + 1])
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int units = high > low && isfinite(value) ? (int)lround((value - low) / (high - low) * BAR * 8) : 0;
    size_t used = 0;
    for (; units >= 8; units -= 8, used += 3)
        memcpy(out + used, "█", 3);
    snprintf(out + used, BAR * 3 + 1 - used, "%s", units > 0 ? eighths[units] : "");
    return *out ? out : " ";
}

static void spread(const cJSON *points, double *low, double *high)
{
    const cJSON *point;
    *low = 0;
    *high = -INFINITY;
    cJSON_ArrayForEach(point, points)
    {
        double value = height(point);
        if (isfinite(value)) {
            *low = fmin(*low, value);
            *high = fmax(*high, value);
        }
    }
}

static void raw_points(const char *quantity, const cJSON *points, double low, double high)
{
    static const char *const heads[] = {"TIME", ">VALUE", " ", "FLAGS", NULL};
    struct table table;
    char text[PAGE_TEXT], flags[128], bars[BAR * 3 + 1];
    const cJSON *point;
    table_init(&table, heads);
    cJSON_ArrayForEach(point, points)
    {
        table_add(&table, PLAIN, page_time_full(text_of(point, "time"), text));
        table_add(&table, BOLD, page_value(quantity, height(point), text));
        table_add(&table, DIM, bar(height(point), low, high, bars));
        table_add(&table, DIM, flags_of(point, flags, sizeof flags));
    }
    table_print(&table, 0);
}

static void rolled_points(const char *quantity, const cJSON *points, double low, double high)
{
    static const char *const heads[] = {"TIME", ">COUNT", ">MEAN", ">MIN", ">MAX", ">COMPLETE", " ", NULL};
    struct table table;
    char text[PAGE_TEXT], bars[BAR * 3 + 1];
    const cJSON *point;
    table_init(&table, heads);
    cJSON_ArrayForEach(point, points)
    {
        table_add(&table, PLAIN, page_time(text_of(point, "time"), text));
        table_add(&table, PLAIN, page_count(number_of(point, "count"), text));
        table_add(&table, BOLD, page_value(quantity, number_of(point, "mean"), text));
        table_add(&table, PLAIN, page_value(quantity, number_of(point, "min"), text));
        table_add(&table, PLAIN, page_value(quantity, number_of(point, "max"), text));
        table_addf(&table, PLAIN, "%.0f %%", number_of(point, "completeness") * 100);
        table_add(&table, DIM, bar(height(point), low, high, bars));
    }
    table_print(&table, 0);
}

void show_history(const struct session *session, const cJSON *result)
{
    const cJSON *points = item_of(result, "points");
    const char *quantity = text_of(result, "quantity"), *resolution = text_of(result, "resolution"),
               *channel = text_of(result, "channel"), *device = text_of(result, "device"),
               *site = text_of(result, "site");
    char unit[PAGE_TEXT];
    double low, high;
    if (item_of(result, "index")) { /* of a site */
        show_indices(session, result);
        return;
    }
    page_putf(BOLD, "%s/%s %s%s%s %s", site ? site : "?", device ? device : "?", quantity ? quantity : "?",
              channel && *channel ? "/" : "", channel ? channel : "",
              page_unit(text_of(result, "unit"), unit));
    putchar('\n');
    spread(points, &low, &high);
    if (resolution && strcmp(resolution, "raw") == 0)
        raw_points(quantity, points, low, high);
    else
        rolled_points(quantity, points, low, high);
    show_next(result);
}

/* The name of a statistic over a column, in what unit it is told. */
static bool is_value(const char *name)
{
    static const char *const others[] = {"time",    "end",       "completeness", "valid",
                                         "suspect", "set_aside", "clock",        NULL};
    for (int i = 0; others[i]; i++)
        if (strcmp(name, others[i]) == 0)
            return false;
    return true;
}

static void statistics_of(const char *quantity, const cJSON *period)
{
    char text[PAGE_TEXT], to[PAGE_TEXT];
    const cJSON *value;
    page_putf(BOLD, "%s – %s", page_time(text_of(period, "time"), text),
              page_time(text_of(period, "end"), to));
    printf("  %s %.0f %%", word("complete"), number_of(period, "completeness") * 100);
    if (!cJSON_IsTrue(item_of(period, "valid")))
        page_putf(DIM, " %s", word("not valid"));
    if (number_of(period, "suspect") > 0)
        printf(word(", %.0f doubtful"), number_of(period, "suspect"));
    if (number_of(period, "set_aside") > 0)
        printf(word(", %.0f set aside"), number_of(period, "set_aside"));
    if (number_of(period, "clock") > 0)
        printf(word(", %.0f with a time in doubt"), number_of(period, "clock"));
    putchar('\n');
    cJSON_ArrayForEach(value, period)
    {
        bool plain = strcmp(value->string, "count") == 0 || strcmp(value->string, "above") == 0;
        if (!is_value(value->string))
            continue;
        printf("  %-12s ", value->string);
        if (cJSON_IsNumber(value) && plain)
            printf("%s%s\n", page_count(value->valuedouble, text),
                   strcmp(value->string, "above") ? "" : " min");
        else if (cJSON_IsNumber(value))
            printf("%s\n", page_value(quantity, value->valuedouble, text));
        else
            puts("–");
    }
}

void show_series(const struct session *session, const cJSON *result)
{
    const char *quantity = text_of(result, "quantity"), *channel = text_of(result, "channel");
    char unit[PAGE_TEXT];
    const cJSON *period;
    (void)session;
    page_putf(BOLD, "%s/%s %s%s%s %s", text_of(result, "site"), text_of(result, "device"), quantity,
              channel && *channel ? "/" : "", channel ? channel : "",
              page_unit(text_of(result, "unit"), unit));
    putchar('\n');
    cJSON_ArrayForEach(period, item_of(result, "periods")) statistics_of(quantity, period);
}
