/* Which notices are held back: of a case that a silence or a maintenance window covers, and of one that flaps. Its history goes on and the
 * broker hears of it; when nothing holds it back any more, one notice says how it stands, to those who were told before, and to those who
 * should have been if it is still open. Refuses to know channels (tell.c) and words. Called by tell.c, deadline.c and the views. */
#include <pipeline/state.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [EG_SUPPRESSED_NOT] = "",
    [EG_SUPPRESSED_BY_SILENCE] = "silence",
    [EG_SUPPRESSED_BY_MAINTENANCE] = "maintenance",
    [EG_SUPPRESSED_BY_FLAPPING] = "flapping",
};

const char *eg_suppressor_name(enum eg_suppressor by)
{
    return names[by];
}

/* --- cases of which something is held back --- */

static size_t place_of(const struct eg_pipeline *pipeline, uint32_t number)
{
    size_t low = 0, high = pipeline->suppressed_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (pipeline->suppressed[middle].row.case_number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct eg_suppressed *find(const struct eg_pipeline *pipeline, uint32_t number)
{
    size_t at = place_of(pipeline, number);
    return at < pipeline->suppressed_count && pipeline->suppressed[at].row.case_number == number
               ? &pipeline->suppressed[at]
               : NULL;
}

static struct eg_suppressed *keep(struct eg_pipeline *pipeline, const struct eg_row_suppressed *row)
{
    struct eg_suppressed *there = find(pipeline, row->case_number);
    if (there)
        return there;
    if (!eg_room_more((void **)&pipeline->suppressed, pipeline->suppressed_count,
                      &pipeline->suppressed_capacity, sizeof *pipeline->suppressed, EG_SUPPRESSED_MAX))
        return NULL;
    size_t at = place_of(pipeline, row->case_number);
    memmove(pipeline->suppressed + at + 1, pipeline->suppressed + at,
            (pipeline->suppressed_count - at) * sizeof *pipeline->suppressed);
    pipeline->suppressed_count++;
    pipeline->suppressed[at] = (struct eg_suppressed){*row, 0};
    return &pipeline->suppressed[at];
}

static void write_down(struct eg_pipeline *pipeline, const struct eg_suppressed *entry,
                       struct eg_batch *batch)
{
    struct eg_row_suppressed *out = EG_BATCH_ADD(batch, suppressed);
    if (out)
        *out = entry->row;
    pipeline->wake_known = false;
}

static void drop(struct eg_pipeline *pipeline, struct eg_suppressed *entry, struct eg_batch *batch)
{
    size_t at = (size_t)(entry - pipeline->suppressed);
    entry->row.since_ms = EG_TIME_NONE;
    write_down(pipeline, entry, batch);
    memmove(entry, entry + 1, (pipeline->suppressed_count - at - 1) * sizeof *entry);
    pipeline->suppressed_count--;
}

bool eg_suppress_restore(struct eg_pipeline *pipeline, const struct eg_row_suppressed *row)
{
    return keep(pipeline, row) != NULL;
}

void eg_suppress_look_again(struct eg_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->suppressed_count; i++)
        pipeline->suppressed[i].until_ms = 0;
    eg_repeat_look_again(pipeline, 0);
}

bool eg_suppress_waits(const struct eg_pipeline *pipeline, const struct eg_case *row)
{
    const struct eg_suppressed *entry = find(pipeline, row->number);
    return entry && entry->row.untold;
}

/* --- changes of late --- */

static size_t flap_place(const struct eg_pipeline *pipeline, uint32_t number)
{
    size_t low = 0, high = pipeline->flap_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (pipeline->flaps[middle].case_number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct eg_flap *flap_of(const struct eg_pipeline *pipeline, uint32_t number)
{
    size_t at = flap_place(pipeline, number);
    return at < pipeline->flap_count && pipeline->flaps[at].case_number == number ? &pipeline->flaps[at]
                                                                                  : NULL;
}

bool eg_suppress_note_change(struct eg_pipeline *pipeline, uint32_t number, int64_t known_ms, int64_t at_ms)
{
    struct eg_flap *flap = flap_of(pipeline, number);
    if (!flap) {
        if (!eg_room_more((void **)&pipeline->flaps, pipeline->flap_count, &pipeline->flap_capacity,
                          sizeof *pipeline->flaps, EG_CASES_MAX))
            return false;
        size_t at = flap_place(pipeline, number);
        flap = &pipeline->flaps[at];
        memmove(flap + 1, flap, (pipeline->flap_count - at) * sizeof *flap);
        pipeline->flap_count++;
        *flap = (struct eg_flap){.case_number = number};
    }
    eg_flap_change(flap, known_ms, at_ms);
    return true;
}

void eg_suppress_forget_changes(struct eg_pipeline *pipeline, uint32_t number)
{
    struct eg_flap *flap = flap_of(pipeline, number);
    if (!flap)
        return;
    memmove(flap, flap + 1, (pipeline->flap_count - (size_t)(flap - pipeline->flaps) - 1) * sizeof *flap);
    pipeline->flap_count--;
}

/* --- is it held back? --- */

static void longer(struct eg_suppression *ret, enum eg_suppressor by, int64_t until_ms, const char *id,
                   const char *reason)
{
    if (until_ms <= ret->until_ms)
        return;
    ret->by = by;
    ret->until_ms = until_ms;
    ret->reason = reason;
    snprintf(ret->id, sizeof ret->id, "%s", id);
}

bool eg_pipeline_suppression(const struct eg_pipeline *pipeline, const struct eg_case *row, int64_t now_ms,
                             struct eg_suppression *ret)
{
    const struct eg_conf *conf = pipeline->conf;
    const struct eg_suppressed *entry = find(pipeline, row->number);
    const struct eg_silence *silence = eg_silence_over(pipeline, row, now_ms);
    char id[16];
    *ret = (struct eg_suppression){.by = EG_SUPPRESSED_NOT, .until_ms = now_ms, .id = "", .reason = ""};
    if (silence) {
        snprintf(id, sizeof id, "%u", silence->id);
        longer(ret, EG_SUPPRESSED_BY_SILENCE, silence->expires_ms, id, silence->reason);
    }
    for (size_t i = 0; i < conf->window_count && !pipeline->doubt.on; i++)
        if (eg_matcher_fits(conf, &conf->windows[i].matcher, row))
            longer(ret, EG_SUPPRESSED_BY_MAINTENANCE, eg_matcher_window_end(&conf->windows[i], now_ms),
                   conf->windows[i].id, conf->windows[i].reason);
    ret->said = ret->by != EG_SUPPRESSED_NOT;
    const struct eg_flap *flap = entry && entry->row.flapping ? flap_of(pipeline, row->number) : NULL;
    if (flap && conf->flapping.window_ms && !eg_handling_ended(row))
        longer(ret, EG_SUPPRESSED_BY_FLAPPING,
               eg_flap_calm(flap, conf->flapping.window_ms, conf->flapping.low, now_ms), "", "");
    return ret->by != EG_SUPPRESSED_NOT;
}

/* --- an event --- */

static bool is(const struct eg_case_event *event, const char *kind)
{
    return !strcmp(event->kind, kind);
}

/* True: with this change it began. */
static bool begins_to_flap(struct eg_pipeline *pipeline, const struct eg_case *row,
                           const struct eg_case_event *event, struct eg_suppress_step *step,
                           struct eg_batch *batch)
{
    const struct eg_conf_flapping *conf = &pipeline->conf->flapping;
    /* Silence is no change, and neither is its end; but a regional case is known and unknown in turns when one of its own goes to and fro
     * while the others are silent. */
    const char *unknown = eg_condition_name(EG_CONDITION_UNKNOWN);
    if (!(is(event, "condition") || is(event, "level")) || eg_handling_ended(row) ||
        (row->kind != EG_CASE_REGIONAL && (!strcmp(event->from, unknown) || !strcmp(event->to, unknown))))
        return false;
    if (!eg_suppress_note_change(pipeline, row->number, event->known_ms, event->at_ms)) {
        batch->failed = true;
        return false;
    }
    const struct eg_flap *flap = flap_of(pipeline, row->number);
    const struct eg_suppressed *entry = find(pipeline, row->number);
    if (!conf->window_ms || (entry && entry->row.flapping) ||
        !eg_flap_is_above(flap, conf->window_ms, conf->high, event->known_ms))
        return false;
    step->share = eg_flap_share(flap, conf->window_ms, event->known_ms);
    return true;
}

static bool rises_to_critical(const struct eg_case_event *event)
{
    return is(event, "level") && !strcmp(event->to, eg_level_name(EG_LEVEL_CRITICAL));
}

static void hold_back(struct eg_pipeline *pipeline, const struct eg_case *row,
                      const struct eg_case_event *event, struct eg_suppress_step *step,
                      struct eg_batch *batch)
{
    struct eg_suppression now;
    const struct eg_row_suppressed fresh = {.case_number = row->number, .since_ms = event->known_ms};
    bool known = find(pipeline, row->number) != NULL;
    struct eg_suppressed *entry = keep(pipeline, &fresh);
    if (!entry) {
        batch->failed = true;
        return;
    }
    const struct eg_row_suppressed before = entry->row;
    if (!known)
        entry->row.untold = is(event, "opened") || is(event, "reopened") || is(event, "disputed");
    entry->row.flapping |= step->began;
    eg_pipeline_suppression(pipeline, row, event->known_ms, &now);
    entry->until_ms = now.until_ms;
    /* That it is critical now is said once, come what may. */
    step->verdict =
        !now.said && rises_to_critical(event) && !entry->row.risen ? EG_SUPPRESS_TELL : EG_SUPPRESS_HOLD;
    if (step->verdict == EG_SUPPRESS_TELL)
        entry->row.risen = true;
    else
        entry->row.owed = true;
    step->came = !known && step->by != EG_SUPPRESSED_BY_FLAPPING;
    if (!known || memcmp(&before, &entry->row, sizeof before) != 0)
        write_down(pipeline, entry, batch);
    pipeline->wake_known = false;
}

struct eg_suppress_step eg_suppress_judge(struct eg_pipeline *pipeline, const struct eg_case *row,
                                          const struct eg_case_event *event, bool worth,
                                          struct eg_batch *batch)
{
    struct eg_suppress_step step = {.verdict = EG_SUPPRESS_TELL, .by = EG_SUPPRESSED_NOT};
    struct eg_suppression now;
    if (is(event, "resumed") || is(event, "suppressed") || is(event, "flapping"))
        return step;
    step.began = begins_to_flap(pipeline, row, event, &step, batch);
    if (!worth && !step.began)
        return step;
    if (eg_pipeline_suppression(pipeline, row, event->known_ms, &now) || step.began) {
        step.by = now.by ? now.by : EG_SUPPRESSED_BY_FLAPPING;
        snprintf(step.id, sizeof step.id, "%s", now.id);
        step.reason = now.reason;
        hold_back(pipeline, row, event, &step, batch);
        return step;
    }
    const struct eg_suppressed *entry = find(pipeline, row->number);
    if (entry && entry->row.owed && !eg_handling_ended(row))
        step.verdict = EG_SUPPRESS_CATCH_UP;
    return step;
}

static void resume(struct eg_pipeline *pipeline, struct eg_case *row, int64_t now_ms, struct eg_batch *batch)
{
    struct eg_suppressed *entry = find(pipeline, row->number);
    bool untold = entry->row.untold, owed = entry->row.owed;
    drop(pipeline, entry, batch);
    size_t told = eg_told_first(pipeline, row->number);
    bool anybody = told < pipeline->told_count && pipeline->told[told].case_number == row->number;
    if (!owed || (eg_handling_ended(row) && !anybody))
        return;                             /* it began and ended while nobody was told: nobody is */
    if (untold && row->handling == EG_OPEN) /* who hears of it now has as long as others */
        eg_deadline_begin(pipeline, row, now_ms);
    eg_case_happened(
        pipeline, row,
        (struct eg_case_event){
            .at_ms = now_ms, .known_ms = now_ms, .kind = "resumed", .actor = "ecogovd", .value = NAN},
        batch);
}

void eg_suppress_follow(struct eg_pipeline *pipeline, struct eg_case *row,
                        const struct eg_suppress_step *step, int64_t now_ms, struct eg_batch *batch)
{
    struct eg_case_event event = {
        .at_ms = now_ms, .known_ms = now_ms, .actor = "ecogovd", .value = (double)NAN};
    char to[96];
    if (step->began) {
        event.kind = "flapping";
        event.value = step->share;
        eg_case_happened(pipeline, row, event, batch);
    }
    if (step->came) {
        event.kind = "suppressed";
        event.value = (double)NAN;
        snprintf(to, sizeof to, "%s %s", eg_suppressor_name(step->by), step->id);
        event.to = to;
        event.note = step->reason;
        eg_case_happened(pipeline, row, event, batch);
    }
    if (step->verdict == EG_SUPPRESS_CATCH_UP)
        resume(pipeline, row, now_ms, batch);
}

void eg_suppress_ended(struct eg_pipeline *pipeline, const struct eg_case *row,
                       const struct eg_suppress_step *step, struct eg_batch *batch)
{
    struct eg_suppressed *entry = find(pipeline, row->number);
    size_t told = eg_told_first(pipeline, row->number);
    bool anybody = told < pipeline->told_count && pipeline->told[told].case_number == row->number;
    if (step->verdict == EG_SUPPRESS_HOLD && anybody)
        return; /* they are told that it ended when they may be */
    if (entry)
        drop(pipeline, entry, batch);
    eg_told_forget(pipeline, row->number, batch);
}

/* --- time --- */

/* Flapping is over when it has been calm for long enough. */
static void calm_down(struct eg_pipeline *pipeline, struct eg_suppressed *entry, int64_t now_ms,
                      struct eg_batch *batch)
{
    const struct eg_conf_flapping *conf = &pipeline->conf->flapping;
    const struct eg_flap *flap = flap_of(pipeline, entry->row.case_number);
    if (!entry->row.flapping ||
        (flap && conf->window_ms && eg_flap_calm(flap, conf->window_ms, conf->low, now_ms) > now_ms))
        return;
    entry->row.flapping = entry->row.risen = false;
    write_down(pipeline, entry, batch);
}

static void look(struct eg_pipeline *pipeline, struct eg_suppressed *entry, int64_t now_ms,
                 struct eg_batch *batch)
{
    char id[16];
    struct eg_case past;
    struct eg_suppression now;
    snprintf(id, sizeof id, "%u", entry->row.case_number);
    struct eg_case *row = eg_command_find(pipeline, id, batch, &past);
    if (!row) {
        drop(pipeline, entry, batch);
        return;
    }
    calm_down(pipeline, entry, now_ms, batch);
    if (eg_pipeline_suppression(pipeline, row, now_ms, &now))
        entry->until_ms = now.until_ms;
    else
        resume(pipeline, row, now_ms, batch);
}

void eg_suppress_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    uint32_t last = 0;
    for (size_t at; (at = place_of(pipeline, last + 1)) < pipeline->suppressed_count;) {
        last = pipeline->suppressed[at].row.case_number;
        if (pipeline->suppressed[at].until_ms <= now_ms)
            look(pipeline, &pipeline->suppressed[at], now_ms, batch);
    }
    pipeline->wake_known = false;
}

int64_t eg_suppress_wake(const struct eg_pipeline *pipeline)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < pipeline->suppressed_count; i++)
        if (pipeline->suppressed[i].until_ms < first)
            first = pipeline->suppressed[i].until_ms;
    return first;
}

void eg_suppress_finish(struct eg_pipeline *pipeline)
{
    free(pipeline->silences);
    free(pipeline->suppressed);
    free(pipeline->flaps);
    free(pipeline->rates);
}
