/* Whether the row of each case is what its history makes of it. Knows what each event leaves on the row (pipeline/case.c, command.c,
 * deadline.c, recur.c write both); refuses to know whether the history itself is whole (history.c). Called by verify.c.
 *
 * What no event tells is left out: values, the limit, when it is due, the mode, whom it follows. A case from before a salvage is left out;
 * one that began before the rows were kept so (EG_PROOF_KEY) is held against its history in part (hold(), not hold_later()). */
#include <store/inside.h>
#include <store/proof.h>
#include <ecogov/time.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define UNTOLD (INT64_MIN + 1) /* EG_TIME_NONE is told: there is none */
#define US "ecogovd"

/* As the history tells it. */
struct told {
    bool lost, by_us, valued, exercise; /* a lost entry; who opened it, with a value, as an exercise */
    bool over;                          /* closed by us: what was silent was set ok with it */
    int64_t seq;                        /* of the first event */
    int64_t opened_ms, detected_ms, closed_ms, began_ms, fix_missed_ms;
    int64_t handling, level, condition, escalation, reopened, handed_on, overdue;
    int64_t missed_least, missed_most; /* whether a step begins another deadline, the rule says */
    char lead[64], assignee[64], fixer[64], repairer[64], parent[96], version[20];
    bool leads, versioned; /* somebody took it in hand; its rule changed */
};

struct check {
    const struct eg_case *row;
    struct eg_buf *findings;
};

/* --- the history --- */

static bool is(const char *a, const char *b)
{
    return !strcmp(a, b);
}

static int64_t find(const char *word, const char *(*name)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (is(word, name(i)))
            return i;
    return UNTOLD;
}

static const char *level_name(int level)
{
    return eg_level_name((enum eg_level)level);
}

static const char *condition_name(int condition)
{
    return eg_condition_name((enum eg_condition)condition);
}

static const char *handling_name(int handling)
{
    return eg_handling_name((enum eg_handling)handling);
}

/* UNTOLD: it is no step. */
static int64_t step_of(const struct eg_case_event *event)
{
    static const char *const steps[] = {"acknowledged", "started",  "fixed",    "verified", "closed",
                                        "rejected",     "reopened", "disputed", "expired"};
    if (is(event->kind, "assigned"))
        return EG_ASSIGNED; /* it says to whom */
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (is(event->kind, steps[i]))
            return find(event->to, handling_name, EG_HANDLING_COUNT);
    return UNTOLD;
}

static void begin_anew(struct told *told, const struct eg_case_event *event)
{
    told->reopened++;
    told->began_ms = event->known_ms;
    told->escalation = told->handed_on = told->missed_most = told->overdue = 0;
    *told->fixer = *told->repairer = '\0';
    if (!is(event->actor, US))
        return;
    told->condition = EG_CONDITION_BREACHING; /* by a reading: at its level, by the rule of today */
    told->level = UNTOLD;
    told->versioned = told->over = false;
}

static void take_step(struct told *told, const struct eg_case_event *event, int64_t to)
{
    const bool ended = to == EG_CLOSED || to == EG_REJECTED, over = to == EG_CLOSED && is(event->actor, US);
    told->handling = to;
    told->closed_ms = ended ? event->known_ms : EG_TIME_NONE;
    told->over |= over;
    told->missed_least = 0;
    if (to == EG_ASSIGNED)
        snprintf(told->assignee, sizeof told->assignee, "%s", event->to);
    if (to == EG_FIXED) {
        snprintf(told->fixer, sizeof told->fixer, "%s", event->actor);
        snprintf(told->repairer, sizeof told->repairer, "%s", event->party);
    }
    if (to == EG_FIXED || (ended && !over))
        told->missed_most = 0;
    if (to == EG_OPEN && !is(event->kind, "expired"))
        begin_anew(told, event);
}

static void take_opened(struct told *told, const struct eg_case_event *event)
{
    told->opened_ms = event->at_ms;
    told->detected_ms = told->began_ms = event->known_ms;
    told->level = find(event->to, level_name, EG_LEVEL_COUNT);
    told->handling = EG_OPEN;
    told->by_us = is(event->actor, US);
    told->valued = !isnan(event->value);
    told->exercise = is(event->note, "exercise");
}

