/* Knows how the readings of plots and bins become indices of a place, hour by hour. Refuses to know where hours come from. Called by the
 * pipeline (rules), the api (histories, the summary, tests of rules) and the extension of SQLite. */
#include "land.h"

#include "aqi_cn.h"
#include "nano.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DAY_HOURS 24
#define YEAR_HOURS (366 * 24)

const char *const eg_land_index_names[EG_LAND_INDICES] = {"waste_pressure", "soil_class", "soil_nemerow",
                                                          "soil_factor", "salinity_class"};

enum eg_land_index eg_land_index_find(const char *quantity)
{
    int index = 0;
    while (index < EG_LAND_INDICES && strcmp(eg_land_index_names[index], quantity) != 0)
        index++;
    return (enum eg_land_index)index;
}

/* --- parts --- */

int eg_part_find(const char *domain, const char *quantity)
{
    static const char *const measures[EG_WASTES] = {
        [EG_WASTE_FILL] = "fill_level", [EG_WASTE_H2S] = "h2s", [EG_WASTE_NH3] = "nh3",
        [EG_WASTE_ODOUR] = "odour",     [EG_WASTE_CH4] = "ch4", [EG_WASTE_TEMPERATURE] = "bin_temp"};
    for (int i = 0; i < EG_WASTES && !strcmp(domain, "waste"); i++)
        if (measures[i] && !strcmp(measures[i], quantity))
            return i;
    if (strcmp(domain, "soil") != 0)
        return EG_PARTS;
    for (int i = 0; i < EG_ELEMENTS; i++)
        if (!strcmp(eg_element_names[i], quantity))
            return EG_PART_ELEMENT + i;
    return !strcmp(quantity, "soil_ph") ? EG_PART_PH : !strcmp(quantity, "soil_ec") ? EG_PART_EC : EG_PARTS;
}

const char *eg_part_name(int part)
{
    return part < EG_PART_ELEMENT ? eg_waste_names[part]
           : part < EG_PART_PH    ? eg_element_names[part - EG_PART_ELEMENT]
           : part == EG_PART_PH   ? "ph"
                                  : "ec";
}

bool eg_part_is_of(int part, enum eg_land_index index)
{
    if (part < EG_PART_ELEMENT)
        return index == EG_LAND_WASTE_PRESSURE;
    if (part == EG_PART_EC)
        return index == EG_LAND_SALINITY_CLASS;
    return part < EG_PARTS && index > EG_LAND_WASTE_PRESSURE && index < EG_LAND_SALINITY_CLASS;
}

bool eg_part_highest(int part)
{
    return part < EG_PART_ELEMENT && part != EG_WASTE_FILL;
}

void eg_part_worst(int part, double value, double *worst)
{
    *worst = part == EG_PART_PH ? fmin(*worst, value) : fmax(*worst, value); /* NAN is no number to them */
}

int64_t eg_part_hours(int part)
{
    return part < EG_PART_ELEMENT || part == EG_PART_EC ? DAY_HOURS : YEAR_HOURS;
}

int64_t eg_land_hours(enum eg_land_index index)
{
    return index == EG_LAND_WASTE_PRESSURE || index == EG_LAND_SALINITY_CLASS ? DAY_HOURS : YEAR_HOURS;
}

enum eg_land eg_land_of(const char *name)
{
    for (int land = 0; land < EG_LANDS; land++)
        if (name && strcmp(eg_land_names[land], name) == 0)
            return (enum eg_land)land;
    return EG_OTHER;
}

/* --- a series hour by hour --- */

void eg_part_fill_begin(struct eg_part_fill *fill, int part, int64_t first, int64_t end, double *values)
{
    *fill = (struct eg_part_fill){part, first, end, INT64_MAX, values, first - eg_part_hours(part) - 1, NAN};
    for (int64_t i = 0; i < end - first; i++)
        values[i] = NAN;
}

/* What was left behind speaks up to before `behind`, for as long as it does. */
static void carry(struct eg_part_fill *fill, int64_t behind)
{
    int64_t from = fill->newest + 1 > fill->first ? fill->newest + 1 : fill->first;
    int64_t to = fill->newest + eg_part_hours(fill->part) + 1;
    to = to < behind ? to : behind;
    to = to < fill->end ? to : fill->end;
    to = to < fill->until ? to : fill->until;
    for (int64_t hour = from; hour < to; hour++)
        fill->values[hour - fill->first] = fill->last;
}

void eg_part_fill_hour(struct eg_part_fill *fill, int64_t hour, double highest, double last)
{
    carry(fill, hour);
    fill->newest = hour;
    fill->last = last;
    if (hour >= fill->first && hour < fill->end && hour < fill->until)
        fill->values[hour - fill->first] = eg_part_highest(fill->part) ? highest : last;
}

