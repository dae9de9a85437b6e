/* Knows how it looks to people what a rule sees at its series now, and how far that is from a case. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <ecogov/quantity.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LABEL 13
#define TEXT 600

static void label(const char *what)
{
    page_label(DIM, word(what), LABEL);
}

static void line(const char *what, const char *text)
{
    if (!text)
        return;
    label(what);
    page_put(PLAIN, text);
    putchar('\n');
}

static const char *with_unit(const cJSON *rule, double value, char out[PAGE_TEXT])
{
    char number[PAGE_TEXT], unit[PAGE_TEXT];
    page_value(text_of(rule, "quantity"), value, number);
    page_unit(text_of(rule, "unit"), unit);
    snprintf(out, PAGE_TEXT, "%.40s%s%.20s", number, *unit ? " " : "", unit);
    return out;
}

static const char *span_of(const cJSON *row, const char *key, char out[PAGE_TEXT])
{
    double seconds = number_of(row, key);
    return isfinite(seconds) ? page_span((int64_t)(seconds * 1000), out) : "-";
}

/* "land_use paddy, soil_ph 5.5 … 6.5" */
static void write_when(const cJSON *when, char *out, size_t size)
{
    size_t used = 0;
    const cJSON *one, *item;
    *out = '\0';
    cJSON_ArrayForEach(one, when)
    {
        const cJSON *first = cJSON_GetArrayItem(one, 0), *second = cJSON_GetArrayItem(one, 1);
        bool range = cJSON_GetArraySize(one) == 2 && !cJSON_IsString(first);
        char text[200] = "";
        size_t length = 0;
        if (range && cJSON_IsNumber(first))
            length += (size_t)snprintf(text, sizeof text, "> %g", first->valuedouble);
        if (range && cJSON_IsNumber(second))
            snprintf(text + length, sizeof text - length, "%s<= %g", length ? ", " : "", second->valuedouble);
        if (cJSON_IsString(one))
            snprintf(text, sizeof text, "%s", one->valuestring);
        cJSON_ArrayForEach(item, one)
        {
            if (!range && cJSON_IsString(item) && length < sizeof text)
                length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", length ? "/" : "",
                                           item->valuestring);
        }
        if (used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s %s", used ? "; " : "", one->string, text);
    }
    if (!used)
        snprintf(out, size, "%s", word("always"));
}

static void write_condition(const cJSON *condition, char *out, size_t size)
{
    if (cJSON_GetArraySize(item_of(condition, "and")) == 1 ||
        cJSON_GetArraySize(item_of(condition, "or")) == 1)
        condition = cJSON_GetArrayItem(
            item_of(condition, "and") ? item_of(condition, "and") : item_of(condition, "or"), 0);
    const cJSON *list = item_of(condition, "and") ? item_of(condition, "and") : item_of(condition, "or"),
                *one;
    size_t used = 0;
    *out = '\0';
    if (!list) {
        const char *statistic = text_of(condition, "statistic"), *window = text_of(condition, "window");
        used += (size_t)snprintf(out, size, "%s", text_of(condition, "quantity"));
        if (statistic && strcmp(statistic, "last") != 0 && used < size)
            used += (size_t)snprintf(out + used, size - used, " %s %s", statistic, window ? window : "");
        if (isfinite(number_of(condition, "above")) && used < size)
            used += (size_t)snprintf(out + used, size - used, " > %g", number_of(condition, "above"));
        if (isfinite(number_of(condition, "below")) && used < size)
            snprintf(out + used, size - used, " < %g", number_of(condition, "below"));
        return;
    }
    cJSON_ArrayForEach(one, list)
    {
        char text[TEXT / 2];
        write_condition(one, text, sizeof text);
        if (used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s",
                                     !used                       ? "("
                                     : item_of(condition, "and") ? " & "
                                                                 : " | ",
                                     text);
    }
    if (used < size)
        snprintf(out + used, size - used, ")");
}

/* --- the rule --- */

/* About the state of devices, not about what they measure. */
static bool of_devices(const cJSON *rule)
{
    const char *when = text_of(rule, "when");
    return when && strcmp(when, "readings") != 0;
}

