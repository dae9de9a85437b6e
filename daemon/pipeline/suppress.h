/* What is told later, again, or once a day: silences, maintenance windows, flapping (silence.c, matcher.c, suppress.c), reminders, digests,
 * rates. Private to the room. */
#ifndef EG_SUPPRESS_H
#define EG_SUPPRESS_H

#include <pipeline/flap.h>
#include <pipeline/pipeline.h>

#define EG_CASES_MAX 100000
struct eg_suppressed { /* suppress.c */
    struct eg_row_suppressed row;
    int64_t until_ms; /* nothing lets go of it before; 0: to be looked at */
};
#define EG_SILENCES_MAX 1000
#define EG_SUPPRESSED_MAX ((size_t)2 * EG_CASES_MAX)

/* matcher.c: does the case fit; when does the window's stretch that holds now end, 0: it is not in one. */
bool eg_matcher_fits(const struct eg_conf *conf, const struct eg_matcher *matcher, const struct eg_case *row);
int64_t eg_matcher_window_end(const struct eg_conf_window *window, int64_t now_ms);

/* silence.c */
void eg_silence_take(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                     struct eg_batch *batch);
const struct eg_silence *eg_silence_over(const struct eg_pipeline *pipeline, const struct eg_case *row,
                                         int64_t now_ms); /* the one that covers it longest; NULL */
void eg_silence_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);
int64_t eg_silence_wake(const struct eg_pipeline *pipeline);
bool eg_silence_restore(struct eg_pipeline *pipeline, const struct eg_silence *row);

/* suppress.c: what becomes of the notices of an event, before they are written, and what follows when they are (or are not). */
enum eg_suppress_verdict { EG_SUPPRESS_TELL, EG_SUPPRESS_HOLD, EG_SUPPRESS_CATCH_UP };
struct eg_suppress_step {
    enum eg_suppress_verdict verdict;
    enum eg_suppressor by;
    bool came, began; /* with this event a silence or a window took hold; the case began to flap */
    double share;     /* how much it flaps, per cent */
    char id[64];
    const char *reason;
};
/* `worth`: somebody would be told, or it opens, or its condition changes. */
struct eg_suppress_step eg_suppress_judge(struct eg_pipeline *pipeline, const struct eg_case *row,
                                          const struct eg_case_event *event, bool worth,
                                          struct eg_batch *batch);
void eg_suppress_follow(struct eg_pipeline *pipeline, struct eg_case *row,
                        const struct eg_suppress_step *step, int64_t now_ms, struct eg_batch *batch);
/* The case has ended with this step: who was told of it is forgotten, now or when they have heard that it did. */
void eg_suppress_ended(struct eg_pipeline *pipeline, const struct eg_case *row,
                       const struct eg_suppress_step *step, struct eg_batch *batch);
bool eg_suppress_waits(const struct eg_pipeline *pipeline,
                       const struct eg_case *row); /* nobody has heard of it yet: no deadline passes */
void eg_suppress_look_again(struct eg_pipeline *pipeline); /* silences or windows are others */
void eg_suppress_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);
int64_t eg_suppress_wake(const struct eg_pipeline *pipeline);
bool eg_suppress_note_change(struct eg_pipeline *pipeline, uint32_t number, int64_t known_ms,
                             int64_t at_ms); /* false: no memory */
void eg_suppress_forget_changes(struct eg_pipeline *pipeline, uint32_t number);
bool eg_suppress_restore(struct eg_pipeline *pipeline, const struct eg_row_suppressed *row);
void eg_suppress_finish(struct eg_pipeline *pipeline);

/* repeat.c: what nobody acknowledges is said again */
void eg_repeat_look_again(struct eg_pipeline *pipeline, uint32_t case_number); /* 0: all */
void eg_repeat_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);
int64_t eg_repeat_wake(struct eg_pipeline *pipeline);

/* digest.c: the open cases, once a day */
void eg_digest_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);
int64_t eg_digest_wake(const struct eg_pipeline *pipeline);

/* rate.c: of one rule to one receiver. 0: it may go; else when those that came too many go. */
struct eg_rates;
int64_t eg_rate_hold(struct eg_pipeline *pipeline, const struct eg_conf_rule *rule, const char *channel,
                     const char *recipient, int64_t now_ms);

#endif
