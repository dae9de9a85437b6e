/* Knows how the figures of governance look to people. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <math.h>
#include <string.h>

/* 5400 → "1.5h" */
static void span_text(double seconds, char *out, size_t size)
{
    if (!isfinite(seconds))
        snprintf(out, size, "-");
    else if (seconds < 3600)
        snprintf(out, size, "%.0f%s", seconds / 60, word("min"));
    else if (seconds < 2 * 86400)
        snprintf(out, size, "%.1f%s", seconds / 3600, word("h"));
    else
        snprintf(out, size, "%.1f%s", seconds / 86400, word("d"));
}

static void count_line(const cJSON *result, const char *key)
{
    page_label(PLAIN, word(key), 20);
    printf("%.0f\n", number_of(result, key));
}

static void span_line(const cJSON *result, const char *key, const char *what)
{
    char median[32], p90[32];
    const cJSON *span = item_of(result, key);
    span_text(number_of(span, "median_s"), median, sizeof median);
    span_text(number_of(span, "p90_s"), p90, sizeof p90);
    page_label(PLAIN, word(what), 20);
    printf("%s %s, 90%% %s (%.0f)\n", word("median"), median, p90, number_of(span, "count"));
}

static void rate_line(const cJSON *result, const char *key, const char *what)
{
    double rate = number_of(result, key);
    page_label(PLAIN, word(what), 20);
    if (isfinite(rate))
        printf("%.0f%%\n", rate * 100);
    else
        puts("-");
}

static void add_span(struct table *table, const cJSON *figures, const char *key)
{
    char text[32];
    span_text(number_of(item_of(figures, key), "median_s"), text, sizeof text);
    table_add(table, PLAIN, text);
}

static void add_rate(struct table *table, const cJSON *figures, const char *key)
{
    double rate = number_of(figures, key);
    if (isfinite(rate))
        table_addf(table, PLAIN, "%.0f%%", rate * 100);
    else
        table_add(table, PLAIN, NULL);
}

/* Medians: a line has no room for more. */
static void show_groups(const cJSON *groups)
{
    static const char *const heads[] = {"OF",       ">CASES",  ">ACTIVE", ">TAKEN",    ">FIXED", ">VERIFIED",
                                        ">ON TIME", ">CLOSED", ">AGAIN",  ">DISPUTED", NULL};
    struct table table;
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, groups)
    {
        const char *of = text_of(row, "of");
        table_add(&table, BOLD, of && *of ? word(of) : NULL);
        table_addf(&table, PLAIN, "%.0f", number_of(row, "cases"));
        table_addf(&table, PLAIN, "%.0f", number_of(row, "active"));
        add_span(&table, row, "acknowledge");
        add_span(&table, row, "fix");
        add_span(&table, row, "verify");
        add_rate(&table, row, "on_time_rate");
        add_rate(&table, row, "closing_rate");
        add_rate(&table, row, "recurrence_rate");
        table_addf(&table, PLAIN, "%.0f", number_of(row, "disputed"));
    }
    putchar('\n');
    table_print(&table, 0);
}

void show_kpi(const struct session *session, const cJSON *result)
{
    (void)session;
    count_line(result, "cases");
    count_line(result, "active");
    count_line(result, "closed");
    count_line(result, "rejected");
    span_line(result, "acknowledge", "until taken");
    span_line(result, "fix", "until fixed");
    span_line(result, "verify", "until verified");
    rate_line(result, "on_time_rate", "on time");
    rate_line(result, "closing_rate", "closing rate");
    rate_line(result, "recurrence_rate", "came back");
    count_line(result, "disputed");
    if (number_of(result, "same_hand") > 0) {
        page_label(PLAIN, word("verified by the same hand"), 20);
        printf("%.0f\n", number_of(result, "same_hand"));
    }
    if (cJSON_GetArraySize(item_of(result, "groups")))
        show_groups(item_of(result, "groups"));
}