/* What time and other cases did. */
static void take_other(struct told *told, const struct eg_case_event *event)
{
    if (is(event->kind, "missed")) {
        told->missed_least++;
        told->missed_most++;
        told->overdue = 1; /* unless it climbs */
        if (is(event->to, "fix"))
            told->fix_missed_ms = event->at_ms;
    } else if (is(event->kind, "escalated")) {
        told->escalation++;
        told->overdue = 0;
    } else if (is(event->kind, "resumed")) {
        told->missed_least = 0;
    } else if (is(event->kind, "took_over") || is(event->kind, "offered")) {
        told->handed_on = 1;
    } else if (is(event->kind, "linked")) {
        snprintf(told->parent, sizeof told->parent, "%s", event->to);
    } else if (is(event->kind, "rule_changed")) {
        snprintf(told->version, sizeof told->version, "%s", *event->to ? event->to : "0000000000000000");
        told->versioned = true;
    }
    if (is(event->kind, "took_over") || is(event->kind, "taken")) {
        snprintf(told->lead, sizeof told->lead, "%s", event->to);
        told->leads = true;
    }
}

static void take(struct told *told, const struct eg_case_event *event)
{
    const int64_t to = step_of(event);
    const bool clock = is(event->kind, "clock");
    if (event->version == 1 && is(event->kind, "opened")) {
        take_opened(told, event);
    } else if (to != UNTOLD) {
        take_step(told, event, to);
    } else if (is(event->kind, "level")) {
        told->level = find(event->to, level_name, EG_LEVEL_COUNT);
    } else if (is(event->kind, "condition")) {
        told->condition = find(event->to, condition_name, EG_CONDITION_COUNT);
        told->over = false;
    } else if (clock || is(event->kind, "corrected")) {
        int64_t ms;
        if (*event->to)
            told->opened_ms = eg_time_parse(event->to, strlen(event->to), &ms) ? ms : UNTOLD;
        if (clock) /* by how much exactly, it does not say */
            told->detected_ms = told->began_ms = UNTOLD;
    } else if (is(event->kind, "lost")) {
        told->lost = true;
    } else {
        take_other(told, event);
    }
}

/* --- against the row --- */

static void differs(const struct check *check, const char *member, const char *told, const char *row)
{
    eg_buf_printf(check->findings, "case %u: its %s is '%s' by its history, and '%s' in its row\n",
                  check->row->number, member, told, row);
}

static void hold_text(const struct check *check, const char *member, const char *told, const char *row)
{
    if (!is(told, row))
        differs(check, member, told, row);
}

static void hold_number(const struct check *check, const char *member, int64_t told, int64_t row)
{
    char a[24], b[24];
    snprintf(a, sizeof a, "%" PRId64, told);
    snprintf(b, sizeof b, "%" PRId64, row);
    if (told != UNTOLD && told != row)
        differs(check, member, a, b);
}

static void hold_word(const struct check *check, const char *member, int64_t told, int row,
                      const char *(*name)(int), int count)
{
    if (told != UNTOLD && told != row)
        differs(check, member, name((int)told), row >= 0 && row < count ? name(row) : "none there is");
}

static const char *time_text(int64_t ms, char out[EG_TIME_TEXT])
{
    return ms == EG_TIME_NONE ? "never" : eg_time_format(ms, out);
}

static void hold_time(const struct check *check, const char *member, int64_t told, int64_t row)
{
    char a[EG_TIME_TEXT], b[EG_TIME_TEXT];
    if (told != UNTOLD && told != row)
        differs(check, member, time_text(told, a), time_text(row, b));
}

static int64_t condition_of(const struct told *told, const struct eg_case *row)
{
    int64_t condition = told->condition;
    if (told->over && (row->kind == EG_CASE_DEVICE || row->kind == EG_CASE_OUTAGE) &&
        row->condition == EG_CONDITION_OK)
        return EG_CONDITION_OK;
    if (condition == UNTOLD && told->seq) /* as it was opened */
        condition = row->kind == EG_CASE_REPORT || row->kind == EG_CASE_MAINTENANCE ? EG_CONDITION_UNKNOWN
                                                                                    : EG_CONDITION_BREACHING;
    return condition;
}

