/* What becomes of a message: read, ignored, quarantined or known already; registered devices; admitted
 * readings; corrections; retained ones. Every way out is counted; memory.h checks the sums at every commit.
 */
#include "speak.h"

static struct memory room;

#define OPEN(yaml) memory_open(&room, yaml)
#define CLOSE() memory_close(&room)

/* What one message did, by the counters. */
static const char *did(const struct eg_counters *before)
{
    static char text[200];
    const struct eg_counters *now = &room.counters;
    snprintf(text, sizeof text, "%s%s%s%s s%llu d%llu r%llu c%llu",
             now->decoded > before->decoded ? "decoded" : "",
             now->duplicate > before->duplicate ? "duplicate" : "",
             now->quarantined > before->quarantined ? "quarantined" : "",
             now->ignored > before->ignored ? "ignored" : "",
             (unsigned long long)(now->r_stored - before->r_stored),
             (unsigned long long)(now->r_duplicate - before->r_duplicate),
             (unsigned long long)(now->r_rejected - before->r_rejected),
             (unsigned long long)(now->r_corrected - before->r_corrected));
    return text;
}

/* One after the other, at noon. */
static void test_ways_out(void **unused)
{
    (void)unused;
    static const struct {
        const char *topic, *payload, *wanted, *reason;
    } table[] = {
        {A1, "{\"ts\":\"2026-11-23T12:00:00Z\",\"pm25\":35,\"pm10\":70}", "decoded s2 d0 r0 c0", NULL},
        {A1, "{\"ts\":\"2026-11-23T12:00:00Z\",\"pm25\":35,\"pm10\":71}", "decoded s1 d1 r0 c1", NULL},
        {A1, "{\"ts\":\"2026-11-23T12:00:00Z\",\"pm25\":-2,\"pm10\":2001}", "decoded s0 d0 r2 c0",
         "pm25 -2 ug/m3 is outside the plausible range 0 to 1000"},
        {A1, "{\"ts\":\"2026-11-23T11:59:00Z\",\"pm25\":0,\"pm10\":2000}", "decoded s2 d0 r0 c0",
         NULL}, /* the range is inclusive */
        {A1, "{\"ts\":\"2026-11-23T11:59:00Z\",\"pm25\":-0.0,\"pm10\":2000}", "decoded s1 d1 r0 c1", NULL},
        {A1, "{\"ts\":\"2026-11-23T12:05:00Z\",\"pm25\":1}", "decoded s1 d0 r0 c0",
         NULL}, /* the tolerance is, too */
        {A1, "{\"ts\":\"2026-11-23T12:05:00.001Z\",\"pm25\":1}", "decoded s0 d0 r1 c0", "lies in the future"},
        {A1, "{\"ts\":\"1999-12-31T23:59:59Z\",\"pm25\":1}", "decoded s0 d0 r1 c0", "before 2000"},
        {A1, "{\"ts\":\"2000-01-01T00:00:00Z\",\"pm25\":1}", "decoded s1 d0 r0 c0", NULL},
        {A1, "{\"pm25\":", "quarantined s0 d0 r0 c0", ""},
        {A1, "{\"pm25\":1e400}", "quarantined s0 d0 r0 c0", ""},
        {A1, "", "quarantined s0 d0 r0 c0", "empty"},
        {"other/shangtian/air/a1", "{\"pm25\":1}", "ignored s0 d0 r0 c0", NULL},
        {"ecogov/state/x/summary", "{\"pm25\":1}", "ignored s0 d0 r0 c0", NULL}, /* ecogov's own */
        {"ecogov/nowhere/air/a1", "{\"pm25\":1}", "quarantined s0 d0 r0 c0",
         "site 'nowhere' is not in the configuration"},
        {"ecogov/nowhere/air/a1", "garbage", "quarantined s0 d0 r0 c0", "site 'nowhere'"},
        {"ecogov//air/a1", "{\"pm25\":1}", "quarantined s0 d0 r0 c0", "site ''"},
        {"ecogov/shangtian/The Air/a1", "{\"pm25\":1}", "quarantined s0 d0 r0 c0", "domain"},
        {"ecogov/shangtian//a1", "{\"pm25\":1}", "quarantined s0 d0 r0 c0", "domain"},
        {"ecogov/shangtian/air/", "{\"pm25\":1}", "quarantined s0 d0 r0 c0", "device"},
        {"ecogov/shangtian/air/a\x01", "{\"pm25\":1}", "quarantined s0 d0 r0 c0", "device"},
        {"ecogov/shangtian/air/\xff", "{\"pm25\":1}", "quarantined s0 d0 r0 c0", "device"},
        {"ecogov/shangtian/air/1234567890123456789012345678901234567890123456789012345678901234",
         "{\"pm25\":1}", "quarantined s0 d0 r0 c0", "63 bytes"},
        {"ecogov/shangtian/air/一号", "{\"pm25\":1}", "decoded s1 d0 r0 c0", NULL},
    };
    OPEN(SITES);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_counters before = room.counters;
        size_t quarantined = room.quarantine_count;
        say(&room, table[i].topic, table[i].payload);
        if (strcmp(did(&before), table[i].wanted) != 0)
            fail_msg("%s %s: %s, not %s", table[i].topic, table[i].payload, did(&before), table[i].wanted);
        assert_int_equal(room.quarantine_count,
                         quarantined + (table[i].reason != NULL)); /* with its sentence, and only then */
        if (table[i].reason && !strstr(room.quarantine[quarantined].reason, table[i].reason))
            fail_msg("%s %s: '%s' does not say '%s'", table[i].topic, table[i].payload,
                     room.quarantine[quarantined].reason, table[i].reason);
    }
    assert_int_equal(room.devices_count, 2);
    assert_int_equal(room.series_count, 3);
    CLOSE();
}

