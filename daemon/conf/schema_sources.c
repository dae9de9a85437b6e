/* The schema tables (schema.h) of sources and presets. */
#include <conf/schema_tables.h>

static const cyaml_schema_value_t number_entry = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_field_t word_fields[] = {
    NEEDED("text", struct eg_raw_word, text),
    CYAML_FIELD_FLOAT("value", CYAML_FLAG_DEFAULT, struct eg_raw_word, value), CYAML_FIELD_END};
static const cyaml_schema_value_t word_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_word, word_fields)};
static const cyaml_schema_field_t field_fields[] = {
    NEEDED("path", struct eg_raw_field, path),
    NEEDED("quantity", struct eg_raw_field, quantity),
    TEXT("unit", struct eg_raw_field, unit),
    TEXT("channel", struct eg_raw_field, channel),
    REAL("empty", struct eg_raw_field, empty),
    REAL("full", struct eg_raw_field, full),
    REAL("scale", struct eg_raw_field, scale),
    REAL("offset", struct eg_raw_field, offset),
    LIST("missing", struct eg_raw_field, missing, &number_entry),
    LIST("words", struct eg_raw_field, words, &word_entry),
    CYAML_FIELD_END};
static const cyaml_schema_value_t field_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_field, field_fields)};
/* The keys of a mapping stand beside the others, in a source as in a preset. */
#define MAPPING(type)                                                                                        \
    TEXT("driver", type, mapping.driver), TEXT("time", type, mapping.time),                                  \
        TEXT("readings", type, mapping.readings), TEXT("channel", type, mapping.channel),                    \
        TEXT("device_path", type, mapping.device_path), TEXT("quantity", type, mapping.quantity),            \
        TEXT("value", type, mapping.value), TEXT("unit", type, mapping.unit),                                \
        TEXT("precision", type, mapping.precision), TEXT("utc_offset", type, mapping.utc_offset),            \
        TEXT("time_format", type, mapping.time_format), TEXT("separator", type, mapping.separator),          \
        TEXT("decimal", type, mapping.decimal), TEXT("codec", type, mapping.codec),                          \
        TEXT("checksum", type, mapping.checksum), TEXT("unmatched", type, mapping.unmatched),                \
        LIST("ambient", type, mapping.ambient, &eg_schema_text_entry),                                       \
        REAL("ambient_pressure", type, mapping.ambient_pressure),                                            \
        LIST("fields", type, mapping.fields, &field_entry)
static const cyaml_schema_field_t source_fields[] = {NEEDED("id", struct eg_raw_source, id),
                                                     TEXT("preset", struct eg_raw_source, preset),
                                                     TEXT("topic", struct eg_raw_source, topic),
                                                     TEXT("site", struct eg_raw_source, site),
                                                     TEXT("domain", struct eg_raw_source, domain),
                                                     TEXT("device", struct eg_raw_source, device),
                                                     MAPPING(struct eg_raw_source),
                                                     CYAML_FIELD_END};
static const cyaml_schema_field_t preset_fields[] = {NEEDED("id", struct eg_raw_preset, id),
                                                     TEXT("about", struct eg_raw_preset, about),
                                                     TEXT("topic", struct eg_raw_preset, topic),
                                                     TEXT("domain", struct eg_raw_preset, domain),
                                                     MAPPING(struct eg_raw_preset),
                                                     CYAML_FIELD_END};
const cyaml_schema_value_t eg_schema_source_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_source, source_fields)};
const cyaml_schema_value_t eg_schema_preset_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_preset, preset_fields)};
