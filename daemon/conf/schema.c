/* The schema tables (schema.h). */
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
static const cyaml_strval_t modes[] = {{"collaborative", EG_MODE_COLLABORATIVE},
                                       {"gap_filling", EG_MODE_GAP_FILLING},
                                       {"alternative", EG_MODE_ALTERNATIVE}};
static const cyaml_strval_t sectors[] = {
    {"government", EG_SECTOR_GOVERNMENT}, {"market", EG_SECTOR_MARKET}, {"society", EG_SECTOR_SOCIETY}};
static const cyaml_strval_t directions[] = {{"above", EG_DIRECTION_ABOVE}, {"below", EG_DIRECTION_BELOW}};

static const cyaml_strval_t languages[] = {{"zh_CN", EG_LANGUAGE_ZH_CN}, {"en", EG_LANGUAGE_EN}};
static const cyaml_strval_t channel_kinds[] = {
    {"mqtt", EG_BY_MQTT}, {"webhook", EG_BY_WEBHOOK}, {"mail", EG_BY_MAIL}, {"exec", EG_BY_EXEC}};
static const cyaml_strval_t formats[] = {
    {"json", EG_FORMAT_JSON},     {"text", EG_FORMAT_TEXT},
    {"wecom", EG_FORMAT_WECOM},   {"dingtalk", EG_FORMAT_DINGTALK},
    {"feishu", EG_FORMAT_FEISHU}, {"ntfy", EG_FORMAT_NTFY},
    {"slack", EG_FORMAT_SLACK},   {"alertmanager", EG_FORMAT_ALERTMANAGER}};
static const cyaml_strval_t level_words[] = {
    {"notice", EG_LEVEL_NOTICE}, {"warning", EG_LEVEL_WARNING}, {"critical", EG_LEVEL_CRITICAL}};
static const cyaml_strval_t weekdays[] = {{"sun", 0}, {"mon", 1}, {"tue", 2}, {"wed", 3},
                                          {"thu", 4}, {"fri", 5}, {"sat", 6}};

static const cyaml_schema_value_t text_entry = {
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
    LIST("supervisors", struct eg_raw_socket, supervisors, &text_entry),
    LIST("clerks", struct eg_raw_socket, clerks, &text_entry), CYAML_FIELD_END};
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
    CHOICE("language", struct eg_raw_homeassistant, language, languages),
    TEXT("interval", struct eg_raw_homeassistant, interval),
    TEXT("retire_after", struct eg_raw_homeassistant, retire_after),
    CYAML_FIELD_END};
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
    LIST("arguments", struct eg_raw_channel, arguments, &text_entry),
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
    CHOICE("level", struct eg_raw_route, level, level_words),
    TEXT("hours", struct eg_raw_route, hours),
    LIST("days", struct eg_raw_route, days, &weekday_entry),
    YES_NO("fallback", struct eg_raw_route, fallback),
    TEXT("repeat", struct eg_raw_route, repeat),
    CHOICE("repeat_level", struct eg_raw_route, repeat_level, level_words),
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
    CHOICE("language", struct eg_raw_party, language, languages),
    TEXT("quiet", struct eg_raw_party, quiet),
    TEXT("secret_file", struct eg_raw_party, secret_file),
    LIST("channels", struct eg_raw_party, channels, &route_entry),
    LIST("members", struct eg_raw_party, members, &text_entry),
    TEXT("calendar", struct eg_raw_party, calendar),
    CYAML_FIELD_END};
static const cyaml_schema_field_t calendar_fields[] = {
    NEEDED("id", struct eg_raw_calendar, id),
    LIST("days", struct eg_raw_calendar, days, &weekday_entry),
    LIST("hours", struct eg_raw_calendar, hours, &text_entry),
    LIST("holidays", struct eg_raw_calendar, holidays, &text_entry),
    LIST("workdays", struct eg_raw_calendar, workdays, &text_entry),
    CYAML_FIELD_END};
