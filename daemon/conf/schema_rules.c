/* The schema tables (schema.h) of rules. */
#include <conf/schema_tables.h>

static const cyaml_strval_t directions[] = {{"above", EG_DIRECTION_ABOVE}, {"below", EG_DIRECTION_BELOW}};
static const cyaml_schema_field_t limit_fields[] = {
    CYAML_FIELD_FLOAT("open", CYAML_FLAG_DEFAULT, struct eg_raw_limit, open),
    CYAML_FIELD_FLOAT("clear", CYAML_FLAG_DEFAULT, struct eg_raw_limit, clear), CYAML_FIELD_END};
static const cyaml_schema_field_t levels_fields[] = {
    GROUP("notice", struct eg_raw_levels, notice, limit_fields),
    GROUP("warning", struct eg_raw_levels, warning, limit_fields),
    GROUP("critical", struct eg_raw_levels, critical, limit_fields), CYAML_FIELD_END};
/* A band says what must be so: a range of a quantity stands under the quantity's name. */
#define EG_QUANTITY(id, unit, low, high, decimals, aliases, english, chinese)                                \
    LIST(#id, struct eg_raw_when, ranges[EG_Q_##id].ends, &eg_schema_text_entry),
static const cyaml_schema_field_t when_fields[] = {TEXT("land_use", struct eg_raw_when, land_use),
                                                   TEXT("site", struct eg_raw_when, site),
                                                   TEXT("device", struct eg_raw_when, device),
                                                   TEXT("channel", struct eg_raw_when, channel),
                                                   TEXT("hours", struct eg_raw_when, hours),
                                                   TEXT("season", struct eg_raw_when, season),
#include <ecogov/quantity.def>
                                                   CYAML_FIELD_END};
#undef EG_QUANTITY
static const cyaml_schema_field_t band_fields[] = {
    CYAML_FIELD_MAPPING("when", CYAML_FLAG_DEFAULT, struct eg_raw_band, when, when_fields),
    CYAML_FIELD_MAPPING("levels", CYAML_FLAG_DEFAULT, struct eg_raw_band, levels, levels_fields),
    CYAML_FIELD_END};
static const cyaml_schema_value_t band_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_band, band_fields)};
static const cyaml_strval_t whose[] = {{"device", EG_OF_DEVICE}, {"site", EG_OF_SITE}};
static const cyaml_schema_value_t condition_entry; /* conditions nest */
static const cyaml_schema_field_t condition_fields[] = {
    TEXT("quantity", struct eg_raw_condition, quantity),
    TEXT("statistic", struct eg_raw_condition, statistic),
    TEXT("window", struct eg_raw_condition, window),
    TEXT("within", struct eg_raw_condition, within),
    REAL("above", struct eg_raw_condition, above),
    REAL("below", struct eg_raw_condition, below),
    CHOICE("of", struct eg_raw_condition, of, whose),
    LIST("and", struct eg_raw_condition, all, &condition_entry),
    LIST("or", struct eg_raw_condition, any, &condition_entry),
    CYAML_FIELD_END};
static const cyaml_schema_value_t condition_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_condition, condition_fields)};
#define SPANS(type, member)                                                                                  \
    TEXT("acknowledge", type, member acknowledge), TEXT("fix", type, member fix),                            \
        TEXT("verify", type, member verify)
#define NOTHING
const cyaml_schema_field_t eg_schema_spans_fields[] = {SPANS(struct eg_raw_spans, NOTHING), CYAML_FIELD_END};
static const cyaml_schema_field_t deadline_fields[] = {
    SPANS(struct eg_raw_deadline, any.),
    GROUP("notice", struct eg_raw_deadline, notice, eg_schema_spans_fields),
    GROUP("warning", struct eg_raw_deadline, warning, eg_schema_spans_fields),
    GROUP("critical", struct eg_raw_deadline, critical, eg_schema_spans_fields), CYAML_FIELD_END};
static const cyaml_strval_t closings[] = {{"verified", EG_CLOSE_VERIFIED}, {"measured", EG_CLOSE_MEASURED}};
static const cyaml_schema_field_t regional_fields[] = {
    CYAML_FIELD_INT("sites", CYAML_FLAG_DEFAULT, struct eg_raw_regional, sites),
    NEEDED("within", struct eg_raw_regional, within), CYAML_FIELD_END};