/* The packet's identity: what the broker sends again is known, also after a restart; what only looks alike is
 * not. */
static void test_redelivery(void **unused)
{
    (void)unused;
    static const char p[] = "{\"pm25\":35}", q[] = "{\"pm25\":36}";
    const struct {
        const char *topic, *payload;
        uint16_t mid;
        bool dup, restart;
        const char *wanted;
    } table[] = {
        {A1, p, 7, false, false, "decoded s1 d0 r0 c0"},
        {A1, p, 7, true, false, "duplicate s0 d0 r0 c0"},
        {A1, p, 7, true, true, "duplicate s0 d0 r0 c0"},
        {A1, p, 7, false, false, "decoded s1 d0 r0 c0"}, /* not marked: the sensor said the same again */
        {A1, q, 7, true, false,
         "decoded s1 d0 r0 c0"}, /* marked, but never seen: the first delivery was lost with the turn */
        {A1, p, 7, true, false, "decoded s1 d0 r0 c0"}, /* the id was used for something else meanwhile */
        {A1, p, 8, true, false, "decoded s1 d0 r0 c0"},
        {"ecogov/shangtian/air/a2", p, 8, true, false,
         "decoded s1 d0 r0 c0"}, /* another topic is another message */
        {"ecogov/shangtian/air/a2", p, 8, true, true, "duplicate s0 d0 r0 c0"},
        {A1, "{", 9, false, false, "quarantined s0 d0 r0 c0"},
        {A1, "{", 9, true, true, "duplicate s0 d0 r0 c0"},
        {"x", p, 10, false, false, "ignored s0 d0 r0 c0"},
        {"x", p, 10, true, false, "duplicate s0 d0 r0 c0"},
        {A1, p, 0, true, false, "decoded s1 d0 r0 c0"}, /* QoS 0 has no identity */
        {A1, p, 0, true, false, "decoded s1 d0 r0 c0"},
        {A1, p, 65535, false, false, "decoded s1 d0 r0 c0"},
        {A1, p, 65535, true, true, "duplicate s0 d0 r0 c0"},
    };
    OPEN(SITES);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].restart)
            memory_restart(&room);
        struct eg_counters before = room.counters;
        struct eg_event event = message_event(room.now_ms += 1000, table[i].topic, table[i].payload,
                                              strlen(table[i].payload), table[i].mid);
        event.message.dup = table[i].dup;
        add(&room, &event);
        turn(&room);
        if (strcmp(did(&before), table[i].wanted) != 0)
            fail_msg("row %zu: %s, not %s", i, did(&before), table[i].wanted);
    }
    CLOSE();
}