static const cyaml_schema_value_t calendar_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_calendar, calendar_fields)};
static const cyaml_schema_field_t site_fields[] = {NEEDED("id", struct eg_raw_site, id),
                                                   TEXT("name", struct eg_raw_site, name),
                                                   TEXT("level", struct eg_raw_site, level),
                                                   TEXT("parent", struct eg_raw_site, parent),
                                                   REAL("latitude", struct eg_raw_site, latitude),
                                                   REAL("longitude", struct eg_raw_site, longitude),
                                                   CHOICE("mode", struct eg_raw_site, mode, modes),
                                                   LIST("parties", struct eg_raw_site, parties, &text_entry),
                                                   CYAML_FIELD_END};
static const cyaml_schema_field_t position_fields[] = {
    CYAML_FIELD_FLOAT("latitude", CYAML_FLAG_DEFAULT, struct eg_raw_position, latitude),
    CYAML_FIELD_FLOAT("longitude", CYAML_FLAG_DEFAULT, struct eg_raw_position, longitude), CYAML_FIELD_END};
static const cyaml_schema_field_t calibration_fields[] = {
    NEEDED("quantity", struct eg_raw_calibration, quantity),
    TEXT("channel", struct eg_raw_calibration, channel),
    REAL("scale", struct eg_raw_calibration, scale),
    REAL("offset", struct eg_raw_calibration, offset),
    TEXT("from", struct eg_raw_calibration, from),
    TEXT("until", struct eg_raw_calibration, until),
    CYAML_FIELD_END};
static const cyaml_schema_value_t calibration_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_calibration, calibration_fields)};
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
    LIST("calibration", struct eg_raw_device, calibration, &calibration_entry),
    CYAML_FIELD_END};
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
        LIST("ambient", type, mapping.ambient, &text_entry),                                                 \
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
static const cyaml_schema_field_t limit_fields[] = {
    CYAML_FIELD_FLOAT("open", CYAML_FLAG_DEFAULT, struct eg_raw_limit, open),
    CYAML_FIELD_FLOAT("clear", CYAML_FLAG_DEFAULT, struct eg_raw_limit, clear), CYAML_FIELD_END};
static const cyaml_schema_field_t levels_fields[] = {
    GROUP("notice", struct eg_raw_levels, notice, limit_fields),
    GROUP("warning", struct eg_raw_levels, warning, limit_fields),
    GROUP("critical", struct eg_raw_levels, critical, limit_fields), CYAML_FIELD_END};
/* A band says what must be so: a range of a quantity stands under the quantity's name. */
#define EG_QUANTITY(id, unit, low, high, decimals, aliases, english, chinese)                                \
    LIST(#id, struct eg_raw_when, ranges[EG_Q_##id].ends, &text_entry),
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
static const cyaml_schema_field_t spans_fields[] = {SPANS(struct eg_raw_spans, NOTHING), CYAML_FIELD_END};
static const cyaml_schema_field_t deadline_fields[] = {
    SPANS(struct eg_raw_deadline, any.), GROUP("notice", struct eg_raw_deadline, notice, spans_fields),
    GROUP("warning", struct eg_raw_deadline, warning, spans_fields),
    GROUP("critical", struct eg_raw_deadline, critical, spans_fields), CYAML_FIELD_END};
static const cyaml_schema_field_t window_fields[] = {
    NEEDED("id", struct eg_raw_window, id),
    NEEDED("reason", struct eg_raw_window, reason),
    TEXT("site", struct eg_raw_window, site),
    TEXT("domain", struct eg_raw_window, domain),
    TEXT("device", struct eg_raw_window, device),
    TEXT("quantity", struct eg_raw_window, quantity),
    TEXT("rule", struct eg_raw_window, rule),
    CHOICE("level", struct eg_raw_window, level, level_words),
    TEXT("hours", struct eg_raw_window, hours),
    LIST("days", struct eg_raw_window, days, &weekday_entry),
    LIST("dates", struct eg_raw_window, dates, &text_entry),
    CYAML_FIELD_END};
static const cyaml_schema_value_t window_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_window, window_fields)};
static const cyaml_schema_field_t maintenance_fields[] = {
    GROUP("deadline", struct eg_raw_maintenance, deadline, spans_fields),
    LIST("windows", struct eg_raw_maintenance, windows, &window_entry), CYAML_FIELD_END};
static const cyaml_schema_field_t flapping_fields[] = {
    TEXT("window", struct eg_raw_flapping, window), WHOLE("high", struct eg_raw_flapping, high),
    WHOLE("low", struct eg_raw_flapping, low), CYAML_FIELD_END};
