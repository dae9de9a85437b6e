/* Private to the pipeline: what it remembers. A cache of the last commit and the batch being filled. */
#ifndef EG_STATE_H
#define EG_STATE_H

#include <base/hash.h>
#include <index/land.h>
#include <pipeline/calibration.h>
#include <pipeline/circumstance.h>
#include <pipeline/finding.h>
#include <pipeline/frames.h>
#include <pipeline/govern.h>
#include <pipeline/handling.h>
#include <pipeline/judging.h>
#include <pipeline/pipeline.h>
#include <pipeline/rollup.h>
#include <pipeline/route.h>
#include <pipeline/suppress.h>
#include <pipeline/window.h>

#define EG_SERIES_PER_DEVICE 256
#define EG_FLAGS_UNJUDGED (EG_FLAG_LATE | EG_FLAG_RETAINED | EG_FLAG_IMPORTED | EG_FLAGS_SET_ASIDE)

/* A series that a rule at another one looks at, too. */
struct eg_link {
    uint32_t series;
    uint16_t partner; /* index in the rule's partners */
    uint16_t lookout; /* index in the series' lookouts */
    bool same_channel;
};
/* One rule as it stands for one series. */
struct eg_watch {
    uint32_t rule; /* index in conf->rules */
    struct eg_rule_state state;
    struct eg_window *window; /* NULL: the rule looks at the last reading */
    int64_t at_ms;            /* the newest reading that was judged, or could not be; EG_TIME_NONE */
    int64_t stretch_end_ms;   /* no checkpoint is due before; 0: to be looked for */
    struct eg_checkpoint checkpoints[EG_CHECKPOINTS]; /* where judging anew may begin */
    int64_t rests_ms; /* the checkpoints are of then, and nothing mattered since; or EG_TIME_NONE */
    uint8_t behind;   /* so many of them, the older first, are to be found among the readings */
    struct eg_link *links;
    uint16_t link_count;
};
/* What others want to know of a series: a statistic of it, up to its newest reading that may be judged. */
struct eg_lookout {
    struct eg_window_shape shape;
    struct eg_window *window; /* NULL: the reading itself */
    int64_t within_ms;        /* for how long it matters */
};
/* When a series' newest readings that may be judged were taken: how long one speaks for. */
#define EG_RHYTHM_READINGS 16 /* before the one that is judged, or with it */
#define EG_RHYTHM_BACK_MS INT64_C(14400000)
struct eg_rhythm {
    int64_t ms[EG_RHYTHM_READINGS]; /* ascending */
    uint8_t count;
    bool whole; /* there were none before them, or they are all kept */
};
struct eg_series {
    uint32_t id, device, suspect_case /* about its sensor, active: no other is opened; 0: none */;
    uint16_t quantity, last_flags;
    uint16_t watch_count, lookout_count;
    bool waits;    /* some watch looks at other series: judged when the event is over */
    bool deferred; /* it is waited for, since deferred_ms; the reading before was at deferred_before_ms */
    bool has_last,
        unsettled; /* unsettled: readings from unsettled_ms on are to be judged anew with this turn */
    char channel[EG_CHANNEL_MAX + 1];
    int64_t last_ms, unsettled_ms;
    double last_value;
    uint64_t turn; /* the batch that last took a reading of it */
    double scale;  /* of its sums: eg_rollup_scale() */
    uint32_t bucket_row
        [EG_PERIOD_COUNT]; /* in that batch, where a bucket of it was last written, from 1; 0: nowhere */
    struct eg_rollup open[EG_PERIOD_COUNT];
    int64_t deferred_ms, deferred_before_ms;
    struct eg_rhythm rhythm;
    double judged_value; /* the newest reading that may be judged: at the rhythm's newest time */
    struct eg_watch *watches;
    struct eg_scaling
        *steps; /* of its calibration, ascending; before the first one values are as they came */
    uint16_t step_count;
    bool steps_settled;                  /* with the configuration as it is */
    const struct eg_conf_limits *limits; /* what quality control asks of it */
    struct eg_followed followed;
    struct eg_doubts doubts[EG_PERIOD_COUNT]; /* of the open buckets */
    bool unreviewed; /* readings from … to … came out of order, and are reviewed with this turn */
    int64_t review_from_ms, review_to_ms;
    struct eg_lookout *lookouts;
    uint32_t *dependents; /* series with watches that look at this one */
    size_t dependent_count, dependent_capacity;
    struct eg_finding *finding; /* of its hours (examine.c); NULL: nothing */
    struct eg_hours *hours;     /* NULL: none has closed */
    struct eg_today *today;     /* of its open day; NULL: none of it has closed */
    struct eg_plots *plots;     /* of what an index of soil or waste is made of; NULL likewise */
    int64_t hour_ms;            /* the start of the hour that siterule.c has heard of last */
    int part;                   /* which one; EG_PARTS: it is none */
};
struct eg_device {
    uint32_t id, site /* in conf, or EG_CONF_NONE */;
    const struct eg_conf_device *described; /* NULL: not described by hand */
    char *site_id, *domain, *name;          /* name: the device's own id */
    int64_t last_seen_ms;
    int64_t interval_ms; /* between two messages, as learned; 0: not known yet */
    int64_t long_ms;     /* the last gap that was no rhythm of its; 0: there was none */
    uint32_t *series;    /* ids */
    size_t series_count, series_capacity;
    struct eg_frames frames;
    uint64_t faults; /* values it marked as not measured, since the start of the daemon */
    char *fault;     /* the last of them, a sentence; NULL: none */
    int64_t fault_ms;
    uint32_t reboots;     /* how often its uptime fell, since the start of the daemon */
    bool calibrated;      /* the configuration, or the store, holds calibrations of it */
    bool gone;            /* it has said so, or who spoke for it: silent until it is heard again */
    int64_t silent_ms;    /* it is silent, since then; EG_TIME_NONE: it is heard */
    int64_t awaited_ms;   /* since when it is waited for: as it fell silent, or an outage was over */
    uint32_t case_number; /* what speaks for its silence; 0: nothing yet */
    int64_t retired_ms, retired_heard_ms; /* by people, and heard since; EG_TIME_NONE */
    char *retired_by, *retired_note;      /* NULL: not */
    int64_t due_told_ms; /* people were told of the calibration that is due then; EG_TIME_NONE */
};
struct eg_siteindex;
struct eg_index_site;
struct eg_topic { /* what a topic led to the last time */
    uint32_t source, device;
    uint16_t quantity_at, quantity_len, channel_at, channel_len; /* levels of it */
};
struct
    eg_lost_state { /* of a rule that is not in force, or whose series did not match: kept in case it comes back */
    char *rule;
    struct eg_row_rule_state row;
};

