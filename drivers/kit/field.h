/* A mapped field, compiled: from what the payload holds to a value in the canonical unit. Where in the payload it stands is the
 * driver's business. */
#ifndef EG_FIELD_H
#define EG_FIELD_H

#include <ecogov/driver.h>

/* Two of the payload's numbers make a percentage: how full a bin is, from a distance (STANDARDS: H and the dead zone). */
struct eg_span {
    bool given;
    double empty, full;
};
enum eg_field_kind {
    EG_FIELD_NONE,   /* nothing that was meant as a number */
    EG_FIELD_NUMBER, /* the value; finite or not is for the sink to say */
    EG_FIELD_FAULT,  /* the device says that it could not measure */
    EG_FIELD_WRONG   /* meant as a number, and none */
};

struct eg_field_plan {
    struct eg_span span;
    struct eg_unit_map unit;
    bool own_unit; /* the field says it itself */
    double scale, offset;
    uint16_t quantity;
    char channel[EG_CHANNEL_MAX + 1];
    double *missing;
    size_t missing_count;
    struct eg_word *words; /* texts: owned */
    size_t word_count;
};

/* False with a sentence. */
bool eg_span_init(struct eg_span *ret_span, const struct eg_field *given, int quantity, char *error,
                  size_t error_size);
/* Clamped to 0 and 100; a number far beyond `empty` is a fault: nothing is there, or the sensor looks past it. */
enum eg_field_kind eg_span_apply(const struct eg_span *span, double number, double *ret_value);
/* `unit` is taken when the field says none; may be NULL. False with a sentence. finish() is for both. */
bool eg_field_init(struct eg_field_plan *ret_plan, const struct eg_field *given, const char *unit,
                   char *error, size_t error_size);
void eg_field_finish(struct eg_field_plan *plan);
enum eg_field_kind eg_field_number(const struct eg_field_plan *plan, double number, double *ret_value);
/* A word of the plan; a number, with a unit behind it or none ("3.384 V"); "nan". */
enum eg_field_kind eg_field_text(const struct eg_field_plan *plan, const char *text, size_t length,
                                 double *ret_value);
/* Length of the longest decimal number at the beginning, blanks before it included; 0: there is none. */
size_t eg_field_leading(const char *text, size_t length, double *ret_number);

#endif
