/* A small house for the store's tests: a configuration, a pipeline and a store in a folder of their own, which can be left in
 * a hurry (what lies on disk is copied away, as a kill would leave it) and entered again; and everything the store knows, as
 * text. */
#ifndef TEST_STORE_HOUSE_H
#define TEST_STORE_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/zone.h>
#include <ecogov/time.h>
#include <store/inside.h>

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW INT64_C(1795402800000) /* 2026-11-23T03:00:00Z, 11 o'clock in the village */
#define MINUTE (INT64_C(60) * 1000)
#define HOUR (60 * MINUTE)

struct house {
    char dir[64], path[96];
    struct eg_conf *conf;
    struct eg_store *store;
    struct eg_reader *reader;
    struct eg_pipeline *pipeline;
    struct eg_batch batch;
    struct eg_err err;
};

/* What the eighth step of the schema and those behind it brought, taken back. */
#define EG_TEST_BACK_FROM_8                                                                                  \
    "ALTER TABLE rule_state DROP COLUMN checkpoints;"                                                        \
    "DROP TABLE silence; DROP TABLE suppressed;"                                                             \
    "DROP TABLE told;"                                                                                       \
    "ALTER TABLE outbox DROP COLUMN party;"                                                                  \
    "ALTER TABLE outbox DROP COLUMN why;"                                                                    \
    "ALTER TABLE outbox DROP COLUMN line;"                                                                   \
    "ALTER TABLE outbox DROP COLUMN case_number;"                                                            \
    "ALTER TABLE outbox DROP COLUMN level;"                                                                  \
    "ALTER TABLE outbox DROP COLUMN not_before;"                                                             \
    "ALTER TABLE outbox DROP COLUMN tries;"                                                                  \
    "ALTER TABLE outbox DROP COLUMN failing_since;"                                                          \
    "ALTER TABLE outbox DROP COLUMN carried_by;"

static const char village[] = "mqtt: {client_id: ecogov-test}\n"
                              "store: {path: \"%s\", max_size: %s}\n"
                              "time_zone: Asia/Shanghai\n"
                              "sites:\n"
                              "  - {id: linan, name: Linan, level: county}\n"
                              "  - {id: shangtian, name: Shangtian, level: village, parent: linan, mode: "
                              "collaborative, parties: [committee]}\n"
                              "parties:\n"
                              "  - {id: committee, name: Committee, sector: government}\n"
                              "sources:\n"
                              "  - {id: plain, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n"
                              "rules:\n"
                              "  - {id: pm25-now, domain: air, quantity: pm25, statistic: last, levels: "
                              "{warning: {open: 75, clear: 70}, critical: {open: 150, clear: 140}}}\n"
                              "  - {id: pm25-mean, domain: air, quantity: pm25, statistic: mean, window: "
                              "30m, levels: {notice: {open: 60, clear: 50}}}\n"
                              "  - {id: bin-full, domain: waste, quantity: fill_level, statistic: last, "
                              "hold: 10m, clear_hold: 5m, levels: {warning: {open: 80, clear: 60}}}\n";

static bool house_find_case(void *user, const char *id, struct eg_case *ret)
{
    return eg_reader_case(user, id, ret, NULL) == EG_OK;
}

/* As house.c does it: open, read, load. */
static int house_enter(struct house *house)
{
    struct eg_past past = {0};
    int code = eg_store_open(house->conf, &house->store, &house->err);
    if (code == EG_OK)
        code = eg_reader_open(house->store, &house->reader, &house->err);
    if (code != EG_OK)
        return code;
    eg_reader_past(house->reader, &past);
    past.find_case = house_find_case;
    past.case_user = house->reader;
    house->pipeline = eg_pipeline_create(house->conf, &past);
    assert_non_null(house->pipeline);
    eg_batch_init(&house->batch);
    return eg_store_load(house->store, house->pipeline, &house->err);
}

static void house_leave(struct house *house)
{
    eg_reader_close(house->reader);
    eg_store_close(house->store);
    eg_pipeline_destroy(house->pipeline);
    eg_batch_finish(&house->batch);
    house->reader = NULL;
    house->store = NULL;
    house->pipeline = NULL;
}

static void house_make(struct house *house, const char *max_size)
{
    char text[8192];
    struct eg_buf faults;
    memset(house, 0, sizeof *house);
    eg_buf_init(&faults, 4096);
    snprintf(house->dir, sizeof house->dir, "%s/ecogov-store-XXXXXX", "/tmp");
    assert_non_null(mkdtemp(house->dir));
    snprintf(house->path, sizeof house->path, "%s/ecogov.db", house->dir);
    int length = snprintf(text, sizeof text, village, house->path, max_size);
    house->conf = eg_conf_parse("village.yaml", text, (size_t)length, &faults);
    if (!house->conf)
        fail_msg("the test's configuration: %s", faults.data);
    eg_buf_finish(&faults);
    assert_true(eg_zone_use(house->conf->time_zone));
}