/* Who was told of an active case, and by which way: told.c. */
struct eg_told {
    uint32_t case_number; /* 0: a digest */
    int64_t at_ms;
    int64_t next_ms; /* when it is repeated; 0: to be worked out, INT64_MAX: not */
    unsigned repeats;
    char *party, *channel, *recipient; /* one block of memory, at `party` */
};

#define EG_FILLED 64
struct eg_pipeline {
    const struct eg_conf *conf;
    struct eg_past past;
    struct eg_counters counters;
    struct eg_route *route;
    struct eg_names *topics; /* topic → topic_rows */
    struct eg_topic *topic_rows;
    size_t topic_count, topic_capacity;
    struct eg_names *device_names; /* "site/domain/device" → id */
    struct eg_device *devices;     /* [id - 1] */
    size_t device_count, device_capacity;
    struct eg_series **series; /* [id - 1]; pointers, so that they stay */
    size_t series_count, series_capacity;
    struct eg_case **cases; /* active, ascending by number */
    size_t case_count, case_capacity, outage_count /* of them, of outages */;
    struct eg_lost_state *lost;
    size_t lost_count, lost_capacity;
    struct eg_told *told; /* ascending by case */
    size_t told_count, told_capacity;
    struct eg_silence *silences; /* that have not ended */
    size_t silence_count, silence_capacity;
    uint32_t last_silence;
    struct eg_rates *rates;           /* rate.c */
    struct eg_suppressed *suppressed; /* ascending by case, ended ones among them */
    size_t suppressed_count, suppressed_capacity;
    struct eg_flap *flaps; /* of active cases that changed, ascending */
    size_t flap_count, flap_capacity;
    uint32_t *unsettled; /* series that are */
    size_t unsettled_count, unsettled_capacity;
    uint32_t *unreviewed; /* series that are */
    size_t unreviewed_count, unreviewed_capacity;
    uint32_t *rules; /* indices in conf->rules, those of a quantity from rule_start[quantity] on */
    uint32_t rule_start[EG_QUANTITY_COUNT + 1];
    uint32_t *deferred;
    size_t deferred_count, deferred_capacity;
    struct eg_siteindex *siteindices; /* by site; NULL: no rule looks at an index */
    size_t siteindex_count;
    struct eg_index_site *index_sites; /* by conf's sites, of each the groups; NULL likewise */
    size_t index_site_count;
    bool index_touched, index_late; /* of some site: an hour may be over; one that was judged has changed */
    int64_t index_wake_ms, index_judged_ms; /* no clock says before that an hour is over; some was judged */
    uint32_t last_case;
    struct eg_rollup opened[EG_PERIOD_COUNT]; /* empty: the hour and the day that were opened last */
    struct eg_rollup filling;                 /* the hour that a start takes in, of which series */
    uint32_t filling_series;
    struct eg_filled {
        int64_t start_ms, end_ms;
    } filled[EG_FILLED];                  /* hours as a start has found them, by their number */
    int64_t wake_ms;                      /* when the first deadline is reached; see wake_known */
    bool rules_seen;                      /* active cases were held against the rules as they are now */
    bool wake_known;                      /* no case has moved since wake_ms was looked for */
    int64_t examine_wake_ms, examined_ms; /* examine.c: not before; up to which midnight */
    uint16_t examine_quantity;            /* of the next series that is looked at */
    size_t examine_next;                  /* its place, or before */
    int64_t due_wake_ms;                  /* likewise of calibrations */
    int64_t silent_wake_ms;               /* before that nothing falls silent; INT64_MIN: to be looked for */
    struct eg_clock_doubt doubt;
    bool deaf, device_rules;         /* the broker is not heard; there are rules about devices themselves */
    bool outage_asked;               /* somebody is silent, and no case speaks for it yet */
    struct eg_outage_tally *tallies; /* outage.c's, of each site, as they were asked for last */
    int64_t hearing_ms;              /* since when the broker is heard, or is not; INT64_MIN: nobody said */
    int64_t last_outbox;
    uint64_t turn;    /* counts batches; `batch_events` of the last seen tells a new one */
    uint32_t *idents; /* [mid]: hash of the last message with it, 0 = none */
    uint64_t (*source_counts)[EG_VERDICT_COUNT];
    struct eg_sink *sink;
    struct eg_memory *memory; /* the drivers' */
};