static const cyaml_strval_t case_levels[] = {
    {"notice", EG_LEVEL_NOTICE}, {"warning", EG_LEVEL_WARNING}, {"critical", EG_LEVEL_CRITICAL}};
static const cyaml_schema_field_t reports_fields[] = {
    LIST("submitters", struct eg_raw_reports, submitters, &text_entry),
    CHOICE("level", struct eg_raw_reports, level, case_levels),
    GROUP("deadline", struct eg_raw_reports, deadline, spans_fields), CYAML_FIELD_END};
static const cyaml_strval_t closings[] = {{"verified", EG_CLOSE_VERIFIED}, {"measured", EG_CLOSE_MEASURED}};
static const cyaml_schema_field_t regional_fields[] = {
    CYAML_FIELD_INT("sites", CYAML_FLAG_DEFAULT, struct eg_raw_regional, sites),
    NEEDED("within", struct eg_raw_regional, within), CYAML_FIELD_END};
static const cyaml_strval_t set_aside[] = {{"bad", EG_SET_ASIDE_BAD}, {"suspect", EG_SET_ASIDE_SUSPECT}};
static const cyaml_schema_field_t quality_limit_fields[] = {
    NEEDED("quantity", struct eg_raw_quality_limits, quantity),
    TEXT("site", struct eg_raw_quality_limits, site),
    TEXT("device", struct eg_raw_quality_limits, device),
    REAL("low", struct eg_raw_quality_limits, low),
    REAL("high", struct eg_raw_quality_limits, high),
    REAL("step", struct eg_raw_quality_limits, step),
    REAL("fall", struct eg_raw_quality_limits, fall),
    TEXT("stuck", struct eg_raw_quality_limits, stuck),
    TEXT("stuck_bad", struct eg_raw_quality_limits, stuck_bad),
    REAL("noise", struct eg_raw_quality_limits, noise),
    REAL("noise_share", struct eg_raw_quality_limits, noise_share),
    REAL("drift", struct eg_raw_quality_limits, drift),
    REAL("drift_share", struct eg_raw_quality_limits, drift_share),
    CYAML_FIELD_END};
static const cyaml_schema_value_t quality_limit_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_quality_limits, quality_limit_fields)};
static const cyaml_schema_field_t quality_fields[] = {
    CHOICE("set_aside", struct eg_raw_quality, set_aside, set_aside),
    REAL("humidity", struct eg_raw_quality, humidity), REAL("neighbours", struct eg_raw_quality, neighbours),
    LIST("limits", struct eg_raw_quality, limits, &quality_limit_entry), CYAML_FIELD_END};
static const cyaml_schema_field_t validity_fields[] = {
    TEXT("hour", struct eg_raw_validity, hour),
    WHOLE("eight_hours", struct eg_raw_validity, eight_hours),
    WHOLE("day", struct eg_raw_validity, day),
    WHOLE("month", struct eg_raw_validity, month),
    WHOLE("february", struct eg_raw_validity, february),
    WHOLE("year", struct eg_raw_validity, year),
    CYAML_FIELD_END};
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
    LIST("sites", struct eg_raw_rule, sites, &text_entry),
    TEXT("basis", struct eg_raw_rule, basis),
    TEXT("basis_zh", struct eg_raw_rule, basis_zh),
    TEXT("action", struct eg_raw_rule, action),
    TEXT("action_zh", struct eg_raw_rule, action_zh),
    TEXT("title", struct eg_raw_rule, title),
    TEXT("title_zh", struct eg_raw_rule, title_zh),
    GROUP("deadline", struct eg_raw_rule, deadline, deadline_fields),
    CHOICE("mode", struct eg_raw_rule, mode, modes),
    CHOICE("close", struct eg_raw_rule, close, closings),
    WHOLE("close_hours", struct eg_raw_rule, close_hours),
    TEXT("reopen_within", struct eg_raw_rule, reopen_within),
    GROUP("regional", struct eg_raw_rule, regional, regional_fields),
    WHOLE("limit", struct eg_raw_rule, limit),
    CYAML_FIELD_END};
