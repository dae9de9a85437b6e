/* Private to the store: what its files share. */
#ifndef EG_INSIDE_H
#define EG_INSIDE_H

#include <store/buckets.h>
#include <store/clock.h>
#include <store/pack.h>
#include <store/history.h>
#include <store/store.h>
#include <sqlite3.h>
#include <stdatomic.h>

/* Unsealed readings that set sealing off, and how many one run seals. Bounds the start's decoding to a few milliseconds; large enough
 * that a chunk of a common series holds some dozens of points. */
#ifndef EG_SEAL_AT /* `./dev bench ingest` has a daemon that never seals */
#define EG_SEAL_AT 131072u
#endif
#define EG_SEAL_RUN 65536u
/* A village of few series seals earlier, so many readings a series: the file need not hold the journal of a town. */
#define EG_SEAL_A_SERIES 1024u
#define EG_SEAL_LEAST 16384u
/* With so many points a chunk stays as it is; with fewer it is young and grows with each run. */
#define EG_CHUNK_GROWN 500
/* Rows of closed buckets that set folding off. */
#define EG_FOLD_AT 2048u
/* Packet identifiers are 16 bits: an identity older than that many messages can come back no more. */
#define EG_IDENTS_KEPT 65536

/* Pages in the log: from the first on a bite of tidying writes them back, beyond the second a commit does it itself. 4 MB, 32 MB. */
#define EG_WAL_PAGES 1000
#define EG_WAL_PAGES_MAX 8000
#define EG_WAL_PAGES_SHORT 64 /* while there is no room for a longer one */
#define EG_PAGE_BYTES 4096

/* (series, time) → newest value, of the readings in the journal. Belongs to the reader, made when first asked: readings in order, the
 * rule, never ask. */
#define EG_TAIL_MOST ((size_t)4 * EG_SEAL_AT)
struct eg_tail {
    int64_t from_seq, to_seq; /* the turns it holds: (from, to] */
    struct eg_tail_slot {
        uint64_t key; /* eg_tail_key(), 0: free */
        double value;
    } * slots;
    size_t capacity, count; /* capacity: a power of two, or 0 */
};
uint64_t eg_tail_key(uint32_t series, int64_t time_ms);
/* Takes in what the journal holds since the last time, up to `newest_seq` at least. */
int eg_tail_refresh(struct eg_tail *tail, sqlite3 *db, int64_t newest_seq, struct eg_err *err);
bool eg_tail_get(const struct eg_tail *tail, uint32_t series, int64_t time_ms, double *ret_value);
void eg_tail_finish(struct eg_tail *tail);

enum eg_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_TURN,
    SQL_DEVICE,
    SQL_RHYTHM,
    SQL_STANDING,
    SQL_DEVICE_EVENT,
    SQL_FINDING,
    SQL_EVIDENCE,
    SQL_SERIES,
    SQL_ROLLUP_MERGE,
    SQL_ROLLUP_REPLACE,
    SQL_RULE_STATE,
    SQL_CASE,
    SQL_CASE_EVENT,
    SQL_OUTBOX,
    SQL_OUTBOX_DONE,
    SQL_OUTBOX_PRUNE,
    SQL_OUTBOX_OVERFLOW,
    SQL_OUTBOX_TRIED,
    SQL_CALIBRATION,
    SQL_CALIBRATION_FORGET,
    SQL_TOLD,
    SQL_TOLD_DROP,
    SQL_SILENCE,
    SQL_SILENCE_PRUNE,
    SQL_SUPPRESSED,
    SQL_SUPPRESSED_DROP,
    SQL_QUARANTINE,
    SQL_QUARANTINE_PRUNE,
    SQL_QUARANTINE_DROP,
    SQL_QUARANTINE_REJECT,
    SQL_CHUNK,
    SQL_YOUNG,
    SQL_YOUNG_GET,
    SQL_YOUNG_DROP,
    SQL_SERIES_LAST,
    SQL_META,
    SQL_TURN_PRUNE,
    SQL_TURNS,
    SQL_SERIES_MOST,
    SQL_YOUNG_PRUNE,
    SQL_YOUNG_OLD,
    SQL_CHUNK_OLD,
    SQL_CHUNK_DROP,
    SQL_TURN_SEALED,
    SQL_TURN_FOLD,
    SQL_TURN_BARE,
    SQL_ROLLUP_AGED,
    SQL_ROLLUP_GET,
    SQL_ROLLUP_DROP,
    SQL_FOLD_KEYS,
    SQL_BUCKET_AT,
    SQL_BUCKET_BEFORE,
    SQL_BUCKET_AFTER,
    SQL_BUCKET_ADD,
    SQL_BUCKET_SET,
    SQL_BUCKET_DROP,
    SQL_BUCKET_AGED,
    SQL_CHUNK_AGED,
    SQL_SERIES_NEXT,
    SQL_BUCKET_OLD,
    SQL_PAGES,
    SQL_OWN,
    SQL_OWN_GET,
    SQL_OWN_DROP,
    SQL_DATE_NEXT,
    SQL_DATE_TURN,
    SQL_COUNT
};