/* room.c: arrays that grow by doubling up to a bound */
bool eg_room_more(void **rows, size_t count, size_t *capacity, size_t size, size_t most);

/* registry.c: devices and series */
struct eg_device *eg_registry_device(struct eg_pipeline *pipeline, uint32_t id);
struct eg_series *eg_registry_series(struct eg_pipeline *pipeline, uint32_t id);
uint32_t eg_registry_find_device(const struct eg_pipeline *pipeline, struct eg_slice site,
                                 struct eg_slice domain, struct eg_slice device);
/* Both write the row; NULL with a sentence in `reason` when a bound is reached or memory is out. */
struct eg_device *eg_registry_add_device(struct eg_pipeline *pipeline, const struct eg_routed *routed,
                                         int64_t now_ms, struct eg_batch *batch, char reason[EG_REASON_MAX]);
struct eg_series *eg_registry_find_series(struct eg_pipeline *pipeline, const struct eg_device *device,
                                          const struct eg_reading *reading); /* NULL: there is none */
struct eg_series *eg_registry_take_series(struct eg_pipeline *pipeline, struct eg_device *device,
                                          const struct eg_reading *reading, struct eg_batch *batch,
                                          char reason[EG_REASON_MAX]);
/* After a new configuration: sites and descriptions of devices anew. */
void eg_registry_bind(struct eg_pipeline *pipeline);
int64_t eg_registry_silent_after(const struct eg_device *device);
bool eg_registry_retired(const struct eg_device *device);
void eg_registry_write_standing(const struct eg_device *device, struct eg_batch *batch);

/* heard.c: it was heard, by what is of `time_ms` and arrived at `arrived_ms` */
void eg_heard_note(struct eg_pipeline *pipeline, struct eg_device *device, int64_t time_ms,
                   int64_t arrived_ms, struct eg_batch *batch);

/* speakers.c: whose readings a message carries */
struct eg_speakers {
    struct eg_pipeline *pipeline;
    const struct eg_message *message;
    struct eg_routed routed; /* by the topic; its device may be empty */
    int64_t now_ms;          /* the message's arrival, or when it is read once more */
    bool again;              /* it came before, and was quarantined */
    uint32_t ids[EG_SINK_DEVICES +
                 1]; /* by a reading's `device`; 0: not asked for yet, EG_ID_NONE: there is none */
};
/* A device that is known already, by the name in the topic (0) or in the payload; NULL: it is not. */
struct eg_device *eg_speakers_known(struct eg_speakers *speakers, uint16_t which);
/* The device a reading is of; NULL with a sentence. Registers it. */
struct eg_device *eg_speakers_device(struct eg_speakers *speakers, uint16_t which, struct eg_batch *batch,
                                     char reason[EG_REASON_MAX]);