/* The thirteenth schema and what came after it undone. */
#define EG_TEST_BACK_FROM_12                                                                                 \
    "DROP TABLE finding; DROP VIEW v_device_events; DROP TABLE device_event;"                                \
    "ALTER TABLE device DROP COLUMN gone; ALTER TABLE device DROP COLUMN due_told;"                          \
    "ALTER TABLE cases DROP COLUMN fix_missed_at; ALTER TABLE cases DROP COLUMN faster;"                     \
    "DROP TABLE clock; DROP TABLE own_time; DROP TABLE evidence; DROP TABLE land_use;"                       \
    "ALTER TABLE device DROP COLUMN silent_at; ALTER TABLE device DROP COLUMN heard_at;"                     \
    "ALTER TABLE device DROP COLUMN awaited_at; ALTER TABLE device DROP COLUMN case_number;"
/* The ninth schema undone. */
#define EG_TEST_BACK_FROM_9                                                                                  \
    "DROP VIEW v_calibrations; DROP TABLE calibration;"                                                      \
    "DROP VIEW v_cases; DROP VIEW v_case_events; DROP INDEX one_active_case; DROP INDEX cases_follows;"      \
    "DROP INDEX cases_parent; ALTER TABLE cases DROP COLUMN kind; ALTER TABLE cases DROP COLUMN began_at;"   \
    "ALTER TABLE cases DROP COLUMN until_at;"                                                                \
    "ALTER TABLE cases DROP COLUMN missed; ALTER TABLE cases DROP COLUMN overdue;"                           \
    "ALTER TABLE cases DROP COLUMN handed_on; ALTER TABLE cases DROP COLUMN fixer;"                          \
    "ALTER TABLE cases DROP COLUMN repairer; ALTER TABLE cases DROP COLUMN follows;"                         \
    "ALTER TABLE cases DROP COLUMN parent; ALTER TABLE cases DROP COLUMN clear_hours;"                       \
    "ALTER TABLE cases DROP COLUMN within_since_at; ALTER TABLE case_event DROP COLUMN party;"               \
    "CREATE UNIQUE INDEX one_active_case ON cases(rule, series) WHERE handling < 5;"

static inline void house_start(struct house *house)
{
    house_make(house, "1GB");
    if (house_enter(house) != EG_OK)
        fail_msg("%s", house->err.text);
}

static void house_empty(const char *dir)
{
    DIR *folder = opendir(dir);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (folder)
        closedir(folder);
}

static void house_raze(struct house *house)
{
    house_leave(house);
    house_empty(house->dir);
    rmdir(house->dir);
    eg_conf_destroy(house->conf);
    house->conf = NULL;
}

static inline void house_copy_file(const char *from, const char *to)
{
    char block[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(out >= 0);
    for (ssize_t got; in >= 0 && (got = read(in, block, sizeof block)) > 0;)
        assert_int_equal(write(out, block, (size_t)got), got);
    if (in >= 0)
        close(in);
    close(out);
}

/* Killed now: leaves, and enters again from the files as they were before leaving. */
static inline void house_kill(struct house *house)
{
    static const char *const ends[] = {"", "-wal"};
    char from[128], aside[160];
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s%s", house->path, ends[i]);
        snprintf(aside, sizeof aside, "%s.aside", from);
        house_copy_file(from, aside);
    }
    uint64_t at = house->store->seal_at, run = house->store->seal_run;
    house_leave(house);
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s%s", house->path, ends[i]);
        snprintf(aside, sizeof aside, "%s.aside", from);
        assert_int_equal(rename(aside, from), 0);
    }
    if (house_enter(house) != EG_OK)
        fail_msg("after a kill: %s", house->err.text);
    house->store->seal_at = at;
    house->store->seal_run = run;
}

static inline int house_commit(struct house *house)
{
    assert_false(house->batch.failed);
    eg_pipeline_settle(house->pipeline, &house->batch);
    int code = eg_store_commit(house->store, &house->batch, &house->err);
    if (code == EG_OK)
        eg_batch_clear(&house->batch);
    return code;
}

static inline void house_commits(struct house *house)
{
    if (house_commit(house) != EG_OK)
        fail_msg("%s", house->err.text);
}

static inline void house_send(struct house *house, int64_t now_ms, struct eg_message message,
                              const char *topic, const char *payload)
{
    message.topic = topic;
    message.topic_len = strlen(topic);
    message.payload = (const uint8_t *)payload;
    message.payload_len = strlen(payload);
    message.arrived_ms = now_ms;
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = now_ms, .message = message};
    eg_pipeline_event(house->pipeline, &event, &house->batch);
}

