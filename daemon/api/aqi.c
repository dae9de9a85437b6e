/* Knows how an index looks in an answer. Refuses to know what it is made of. Called by indices.c and m_indices.c. */
#include <api/aqi.h>

void eg_aqi_put_index(struct eg_json *json, const char *key, int index)
{
    eg_json_key(json, key);
    index == EG_AQI_NONE ? eg_json_null(json) : eg_json_int(json, index);
}

/* `prefix[i]` of the bits that are set. */
void eg_aqi_put_names(struct eg_json *json, const char *key, unsigned mask, const char *const *names,
                      int count)
{
    eg_json_key(json, key);
    eg_json_open(json, '[');
    for (int i = 0; i < count; i++)
        if (mask & 1u << i)
            eg_json_string(json, names[i]);
    eg_json_close(json, ']');
}

void eg_aqi_put_class(struct eg_json *json, const struct eg_aqi_class *classes, int level)
{
    eg_json_key(json, "level");
    level ? eg_json_int(json, level) : eg_json_null(json);
    eg_json_put_string(json, "category", level ? classes[level - 1].name : NULL);
    eg_json_put_string(json, "category_zh", level ? classes[level - 1].name_zh : NULL);
    eg_json_put_string(json, "colour", level ? classes[level - 1].colour : NULL);
}

/* The sub-indices that count, by pollutant: the greatest of each one's means. */
static void put_subs(struct eg_json *json, const struct eg_aqi *aqi)
{
    eg_json_key(json, "sub");
    eg_json_open(json, '{');
    for (int p = 0; p < EG_POLLUTANTS; p++) {
        int sub = EG_AQI_NONE;
        for (int average = 0; average < EG_AVERAGES; average++)
            sub = aqi->sub[p][average] > sub ? aqi->sub[p][average] : sub;
        if (sub != EG_AQI_NONE)
            eg_json_put_int(json, eg_pollutant_names[p], sub);
    }
    eg_json_close(json, '}');
}

void eg_aqi_put(struct eg_json *json, const struct eg_aqi *aqi, const struct eg_aqi_class *classes)
{
    bool published = aqi->value != EG_AQI_NONE;
    eg_aqi_put_index(json, "aqi", aqi->value);
    eg_aqi_put_index(json, "aqi_of_available", aqi->available);
    eg_aqi_put_class(json, classes, published ? aqi->level : 0);
    put_subs(json, aqi);
    eg_aqi_put_names(json, "primary", published ? aqi->primary : 0, eg_pollutant_names, EG_POLLUTANTS);
    eg_aqi_put_names(json, "missing", aqi->missing, eg_pollutant_names, EG_POLLUTANTS);
}
