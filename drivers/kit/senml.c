/* Knows what a SenML record means (RFC 8428, section 4): base fields, times, versions, which quantity a name is. Refuses to know JSON and
 * CBOR. Called by the drivers senml and senml-cbor. */
#include "senml.h"

#include "twice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MAX 10
#define RELATIVE_BELOW 268435456.0    /* 2^28 s: section 4.5.3 */
#define TIME_MAX_MS 253402300799999.0 /* the end of year 9999 */
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

static const struct {
    const char *name;
    enum eg_senml_kind kind;
} keys[EG_SENML_KEYS] = {
    [EG_SENML_BN] = {"bn", EG_SENML_TEXT},    [EG_SENML_BT] = {"bt", EG_SENML_NUMBER},
    [EG_SENML_BU] = {"bu", EG_SENML_TEXT},    [EG_SENML_BV] = {"bv", EG_SENML_NUMBER},
    [EG_SENML_BS] = {"bs", EG_SENML_NUMBER},  [EG_SENML_BVER] = {"bver", EG_SENML_NUMBER},
    [EG_SENML_N] = {"n", EG_SENML_TEXT},      [EG_SENML_U] = {"u", EG_SENML_TEXT},
    [EG_SENML_V] = {"v", EG_SENML_NUMBER},    [EG_SENML_VS] = {"vs", EG_SENML_TEXT},
    [EG_SENML_VB] = {"vb", EG_SENML_BOOLEAN}, [EG_SENML_VD] = {"vd", EG_SENML_DATA},
    [EG_SENML_S] = {"s", EG_SENML_NUMBER},    [EG_SENML_T] = {"t", EG_SENML_NUMBER},
    [EG_SENML_UT] = {"ut", EG_SENML_NUMBER},
};
static const char *const kinds[] = {"number", "text", "boolean", "piece of data", "something"};

/* --- the mapping --- */

void eg_senml_release(void *prepared)
{
    struct eg_senml_plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_named_finish(&plan->named);
    free(plan);
}

