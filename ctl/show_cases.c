/* Knows how cases look to people: the list, one with its history, what a verb answers. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <pipeline/phrase.h>

#include <math.h>
#include <string.h>

#define TITLE_TEXT 256

/* Of an exercise it says so. */
static const char *title_of(const cJSON *row, char memory[TITLE_TEXT])
{
    const char *title = text_of(row, "title"), *zh = text_of(row, "title_zh"),
               *quantity = text_of(row, "quantity"), *kind = text_of(row, "kind");
    const char *shown = (words_chinese() || !title) && zh ? zh : title;
    if (kind && strcmp(kind, "drill") == 0) {
        snprintf(memory, TITLE_TEXT, words_chinese() ? "【%s】%s" : "%s: %s", word("exercise"),
                 shown ? shown : "-");
        return memory;
    }
    return shown ? shown : quantity;
}

static void add_word(struct table *table, const cJSON *row, const char *key)
{
    const char *text = text_of(row, key);
    table_add(table, page_tone(text), text ? word(text) : NULL);
}

/* "breaching" is said of limits; in Chinese of nothing else. */
static const char *condition_word(const cJSON *row, const char *condition)
{
    const char *kind = text_of(row, "kind");
    if (!condition || strcmp(condition, "breaching") != 0 || !words_chinese() || !kind)
        return condition ? word(condition) : NULL;
    return word(!strcmp(kind, "device") || !strcmp(kind, "outage") ? "silent"
                : !strcmp(kind, "maintenance")                     ? "to be serviced"
                                                                   : condition);
}

static void add_point(struct table *table, const cJSON *row, const char *key)
{
    char value[PAGE_TEXT];
    table_add(table, PLAIN,
              page_value(text_of(row, "quantity"), number_of(item_of(row, key), "value"), value));
}

static void add_device(struct table *table, const cJSON *row)
{
    const char *channel = text_of(row, "channel"), *device = text_of(row, "device");
    table_addf(table, PLAIN, "%s%s%s", device ? device : "-", channel && *channel ? "/" : "",
               channel ? channel : "");
}

/* Where there is little room: the number, which the verbs take like the id, and what of the id says the place; without peak and unit. */
static void show_cases_narrow(const cJSON *result)
{
    static const char *const heads[] = {"NO.",    "LEVEL", "CONDITION", "HANDLING", "SITE",
                                        "DEVICE", "WHAT",  ">LAST",     ">SINCE",   NULL};
    struct table table;
    char text[PAGE_TEXT], title[TITLE_TEXT];
    const cJSON *row;
    table_init(&table, heads);
    table.cut_to = 8;
    cJSON_ArrayForEach(row, item_of(result, "cases"))
    {
        const char *condition = text_of(row, "condition");
        table_addf(&table, PLAIN, "%.0f", number_of(row, "number"));
        add_word(&table, row, "level");
        table_add(&table, page_tone(condition), condition_word(row, condition));
        add_word(&table, row, "handling");
        table_add(&table, PLAIN, text_of(row, "site"));
        add_device(&table, row);
        table_add(&table, PLAIN, title_of(row, title));
        add_point(&table, row, "last");
        table_add(&table, PLAIN, page_time(text_of(row, "opened_at"), text));
    }
    table_print(&table, 0);
    show_next(result);
}

void show_cases(const struct session *session, const cJSON *result)
{
    (void)session;
    if (page_narrow()) {
        show_cases_narrow(result);
        return;
    }
    static const char *const heads[] = {"CASE",  "LEVEL", "CONDITION", "HANDLING", "DEVICE", "WHAT",
                                        ">LAST", ">PEAK", "UNIT",      "SINCE",    NULL};
    struct table table;
    char text[PAGE_TEXT], title[TITLE_TEXT];
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, item_of(result, "cases"))
    {
        table_add(&table, PLAIN, text_of(row, "id"));
        add_word(&table, row, "level");
        const char *condition = text_of(row, "condition");
        table_add(&table, page_tone(condition), condition_word(row, condition));
        add_word(&table, row, "handling");
        add_device(&table, row);
        table_add(&table, PLAIN, title_of(row, title));
        add_point(&table, row, "last");
        add_point(&table, row, "peak");
        table_add(&table, PLAIN, page_unit(text_of(row, "unit"), text));
        table_add(&table, PLAIN, page_time(text_of(row, "opened_at"), text));
    }
    table_print(&table, 0);
    show_next(result);
}

