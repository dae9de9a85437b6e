/* An index as members of an answer's object. */
#ifndef EG_API_AQI_H
#define EG_API_AQI_H

#include <base/json.h>
#include <index/air.h>

/* aqi, aqi_of_available, level, category, category_zh, colour, sub, primary, missing; null where there is none. */
void eg_aqi_put(struct eg_json *json, const struct eg_aqi *aqi, const struct eg_aqi_class *classes);
void eg_aqi_put_index(struct eg_json *json, const char *key, int index); /* EG_AQI_NONE: null */
/* level, category, category_zh, colour; level 0: null. */
void eg_aqi_put_class(struct eg_json *json, const struct eg_aqi_class *classes, int level);
/* An array of names[i] of the bits that are set. */
void eg_aqi_put_names(struct eg_json *json, const char *key, unsigned mask, const char *const *names,
                      int count);

#endif