/* Without a time of its own a reading is dated by its arrival, and moved on by the least step where that is
 * taken. */
static void test_arrival(void **unused)
{
    (void)unused;
    const int64_t wanted[] = {NOON, NOON + 1, NOON + 2, NOON + 3, NOON + 500, NOON + 501, NOON + 10000};
    const int64_t arrives[] = {NOON, NOON, NOON, NOON + 1, NOON + 500, NOON + 200, NOON + 10000};
    OPEN(SITES);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (i == 2)
            memory_restart(&room);
        room.now_ms = arrives[i];
        say(&room, A1, "{\"pm25\":35}");
        assert_true(room.readings[i].time_ms == wanted[i] && room.readings[i].flags == EG_FLAG_ARRIVAL);
    }
    /* in one turn as well; and around readings with a time of their own */
    size_t first = room.readings_count;
    room.now_ms = NOON + 20000;
    char own[80];
    snprintf(own, sizeof own, "{\"ts\":%lld,\"pm25\":1}", (long long)room.now_ms + 1);
    const char *const payloads[] = {own, "{\"pm25\":2}", "{\"pm25\":3}", "{\"pm25\":4}"};
    const int64_t steps[] = {1, 0, 2, 3};
    for (size_t i = 0; i < 4; i++) {
        struct eg_event event =
            message_event(room.now_ms, A1, payloads[i], strlen(payloads[i]), (uint16_t)(100 + i));
        add(&room, &event);
    }
    turn(&room);
    for (size_t i = 0; i < 4; i++)
        if (room.readings[first + i].time_ms != room.now_ms + steps[i])
            fail_msg("reading %zu lies at +%lld", i,
                     (long long)(room.readings[first + i].time_ms - room.now_ms));
    /* the clock was set back by an hour: not a burst */
    room.now_ms -= HOUR;
    say(&room, A1, "{\"pm25\":35}");
    assert_true(room.readings[room.readings_count - 1].time_ms == room.now_ms);
    CLOSE();
}

static void test_late(void **unused)
{
    (void)unused;
    OPEN(SITES
         "late_limit: 1h\nrules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n");
    reads(&room, NOON - HOUR - 1, 500);
    assert_int_equal(room.readings[0].flags, EG_FLAG_LATE); /* stored, marked, judged by no rule */
    assert_int_equal(room.cases_count, 0);
    reads(&room, NOON - HOUR, 500);
    assert_int_equal(room.readings[1].flags, 0);
    assert_int_equal(room.cases_count, 1);
    CLOSE();
}

/* The newest value of a time wins, and says so; the same value again is a duplicate, in one turn, in the
 * next, and after a restart. */
