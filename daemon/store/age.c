/* What is older than it is to be kept goes: chunks of readings, hours, days, each by what the configuration says of its domain and
 * quantity. Knows that this differs from series to series, so a pass takes them one by one, in bites, and looks at each one's oldest only.
 * Refuses to know about room (prune.c, who calls it). A pass begins once an hour and when the configuration was changed; what came late
 * goes with the next one. */
#include <store/inside.h>
#include <base/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64 /* rows between two looks at the clock */
#define EVERY_LEAST_MS INT64_C(3600000)
#define EVERY_MOST_MS (24 * EVERY_LEAST_MS)
#define EVERY_PART 64 /* of the shortest time that anything is kept */

/* --- how long? --- */

int eg_age_configure(struct eg_store *store, const struct eg_conf *conf, struct eg_err *err)
{
    const struct eg_conf_store *from = &conf->store;
    struct eg_age_rule *rules = from->retain_count ? calloc(from->retain_count, sizeof *rules) : NULL;
    if (from->retain_count && !rules)
        return eg_err_set(err, EG_ENOMEM, "no memory for store.retain");
    for (size_t i = 0; i < from->retain_count; i++) {
        const struct eg_conf_retain *retain = &from->retain[i];
        rules[i] = (struct eg_age_rule){.quantity = retain->quantity,
                                        .kept_ms = {retain->raw_ms, retain->hour_ms, retain->day_ms}};
        if (retain->domain)
            snprintf(rules[i].domain, sizeof rules[i].domain, "%s", retain->domain);
    }
    free(store->age.rules);
    store->age = (struct eg_age){.rules = rules, .rule_count = from->retain_count};
    store->age.kept_ms[EG_AGE_RAW] = from->retain_raw_ms;
    store->age.kept_ms[EG_AGE_HOUR] = from->retain_hour_ms;
    store->age.kept_ms[EG_AGE_DAY] = from->retain_day_ms;
    store->prune = true;
    return EG_OK;
}

void eg_age_finish(struct eg_store *store)
{
    free(store->age.rules);
    store->age.rules = NULL;
    store->age.rule_count = 0;
}

/* The most specific rule that says something of it: of domain and quantity, of the quantity, of the domain, of all. 0: for ever. */
int64_t eg_age_kept(const struct eg_age *age, enum eg_age_of of, const char *domain, int quantity)
{
    int64_t kept_ms = age->kept_ms[of];
    int best = -1;
    for (size_t i = 0; i < age->rule_count; i++) {
        const struct eg_age_rule *rule = &age->rules[i];
        int weight = (rule->quantity != EG_QUANTITY_NONE) * 2 + (*rule->domain != '\0');
        if (rule->kept_ms[of] < 0 || weight < best || (*rule->domain && strcmp(rule->domain, domain) != 0) ||
            (rule->quantity != EG_QUANTITY_NONE && rule->quantity != quantity))
            continue;
        best = weight;
        kept_ms = rule->kept_ms[of];
    }
    return kept_ms;
}

/* What is older goes; INT64_MIN: nothing does. The statement tells a domain and a quantity from `column` on. */
static int64_t oldest_of(const struct eg_store *store, enum eg_age_of of, sqlite3_stmt *sql, int column,
                         int64_t now_ms)
{
    const char *domain = (const char *)sqlite3_column_text(sql, column),
               *quantity = (const char *)sqlite3_column_text(sql, column + 1);
    if (!domain || !quantity)
        return INT64_MIN;
    int64_t kept_ms = eg_age_kept(&store->age, of, domain, eg_quantity_find(quantity, strlen(quantity)));
    return kept_ms ? now_ms - kept_ms : INT64_MIN;
}

/* --- one series --- */

static int drop_chunks(struct eg_store *store, uint32_t series, int64_t before_ms, bool *ret_done)
{
    int64_t ids[BATCH];
    size_t count = 0;
    sqlite3_stmt *sql = store->sql[SQL_CHUNK_AGED];
    sqlite3_bind_int64(sql, 1, series);
    sqlite3_bind_int64(sql, 2, before_ms);
    sqlite3_bind_int(sql, 3, BATCH);
    int code;
    while ((code = sqlite3_step(sql)) == SQLITE_ROW && count < BATCH) {
        ids[count++] = sqlite3_column_int64(sql, 0);
        store->dropping += (uint64_t)sqlite3_column_int64(sql, 1);
    }
    sqlite3_reset(sql);
    code = code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++) {
        sqlite3_bind_int64(store->sql[SQL_CHUNK_DROP], 1, ids[i]);
        code = eg_sql_run(store, SQL_CHUNK_DROP);
    }
    *ret_done = count < BATCH;
    return code;
}