/* Only a person reports, exercises and rejects; only what was judged has a value. */
static bool kind_fits(const struct told *told, const struct eg_case *row)
{
    switch (row->kind) {
    case EG_CASE_BREACH:
        return told->by_us;
    case EG_CASE_REGIONAL:
        return told->by_us && !row->series;
    case EG_CASE_DEVICE:
    case EG_CASE_OUTAGE:
        return told->by_us && !told->valued && !row->series;
    case EG_CASE_MAINTENANCE:
        return !told->valued && (told->by_us || !row->series);
    case EG_CASE_REPORT:
        return !told->by_us && !row->series;
    case EG_CASE_DRILL:
        return !told->by_us && !told->valued && told->exercise && !row->series;
    default:
        return false;
    }
}

static void hold_name(const struct check *check)
{
    const struct eg_case *row = check->row;
    char begins[80], ends[16];
    snprintf(begins, sizeof begins, "%.60s-", row->site);
    snprintf(ends, sizeof ends, "-%u", row->number);
    size_t length = strlen(row->id), tail = strlen(ends);
    if (strncmp(row->id, begins, strlen(begins)) != 0 || length < tail || !is(row->id + length - tail, ends))
        eg_buf_printf(check->findings, "case %u: it is called '%s', and is one of site '%s'\n", row->number,
                      row->id, row->site);
}

static void hold_missed(const struct check *check, const struct told *told)
{
    const struct eg_case *row = check->row;
    if (row->missed < told->missed_least)
        hold_number(check, "count of missed deadlines", told->missed_least, row->missed);
    if (row->missed > told->missed_most)
        hold_number(check, "count of missed deadlines", told->missed_most, row->missed);
    if (told->missed_least || !told->missed_most)
        hold_number(check, "mark overdue", told->missed_most ? told->overdue : 0, row->overdue);
    hold_time(check, "last missed deadline to fix", told->fix_missed_ms, row->fix_missed_ms);
}

/* What rows have said since they were kept so. */
static void hold_later(const struct check *check, const struct told *told)
{
    const struct eg_case *row = check->row;
    char version[20];
    hold_text(check, "fixer", told->fixer, row->fixer);
    hold_text(check, "repairer", told->repairer, row->repairer);
    hold_time(check, "time since when it waits for people", told->began_ms, row->began_ms);
    hold_number(check, "mark handed on", told->handed_on, row->handed_on);
    hold_missed(check, told);
    if (told->handling != EG_ACKNOWLEDGED)
        hold_time(check, "end of the acknowledgement", EG_TIME_NONE, row->until_ms);
    if (told->handling == EG_CLOSED || told->handling == EG_REJECTED)
        hold_time(check, "deadline", EG_TIME_NONE, row->due_ms);
    snprintf(version, sizeof version, "%016" PRIx64, row->rule_version);
    if (told->versioned)
        hold_text(check, "version of the rule", told->version, version);
    if (!kind_fits(told, row))
        eg_buf_printf(check->findings,
                      "case %u: its row says '%s', and its history was not begun like that\n", row->number,
                      row->kind < EG_CASE_KIND_COUNT ? eg_case_kind_name((enum eg_case_kind)row->kind) : "?");
    hold_name(check);
}

static void hold(const struct check *check, const struct told *told)
{
    const struct eg_case *row = check->row;
    hold_word(check, "handling", told->handling, row->handling, handling_name, EG_HANDLING_COUNT);
    hold_word(check, "level", told->level, row->level, level_name, EG_LEVEL_COUNT);
    hold_word(check, "condition", condition_of(told, row), row->condition, condition_name,
              EG_CONDITION_COUNT);
    hold_time(check, "opening", told->opened_ms, row->opened_ms);
    hold_time(check, "detection", told->detected_ms, row->detected_ms);
    hold_time(check, "end", told->closed_ms, row->closed_ms);
    hold_text(check, "assignee", told->assignee, row->assignee);
    if (told->leads)
        hold_text(check, "lead", told->lead, row->lead);
    hold_number(check, "escalation", told->escalation, row->escalation);
    hold_number(check, "count of reopenings", told->reopened, row->reopened);
}

/* --- all of them --- */

static const char *text_at(sqlite3_stmt *sql, int column)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    return text ? text : "";
}