/* A run of sealing (seal.c), as far as it lies in memory. */
struct eg_seal {
    struct eg_seal_row {
        int64_t time_ms;
        double value;
        uint32_t before; /* the series' earlier row, counted from 1; 0: none */
        uint16_t flags;
    } * rows;
    size_t count, capacity;
    struct eg_seal_chain {
        uint32_t newest, count;
    } * chains; /* [last_series + 1] */
    uint32_t last_series;
    int64_t read_seq; /* turns up to here are in `rows`; 0: no run */
    uint64_t stored;  /* r_stored as of that turn */
    bool gathered;    /* the run ends at read_seq */
    struct eg_aged *sorted;
    size_t sorted_capacity;
};

/* A run of folding (fold.c), as far as it lies in memory. */
struct eg_fold_chunk;
struct eg_fold {
    struct eg_fold_key {
        int64_t start_ms;
        uint32_t series;
        int8_t period;
        bool changed; /* by a turn, since it was put: the row stays */
    } * keys;
    size_t count, capacity, at, next; /* at: done; next: with the bite under way */
    bool gathered, all_put; /* all_put: `at` counts the rows that were dropped, in their own order */
    struct eg_fold_chunk *chunk;
    uint64_t rows; /* in table rollup, at the most, but those gathered */
    uint64_t
        had; /* of these, when gathering began: what a turn adds after that may lie before what was read */
};

/* What went to the card (flash.c): written by whoever commits, asked from any thread. One sample an hour; as many as a day has and some
 * more, so that the slot that is filled anew is not one that is read. */
#define EG_FLASH_SAMPLES 32u
struct eg_flash {
    struct eg_flash_sample {
        _Atomic int64_t at_ms, bytes;
    } samples[EG_FLASH_SAMPLES];
    _Atomic uint32_t count;
    _Atomic uint64_t stored; /* readings since the store was opened */
    int64_t kernel_at_open,
        noted_factor;       /* /proc/self/io then, -1: not known; of earlier runs, in thousandths */
    int64_t noted, at_open; /* as `meta` said; bytes_written then */
    uint64_t stored_at_open;
    bool due; /* the next commit notes the sum in `meta` */
};

/* How long things are kept, and how far a pass over what is too old has come (age.c). */
enum eg_age_of {
    EG_AGE_RAW,
    EG_AGE_HOUR,
    EG_AGE_DAY,
    EG_AGE_KINDS
}; /* hour and day as enum eg_period has them */
struct eg_age {
    int64_t kept_ms[EG_AGE_KINDS]; /* 0: for ever */
    struct eg_age_rule {
        char domain[EG_DOMAIN_TEXT];   /* "": any */
        int quantity;                  /* EG_QUANTITY_NONE: any */
        int64_t kept_ms[EG_AGE_KINDS]; /* negative: it says nothing of it */
    } * rules;
    size_t rule_count;
    uint32_t series; /* up to there it is done */
    bool in_rows;    /* all series are done: rows of rollups, behind that one */
    int period;
    int64_t row_start_ms, row_series;
};

