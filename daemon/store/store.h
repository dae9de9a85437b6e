/* The store: one SQLite file in WAL mode, synchronous=FULL. The only room that knows SQLite.
 *
 * Two connections. The writer (struct eg_store) belongs to whoever commits: one thread at a time (turn.c's worker). The reader
 * (struct eg_reader) is read-only, belongs to the main thread and sees the last commit. The interface is narrow on purpose:
 * another store may stand beside it.
 *
 * Layout: one row per turn in the journal (counters, packet identities, readings packed) so that a small turn dirties one page;
 * sealed in the background into chunks per series; everything else in plain tables. */
#ifndef EG_STORE_H
#define EG_STORE_H

#include <pipeline/pipeline.h>
#include <pipeline/rollup.h>
#include <base/buf.h>

struct eg_store;
struct eg_reader;

/* Opens or makes the database and its folder, migrates the schema in one transaction. `conf` is read only here. A newer schema than we
 * know, a file that is no database, a lock held by another ecogovd: refused with a sentence. */
int eg_store_open(const struct eg_conf *conf, struct eg_store **ret_store, struct eg_err *err);
void eg_store_close(struct eg_store *store); /* accepts NULL; checkpoints */
/* Rebuilds a pipeline that was just created. */
int eg_store_load(struct eg_store *store, struct eg_pipeline *pipeline, struct eg_err *err);
/* Takes over how long things are kept (store.retain_…, store.retain), and forgets the hold timers of rules that are not in `conf`:
 * should one come back, its hold begins anew. Where a rule stands with an open case is kept. At a start and after a reload; not
 * while a commit or tidy runs. */
int eg_store_configure(struct eg_store *store, const struct eg_conf *conf, struct eg_err *err);
/* One transaction for the whole batch. EG_OK: it is on disk. EG_EFULL: disk full or max_size reached, nothing written, may be tried
 * again. Any other code: fatal. */
int eg_store_commit(struct eg_store *store, const struct eg_batch *batch, struct eg_err *err);
/* After a commit that found no room twice: what was kept back for cases (some MB of the disk, the last pages below max_size) may be used
 * from now on, until a bite of tidying finds room enough to keep it back again. Not while a commit or tidy runs. */
void eg_store_spend_reserve(struct eg_store *store);
/* One bite of background work (seal journal rows into chunks, prune), at most about `budget_us` long; a transaction of its own. Writing the
 * log back is a bite, too, as long as the disk takes for it.
 * Not while a commit runs. *ret_more: there is more to do. */
int eg_store_tidy(struct eg_store *store, int64_t now_ms, int64_t budget_us, bool *ret_more,
                  struct eg_err *err);

/* --- the clock in doubt (clock.c, redate.c) --- */

/* What is known of it, from the last commit. */
struct eg_store_clock {
    bool doubted;          /* it was, when the store was left, or is */
    bool believed_devices; /* not any more, because devices agreed: the wall clock may still be wrong */
    int64_t since_ms;      /* of the line it began; the end of that line's doubt is `shift_ms` later */
    int64_t shift_ms, boot_us;
    char boot[40], why[24];
    int64_t newest_ms; /* of the newest turn that was lived, not replayed; EG_TIME_NONE: there is none */
};
void eg_store_clock(struct eg_store *store, struct eg_store_clock *ret);
/* The machine was started anew in the middle of it: what was dated then keeps the dates it has. Not while a commit or tidy runs. */
int eg_store_leave_doubt(struct eg_store *store, struct eg_err *err);
/* One bite of dating anew what the clock had dated while it was in doubt; a transaction of its own. To be called until *ret_more is false,
 * after the commit that says the clock is trusted, and after eg_store_open(); then the pipeline is loaded anew. */
int eg_store_redate(struct eg_store *store, int64_t budget_us, bool *ret_more, struct eg_err *err);
/* All there is was replayed, not lived: it says nothing of what time it is. */
int eg_store_mark_replayed(struct eg_store *store, struct eg_err *err);
/* The journal has changed under it. */
void eg_reader_forget(struct eg_reader *reader);

