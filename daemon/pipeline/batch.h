/* What was decided: everything one turn will make true in one transaction. Plain arrays; the pipeline appends, the store writes
 * them down in order, turn.c lets the answers out afterwards. Strings are Owned by the batch's text arena and live until
 * eg_batch_clear(). Ids of devices, series, cases, events, outbox rows are minted by the pipeline and never reused. */
#ifndef EG_BATCH_H
#define EG_BATCH_H

#include <ecogov/reading.h>
#include <conf/conf.h>
#include <base/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CONTRACT §2.4; all absolute since the store was made. */
struct eg_counters {
    uint64_t received, decoded, duplicate, quarantined, ignored; /* messages */
    uint64_t r_decoded, r_stored, r_duplicate, r_rejected,
        r_corrected; /* readings; corrected are among stored */
};
struct eg_rollup {
    int64_t start_ms, end_ms; /* [start, end) */
    uint64_t count;
    double sum, min, max, first, last;
    int64_t first_ms, last_ms;
    uint64_t slots[2]; /* 1 bit per 1 min (hour) or 15 min (day) that holds a reading's validity */
};
/* How much of a day is known, by its hours: each by how often the device reported then (pace.h). {0}: nothing. */
struct eg_dayknown {
    int64_t observed_ms;
    unsigned hours; /* that are valid */
};
enum eg_period { EG_PERIOD_HOUR, EG_PERIOD_DAY, EG_PERIOD_COUNT };

struct eg_row_device {
    uint32_t id;
    const char *site, *domain, *device;
    int64_t registered_ms;
};
struct eg_row_series {
    uint32_t id, device;
    uint16_t quantity;
    const char *channel;
};
struct eg_row_rhythm {
    uint32_t device;
    int64_t interval_ms;
};                          /* learned anew: written when it moved by more than a little */
struct eg_row_calibration { /* from then on value = raw * scale + offset */
    uint32_t series;
    bool forget; /* instead: those that were to hold from then on */
    int64_t since_ms;
    double scale, offset;
};
struct eg_row_standing { /* how a device stands: written when that changes */
    uint32_t device;
    int64_t silent_ms;    /* it is silent, since then; EG_TIME_NONE: it is heard */
    int64_t heard_ms;     /* when it was heard last, though perhaps it measured nothing; EG_TIME_NONE */
    int64_t awaited_ms;   /* of one that is silent: since when it is waited for, once more after an outage */
    uint32_t case_number; /* the case that speaks for its silence, its own or an outage's; 0: none does */
    bool gone;            /* it has said that it leaves */
    int64_t due_told_ms;  /* people were told that its calibration is due then; EG_TIME_NONE */
};
/* What people did with a device, and what came of it. Stored: numbers are forever. */
enum eg_device_event {
    EG_DEVICE_RETIRED,
    EG_DEVICE_RESTORED,
    EG_DEVICE_HEARD, /* although it is retired: the first time */
    EG_DEVICE_EVENT_COUNT
};
const char *eg_device_event_name(enum eg_device_event kind); /* "retired" "restored" "heard" */
struct eg_row_device_event {
    uint32_t device;
    enum eg_device_event kind;
    int64_t at_ms;
    const char *actor, *note;
};
struct
    eg_row_finding { /* what the hours of a series tell of its sensor, as it is now; EG_TIME_NONE: it is not */
    uint32_t series;
    int64_t noisy_ms, drifting_ms; /* since when */
    double usual;                  /* of one that is noisy: what was usual before */
    int side;                      /* of one that drifts: 1 above, -1 below its neighbours */
};
struct eg_row_reading {
    uint32_t series;
    uint16_t flags;
    int64_t time_ms;
    double value;
};
struct eg_row_own_time { /* a reading flagged CLOCK said itself when it was */
    uint32_t reading;    /* in this batch, from 0 */
    int64_t time_ms;
};
struct eg_row_ident {
    uint16_t mid;
    uint32_t hash;
};
/* replace=false: merge into the stored bucket (add counts and sums, widen min/max, or the slots); true: it is the bucket. */
struct eg_row_rollup {
    uint32_t series;
    enum eg_period period;
    bool replace;
    struct eg_rollup rollup;
};