/* "what      text", nothing when there is no text. */
static void line(const char *what, enum tone tone, const char *text)
{
    if (!text || !*text)
        return;
    printf("  ");
    page_label(DIM, word(what), 13);
    page_put(tone, text);
    putchar('\n');
}

/* A name with its id behind it: people say the one, commands take the other. */
static void named_line(const char *what, const cJSON *row, const char *id_key, const char *name_key)
{
    char text[256];
    const char *id = text_of(row, id_key), *name = text_of(row, name_key);
    if (id && name && strcmp(id, name) != 0)
        snprintf(text, sizeof text, "%s (%s)", name, id);
    else
        snprintf(text, sizeof text, "%s", id ? id : "");
    line(what, PLAIN, text);
}

static void due_line(const cJSON *row)
{
    char time[PAGE_TEXT], text[256];
    const char *due = text_of(row, "due_at");
    if (!due)
        return;
    snprintf(text, sizeof text, "%s%s%s", page_time(due, time),
             cJSON_IsTrue(item_of(row, "overdue")) ? ", " : "",
             cJSON_IsTrue(item_of(row, "overdue")) ? word("overdue") : "");
    line("due", PLAIN, text);
}

static void suppressed_line(const cJSON *row)
{
    char time[PAGE_TEXT], text[640];
    const cJSON *now = item_of(row, "suppressed");
    const char *by = text_of(now, "by"), *id = text_of(now, "id"), *reason = text_of(now, "reason");
    if (!by)
        return;
    snprintf(text, sizeof text, "%s%s%s, %s %s%s%s", word(by), id ? " " : "", id ? id : "", word("until"),
             page_time(text_of(now, "until"), time), reason ? ": " : "", reason ? reason : "");
    line("suppressed", PLAIN, text);
}

static void number_line(const char *what, const cJSON *row, const char *key)
{
    char text[32];
    if (!(number_of(row, key) > 0))
        return;
    snprintf(text, sizeof text, "%.0f", number_of(row, key));
    line(what, PLAIN, text);
}

/* "120.5 µg/m³"; an index has no unit. */
static const char *with_unit(const cJSON *row, double value, char out[2 * PAGE_TEXT])
{
    char number[PAGE_TEXT], unit[PAGE_TEXT];
    page_value(text_of(row, "quantity"), value, number);
    page_unit(text_of(row, "unit"), unit);
    snprintf(out, 2 * (size_t)PAGE_TEXT, "%s%s%s", number, *unit ? " " : "", unit);
    return out;
}

/* A case each that hangs on this one: how bad, how it stands, its worst value. */
static void kin_line(const char *what, const cJSON *row, const char *key)
{
    const cJSON *other;
    char value[2 * PAGE_TEXT], time[PAGE_TEXT], text[512];
    cJSON_ArrayForEach(other, item_of(row, key))
    {
        const char *id = text_of(other, "id"), *level = text_of(other, "level"),
                   *condition = text_of(other, "condition"), *handling = text_of(other, "handling");
        double peak = number_of(item_of(other, "peak"), "value");
        int used = snprintf(text, sizeof text, "%s  %s, %s, %s", id ? id : "-", level ? word(level) : "-",
                            condition ? word(condition) : "-", handling ? word(handling) : "-");
        if (isfinite(peak) && used > 0 && (size_t)used < sizeof text)
            snprintf(text + used, sizeof text - (size_t)used, ", %s %s, %s", word("peak"),
                     with_unit(row, peak, value), page_time(text_of(item_of(other, "peak"), "time"), time));
        line(what, PLAIN, text);
    }
}

