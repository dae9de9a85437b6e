/* Who is out there, and how it stands: rows of devices and series. Knows which value goes where; decides nothing. Called by commit.c. */
#include <store/inside.h>

static void bind_time(sqlite3_stmt *sql, int at, int64_t ms)
{
    if (ms == EG_TIME_NONE)
        sqlite3_bind_null(sql, at);
    else
        sqlite3_bind_int64(sql, at, ms);
}

int eg_devices_put(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->devices_count; i++) {
        const struct eg_row_device *row = &batch->devices[i];
        sqlite3_stmt *sql = store->sql[SQL_DEVICE];
        sqlite3_bind_int64(sql, 1, row->id);
        eg_sql_text(sql, 2, row->site);
        eg_sql_text(sql, 3, row->domain);
        eg_sql_text(sql, 4, row->device);
        sqlite3_bind_int64(sql, 5, row->registered_ms);
        code = eg_sql_run(store, SQL_DEVICE);
    }
    for (size_t i = 0; code == SQLITE_OK && i < batch->rhythms_count; i++) {
        sqlite3_bind_int64(store->sql[SQL_RHYTHM], 1, batch->rhythms[i].device);
        sqlite3_bind_int64(store->sql[SQL_RHYTHM], 2, batch->rhythms[i].interval_ms);
        code = eg_sql_run(store, SQL_RHYTHM);
    }
    for (size_t i = 0; code == SQLITE_OK && i < batch->standings_count; i++) {
        sqlite3_stmt *sql = store->sql[SQL_STANDING];
        sqlite3_bind_int64(sql, 1, batch->standings[i].device);
        bind_time(sql, 2, batch->standings[i].silent_ms);
        bind_time(sql, 3, batch->standings[i].heard_ms);
        bind_time(sql, 4, batch->standings[i].awaited_ms);
        sqlite3_bind_int64(sql, 5, batch->standings[i].case_number);
        sqlite3_bind_int(sql, 6, batch->standings[i].gone);
        bind_time(sql, 7, batch->standings[i].due_told_ms);
        code = eg_sql_run(store, SQL_STANDING);
    }
    for (size_t i = 0; code == SQLITE_OK && i < batch->device_events_count; i++) {
        const struct eg_row_device_event *row = &batch->device_events[i];
        sqlite3_stmt *sql = store->sql[SQL_DEVICE_EVENT];
        sqlite3_bind_int64(sql, 1, row->device);
        sqlite3_bind_int(sql, 2, (int)row->kind);
        sqlite3_bind_int64(sql, 3, row->at_ms);
        eg_sql_text(sql, 4, row->actor);
        eg_sql_text(sql, 5, row->note);
        code = eg_sql_run(store, SQL_DEVICE_EVENT);
    }
    for (size_t i = 0; code == SQLITE_OK && i < batch->series_count; i++) {
        const struct eg_row_series *row = &batch->series[i];
        if (row->id > store->series_most)
            store->series_most = row->id;
        sqlite3_stmt *sql = store->sql[SQL_SERIES];
        sqlite3_bind_int64(sql, 1, row->id);
        sqlite3_bind_int64(sql, 2, row->device);
        eg_sql_text(sql, 3, eg_quantity_info(row->quantity)->name);
        eg_sql_text(sql, 4, row->channel);
        code = eg_sql_run(store, SQL_SERIES);
    }
    for (size_t i = 0; code == SQLITE_OK && i < batch->findings_count; i++) {
        const struct eg_row_finding *row = &batch->findings[i];
        sqlite3_stmt *sql = store->sql[SQL_FINDING];
        sqlite3_bind_int64(sql, 1, row->series);
        bind_time(sql, 2, row->noisy_ms);
        bind_time(sql, 3, row->drifting_ms);
        sqlite3_bind_double(sql, 4, row->usual);
        sqlite3_bind_int(sql, 5, row->side);
        code = eg_sql_run(store, SQL_FINDING);
    }
    return code;
}
