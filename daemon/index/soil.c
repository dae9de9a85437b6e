/* Knows GB 15618's tables. Refuses to know who measured. Called by `ecogovctl index`. */
#include "soil.h"

#include "nano.h"

#include <math.h>
#include <stddef.h>

const char *const eg_element_names[EG_ELEMENTS] = {"as", "cd", "cr", "cu", "hg", "ni", "pb", "zn"};
const char *const eg_land_names[EG_LANDS] = {"paddy", "other", "orchard", "rotation"};
const char *const eg_soil_classes[3][2] = {
    {"priority protection", "优先保护类"}, {"safe use", "安全利用类"}, {"strict control", "严格管控类"}};
const char *const eg_soil_grades[5][2] = {{"clean", "清洁"},
                                          {"still clean", "尚清洁"},
                                          {"light pollution", "轻度污染"},
                                          {"moderate pollution", "中度污染"},
                                          {"heavy pollution", "重污染"}};
const char *const eg_salinity_classes[5][2] = {{"non-saline", "非盐渍化"},
                                               {"slightly saline", "轻度盐渍化"},
                                               {"moderately saline", "中度盐渍化"},
                                               {"strongly saline", "重度盐渍化"},
                                               {"very strongly saline", "极重度盐渍化"}};

#define PH_BANDS 4
/* mg/kg by pH: up to 5.5, up to 6.5, up to 7.5, above. GB 15618-2018, tables 1 and 3. */
static const struct limits {
    double paddy[PH_BANDS], other[PH_BANDS], intervention[PH_BANDS];
} limits[EG_ELEMENTS] = {
    [EG_CD] = {{0.3, 0.4, 0.6, 0.8}, {0.3, 0.3, 0.3, 0.6}, {1.5, 2.0, 3.0, 4.0}},
    [EG_HG] = {{0.5, 0.5, 0.6, 1.0}, {1.3, 1.8, 2.4, 3.4}, {2.0, 2.5, 4.0, 6.0}},
    [EG_AS] = {{30, 30, 25, 20}, {40, 40, 30, 25}, {200, 150, 120, 100}},
    [EG_PB] = {{80, 100, 140, 240}, {70, 90, 120, 170}, {400, 500, 700, 1000}},
    [EG_CR] = {{250, 250, 300, 350}, {150, 150, 200, 250}, {800, 850, 1000, 1300}},
    [EG_CU] = {{50, 50, 100, 100}, {50, 50, 100, 100}, {NAN, NAN, NAN, NAN}},
    [EG_NI] = {{60, 70, 100, 190}, {60, 70, 100, 190}, {NAN, NAN, NAN, NAN}},
    [EG_ZN] = {{200, 200, 250, 300}, {200, 200, 250, 300}, {NAN, NAN, NAN, NAN}},
};
static const double orchard_copper[PH_BANDS] = {150, 150, 200, 200};

static int band_of(double ph)
{
    return ph <= 5.5 ? 0 : ph <= 6.5 ? 1 : ph <= 7.5 ? 2 : 3;
}

static double screening_of(enum eg_element element, enum eg_land land, int band)
{
    const struct limits *of = &limits[element];
    switch (land) {
    case EG_PADDY:
        return of->paddy[band];
    case EG_ROTATION:
        return fmin(of->paddy[band], of->other[band]);
    case EG_ORCHARD:
        return element == EG_CU ? orchard_copper[band] : of->other[band];
    default:
        return of->other[band];
    }
}

/* To the twelfth decimal, as it is printed: 0.35 / 0.4 is 0.875, whoever tells or judges it. */
static double to_decimal(double value)
{
    return rint(value * 1e12) / 1e12;
}

/* Above a limit as decimals are: 0.1 + 0.2 is not above 0.3. */
static bool above(double value, double limit)
{
    return !isnan(limit) && eg_nano_of(value) > eg_nano_of(limit);
}

static int grade_of(double nemerow)
{
    static const double upto[4] = {0.7, 1, 2, 3};
    int grade = 1;
    while (grade < 5 && above(nemerow, upto[grade - 1]))
        grade++;
    return grade;
}

void eg_soil_judge(enum eg_land land, double ph, const double mg_kg[EG_ELEMENTS], struct eg_soil *ret_soil)
{
    struct eg_soil soil = {.nemerow = NAN};
    double sum = 0, most = -INFINITY;
    int count = 0, band = band_of(ph);
    for (int element = 0; element < EG_ELEMENTS; element++) {
        soil.screening[element] = screening_of((enum eg_element)element, land, band);
        soil.intervention[element] = limits[element].intervention[band];
        const double factor = mg_kg[element] / soil.screening[element];
        soil.factor[element] = to_decimal(factor);
        if (isnan(mg_kg[element]))
            continue;
        if (above(mg_kg[element], soil.screening[element]))
            soil.above_screening |= (uint8_t)(1u << element);
        if (above(mg_kg[element], soil.intervention[element]))
            soil.above_intervention |= (uint8_t)(1u << element);
        sum += factor;
        most = fmax(most, factor);
        count++;
    }
    if (count) {
        double mean = sum / count;
        soil.nemerow = to_decimal(sqrt((mean * mean + most * most) / 2));
        soil.grade = grade_of(soil.nemerow);
        soil.class_ = soil.above_intervention ? 3 : soil.above_screening ? 2 : 1;
    }
    for (int element = 0; element < EG_ELEMENTS; element++)
        if (soil.factor[element] == to_decimal(most))
            soil.primary |= (uint8_t)(1u << element);
    *ret_soil = soil;
}

int eg_salinity_class(double ece_ds_m)
{
    static const double below[4] = {2, 4, 8, 16};
    int class_ = 1;
    while (class_ < 5 && ece_ds_m >= below[class_ - 1])
        class_++;
    return class_;
}
