/* The gateway's clock in doubt (ADR 27). Time goes on then on a line of its own, behind all that was committed: durations are right, so
 * rules judge and cases open; dates are not, so what is dated by it is flagged, and nothing that time does by itself happens. When the
 * time is known, what stands here is moved to where it belongs; the readings the store moves. Knows who has told what time it is; refuses
 * to decide whom to believe (daemon/doubting.c). Called by pipeline.c and message.c. */
#include <pipeline/state.h>

#include <base/hash.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eg_redate(int64_t *ms, const struct eg_redating *by)
{
    if (*ms != EG_TIME_NONE && *ms >= by->from_ms && *ms <= by->to_ms)
        *ms += by->later_ms;
}

int64_t eg_pipeline_doubted(const struct eg_pipeline *pipeline)
{
    return pipeline->doubt.on ? pipeline->doubt.since_ms : EG_TIME_NONE;
}

/* --- who tells the time --- */

/* Devices that are new since, and nobody has described, have no vote: whoever may publish could bring as many of them as he likes. Of what
 * a device said the newest counts: what it had kept back is older than now. */
static void vote(struct eg_pipeline *pipeline, const struct eg_device *device, int64_t ahead_ms)
{
    struct eg_clock_doubt *doubt = &pipeline->doubt;
    if ((device->id > doubt->known && !device->described) || ahead_ms < -pipeline->conf->clock.within_ms)
        return;
    for (size_t i = 0; i < doubt->vote_count; i++) {
        struct eg_vote *given = &doubt->votes[i];
        if (given->device != device->id)
            continue;
        if (ahead_ms > given->ahead_ms)
            given->ahead_ms = ahead_ms;
        return;
    }
    if (doubt->vote_count < EG_DOUBT_VOTES)
        doubt->votes[doubt->vote_count++] = (struct eg_vote){device->id, ahead_ms};
}

static int by_ahead(const void *left, const void *right)
{
    const struct eg_vote *a = left, *b = right;
    return a->ahead_ms < b->ahead_ms ? -1 : a->ahead_ms > b->ahead_ms;
}

/* The most that lie close together, and more than half of all who spoke: the middle one of them. */
bool eg_pipeline_agreed(const struct eg_pipeline *pipeline, int64_t *ret_ahead_ms)
{
    const struct eg_clock_doubt *doubt = &pipeline->doubt;
    struct eg_vote votes[EG_DOUBT_VOTES];
    size_t best = 0, best_from = 0, count = doubt->vote_count;
    if (!doubt->on || pipeline->conf->clock.devices < 2)
        return false;
    memcpy(votes, doubt->votes, sizeof votes);
    qsort(votes, count, sizeof *votes, by_ahead);
    for (size_t from = 0, to = 0; from < count; from++) {
        while (to < count && votes[to].ahead_ms - votes[from].ahead_ms <= pipeline->conf->clock.within_ms)
            to++;
        if (to - from > best) {
            best = to - from;
            best_from = from;
        }
    }
    if (best < (size_t)pipeline->conf->clock.devices || best * 2 <= count)
        return false;
    *ret_ahead_ms = votes[best_from + best / 2].ahead_ms;
    return true;
}

int64_t eg_doubt_date(const struct eg_speakers *speakers, const struct eg_device *device,
                      struct eg_reading *reading)
{
    struct eg_pipeline *pipeline = speakers->pipeline;
    const int64_t own_ms = reading->time_ms, arrived_ms = speakers->message->arrived_ms;
    if (!pipeline->doubt.on || speakers->message->retain || speakers->again)
        return 0;
    if (own_ms != EG_TIME_NONE && (own_ms < 0 || own_ms - arrived_ms > EG_CLOCK_AHEAD_MOST_MS))
        return 0; /* it is refused, as it would be by a clock that is right */
    if (own_ms != EG_TIME_NONE)
        vote(pipeline, device, own_ms - arrived_ms);
    if (own_ms != EG_TIME_NONE && own_ms <= arrived_ms + pipeline->conf->future_tolerance_ms)
        return 0; /* not ahead of us, who are behind: it is what it says */
    reading->flags |= EG_FLAG_CLOCK;
    reading->time_ms = EG_TIME_NONE;
    return own_ms == EG_TIME_NONE ? 0 : own_ms;
}

