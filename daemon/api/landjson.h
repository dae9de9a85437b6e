/* An index of soil or waste as members of an answer's object: what it is, and what made it so. */
#ifndef EG_API_LANDJSON_H
#define EG_API_LANDJSON_H

#include <base/json.h>
#include <index/land.h>
#include <pipeline/pipeline.h>

/* Where the states' devices are ids of the pipeline.
 * Waste: pressure, level, category, category_zh, colour, sub, primary, measures. Soil: level, category, category_zh (of the Nemerow index
 * its grade, else the class), nemerow, factor, mg_kg, ph, land, above_screening, above_intervention, primary, site, device. Salinity:
 * level, category, category_zh, ec, site, device. */
void eg_landjson_put(struct eg_json *json, const struct eg_pipeline *pipeline,
                     const struct eg_land_state *state);

#endif
