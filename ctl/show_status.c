/* Knows how `status` looks to people. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <ecogov/time.h>

#include <math.h>
#include <string.h>

#define LABEL 10

static void head(const char *text)
{
    page_label(DIM, word(text), words_chinese() ? LABEL + 2 : LABEL);
}

static void counts(const cJSON *object, const char *const *keys)
{
    char count[PAGE_TEXT];
    for (size_t i = 0; keys[i]; i++) {
        double value = number_of(object, keys[i]);
        if (!isfinite(value) || (i > 1 && value == 0)) /* the first two always, the rest when there are any */
            continue;
        printf("%s%s %s", i ? ", " : "", page_count(value, count), word(keys[i]));
    }
    putchar('\n');
}

static int64_t since(const struct session *session, const char *time)
{
    int64_t ms;
    return time && eg_time_parse(time, strlen(time), &ms) && ms < session->now_ms ? session->now_ms - ms : 0;
}

static void broker(const cJSON *status)
{
    const cJSON *link = item_of(status, "broker");
    const char *host = text_of(link, "host"), *from = text_of(link, "since");
    bool connected = cJSON_IsTrue(item_of(link, "connected"));
    char time[PAGE_TEXT];
    head("broker");
    page_putf(PLAIN, "%s:%.0f ", host ? host : "-", number_of(link, "port"));
    page_put(connected ? GOOD : BAD, word(connected ? "connected" : "not connected"));
    if (from)
        printf(" %s %s", word("since"), page_time(from, time));
    putchar('\n');
}

/* Since when, what that means, and what to do; nothing while it is trusted. */
void show_doubted_clock(const cJSON *clock)
{
    char since[PAGE_TEXT];
    if (!cJSON_IsFalse(item_of(clock, "trusted")))
        return;
    page_putf(BAD, word("The gateway's clock is in doubt since %s:"),
              page_time(text_of(clock, "doubted_since"), since));
    printf("\n  %s\n  %s\n", word("times are guessed, deadlines wait, nobody is called silent."),
           word("Connect it to NTP; or set it and say: ecogovctl clock trust"));
}

/* What the card had to take, and how long it will last if that goes on. */
static void card(const cJSON *file)
{
    const cJSON *wear = item_of(file, "card");
    double a_day = number_of(file, "bytes_per_day"), years = number_of(wear, "years_left"),
           factor = number_of(wear, "kernel_factor");
    char a[PAGE_TEXT], b[PAGE_TEXT];
    head("card");
    printf("%s %s", page_bytes(number_of(file, "bytes_written"), a), word("written"));
    if (isfinite(a_day))
        printf(word(", %s a day"), page_bytes(a_day, b));
    if (isfinite(factor))
        printf(word(" (%.1f times as much by the kernel)"), factor);
    fputs(isfinite(years) ? ": " : "", stdout);
    if (years > 100)
        fputs(word("more than 100 years"), stdout);
    else if (years >= 0)
        page_putf(years < 1 ? WORST : years < 3 ? BAD : PLAIN, word("%.1f years left"), years);
    putchar('\n');
}

static void store(const cJSON *status)
{
    const cJSON *file = item_of(status, "store"), *turns = item_of(status, "turns");
    char a[PAGE_TEXT], b[PAGE_TEXT], c[PAGE_TEXT];
    head("store");
    page_put(PLAIN, text_of(file, "path") ? text_of(file, "path") : "-");
    printf("  %s, %s %s", page_bytes(number_of(file, "bytes"), a), page_count(number_of(file, "readings"), b),
           word("readings"));
    if (number_of(file, "journal") > 0)
        printf(" (%s %s)", page_count(number_of(file, "journal"), c), word("not sealed yet"));
    putchar('\n');
    card(file);
    head("turns");
    printf("%s %s, %s %.1f ms\n", page_count(number_of(turns, "commits"), a), word("commits"),
           word("the last took"), number_of(turns, "last_commit_ms"));
}

static void cases(const cJSON *status)
{
    const cJSON *all = item_of(status, "cases"), *level = item_of(all, "level");
    static const char *const levels[] = {"critical", "warning", "notice"};
    static const char *const handlings[] = {"open", "acknowledged", "assigned", "in_progress", "fixed"};
    double active = number_of(all, "active");
    head("cases");
    if (!(active > 0)) {
        printf("%s\n", word("no open case"));
        return;
    }
    printf("%.0f %s:", active, word("active"));
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (number_of(level, levels[i]) > 0) {
            putchar(' ');
            page_putf(page_tone(levels[i]), "%.0f %s", number_of(level, levels[i]), word(levels[i]));
        }
    printf(";");
    for (size_t i = 0; i < sizeof handlings / sizeof *handlings; i++)
        if (number_of(all, handlings[i]) > 0)
            printf(" %.0f %s", number_of(all, handlings[i]), word(handlings[i]));
    putchar('\n');
}

static void faults(const cJSON *status)
{
    const cJSON *list = item_of(status, "faults"), *fault;
    char time[PAGE_TEXT];
    int count = 0;
    head("faults");
    cJSON_ArrayForEach(fault, list)
    {
        const char *key = text_of(fault, "key"), *text = text_of(fault, "text");
        if (key && strcmp(key, "clock") == 0) /* it stands above */
            continue;
        printf("%*s", count++ ? 10 : 0, "");
        page_put(BAD, text ? text : "-");
        printf(" (%s %s)\n", word("since"), page_time(text_of(fault, "since"), time));
    }
    if (!count)
        printf("%s\n", word("none"));
}

void show_status(const struct session *session, const cJSON *result)
{
    static const char *const messages[] = {"received",    "decoded", "duplicate",
                                           "quarantined", "ignored", NULL};
    static const char *const readings[] = {"decoded", "stored", "duplicate", "rejected", "corrected", NULL};
    char span[PAGE_TEXT];
    const char *version = text_of(result, "version"), *zone = text_of(result, "time_zone");
    printf(word("ecogovd %s, up %s"), version ? version : "?",
           page_span(since(session, text_of(result, "started_at")), span));
    printf(" (%s)\n", zone ? zone : "-");
    show_doubted_clock(item_of(result, "clock"));
    broker(result);
    head("messages");
    counts(item_of(result, "messages"), messages);
    head("readings");
    counts(item_of(result, "readings"), readings);
    store(result);
    cases(result);
    faults(result);
}

void show_clock(const struct session *session, const cJSON *result)
{
    char was[PAGE_TEXT], is[PAGE_TEXT], span[PAGE_TEXT];
    (void)session;
    const double later_s = number_of(result, "later_s");
    printf(word(later_s < 0 ? "The clock is trusted: what was dated %s is of %s (%s earlier).\n"
                            : "The clock is trusted: what was dated %s is of %s (%s later).\n"),
           page_time(text_of(result, "was"), was), page_time(text_of(result, "is"), is),
           page_span((int64_t)fabs(later_s) * 1000, span));
}

void show_reload(const struct session *session, const cJSON *result)
{
    const char *file = text_of(result, "file");
    (void)session;
    printf(word("%s is in force: %.0f sites, %.0f sources, %.0f rules, %.0f parties\n"), file ? file : "-",
           number_of(result, "sites"), number_of(result, "sources"), number_of(result, "rules"),
           number_of(result, "parties"));
    if (cJSON_IsTrue(item_of(result, "restart_needed")))
        puts(word("Some of what changed takes effect with the next start only: systemctl restart ecogovd"));
}
