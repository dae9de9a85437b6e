/* The schema tables (schema.h) of what a value is worth: quality control, validity, calibration. */
#include <conf/schema_tables.h>

static const cyaml_schema_field_t calibration_fields[] = {
    NEEDED("quantity", struct eg_raw_calibration, quantity),
    TEXT("channel", struct eg_raw_calibration, channel),
    REAL("scale", struct eg_raw_calibration, scale),
    REAL("offset", struct eg_raw_calibration, offset),
    TEXT("from", struct eg_raw_calibration, from),
    TEXT("until", struct eg_raw_calibration, until),
    CYAML_FIELD_END};
const cyaml_schema_value_t eg_schema_calibration_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_calibration, calibration_fields)};
static const cyaml_strval_t set_aside[] = {{"bad", EG_SET_ASIDE_BAD}, {"suspect", EG_SET_ASIDE_SUSPECT}};
static const cyaml_schema_field_t quality_limit_fields[] = {
    NEEDED("quantity", struct eg_raw_quality_limits, quantity),
    TEXT("site", struct eg_raw_quality_limits, site),
    TEXT("device", struct eg_raw_quality_limits, device),
    REAL("low", struct eg_raw_quality_limits, low),
    REAL("high", struct eg_raw_quality_limits, high),
    REAL("step", struct eg_raw_quality_limits, step),
    REAL("fall", struct eg_raw_quality_limits, fall),
    REAL("spike", struct eg_raw_quality_limits, spike),
    REAL("spike_share", struct eg_raw_quality_limits, spike_share),
    TEXT("stuck", struct eg_raw_quality_limits, stuck),
    TEXT("stuck_bad", struct eg_raw_quality_limits, stuck_bad),
    REAL("noise", struct eg_raw_quality_limits, noise),
    REAL("noise_share", struct eg_raw_quality_limits, noise_share),
    REAL("drift", struct eg_raw_quality_limits, drift),
    REAL("drift_share", struct eg_raw_quality_limits, drift_share),
    CYAML_FIELD_END};
static const cyaml_schema_value_t quality_limit_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_quality_limits, quality_limit_fields)};
const cyaml_schema_field_t eg_schema_quality_fields[] = {
    CHOICE("set_aside", struct eg_raw_quality, set_aside, set_aside),
    REAL("humidity", struct eg_raw_quality, humidity), REAL("neighbours", struct eg_raw_quality, neighbours),
    LIST("limits", struct eg_raw_quality, limits, &quality_limit_entry), CYAML_FIELD_END};
const cyaml_schema_field_t eg_schema_validity_fields[] = {
    TEXT("hour", struct eg_raw_validity, hour),
    WHOLE("eight_hours", struct eg_raw_validity, eight_hours),
    WHOLE("day", struct eg_raw_validity, day),
    WHOLE("month", struct eg_raw_validity, month),
    WHOLE("february", struct eg_raw_validity, february),
    WHOLE("year", struct eg_raw_validity, year),
    CYAML_FIELD_END};