struct eg_store_figures {
    int64_t bytes;             /* file and WAL */
    int64_t bytes_written;     /* to disk since the database was made */
    uint64_t readings;         /* stored and still there */
    uint64_t journal_readings; /* of these, not sealed yet */
    int schema;
    bool wants_tidy; /* at once: the log is long, there is little room, or it is behind */
    bool
        behind; /* so much comes in that tidying must be given as much time as turns, or the file grows by it */
    bool short_of_room; /* the reserve is being used: no more readings, please */
};
void eg_store_figures(const struct eg_store *store,
                      struct eg_store_figures *ret); /* any thread; last known */

/* How fast the card is written to: since the store was opened, and over the last day or since then. NAN: not known yet. Any thread. */
struct eg_store_wear {
    double bytes_per_reading, bytes_per_day;
    double kernel_factor; /* what the kernel wrote to bytes_written */
};
void eg_store_wear(const struct eg_store *store, int64_t now_ms, struct eg_store_wear *ret);

/* The past, for the pipeline: valid while no commit or tidy runs. `reader` outlives it. */
int eg_reader_open(struct eg_store *store, struct eg_reader **ret_reader, struct eg_err *err);
void eg_reader_close(struct eg_reader *reader);
void eg_reader_past(struct eg_reader *reader, struct eg_past *ret_past);

/* `ecogovd --verify`: structure, references, counters, checksums. What is wrong goes to `findings`, a sentence a line; nothing there:
 * clean. A code other than EG_OK: it could not be looked at. */
int eg_store_verify(const char *path, struct eg_buf *findings, struct eg_err *err);

/* --- Questions. All on the main thread, all see the last commit. Rows are handed to `each`, borrowed for the call;
 * `each` returns false to stop. Negative code with a sentence on failure. --- */

struct eg_point {
    int64_t time_ms;
    double value;
    uint16_t flags;
};
/* Raw points of a series in [from, to), ascending, corrections applied. */
int eg_reader_points(struct eg_reader *reader, uint32_t series, int64_t from_ms, int64_t to_ms,
                     bool (*each)(void *arg, const struct eg_point *point), void *arg, struct eg_err *err);
/* Closed buckets as stored, ascending by start; the open ones are the pipeline's. */
int eg_reader_rollups(struct eg_reader *reader, uint32_t series, enum eg_period period, int64_t from_ms,
                      int64_t to_ms, bool (*each)(void *arg, const struct eg_rollup *rollup), void *arg,
                      struct eg_err *err);

/* The last day of many series at once. */
#define EG_LASTDAY_HOURS 24
struct eg_lastday_sum {
    uint64_t count;
    double sum, min, max;
    struct eg_daymean mean; /* of the hours */
    int hours, valid_hours; /* with readings; of which enough is spoken for */
};
/* The closed hours of a series that start in [from, to); from: no more than EG_LASTDAY_HOURS hours back, and the hour that holds that.
 * Remembered: dear only the first time. `validity`: by which an hour is valid (rollup.h). */
int eg_reader_hours(struct eg_reader *reader, uint32_t series, int64_t from_ms, int64_t to_ms,
                    const struct eg_conf_validity *validity, struct eg_lastday_sum *ret, struct eg_err *err);
bool eg_reader_knows_hours(const struct eg_reader *reader, uint32_t series, int64_t from_ms);
/* After each commit, before the next begins: keeps up to date what is remembered. */
void eg_reader_committed(struct eg_reader *reader, const struct eg_batch *batch);

struct eg_case_query {
    const char *site; /* exact id or NULL; or `sites`, a list (a site and all below it) */
    const char *const *sites;
    size_t site_count;
    const char *domain;             /* NULL: any */
    int handling, condition, level; /* -1: any */
    bool open_only;                 /* not closed, not rejected */
    uint32_t parent, follows;       /* children of that case, what came after it; 0: any */
    int64_t since_ms;               /* opened at or after; EG_TIME_NONE: any */
    uint32_t below;                 /* number < below (the cursor); 0: none */
    size_t limit;
};
/* Newest first. */
int eg_reader_cases(struct eg_reader *reader, const struct eg_case_query *query,
                    bool (*each)(void *arg, const struct eg_case *row), void *arg, struct eg_err *err);
/* By id, or by its number as text. EG_ENOTFOUND. */
int eg_reader_case(struct eg_reader *reader, const char *id, struct eg_case *ret, struct eg_err *err);
/* What the figures of governance are made of: one row a case that was detected in [from, to), newest first; no drills, no regional
 * cases. */
