/* The table of methods: one const struct each. */
#ifndef EG_API_METHODS_H
#define EG_API_METHODS_H

#include <api/client.h>

struct eg_method {
    const char *name;
    int (*handler)(struct eg_call *call);
    bool writes;                   /* needs the right to write */
    bool alone;                    /* not in a batch: it goes on speaking after its answer began */
    const char *help;              /* one line */
    const struct eg_param *params; /* ends with a NULL name; NULL: none */
};
const struct eg_method *eg_methods_find(const char *name); /* NULL */
const struct eg_method *eg_methods_at(size_t index);       /* NULL behind the last */

/* The handlers, a file each or a family. */
int eg_m_status(struct eg_call *call);
int eg_m_summary(struct eg_call *call);
int eg_m_lists_sites(struct eg_call *call);
int eg_m_lists_devices(struct eg_call *call);
int eg_m_devices_retire(struct eg_call *call);
int eg_m_devices_restore(struct eg_call *call);
int eg_m_rules_list(struct eg_call *call);
int eg_m_explain(struct eg_call *call);
int eg_m_lists_parties(struct eg_call *call);
int eg_m_lists_quantities(struct eg_call *call);
int eg_m_lists_drivers(struct eg_call *call);
int eg_m_lists_sources(struct eg_call *call);
int eg_m_readings_latest(struct eg_call *call);
int eg_m_history(struct eg_call *call);
int eg_m_series(struct eg_call *call);
int eg_m_indices_history(struct eg_call *call);
int eg_m_statistics(struct eg_call *call);
int eg_m_cases_list(struct eg_call *call);
int eg_m_cases_show(struct eg_call *call);
int eg_m_cases_verb(struct eg_call *call);
int eg_m_cases_drill(struct eg_call *call);
int eg_m_kpi(struct eg_call *call);
int eg_m_report(struct eg_call *call);
int eg_m_silences_add(struct eg_call *call);
int eg_m_silences_list(struct eg_call *call);
int eg_m_silences_remove(struct eg_call *call);
int eg_m_quarantine_list(struct eg_call *call);
int eg_m_quarantine_retry(struct eg_call *call);
int eg_m_quarantine_show(struct eg_call *call);
int eg_m_outbox_list(struct eg_call *call);
int eg_m_notify_preview(struct eg_call *call);
int eg_m_notify_test(struct eg_call *call);
int eg_m_export(struct eg_call *call);
int eg_m_import(struct eg_call *call);
int eg_m_watch(struct eg_call *call);
int eg_m_backup(struct eg_call *call);
int eg_m_clock_trust(struct eg_call *call);
int eg_m_reload(struct eg_call *call);
int eg_m_backtest(struct eg_call *call);

/* The series that device, quantity, channel, site and domain mean; 0 or a refusal. */
int eg_m_history_series(struct eg_call *call, struct eg_device_view *ret_device,
                        struct eg_series_view *ret_series);

/* Pieces of answers that more than one place writes. */
void eg_m_reload_write(struct eg_buf *text, const struct eg_conf *conf, bool restart_needed);
void eg_m_status_write(const struct eg_desk *desk, struct eg_json *json);
void eg_m_status_clock(struct eg_json *json, const struct eg_faults *faults); /* "clock": is it trusted? */
uint64_t eg_m_status_fingerprint(const struct eg_desk *desk); /* changes when anything but the clock did */
void eg_m_cases_write(const struct eg_desk *desk, struct eg_json *json,
                      const struct eg_case *row); /* an open object's keys */
void eg_m_cases_event_write(struct eg_json *json, const struct eg_case_event *event); /* likewise */
void eg_m_readings_flags(struct eg_json *json, unsigned flags);                       /* an array of names */
/* "original": what the device had said, of a reading that is calibrated. */
void eg_m_readings_original(struct eg_json *json, const struct eg_pipeline *pipeline, uint32_t series,
                            int64_t time_ms, double value, unsigned flags);
void eg_m_readings_write(struct eg_json *json, const struct eg_pipeline *pipeline,
                         const struct eg_device_view *device, const struct eg_series_view *series,
                         int64_t time_ms, double value, unsigned flags); /* an object */

/* Spans as people say them: null for 0. A rhythm is learned from arrivals, and never round: "1m", not "60007ms". */
void eg_m_lists_span(struct eg_json *json, const char *key, int64_t ms);
int64_t eg_m_lists_rhythm(int64_t interval_ms);

/* Each site as `summary` tells it, for eg_api_summaries(). */
void eg_m_summary_each(struct eg_desk *desk,
                       void (*each)(void *user, const char *site, const char *json, size_t length),
                       void *user);

/* The backup under way is to end, and tells so through desk->told; false: there is none. */
bool eg_m_backup_stop(struct eg_desk *desk);
bool eg_m_backtest_stop(struct eg_desk *desk); /* the same of a test */

/* An export under way. Bite: whole lines into `out`; 0 goes on, 1 done with *ret_rows, or an enum
 * eg_rpc_code. */
int eg_m_export_bite(struct eg_desk *desk, struct eg_stream *stream, struct eg_buf *out, uint64_t *ret_rows,
                     char *sentence, size_t sentence_size);
void eg_m_export_close(struct eg_desk *desk, struct eg_stream *stream); /* accepts NULL */

#endif
