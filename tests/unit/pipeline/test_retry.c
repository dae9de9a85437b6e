/* What was quarantined and is read once more: what becomes of it, how it counts, that it is never there twice, opens no case when it is
 * late, replaces nothing. memory.h checks the sums at every commit. */
#include "speak.h"

static struct memory room;

#define OPEN(yaml) memory_open(&room, yaml)
#define CLOSE() memory_close(&room)
#define RULE "rules: [{id: dust, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n"

static char said[4096]; /* the answer's result */

static long counted(const char *key)
{
    const char *at = strstr(said, key);
    assert_non_null(at);
    return strtol(at + strlen(key), NULL, 10);
}

/* Reads one once more, in a turn of its own; gives its outcome and how many of its readings were stored, were there, were rejected. */
static const char *retry(const char *topic, const char *payload, int64_t arrived_ms, bool rejected)
{
    static char outcome[64];
    struct eg_retry_row row = {.id = 9, .rejected = rejected, .full_len = strlen(payload)};
    row.message = message_event(arrived_ms, topic, payload, strlen(payload), 0).message;
    struct eg_event event = {.kind = EG_EVENT_RETRY,
                             .now_ms = room.now_ms,
                             .retry = {.rows = &row, .count = 1, .one = true, .ticket = 4}};
    size_t leaves, stays;
    add(&room, &event);
    assert_true(room.batch.urgent);
    assert_int_equal(room.batch.answers_count, 1);
    assert_int_equal(room.batch.answers[0].ticket, 4);
    snprintf(said, sizeof said, "%s", room.batch.answers[0].result);
    leaves = room.batch.retried_count && !room.batch.retried[0].reason;
    stays = room.batch.retried_count && room.batch.retried[0].reason;
    assert_int_equal(room.batch.answers[0].code, leaves || stays ? EG_OK : EG_ECONFLICT);
    snprintf(outcome, sizeof outcome, "%s s%ld d%ld r%ld",
             leaves  ? "leaves"
             : stays ? "partly"
                     : "kept",
             counted("\"stored\":"), counted("\"duplicate\":"), counted("\"rejected\":"));
    turn(&room);
    return outcome;
}

#define ROOF "field/roof"
#define MAPPED                                                                                               \
    "sources:\n  - {id: field, topic: 'field/{device}', site: shangtian, domain: air, driver: json, "        \
    "fields: "                                                                                               \
    "[{path: /p, quantity: pm25}]}\n"
#define BEFORE                                                                                               \
    "time_zone: UTC\nsites: [{id: shangtian}]\nsources:\n  - {id: field, topic: 'field/{device}', site: "    \
    "shangtian, "                                                                                            \
    "domain: air, driver: json}\n"
#define AFTER "time_zone: UTC\nsites: [{id: shangtian}]\n" RULE MAPPED

static void test_after_the_configuration_was_mended(void **unused)
{
    (void)unused;
    OPEN(BEFORE);
    say(&room, ROOF, "{\"p\":12}");
    assert_int_equal(room.counters.quarantined, 1);
    assert_string_equal(retry(ROOF, "{\"p\":12}", NOON, false), "kept s0 d0 r0");
    assert_int_equal(room.counters.quarantined, 1);
    memory_reconfigure(&room, AFTER);
    room.now_ms = NOON + HOUR;
    assert_string_equal(retry(ROOF, "{\"p\":12}", NOON, false), "leaves s1 d0 r0");
    assert_int_equal(room.counters.received, 1); /* one message, and it is decoded */
    assert_int_equal(room.counters.quarantined, 0);
    assert_int_equal(room.counters.decoded, 1);
    assert_int_equal(room.readings[0].time_ms, NOON); /* when it came, not when it was read */
    assert_int_equal(room.readings[0].flags, EG_FLAG_ARRIVAL);
    memory_restart(&room);
    assert_int_equal(room.counters.quarantined, 0);
    CLOSE();
}

static void test_what_is_there_stays_as_it_is(void **unused)
{
    (void)unused;
    OPEN(AFTER);
    say(&room, ROOF, "{\"ts\":1795435200000,\"p\":12}");
    say(&room, "field/x", "[]");
    assert_string_equal(retry(ROOF, "{\"ts\":1795435200000,\"p\":12}", NOON, false), "leaves s0 d1 r0");
    say(&room, "field/x", "[]");
    assert_string_equal(retry(ROOF, "{\"ts\":1795435200000,\"p\":13}", NOON, false), "leaves s0 d1 r0");
    assert_int_equal(room.readings_count, 1); /* older news does not correct */
    assert_int_equal(room.counters.r_corrected, 0);
    CLOSE();
}

/* A message some of whose readings were rejected counted as decoded; what was stored of it then is not stored again, also without a
 * time of its own, when others came in the same millisecond. */