static inline void house_ask(struct house *house, int64_t now_ms, const char *verb, const char *id,
                             const char *note)
{
    struct eg_event event = {.kind = EG_EVENT_COMMAND,
                             .now_ms = now_ms,
                             .command = {.verb = verb,
                                         .case_id = id,
                                         .user = !strcmp(verb, "close") ? "wang" : "li",
                                         .note = note,
                                         .until_ms = EG_TIME_NONE,
                                         .version = -1,
                                         .ticket = 7}};
    eg_pipeline_event(house->pipeline, &event, &house->batch);
}

static inline void house_delivered(struct house *house, int64_t now_ms, int64_t id, const char *error)
{
    struct eg_event event = {.kind = EG_EVENT_DELIVERY, .now_ms = now_ms, .delivery = {id, !error, error}};
    eg_pipeline_event(house->pipeline, &event, &house->batch);
}

/* --- everything that is known, as text --- */

static void tell_counters(const struct eg_counters *c, struct eg_buf *out)
{
    eg_buf_printf(out, "counters %llu %llu %llu %llu %llu / %llu %llu %llu %llu %llu\n",
                  (unsigned long long)c->received, (unsigned long long)c->decoded,
                  (unsigned long long)c->duplicate, (unsigned long long)c->quarantined,
                  (unsigned long long)c->ignored, (unsigned long long)c->r_decoded,
                  (unsigned long long)c->r_stored, (unsigned long long)c->r_duplicate,
                  (unsigned long long)c->r_rejected, (unsigned long long)c->r_corrected);
}

static void tell_rollup(const char *name, const struct eg_rollup *r, struct eg_buf *out)
{
    eg_buf_printf(out, " %s %lld-%lld n=%llu %.10g %a %a %a %a %lld-%lld %llx %llx\n", name,
                  (long long)r->start_ms, (long long)r->end_ms, (unsigned long long)r->count, r->sum, r->min,
                  r->max, r->first, r->last, (long long)r->first_ms, (long long)r->last_ms,
                  (unsigned long long)r->slots[0], (unsigned long long)r->slots[1]);
}

static void tell_case(const struct eg_case *c, struct eg_buf *out)
{
    eg_buf_printf(
        out,
        "case %u %s %s/%s/%s %s %s q%u s%u v%llx level %u condition %u handling %u mode %u %lld "
        "%lld %lld %lld "
        "last %a@%lld peak %a@%lld limit %a lead %s assignee %s e%u r%u version %u kind %u began %lld "
        "until %lld missed %u %d %d fixer %s %s follows %u %u faster %u fix %lld\n",
        c->number, c->id, c->site, c->domain, c->device, c->rule, c->channel, c->quantity, c->series,
        (unsigned long long)c->rule_version, c->level, c->condition, c->handling, c->mode,
        (long long)c->opened_ms, (long long)c->detected_ms, (long long)c->closed_ms, (long long)c->due_ms,
        c->last_value, (long long)c->last_ms, c->peak_value, (long long)c->peak_ms, c->limit, c->lead,
        c->assignee, c->escalation, c->reopened, c->version, c->kind, (long long)c->began_ms,
        (long long)c->until_ms, c->missed, c->overdue, c->handed_on, c->fixer, c->repairer, c->follows,
        c->parent, c->faster, (long long)c->fix_missed_ms);
}

/* What the pipeline shows. */
static inline void tell_pipeline(const struct eg_pipeline *pipeline, struct eg_buf *out)
{
    struct eg_device_view device;
    struct eg_series_view series;
    tell_counters(eg_pipeline_counters(pipeline), out);
    for (uint32_t id = 1; eg_pipeline_device(pipeline, id, &device); id++) {
        eg_buf_printf(out, "device %u %s/%s/%s seen %lld0 s every %lld silent %lld:", id, device.site,
                      device.domain, device.device, (long long)device.last_seen_ms / 10000,
                      (long long)device.interval_ms, (long long)device.silent_after_ms);
        for (size_t i = 0; i < device.series_count; i++)
            eg_buf_printf(out, " %u", eg_pipeline_device_series(pipeline, id, i));
        eg_buf_text(out, "\n");
    }
    for (uint32_t id = 1; eg_pipeline_series(pipeline, id, &series); id++) {
        eg_buf_printf(out, "series %u of %u q%u %s last %d %a@%lld flags %u\n", id, series.device,
                      series.quantity, series.channel, series.has_last, series.last_value,
                      (long long)series.last_ms, series.last_flags);
        tell_rollup("hour", &series.hour, out);
        tell_rollup("day", &series.day, out);
    }
    const struct eg_case *row;
    for (size_t i = 0; (row = eg_pipeline_case_at(pipeline, i)); i++)
        tell_case(row, out);
}