/* --- what is sent once more: such readings are dated by when they came, so their time does not tell that they are the same --- */

#define SAID_WAYS 8
#define SAID_SETS (EG_SAID_MOST / SAID_WAYS)
/* Where there are more, those of the same place that came first give way. What is in it follows from what came in, in its order. */
struct eg_said_set {
    struct eg_said {
        uint32_t series; /* 0: nothing */
        int64_t own_ms;
        double value;
    } said[SAID_SETS][SAID_WAYS];
    uint8_t next[SAID_SETS];
};

static size_t place_of(uint32_t series, int64_t own_ms)
{
    const struct {
        int64_t own_ms;
        uint64_t series;
    } key = {own_ms, series};
    return (size_t)(eg_hash(&key, sizeof key, 0) % SAID_SETS);
}

bool eg_doubt_said(const struct eg_pipeline *pipeline, uint32_t series, double value, int64_t own_ms)
{
    const struct eg_said_set *set = pipeline->doubt.said;
    const struct eg_said *said = set ? set->said[place_of(series, own_ms)] : NULL;
    for (size_t i = 0; said && i < SAID_WAYS; i++)
        if (said[i].series == series && said[i].own_ms == own_ms &&
            !memcmp(&said[i].value, &value, sizeof value))
            return true;
    return false;
}

void eg_pipeline_restore_said(struct eg_pipeline *pipeline, uint32_t series, double value, int64_t own_ms)
{
    struct eg_clock_doubt *doubt = &pipeline->doubt;
    if (!doubt->said)
        doubt->said = calloc(1, sizeof *doubt->said); /* without it what comes again is dated twice */
    if (!doubt->said)
        return;
    size_t place = place_of(series, own_ms);
    uint8_t *next = &doubt->said->next[place];
    doubt->said->said[place][*next] = (struct eg_said){series, own_ms, value};
    *next = (uint8_t)((*next + 1) % SAID_WAYS);
}

void eg_doubt_keep(struct eg_pipeline *pipeline, int64_t own_ms, size_t at, struct eg_batch *batch)
{
    struct eg_row_own_time *row =
        own_ms && batch->readings_count > at ? EG_BATCH_ADD(batch, own_times) : NULL;
    if (!row)
        return;
    *row = (struct eg_row_own_time){(uint32_t)at, own_ms};
    eg_pipeline_restore_said(pipeline, batch->readings[at].series, batch->readings[at].value, own_ms);
}

void eg_doubt_finish(struct eg_clock_doubt *doubt)
{
    free(doubt->said);
    *doubt = (struct eg_clock_doubt){.said = NULL};
}

/* --- the end of it --- */

/* What people read of the case was told on the doubted clock; the history is not changed, it is added to. */
static void redate_case(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_redating *by,
                        int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_case before = *row;
    char from[EG_TIME_TEXT], to[EG_TIME_TEXT], note[160], first[EG_TIME_TEXT], last[EG_TIME_TEXT];
    int64_t *const times[] = {&row->opened_ms, &row->detected_ms, &row->began_ms,
                              &row->last_ms,   &row->peak_ms,     &row->within_since_ms};
    bool shown = false; /* a time of it was told on the doubted clock, be it of its history only */
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        const int64_t was_ms = *times[i];
        eg_redate(times[i], by);
        shown = shown || *times[i] != was_ms;
    }
    const bool moved = row->opened_ms != before.opened_ms || row->detected_ms != before.detected_ms ||
                       row->began_ms != before.began_ms;
    if (moved && row->until_ms != EG_TIME_NONE)
        row->until_ms += by->later_ms;
    bool due = eg_deadline_catch_up(pipeline, row, now_ms);
    if (!shown && !due)
        return;
    snprintf(note, sizeof note, "the clock was in doubt: times from %s to %s are to be read %lld s %s",
             eg_time_format(by->from_ms, first), eg_time_format(by->to_ms, last),
             (long long)(llabs(by->later_ms) / 1000), by->later_ms < 0 ? "earlier" : "later");
    eg_case_happened(pipeline, row,
                     (struct eg_case_event){.at_ms = now_ms,
                                            .known_ms = now_ms,
                                            .kind = "clock",
                                            .actor = "ecogovd",
                                            .from = moved ? eg_time_format(before.opened_ms, from) : "",
                                            .to = moved ? eg_time_format(row->opened_ms, to) : "",
                                            .value = (double)NAN,
                                            .note = note},
                     batch);
}

