/* Gases in the air's own cubic metres: converted by what stands beside them in the message, whatever its order; told where nothing does.
 * The numbers are made by hand: -4.815 Cel is 268.335 K, 0.9 of 298.15; 810.6 hPa are 0.8 of 1013.25; together 1.125. */
#include "speak.h"

static struct memory room;

#define COLD "\"temperature\":-4.815"
#define HIGH "\"pressure\":810.6"
#define SOURCE(keys)                                                                                         \
    "time_zone: UTC\nsites: [{id: shangtian}]\nsources:\n  - {id: s, topic: 'g/{site}/{device}', domain: "   \
    "air, driver: json, " keys "}\n"
#define ROWS "readings: /rows, device_path: /id, channel: /c, time: /at, fields: [{path: /g, quantity: no2}, "
#define FIELDS ROWS "{path: /t, quantity: temperature}, {path: /p, quantity: pressure}]"

/* What is stored of a quantity; NaN: nothing. Of several the last. */
static double stored(int quantity)
{
    struct eg_series_view series;
    for (size_t i = room.readings_count; i-- > 0;)
        if (eg_pipeline_series(room.pipeline, room.readings[i].series, &series) &&
            series.quantity == quantity)
            return room.readings[i].value;
    return NAN;
}

struct pair {
    const char *keys, *payload;
    int quantity;
    double value; /* NaN: not taken */
    const char *reason;
};

#define NO2 "ambient: [no2]"
#define NO_TEMPERATURE                                                                                       \
    "no2 100 is told in the air's own state, and no temperature of -60 to 60 Cel is beside it in the "       \
    "message: map the device's temperature, or leave no2 out of 'ambient'"
#define NO_PRESSURE                                                                                          \
    "no2 100 is told in the air's own state, and no pressure of 300 to 1100 hPa is beside it in the "        \
    "message: map the device's pressure, or say 'ambient_pressure'"