static bool tell_point(void *arg, uint32_t series, const struct eg_point *point)
{
    eg_buf_printf(arg, "reading %u %lld %a %u\n", series, (long long)point->time_ms, point->value,
                  point->flags);
    return true;
}

static bool tell_closed(void *arg, const struct eg_rollup *rollup)
{
    tell_rollup("closed", rollup, arg);
    return true;
}

static bool tell_case_row(void *arg, const struct eg_case *row)
{
    tell_case(row, arg);
    return true;
}

static bool tell_event(void *arg, const struct eg_case_event *e)
{
    eg_buf_printf(arg, " event %u at %lld known %lld %s by %s %s>%s %a %s\n", e->version, (long long)e->at_ms,
                  (long long)e->known_ms, e->kind, e->actor, e->from, e->to, e->value, e->note);
    return true;
}

static bool tell_quarantine(void *arg, const struct eg_quarantine_view *q)
{
    eg_buf_printf(arg, "quarantine %lld at %lld %s %s %s %s (%zu of %zu) %d %.*s\n", (long long)q->id,
                  (long long)q->at_ms, q->topic, q->source, q->verdict, q->reason, q->payload_len,
                  q->full_len, q->retain, (int)(q->payload_len < 99 ? q->payload_len : 99),
                  q->payload ? (const char *)q->payload : "");
    return true;
}

static bool tell_outbox(void *arg, const struct eg_outbox_view *o)
{
    eg_buf_printf(arg, "outbox %lld %lld %lld %s %s %s %d %d %s %s %s/%s/%s %u %u\n", (long long)o->id,
                  (long long)o->created_ms, (long long)o->done_ms, o->channel, o->recipient, o->key,
                  o->delivered, o->retain, o->error, o->body, o->party, o->why, o->line, o->case_number,
                  o->level);
    return true;
}

static inline bool tell_evidence(void *arg, const struct eg_row_evidence *row)
{
    eg_buf_printf(arg, "case %u stands on %u, %s since %lld\n", row->case_number, row->series,
                  eg_evidence_name(row->why), (long long)row->since_ms);
    return true;
}

/* What the store holds, asked through the reader; without the open buckets, which nobody writes. */
static inline void tell_store(struct house *house, struct eg_buf *out)
{
    struct eg_export *xport = NULL;
    struct eg_err *err = &house->err;
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    const struct eg_case_query cases = {
        .handling = -1, .condition = -1, .level = -1, .since_ms = EG_TIME_NONE};
    bool done = false;
    int code = eg_export_open(house->store, &all, &xport, err);
    while (code == EG_OK && !done)
        code = eg_export_next(xport, 100, tell_point, out, &done, err);
    eg_export_close(xport);
    for (uint32_t id = 1; code == EG_OK && id <= eg_pipeline_series_count(house->pipeline); id++)
        for (int period = 0; code == EG_OK && period < EG_PERIOD_COUNT; period++) {
            eg_buf_printf(out, "rollups of %u\n", id);
            code = eg_reader_rollups(house->reader, id, (enum eg_period)period, INT64_MIN, INT64_MAX,
                                     tell_closed, out, err);
        }
    if (code == EG_OK)
        code = eg_reader_cases(house->reader, &cases, tell_case_row, out, err);
    for (uint32_t number = 1; code == EG_OK && number < 20; number++)
        code = eg_reader_case_events(house->reader, number, tell_event, out, err);
    for (uint32_t number = 1; code == EG_OK && number < 20; number++)
        code = eg_reader_evidence(house->reader, number, tell_evidence, out, err);
    if (code == EG_OK)
        code = eg_reader_quarantine(house->reader, 0, 0, 0, tell_quarantine, out, err);
    if (code == EG_OK)
        code = eg_reader_outbox(house->reader, false, 0, 0, tell_outbox, out, err);
    if (code != EG_OK)
        fail_msg("telling the store: %s", err->text);
}

/* Where two texts part, instead of both of them. */
static inline void assert_same_text(const struct eg_buf *a, const struct eg_buf *b, const char *what)
{
    const char *left = a->data ? a->data : "", *right = b->data ? b->data : "";
    size_t line = 0, at = 0;
    assert_false(a->failed || b->failed);
    for (; left[at] && left[at] == right[at]; at++)
        if (left[at] == '\n')
            line = at + 1;
    if (left[at] != right[at])
        fail_msg("%s: they part at byte %zu\n  %.300s\n  %.300s", what, at, left + line, right + line);
}

static inline void house_verify(struct house *house, const char *what)
{
    struct eg_buf findings;
    eg_buf_init(&findings, 65536);
    if (eg_store_verify(house->path, &findings, &house->err) != EG_OK)
        fail_msg("%s: %s", what, house->err.text);
    if (findings.length)
        fail_msg("%s: %s", what, findings.data);
    eg_buf_finish(&findings);
}

#endif