static void answer(const struct eg_clock_news *news, int64_t now_ms, struct eg_batch *batch)
{
    char text[160], was[EG_TIME_TEXT], is[EG_TIME_TEXT];
    if (!news->ticket)
        return;
    snprintf(text, sizeof text, "{\"was\":\"%s\",\"is\":\"%s\",\"later_s\":%lld,\"by\":\"%s\"}",
             eg_time_format(news->was_ms, was), eg_time_format(now_ms, is),
             (long long)((now_ms - news->was_ms) / 1000), news->why);
    eg_batch_answer(batch, (struct eg_answer){.ticket = news->ticket, .code = EG_OK, .result = text});
}

static void trust(struct eg_pipeline *pipeline, const struct eg_clock_news *news, int64_t now_ms,
                  struct eg_batch *batch)
{
    const struct eg_redating by = {pipeline->doubt.since_ms, news->was_ms, now_ms - news->was_ms};
    struct eg_row_clock *row = EG_BATCH_ADD(batch, clocks);
    if (row)
        *row = (struct eg_row_clock){.trusted = true,
                                     .at_ms = now_ms,
                                     .since_ms = by.from_ms,
                                     .until_ms = by.to_ms,
                                     .shift_ms = by.later_ms,
                                     .latest_ms = now_ms + pipeline->conf->future_tolerance_ms,
                                     .boot = "",
                                     .why = eg_batch_text(batch, news->why)};
    answer(news, now_ms, batch);
    eg_doubt_finish(&pipeline->doubt);
    eg_rule_redate(pipeline, &by, batch);
    eg_siteindex_redate(pipeline, &by, batch);
    for (size_t i = 0; i < pipeline->case_count; i++)
        redate_case(pipeline, pipeline->cases[i], &by, now_ms, batch);
}

static void begin(struct eg_pipeline *pipeline, const struct eg_clock_news *news, int64_t now_ms,
                  struct eg_batch *batch)
{
    struct eg_row_clock *row = EG_BATCH_ADD(batch, clocks);
    if (row)
        *row = (struct eg_row_clock){.at_ms = now_ms,
                                     .since_ms = now_ms,
                                     .boot_us = news->boot_us,
                                     .boot = eg_batch_text(batch, news->boot),
                                     .why = eg_batch_text(batch, news->why)};
    eg_pipeline_restore_doubt(pipeline, now_ms, (uint32_t)pipeline->device_count);
}

void eg_doubt_take(struct eg_pipeline *pipeline, const struct eg_clock_news *news, int64_t now_ms,
                   struct eg_batch *batch)
{
    if (news->is == EG_CLOCK_DOUBTED && !pipeline->doubt.on)
        begin(pipeline, news, now_ms, batch);
    else if (news->is == EG_CLOCK_TRUSTED && pipeline->doubt.on)
        trust(pipeline, news, now_ms, batch);
    /* Nobody was silent for the hours that never were. */
    pipeline->hearing_ms = now_ms;
    pipeline->silent_wake_ms = INT64_MIN;
    pipeline->wake_known = false;
    batch->urgent = true;
}
