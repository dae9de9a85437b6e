/* ecogov_indices, beside ecogov_readings. Private to the extension. */
#ifndef EG_EXTENSION_INDICES_H
#define EG_EXTENSION_INDICES_H
#include <store/inside.h>

struct eg_table { /* no more is known of it than its database */
    sqlite3_vtab base;
    sqlite3 *db;
};
extern const sqlite3_module eg_indices_module;

#endif
