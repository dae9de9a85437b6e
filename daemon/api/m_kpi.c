/* Knows the figures of governance: how soon cases are taken, fixed and verified, what is on time, what comes back. Refuses to know
 * where they are kept (the store hands out a row a case). Called by the table in methods.c. */
#include <api/methods.h>

#include <stdlib.h>
#include <string.h>

#define CASES_MAX 20000

enum span { TAKEN, FIXED, VERIFIED, SPANS };
struct figures {
    const struct eg_conf *conf;
    const struct eg_scope *scope;
    const char *domain, *party;
    int mode; /* -1: any */
    size_t seen, cases, closed, rejected, on_time, recurring, disputed, counts[SPANS];
    double *spans[SPANS]; /* seconds, CASES_MAX each */
};

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

static void note_span(struct figures *figures, enum span which, int64_t from_ms, int64_t to_ms)
{
    if (from_ms != EG_TIME_NONE && to_ms != EG_TIME_NONE)
        figures->spans[which][figures->counts[which]++] =
            to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0;
}

static bool take_row(void *arg, const struct eg_kpi_row *row)
{
    struct figures *figures = arg;
    figures->seen++;
    if (!wanted(figures, row))
        return true;
    figures->cases++;
    figures->closed += row->handling == EG_CLOSED;
    figures->rejected += row->handling == EG_REJECTED;
    figures->on_time += row->missed == 0;
    figures->recurring += row->follows || row->reopened > row->disputed;
    figures->disputed += row->disputed > 0;
    note_span(figures, TAKEN, row->detected_ms, row->taken_ms);
    note_span(figures, FIXED, row->detected_ms, row->fixed_ms);
    note_span(figures, VERIFIED, row->fixed_ms, row->verified_ms);
    return true;
}

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

static void write_span(struct eg_json *json, const char *key, double *values, size_t count)
{
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

static void write_figures(struct eg_json *json, struct figures *figures)
{
    size_t counted = figures->cases - figures->rejected;
    eg_json_open(json, '{');
    eg_json_put_int(json, "cases", (int64_t)figures->cases);
    eg_json_put_int(json, "closed", (int64_t)figures->closed);
    eg_json_put_int(json, "rejected", (int64_t)figures->rejected);
    eg_json_put_int(json, "active", (int64_t)(counted - figures->closed));
    write_span(json, "acknowledge", figures->spans[TAKEN], figures->counts[TAKEN]);
    write_span(json, "fix", figures->spans[FIXED], figures->counts[FIXED]);
    write_span(json, "verify", figures->spans[VERIFIED], figures->counts[VERIFIED]);
    write_rate(json, "on_time_rate", figures->on_time, figures->cases);
    write_rate(json, "closing_rate", figures->closed, counted);
    write_rate(json, "recurrence_rate", figures->recurring, figures->cases);
    eg_json_put_int(json, "disputed", (int64_t)figures->disputed);
    eg_json_put_bool(json, "truncated", figures->seen == CASES_MAX);
    eg_json_close(json, '}');
}

static int mode_of(const char *word)
{
    for (int mode = 0; word && mode < EG_MODE_COUNT; mode++)
        if (!strcmp(word, eg_mode_name((enum eg_mode)mode)))
            return mode;
    return -1;
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
    double *memory = malloc(sizeof *memory * CASES_MAX * SPANS);
    if (!memory)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the answer.");
    struct figures figures = {.conf = call->desk->conf,
                              .scope = &scope,
                              .domain = eg_call_text(call, "domain"),
                              .party = eg_call_text(call, "party"),
                              .mode = mode_of(eg_call_text(call, "mode"))};
    for (int which = 0; which < SPANS; which++)
        figures.spans[which] = memory + (size_t)which * CASES_MAX;
    code = eg_reader_kpi(call->desk->reader, eg_call_time(call, "from", INT64_MIN),
                         eg_call_time(call, "to", INT64_MAX), CASES_MAX, take_row, &figures, &err);
    if (code == EG_OK)
        write_figures(call->json, &figures);
    free(memory);
    return code == EG_OK ? EG_CALL_DONE : eg_call_fail_err(call, &err);
}