struct eg_store {
    sqlite3 *db;
    sqlite3_stmt *sql[SQL_COUNT];
    char *path;
    int lock_fd;
    struct eg_age age;
    int64_t max_pages;                /* of the file, as far as readings may fill it */
    int64_t spare_pages;              /* above that, for cases when there is no room (room.c) */
    int64_t reserve_bytes;            /* kept back on the disk */
    _Atomic bool short_of_room;       /* both are being used */
    int64_t pages_free, pages_wanted; /* as last measured; below that, old things go */
    bool nothing_left;                /* that might go */
    bool prune;                       /* there may be things that are too old */
    int64_t prune_at_ms;
    int64_t spared_ms, spared_id; /* chunks up to there that are left belong to cases */
    int64_t bare_seq,
        bare_next; /* sealed turns up to there hold no readings any more; with the bite under way */
    bool bare;     /* there may be more of them */
    uint64_t dropped, dropping; /* readings that went with their chunks; in the bite under way */
    size_t grown_points;        /* EG_CHUNK_GROWN; the tests take less */
    uint64_t seal_at, seal_run; /* EG_SEAL_AT, EG_SEAL_RUN; the tests take less */
    int64_t seq;                /* of the newest turn */
    int64_t sealed_seq;         /* turns up to here are sealed */
    uint64_t sealed_stored;     /* r_stored as of that turn */
    int64_t seal_to;            /* above sealed_seq: up to there, series up to seal_series are sealed, too */
    uint32_t seal_series;
    bool forget; /* there may be turns to delete */
    struct eg_seal seal;
    struct eg_fold fold;
    uint64_t fold_at;            /* EG_FOLD_AT; the tests take less */
    uint32_t series_most;        /* the newest series' id */
    struct eg_counters counters; /* as of the newest turn */
    struct eg_buf blob, idents;
    struct eg_flash flash;
    struct eg_clock_row clock, clock_next; /* as of the last commit; of the one under way */
    struct eg_dating *dating;
    struct eg_history history, history_next; /* as of the last commit; with the events of the one under way */
    _Atomic int64_t bytes, bytes_written;
    _Atomic uint64_t readings, journal_readings;
    _Atomic bool wants_tidy, behind;
    int quarantine_since_prune, outbox_since_prune; /* rows */
    int wal_pages;                                  /* in the log after the last commit */
    int wal_due;                                    /* above so many it is written back */
    int wal_moved;                                  /* of them, written back already */
};
/* recent.c: the journal's readings as chains, one per series, newest first. */
struct eg_recent {
    int64_t from_seq, to_seq; /* the turns it holds: (from, to] */
    struct eg_recent_row {
        int64_t time_ms, latest_ms; /* of this row and all before it in the chain */
        double value;
        uint32_t age, before; /* seq - from_seq; the series' earlier row, counted from 1; 0: none */
        uint16_t flags;
    } * rows;
    size_t count, capacity;
    uint32_t *newest; /* [series] */
    uint32_t series_capacity;
};
/* rollups.c: closed buckets of a series, ascending. */
#define EG_ROLLUP_COLUMNS "start,end,count,sum,min,max,first,last,first_at,last_at,slots0,slots1"
struct eg_rollups {
    sqlite3_stmt *rows, *chunks;
    int64_t from_ms, to_ms;
    struct eg_err *err;
    bool more_rows, more_chunks, have_row, whole;
    struct eg_rollup row;
    size_t count, at;
    struct eg_rollup folded[EG_BUCKETS_MAX];
};
/* cover.c: the chunks of a series that cover a span, by where they begin, then by age. */
struct eg_cover {
    sqlite3_stmt *first, *chunks; /* a row of `chunks`: where it begins, its age, its body */
};
/* An SQLite code. `cover`: zeroed, or open on the same database: its statements serve again. Within a transaction, so that both
 * statements see the same. */
int eg_cover_open(struct eg_cover *cover, sqlite3 *db, uint32_t series, int64_t from_ms, int64_t to_ms);
void eg_cover_close(struct eg_cover *cover);

/* lastday.c */
struct eg_lastday {
    struct eg_lastday_one **series; /* [capacity], NULL: not asked for */
    uint32_t capacity;
    bool asked; /* since the last commit */
    int64_t asked_ms;
};
void eg_lastday_finish(struct eg_lastday *hours);

struct eg_reader {
    struct eg_rollups rollups, day; /* day: of lastday.c, which keeps its statements */
    struct eg_lastday hours;
    sqlite3 *db;
    const struct eg_store *store;
    struct eg_cover lookup;
    struct eg_tail tail;
    struct eg_recent recent;
};

/* sql.c */
int eg_sql_open(const char *path, bool writer, sqlite3 **ret_db, struct eg_err *err);
int eg_sql_prepare(struct eg_store *store, struct eg_err *err);
int eg_sql_run(struct eg_store *store,
               enum eg_sql which); /* steps and resets; an SQLite code, SQLITE_DONE as SQLITE_OK */
