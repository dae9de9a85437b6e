/* What the land of devices is used for, as the configuration says, beside the readings: whoever makes an index of soil with SQL needs it
 * and has no configuration (extension/indices.c). Knows no more. Called by the store as it opens and as the configuration changes; a copy,
 * made anew at the next start if it cannot be written now. */
#include <store/inside.h>

#include <string.h>

static bool described(const struct eg_conf *conf, const char *site, const char *domain, const char *device)
{
    for (size_t i = 0; i < conf->device_count; i++) {
        const struct eg_conf_device *row = &conf->devices[i];
        if (row->land_use && *row->land_use && !strcmp(row->id, device) && !strcmp(row->domain, domain) &&
            !strcmp(conf->sites[row->site].id, site))
            return true;
    }
    return false;
}

static int forget_others(sqlite3 *db, const struct eg_conf *conf)
{
    sqlite3_stmt *list = NULL, *forget = NULL;
    int code = sqlite3_prepare_v2(db, "SELECT site, domain, device FROM land_use", -1, &list, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db, "DELETE FROM land_use WHERE site=?1 AND domain=?2 AND device=?3", -1,
                                  &forget, NULL);
    while (code == SQLITE_OK && sqlite3_step(list) == SQLITE_ROW) {
        if (described(conf, (const char *)sqlite3_column_text(list, 0),
                      (const char *)sqlite3_column_text(list, 1), (const char *)sqlite3_column_text(list, 2)))
            continue;
        for (int i = 0; i < 3; i++)
            sqlite3_bind_value(forget, i + 1, sqlite3_column_value(list, i));
        code = sqlite3_step(forget) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
        sqlite3_reset(forget);
    }
    sqlite3_finalize(list);
    sqlite3_finalize(forget);
    return code;
}

static int keep_these(sqlite3 *db, const struct eg_conf *conf)
{
    sqlite3_stmt *keep = NULL;
    int code = sqlite3_prepare_v2(
        db,
        "INSERT INTO land_use VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET land_use=excluded.land_use"
        " WHERE land_use<>excluded.land_use",
        -1, &keep, NULL);
    for (size_t i = 0; i < conf->device_count && code == SQLITE_OK; i++) {
        const struct eg_conf_device *row = &conf->devices[i];
        if (!row->land_use || !*row->land_use)
            continue;
        sqlite3_bind_text(keep, 1, conf->sites[row->site].id, -1, SQLITE_STATIC);
        sqlite3_bind_text(keep, 2, row->domain, -1, SQLITE_STATIC);
        sqlite3_bind_text(keep, 3, row->id, -1, SQLITE_STATIC);
        sqlite3_bind_text(keep, 4, row->land_use, -1, SQLITE_STATIC);
        code = sqlite3_step(keep) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
        sqlite3_reset(keep);
    }
    sqlite3_finalize(keep);
    return code;
}

void eg_land_use_keep(struct eg_store *store, const struct eg_conf *conf)
{
    if (sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return;
    bool ok = forget_others(store->db, conf) == SQLITE_OK && keep_these(store->db, conf) == SQLITE_OK;
    if (sqlite3_exec(store->db, ok ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}