static void show_rule(const cJSON *rule)
{
    const char *statistic = text_of(rule, "statistic"), *window = text_of(rule, "window"),
               *quantity = text_of(rule, "quantity"), *id = text_of(rule, "id");
    const cJSON *condition;
    char text[TEXT];
    bool spans = statistic && window && strcmp(statistic, "last") != 0;
    page_put(BOLD, id ? id : "-");
    printf("  ");
    page_put(PLAIN, spoken_of(rule, "title", "title_zh") ? spoken_of(rule, "title", "title_zh") : "");
    putchar('\n');
    int known = quantity ? eg_quantity_find(quantity, strlen(quantity)) : EG_QUANTITY_NONE;
    if (of_devices(rule))
        snprintf(text, sizeof text, "%s: %s", word("devices"), word(text_of(rule, "when")));
    else if (known != EG_QUANTITY_NONE && eg_quantity_derived(known)) /* an index: of the hour or the day */
        snprintf(text, sizeof text, "%s %s", quantity, window ? window : "");
    else
        snprintf(text, sizeof text, "%s %s%s%s", statistic ? statistic : "?", quantity ? quantity : "?",
                 spans ? " " : "", spans ? window : "");
    line("looks at", text);
    cJSON_ArrayForEach(condition, item_of(rule, "conditions"))
    {
        write_condition(condition, text, sizeof text);
        line("and", text);
    }
    line("hold", text_of(rule, "hold"));
    line("clear_hold", text_of(rule, "clear_hold"));
    line("basis", spoken_of(rule, "basis", "basis_zh"));
    line("what to do", spoken_of(rule, "action", "action_zh"));
}

/* --- a series --- */

static void show_value(const cJSON *rule, const cJSON *row)
{
    char value[PAGE_TEXT], time[PAGE_TEXT], observed[PAGE_TEXT], window[PAGE_TEXT];
    label("now");
    page_put(BOLD, isfinite(number_of(row, "value")) ? with_unit(rule, number_of(row, "value"), value) : "-");
    if (text_of(row, "time"))
        page_putf(DIM, "  %s", page_time(text_of(row, "time"), time));
    if (isfinite(number_of(row, "window_s"))) {
        printf("  ");
        page_putf(DIM, word("%s of %s known"), span_of(row, "observed_s", observed),
                  span_of(row, "window_s", window));
    }
    if (cJSON_IsTrue(item_of(row, "silent"))) {
        printf("  ");
        page_put(MILD, word("silent"));
    }
    putchar('\n');
    line("made of", text_of(row, "made_of"));
}

static void show_beside(const cJSON *row)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, item_of(row, "beside"))
    {
        const char *statistic = text_of(one, "statistic"), *quantity = text_of(one, "quantity"),
                   *channel = text_of(one, "channel");
        char value[PAGE_TEXT], time[PAGE_TEXT];
        label("beside");
        page_putf(PLAIN, "%s%s%s ", statistic && strcmp(statistic, "last") != 0 ? statistic : "",
                  statistic && strcmp(statistic, "last") != 0 ? " " : "", quantity ? quantity : "?");
        page_put(BOLD, isfinite(number_of(one, "value"))
                           ? page_value(quantity, number_of(one, "value"), value)
                           : "-");
        page_putf(DIM, "  %s%s%s", text_of(one, "device") ? text_of(one, "device") : "",
                  channel && *channel ? "/" : "", channel ? channel : "");
        if (text_of(one, "time"))
            page_putf(DIM, "  %s", page_time(text_of(one, "time"), time));
        if (!cJSON_IsTrue(item_of(one, "fresh"))) {
            printf("  ");
            page_put(MILD, word("not known any more"));
        }
        putchar('\n');
    }
}

/* "6 min, 4 min to go, since 11-23 15:04" */
static void add_timer(struct table *table, const cJSON *timer)
{
    char observed[PAGE_TEXT], left[PAGE_TEXT], since[PAGE_TEXT];
    if (!cJSON_IsObject(timer)) {
        table_add(table, DIM, NULL);
        return;
    }
    double rest = number_of(timer, "left_s");
    if (rest > 0)
        table_addf(table, PLAIN, word("%s, %s to go, since %s"), span_of(timer, "observed_s", observed),
                   span_of(timer, "left_s", left), page_time(text_of(timer, "since"), since));
    else
        table_addf(table, PLAIN, word("%s, since %s"), span_of(timer, "observed_s", observed),
                   page_time(text_of(timer, "since"), since));
}