int eg_sql_error(sqlite3 *db, struct eg_err *err,
                 const char *doing); /* EG_EFULL or EG_EIO with SQLite's sentence */
/* The first column of the query's first row; `otherwise` when there is none. */
void eg_sql_text(sqlite3_stmt *sql, int at, const char *text); /* NULL: ""; borrowed until the next step */
int64_t eg_sql_number(sqlite3 *db, const char *query, int64_t otherwise);
void eg_sql_figures(struct eg_store *store);
int eg_meta_put(struct eg_store *store, const char *key, int64_t value);
int64_t eg_meta_get(sqlite3 *db, const char *key, int64_t otherwise);

/* flash.c */
void eg_flash_open(struct eg_store *store);  /* what is known of earlier runs */
void eg_flash_pages(struct eg_store *store); /* counts what the pager wrote since the last time */
void eg_flash_moved(struct eg_store *store, int from,
                    int to); /* the log's frames (from, to] were written back */
/* In a commit: the sum, when much came since it was last noted. One page among a thousand, no sync of its own. */
int eg_flash_put(struct eg_store *store, const struct eg_batch *batch);
void eg_flash_before(struct eg_store *store, int64_t now_ms); /* a commit */
void eg_flash_after(struct eg_store *store);                  /* it is on disk */
void eg_flash_close(struct eg_store *store);                  /* before the closing checkpoint */

/* log.c */
int eg_log_note(void *user, sqlite3 *db, const char *name, int pages);
bool eg_log_due(const struct eg_store *store);
void eg_log_write_back(struct eg_store *store);

/* Journal rows behind `after_seq`, decoded in order; `each` false stops. */
int eg_journal_each(sqlite3 *db, int64_t after_seq,
                    bool (*each)(void *arg, int64_t seq, const struct eg_row_reading *row), void *arg,
                    struct eg_err *err);

struct eg_aged;
/* One series' unsealed readings in [from, to), as eg_stream_open() wants them. Owned by the caller. Within a read transaction. */
int eg_recent_of(struct eg_recent *recent, sqlite3 *db, uint32_t series, int64_t from_ms, int64_t to_ms,
                 struct eg_aged **ret_rows, size_t *ret_count, struct eg_err *err);
void eg_recent_finish(struct eg_recent *recent);

/* stream.c: the readings of one series in [from, to), ascending, newest value of each time; from chunks and the journal. */
struct eg_aged { /* a reading and how new it is */
    struct eg_point point;
    int64_t seq;
    uint32_t order, series;
};
int eg_aged_compare(const void *left, const void *right); /* by series, time, age */
struct eg_stream {
    struct eg_cover cover;
    uint32_t series;
    int64_t from_ms, to_ms, next_first; /* where the next chunk begins */
    bool more_chunks;
    struct eg_aged *pending;
    size_t count, capacity, at;
    struct eg_point *decoded; /* [EG_CHUNK_POINTS] */
    struct eg_err *err;
};
/* `stream`: zeroed, or open on the same database: then statement and memory serve again. `tail`: the series' unsealed readings in
 * order; copied. After a failure it is closed. */
int eg_stream_open(struct eg_stream *stream, sqlite3 *db, uint32_t series, int64_t from_ms, int64_t to_ms,
                   const struct eg_aged *tail, size_t tail_count, struct eg_err *err);
int eg_stream_next(struct eg_stream *stream, struct eg_point *ret_point); /* 1, 0 at the end, negative */
void eg_stream_close(struct eg_stream *stream);
/* The journal's readings as an array by (series, time, age); `series` 0: all. Owned by the caller. */
int eg_stream_tail(sqlite3 *db, uint32_t series, struct eg_aged **ret_rows, size_t *ret_count,
                   struct eg_err *err);

/* grow.c. SQLite codes; SQLITE_CORRUPT: the young chunk is damaged. `ret_points`: [EG_CHUNK_POINTS] */
int eg_grow_young(struct eg_store *store, uint32_t series, struct eg_point *ret_points, size_t *ret_count);
/* `rows`: young and new, ascending by time and age. */
int eg_grow_put(struct eg_store *store, uint32_t series, int64_t seq, const struct eg_aged *rows,
                size_t count);