void eg_part_fill_end(struct eg_part_fill *fill)
{
    carry(fill, fill->end);
}

/* --- a place --- */

void eg_land_state_init(struct eg_land_state *state, enum eg_land_index index)
{
    *state = (struct eg_land_state){.index = index, .ph = NAN, .ec = NAN, .value = NAN};
    for (int i = 0; i < EG_WASTES; i++)
        state->worst[i] = NAN;
    for (int i = 0; i < EG_ELEMENTS; i++)
        state->mg_kg[i] = NAN;
}

/* By value, then by name: nothing hangs on the order in which they come. */
static bool worse(double value, const char *name, double than, const char *than_name)
{
    if (isnan(value) || isnan(than))
        return !isnan(value);
    return value > than || (!(value < than) && strcmp(name, than_name) < 0);
}

static double greatest(const struct eg_soil *soil)
{
    double most = NAN;
    for (int element = 0; element < EG_ELEMENTS; element++)
        most = fmax(most, soil->factor[element]); /* NAN is no number to it */
    return most;
}

static double value_of(enum eg_land_index index, const struct eg_soil *soil)
{
    return index == EG_LAND_SOIL_CLASS     ? soil->class_
           : index == EG_LAND_SOIL_NEMEROW ? soil->nemerow
                                           : greatest(soil);
}

/* Of two plots of one class the one with the greater Nemerow index. */
static bool worse_soil(enum eg_land_index index, const struct eg_soil *soil, const char *name,
                       const struct eg_land_state *than)
{
    double value = value_of(index, soil);
    if (!than->soil.class_ || value > than->value || value < than->value)
        return !than->soil.class_ || value > than->value;
    return worse(soil->nemerow, name, than->soil.nemerow, than->name);
}

static void add_soil(struct eg_land_state *state, const struct eg_column *device,
                     const double values[EG_PARTS])
{
    struct eg_soil soil;
    if (isnan(values[EG_PART_PH])) /* without its pH no limit is known */
        return;
    eg_soil_judge(device->land, values[EG_PART_PH], values + EG_PART_ELEMENT, &soil);
    if (!soil.class_ || !worse_soil(state->index, &soil, device->name, state))
        return;
    state->known = true;
    state->value = value_of(state->index, &soil);
    state->soil = soil;
    state->land = device->land;
    state->ph = values[EG_PART_PH];
    memcpy(state->mg_kg, values + EG_PART_ELEMENT, sizeof state->mg_kg);
    state->name = device->name;
    state->device = device->device;
}

void eg_land_state_add(struct eg_land_state *state, const struct eg_column *device,
                       const double values[EG_PARTS])
{
    if (state->index == EG_LAND_WASTE_PRESSURE) {
        for (int i = 0; i < EG_WASTES; i++)
            if (worse(values[i], device->name, state->worst[i], state->of[i].name)) {
                state->worst[i] = values[i];
                state->of[i] = *device;
            }
    } else if (state->index != EG_LAND_SALINITY_CLASS) {
        add_soil(state, device, values);
    } else if (worse(values[EG_PART_EC], device->name, state->ec, state->name)) {
        state->ec = values[EG_PART_EC];
        state->name = device->name;
        state->device = device->device;
    }
}

void eg_land_state_join(struct eg_land_state *state, const struct eg_land_state *other)
{
    if (state->index == EG_LAND_WASTE_PRESSURE) {
        for (int i = 0; i < EG_WASTES; i++)
            if (worse(other->worst[i], other->of[i].name, state->worst[i], state->of[i].name)) {
                state->worst[i] = other->worst[i];
                state->of[i] = other->of[i];
            }
    } else if (state->index == EG_LAND_SALINITY_CLASS
                   ? worse(other->ec, other->name, state->ec, state->name)
                   : other->soil.class_ && worse_soil(state->index, &other->soil, other->name, state)) {
        *state = *other;
    }
}

static void tell_waste(struct eg_land_state *state)
{
    int64_t nano[EG_WASTES];
    for (int i = 0; i < EG_WASTES; i++)
        nano[i] = isnan(state->worst[i]) ? EG_NANO_NONE : eg_nano_of(state->worst[i]);
    eg_waste_pressure(nano, &state->pressure);
    state->known = state->pressure.value != EG_AQI_NONE;
    state->value = state->known ? state->pressure.value : (double)NAN;
    state->level = state->pressure.level;
    for (int i = EG_WASTES; i-- > 0;)
        if (state->known && state->pressure.sub[i] == state->pressure.value) {
            state->name = state->of[i].name;
            state->device = state->of[i].device;
        }
}