/* message.c */
enum eg_fate_of_message { EG_MESSAGE_IGNORED, EG_MESSAGE_REFUSED, EG_MESSAGE_DECODED };
struct eg_became {
    enum eg_fate_of_message fate;
    enum eg_verdict
        verdict; /* the driver's, or IMPLAUSIBLE; of one that is ignored: NOT_MINE, or DECODED where it cannot be dated */
    uint32_t source;            /* EG_CONF_NONE: nobody's */
    char reason[EG_REASON_MAX]; /* of a refusal, or of the first reading that was not admitted */
};
/* Reads it, counts its readings but not the message. `now_ms`: its arrival; later, it was quarantined then and is read `again`: it keeps
 * its arrival time, adds what is not there and replaces nothing. */
void eg_message_read(struct eg_pipeline *pipeline, const struct eg_message *message, int64_t now_ms,
                     bool again, struct eg_batch *batch, struct eg_became *ret);
void eg_message_take(struct eg_pipeline *pipeline, const struct eg_message *message, struct eg_batch *batch);
uint32_t eg_message_hash(const struct eg_message *message); /* never 0 */

/* What stands in a topic and makes no device, and why a reading is not taken: a sentence, or NULL. */
const char *eg_message_misnamed(const struct eg_pipeline *pipeline, const struct eg_routed *routed,
                                char reason[EG_REASON_MAX]);
const char *eg_message_inadmissible(const struct eg_conf *conf, const struct eg_reading *reading,
                                    int64_t now_ms, char reason[EG_REASON_MAX]);

/* import.c */
void eg_import_take(struct eg_pipeline *pipeline, const struct eg_import *import, int64_t now_ms,
                    struct eg_batch *batch);

/* retry.c */
void eg_retry_take(struct eg_pipeline *pipeline, const struct eg_retry *retry, int64_t now_ms,
                   struct eg_batch *batch);

/* series.c: one admitted reading of a series */
enum eg_fate { EG_FATE_STORED, EG_FATE_DUPLICATE, EG_FATE_CORRECTED };
enum eg_fate eg_series_take(struct eg_pipeline *pipeline, struct eg_series *series,
                            struct eg_reading *reading, int64_t now_ms, struct eg_batch *batch);
/* Dates a reading that came earlier by its `arrived_ms`, where it has no time. True: it is there already, or another is there for its
 * time. */
bool eg_series_holds(const struct eg_pipeline *pipeline, const struct eg_series *series,
                     struct eg_reading *reading, int64_t arrived_ms, const struct eg_batch *batch);
/* Its readings from then on are not what they were: it is judged anew with this turn, and who has looked at it. */
void eg_series_disturb(struct eg_pipeline *pipeline, struct eg_series *series, int64_t from_ms,
                       struct eg_batch *batch);
/* Restoring: fills windows and open buckets, decides nothing. */
void eg_series_refill(struct eg_pipeline *pipeline, struct eg_series *series, int64_t time_ms, double value,
                      unsigned flags);
/* For review.c: a bucket anew from its readings, and where it ends; how many are in doubt, where a reading's flags became others. */
int64_t eg_series_remake(struct eg_pipeline *pipeline, struct eg_series *series, enum eg_period period,
                         int64_t time_ms, struct eg_batch *batch);
void eg_series_recount(struct eg_series *series, int64_t time_ms, unsigned was, unsigned flags);
/* All windows anew from the committed readings (a new configuration; no batch is open). */
void eg_series_fill_windows(struct eg_pipeline *pipeline, struct eg_series *series);

/* case.c: what happens to cases; condition follows the readings, handling follows people */
struct eg_judged { /* what the rule saw */
    enum eg_level level;
    int64_t at_ms, since_ms, now_ms;
    double value;
    const struct eg_conf_limit *levels; /* that hold there */
    double limit;                       /* `open` of the level, when it was reached */
    const char *note;                   /* of the events it makes; NULL: none */
    bool old;                           /* the reading is not of now: what became unknown since stays so */
};
/* The same with what it is about filled in: site, domain, device, channel, series, quantity. */
uint32_t eg_case_open_at(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_conf_rule *rule,
                         const struct eg_judged *judged, struct eg_batch *batch);