static const cyaml_schema_field_t rule_fields[] = {
    NEEDED("id", struct eg_raw_rule, id),
    TEXT("domain", struct eg_raw_rule, domain),
    NEEDED("quantity", struct eg_raw_rule, quantity),
    TEXT("statistic", struct eg_raw_rule, statistic),
    REAL("above", struct eg_raw_rule, above),
    TEXT("window", struct eg_raw_rule, window),
    TEXT("valid", struct eg_raw_rule, valid),
    CHOICE("direction", struct eg_raw_rule, direction, directions),
    GROUP("levels", struct eg_raw_rule, levels, levels_fields),
    LIST("bands", struct eg_raw_rule, bands, &band_entry),
    LIST("and", struct eg_raw_rule, all, &condition_entry),
    LIST("or", struct eg_raw_rule, any, &condition_entry),
    TEXT("within", struct eg_raw_rule, within),
    CHOICE("of", struct eg_raw_rule, of, whose),
    TEXT("hold", struct eg_raw_rule, hold),
    TEXT("clear_hold", struct eg_raw_rule, clear_hold),
    TEXT("gap", struct eg_raw_rule, gap),
    LIST("sites", struct eg_raw_rule, sites, &eg_schema_text_entry),
    TEXT("basis", struct eg_raw_rule, basis),
    TEXT("basis_zh", struct eg_raw_rule, basis_zh),
    TEXT("action", struct eg_raw_rule, action),
    TEXT("action_zh", struct eg_raw_rule, action_zh),
    TEXT("title", struct eg_raw_rule, title),
    TEXT("title_zh", struct eg_raw_rule, title_zh),
    GROUP("deadline", struct eg_raw_rule, deadline, deadline_fields),
    CHOICE("mode", struct eg_raw_rule, mode, eg_schema_modes),
    CHOICE("close", struct eg_raw_rule, close, closings),
    WHOLE("close_hours", struct eg_raw_rule, close_hours),
    TEXT("reopen_within", struct eg_raw_rule, reopen_within),
    GROUP("regional", struct eg_raw_rule, regional, regional_fields),
    WHOLE("limit", struct eg_raw_rule, limit),
    CYAML_FIELD_END};
const cyaml_schema_value_t eg_schema_rule_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_rule, rule_fields)};
static const cyaml_strval_t whens[] = {{"silent", EG_WHEN_SILENT},
                                       {"outage", EG_WHEN_OUTAGE},
                                       {"suspect", EG_WHEN_SUSPECT},
                                       {"calibration", EG_WHEN_CALIBRATION}};
static const cyaml_schema_field_t device_rule_fields[] = {
    NEEDED("id", struct eg_raw_device_rule, id),
    CYAML_FIELD_ENUM("when", CYAML_FLAG_STRICT, struct eg_raw_device_rule, when, whens,
                     CYAML_ARRAY_LEN(whens)),
    CHOICE("level", struct eg_raw_device_rule, level, eg_schema_levels),
    TEXT("hold", struct eg_raw_device_rule, hold),
    TEXT("ahead", struct eg_raw_device_rule, ahead),
    WHOLE("devices", struct eg_raw_device_rule, devices),
    TEXT("domain", struct eg_raw_device_rule, domain),
    LIST("sites", struct eg_raw_device_rule, sites, &eg_schema_text_entry),
    TEXT("title", struct eg_raw_device_rule, title),
    TEXT("title_zh", struct eg_raw_device_rule, title_zh),
    TEXT("basis", struct eg_raw_device_rule, basis),
    TEXT("basis_zh", struct eg_raw_device_rule, basis_zh),
    TEXT("action", struct eg_raw_device_rule, action),
    TEXT("action_zh", struct eg_raw_device_rule, action_zh),
    GROUP("deadline", struct eg_raw_device_rule, deadline, eg_schema_spans_fields),
    CHOICE("mode", struct eg_raw_device_rule, mode, eg_schema_modes),
    CYAML_FIELD_END};
const cyaml_schema_value_t eg_schema_device_rule_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_device_rule, device_rule_fields)};