struct eg_kpi_row {
    const char *site, *domain, *lead, *assignee, *repairer;
    int handling, mode;
    int64_t detected_ms, taken_ms, fixed_ms, verified_ms; /* the first time each; EG_TIME_NONE */
    unsigned missed, disputed, reopened;                  /* how often */
    bool follows;
    bool same_hand; /* one hand entered the repair and its verification */
};
int eg_reader_kpi(struct eg_reader *reader, int64_t from_ms, int64_t to_ms, size_t limit,
                  bool (*each)(void *arg, const struct eg_kpi_row *row), void *arg, struct eg_err *err);
/* The series it stands on beside those of its device, in the order they were written down. */
int eg_reader_evidence(struct eg_reader *reader, uint32_t number,
                       bool (*each)(void *arg, const struct eg_row_evidence *row), void *arg,
                       struct eg_err *err);
int eg_reader_case_events(struct eg_reader *reader, uint32_t number,
                          bool (*each)(void *arg, const struct eg_case_event *event), void *arg,
                          struct eg_err *err);

/* Newest first, id < below when that is above 0; without those that have ended, or with them. */
int eg_reader_silences(struct eg_reader *reader, bool ended_too, int64_t below, size_t limit,
                       bool (*each)(void *arg, const struct eg_silence *row), void *arg, struct eg_err *err);

struct eg_quarantine_view {
    int64_t id, at_ms;
    const char *topic, *source, *verdict, *reason;
    const uint8_t *payload;
    size_t payload_len, full_len;
    bool retain;
};
/* Newest first, id < before_id when that is above 0. id > 0 asks for that one. Bounded table: the oldest give way. */
int eg_reader_quarantine(struct eg_reader *reader, int64_t id, int64_t before_id, size_t limit,
                         bool (*each)(void *arg, const struct eg_quarantine_view *row), void *arg,
                         struct eg_err *err);

/* Oldest first, id > after_id; `source`: of that one only, NULL: of all. */
int eg_reader_quarantined(struct eg_reader *reader, int64_t after_id, const char *source, size_t limit,
                          bool (*each)(void *arg, const struct eg_quarantine_view *row), void *arg,
                          struct eg_err *err);

struct eg_outbox_view {
    int64_t id, created_ms, done_ms /* EG_TIME_NONE */;
    const char *channel, *recipient, *key, *body, *error;
    bool delivered, retain;
    const char *party, *why, *line; /* party "": an event for whoever listens */
    uint32_t case_number;
    uint8_t level;
    unsigned tries;           /* that failed, as far as they were noted */
    int64_t failing_since_ms; /* EG_TIME_NONE */
    int64_t not_before_ms;    /* held back until then; 0: not */
    int64_t carried_by;       /* the one that brings it among others; 0: none */
    bool gave_up;             /* pending, and tried in vain for so long that others were told */
};
/* pending_only: not done yet, oldest first (id > after_id); else newest first. */
int eg_reader_outbox(struct eg_reader *reader, bool pending_only, int64_t after_id, size_t limit,
                     bool (*each)(void *arg, const struct eg_outbox_view *row), void *arg,
                     struct eg_err *err);

/* One of them; EG_ENOTFOUND. */
int eg_reader_outbox_row(struct eg_reader *reader, int64_t id,
                         bool (*each)(void *arg, const struct eg_outbox_view *row), void *arg,
                         struct eg_err *err);

/* Export: a snapshot of all readings matching a filter, handed out in bites, so that a slow taker holds nobody up. Order: series
 * by series, ascending by time. Bounded memory. */
struct eg_export_filter {
    int64_t from_ms, to_ms;                     /* [from, to); EG_TIME_NONE: open */
    bool (*wanted)(void *arg, uint32_t series); /* NULL: all */
    void *arg;
};
struct eg_export;
int eg_export_open(struct eg_store *store, const struct eg_export_filter *filter, struct eg_export **ret,
                   struct eg_err *err);
/* Hands out at most `most` points. *ret_done: nothing is left. */
int eg_export_next(struct eg_export *xport, size_t most,
                   bool (*each)(void *arg, uint32_t series, const struct eg_point *point), void *arg,
                   bool *ret_done, struct eg_err *err);
void eg_export_close(struct eg_export *xport); /* accepts NULL */

#endif