/* Where a rule stands for a series: written whenever it changes (rare), so hold timers survive. */
struct eg_rule_state {
    uint8_t level;                    /* enum eg_level the condition holds now; NONE = ok */
    int64_t since_ms[EG_LEVEL_COUNT]; /* beyond `open` of that level without a break since; EG_TIME_NONE */
    int64_t clear_since_ms[EG_LEVEL_COUNT]; /* within `clear` of that level since; EG_TIME_NONE */
    int64_t gap_ms[EG_LEVEL_COUNT];         /* so much of the time since then nobody observed */
    int64_t clear_gap_ms[EG_LEVEL_COUNT];
    uint32_t case_number; /* the open case, 0 = none */
    uint8_t had;          /* the level that holds, or held last */
    double limit;         /* its `open`, when it was reached; 0 while nothing was */
    uint8_t blind;        /* enum eg_blind: why nothing could be judged at the newest reading; 0: it could */
    int64_t seen_ms; /* the newest reading that could be judged; EG_TIME_NONE. Moves without being written */
};
/* Where it stood after the reading of that time. The newer one is of the end of the last stretch of `late_limit`, the older one of the end
 * of one before: whatever may still come late lies behind one of them. */
enum { EG_OLDER, EG_NEWER, EG_CHECKPOINTS };
struct eg_checkpoint {
    int64_t at_ms; /* the reading, judged or blind; EG_TIME_NONE: before the first */
    struct eg_rule_state state;
    double peak_value; /* of the case, when there is one */
    int64_t peak_ms;
};
struct eg_row_rule_state {
    const char *rule;
    uint32_t series;
    struct eg_rule_state state;
    bool checkpointed;
    struct eg_checkpoint checkpoints[EG_CHECKPOINTS];
    bool of_site;               /* of the index of a site, with what follows; EG_TIME_NONE: none */
    int64_t judged_ms, late_ms; /* up to where; when something came late last */
};

enum eg_handling {
    EG_OPEN,
    EG_ACKNOWLEDGED,
    EG_ASSIGNED,
    EG_IN_PROGRESS,
    EG_FIXED,
    EG_CLOSED,
    EG_REJECTED,
    EG_HANDLING_COUNT
};
enum eg_condition { EG_CONDITION_BREACHING, EG_CONDITION_OK, EG_CONDITION_UNKNOWN, EG_CONDITION_COUNT };
const char *eg_handling_name(enum eg_handling handling);
const char *eg_condition_name(enum eg_condition condition);
/* What a case is about. Stored: numbers are forever. */
enum eg_case_kind {
    EG_CASE_BREACH,
    EG_CASE_REPORT,
    EG_CASE_MAINTENANCE,
    EG_CASE_REGIONAL,
    EG_CASE_DRILL,
    EG_CASE_DEVICE, /* it is not heard */
    EG_CASE_OUTAGE, /* none of the site's is */
    EG_CASE_KIND_COUNT
};
const char *eg_case_kind_name(
    enum eg_case_kind kind); /* "breach" "report" "maintenance" "regional" "drill" "device" "outage" */

