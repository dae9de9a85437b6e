/* Knows how an index of soil or waste is told, with the bins and plots that it came of. Refuses to know how it is made (index/land.c).
 * Called by indices.c (the summary) and m_land.c (histories). */
#include <api/aqi.h>
#include <api/landjson.h>
#include <index/aqi_cn.h>

#include <math.h>

static void put_device(struct eg_json *json, const struct eg_pipeline *pipeline, uint32_t id)
{
    struct eg_device_view device;
    bool known = eg_pipeline_device(pipeline, id, &device);
    eg_json_put_string(json, "site", known ? device.site : NULL);
    eg_json_put_string(json, "device", known ? device.device : NULL);
}

static void put_waste(struct eg_json *json, const struct eg_pipeline *pipeline,
                      const struct eg_land_state *state)
{
    static const char *const units[EG_WASTES] = {"%", "h", "mg/m3", "mg/m3", "1", "%", "Cel"};
    const struct eg_waste_pressure *pressure = &state->pressure;
    eg_aqi_put_index(json, "pressure", pressure->value);
    eg_aqi_put_class(json, eg_aqi_cn_classes, pressure->level);
    eg_json_key(json, "sub");
    eg_json_open(json, '{');
    for (int i = 0; i < EG_WASTES; i++)
        if (pressure->sub[i] != EG_AQI_NONE)
            eg_json_put_int(json, eg_waste_names[i], pressure->sub[i]);
    eg_json_close(json, '}');
    eg_aqi_put_names(json, "primary", pressure->primary, eg_waste_names, EG_WASTES);
    eg_json_key(json, "measures"); /* the worst of each */
    eg_json_open(json, '[');
    for (int i = 0; i < EG_WASTES; i++) {
        if (isnan(state->worst[i]))
            continue;
        eg_json_open(json, '{');
        eg_json_put_string(json, "measure", eg_waste_names[i]);
        eg_json_put_number(json, "value", state->worst[i]);
        eg_json_put_string(json, "unit", units[i]);
        put_device(json, pipeline, state->of[i].device);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

static void put_class(struct eg_json *json, const struct eg_land_state *state)
{
    eg_json_put_int(json, "level", state->level);
    eg_json_put_string(json, "category", eg_land_category(state, false));
    eg_json_put_string(json, "category_zh", eg_land_category(state, true));
}

static void put_elements(struct eg_json *json, const char *key, const double values[EG_ELEMENTS])
{
    eg_json_key(json, key);
    eg_json_open(json, '{');
    for (int i = 0; i < EG_ELEMENTS; i++)
        if (!isnan(values[i]))
            eg_json_put_number(json, eg_element_names[i], values[i]);
    eg_json_close(json, '}');
}

static void put_soil(struct eg_json *json, const struct eg_pipeline *pipeline,
                     const struct eg_land_state *state)
{
    const struct eg_soil *soil = &state->soil;
    put_class(json, state);
    eg_json_put_number(json, "nemerow", soil->nemerow);
    eg_aqi_put_names(json, "above_screening", soil->above_screening, eg_element_names, EG_ELEMENTS);
    eg_aqi_put_names(json, "above_intervention", soil->above_intervention, eg_element_names, EG_ELEMENTS);
    eg_aqi_put_names(json, "primary", soil->primary, eg_element_names, EG_ELEMENTS);
    put_elements(json, "factor", soil->factor);
    put_elements(json, "mg_kg", state->mg_kg);
    eg_json_put_number(json, "ph", state->ph);
    eg_json_put_string(json, "land", eg_land_names[state->land]);
    put_device(json, pipeline, state->device);
}

void eg_landjson_put(struct eg_json *json, const struct eg_pipeline *pipeline,
                     const struct eg_land_state *state)
{
    if (state->index == EG_LAND_WASTE_PRESSURE) {
        put_waste(json, pipeline, state);
    } else if (state->index == EG_LAND_SALINITY_CLASS) {
        put_class(json, state);
        eg_json_put_number(json, "ec", state->ec);
        put_device(json, pipeline, state->device);
    } else {
        put_soil(json, pipeline, state);
    }
}
