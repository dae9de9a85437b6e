/* Soil of farmland after GB 15618-2018 (in force since 2018-08-01): totals of eight elements in mg/kg against risk screening values
 * (table 1) and risk intervention values (table 3), by pH and use of the land. These are values of a laboratory; what a portable
 * instrument reads is a screening that a laboratory has to confirm, and "NPK" probes do not measure them at all.
 *
 *   single factor  P = C / screening value
 *   Nemerow        sqrt((mean(P)² + max(P)²) / 2), grades of HJ/T 166-2004, 12.3: up to 0.7 clean, 1 still clean, 2 light, 3 moderate
 *   class          1 优先保护类: none above screening; 2 安全利用类: above, but none above intervention; 3 严格管控类: above that
 */
#ifndef EG_INDEX_SOIL_H
#define EG_INDEX_SOIL_H

#include <stdbool.h>
#include <stdint.h>

enum eg_element { EG_AS, EG_CD, EG_CR, EG_CU, EG_HG, EG_NI, EG_PB, EG_ZN, EG_ELEMENTS };
extern const char *const eg_element_names[EG_ELEMENTS];

/* Rotation of rice and dryland takes the stricter of both. Orchards count as other land but for copper. */
enum eg_land { EG_PADDY, EG_OTHER, EG_ORCHARD, EG_ROTATION, EG_LANDS };
extern const char *const eg_land_names[EG_LANDS];

struct eg_soil {
    double screening[EG_ELEMENTS], intervention[EG_ELEMENTS]; /* mg/kg; NAN: the standard has none */
    double factor[EG_ELEMENTS];                               /* NAN: not measured */
    double nemerow;
    int class_;                                  /* 1 to 3; 0: nothing was measured */
    int grade;                                   /* 1 to 5, of the Nemerow index; 0: nothing was measured */
    uint8_t above_screening, above_intervention; /* elements, bit 1u << eg_element */
    uint8_t primary;                             /* those with the greatest factor */
};

/* `mg_kg`: NAN where not measured. Limits are met at their value. ph 0 to 14. */
void eg_soil_judge(enum eg_land land, double ph, const double mg_kg[EG_ELEMENTS], struct eg_soil *ret_soil);
extern const char *const eg_soil_classes[3][2]; /* English, 中文 */
extern const char *const eg_soil_grades[5][2];

/* Salinity of a saturation extract, ECe in dS/m: 1 non-saline (< 2), 2 slight (< 4), 3 moderate (< 8), 4 strong (< 16), 5 very
 * strong. (FAO; springer and sis.agr.gc.ca agree.) What a probe reads in the field is bulk EC and needs the site's calibration. */
int eg_salinity_class(double ece_ds_m);
extern const char *const eg_salinity_classes[5][2];

#endif