static void show_levels(const cJSON *rule, const cJSON *row)
{
    static const char *const heads[] = {"LEVEL",     ">OPENS", ">TO OPEN", ">CLEARS",
                                        ">TO CLEAR", "HELD",   "CLEARING", NULL};
    const cJSON *one, *levels = item_of(row, "levels");
    const char *direction = text_of(rule, "direction");
    const char *sign = direction && strcmp(direction, "below") == 0 ? "<" : ">";
    struct table table;
    char a[PAGE_TEXT];
    if (!cJSON_GetArraySize(levels))
        return;
    table_init(&table, heads);
    cJSON_ArrayForEach(one, levels)
    {
        const char *level = text_of(one, "level"), *quantity = text_of(rule, "quantity");
        double open = number_of(one, "to_open"), clear = number_of(one, "to_clear");
        bool holds = cJSON_IsTrue(item_of(one, "holds"));
        table_addf(&table, holds ? page_tone(level) : PLAIN, "%s%s", level ? word(level) : "-",
                   holds ? " *" : "");
        table_addf(&table, PLAIN, "%s %s", sign, page_value(quantity, number_of(one, "open"), a));
        table_add(&table, PLAIN,
                  !isfinite(open) ? NULL
                  : open < 0      ? word("beyond")
                                  : page_value(quantity, open, a));
        table_add(&table, PLAIN, page_value(quantity, number_of(one, "clear"), a));
        table_add(&table, PLAIN,
                  !isfinite(clear) ? NULL
                  : clear <= 0     ? word("within")
                                   : page_value(quantity, clear, a));
        add_timer(&table, item_of(one, "hold"));
        add_timer(&table, item_of(one, "clearing"));
    }
    table_print(&table, 2);
}

static void show_one(const cJSON *rule, const cJSON *row)
{
    const char *site = text_of(row, "site"), *domain = text_of(row, "domain"),
               *device = text_of(row, "device"), *channel = text_of(row, "channel"),
               *blind = text_of(row, "blind");
    const cJSON *open = item_of(row, "case"), *holds = item_of(row, "conditions_hold");
    char text[TEXT];
    putchar('\n');
    page_putf(BOLD, "%s/%s/%s%s%s", site ? site : "-", domain ? domain : "-", device ? device : "-",
              channel && *channel ? "/" : "", channel ? channel : "");
    putchar('\n');
    show_value(rule, row);
    if (cJSON_IsObject(item_of(row, "band"))) {
        write_when(item_of(row, "band"), text, sizeof text);
        line("band", text);
    }
    show_beside(row);
    if (cJSON_IsBool(holds))
        line("conditions", word(cJSON_IsTrue(holds) ? "are so" : "are not so"));
    if (blind) {
        label("not judged");
        snprintf(text, sizeof text, "blind: %s", blind);
        page_put(MILD, words_chinese() ? word(text) : text_of(row, "why") ? text_of(row, "why") : blind);
        putchar('\n');
    }
    if (cJSON_IsObject(open)) {
        const char *level = text_of(open, "level"), *condition = text_of(open, "condition"),
                   *handling = text_of(open, "handling");
        snprintf(text, sizeof text, "%s  %s, %s, %s", text_of(open, "id") ? text_of(open, "id") : "-",
                 level ? word(level) : "-", condition ? word(condition) : "-",
                 handling ? word(handling) : "-");
        line("case", text);
    }
    show_levels(rule, row);
}

void show_explain(const struct session *session, const cJSON *result)
{
    const cJSON *rule = item_of(result, "rule"), *rows = item_of(result, "series"), *row;
    (void)session;
    show_rule(rule);
    cJSON_ArrayForEach(row, rows)
    {
        show_one(rule, row);
    }
    if (!cJSON_GetArraySize(rows)) {
        putchar('\n');
        puts(of_devices(rule) ? word("It looks at devices, not at readings: see ecogovctl devices.")
                              : word("No series here that this rule looks at."));
    } else if (number_of(result, "count") > cJSON_GetArraySize(rows)) {
        printf(word("The first %d of %.0f series are shown: add --site, --device or --limit.\n"),
               cJSON_GetArraySize(rows), number_of(result, "count"));
    }
}
