/* How the schema's tables (schema.h) are written, and which of them others use. Private to daemon/conf/schema*.c. */
#ifndef EG_CONF_SCHEMA_TABLES_H
#define EG_CONF_SCHEMA_TABLES_H

#include <conf/schema.h>
#include <conf/conf.h>

#define LIST_MAX 100000
#define STRING_MAX 4096
#define OPTIONAL_PTR (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, OPTIONAL_PTR, type, member, 0, STRING_MAX)
#define NEEDED(key, type, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, STRING_MAX)
#define WHOLE(key, type, member) CYAML_FIELD_INT_PTR(key, OPTIONAL_PTR, type, member)
#define REAL(key, type, member) CYAML_FIELD_FLOAT_PTR(key, OPTIONAL_PTR, type, member)
#define YES_NO(key, type, member) CYAML_FIELD_BOOL_PTR(key, OPTIONAL_PTR, type, member)
#define CHOICE(key, type, member, words)                                                                     \
    CYAML_FIELD_ENUM_PTR(key, OPTIONAL_PTR | CYAML_FLAG_STRICT, type, member, words, CYAML_ARRAY_LEN(words))
#define GROUP(key, type, member, fields) CYAML_FIELD_MAPPING_PTR(key, OPTIONAL_PTR, type, member, fields)
#define LIST(key, type, member, entry)                                                                       \
    CYAML_FIELD_SEQUENCE(key, OPTIONAL_PTR, type, member, entry, 0, LIST_MAX)

/* schema.c */
extern const cyaml_strval_t eg_schema_languages[EG_LANGUAGE_COUNT];
extern const cyaml_strval_t eg_schema_modes[EG_MODE_COUNT];
extern const cyaml_schema_value_t eg_schema_text_entry;

/* schema_people.c */
extern const cyaml_schema_value_t eg_schema_calendar_entry;
extern const cyaml_schema_value_t eg_schema_channel_entry;
extern const cyaml_schema_field_t eg_schema_flapping_fields[];
extern const cyaml_strval_t eg_schema_levels[EG_LEVEL_COUNT - 1];
extern const cyaml_schema_field_t eg_schema_maintenance_fields[];
extern const cyaml_schema_value_t eg_schema_party_entry;
extern const cyaml_schema_field_t eg_schema_reports_fields[];

/* schema_sources.c */
extern const cyaml_schema_value_t eg_schema_preset_entry;
extern const cyaml_schema_value_t eg_schema_source_entry;

/* schema_rules.c */
extern const cyaml_schema_value_t eg_schema_device_rule_entry;
extern const cyaml_schema_value_t eg_schema_rule_entry;
extern const cyaml_schema_field_t eg_schema_spans_fields[];

/* schema_quality.c */
extern const cyaml_schema_value_t eg_schema_calibration_entry;
extern const cyaml_schema_field_t eg_schema_quality_fields[];
extern const cyaml_schema_field_t eg_schema_validity_fields[];

#endif