uint32_t eg_case_open(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_conf_rule *rule,
                      const struct eg_judged *judged, struct eg_batch *batch);
struct eg_case *eg_case_find(struct eg_pipeline *pipeline, uint32_t number);
struct eg_case *eg_case_find_named(struct eg_pipeline *pipeline,
                                   const char *id); /* active; by id or number */
/* The level rose or fell; NONE: within the limit again; from NONE: beyond again. */
void eg_case_level(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_conf_rule *rule,
                   const struct eg_judged *judged, struct eg_batch *batch);
/* No reading tells any more, since `at_ms`, whether the limit is broken: neither breaching nor ok. The next one that is judged and not
 * `old` ends it (eg_case_level()). Nothing happens where it is unknown already. */
void eg_case_unknown(struct eg_pipeline *pipeline, struct eg_case *row, int64_t at_ms, int64_t now_ms,
                     const char *note, struct eg_batch *batch);
/* Nothing changed but the value. */
void eg_case_follow(struct eg_case *row, const struct eg_conf_rule *rule, const struct eg_judged *judged,
                    struct eg_batch *batch);
/* Gives a fresh case number, id, mode, lead and deadline, and writes `event` as its opening; NULL: no more can be open, or no memory. */
struct eg_case *eg_case_begin(struct eg_pipeline *pipeline, struct eg_case *row, struct eg_case_event event,
                              struct eg_batch *batch);
/* The sensor behind this case is to be looked at: a case of its own, or a word in the one that is there. Its number; 0: no room. */
uint32_t eg_case_maintain(struct eg_pipeline *pipeline, const struct eg_case *about,
                          struct eg_case_event event, struct eg_batch *batch);
/* Appends an event: the version moves on, the row is written, those who want to know are told. */
void eg_case_happened(struct eg_pipeline *pipeline, struct eg_case *row, struct eg_case_event event,
                      struct eg_batch *batch);
void eg_case_drop(struct eg_pipeline *pipeline, uint32_t number);
void eg_case_write(const struct eg_case *row, struct eg_batch *batch);
bool eg_case_add(struct eg_pipeline *pipeline, const struct eg_case *row);

/* command.c: what people do */
void eg_command_take(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                     struct eg_batch *batch);

/* Ends a case without anybody: measured, or part of what is over. `row` is gone afterwards. */
void eg_command_over(struct eg_pipeline *pipeline, struct eg_case *row, const char *note, int64_t at_ms,
                     int64_t now_ms, struct eg_batch *batch);
void eg_command_begin_anew(struct eg_case *row, int64_t now_ms);

/* recur.c: what belongs together. Again: the closed case that lives again by this breach, or NULL, and then whom the fresh one follows. */
struct eg_case *eg_recur_again(struct eg_pipeline *pipeline, const struct eg_conf_rule *rule,
                               struct eg_case *fresh, const struct eg_judged *judged, struct eg_batch *batch);
void eg_recur_join(struct eg_pipeline *pipeline, const struct eg_conf_rule *rule, uint32_t number,
                   int64_t now_ms, struct eg_batch *batch);
void eg_recur_follow(struct eg_pipeline *pipeline, uint32_t number, int64_t now_ms, struct eg_batch *batch);

/* measure.c */
void eg_measure_follow(struct eg_case *row, const struct eg_conf_rule *rule, const struct eg_judged *judged,
                       struct eg_batch *batch);
/* An hour in which it was observed; `row` may be gone afterwards. */
void eg_measure_count(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_conf_rule *rule,
                      int64_t first_ms, int64_t end_ms, struct eg_batch *batch);
void eg_measure_hour(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_rollup *hour,
                     struct eg_batch *batch);

/* report.c: what people saw and measured. Take: the case it opened or joined in *ret_case, 0 when it is a reading that no case came
 * of; else a code with a sentence. Message: the one in the sink. */
struct eg_became;
void eg_report_message(struct eg_speakers *speakers, struct eg_batch *batch, struct eg_became *became);
enum eg_code eg_report_take(struct eg_pipeline *pipeline, const struct eg_report *report, int64_t now_ms,
                            struct eg_batch *batch, uint32_t *ret_case, char reason[EG_REASON_MAX]);
void eg_report_answer(struct eg_pipeline *pipeline, const struct eg_report *report, int64_t now_ms,
                      struct eg_batch *batch);
/* A case by id or number: an active one, or a copy of an ended one in *past; NULL. */
struct eg_case *eg_command_find(struct eg_pipeline *pipeline, const char *id, const struct eg_batch *batch,
                                struct eg_case *past);