struct eg_case {
    uint32_t number; /* store-wide, from 1 */
    char id[96];     /* "shangtian-20261123-k3f9-7": site, local day, this daemon's mark, number */
    char site[64], domain[EG_DOMAIN_TEXT], device[64], rule[64], channel[EG_CHANNEL_MAX + 1];
    uint16_t quantity; /* EG_QUANTITY_COUNT: it is about none */
    uint32_t series;   /* 0: of no series */
    uint64_t rule_version;
    uint8_t level, condition, handling, mode; /* enum eg_level, eg_condition, eg_handling, eg_mode */
    int64_t opened_ms, detected_ms, closed_ms /* EG_TIME_NONE */, due_ms /* EG_TIME_NONE */;
    double last_value, peak_value;
    int64_t last_ms, peak_ms;
    double limit;                           /* the `open` limit of `level` */
    char lead[64], assignee[64];            /* party ids, "" for none */
    uint32_t escalation, reopened, version; /* version counts events, from 1 */
    uint8_t kind;                           /* enum eg_case_kind */
    int64_t began_ms;                       /* since when it waits for people: detected, or reopened last */
    int64_t until_ms;                       /* its acknowledgement holds until then; EG_TIME_NONE */
    uint32_t missed;              /* how often the deadline that runs was missed, with more time each time */
    bool overdue;                 /* missed for good: nobody is left above to be told */
    bool handed_on;               /* government took over, or offered it to others */
    char fixer[64], repairer[64]; /* the user who said it is fixed, and the party that did it */
    uint32_t follows, parent;     /* numbers of the case before, of the regional case; 0 */
    uint32_t clear_hours;         /* valid hours within `clear` of the lowest level so far */
    int64_t within_since_ms;      /* since when it is, by the readings' time; EG_TIME_NONE: it is not */
    int64_t fix_missed_ms;        /* the last deadline to fix that was missed; EG_TIME_NONE: none was */
    uint32_t faster;              /* of an exercise: its deadlines run so many times faster; 0: they do not */
};
#define EG_DRILL_FASTER_MOST 1440                        /* a day in a minute */
const char *eg_case_quantity(const struct eg_case *row); /* its name, or "" */
struct eg_case_event {
    uint32_t case_number, version; /* version of the case after the event */
    int64_t at_ms;                 /* event time of what happened */
    int64_t known_ms;              /* when the daemon knew */
    /* "opened" "level" "condition" "corrected", what people did (handling.c), and what time did: "missed" "escalated" "took_over" "offered"
     * "taken" "expired" */
    const char *kind;
    const char *actor;     /* user name, or "ecogovd" */
    const char *from, *to; /* before and after, as names; "" where it has no meaning */
    double value;          /* the statistic that decided it; NaN for people's events */
    const char *note;      /* "" for none */
    const char *party;     /* on whose behalf, or who is asked; "" for none */
};
/* A series that a case stands on beside those of its device, and why. Stored, by name. */
enum eg_evidence {
    EG_EVIDENCE_ASKED,    /* its rule looked at it when the case was opened */
    EG_EVIDENCE_HEARD,    /* the last that was heard of a silent device */
    EG_EVIDENCE_MEASURED, /* by people, for the case */
    EG_EVIDENCE_COUNT
};
const char *eg_evidence_name(enum eg_evidence why); /* "asked" "heard" "measured" */
struct eg_row_evidence {
    uint32_t case_number, series;
    enum eg_evidence why;
    int64_t since_ms; /* its readings from then on, up to a day after the case's end */
};
/* Nobody is told of what fits, for a while: said by a person. */
#define EG_REASON_TEXT 256
struct eg_silence {
    uint32_t id; /* from 1 */
    struct eg_matcher matcher;
    char reason[EG_REASON_TEXT], author[64], ended_by[64];
    int64_t created_ms, starts_ms, expires_ms;
    int64_t ended_ms; /* removed or expired; EG_TIME_NONE: neither yet */
    bool removed;
};
/* A case of which notices are held back. */
struct eg_row_suppressed {
    uint32_t case_number;
    int64_t since_ms; /* EG_TIME_NONE: it is so no more */
    bool flapping;
    bool owed;   /* something was held back: one notice makes up for it */
    bool untold; /* it was opened meanwhile: its deadlines wait */
    bool risen;  /* while flapping it became critical, and that was told */
};
/* Why a party is told of a case. */
enum eg_why {
    EG_WHY_OPENED,
    EG_WHY_LEVEL,     /* it got worse */
    EG_WHY_BREACHING, /* beyond the limit again */
    EG_WHY_RECOVERED,
    EG_WHY_REOPENED,
    EG_WHY_ENDED,       /* closed or rejected */
    EG_WHY_GATHERED,    /* several messages in one */
    EG_WHY_TRIAL,       /* nothing happened: do the channels work? */
    EG_WHY_INFORMED,    /* others lead it */
    EG_WHY_ASSIGNED,    /* to this party */
    EG_WHY_MISSED,      /* a deadline */
    EG_WHY_ESCALATED,   /* those below missed one */
    EG_WHY_OFFERED,     /* will this party take it? */
    EG_WHY_TOOK_OVER,   /* this party leads from here on */
    EG_WHY_FIXED,       /* somebody is to look */
    EG_WHY_EXPIRED,     /* it was acknowledged until now */
    EG_WHY_UNKNOWN,     /* no readings tell any more whether the limit is broken */
    EG_WHY_STILL,       /* they do again, and it is */
    EG_WHY_UNREACHABLE, /* another party cannot be told of it */
    EG_WHY_CAUGHT_UP,   /* what happened while nobody was told */
    EG_WHY_REPEATED,    /* nobody has acknowledged it */
    EG_WHY_DIGEST,      /* the open cases */
    EG_WHY_COUNT
};
const char *eg_why_name(enum eg_why why);
struct eg_row_outbox { /* one notification to send after the commit */
    int64_t id;
    const char *channel /* "mqtt" and no party: an event (CONTRACT §6); else one of the configuration */,
        *recipient /* topic, address */, *key /* idempotency */, *body /* JSON */;
    int64_t created_ms;
    bool retain;
    const char *party, *why, *line; /* "" for an event; line: the message in one line */
    uint32_t case_number;
    uint8_t level;
    int64_t not_before_ms; /* 0: at once */
};
struct
    eg_row_told { /* that party was told of that case by that channel; `at_ms` EG_TIME_NONE: forget all of the case */
    uint32_t case_number;
    const char *party, *channel, *recipient;
    int64_t at_ms;
    unsigned repeats; /* since it was told of something new */
};
struct eg_row_outbox_done {
    int64_t id;
    bool delivered;
    const char *error;
    int64_t at_ms;
    int64_t carried_by; /* the row that brings it among others; 0: none */
};
struct eg_row_outbox_tried { /* not done yet */
    int64_t id;
    unsigned tries;
    int64_t failing_since_ms;
    bool gave_up;
    const char *error;
};
struct eg_row_quarantine {
    int64_t at_ms;
    const char *topic, *source /* "" when no source matched */, *verdict, *reason;
    const uint8_t *payload;
    size_t payload_len; /* cut to EG_QUARANTINE_BYTES */
    size_t full_len;
    bool retain;
};
#define EG_QUARANTINE_BYTES 16384
struct eg_row_retried { /* a quarantined payload that was read after all */
    int64_t id;
    const char *
        reason; /* NULL: it leaves the quarantine; else it stays, as one some of whose readings are rejected */
};
/* The clock is doubted from `at_ms` on, or what was dated from `since_ms` to `until_ms` is to be dated `shift_ms` later. */
struct eg_row_clock {
    bool trusted;
    int64_t at_ms, since_ms, until_ms, shift_ms;
    int64_t latest_ms; /* what says that it is of later than that is wrong */
    int64_t boot_us;
    const char *boot, *why;
};

