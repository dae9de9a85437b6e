/* The schema tables (schema.h): the file itself, the settings that stand once, sites and devices. */
#include <conf/schema_tables.h>

const cyaml_strval_t eg_schema_modes[EG_MODE_COUNT] = {{"collaborative", EG_MODE_COLLABORATIVE},
                                                       {"gap_filling", EG_MODE_GAP_FILLING},
                                                       {"alternative", EG_MODE_ALTERNATIVE}};
const cyaml_strval_t eg_schema_languages[EG_LANGUAGE_COUNT] = {{"zh_CN", EG_LANGUAGE_ZH_CN},
                                                               {"en", EG_LANGUAGE_EN}};
const cyaml_schema_value_t eg_schema_text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, STRING_MAX)};
static const cyaml_schema_field_t mqtt_fields[] = {
    TEXT("host", struct eg_raw_mqtt, host),
    WHOLE("port", struct eg_raw_mqtt, port),
    TEXT("client_id", struct eg_raw_mqtt, client_id),
    TEXT("user", struct eg_raw_mqtt, user),
    TEXT("password", struct eg_raw_mqtt, password),
    TEXT("password_file", struct eg_raw_mqtt, password_file),
    YES_NO("tls", struct eg_raw_mqtt, tls),
    YES_NO("tls_insecure", struct eg_raw_mqtt, tls_insecure),
    TEXT("ca_file", struct eg_raw_mqtt, ca_file),
    TEXT("cert_file", struct eg_raw_mqtt, cert_file),
    TEXT("key_file", struct eg_raw_mqtt, key_file),
    TEXT("keepalive", struct eg_raw_mqtt, keepalive),
    WHOLE("receive_maximum", struct eg_raw_mqtt, receive_maximum),
    TEXT("session_expiry", struct eg_raw_mqtt, session_expiry),
    YES_NO("publish", struct eg_raw_mqtt, publish),
    CYAML_FIELD_END};
static const cyaml_schema_field_t retain_fields[] = {
    TEXT("domain", struct eg_raw_retain, domain), TEXT("quantity", struct eg_raw_retain, quantity),
    TEXT("raw", struct eg_raw_retain, raw),       TEXT("hour", struct eg_raw_retain, hour),
    TEXT("day", struct eg_raw_retain, day),       CYAML_FIELD_END};
static const cyaml_schema_value_t retain_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_retain, retain_fields)};
static const cyaml_schema_field_t store_fields[] = {
    TEXT("path", struct eg_raw_store, path),
    TEXT("commit_interval", struct eg_raw_store, commit_interval),
    TEXT("retain_raw", struct eg_raw_store, retain_raw),
    TEXT("retain_hour", struct eg_raw_store, retain_hour),
    TEXT("retain_day", struct eg_raw_store, retain_day),
    LIST("retain", struct eg_raw_store, retain, &retain_entry),
    TEXT("max_size", struct eg_raw_store, max_size),
    TEXT("endurance", struct eg_raw_store, endurance),
    CYAML_FIELD_END};
static const cyaml_schema_field_t socket_fields[] = {
    TEXT("path", struct eg_raw_socket, path),
    LIST("supervisors", struct eg_raw_socket, supervisors, &eg_schema_text_entry),
    LIST("clerks", struct eg_raw_socket, clerks, &eg_schema_text_entry), CYAML_FIELD_END};
static const cyaml_schema_field_t board_fields[] = {
    TEXT("dir", struct eg_raw_board, dir), TEXT("interval", struct eg_raw_board, interval), CYAML_FIELD_END};
static const cyaml_strval_t rtcs[] = {{"auto", EG_RTC_AUTO}, {"yes", EG_RTC_YES}, {"no", EG_RTC_NO}};
static const cyaml_schema_field_t clock_fields[] = {
    CHOICE("rtc", struct eg_raw_clock, rtc, rtcs), WHOLE("devices", struct eg_raw_clock, devices),
    TEXT("within", struct eg_raw_clock, within), CYAML_FIELD_END};
static const cyaml_schema_field_t metrics_fields[] = {TEXT("file", struct eg_raw_metrics, file),
                                                      TEXT("interval", struct eg_raw_metrics, interval),
                                                      CYAML_FIELD_END};
