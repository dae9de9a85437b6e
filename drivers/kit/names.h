/* Which quantity a third-party name means, where nobody has said so. */
#ifndef EG_NAMES_H
#define EG_NAMES_H

#include <ecogov/quantity.h>
#include <ecogov/reading.h>

/* "BME280_temperature", "TempC_SOIL", "temperature_1", "soil_moisture_10cm": the quantity, and what tells it from another of its kind
 * (a number, a depth) as the channel, "" for none. `domain` ("soil", "water", …) says whose temperature it is, may be NULL. `index` is the
 * dictionary's; NULL: it is looked through, which is slow. False when the name says nothing, or more than one thing. */
bool eg_names_guess(const struct eg_quantity_index *index, const char *name, size_t length,
                    const char *domain, int *ret_quantity, char channel[EG_CHANNEL_MAX + 1]);

#endif