struct eg_answer { /* to a command, let out after the commit */
    uint64_t ticket;
    int code; /* enum eg_code */
    const char *sentence;
    uint32_t case_number; /* 0: of an import */
    uint32_t imported, duplicate;
    const char *result; /* JSON, of what is neither a case's nor an import's; NULL */
    bool report;        /* of one that no case came of, when case_number is 0 */
};

#define EG_ROWS(type, name)                                                                                  \
    struct type *name;                                                                                       \
    size_t name##_count, name##_capacity
struct eg_batch {
    int64_t now_ms; /* of the turn's last event */
    size_t events;  /* how many events went in; 0 = nothing to commit */
    bool urgent;    /* holds a case transition or a command: commit at once */
    bool failed;    /* out of memory or a bound: the turn must not commit; the daemon exits (ours) */
    struct eg_counters counters; /* after the last event */
    EG_ROWS(eg_row_device, devices);
    EG_ROWS(eg_row_series, series);
    EG_ROWS(eg_row_rhythm, rhythms);
    EG_ROWS(eg_row_calibration, calibrations);
    EG_ROWS(eg_row_standing, standings);
    EG_ROWS(eg_row_device_event, device_events);
    EG_ROWS(eg_row_finding, findings);
    EG_ROWS(eg_row_reading, readings);
    EG_ROWS(eg_row_own_time, own_times); /* ascending */
    EG_ROWS(eg_row_ident, idents);
    EG_ROWS(eg_row_rollup, rollups);
    EG_ROWS(eg_row_rule_state, rule_states);
    EG_ROWS(eg_case, cases); /* whole rows, upsert; the last of a number wins */
    EG_ROWS(eg_case_event, case_events);
    EG_ROWS(eg_row_evidence, evidence);
    EG_ROWS(eg_row_outbox, outbox);
    EG_ROWS(eg_row_outbox_done, outbox_done);
    EG_ROWS(eg_row_outbox_tried, outbox_tried);
    EG_ROWS(eg_row_told, told);
    EG_ROWS(eg_silence, silences); /* whole rows, upsert */
    EG_ROWS(eg_row_suppressed, suppressed);
    EG_ROWS(eg_row_quarantine, quarantine);
    EG_ROWS(eg_row_retried, retried);
    EG_ROWS(eg_row_clock, clocks); /* in the order they were decided */
    EG_ROWS(eg_answer, answers);
    struct eg_batch_text *text;
};

void eg_batch_init(struct eg_batch *batch);
void eg_batch_finish(struct eg_batch *batch);
void eg_batch_clear(struct eg_batch *batch); /* keeps memory for the next turn */
/* Gives room for one more row (zeroed), or NULL after setting `failed`. */
#define EG_BATCH_ADD(batch, name)                                                                            \
    eg_batch_more((batch), (void **)&(batch)->name, &(batch)->name##_count, &(batch)->name##_capacity,       \
                  sizeof *(batch)->name)
void *eg_batch_more(struct eg_batch *batch, void **rows, size_t *count, size_t *capacity, size_t size);
const char *eg_batch_text(struct eg_batch *batch, const char *text); /* copies; NULL → "" */
/* Somebody waits for it: the turn ends with its event. The sentence and the result are copied, a result of NULL stays one. */
void eg_batch_answer(struct eg_batch *batch, struct eg_answer answer);
void *eg_batch_bytes(struct eg_batch *batch, const void *bytes, size_t length);

#endif