static int drop_readings(struct eg_store *store, uint32_t series, int64_t before_ms, bool *ret_done)
{
    sqlite3_stmt *sql = store->sql[SQL_YOUNG_PRUNE];
    int code = drop_chunks(store, series, before_ms, ret_done);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int64(sql, 1, series);
    sqlite3_bind_int64(sql, 2, before_ms);
    while ((code = sqlite3_step(sql)) == SQLITE_ROW)
        store->dropping += (uint64_t)sqlite3_column_int64(sql, 0);
    sqlite3_reset(sql);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int drop_buckets(struct eg_store *store, uint32_t series, enum eg_period period, int64_t before_ms)
{
    sqlite3_stmt *sql = store->sql[SQL_BUCKET_AGED];
    sqlite3_bind_int64(sql, 1, series);
    sqlite3_bind_int(sql, 2, (int)period);
    sqlite3_bind_int64(sql, 3, before_ms);
    return eg_sql_run(store, SQL_BUCKET_AGED);
}

/* --- a pass --- */

/* The next series that is there, and from when on each of its kinds is kept. */
static int next_series(struct eg_store *store, int64_t now_ms, uint32_t *ret_series,
                       int64_t ret_before_ms[EG_AGE_KINDS])
{
    sqlite3_stmt *sql = store->sql[SQL_SERIES_NEXT];
    sqlite3_bind_int64(sql, 1, store->age.series);
    int code = sqlite3_step(sql);
    *ret_series = 0;
    if (code == SQLITE_ROW) {
        *ret_series = (uint32_t)sqlite3_column_int64(sql, 0);
        for (int of = 0; of < EG_AGE_KINDS; of++)
            ret_before_ms[of] = oldest_of(store, (enum eg_age_of)of, sql, 1, now_ms);
    }
    sqlite3_reset(sql);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int drop_of_series(struct eg_store *store, uint32_t series, const int64_t before_ms[EG_AGE_KINDS])
{
    bool done = true;
    int code = SQLITE_OK;
    if (before_ms[EG_AGE_RAW] != INT64_MIN)
        code = drop_readings(store, series, before_ms[EG_AGE_RAW], &done);
    for (int period = 0; code == SQLITE_OK && period < EG_PERIOD_COUNT; period++)
        if (before_ms[EG_AGE_HOUR + period] != INT64_MIN)
            code = drop_buckets(store, series, (enum eg_period)period, before_ms[EG_AGE_HOUR + period]);
    if (code == SQLITE_OK && done)
        store->age.series = series;
    return code;
}

/* No kept time of this kind is shorter; INT64_MAX: all is kept for ever. */
static int64_t shortest(const struct eg_age *age, enum eg_age_of of)
{
    int64_t found_ms = age->kept_ms[of] ? age->kept_ms[of] : INT64_MAX;
    for (size_t i = 0; i < age->rule_count; i++)
        if (age->rules[i].kept_ms[of] > 0 && age->rules[i].kept_ms[of] < found_ms)
            found_ms = age->rules[i].kept_ms[of];
    return found_ms;
}

/* A pass looks at every series. Nobody minds a day at what is kept for a year. */
int64_t eg_age_every(const struct eg_age *age)
{
    int64_t every_ms = EVERY_MOST_MS;
    for (int of = 0; of < EG_AGE_KINDS; of++)
        if (shortest(age, (enum eg_age_of)of) / EVERY_PART < every_ms)
            every_ms = shortest(age, (enum eg_age_of)of) / EVERY_PART;
    return every_ms > EVERY_LEAST_MS ? every_ms : EVERY_LEAST_MS;
}

/* Hours and days that are not folded yet, of all series: few are old enough, most passes find none. */
static int drop_rows(struct eg_store *store, int64_t now_ms, bool *ret_done)
{
    struct eg_age *age = &store->age;
    sqlite3_stmt *sql = store->sql[SQL_ROLLUP_AGED], *drop = store->sql[SQL_ROLLUP_DROP];
    struct key {
        int64_t start_ms, series;
    } keys[BATCH];
    size_t seen = 0, count = 0;
    int code;
    sqlite3_bind_int(sql, 1, age->period);
    sqlite3_bind_int64(sql, 2, age->row_start_ms);
    sqlite3_bind_int64(sql, 3, age->row_series);
    sqlite3_bind_int(sql, 4, BATCH);
    sqlite3_bind_int64(sql, 5, now_ms - shortest(age, (enum eg_age_of)(EG_AGE_HOUR + age->period)));
    while ((code = sqlite3_step(sql)) == SQLITE_ROW && seen < BATCH) {
        age->row_start_ms = sqlite3_column_int64(sql, 0);
        age->row_series = sqlite3_column_int64(sql, 1);
        seen++;
        if (age->row_start_ms < oldest_of(store, (enum eg_age_of)(EG_AGE_HOUR + age->period), sql, 2, now_ms))
            keys[count++] = (struct key){age->row_start_ms, age->row_series};
    }
    sqlite3_reset(sql);
    code = code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++) {
        sqlite3_bind_int(drop, 1, age->period);
        sqlite3_bind_int64(drop, 2, keys[i].start_ms);
        sqlite3_bind_int64(drop, 3, keys[i].series);
        code = eg_sql_run(store, SQL_ROLLUP_DROP);
    }
    if (seen < BATCH) {
        age->period++;
        age->row_start_ms = INT64_MIN;
        age->row_series = 0;
    }
    *ret_done = age->period == EG_PERIOD_COUNT;
    return code;
}

static bool nothing_ages(const struct eg_age *age)
{
    int64_t kept_ms = age->kept_ms[EG_AGE_RAW] | age->kept_ms[EG_AGE_HOUR] | age->kept_ms[EG_AGE_DAY];
    return !kept_ms && !age->rule_count;
}

int eg_age_some(struct eg_store *store, int64_t now_ms, bool *ret_done)
{
    struct eg_age *age = &store->age;
    int64_t before_ms[EG_AGE_KINDS];
    uint32_t series = 0;
    int code = SQLITE_OK;
    *ret_done = nothing_ages(age);
    if (!*ret_done && !age->in_rows) {
        code = next_series(store, now_ms, &series, before_ms);
        if (code == SQLITE_OK && series)
            return drop_of_series(store, series, before_ms);
        age->in_rows = code == SQLITE_OK;
        age->period = 0;
        age->row_start_ms = INT64_MIN;
        age->row_series = 0;
    }
    if (!*ret_done && code == SQLITE_OK)
        code = drop_rows(store, now_ms, ret_done);
    if (code == SQLITE_OK && *ret_done) {
        age->series = 0;
        age->in_rows = false;
    }
    return code;
}
