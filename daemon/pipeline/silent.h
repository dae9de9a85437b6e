/* How a device stands, as it is shown. */
#ifndef EG_SILENT_H
#define EG_SILENT_H
#include <pipeline/pipeline.h>

enum eg_standing {
    EG_REPORTING,
    EG_STANDING_LATE,
    EG_STANDING_SUSPECT,
    EG_SILENT,
    EG_RETIRED,
    EG_STANDING_COUNT
};
const char *eg_standing_name(enum eg_standing standing); /* "reporting" "late" "suspect" "silent" "retired" */
/* `suspect`: one of its series is in doubt, see below. */
enum eg_standing eg_silent_standing(const struct eg_device_view *view, int64_t now_ms, bool suspect);
bool eg_silent_is(const struct eg_device_view *view, int64_t now_ms);
bool eg_silent_missed(const struct eg_device_view *view,
                      int64_t now_ms); /* … and somebody waits for it: not what people enter */

/* Why what a series tells is in doubt. */
enum eg_doubt {
    EG_DOUBT_STUCK,
    EG_DOUBT_BAD,
    EG_DOUBT_INCONSISTENT, /* with what else its device tells, for long */
    EG_DOUBT_UNJUDGED,     /* no rule may judge its newest reading: it came late, retained, by an import */
    EG_DOUBT_NOISY,        /* it jumps about, far more than it used to */
    EG_DOUBT_DRIFTING,     /* away from its neighbours */
    EG_DOUBT_COUNT
};
const char *
eg_doubt_name(enum eg_doubt doubt); /* "stuck" "bad" "inconsistent" "unjudged" "noisy" "drifting" */
/* True: it is; then since when in *ret_since_ms. */
bool eg_silent_doubted(const struct eg_series_view *series, enum eg_doubt doubt, int64_t *ret_since_ms);
bool eg_silent_suspect(const struct eg_series_view *series); /* for any of these reasons */
struct eg_json;
/* Who retired a device, as a value: an object, or null. */
void eg_silent_write_retired(struct eg_json *json, int64_t retired_ms, const char *by, const char *note,
                             int64_t heard_ms);
#endif
