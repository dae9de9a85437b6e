/* Devices and series as they stand, now or at a past moment: for who tells of both in the same words. */
#ifndef EG_API_ASOF_H
#define EG_API_ASOF_H

#include <api/call.h>

/* What one question about the past may read; beyond it, it is refused. */
#define EG_ASOF_SERIES_MAX 2000
#define EG_ASOF_CASES_MAX 10000 /* the newest */

struct eg_asof {
    struct eg_call *call;
    bool past;
    int64_t at_ms;
    struct seen **series; /* by id: those of the past that were asked for; NULL: now, or not looked at yet */
    size_t looked_at;
    int code; /* of what went wrong; the sentence is in the call */
};

/* `at_ms`: EG_TIME_NONE for now. 0, or an enum eg_rpc_code. */
int eg_asof_init(struct eg_asof *asof, struct eg_call *call, int64_t at_ms);
void eg_asof_finish(struct eg_asof *asof);

/* As eg_pipeline_device(); of the past: when it was last heard then. False: nobody had heard of it yet, or there is none. */
bool eg_asof_device(struct eg_asof *asof, uint32_t id, struct eg_device_view *ret_view);
/* As eg_pipeline_series(); of the past: its newest reading then (of the two days before), the hour and the day up to then. */
bool eg_asof_series(struct eg_asof *asof, uint32_t id, struct eg_series_view *ret_view);
/* As eg_pipeline_hours(). */
void eg_asof_hours(struct eg_asof *asof, uint32_t id, int64_t end_ms, int64_t ret_nano[EG_AIR_HOURS]);
/* The cases that were open then (of one domain, or NULL) and their level; of the past only. What goes wrong is in `code`. */
void eg_asof_cases(struct eg_asof *asof, const char *domain,
                   bool (*each)(void *arg, const struct eg_case *row, enum eg_level level), void *arg);

#endif
