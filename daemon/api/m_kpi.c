/* Knows the figures of governance: how soon cases are taken, fixed and verified, what is on time, what comes back. Refuses to know
 * where they are kept (the store hands out a row a case). Called by the table in methods.c. */
#include <api/methods.h>
#include <base/zone.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MAX 20000
#define GROUPS_MAX 200
#define GROUP_TEXT 80

enum span { TAKEN, FIXED, VERIFIED, SPANS };
enum by { BY_NOTHING, BY_SITE, BY_DOMAIN, BY_MODE, BY_PARTY, BY_MONTH };

struct sample {
    uint16_t group;
    bool closed, rejected, on_time, recurring, disputed, same_hand;
    double seconds[SPANS]; /* NAN: it has not come to that */
};
struct figures {
    const struct eg_conf *conf;
    const struct eg_scope *scope;
    const char *domain, *party;
    int mode; /* -1: any */
    enum by by;
    bool truncated; /* there are more cases, or more groups */
    size_t seen, count, group_count;
    struct sample *samples;              /* [CASES_MAX] */
    double *scratch;                     /* [CASES_MAX] */
    char groups[GROUPS_MAX][GROUP_TEXT]; /* in the order they were met */
};

/* --- which cases --- */

static bool wanted(const struct figures *figures, const struct eg_kpi_row *row)
{
    const char *party = figures->party;
    if (figures->domain && strcmp(figures->domain, row->domain) != 0)
        return false;
    if (figures->mode >= 0 && figures->mode != row->mode)
        return false;
    if (party && strcmp(party, row->lead) != 0 && strcmp(party, row->assignee) != 0 &&
        strcmp(party, row->repairer) != 0)
        return false;
    if (figures->scope->all || !strcmp(figures->scope->name, row->site))
        return true;
    uint32_t site = eg_conf_site_find(figures->conf, row->site, strlen(row->site));
    return site != EG_CONF_NONE && figures->scope->site != EG_CONF_NONE &&
           eg_conf_site_within(figures->conf, site, figures->scope->site);
}

/* "" where a case belongs to nobody. `month`: room for one. */
static const char *group_of(enum by by, const struct eg_kpi_row *row, char month[32])
{
    switch (by) {
    case BY_SITE:
        return row->site;
    case BY_DOMAIN:
        return row->domain;
    case BY_MODE:
        return eg_mode_name((enum eg_mode)row->mode);
    case BY_PARTY: /* who did it, else who should */
        return *row->repairer ? row->repairer : *row->assignee ? row->assignee : row->lead;
    case BY_MONTH:
        eg_zone_format(row->detected_ms, month);
        month[strlen("2026-11")] = '\0';
        return month;
    default:
        return "";
    }
}

/* GROUPS_MAX: one too many. */
static size_t find_group(struct figures *figures, const char *name)
{
    size_t at = 0;
    while (at < figures->group_count && strcmp(figures->groups[at], name) != 0)
        at++;
    if (at == figures->group_count && at < GROUPS_MAX)
        snprintf(figures->groups[figures->group_count++], GROUP_TEXT, "%.*s", GROUP_TEXT - 1, name);
    return at;
}

static double seconds_between(int64_t from_ms, int64_t to_ms)
{
    if (from_ms == EG_TIME_NONE || to_ms == EG_TIME_NONE)
        return NAN;
    return to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0;
}

static bool take_row(void *arg, const struct eg_kpi_row *row)
{
    struct figures *figures = arg;
    char month[32];
    figures->truncated |= ++figures->seen == CASES_MAX;
    if (!wanted(figures, row))
        return true;
    size_t group = find_group(figures, group_of(figures->by, row, month));
    if (group == GROUPS_MAX) {
        figures->truncated = true;
        return true;
    }
    figures->samples[figures->count++] =
        (struct sample){.group = (uint16_t)group,
                        .closed = row->handling == EG_CLOSED,
                        .rejected = row->handling == EG_REJECTED,
                        .on_time = row->missed == 0,
                        .recurring = row->follows || row->reopened > row->disputed,
                        .disputed = row->disputed > 0,
                        .same_hand = row->same_hand,
                        .seconds = {seconds_between(row->detected_ms, row->taken_ms),
                                    seconds_between(row->detected_ms, row->fixed_ms),
                                    seconds_between(row->fixed_ms, row->verified_ms)}};
    return true;
}

/* --- what they come to --- */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The value that a share of them does not exceed: nearest rank. */
static double rank(const double *values, size_t count, unsigned percent)
{
    return values[(count * percent + 99) / 100 - 1];
}

static bool is_of(const struct sample *sample, int group)
{
    return group < 0 || sample->group == group;
}

