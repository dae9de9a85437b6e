/* What drivers remember from message to message, and devices that say they leave: Sparkplug over the pipeline, with the payloads of its
 * golden pairs. */
#include "speak.h"

static struct memory room;

static const char conf[] =
    "sites: [{id: shangtian}]\nsources:\n"
    "  - {id: spb, topic: 'spBv1.0/#', site: shangtian, domain: soil, driver: sparkplug-b}\n";

static void tell(const char *topic, const char *pair)
{
    char path[512], payload[4096];
    snprintf(path, sizeof path, "%s/tests/drivers/sparkplug-b/%s.payload", SOURCE_DIR, pair);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(payload, 1, sizeof payload, file);
    fclose(file);
    struct eg_event event = message_event(room.now_ms, topic, payload, length, ++room.mid);
    add(&room, &event);
    turn(&room);
}

static struct eg_device_view device_of(const char *name)
{
    struct eg_device_view view = {0};
    for (uint32_t id = 1; id <= eg_pipeline_device_count(room.pipeline); id++)
        if (eg_pipeline_device(room.pipeline, id, &view) && !strcmp(view.device, name))
            return view;
    fail_msg("there is no device %s", name);
    return view;
}

#define NODE(type) "spBv1.0/village/N" type "/gw1"
#define DEVICE(type) "spBv1.0/village/D" type "/gw1/soil7"

static void test_births_are_remembered_and_gaps_counted(void **unused)
{
    (void)unused;
    memory_open(&room, conf);
    tell(DEVICE("DATA"), "bad-before-birth");
    assert_int_equal(room.counters.quarantined, 1);
    assert_non_null(strstr(room.quarantine[0].reason, "rebirth"));
    tell(NODE("BIRTH"), "nbirth");
    tell(DEVICE("BIRTH"), "dbirth");
    size_t before = room.readings_count;
    tell(DEVICE("DATA"), "ddata-gap");
    assert_int_equal(room.readings_count, before + 1);
    assert_true(room.readings[before].value == 30.25);
    assert_int_equal(device_of("soil7").lost, 4);
    memory_reconfigure(&room, conf); /* a reload does not forget */
    before = room.readings_count;
    tell(DEVICE("DATA"), "ddata-gap-told-once");
    assert_int_equal(room.readings_count, before + 1);
    assert_int_equal(device_of("soil7").lost, 4);
    memory_close(&room);
}

static void test_what_could_not_be_read_is_kept_aside(void **unused)
{
    (void)unused;
    memory_open(&room, conf);
    tell(DEVICE("DATA"), "ddata-some-unknown");
    assert_int_equal(room.counters.decoded, 1);
    assert_int_equal(room.counters.r_stored, 1);
    assert_int_equal(room.quarantine_count, 1);
    assert_string_equal(room.quarantine[0].verdict, "rejected");
    assert_non_null(strstr(room.quarantine[0].reason, "alias 10"));
    memory_close(&room);
}

static void test_who_leaves_is_gone_until_heard_again(void **unused)
{
    (void)unused;
    memory_open(&room, conf);
    tell(NODE("DEATH"), "ndeath"); /* of one who never was: nobody is registered */
    assert_int_equal(room.counters.decoded, 1);
    assert_int_equal(eg_pipeline_device_count(room.pipeline), 0);
    tell(NODE("BIRTH"), "nbirth");
    tell(DEVICE("BIRTH"), "dbirth");
    assert_false(device_of("gw1").gone || device_of("soil7").gone);
    tell(DEVICE("DEATH"), "ddeath");
    assert_true(device_of("soil7").gone && !device_of("gw1").gone);
    tell(DEVICE("BIRTH"), "dbirth"); /* the same readings once more: it lives all the same */
    assert_false(device_of("soil7").gone);
    tell(NODE("DEATH"), "ndeath");
    assert_true(device_of("soil7").gone && device_of("gw1").gone);
    memory_restart(&room); /* that it has left is kept */
    assert_true(device_of("soil7").gone && device_of("gw1").gone);
    tell(DEVICE("DATA"), "ddata-name");
    assert_false(device_of("soil7").gone);
    memory_restart(&room);
    assert_true(!device_of("soil7").gone && device_of("gw1").gone);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_births_are_remembered_and_gaps_counted),
        cmocka_unit_test(test_what_could_not_be_read_is_kept_aside),
        cmocka_unit_test(test_who_leaves_is_gone_until_heard_again),
    };
    return cmocka_run_group_tests_name("pipeline/memory", tests, NULL, NULL);
}