static void point_line(const char *what, const cJSON *row, const char *key)
{
    char value[2 * PAGE_TEXT], time[PAGE_TEXT], text[256];
    const cJSON *point = item_of(row, key);
    if (!isfinite(number_of(point, "value")))
        return;
    snprintf(text, sizeof text, "%s, %s", with_unit(row, number_of(point, "value"), value),
             page_time(text_of(point, "time"), time));
    line(what, PLAIN, text);
}

/* A place by its name, a word, a time ("corrected"), what holds a notice back ("silence 2"): in the reader's language. */
static const char *said_so(const char *text, const char *name, char out[256])
{
    eg_phrase_say(text, words_chinese(), word, out, 256);
    return name ? name : strcmp(out, text) != 0 ? out : word(text);
}

/* From where to where; of an assignment whom it went to, since where it stood is no news. */
static void put_step(const cJSON *row, const cJSON *event, const char *kind)
{
    const char *from = text_of(event, "from"), *to = text_of(event, "to");
    char said[256];
    if (!to || (kind && strcmp(kind, to) == 0))
        return;
    if (kind && strcmp(kind, "condition") == 0) {
        page_putf(PLAIN, " %s → ", from ? condition_word(row, from) : "-");
        page_put(page_tone(to), condition_word(row, to));
        return;
    }
    if (from && !(kind && strcmp(kind, "assigned") == 0))
        page_putf(PLAIN, " %s →", said_so(from, text_of(event, "from_name"), said));
    putchar(' ');
    page_put(page_tone(to), said_so(to, text_of(event, "to_name"), said));
}

/* What ecogovd wrote is said in the reader's language, what people wrote as it is. */
static void put_note(const char *actor, const char *note)
{
    char text[2048];
    if (actor && strcmp(actor, "ecogovd") == 0) {
        eg_phrase_say(note, words_chinese(), word, text, sizeof text);
        note = text;
    }
    printf("  “");
    page_put(PLAIN, note);
    printf("”");
}

#define HISTORY_FIRST 3 /* how it began, */
#define HISTORY_LAST 40 /* and how it stands */

static void history(const cJSON *row)
{
    const cJSON *event;
    char time[PAGE_TEXT], value[PAGE_TEXT];
    int count = cJSON_GetArraySize(item_of(row, "history")), at = 0,
        left_out = count > HISTORY_FIRST + HISTORY_LAST + 1 ? count - HISTORY_FIRST - HISTORY_LAST : 0;
    printf("\n  ");
    page_put(BOLD, word("history"));
    putchar('\n');
    cJSON_ArrayForEach(event, item_of(row, "history"))
    {
        int place = at++;
        if (left_out && place == HISTORY_FIRST) {
            printf("  ");
            page_putf(DIM, word("… %d more; --json tells all of them"), left_out);
            putchar('\n');
        }
        if (left_out && place >= HISTORY_FIRST && place < HISTORY_FIRST + left_out)
            continue;
        const char *kind = text_of(event, "kind"), *to = text_of(event, "to"),
                   *actor = text_of(event, "actor"), *note = text_of(event, "note"),
                   *party = text_of(event, "party"), *party_name = text_of(event, "party_name");
        printf("  %s  ", page_time_full(text_of(event, "at"), time));
        page_put(BOLD, kind ? word(kind) : "?");
        put_step(row, event, kind);
        if (isfinite(number_of(event, "value")))
            printf(" (%s)", page_value(text_of(row, "quantity"), number_of(event, "value"), value));
        if (actor)
            page_putf(DIM, "  %s", actor);
        if (party && !(to && strcmp(party, to) == 0))
            page_putf(DIM, " (%s)", party_name ? party_name : party);
        if (cJSON_IsTrue(item_of(event, "same_hand")))
            page_putf(DIM, "  %s", word("entered by the hand that entered the repair"));
        if (note)
            put_note(actor, note);
        putchar('\n');
    }
}