static void write_span(struct eg_json *json, const char *key, const struct figures *figures, int group,
                       enum span which)
{
    double *values = figures->scratch;
    size_t count = 0;
    for (size_t i = 0; i < figures->count; i++)
        if (is_of(&figures->samples[i], group) && !isnan(figures->samples[i].seconds[which]))
            values[count++] = figures->samples[i].seconds[which];
    eg_json_key(json, key);
    eg_json_open(json, '{');
    eg_json_put_int(json, "count", (int64_t)count);
    if (count) {
        qsort(values, count, sizeof *values, ascending);
        eg_json_put_number(json, "median_s", rank(values, count, 50));
        eg_json_put_number(json, "p90_s", rank(values, count, 90));
    }
    eg_json_close(json, '}');
}

static void write_rate(struct eg_json *json, const char *key, size_t part, size_t whole)
{
    eg_json_key(json, key);
    if (whole)
        eg_json_number(json, (double)part / (double)whole);
    else
        eg_json_null(json);
}

/* Of a group, or of all (-1). */
static void write_figures(struct eg_json *json, const struct figures *figures, int group)
{
    size_t cases = 0, closed = 0, rejected = 0, on_time = 0, recurring = 0, disputed = 0, same_hand = 0;
    for (size_t i = 0; i < figures->count; i++) {
        const struct sample *sample = &figures->samples[i];
        if (!is_of(sample, group))
            continue;
        cases++;
        closed += sample->closed;
        rejected += sample->rejected;
        on_time += sample->on_time;
        recurring += sample->recurring;
        disputed += sample->disputed;
        same_hand += sample->same_hand;
    }
    eg_json_put_int(json, "cases", (int64_t)cases);
    eg_json_put_int(json, "closed", (int64_t)closed);
    eg_json_put_int(json, "rejected", (int64_t)rejected);
    eg_json_put_int(json, "active", (int64_t)(cases - rejected - closed));
    write_span(json, "acknowledge", figures, group, TAKEN);
    write_span(json, "fix", figures, group, FIXED);
    write_span(json, "verify", figures, group, VERIFIED);
    write_rate(json, "on_time_rate", on_time, cases);
    write_rate(json, "closing_rate", closed, cases - rejected);
    write_rate(json, "recurrence_rate", recurring, cases);
    eg_json_put_int(json, "disputed", (int64_t)disputed);
    eg_json_put_int(json, "same_hand", (int64_t)same_hand);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void write_groups(struct eg_json *json, struct figures *figures)
{
    char sorted[GROUPS_MAX][GROUP_TEXT];
    memcpy(sorted, figures->groups, sizeof sorted);
    qsort(sorted, figures->group_count, GROUP_TEXT, by_name);
    eg_json_key(json, "groups");
    eg_json_open(json, '[');
    for (size_t i = 0; i < figures->group_count; i++) {
        eg_json_open(json, '{');
        eg_json_put_string(json, "of", sorted[i]);
        write_figures(json, figures, (int)find_group(figures, sorted[i]));
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

static void write_answer(struct eg_json *json, struct figures *figures)
{
    eg_json_open(json, '{');
    write_figures(json, figures, -1);
    eg_json_put_bool(json, "truncated", figures->truncated);
    if (figures->by != BY_NOTHING)
        write_groups(json, figures);
    eg_json_close(json, '}');
}

/* --- the call --- */

static int mode_of(const char *word)
{
    for (int mode = 0; word && mode < EG_MODE_COUNT; mode++)
        if (!strcmp(word, eg_mode_name((enum eg_mode)mode)))
            return mode;
    return -1;
}

static enum by by_of(const char *word)
{
    static const char *const names[] = {"", "site", "domain", "mode", "party", "month"};
    for (int by = BY_SITE; word && by <= BY_MONTH; by++)
        if (!strcmp(word, names[by]))
            return (enum by)by;
    return BY_NOTHING;
}

int eg_m_kpi(struct eg_call *call)
{
    struct eg_scope scope;
    struct eg_err err = {0};
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    if (!call->desk->reader)
        return eg_call_no_store(call);
    struct figures *figures = calloc(1, sizeof *figures);
    struct sample *samples = calloc(CASES_MAX, sizeof *samples);
    double *scratch = calloc(CASES_MAX, sizeof *scratch);
    if (figures && samples && scratch) {
        *figures = (struct figures){.conf = call->desk->conf,
                                    .scope = &scope,
                                    .domain = eg_call_text(call, "domain"),
                                    .party = eg_call_text(call, "party"),
                                    .mode = mode_of(eg_call_text(call, "mode")),
                                    .by = by_of(eg_call_text(call, "by")),
                                    .samples = samples,
                                    .scratch = scratch};
        code = eg_reader_kpi(call->desk->reader, eg_call_time(call, "from", INT64_MIN),
                             eg_call_time(call, "to", INT64_MAX), CASES_MAX, take_row, figures, &err);
        if (code == EG_OK)
            write_answer(call->json, figures);
    } else {
        code = eg_err_set(&err, EG_ENOMEM, "no memory for the answer");
    }
    free(figures);
    free(samples);
    free(scratch);
    return code == EG_OK ? EG_CALL_DONE : eg_call_fail_err(call, &err);
}