static const cyaml_schema_value_t rule_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_rule, rule_fields)};
static const cyaml_strval_t whens[] = {{"silent", EG_WHEN_SILENT},
                                       {"outage", EG_WHEN_OUTAGE},
                                       {"suspect", EG_WHEN_SUSPECT},
                                       {"calibration", EG_WHEN_CALIBRATION}};
static const cyaml_schema_field_t device_rule_fields[] = {
    NEEDED("id", struct eg_raw_device_rule, id),
    CYAML_FIELD_ENUM("when", CYAML_FLAG_STRICT, struct eg_raw_device_rule, when, whens,
                     CYAML_ARRAY_LEN(whens)),
    CHOICE("level", struct eg_raw_device_rule, level, case_levels),
    TEXT("hold", struct eg_raw_device_rule, hold),
    TEXT("ahead", struct eg_raw_device_rule, ahead),
    WHOLE("devices", struct eg_raw_device_rule, devices),
    TEXT("domain", struct eg_raw_device_rule, domain),
    LIST("sites", struct eg_raw_device_rule, sites, &text_entry),
    TEXT("title", struct eg_raw_device_rule, title),
    TEXT("title_zh", struct eg_raw_device_rule, title_zh),
    TEXT("basis", struct eg_raw_device_rule, basis),
    TEXT("basis_zh", struct eg_raw_device_rule, basis_zh),
    TEXT("action", struct eg_raw_device_rule, action),
    TEXT("action_zh", struct eg_raw_device_rule, action_zh),
    GROUP("deadline", struct eg_raw_device_rule, deadline, spans_fields),
    CHOICE("mode", struct eg_raw_device_rule, mode, modes),
    CYAML_FIELD_END};
static const cyaml_schema_value_t device_rule_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_device_rule, device_rule_fields)};
static const cyaml_schema_value_t site_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_site, site_fields)};
static const cyaml_schema_value_t channel_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_channel, channel_fields)};
static const cyaml_schema_value_t party_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_party, party_fields)};
static const cyaml_schema_value_t source_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_source, source_fields)};
static const cyaml_schema_value_t preset_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_preset, preset_fields)};
static const cyaml_schema_value_t device_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct eg_raw_device, device_fields)};

static const cyaml_schema_field_t file_fields[] = {
    GROUP("mqtt", struct eg_raw, mqtt, mqtt_fields),
    GROUP("store", struct eg_raw, store, store_fields),
    GROUP("socket", struct eg_raw, socket, socket_fields),
    GROUP("board", struct eg_raw, board, board_fields),
    GROUP("metrics", struct eg_raw, metrics, metrics_fields),
    GROUP("clock", struct eg_raw, clock, clock_fields),
    GROUP("quality", struct eg_raw, quality, quality_fields),
    GROUP("validity", struct eg_raw, validity, validity_fields),
    GROUP("maintenance", struct eg_raw, maintenance, maintenance_fields),
    GROUP("reports", struct eg_raw, reports, reports_fields),
    GROUP("flapping", struct eg_raw, flapping, flapping_fields),
    GROUP("home_assistant", struct eg_raw, home_assistant, homeassistant_fields),
    TEXT("time_zone", struct eg_raw, time_zone),
    TEXT("late_limit", struct eg_raw, late_limit),
    TEXT("future_tolerance", struct eg_raw, future_tolerance),
    TEXT("templates", struct eg_raw, templates),
    YES_NO("auto_register", struct eg_raw, auto_register),
    WHOLE("max_devices", struct eg_raw, max_devices),
    LIST("include", struct eg_raw, include, &text_entry),
    LIST("rules", struct eg_raw, rules, &rule_entry),
    LIST("device_rules", struct eg_raw, device_rules, &device_rule_entry),
    LIST("sites", struct eg_raw, sites, &site_entry),
    LIST("channels", struct eg_raw, channels, &channel_entry),
    LIST("parties", struct eg_raw, parties, &party_entry),
    LIST("calendars", struct eg_raw, calendars, &calendar_entry),
    LIST("sources", struct eg_raw, sources, &source_entry),
    LIST("devices", struct eg_raw, devices, &device_entry),
    LIST("presets", struct eg_raw, presets, &preset_entry),
    CYAML_FIELD_END};
const cyaml_schema_value_t eg_schema_file = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct eg_raw, file_fields)};
