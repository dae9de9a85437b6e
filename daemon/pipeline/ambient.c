/* From the air's own state to the reference state: reference = ambient * (T / 298.15 K) * (1013.25 hPa / p), as the same gas fills another
 * cubic metre. Knows the readings of one message; refuses to know other messages: what is remembered of them would make a reading depend on
 * the order in which they came. Pure; called by message.c before calibration, and by ctl's try.
 *
 * The state is that of the same device and time: of the gas's channel, else of no channel. Nothing is assumed: without a temperature, or
 * without a pressure where the source says none for its place, the value is none that a limit could be held against. */
#include <pipeline/ambient.h>

#include <math.h>
#include <string.h>

#define REFERENCE_K 298.15
#define REFERENCE_HPA 1013.25
#define ZERO_K 273.15 /* of 0 Cel */

/* Beyond these the instrument is broken, and its word would break the gas's. */
struct bounds {
    double low, high;
};
static const struct bounds temperatures = {-60, 60}, pressures = {EG_AMBIENT_HPA_MIN, EG_AMBIENT_HPA_MAX};

static bool told_ambient(const struct eg_conf_source *source, uint16_t quantity)
{
    for (size_t i = 0; i < source->ambient_count; i++)
        if (source->ambient[i] == quantity)
            return true;
    return false;
}

/* The one that goes with `gas`, within bounds; NaN: there is none. */
static double beside(const struct eg_sink *sink, const struct eg_reading *gas, uint16_t quantity,
                     struct bounds bounds)
{
    double found = NAN;
    for (size_t i = 0; i < sink->count; i++) {
        const struct eg_reading *one = &sink->readings[i];
        if (one->quantity != quantity || one->device != gas->device || one->time_ms != gas->time_ms ||
            !(one->value >= bounds.low && one->value <= bounds.high))
            continue;
        if (strcmp(one->channel, gas->channel) == 0)
            return one->value;
        if (!one->channel[0])
            found = one->value;
    }
    return found;
}

/* False after it was told why not. */
static bool convert(const struct eg_conf_source *source, struct eg_sink *sink, struct eg_reading *gas)
{
    const char *name = eg_quantity_info(gas->quantity)->name;
    double temperature = beside(sink, gas, EG_Q_temperature, temperatures),
           pressure = beside(sink, gas, EG_Q_pressure, pressures);
    if (isnan(pressure) && source->ambient_hpa > 0)
        pressure = source->ambient_hpa;
    if (isnan(temperature)) {
        eg_sink_unread(sink,
                       "%s %g is told in the air's own state, and no temperature of %g to %g Cel is beside "
                       "it in the message: map the device's temperature, or leave %s out of 'ambient'",
                       name, gas->value, temperatures.low, temperatures.high, name);
        return false;
    }
    if (isnan(pressure)) {
        eg_sink_unread(sink,
                       "%s %g is told in the air's own state, and no pressure of %g to %g hPa is beside it "
                       "in the message: map the device's pressure, or say 'ambient_pressure'",
                       name, gas->value, pressures.low, pressures.high);
        return false;
    }
    const double factor = (temperature + ZERO_K) / REFERENCE_K * (REFERENCE_HPA / pressure);
    gas->value = eg_unit_apply(&(struct eg_unit_map){factor, 0}, gas->value);
    return true;
}

void eg_ambient_apply(const struct eg_conf_source *source, struct eg_sink *sink)
{
    size_t kept = 0;
    if (source->ambient_count == 0)
        return;
    for (size_t i = 0; i < sink->count;
         i++) /* all of the state's readings are still there: they are no gases */
        if (told_ambient(source, sink->readings[i].quantity) && !convert(source, sink, &sink->readings[i]))
            sink->readings[i].quantity = EG_QUANTITY_COUNT; /* to be taken out below */
    for (size_t i = 0; i < sink->count; i++)
        if (sink->readings[i].quantity != EG_QUANTITY_COUNT)
            sink->readings[kept++] = sink->readings[i];
    sink->count = kept;
}
