/* What a place's values mean together: its air indices now and over the last day, its waste pressure, its soil's class and
 * salinity. */
#ifndef EG_API_INDICES_H
#define EG_API_INDICES_H

#include <api/asof.h>
#include <base/json.h>
#include <index/hours.h>

struct eg_indices; /* of one place and domain; NULL: nothing there has an index */

/* Adds what a device has measured; `end_ms` is the end of the newest whole hour. False: no memory. */
bool eg_indices_add(struct eg_indices **indices, struct eg_asof *asof, const struct eg_device_view *device,
                    bool retired, int64_t end_ms);
/* Adds a place below. False: no memory. */
bool eg_indices_join(struct eg_indices **indices, const struct eg_indices *below);
/* An object of indices by name; {} where there is none. */
void eg_indices_write(struct eg_json *json, const struct eg_pipeline *pipeline,
                      const struct eg_indices *indices, int64_t end_ms);
void eg_indices_destroy(struct eg_indices *indices); /* accepts NULL */

#endif
