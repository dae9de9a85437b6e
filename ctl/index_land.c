/* Knows how values on a command line become an index of soil or waste. Called by run_index.c. */
#include "index.h"

#include <index/aqi_cn.h>
#include <index/nano.h>
#include <index/soil.h>
#include <index/waste.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The values of `names`; NAN where not given. At least one must be. */
static bool take(struct index_pairs *pairs, const char *const *names, int count, double *ret_values)
{
    int given = 0;
    char known[160] = "";
    for (int i = 0; i < count; i++) {
        ret_values[i] = NAN;
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", names[i]);
        for (size_t k = 0; k < pairs->count; k++) {
            struct index_pair *pair = &pairs->pairs[k];
            if (strcmp(pair->key, names[i]) != 0)
                continue;
            pair->used = true;
            given++;
            if (!index_number(pair, &ret_values[i]))
                return false;
        }
    }
    if (!given) {
        fprintf(stderr, "ecogovctl: index needs at least one of %s, as name=value.\n", known);
        return false;
    }
    return index_all_used(pairs, known);
}

/* Of one key that must be there. */
static bool take_one(struct index_pairs *pairs, const char *key, const char *what, double most,
                     double *ret_value)
{
    struct index_pair pair = {.text = index_text(pairs, key, NULL)};
    snprintf(pair.key, sizeof pair.key, "%s", key);
    if (!pair.text) {
        fprintf(stderr, "ecogovctl: index needs %s=…, %s.\n", key, what);
        return false;
    }
    if (!index_number(&pair, ret_value))
        return false;
    if (isnan(*ret_value) || *ret_value > most) {
        fprintf(stderr, "ecogovctl: %s=%s: it is from 0 to %g.\n", key, pair.text, most);
        return false;
    }
    return true;
}

static void add_named(cJSON *object, const char *key, const char *const *names, int count,
                      const double *values)
{
    cJSON *of = cJSON_AddObjectToObject(object, key);
    for (int i = 0; i < count; i++)
        if (!isnan(values[i]))
            cJSON_AddNumberToObject(of, names[i], values[i]);
}

static void add_mask(cJSON *object, const char *key, const char *const *names, int count, unsigned mask)
{
    cJSON *list = cJSON_AddArrayToObject(object, key);
    for (int i = 0; i < count; i++)
        if (mask & 1u << i)
            cJSON_AddItemToArray(list, cJSON_CreateString(names[i]));
}

cJSON *index_soil(struct index_pairs *pairs)
{
    double ph, mg_kg[EG_ELEMENTS];
    struct eg_soil soil;
    const char *land_text = index_text(pairs, "land", "other");
    int land = index_choice("land", land_text, eg_land_names, EG_LANDS);
    if (land < 0 || !take_one(pairs, "ph", "the soil's pH: its limits depend on it", 14, &ph) ||
        !take(pairs, eg_element_names, EG_ELEMENTS, mg_kg))
        return NULL;
    eg_soil_judge((enum eg_land)land, ph, mg_kg, &soil);
    for (int i = 0; i < EG_ELEMENTS; i++) /* the limits of what was measured */
        if (isnan(mg_kg[i]))
            soil.screening[i] = soil.intervention[i] = NAN;
    cJSON *result = cJSON_CreateObject();
    cJSON_AddStringToObject(result, "category",
                            soil.class_ ? eg_soil_classes[soil.class_ - 1][0] : "unknown");
    cJSON_AddStringToObject(result, "category_zh",
                            soil.class_ ? eg_soil_classes[soil.class_ - 1][1] : "不明");
    cJSON_AddNumberToObject(result, "level", soil.class_);
    if (soil.class_) {
        cJSON_AddNumberToObject(result, "nemerow", soil.nemerow);
        cJSON_AddStringToObject(result, "grade", eg_soil_grades[soil.grade - 1][0]);
        cJSON_AddStringToObject(result, "grade_zh", eg_soil_grades[soil.grade - 1][1]);
    }
    add_named(result, "factor", eg_element_names, EG_ELEMENTS, soil.factor);
    add_named(result, "screening", eg_element_names, EG_ELEMENTS, soil.screening);
    add_named(result, "intervention", eg_element_names, EG_ELEMENTS, soil.intervention);
    add_mask(result, "primary", eg_element_names, EG_ELEMENTS, soil.primary);
    add_mask(result, "above_screening", eg_element_names, EG_ELEMENTS, soil.above_screening);
    add_mask(result, "above_intervention", eg_element_names, EG_ELEMENTS, soil.above_intervention);
    cJSON_AddStringToObject(result, "land", eg_land_names[land]);
    cJSON_AddNumberToObject(result, "ph", ph);
    return result;
}

cJSON *index_salinity(struct index_pairs *pairs)
{
    double ece;
    if (!take_one(pairs, "ece", "the conductivity of the saturation extract in dS/m", 1000, &ece) ||
        !index_all_used(pairs, "ece"))
        return NULL;
    int class_ = eg_salinity_class(ece);
    cJSON *result = cJSON_CreateObject();
    cJSON_AddStringToObject(result, "category", eg_salinity_classes[class_ - 1][0]);
    cJSON_AddStringToObject(result, "category_zh", eg_salinity_classes[class_ - 1][1]);
    cJSON_AddNumberToObject(result, "level", class_);
    return result;
}

cJSON *index_waste(struct index_pairs *pairs)
{
    double values[EG_WASTES], subs[EG_WASTES];
    int64_t nano[EG_WASTES];
    struct eg_waste_pressure pressure;
    if (!take(pairs, eg_waste_names, EG_WASTES, values))
        return NULL;
    for (int i = 0; i < EG_WASTES; i++)
        nano[i] = eg_nano_of(values[i]);
    eg_waste_pressure(nano, &pressure);
    cJSON *result = cJSON_CreateObject();
    if (pressure.level) {
        const struct eg_aqi_class *class_ = &eg_aqi_cn_classes[pressure.level - 1];
        cJSON_AddNumberToObject(result, "pressure", pressure.value);
        cJSON_AddStringToObject(result, "colour", class_->colour);
    } else {
        cJSON_AddNullToObject(result, "pressure");
    }
    for (int i = 0; i < EG_WASTES; i++)
        subs[i] = pressure.sub[i] == EG_AQI_NONE ? (double)NAN : pressure.sub[i];
    add_named(result, "sub", eg_waste_names, EG_WASTES, subs);
    add_mask(result, "primary", eg_waste_names, EG_WASTES, pressure.primary);
    cJSON_AddNumberToObject(result, "level", pressure.level);
    return result;
}
