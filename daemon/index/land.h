/* The indices of a place's soil and waste over time: waste pressure, the class, the Nemerow index and the greatest single factor of
 * GB 15618, the salinity class. An index of an hour is made of what each device (a bin, a plot) tells in it: the highest value of the
 * hour, the last one of a fill level and of soil. In hours without a reading the last one goes on to speak: of waste and of conductivity
 * for a day, of what a laboratory measures (elements, pH) for a year.
 *
 * The place's waste is the worst of its bins, measure by measure; its soil is that of its worst plot. Of a day: waste as it was in its
 * worst hour, soil as it stood when the day was over. This is the only place that says so; rules, histories, tables and tests of rules
 * make theirs with it. Doubles come and go as they were read: the same whatever the order. */
#ifndef EG_INDEX_LAND_H
#define EG_INDEX_LAND_H

#include "soil.h"
#include "waste.h"

#include <stddef.h>

enum eg_land_index {
    EG_LAND_WASTE_PRESSURE,
    EG_LAND_SOIL_CLASS,
    EG_LAND_SOIL_NEMEROW,
    EG_LAND_SOIL_FACTOR,
    EG_LAND_SALINITY_CLASS,
    EG_LAND_INDICES
};
extern const char *const eg_land_index_names[EG_LAND_INDICES]; /* the dictionary's quantities */
enum eg_land_index eg_land_index_find(const char *quantity);   /* EG_LAND_INDICES: it is none */

/* What devices tell of it: a measure of waste (enum eg_waste), an element, the pH, the conductivity. */
enum { EG_PART_ELEMENT = EG_WASTES, EG_PART_PH = EG_PART_ELEMENT + EG_ELEMENTS, EG_PART_EC, EG_PARTS };
int eg_part_find(const char *domain, const char *quantity); /* EG_PARTS: it is part of none */
const char *eg_part_name(int part);                         /* "fill", "cd", "ph", "ec" */
bool eg_part_is_of(int part, enum eg_land_index index);
bool eg_part_highest(int part);  /* an hour's value is the highest, not the last */
int64_t eg_part_hours(int part); /* so long a reading speaks */
/* Of several values of a part at a device, of its channels, the worst one; of two pH the more acid. NAN: there was none yet. */
void eg_part_worst(int part, double value, double *worst);
int64_t eg_land_hours(enum eg_land_index index); /* the longest of its parts' */
enum eg_land eg_land_of(const char *name);       /* EG_OTHER where nobody said */

/* A series' values by the hour, told from its hours with readings, ascending. Hours are counted from the epoch. */
struct eg_part_fill {
    int part;
    int64_t first, end; /* [first, end) are filled */
    int64_t until;      /* from here on its device is out of service; INT64_MAX after eg_part_fill_begin() */
    double *values;     /* [hour - first]; NAN: it says nothing */
    int64_t
        newest; /* the last one that came, and what it left behind; before the first: `first` - eg_part_hours() - 1 */
    double last;
};
void eg_part_fill_begin(struct eg_part_fill *fill, int part, int64_t first, int64_t end, double *values);
/* An hour with readings; those behind `end` add nothing, those before `first` go on to speak. */
void eg_part_fill_hour(struct eg_part_fill *fill, int64_t hour, double highest, double last);
void eg_part_fill_end(struct eg_part_fill *fill);

/* A series as it is told. Columns of a device lie together. */
struct eg_column {
    uint32_t device; /* whatever the caller counts by */
    int part;
    enum eg_land land;
    const char *name;     /* of the device: of two that tell the same the first in the alphabet is named */
    const double *values; /* [hour] */
};

/* What an index of a place is, and came of. */
struct eg_land_state {
    enum eg_land_index index;
    bool known;
    double value; /* what is a series, and what rules judge */
    int level;    /* its class, from 1; 0: none */
    const char *name;
    uint32_t device; /* the plot that is the worst; of waste: the bin whose measure makes the index */
    /* waste */
    double worst[EG_WASTES]; /* NAN: nobody measures it */
    struct eg_column of[EG_WASTES];
    struct eg_waste_pressure pressure;
    /* soil */
    enum eg_land land;
    double ph, mg_kg[EG_ELEMENTS];
    struct eg_soil soil;
    double ec; /* dS/m */
};
void eg_land_state_init(struct eg_land_state *state, enum eg_land_index index);
/* One device's values, NAN where it has none. */
void eg_land_state_add(struct eg_land_state *state, const struct eg_column *device,
                       const double values[EG_PARTS]);
void eg_land_state_join(struct eg_land_state *state,
                        const struct eg_land_state *other); /* of a place below */
void eg_land_state_tell(struct eg_land_state *state);       /* when all are in */

/* `hour` is a place in the columns' values. */
bool eg_land_tell_hour(enum eg_land_index index, const struct eg_column *columns, size_t count, size_t hour,
                       struct eg_land_state *ret);
/* Of the hours [from, end) of a day. */
bool eg_land_tell_day(enum eg_land_index index, const struct eg_column *columns, size_t count, size_t from,
                      size_t end, struct eg_land_state *ret);
/* English, or Chinese; NULL: it has none. */
const char *eg_land_category(const struct eg_land_state *state, bool chinese);
/* "fill 96 of b1, h2s 0.12 of b2", "plot-1: cd 3.2 mg/kg (10.67 × screening), pH 5.4, paddy", "s1: ec 5.1 dS/m": what made it so. */
const char *eg_land_note(const struct eg_land_state *state, char *out, size_t size);

#endif