static const cyaml_schema_field_t homeassistant_fields[] = {
    YES_NO("enable", struct eg_raw_homeassistant, enable),
    TEXT("prefix", struct eg_raw_homeassistant, prefix),
    CHOICE("language", struct eg_raw_homeassistant, language, eg_schema_languages),
    TEXT("interval", struct eg_raw_homeassistant, interval),
    TEXT("retire_after", struct eg_raw_homeassistant, retire_after),
    CYAML_FIELD_END};
static const cyaml_schema_field_t site_fields[] = {
    NEEDED("id", struct eg_raw_site, id),
    TEXT("name", struct eg_raw_site, name),
    TEXT("level", struct eg_raw_site, level),
    TEXT("parent", struct eg_raw_site, parent),
    REAL("latitude", struct eg_raw_site, latitude),
    REAL("longitude", struct eg_raw_site, longitude),
    CHOICE("mode", struct eg_raw_site, mode, eg_schema_modes),
    LIST("parties", struct eg_raw_site, parties, &eg_schema_text_entry),
    CYAML_FIELD_END};
static const cyaml_schema_field_t position_fields[] = {
    CYAML_FIELD_FLOAT("latitude", CYAML_FLAG_DEFAULT, struct eg_raw_position, latitude),
    CYAML_FIELD_FLOAT("longitude", CYAML_FLAG_DEFAULT, struct eg_raw_position, longitude), CYAML_FIELD_END};
static const cyaml_schema_field_t device_fields[] = {
    NEEDED("id", struct eg_raw_device, id),
    NEEDED("site", struct eg_raw_device, site),
    TEXT("domain", struct eg_raw_device, domain),
    TEXT("name", struct eg_raw_device, name),
    TEXT("land_use", struct eg_raw_device, land_use),
    TEXT("silent_after", struct eg_raw_device, silent_after),
    TEXT("calibration_due", struct eg_raw_device, calibration_due),
    YES_NO("retired", struct eg_raw_device, retired),
    GROUP("position", struct eg_raw_device, position, position_fields),
    LIST("calibration", struct eg_raw_device, calibration, &eg_schema_calibration_entry),
    CYAML_FIELD_END};
static const cyaml_schema_value_t site_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_site, site_fields)};
static const cyaml_schema_value_t device_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_device, device_fields)};
static const cyaml_schema_field_t file_fields[] = {
    GROUP("mqtt", struct eg_raw, mqtt, mqtt_fields),
    GROUP("store", struct eg_raw, store, store_fields),
    GROUP("socket", struct eg_raw, socket, socket_fields),
    GROUP("board", struct eg_raw, board, board_fields),
    GROUP("metrics", struct eg_raw, metrics, metrics_fields),
    GROUP("clock", struct eg_raw, clock, clock_fields),
    GROUP("quality", struct eg_raw, quality, eg_schema_quality_fields),
    GROUP("validity", struct eg_raw, validity, eg_schema_validity_fields),
    GROUP("maintenance", struct eg_raw, maintenance, eg_schema_maintenance_fields),
    GROUP("reports", struct eg_raw, reports, eg_schema_reports_fields),
    GROUP("flapping", struct eg_raw, flapping, eg_schema_flapping_fields),
    GROUP("home_assistant", struct eg_raw, home_assistant, homeassistant_fields),
    TEXT("time_zone", struct eg_raw, time_zone),
    TEXT("late_limit", struct eg_raw, late_limit),
    TEXT("future_tolerance", struct eg_raw, future_tolerance),
    TEXT("templates", struct eg_raw, templates),
    YES_NO("auto_register", struct eg_raw, auto_register),
    WHOLE("max_devices", struct eg_raw, max_devices),
    LIST("include", struct eg_raw, include, &eg_schema_text_entry),
    LIST("rules", struct eg_raw, rules, &eg_schema_rule_entry),
    LIST("device_rules", struct eg_raw, device_rules, &eg_schema_device_rule_entry),
    LIST("sites", struct eg_raw, sites, &site_entry),
    LIST("channels", struct eg_raw, channels, &eg_schema_channel_entry),
    LIST("parties", struct eg_raw, parties, &eg_schema_party_entry),
    LIST("calendars", struct eg_raw, calendars, &eg_schema_calendar_entry),
    LIST("sources", struct eg_raw, sources, &eg_schema_source_entry),
    LIST("devices", struct eg_raw, devices, &device_entry),
    LIST("presets", struct eg_raw, presets, &eg_schema_preset_entry),
    CYAML_FIELD_END};
const cyaml_schema_value_t eg_schema_file = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct eg_raw, file_fields)};