static void test_corrections(void **unused)
{
    (void)unused;
    OPEN(SITES "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n");
    for (int i = 0; i < 10; i++)
        reads(&room, NOON - (10 - i) * MINUTE, 10 + i);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 10; i++)
            reads(&room, NOON - (10 - i) * MINUTE, 10 + i);
        assert_int_equal(room.counters.r_duplicate, 10 * (round + 1));
        memory_restart(&room);
    }
    reads(&room, NOON - 5 * MINUTE, 99); /* not the newest: as if it had been so then */
    assert_int_equal(room.counters.r_corrected, 1);
    assert_int_equal(room.readings[10].flags, EG_FLAG_CORRECTION);
    assert_int_equal(room.cases_count, 1);
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_OK);
    assert_true(case_of(&room, 1)->opened_ms == NOON - 5 * MINUTE);
    reads(&room, NOON - MINUTE, 99); /* the newest */
    assert_int_equal(room.cases_count, 1);
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_BREACHING);
    reads(&room, NOON - MINUTE, 98);
    reads(&room, NOON - MINUTE, 99);
    assert_int_equal(room.counters.r_corrected, 4);
    struct eg_series_view view;
    assert_true(eg_pipeline_series(room.pipeline, 1, &view) && view.last_value == 99 &&
                view.last_flags == EG_FLAG_CORRECTION);
    assert_true(view.hour.count == 10 && view.hour.sum == 10 + 11 + 12 + 13 + 14 + 99 + 16 + 17 + 18 + 99 &&
                view.hour.max == 99);
    /* three values for one time in one turn */
    static const char *const payloads[] = {"{\"ts\":1795435200,\"pm25\":1}", "{\"ts\":1795435200,\"pm25\":2}",
                                           "{\"ts\":1795435200,\"pm25\":2}", "{\"ts\":1795435260,\"pm25\":5}",
                                           "{\"ts\":1795435200,\"pm25\":3}"};
    for (size_t i = 0; i < 5; i++) {
        struct eg_event event =
            message_event(NOON + HOUR, A1, payloads[i], strlen(payloads[i]), (uint16_t)(200 + i));
        add(&room, &event);
    }
    turn(&room);
    assert_int_equal(room.counters.r_corrected, 6);
    assert_int_equal(room.counters.r_duplicate, 21);
    double value = 0;
    assert_true(memory_lookup(&room, 1, NOON, &value) && value == 3);
    CLOSE();
}

static void test_retained(void **unused)
{
    (void)unused;
    OPEN(SITES "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n");
    static const struct {
        const char *payload, *wanted;
        bool retain;
        size_t cases;
    } table[] = {
        {"{\"pm25\":500}", "ignored s0 d0 r0 c0", true, 0}, /* of an unknown age */
        {"{\"ts\":1795435000,\"pm25\":500}", "decoded s1 d0 r0 c0", true, 0},
        {"{\"ts\":1795434000,\"pm25\":500}", "decoded s1 d0 r0 c0", false,
         1}, /* older than the newest, which nobody may judge */
        {"{\"ts\":1795435100,\"pm25\":500}", "decoded s1 d0 r0 c0", false, 1},
        {"{\"ts\":1795435100,\"pm25\":500}", "decoded s0 d1 r0 c0", true, 1},
        {"{\"ts\":1795435200,\"pm25\":1}", "decoded s1 d0 r0 c0", true, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_counters before = room.counters;
        struct eg_event event =
            message_event(room.now_ms, A1, table[i].payload, strlen(table[i].payload), ++room.mid);
        event.message.retain = table[i].retain;
        add(&room, &event);
        turn(&room);
        assert_string_equal(did(&before), table[i].wanted);
        assert_int_equal(room.cases_count, table[i].cases);
    }
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_BREACHING); /* nor does old news end it */
    assert_int_equal(room.readings[0].flags, EG_FLAG_RETAINED);
    CLOSE();
}

static void test_registering(void **unused)
{
    (void)unused;
    OPEN(SITES "auto_register: false\ndevices: [{id: a1, site: shangtian, domain: air, name: One}, {id: w1, "
               "site: shangtian}]\n");
    static const struct {
        const char *topic;
        bool taken;
    } table[] = {{A1, true},
                 {"ecogov/shangtian/soil/a1", false},
                 {"ecogov/shangtian/air/a2", false},
                 {"ecogov/else/air/a1", false},
                 {"ecogov/shangtian/waste/w1", true},
                 {"ecogov/shangtian/air/a11", false},
                 {A1, true}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t before = room.counters.decoded;
        say(&room, table[i].topic, "{\"pm25\":1}");
        if ((room.counters.decoded > before) != table[i].taken)
            fail_msg("%s: %s", table[i].topic, table[i].taken ? "refused" : "taken");
    }
    assert_int_equal(room.devices_count, 2);
    assert_string_equal(room.quarantine[0].reason,
                        "the device is not in the configuration and auto_register is off");
    struct eg_device_view view;
    assert_true(eg_pipeline_device(room.pipeline, 1, &view));
    assert_string_equal(view.name, "One");
    assert_false(eg_pipeline_device(room.pipeline, 0, &view) || eg_pipeline_device(room.pipeline, 3, &view));
    CLOSE();
}