static void test_rejected_then(void **unused)
{
    (void)unused;
    static const char both[] = "{\"pm25\":12,\"humidity\":0.45,\"pm10\":5000}";
    OPEN(SITES);
    say(&room, A1, "{\"pm25\":11}");
    say(&room, A1, both);
    assert_int_equal(room.readings_count, 3);
    assert_int_equal(room.counters.r_rejected, 1);
    assert_string_equal(retry(A1, both, NOON, true), "kept s0 d0 r0"); /* nothing new: no counter moves */
    assert_int_equal(room.counters.r_decoded, 4);
    assert_true(strstr(said, "pm10 5000") != NULL);
    memory_reconfigure(
        &room, "time_zone: UTC\nsites: [{id: shangtian}]\nsources: [{id: s, topic: "
               "'ecogov/{site}/{domain}/{device}', "
               "driver: json, fields: [{path: /pm25, quantity: pm25}, {path: /humidity, quantity: humidity}, "
               "{path: /pm10, quantity: pm10, scale: 0.1}]}]\n");
    assert_string_equal(retry(A1, both, NOON, true), "leaves s1 d2 r0");
    assert_int_equal(room.readings_count, 4);
    assert_int_equal(room.counters.decoded, 2);
    assert_int_equal(room.counters.received, 2);
    CLOSE();
}

static void test_in_part(void **unused)
{
    (void)unused;
    OPEN(BEFORE);
    say(&room, ROOF, "{\"p\":12,\"q\":200}");
    memory_reconfigure(
        &room,
        "time_zone: UTC\nsites: [{id: shangtian}]\nsources:\n  - {id: field, topic: 'field/{device}', site: "
        "shangtian, domain: air, driver: json, fields: [{path: /p, quantity: pm25}, {path: /q, "
        "quantity: temperature}]}\n");
    assert_string_equal(retry(ROOF, "{\"p\":12,\"q\":200}", NOON, false), "partly s1 d0 r1");
    assert_int_equal(room.counters.quarantined, 0);
    assert_int_equal(room.counters.decoded, 1);
    assert_string_equal(retry(ROOF, "{\"p\":12,\"q\":200}", NOON, true), "kept s0 d0 r0");
    CLOSE();
}

static void test_late_opens_no_case(void **unused)
{
    (void)unused;
    OPEN(AFTER);
    for (int i = 0; i < 3; i++)
        say(&room, "field/y", "[]");
    room.now_ms = NOON + 3 * DAY;
    assert_string_equal(retry(ROOF, "{\"p\":200}", NOON, false), "leaves s1 d0 r0");
    assert_int_equal(room.readings[0].flags & EG_FLAG_LATE, EG_FLAG_LATE);
    assert_int_equal(room.cases_count, 0);
    assert_string_equal(retry(ROOF, "{\"p\":200}", NOON + 3 * DAY - HOUR, false), "leaves s1 d0 r0");
    assert_int_equal(room.readings[1].flags & EG_FLAG_LATE, 0);
    assert_int_equal(room.cases_count, 1); /* an hour late: as from a gateway that was cut off */
    assert_true(room.cases[0].detected_ms == room.now_ms);
    CLOSE();
}

/* A clock that ran ahead was wrong then, whatever the time is by now. */
static void test_a_time_that_lay_in_the_future_still_does(void **unused)
{
    (void)unused;
    static const char ahead[] = "{\"ts\":\"2026-11-23T14:00:00Z\",\"pm25\":5}";
    OPEN(SITES);
    say(&room, A1, ahead);
    room.now_ms = NOON + 5 * HOUR;
    assert_string_equal(retry(A1, ahead, NOON, true), "kept s0 d0 r0");
    assert_true(strstr(said, "future") != NULL);
    CLOSE();
}

static void test_what_cannot_be_read(void **unused)
{
    (void)unused;
    OPEN(SITES);
    say(&room, A1, "{");
    assert_string_equal(retry(A1, "{", NOON, false), "kept s0 d0 r0");
    assert_string_equal(retry("elsewhere/a", "{\"pm25\":1}", NOON, false), "kept s0 d0 r0");
    assert_true(strstr(said, "no source takes its topic") != NULL);
    struct eg_retry_row row = {.id = 1, .full_len = 20000};
    row.message = message_event(NOON, A1, "{\"pm25\":1}", 10, 0).message;
    struct eg_event event = {.kind = EG_EVENT_RETRY, .now_ms = NOON, .retry = {.rows = &row, .count = 1}};
    add(&room, &event);
    assert_true(strstr(room.batch.answers[0].result, "only the first 10 of its 20000 bytes") != NULL);
    assert_int_equal(room.batch.answers[0].code, EG_OK); /* of many: told, not refused */
    assert_int_equal(room.batch.retried_count, 0);
    turn(&room);
    assert_int_equal(room.counters.quarantined, 1);
    CLOSE();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_after_the_configuration_was_mended),
        cmocka_unit_test(test_what_is_there_stays_as_it_is),
        cmocka_unit_test(test_rejected_then),
        cmocka_unit_test(test_in_part),
        cmocka_unit_test(test_late_opens_no_case),
        cmocka_unit_test(test_a_time_that_lay_in_the_future_still_does),
        cmocka_unit_test(test_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