static void test_pairs(void **unused)
{
    (void)unused;
    static const struct pair table[] = {
        /* in any order */
        {NO2, "{\"no2\":100," COLD "," HIGH "}", EG_Q_no2, 112.5, ""},
        {NO2, "{" COLD ",\"no2\":100," HIGH "}", EG_Q_no2, 112.5, ""},
        {NO2, "{" HIGH "," COLD ",\"no2\":100}", EG_Q_no2, 112.5, ""},
        {NO2, "{\"no2\":100,\"temperature\":25,\"pressure\":1013.25}", EG_Q_no2, 100, ""},
        {NO2, "{\"no2\":100,\"temperature\":-10,\"pressure\":900}", EG_Q_no2, 99.3671110738, ""},
        {"ambient: [co]", "{\"co\":2,\"temperature\":20,\"pressure\":950}", EG_Q_co, 2.09738466155, ""},
        /* what nobody said, and what is no gas */
        {"ambient: [so2]", "{\"no2\":100," COLD "," HIGH "}", EG_Q_no2, 100, ""},
        {NO2, "{\"pm25\":50,\"no2\":100," COLD "," HIGH "}", EG_Q_pm25, 50, ""},
        {NO2, "{\"no2\":100," COLD "," HIGH "}", EG_Q_temperature, -4.815, ""},
        /* the unit first: 0.1 mg/m3 are 100 */
        {NO2 ", fields: [{path: /g, quantity: no2, unit: mg/m3}, {path: /t, quantity: temperature}, {path: "
             "/p, quantity: pressure}]",
         "{\"g\":0.1,\"t\":-4.815,\"p\":810.6}", EG_Q_no2, 112.5, ""},
        /* something is missing, or broken */
        {NO2, "{\"no2\":100," HIGH "}", EG_Q_no2, NAN, NO_TEMPERATURE},
        {NO2, "{\"no2\":100}", EG_Q_no2, NAN, NO_TEMPERATURE},
        {NO2, "{\"no2\":100,\"temperature\":-60.1," HIGH "}", EG_Q_no2, NAN, NO_TEMPERATURE},
        {NO2, "{\"no2\":100," COLD "}", EG_Q_no2, NAN, NO_PRESSURE},
        {NO2, "{\"no2\":100," COLD ",\"pressure\":81060}", EG_Q_no2, NAN, NULL},
        {NO2, "{\"no2\":100," HIGH ",\"pm25\":50}", EG_Q_pm25, 50, NO_TEMPERATURE},
        {NO2 ", ambient_pressure: 810.6", "{\"no2\":100," COLD "}", EG_Q_no2, 112.5, ""},
        {NO2 ", ambient_pressure: 810.6", "{\"no2\":100," COLD ",\"pressure\":1013.25}", EG_Q_no2, 90, ""},
        {NO2 ", ambient_pressure: 810.6", "{\"no2\":100}", EG_Q_no2, NAN, NO_TEMPERATURE},
        /* whose temperature: of the channel, else of none; of the device; of the time */
        {NO2 ", " FIELDS,
         "{\"rows\":[{\"id\":\"a\",\"c\":\"x\",\"g\":100},{\"id\":\"a\",\"t\":-4.815,\"p\":810.6}]}",
         EG_Q_no2, 112.5, ""},
        {NO2 ", " FIELDS,
         "{\"rows\":[{\"id\":\"a\",\"t\":50,\"p\":500},{\"id\":\"a\",\"c\":\"x\",\"g\":100,\"t\":-4.815,"
         "\"p\":810.6}]}",
         EG_Q_no2, 112.5, ""},
        {NO2 ", " FIELDS,
         "{\"rows\":[{\"id\":\"a\",\"c\":\"x\",\"g\":100,\"p\":810.6},{\"id\":\"a\",\"c\":\"y\",\"t\":-4.815}"
         "]}",
         EG_Q_no2, NAN, NO_TEMPERATURE},
        {NO2 ", " FIELDS, "{\"rows\":[{\"id\":\"a\",\"g\":100,\"p\":810.6},{\"id\":\"b\",\"t\":-4.815}]}",
         EG_Q_no2, NAN, NO_TEMPERATURE},
        {NO2 ", " FIELDS,
         "{\"rows\":[{\"id\":\"a\",\"at\":1795435100,\"g\":100,\"p\":810.6},{\"id\":\"a\",\"at\":1795435110,"
         "\"t\":-4.815}]}",
         EG_Q_no2, NAN, NO_TEMPERATURE},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct pair *pair = &table[i];
        char yaml[800];
        snprintf(yaml, sizeof yaml, SOURCE("%s"), pair->keys);
        memory_open(&room, yaml);
        say(&room, "g/shangtian/a1", pair->payload);
        double found = stored(pair->quantity);
        const char *reason = room.quarantine_count ? room.quarantine[0].reason : "";
        bool same = isnan(pair->value) ? isnan(found) : !(found < pair->value || found > pair->value);
        if (!same || (pair->reason && strcmp(reason, pair->reason) != 0))
            fail_msg("%zu: %s: %.17g, \"%s\"", i, pair->payload, found, reason);
        memory_close(&room);
    }
}

/* A temperature of an earlier message is none of this one's; what was said again is the same reading. */
static void test_nothing_is_remembered(void **unused)
{
    (void)unused;
    memory_open(&room, SOURCE(NO2));
    say(&room, "g/shangtian/a1", "{\"ts\":1795435100," COLD "," HIGH ",\"no2\":100}");
    say(&room, "g/shangtian/a1", "{\"ts\":1795435110,\"no2\":100}");
    assert_int_equal(room.readings_count, 3);
    assert_int_equal(room.quarantine_count, 1);
    say(&room, "g/shangtian/a1", "{\"ts\":1795435100,\"no2\":100," HIGH "," COLD "}");
    assert_int_equal(room.readings_count, 3);
    assert_int_equal(room.counters.r_duplicate, 3);
    assert_int_equal(room.counters.r_corrected, 0);
    memory_close(&room);
}

/* A calibration was made against limits' own unit, so it comes behind. */
static void test_calibration_comes_behind(void **unused)
{
    (void)unused;
    memory_open(&room, SOURCE(NO2) "devices:\n  - {id: a1, site: shangtian, calibration: [{quantity: no2, "
                                   "offset: 1}]}\n");
    say(&room, "g/shangtian/a1", "{\"no2\":100," COLD "," HIGH "}");
    assert_true(stored(EG_Q_no2) >= 113.5 && stored(EG_Q_no2) <= 113.5);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_nothing_is_remembered),
        cmocka_unit_test(test_calibration_comes_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