void show_case(const struct session *session, const cJSON *row)
{
    (void)session;
    char text[256], time[PAGE_TEXT], value[2 * PAGE_TEXT];
    const char *level = text_of(row, "level"), *condition = text_of(row, "condition"),
               *handling = text_of(row, "handling"), *channel = text_of(row, "channel"),
               *id = text_of(row, "id"), *mode = text_of(row, "mode"), *device = text_of(row, "device"),
               *kind = text_of(row, "kind");
    page_put(BOLD, id ? id : "-");
    printf("  ");
    page_put(page_tone(level), level ? word(level) : "-");
    printf("  ");
    page_put(PLAIN, title_of(row, text) ? title_of(row, text) : "-");
    putchar('\n');
    named_line("site", row, "site", "site_name");
    snprintf(text, sizeof text, "%s%s%s", device ? device : "", channel && *channel ? "/" : "",
             channel ? channel : "");
    line("device", PLAIN, text);
    line("condition", page_tone(condition), condition_word(row, condition));
    line("handling", page_tone(handling), handling ? word(handling) : NULL);
    line(words_chinese() ? "开始时间" : "since", PLAIN, page_time(text_of(row, "opened_at"), time));
    line("detected", PLAIN, page_time(text_of(row, "detected_at"), time));
    line(words_chinese() ? "关闭时间" : "closed", PLAIN,
         text_of(row, "closed_at") ? page_time(text_of(row, "closed_at"), time) : NULL);
    point_line("last", row, "last");
    point_line("peak", row, "peak");
    if (isfinite(number_of(row, "limit")))
        line("limit", PLAIN, with_unit(row, number_of(row, "limit"), value));
    line("kind", PLAIN, kind && strcmp(kind, "breach") != 0 ? word(kind) : NULL);
    line("rule", PLAIN, text_of(row, "rule"));
    line("mode", PLAIN, mode ? word(mode) : NULL);
    named_line("lead", row, "lead", "lead_name");
    named_line("assignee", row, "assignee", "assignee_name");
    due_line(row);
    suppressed_line(row);
    line("until", PLAIN, text_of(row, "until") ? page_time(text_of(row, "until"), time) : NULL);
    if (number_of(row, "faster") > 1)
        number_line("faster", row, "faster");
    number_line("escalation", row, "escalation");
    number_line("reopened", row, "reopened");
    number_line("follows", row, "follows");
    number_line("part of", row, "parent");
    kin_line("holds", row, "children");
    line("repaired by", PLAIN, text_of(row, "repaired_by"));
    line("basis", PLAIN, spoken_of(row, "basis", "basis_zh"));
    line("what to do", PLAIN, spoken_of(row, "action", "action_zh"));
    snprintf(text, sizeof text, "%.0f", number_of(row, "version"));
    line("version", PLAIN, text);
    show_evidence(row);
    history(row);
}

void show_verb(const struct session *session, const cJSON *row)
{
    (void)session;
    const char *id = text_of(row, "id"), *handling = text_of(row, "handling"),
               *assignee = text_of(row, "assignee");
    page_putf(PLAIN, "%s: ", id ? id : "-");
    page_put(page_tone(handling), handling ? word(handling) : "-");
    if (assignee)
        page_putf(PLAIN, ", %s %s", word("assignee"), assignee);
    printf(" (%s %.0f)\n", word("version"), number_of(row, "version"));
}

void show_drill(const struct session *session, const cJSON *row)
{
    static const char *const ladder[] = {
        "ack", "assign … --party P", "start", "fix … --party P", "verify … --party Q", NULL};
    char due[PAGE_TEXT];
    show_verb(session, row);
    if (text_of(row, "due_at"))
        printf("%s %s\n", word("due by"), page_time_full(text_of(row, "due_at"), due));
    page_put(DIM, word("an exercise, kept out of the figures; the ladder:"));
    putchar('\n');
    for (size_t i = 0; ladder[i]; i++)
        printf("  ecogovctl case %.*s %.0f%s\n", (int)strcspn(ladder[i], " "), ladder[i],
               number_of(row, "number"), strstr(ladder[i], "…") ? strstr(ladder[i], "…") + strlen("…") : "");
}

void show_report(const struct session *session, const cJSON *row)
{
    if (text_of(row, "id"))
        show_verb(session, row);
    else
        puts(word("stored; no case came of it"));
}