/* bare.c. SQLite codes */
int eg_bare_some(struct eg_store *store, bool *ret_done); /* within a bite, which then calls eg_bare_done() */
int eg_bare_within(struct eg_store *store, int64_t until_us);
void eg_bare_done(struct eg_store *store, bool kept); /* after COMMIT, or after it failed */

/* fold.c */
bool eg_fold_due(const struct eg_store *store);
bool eg_fold_behind(const struct eg_store *store);
void eg_fold_changed(struct eg_store *store,
                     const struct eg_row_rollup *row); /* by a turn that was committed */
int eg_fold_gather(struct eg_store *store, int64_t until_us, struct eg_err *err);
int eg_fold_within(struct eg_store *store,
                   int64_t until_us);                 /* an SQLite code; CORRUPT: a chunk is damaged */
void eg_fold_done(struct eg_store *store, bool kept); /* after COMMIT, or after it failed */
void eg_fold_finish(struct eg_store *store);

/* rollups.c. `rollups`: zeroed, or open on the same database: its statements serve again. `folded`: false before the sixth schema. */
void eg_rollup_read(sqlite3_stmt *sql, struct eg_rollup *ret,
                    bool *ret_whole); /* EG_ROLLUP_COLUMNS and `whole` */
int eg_rollups_open(struct eg_rollups *rollups, sqlite3 *db, uint32_t series, enum eg_period period,
                    int64_t from_ms, int64_t to_ms, bool folded, struct eg_err *err);
int eg_rollups_next(struct eg_rollups *rollups, struct eg_rollup *ret); /* 1, 0 at the end, negative */
void eg_rollups_close(struct eg_rollups *rollups);

/* landuse.c */
void eg_land_use_keep(struct eg_store *store, const struct eg_conf *conf);

/* age.c */
int eg_age_configure(struct eg_store *store, const struct eg_conf *conf,
                     struct eg_err *err);       /* begins a pass */
int64_t eg_age_every(const struct eg_age *age); /* so much time from one pass to the next */
int64_t eg_age_kept(const struct eg_age *age, enum eg_age_of of, const char *domain, int quantity);
int eg_age_some(struct eg_store *store, int64_t now_ms, bool *ret_done); /* an SQLite code */
void eg_age_finish(struct eg_store *store);

/* room.c */
void eg_room_size(struct eg_store *store, int64_t max_size);
void eg_room_before(struct eg_store *store); /* before the file is opened */
int eg_room_open(struct eg_store *store, struct eg_err *err);
/* While it is short of room: takes back what was kept back, if there is room for it again. */
void eg_room_regain(struct eg_store *store);

/* prune.c */
int64_t eg_prune_reserve(int64_t max_pages);
void eg_prune_measure(struct eg_store *store);
bool eg_prune_tight(const struct eg_store *store);
int eg_prune_within(struct eg_store *store, int64_t now_ms, int64_t until_us); /* an SQLite code */
void eg_prune_done(struct eg_store *store, bool kept);

/* commit.c */
int eg_commit_rollups(struct eg_store *store, const struct eg_row_rollup *rows, size_t count);

/* seal.c */
bool eg_seal_behind(const struct eg_store *store);
void eg_seal_finish(struct eg_store *store);

void eg_case_read(sqlite3_stmt *statement, struct eg_case *ret);
extern const char eg_case_columns[];
#define EG_SILENCE_SELECT                                                                                    \
    "SELECT id,site,domain,device,quantity,rule,level,reason,author,created_at,starts_at,expires_at,"        \
    "ended_at,removed,ended_by FROM silence"
int eg_silences_put(struct eg_store *store, const struct eg_batch *batch);
int eg_devices_put(struct eg_store *store, const struct eg_batch *batch); /* devices.c: and series */
int eg_silences_put_suppressed(struct eg_store *store, const struct eg_batch *batch);
void eg_silence_read(sqlite3_stmt *statement, struct eg_silence *ret);
bool eg_reader_former(void *reader, const char *rule, uint32_t series, const char *site,
                      struct eg_case *ret); /* struct eg_past */
/* Those a case had before the ninth schema. */
#define EG_CASE_COLUMNS_8                                                                                    \
    "number,id,site,domain,device,rule,channel,quantity,series,rule_version,level,condition,handling,mode,"  \
    "opened_at,detected_at,closed_at,due_at,last_value,last_at,peak_value,peak_at,level_limit,lead,"         \
    "assignee,escalation,reopened,version"

#endif