/* An ended case is active again, or the sentence why it cannot be; NULL. */
struct eg_case *eg_command_revive(struct eg_pipeline *pipeline, const struct eg_case *row,
                                  struct eg_batch *batch, char *text, size_t size);
/* Carries out a step that was looked at; `value`: what decided it, or NaN. */
void eg_command_step(struct eg_pipeline *pipeline, const struct eg_command *command,
                     const struct eg_step *step, struct eg_case *row, int64_t now_ms, double value,
                     struct eg_batch *batch);

/* deadline.c: what time does */
void eg_deadline_begin(const struct eg_pipeline *pipeline, struct eg_case *row, int64_t from_ms);
/* After a step: another deadline runs, or the same one. */
void eg_deadline_step(const struct eg_pipeline *pipeline, struct eg_case *row, enum eg_handling before,
                      int64_t now_ms);
void eg_deadline_level(const struct eg_pipeline *pipeline, struct eg_case *row, int64_t at_ms);
void eg_deadline_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);

/* tell.c: outbox rows */
void eg_tell_case(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_case_event *event,
                  struct eg_batch *batch);
/* One row for each of the party's channels that is meant at this level and hour; `party`: index in the configuration. What puts an
 * end to an alarm goes by the channels that brought it, whatever the hour. A party without channels costs nothing. */
void eg_tell_party(struct eg_pipeline *pipeline, const struct eg_case *row, const struct eg_case_event *event,
                   uint32_t party, enum eg_why why, struct eg_batch *batch);

/* told.c */
size_t eg_told_first(const struct eg_pipeline *pipeline, uint32_t case_number); /* its place, or told_count */
/* Notes it, in the batch too; false: no memory. */
bool eg_told_note(struct eg_pipeline *pipeline, const struct eg_row_told *row, struct eg_batch *batch);
void eg_told_forget(struct eg_pipeline *pipeline, uint32_t case_number, struct eg_batch *batch);
void eg_told_finish(struct eg_pipeline *pipeline);

/* Is the route used for a case of this level at this time? A fallback never is. */
bool eg_tell_is_meant(const struct eg_conf_route *route, unsigned level, int64_t now_ms);
/* Where a party is told by a route: the channel's own place, unless it has an address of its own there. */
#define EG_RECIPIENT_TEXT 512
void eg_tell_recipient(const struct eg_conf *conf, const struct eg_conf_party *party,
                       const struct eg_conf_route *route, char out[EG_RECIPIENT_TEXT]);
bool eg_tell_was_told(const struct eg_pipeline *pipeline, uint32_t case_number, const char *party,
                      const char *channel, const char *recipient);
/* The parties of the site, or of the nearest one above that has any; NULL: there are none. */
const struct eg_conf_site *eg_tell_who_answers(const struct eg_conf *conf, uint32_t site);
/* A row as it stands; texts are copied. */
void eg_tell_put(struct eg_pipeline *pipeline, struct eg_batch *batch, const struct eg_row_outbox *row);

/* What was said last to somebody, again. */
void eg_tell_again(struct eg_pipeline *pipeline, const struct eg_case *row, const struct eg_told *last,
                   int64_t now_ms, struct eg_batch *batch);
/* The first moment from `from_ms` on at which that route may be used for something of that level; INT64_MAX: never. */
int64_t eg_tell_when(const struct eg_conf_party *party, const struct eg_conf_route *route, unsigned level,
                     int64_t from_ms);

/* deliver.c: what became of a notification */
void eg_deliver_take(struct eg_pipeline *pipeline, const struct eg_delivery *delivery, int64_t now_ms,
                     struct eg_batch *batch);

/* remote.c: acknowledged from afar */
#define EG_TOKEN_TEXT 17
char *eg_remote_token(const struct eg_conf_party *party, const struct eg_case *row, char out[EG_TOKEN_TEXT]);
/* False: it is no command of a party that may give one. *ret_wrong: why nothing was done, or NULL. */
bool eg_remote_take(struct eg_pipeline *pipeline, const struct eg_message *message, const char **ret_wrong,
                    struct eg_batch *batch);

/* trial.c */
void eg_trial_take(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                   struct eg_batch *batch);

/* bundle.c: one message instead of many to the same receiver */
void eg_bundle_take(struct eg_pipeline *pipeline, const struct eg_delivery *delivery, int64_t now_ms,
                    struct eg_batch *batch);

#endif