int eg_senml_prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                     int *ret_field)
{
    *ret_field = -1;
    const char *device = mapping == NULL || mapping->device == NULL ? "" : mapping->device;
    if (device[0] != '\0' && strcmp(device, "bn") != 0) {
        (void)snprintf(error, error_size,
                       "SenML names its device in \"bn\" only: leave the device out, or say bn");
        return -1;
    }
    struct eg_senml_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    plan->device_from_name = device[0] != '\0';
    if (!eg_named_init(&plan->named, mapping, error, error_size, ret_field)) {
        eg_senml_release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

void eg_senml_begin(struct eg_senml *senml, const void *prepared, struct eg_senml_plan *plain,
                    const struct eg_message *message, struct eg_sink *sink)
{
    if (prepared == NULL) {
        *plain = (struct eg_senml_plan){.device_from_name = false};
        eg_quantity_index_init(&plain->named.names);
    }
    senml->plan = prepared == NULL ? plain : prepared;
    senml->message = message;
    senml->sink = sink;
    senml->base_name[0] = senml->base_unit[0] = senml->unknown[0] = '\0';
    senml->base_time = senml->base_value = 0;
    senml->base_length = 0;
    senml->base_good = true;
    eg_sink_reset(sink);
}

/* --- one record --- */

enum eg_senml_key eg_senml_key(const char *name, size_t length)
{
    for (int key = 0; length <= 4 && key < EG_SENML_KEYS; key++)
        if (keys[key].name[0] == name[0] && strlen(keys[key].name) == length &&
            memcmp(keys[key].name, name, length) == 0)
            return (enum eg_senml_key)key;
    return EG_SENML_KEYS;
}

enum eg_verdict eg_senml_pass(struct eg_sink *sink, const char *name, size_t length)
{
    char shown[EG_EXCERPT_MAX];
    if (length == 0 || name[length - 1] != '_')
        return EG_DECODED;
    return REFUSE(sink, EG_MALFORMED, "\"%s\" must be understood, and is not (RFC 8428, section 4.4)",
                  eg_excerpt_write(name, length, shown));
}

enum eg_verdict eg_senml_give(struct eg_senml_record *record, enum eg_senml_key key, enum eg_senml_kind kind,
                              double number, const char *text, struct eg_sink *sink)
{
    if (record->given[key])
        return REFUSE(sink, EG_MALFORMED, "the key \"%s\" is given twice in one record", keys[key].name);
    if (kind != keys[key].kind)
        return REFUSE(sink, EG_MALFORMED, "\"%s\" must be a %s", keys[key].name, kinds[keys[key].kind]);
    if (kind == EG_SENML_NUMBER && !isfinite(number))
        return REFUSE(sink, EG_IMPLAUSIBLE, "\"%s\" is too large a number, or none", keys[key].name);
    record->given[key] = true;
    record->number[key] = number;
    record->text[key] = text;
    return EG_DECODED;
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* Characters of a name, up to the first that is none; '.' '/' digits ':' stand in a row. */
static size_t name_length(const char *name)
{
    const char *at = name;
    while (is_letter_or_digit(*at) || *at == '-' || (*at >= '.' && *at <= ':') || *at == '_')
        at++;
    return (size_t)(at - name);
}

/* What does not fit is cut: no unit is that long. */
static void keep(char *to, size_t size, const char *text)
{
    const size_t length = strnlen(text, size - 1);
    memcpy(to, text, length);
    to[length] = '\0';
}

static enum eg_verdict take_base(struct eg_senml *senml, const struct eg_senml_record *record)
{
    const bool *given = record->given;
    const double *number = record->number;
    char shown[EG_EXCERPT_MAX];
    if (given[EG_SENML_BVER] && !(number[EG_SENML_BVER] >= 1 && number[EG_SENML_BVER] <= VERSION_MAX))
        return REFUSE(senml->sink, EG_MALFORMED, "SenML of version %.6g; 1 to %d are known",
                      number[EG_SENML_BVER], VERSION_MAX);
    if (given[EG_SENML_BN] && strlen(record->text[EG_SENML_BN]) > EG_SENML_NAME_MAX)
        return REFUSE(senml->sink, EG_MALFORMED, "the base name \"%s\" has more than %d bytes",
                      eg_excerpt_write(record->text[EG_SENML_BN], EG_SENML_NAME_MAX, shown),
                      EG_SENML_NAME_MAX);
    if (given[EG_SENML_BN]) { /* looked at once, not with each record */
        keep(senml->base_name, sizeof senml->base_name, record->text[EG_SENML_BN]);
        senml->base_length = strlen(senml->base_name);
        senml->base_good = name_length(senml->base_name) == senml->base_length;
    }
    if (given[EG_SENML_BU])
        keep(senml->base_unit, sizeof senml->base_unit, record->text[EG_SENML_BU]);
    if (given[EG_SENML_BT])
        senml->base_time = number[EG_SENML_BT];
    if (given[EG_SENML_BV])
        senml->base_value = number[EG_SENML_BV];
    return EG_DECODED;
}

static enum eg_verdict read_time(const struct eg_senml *senml, double own, int64_t *ret_ms)
{
    const double seconds = senml->base_time + own;
    if (seconds == 0)
        return EG_DECODED;
    const double ms =
        round(seconds * 1000) + (seconds < RELATIVE_BELOW ? (double)senml->message->arrived_ms : 0);
    if (!(ms >= 0 && ms <= TIME_MAX_MS))
        return REFUSE(senml->sink, EG_IMPLAUSIBLE, "%.17g s is no time between 1970 and 9999", seconds);
    *ret_ms = (int64_t)ms;
    return EG_DECODED;
}

/* What follows the last ':' or '/' of a name. */
static const char *last_part(const char *name, size_t length)
{
    while (length > 0 && name[length - 1] != ':' && name[length - 1] != '/')
        length--;
    return name + length;
}

struct owner {
    const char *unit;
    int quantity;
};

/* The quantity that alone has a unit. */
static int quantity_of_unit(const char *unit)
{
    static const struct owner owners[] = {
        {"Cel", EG_Q_temperature}, {"%RH", EG_Q_humidity}, {"%EL", EG_Q_battery}, {"lx", EG_Q_light}};
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
        if (strcmp(owners[i].unit, unit) == 0)
            return owners[i].quantity;
    return EG_QUANTITY_NONE;
}

static bool speak_for(const struct eg_senml *senml, const char *name, const char *part)
{
    const char *from = senml->base_name[0] != '\0' ? senml->base_name : name;
    size_t length = from == name ? (size_t)(part - name) : strlen(from);
    while (length > 0 && strchr(":/.-_", from[length - 1]) != NULL)
        length--;
    return !senml->plan->device_from_name || eg_sink_device(senml->sink, from, length);
}

/* By the dictionary, else a bare device's value by its unit: then the whole name is the device's. */
static int guess(const struct eg_quantity_index *names, const char *own, const char *unit, const char **part)
{
    int quantity = eg_quantity_index_find(names, own, strlen(own));
    if (quantity == EG_QUANTITY_NONE)
        quantity = eg_quantity_index_find(names, *part, strlen(*part));
    if (quantity != EG_QUANTITY_NONE || (own[0] != '\0' && strncmp(own, "urn:", 4) != 0))
        return quantity;
    *part += strlen(*part);
    return quantity_of_unit(unit);
}

static enum eg_verdict put(struct eg_senml *senml, const char *name, const char *own, const char *unit,
                           int64_t time_ms, double value)
{
    const struct eg_named *named = &senml->plan->named;
    const char *part = last_part(name, strlen(name));
    struct eg_named_field guessed = {.scale = 1, .channel = ""};
    const struct eg_named_field *field = eg_named_find(named, name, strlen(name));
    if (field == NULL && own[0] != '\0')
        field = eg_named_find(named, own, strlen(own));
    if (field == NULL) {
        const int quantity = guess(&named->names, own, unit, &part);
        if (quantity == EG_QUANTITY_NONE) {
            if (senml->unknown[0] == '\0')
                (void)eg_excerpt_write(name, strlen(name), senml->unknown);
            return EG_DECODED;
        }
        guessed.quantity = (uint16_t)quantity;
        field = &guessed;
    }
    const bool good = speak_for(senml, name, part) && eg_named_put(field, value, unit, time_ms, senml->sink);
    return good ? EG_DECODED : EG_IMPLAUSIBLE;
}

static bool join(const struct eg_senml *senml, const char *own, char name[EG_SENML_NAME_MAX + 1])
{
    const size_t base = senml->base_length, length = strlen(own);
    if (base + length > EG_SENML_NAME_MAX) {
        keep(name, EG_SENML_NAME_MAX + 1, length > 0 ? own : senml->base_name);
        return false;
    }
    memcpy(name, senml->base_name, base);
    memcpy(name + base, own, length + 1);
    return is_letter_or_digit(*name) && senml->base_good && name_length(own) == length;
}

enum eg_verdict eg_senml_record(struct eg_senml *senml, const struct eg_senml_record *record)
{
    char name[EG_SENML_NAME_MAX + 1], shown[EG_EXCERPT_MAX];
    const bool *given = record->given;
    int64_t time_ms = EG_TIME_NONE;
    enum eg_verdict verdict = take_base(senml, record);
    if (verdict != EG_DECODED)
        return verdict;
    const int values = given[EG_SENML_V] + given[EG_SENML_VS] + given[EG_SENML_VB] + given[EG_SENML_VD];
    if (values > 1)
        return REFUSE(senml->sink, EG_MALFORMED, "a record has more than one of v, vs, vb and vd");
    if (values == 0 && !given[EG_SENML_S])
        return EG_DECODED; /* base fields only */
    const char *own = given[EG_SENML_N] ? record->text[EG_SENML_N] : "";
    if (!join(senml, own, name))
        return REFUSE(
            senml->sink, EG_MALFORMED,
            "\"%s\" is no SenML name: letters, digits and -:./_, a letter or digit first, at most %d bytes",
            eg_excerpt_write(name, strlen(name), shown), EG_SENML_NAME_MAX);
    verdict = read_time(senml, given[EG_SENML_T] ? record->number[EG_SENML_T] : 0, &time_ms);
    if (verdict != EG_DECODED || !given[EG_SENML_V])
        return verdict;
    return put(senml, name, own, given[EG_SENML_U] ? record->text[EG_SENML_U] : senml->base_unit, time_ms,
               record->number[EG_SENML_V] + senml->base_value);
}

enum eg_verdict eg_senml_end(struct eg_senml *senml)
{
    struct eg_sink *sink = senml->sink;
    if (sink->count == 0 && sink->fault_count == 0)
        return REFUSE(sink, EG_IMPLAUSIBLE,
                      senml->unknown[0] != '\0'
                          ? "no name is a known quantity, the first is \"%s\"; name it in fields"
                          : "there is no number in it%s",
                      senml->unknown);
    const size_t twice = eg_twice_find(sink);
    return twice == sink->count ? EG_DECODED
                                : REFUSE(sink, EG_MALFORMED, "%s is given twice for one time",
                                         eg_quantity_info(sink->readings[twice].quantity)->name);
}
