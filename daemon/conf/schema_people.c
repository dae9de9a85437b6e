/* The schema tables (schema.h) of who is told and when: channels, parties, calendars, maintenance, reports. */
#include <conf/schema_tables.h>

static const cyaml_strval_t sectors[] = {
    {"government", EG_SECTOR_GOVERNMENT}, {"market", EG_SECTOR_MARKET}, {"society", EG_SECTOR_SOCIETY}};
static const cyaml_strval_t channel_kinds[] = {
    {"mqtt", EG_BY_MQTT}, {"webhook", EG_BY_WEBHOOK}, {"mail", EG_BY_MAIL}, {"exec", EG_BY_EXEC}};
static const cyaml_strval_t formats[] = {
    {"json", EG_FORMAT_JSON},     {"text", EG_FORMAT_TEXT},
    {"wecom", EG_FORMAT_WECOM},   {"dingtalk", EG_FORMAT_DINGTALK},
    {"feishu", EG_FORMAT_FEISHU}, {"ntfy", EG_FORMAT_NTFY},
    {"slack", EG_FORMAT_SLACK},   {"alertmanager", EG_FORMAT_ALERTMANAGER}};
const cyaml_strval_t eg_schema_levels[EG_LEVEL_COUNT - 1] = {
    {"notice", EG_LEVEL_NOTICE}, {"warning", EG_LEVEL_WARNING}, {"critical", EG_LEVEL_CRITICAL}};
static const cyaml_strval_t weekdays[] = {{"sun", 0}, {"mon", 1}, {"tue", 2}, {"wed", 3},
                                          {"thu", 4}, {"fri", 5}, {"sat", 6}};
static const cyaml_schema_field_t channel_fields[] = {
    NEEDED("id", struct eg_raw_channel, id),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, struct eg_raw_channel, kind, channel_kinds,
                     CYAML_ARRAY_LEN(channel_kinds)),
    TEXT("topic", struct eg_raw_channel, topic),
    TEXT("url", struct eg_raw_channel, url),
    TEXT("url_file", struct eg_raw_channel, url_file),
    CHOICE("format", struct eg_raw_channel, format, formats),
    TEXT("secret_file", struct eg_raw_channel, secret_file),
    TEXT("token_file", struct eg_raw_channel, token_file),
    TEXT("user", struct eg_raw_channel, user),
    TEXT("password_file", struct eg_raw_channel, password_file),
    TEXT("from", struct eg_raw_channel, from),
    TEXT("ca_file", struct eg_raw_channel, ca_file),
    YES_NO("tls_insecure", struct eg_raw_channel, tls_insecure),
    YES_NO("starttls", struct eg_raw_channel, starttls),
    YES_NO("private_network", struct eg_raw_channel, private_network),
    TEXT("program", struct eg_raw_channel, program),
    LIST("arguments", struct eg_raw_channel, arguments, &eg_schema_text_entry),
    TEXT("timeout", struct eg_raw_channel, timeout),
    TEXT("retry", struct eg_raw_channel, retry),
    TEXT("give_up", struct eg_raw_channel, give_up),
    WHOLE("limit", struct eg_raw_channel, limit),
    CYAML_FIELD_END};
static const cyaml_schema_value_t weekday_entry = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, int, weekdays, CYAML_ARRAY_LEN(weekdays))};
static const cyaml_schema_field_t route_fields[] = {
    NEEDED("id", struct eg_raw_route, id),
    TEXT("to", struct eg_raw_route, to),
    CHOICE("level", struct eg_raw_route, level, eg_schema_levels),
    TEXT("hours", struct eg_raw_route, hours),
    LIST("days", struct eg_raw_route, days, &weekday_entry),
    YES_NO("fallback", struct eg_raw_route, fallback),
    TEXT("repeat", struct eg_raw_route, repeat),
    CHOICE("repeat_level", struct eg_raw_route, repeat_level, eg_schema_levels),
    WHOLE("repeat_most", struct eg_raw_route, repeat_most),
    TEXT("digest", struct eg_raw_route, digest),
    YES_NO("digest_empty", struct eg_raw_route, digest_empty),
    CYAML_FIELD_END};
static const cyaml_schema_value_t route_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_route, route_fields)};
static const cyaml_schema_field_t party_fields[] = {
    NEEDED("id", struct eg_raw_party, id),
    TEXT("name", struct eg_raw_party, name),
    CYAML_FIELD_ENUM("sector", CYAML_FLAG_STRICT, struct eg_raw_party, sector, sectors,
                     CYAML_ARRAY_LEN(sectors)),
    CHOICE("language", struct eg_raw_party, language, eg_schema_languages),
    TEXT("quiet", struct eg_raw_party, quiet),
    TEXT("secret_file", struct eg_raw_party, secret_file),
    LIST("channels", struct eg_raw_party, channels, &route_entry),
    LIST("members", struct eg_raw_party, members, &eg_schema_text_entry),
    TEXT("calendar", struct eg_raw_party, calendar),
    CYAML_FIELD_END};
static const cyaml_schema_field_t calendar_fields[] = {
    NEEDED("id", struct eg_raw_calendar, id),
    LIST("days", struct eg_raw_calendar, days, &weekday_entry),
    LIST("hours", struct eg_raw_calendar, hours, &eg_schema_text_entry),
    LIST("holidays", struct eg_raw_calendar, holidays, &eg_schema_text_entry),
    LIST("workdays", struct eg_raw_calendar, workdays, &eg_schema_text_entry),
    CYAML_FIELD_END};
const cyaml_schema_value_t eg_schema_calendar_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_calendar, calendar_fields)};
static const cyaml_schema_field_t window_fields[] = {
    NEEDED("id", struct eg_raw_window, id),
    NEEDED("reason", struct eg_raw_window, reason),
    TEXT("site", struct eg_raw_window, site),
    TEXT("domain", struct eg_raw_window, domain),
    TEXT("device", struct eg_raw_window, device),
    TEXT("quantity", struct eg_raw_window, quantity),
    TEXT("rule", struct eg_raw_window, rule),
    CHOICE("level", struct eg_raw_window, level, eg_schema_levels),
    TEXT("hours", struct eg_raw_window, hours),
    LIST("days", struct eg_raw_window, days, &weekday_entry),
    LIST("dates", struct eg_raw_window, dates, &eg_schema_text_entry),
    CYAML_FIELD_END};
static const cyaml_schema_value_t window_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_window, window_fields)};
const cyaml_schema_field_t eg_schema_maintenance_fields[] = {
    GROUP("deadline", struct eg_raw_maintenance, deadline, eg_schema_spans_fields),
    LIST("windows", struct eg_raw_maintenance, windows, &window_entry), CYAML_FIELD_END};
const cyaml_schema_field_t eg_schema_flapping_fields[] = {
    TEXT("window", struct eg_raw_flapping, window), WHOLE("high", struct eg_raw_flapping, high),
    WHOLE("low", struct eg_raw_flapping, low), CYAML_FIELD_END};
const cyaml_schema_field_t eg_schema_reports_fields[] = {
    LIST("submitters", struct eg_raw_reports, submitters, &eg_schema_text_entry),
    CHOICE("level", struct eg_raw_reports, level, eg_schema_levels),
    GROUP("deadline", struct eg_raw_reports, deadline, eg_schema_spans_fields), CYAML_FIELD_END};
const cyaml_schema_value_t eg_schema_channel_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_channel, channel_fields)};
const cyaml_schema_value_t eg_schema_party_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_party, party_fields)};
