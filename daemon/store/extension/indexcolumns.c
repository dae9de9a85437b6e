/* The columns of ecogov_indices. Knows how an index and what it came of are told; refuses to know which row is next. Called by
 * indices.c. */
#include <store/extension/indices.h>
#include <ecogov/time.h>
#include <index/aqi_cn.h>
#include <index/aqi_us.h>

#include <string.h>

const char eg_index_columns[] =
    "CREATE TABLE x(time TEXT, time_ms INTEGER, site TEXT, domain TEXT HIDDEN, device TEXT HIDDEN, \"index\" "
    "TEXT, resolution TEXT,"
    " value INTEGER, published INTEGER, category TEXT, category_zh TEXT, \"primary\" TEXT, missing TEXT, "
    "edition TEXT,"
    " co INTEGER, no2 INTEGER, o3 INTEGER, pm10 INTEGER, pm25 INTEGER, so2 INTEGER, worst TEXT, made_of "
    "TEXT)";

static void put_names(sqlite3_context *context, unsigned mask, const char *const *names, int count)
{
    char text[64] = "";
    int length = 0;
    for (int p = 0; p < count; p++)
        if (mask & 1u << p) {
            sqlite3_snprintf((int)sizeof text - length, text + length, "%s%s", length ? "|" : "", names[p]);
            length = (int)strlen(text);
        }
    sqlite3_result_text(context, text, length, SQLITE_TRANSIENT);
}

static void put_sub(sqlite3_context *context, const struct eg_aqi *aqi, int pollutant)
{
    int sub = EG_AQI_NONE;
    for (int average = 0; average < EG_AVERAGES; average++)
        sub = aqi->sub[pollutant][average] > sub ? aqi->sub[pollutant][average] : sub;
    if (sub != EG_AQI_NONE)
        sqlite3_result_int(context, sub);
}

static void put_class(sqlite3_context *context, const struct eg_index_row *row, bool chinese)
{
    const struct eg_aqi_class *classes = row->american ? eg_aqi_us_classes : eg_aqi_cn_classes;
    if (row->aqi.value == EG_AQI_NONE || !row->aqi.level)
        return;
    const struct eg_aqi_class *class_ = &classes[row->aqi.level - 1];
    sqlite3_result_text(context, chinese ? class_->name_zh : class_->name, -1, SQLITE_STATIC);
}

static void put_text(sqlite3_context *context, const char *text)
{
    if (text)
        sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* Of soil and waste. */
static void put_land(sqlite3_context *context, const struct eg_land_state *state, int column)
{
    char note[512];
    switch (column) {
    case EG_INDEX_VALUE:
        if (state->index == EG_LAND_SOIL_NEMEROW || state->index == EG_LAND_SOIL_FACTOR)
            sqlite3_result_double(context, state->value);
        else
            sqlite3_result_int(context, (int)state->value);
        break;
    case EG_INDEX_CATEGORY:
    case EG_INDEX_CATEGORY_ZH:
        put_text(context, eg_land_category(state, column == EG_INDEX_CATEGORY_ZH));
        break;
    case EG_INDEX_PRIMARY:
        if (state->index == EG_LAND_WASTE_PRESSURE)
            put_names(context, state->pressure.primary, eg_waste_names, EG_WASTES);
        else if (state->index != EG_LAND_SALINITY_CLASS)
            put_names(context, state->soil.primary, eg_element_names, EG_ELEMENTS);
        break;
    case EG_INDEX_WORST:
        put_text(context, state->name);
        break;
    case EG_INDEX_MADE_OF:
        put_text(context, eg_land_note(state, note, sizeof note));
        break;
    default:
        break;
    }
}

void eg_index_column(sqlite3_context *context, const struct eg_index_row *row, int column)
{
    const struct eg_aqi *aqi = &row->aqi;
    const bool published = aqi->value != EG_AQI_NONE;
    char time[EG_TIME_TEXT];
    if (row->land != EG_LAND_INDICES && (column == EG_INDEX_VALUE || column > EG_INDEX_RESOLUTION)) {
        put_land(context, &row->state, column);
        return;
    }
    switch (column) {
    case EG_INDEX_TIME:
        sqlite3_result_text(context, eg_time_format(row->start_ms, time), -1, SQLITE_TRANSIENT);
        break;
    case EG_INDEX_TIME_MS:
        sqlite3_result_int64(context, row->start_ms);
        break;
    case EG_INDEX_SITE:
        sqlite3_result_text(context, row->site, -1, SQLITE_TRANSIENT);
        break;
    case EG_INDEX_INDEX:
        sqlite3_result_text(context, row->index, -1, SQLITE_STATIC);
        break;
    case EG_INDEX_RESOLUTION:
        sqlite3_result_text(context, row->resolution, -1, SQLITE_STATIC);
        break;
    case EG_INDEX_VALUE:
        sqlite3_result_int(context, aqi->available);
        break;
    case EG_INDEX_PUBLISHED:
        if (published)
            sqlite3_result_int(context, aqi->value);
        break;
    case EG_INDEX_CATEGORY:
    case EG_INDEX_CATEGORY_ZH:
        put_class(context, row, column == EG_INDEX_CATEGORY_ZH);
        break;
    case EG_INDEX_PRIMARY:
        put_names(context, published ? aqi->primary : 0, eg_pollutant_names, EG_POLLUTANTS);
        break;
    case EG_INDEX_MISSING:
        put_names(context, aqi->missing, eg_pollutant_names, EG_POLLUTANTS);
        break;
    case EG_INDEX_EDITION:
        if (!row->american)
            sqlite3_result_text(context,
                                eg_aqi_cn_edition_at(row->start_ms) == EG_HJ633_2012 ? "2012" : "2026", -1,
                                SQLITE_STATIC);
        break;
    default:
        if (column >= EG_INDEX_SUB && column < EG_INDEX_SUB + EG_POLLUTANTS)
            put_sub(context, aqi, column - EG_INDEX_SUB);
        break;
    }
}
