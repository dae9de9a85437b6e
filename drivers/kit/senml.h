/* SenML records resolved (RFC 8428, section 4), whatever they are written in: base fields, relative times, names to quantities. The
 * notation's driver hands over one record at a time. */
#ifndef EG_SENML_H
#define EG_SENML_H

#include "named.h"

#include "excerpt.h"

#define EG_SENML_NAME_MAX 255 /* bytes of a name */
#define EG_SENML_UNIT_MAX 63

enum eg_senml_key {
    EG_SENML_BN,
    EG_SENML_BT,
    EG_SENML_BU,
    EG_SENML_BV,
    EG_SENML_BS,
    EG_SENML_BVER,
    EG_SENML_N,
    EG_SENML_U,
    EG_SENML_V,
    EG_SENML_VS,
    EG_SENML_VB,
    EG_SENML_VD,
    EG_SENML_S,
    EG_SENML_T,
    EG_SENML_UT,
    EG_SENML_KEYS
};
enum eg_senml_kind { EG_SENML_NUMBER, EG_SENML_TEXT, EG_SENML_BOOLEAN, EG_SENML_DATA, EG_SENML_OTHER };

struct eg_senml_plan {
    struct eg_named named;
    bool device_from_name;
};
struct eg_senml_record {
    bool given[EG_SENML_KEYS];
    double number[EG_SENML_KEYS];
    const char *text[EG_SENML_KEYS]; /* of bn, bu, n and u; borrowed until eg_senml_record() */
};
struct eg_senml {
    const struct eg_senml_plan *plan;
    const struct eg_message *message;
    struct eg_sink *sink;
    char base_name[EG_SENML_NAME_MAX + 1], base_unit[EG_SENML_UNIT_MAX + 1];
    double base_time, base_value;
    size_t base_length;
    bool base_good;               /* of characters that a name may have */
    char unknown[EG_EXCERPT_MAX]; /* the first name that is no quantity */
};

/* The driver's prepare() and release(). */
int eg_senml_prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                     int *ret_field);
void eg_senml_release(void *prepared);
/* Resets the sink. `plain` is the caller's room for the plan of a source without a mapping (prepared NULL). */
void eg_senml_begin(struct eg_senml *senml, const void *prepared, struct eg_senml_plan *plain,
                    const struct eg_message *message, struct eg_sink *sink);
/* The key of a name; EG_SENML_KEYS when there is none. */
enum eg_senml_key eg_senml_key(const char *name, size_t length);
/* A key that is none: it may be passed over, unless it ends in '_'. */
enum eg_verdict eg_senml_pass(struct eg_sink *sink, const char *name, size_t length);
/* One key's value into the record. Refused: a second one, another kind, no finite number. */
enum eg_verdict eg_senml_give(struct eg_senml_record *record, enum eg_senml_key key, enum eg_senml_kind kind,
                              double number, const char *text, struct eg_sink *sink);
enum eg_verdict eg_senml_record(struct eg_senml *senml, const struct eg_senml_record *record);
/* After the last record. */
enum eg_verdict eg_senml_end(struct eg_senml *senml);

#endif