/* What strangers may make the daemon keep has a bound. */
static void test_bounds(void **unused)
{
    (void)unused;
    OPEN(SITES "max_devices: 50\n");
    char topic[100], payload[100];
    for (int i = 0; i < 60; i++) {
        snprintf(topic, sizeof topic, "ecogov/shangtian/air/d%d", i);
        say(&room, topic, "{\"pm25\":1}");
    }
    assert_int_equal(room.devices_count, 50);
    assert_int_equal(room.counters.quarantined, 10);
    assert_non_null(strstr(room.quarantine[0].reason, "raise max_devices"));
    for (int i = 0; i < 300; i++) {
        snprintf(payload, sizeof payload, "{\"channel\":\"c%d\",\"pm25\":1}", i);
        say(&room, "ecogov/shangtian/air/d0", payload);
    }
    assert_true(eg_pipeline_device_series(room.pipeline, 1, 255) != 0 &&
                eg_pipeline_device_series(room.pipeline, 1, 256) == 0);
    assert_true(room.counters.r_rejected > 40);
    CLOSE();
}

/* Thousands of devices, twice: each is itself, ids have no gaps, the second round registers nobody. */
static void test_thousands_of_devices(void **unused)
{
    (void)unused;
    OPEN(SITES);
    char topic[100];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3000; i++) {
            snprintf(topic, sizeof topic, "ecogov/%s/air/d%d", i % 2 ? "shangtian" : "else", i / 2);
            struct eg_event event = message_event(room.now_ms + round, topic, "{\"pm25\":1}", 10, 0);
            add(&room, &event);
        }
    turn(&room);
    assert_int_equal(room.devices_count, 3000);
    assert_int_equal(room.readings_count, 6000);
    for (uint32_t i = 0; i < 3000; i++) {
        struct eg_device_view view;
        assert_true(eg_pipeline_device(room.pipeline, i + 1, &view) && view.series_count == 1 &&
                    view.last_seen_ms == NOON + 1);
        assert_string_equal(view.site, i % 2 ? "shangtian" : "else");
        assert_int_equal(room.readings[i].series, room.readings[3000 + i].series);
    }
    CLOSE();
}

static void test_quarantine_is_cut(void **unused)
{
    (void)unused;
    OPEN(SITES);
    static uint8_t payload[EG_QUARANTINE_BYTES + 100];
    struct eg_event event = message_event(room.now_ms, A1, payload, sizeof payload, 1);
    add(&room, &event);
    assert_int_equal(room.batch.quarantine_count, 1);
    assert_int_equal(room.batch.quarantine[0].payload_len, EG_QUARANTINE_BYTES);
    assert_int_equal(room.batch.quarantine[0].full_len, sizeof payload);
    assert_string_equal(room.batch.quarantine[0].source, "village");
    assert_string_equal(room.batch.quarantine[0].verdict, "malformed");
    assert_string_equal(room.batch.quarantine[0].topic, A1);
    turn(&room);
    uint64_t counts[EG_VERDICT_COUNT];
    eg_pipeline_source_counts(room.pipeline, 0, counts);
    assert_true(counts[EG_MALFORMED] == 1 && counts[EG_DECODED] == 0);
    CLOSE();
}

