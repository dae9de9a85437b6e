/* Knows which parts of a WHERE narrow what has to be decoded: names by equality, times by comparison. Refuses to be exact: it only
 * narrows, SQLite checks each row itself. Called by readings.c and indices.c. */
#include <store/extension/plan.h>
#include <store/schema.h>

#include <math.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

static int pragma(sqlite3 *db, const char *text)
{
    sqlite3_stmt *sql = NULL;
    int number = -1;
    if (sqlite3_prepare_v2(db, text, -1, &sql, NULL) == SQLITE_OK && sqlite3_step(sql) == SQLITE_ROW)
        number = sqlite3_column_int(sql, 0);
    sqlite3_finalize(sql);
    return number;
}

int eg_plan_version(sqlite3 *db)
{
    return pragma(db, "PRAGMA main.user_version");
}

int eg_plan_database(sqlite3 *db, bool *ret_folded, struct eg_err *err)
{
    int version = pragma(db, "PRAGMA main.user_version");
    if (pragma(db, "PRAGMA main.application_id") != EG_SCHEMA_APPLICATION)
        return eg_err_set(err, EG_EINVAL, "the database is none of ecogovd");
    if (version > EG_SCHEMA_VERSION)
        return eg_err_set(
            err, EG_EINVAL,
            "the database was written by a newer ecogovd; load the extension that came with it");
    *ret_folded = version >= EG_SCHEMA_FOLDED;
    return EG_OK;
}

static char letter_of(int op)
{
    switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return '=';
    case SQLITE_INDEX_CONSTRAINT_LT:
        return '<';
    case SQLITE_INDEX_CONSTRAINT_LE:
        return 'l';
    case SQLITE_INDEX_CONSTRAINT_GT:
        return '>';
    case SQLITE_INDEX_CONSTRAINT_GE:
        return 'g';
    default:
        return '\0';
    }
}

/* By how much a constraint narrows, roughly; 0: not at all. */
static double worth(int column, char letter)
{
    static const double equal[] = {
        [EG_COLUMN_TIME] = 1000, [EG_COLUMN_TIME_MS] = 1000, [EG_COLUMN_SITE] = 8,   [EG_COLUMN_DOMAIN] = 2,
        [EG_COLUMN_DEVICE] = 50, [EG_COLUMN_QUANTITY] = 8,   [EG_COLUMN_CHANNEL] = 2};
    if (!letter || column < 0 || column > EG_COLUMN_CHANNEL)
        return 0;
    if (letter == '=')
        return equal[column];
    return column <= EG_COLUMN_TIME_MS ? 10 : 0;
}

int eg_plan_choose(sqlite3_index_info *info)
{
    double rows = 1e7;
    int used = 0;
    char *written = sqlite3_malloc(2 * info->nConstraint + 1);
    if (!written)
        return SQLITE_NOMEM;
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn;
        char letter = letter_of(info->aConstraint[i].op);
        double by = worth(column, letter);
        /* NOCASE finds more than we would */
        if (!info->aConstraint[i].usable || by <= 0 ||
            (column != EG_COLUMN_TIME_MS && sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY") != 0))
            continue;
        written[2 * used] = (char)('a' + column);
        written[2 * used + 1] = letter;
        info->aConstraintUsage[i].argvIndex = ++used;
        rows /= by;
    }
    written[2 * used] = '\0';
    info->idxStr = written;
    info->needToFreeIdxStr = 1;
    info->estimatedRows = rows < 1 ? 1 : (sqlite3_int64)rows;
    info->estimatedCost = rows + 1000; /* to begin costs something, too */
    return SQLITE_OK;
}

/* --- times --- */

static bool digits(const char *text, int count, int *ret)
{
    *ret = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *ret = *ret * 10 + (text[i] - '0');
    }
    return true;
}

/* Days since 1970 of the first of a month. */
static int64_t first_of(int year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t past = year - 1;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return past * 365 + past / 4 - past / 100 + past / 400 - 719162 + before[month - 1] + (leap && month > 2);
}

/* Texts compare byte by byte, and so do our times: [low, high) are those that begin with what `text` has in common with a time. What
 * is beyond that prefix does not narrow; where nothing is beyond it, the text stands before all of them, and high is low.
 * False: nothing in common that we would use. */
static bool span_of(const char *text, size_t length, int64_t *ret_low, int64_t *ret_high)
{
    int year, month, day, hour, minute, second;
    if (length < 7 || !digits(text, 4, &year) || text[4] != '-' || !digits(text + 5, 2, &month) || year < 1 ||
        month < 1 || month > 12)
        return false;
    *ret_low = first_of(year, month) * DAY_MS;
    *ret_high = length == 7 ? *ret_low : *ret_low + 31 * DAY_MS;
    if (length < 10 || text[7] != '-' || !digits(text + 8, 2, &day) || day < 1 || day > 28)
        return true; /* the last days are not in every month */
    *ret_low += (day - 1) * DAY_MS;
    *ret_high = length == 10 ? *ret_low : *ret_low + DAY_MS;
    if (length < 19 || text[10] != 'T' || !digits(text + 11, 2, &hour) || text[13] != ':' ||
        !digits(text + 14, 2, &minute) || text[16] != ':' || !digits(text + 17, 2, &second) || hour > 23 ||
        minute > 59 || second > 59)
        return true;
    *ret_low += ((int64_t)hour * 3600 + minute * 60 + second) * 1000;
    *ret_high = length == 19 ? *ret_low : *ret_low + 1000;
    return true;
}

/* The milliseconds that may equal the value: [low, high]. */
static bool number_of(sqlite3_value *value, int64_t *ret_low, int64_t *ret_high)
{
    double wide;
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
        *ret_low = *ret_high = sqlite3_value_int64(value);
        return true;
    case SQLITE_FLOAT:
        wide = sqlite3_value_double(value);
        if (!(fabs(wide) < 9e15))
            return false;
        *ret_low = (int64_t)floor(wide);
        *ret_high = (int64_t)ceil(wide);
        return true;
    default:
        return false;
    }
}

static void narrow(struct eg_plan *plan, char letter, int64_t low, int64_t beyond)
{
    if ((letter == '=' || letter == '>' || letter == 'g') && low > plan->from_ms)
        plan->from_ms = low;
    if ((letter == '=' || letter == '<' || letter == 'l') && beyond < plan->to_ms)
        plan->to_ms = beyond;
}

static void narrow_time(struct eg_plan *plan, int column, char letter, sqlite3_value *value)
{
    int64_t low, high;
    if (column == EG_COLUMN_TIME_MS) {
        if (number_of(value, &low, &high))
            narrow(plan, letter, low, letter == '<' || high == INT64_MAX ? high : high + 1);
    } else if (sqlite3_value_type(value) == SQLITE_TEXT) {
        const char *text = (const char *)sqlite3_value_text(value);
        if (text && span_of(text, (size_t)sqlite3_value_bytes(value), &low, &high))
            narrow(plan, letter, low, high);
    }
}

void eg_plan_read(const char *written, int count, sqlite3_value **values, struct eg_plan *ret)
{
    *ret = (struct eg_plan){.from_ms = INT64_MIN, .to_ms = INT64_MAX};
    for (int i = 0; written && i < count && written[2 * i]; i++) {
        int column = written[2 * i] - 'a', type = sqlite3_value_type(values[i]);
        if (column <= EG_COLUMN_TIME_MS)
            narrow_time(ret, column, written[2 * i + 1], values[i]);
        else if (type == SQLITE_TEXT || type == SQLITE_INTEGER)
            ret->equal[column - EG_COLUMN_SITE] = values[i];
    }
}