void eg_land_state_tell(struct eg_land_state *state)
{
    switch (state->index) {
    case EG_LAND_WASTE_PRESSURE:
        tell_waste(state);
        return;
    case EG_LAND_SALINITY_CLASS:
        state->known = !isnan(state->ec);
        state->level = state->known ? eg_salinity_class(state->ec) : 0;
        state->value = state->known ? state->level : (double)NAN;
        return;
    case EG_LAND_SOIL_NEMEROW:
        state->level = state->soil.grade;
        return;
    default:
        state->level = state->soil.class_;
        return;
    }
}

/* --- of hours and days --- */

bool eg_land_tell_hour(enum eg_land_index index, const struct eg_column *columns, size_t count, size_t hour,
                       struct eg_land_state *ret)
{
    double values[EG_PARTS];
    eg_land_state_init(ret, index);
    for (size_t i = 0, behind; i < count; i = behind) {
        for (int part = 0; part < EG_PARTS; part++)
            values[part] = NAN;
        for (behind = i; behind < count && columns[behind].device == columns[i].device; behind++) {
            int part = columns[behind].part;
            eg_part_worst(part, columns[behind].values[hour], &values[part]);
        }
        eg_land_state_add(ret, &columns[i], values);
    }
    eg_land_state_tell(ret);
    return ret->known;
}

bool eg_land_tell_day(enum eg_land_index index, const struct eg_column *columns, size_t count, size_t from,
                      size_t end, struct eg_land_state *ret)
{
    struct eg_land_state hour;
    if (index != EG_LAND_WASTE_PRESSURE)
        return eg_land_tell_hour(index, columns, count, end - 1, ret);
    eg_land_state_init(ret, index);
    for (size_t at = from; at < end; at++)
        if (eg_land_tell_hour(index, columns, count, at, &hour) && (!ret->known || hour.value > ret->value))
            *ret = hour;
    return ret->known;
}

/* --- in words --- */

const char *eg_land_category(const struct eg_land_state *state, bool chinese)
{
    if (!state->level)
        return NULL;
    switch (state->index) {
    case EG_LAND_WASTE_PRESSURE:
        return chinese ? eg_aqi_cn_classes[state->level - 1].name_zh
                       : eg_aqi_cn_classes[state->level - 1].name;
    case EG_LAND_SALINITY_CLASS:
        return eg_salinity_classes[state->level - 1][chinese];
    case EG_LAND_SOIL_NEMEROW:
        return eg_soil_grades[state->level - 1][chinese];
    default:
        return eg_soil_classes[state->level - 1][chinese];
    }
}

struct text {
    char *out;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int n = vsnprintf(text->out + text->used, text->size - text->used, format, values);
    va_end(values);
    text->used += n < 0 ? 0 : (size_t)n < text->size - text->used ? (size_t)n : text->size - text->used - 1;
}

static void put_measures(struct text *text, const struct eg_land_state *state)
{
    for (int i = 0; i < EG_WASTES; i++)
        if (state->pressure.sub[i] != EG_AQI_NONE && state->pressure.sub[i] == state->pressure.value)
            put(text, "%s%s %.6g of %s", text->used ? ", " : "", eg_waste_names[i], state->worst[i],
                state->of[i].name);
}

static void put_elements(struct text *text, const struct eg_land_state *state)
{
    unsigned tells =
        state->index == EG_LAND_SOIL_CLASS && state->soil.above_intervention ? state->soil.above_intervention
        : state->index == EG_LAND_SOIL_CLASS && state->soil.above_screening  ? state->soil.above_screening
                                                                             : state->soil.primary;
    put(text, "%s: ", state->name);
    for (int element = 0, said = 0; element < EG_ELEMENTS; element++)
        if (tells & 1u << element)
            put(text, "%s%s %.6g mg/kg (%.2f × screening)", said++ ? ", " : "", eg_element_names[element],
                state->mg_kg[element], state->soil.factor[element]);
    put(text, ", pH %.6g, %s", state->ph, eg_land_names[state->land]);
}

const char *eg_land_note(const struct eg_land_state *state, char *out, size_t size)
{
    struct text text = {out, size, 0};
    *out = '\0';
    if (!state->known)
        return out;
    if (state->index == EG_LAND_WASTE_PRESSURE)
        put_measures(&text, state);
    else if (state->index == EG_LAND_SALINITY_CLASS)
        put(&text, "%s: ec %.6g dS/m", state->name, state->ec);
    else
        put_elements(&text, state);
    return out;
}