/* One message for several devices: each is registered at the topic's site; a name that is none rejects its readings only. */
static void test_devices_of_the_payload(void **unused)
{
    (void)unused;
    static const char gateway[] = "time_zone: UTC\nauto_register: %s\nsites: [{id: shangtian}]\n"
                                  "devices: [{id: n1, site: shangtian}]\n"
                                  "sources: [{id: g, topic: gw/+, site: shangtian, domain: soil, driver: "
                                  "json, readings: /n, device_path: /id,"
                                  " fields: [{path: /m, quantity: soil_moisture, missing: [-999]}]}]\n";
    static const struct {
        const char *automatic, *payload, *wanted, *reason;
        size_t devices;
    } table[] = {
        {"true", "{\"n\":[{\"id\":\"n1\",\"m\":1},{\"id\":\"n2\",\"m\":2}]}", "decoded s2 d0 r0 c0", NULL, 2},
        {"true", "{\"n\":[{\"id\":\"n1\",\"m\":1},{\"m\":2}]}", "decoded s1 d0 r1 c0",
         "neither the topic nor the payload names the device", 1},
        {"true", "{\"n\":[{\"m\":2}]}", "quarantined s0 d0 r0 c0", "neither the topic nor the payload", 0},
        {"false", "{\"n\":[{\"id\":\"n1\",\"m\":1},{\"id\":\"n2\",\"m\":2}]}", "decoded s1 d0 r1 c0",
         "auto_register is off", 1},
        {"true", "{\"n\":[{\"id\":\"n1\",\"m\":-999}]}", "decoded s0 d0 r0 c0", NULL, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char yaml[800];
        snprintf(yaml, sizeof yaml, gateway, table[i].automatic);
        OPEN(yaml);
        struct eg_counters before = room.counters;
        say(&room, "gw/7", table[i].payload);
        if (strcmp(did(&before), table[i].wanted) != 0)
            fail_msg("%s: %s, not %s", table[i].payload, did(&before), table[i].wanted);
        assert_int_equal(room.quarantine_count, table[i].reason != NULL);
        if (table[i].reason && !strstr(room.quarantine[0].reason, table[i].reason))
            fail_msg("%s: %s", table[i].payload, room.quarantine[0].reason);
        assert_int_equal(room.devices_count, table[i].devices);
        struct eg_device_view view;
        if (table[i].devices) {
            assert_true(eg_pipeline_device(room.pipeline, 1, &view));
            assert_string_equal(view.device, "n1");
            assert_string_equal(view.site, "shangtian");
            assert_string_equal(view.domain, "soil");
            assert_int_equal(view.faults, strstr(table[i].payload, "-999") != NULL);
            assert_true(view.last_seen_ms == room.now_ms); /* a fault is a sign of life, too */
        }
        CLOSE();
    }
}

/* The second message of a topic goes by the table of known ones. */
static void test_the_topic_says_quantity_and_channel(void **unused)
{
    (void)unused;
    OPEN("sites: [{id: shangtian}]\nsources:\n"
         "  - {id: v, topic: '{device}/{channel}/{quantity}', site: shangtian, domain: soil, driver: value}\n"
         "  - {id: j, topic: 'j/{device}/at/{channel}', site: shangtian, domain: soil, driver: json}\n");
    for (int i = 0; i < 2; i++) {
        struct eg_counters before = room.counters;
        say(&room, "p1/10cm/soil_moisture", i ? "24.5" : "24.1");
        assert_string_equal(did(&before), "decoded s1 d0 r0 c0");
        before = room.counters;
        say(&room, "j/p1/at/30cm",
            i ? "{\"soil_moisture\":27,\"channel\":\"own\"}" : "{\"soil_moisture\":26}");
        assert_string_equal(did(&before), "decoded s1 d0 r0 c0");
    }
    assert_int_equal(room.series_count, 3);
    assert_string_equal(room.series[0].channel, "10cm");
    assert_string_equal(room.series[1].channel, "30cm");
    assert_string_equal(room.series[2].channel, "own");
    struct eg_counters before = room.counters;
    say(&room, "p1/a-name-that-is-much-too-long-for-it/soil_moisture", "24");
    assert_string_equal(did(&before), "quarantined s0 d0 r0 c0");
    CLOSE();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_out),
        cmocka_unit_test(test_redelivery),
        cmocka_unit_test(test_arrival),
        cmocka_unit_test(test_devices_of_the_payload),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_corrections),
        cmocka_unit_test(test_retained),
        cmocka_unit_test(test_registering),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_thousands_of_devices),
        cmocka_unit_test(test_quarantine_is_cut),
        cmocka_unit_test(test_the_topic_says_quantity_and_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