static void replay(sqlite3_stmt *sql, uint32_t number, struct told *ret)
{
    *ret = (struct told){.closed_ms = EG_TIME_NONE,
                         .fix_missed_ms = EG_TIME_NONE,
                         .opened_ms = UNTOLD,
                         .detected_ms = UNTOLD,
                         .began_ms = UNTOLD,
                         .handling = UNTOLD,
                         .level = UNTOLD,
                         .condition = UNTOLD};
    sqlite3_bind_int64(sql, 1, number);
    int code;
    while ((code = sqlite3_step(sql)) == SQLITE_ROW) {
        const bool none = sqlite3_column_type(sql, 7) == SQLITE_NULL;
        const struct eg_case_event event = {.version = (uint32_t)sqlite3_column_int64(sql, 0),
                                            .at_ms = sqlite3_column_int64(sql, 1),
                                            .known_ms = sqlite3_column_int64(sql, 2),
                                            .kind = text_at(sql, 3),
                                            .actor = text_at(sql, 4),
                                            .from = "",
                                            .to = text_at(sql, 5),
                                            .note = text_at(sql, 6),
                                            .value = none ? (double)NAN : sqlite3_column_double(sql, 7),
                                            .party = text_at(sql, 8)};
        if (event.version == 1)
            ret->seq = sqlite3_column_int64(sql, 9);
        take(ret, &event);
    }
    ret->lost |= code != SQLITE_DONE; /* broken off */
    sqlite3_reset(sql);
}

/* The case above it, by its name; one whose row was lost has another now. */
static void hold_parent(const struct check *check, const struct told *told, sqlite3_stmt *sql)
{
    sqlite3_bind_int64(sql, 1, check->row->parent);
    const char *name = sqlite3_step(sql) == SQLITE_ROW ? text_at(sql, 0) : "";
    if (strncmp(name, "lost-", 5) != 0)
        hold_text(check, "regional case", told->parent, name);
    sqlite3_reset(sql);
}

/* Of a series: where it is, and what it tells. A device that was lost stands in for others. */
static void hold_place(const struct check *check, sqlite3_stmt *sql)
{
    static const char *const members[] = {"site", "domain", "device", "quantity", "channel"};
    const struct eg_case *row = check->row;
    const char *const says[] = {row->site, row->domain, row->device, eg_case_quantity(row), row->channel};
    sqlite3_bind_int64(sql, 1, row->series);
    if (row->series && sqlite3_step(sql) == SQLITE_ROW && strncmp(text_at(sql, 4), "lost-", 5) != 0 &&
        strcmp(text_at(sql, 0), "lost") != 0)
        for (int i = 0; i < 5; i++)
            if (strcmp(text_at(sql, i), says[i]) != 0)
                eg_buf_printf(check->findings, "case %u: its %s is '%s' by its series, and '%s' in its row\n",
                              row->number, members[i], text_at(sql, i), says[i]);
    sqlite3_reset(sql);
}

void eg_proof_check(sqlite3 *db, struct eg_buf *findings)
{
    char query[1024];
    sqlite3_stmt *cases = NULL, *events = NULL, *parent = NULL, *place = NULL;
    const int64_t since = eg_meta_get(db, EG_PROOF_KEY, INT64_MAX),
                  believed = eg_meta_get(db, EG_PROOF_BELIEVED_KEY, 0);
    sqlite3_snprintf(sizeof query, query, "SELECT %s FROM cases ORDER BY number", eg_case_columns);
    if (sqlite3_prepare_v2(db, query, -1, &cases, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(
            db,
            "SELECT version,at,known_at,kind,actor,became,note,value,party,seq FROM case_event "
            "WHERE case_number=?1 ORDER BY version",
            -1, &events, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT id FROM cases WHERE number=?1", -1, &parent, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db,
                           "SELECT d.site,d.domain,d.device,s.quantity,s.channel FROM series s JOIN device d "
                           "ON d.id=s.device WHERE s.id=?1",
                           -1, &place, NULL) == SQLITE_OK)
        while (sqlite3_step(cases) == SQLITE_ROW) {
            struct eg_case row;
            struct told told;
            eg_case_read(cases, &row);
            const struct check check = {.row = &row, .findings = findings};
            replay(events, row.number, &told);
            if (told.lost || told.seq <= believed || told.handling == UNTOLD)
                continue;
            hold(&check, &told);
            if (told.seq <= since)
                continue;
            hold_later(&check, &told);
            hold_parent(&check, &told, parent);
            hold_place(&check, place);
        }
    sqlite3_finalize(cases);
    sqlite3_finalize(events);
    sqlite3_finalize(parent);
    sqlite3_finalize(place);
}
