/* ecogov_indices, beside ecogov_readings. Private to the extension. */
#ifndef EG_EXTENSION_INDICES_H
#define EG_EXTENSION_INDICES_H
#include <index/land.h>
#include <index/air.h>
#include <store/inside.h>

extern const sqlite3_module eg_indices_module;

/* Places of the columns; the first seven lie as plan.c wants them. */
enum {
    EG_INDEX_TIME,
    EG_INDEX_TIME_MS,
    EG_INDEX_SITE,
    EG_INDEX_DOMAIN,
    EG_INDEX_DEVICE,
    EG_INDEX_INDEX,
    EG_INDEX_RESOLUTION,
    EG_INDEX_VALUE,
    EG_INDEX_PUBLISHED,
    EG_INDEX_CATEGORY,
    EG_INDEX_CATEGORY_ZH,
    EG_INDEX_PRIMARY,
    EG_INDEX_MISSING,
    EG_INDEX_EDITION,
    EG_INDEX_SUB,
    EG_INDEX_WORST = EG_INDEX_SUB + EG_POLLUTANTS,
    EG_INDEX_MADE_OF,
};
/* A row as it is told: indexcolumns.c. */
struct eg_index_row {
    const char *site, *index, *resolution;
    int64_t start_ms;
    enum eg_land_index land; /* EG_LAND_INDICES: of the air */
    bool american;
    struct eg_aqi aqi;
    struct eg_land_state state;
};
extern const char eg_index_columns[]; /* as SQLite wants them declared */
void eg_index_column(sqlite3_context *context, const struct eg_index_row *row, int column);

#endif
