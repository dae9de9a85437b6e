/* Writes a guess as YAML that can be pasted under `sources:`, with what is doubtful or was left out as comments. Refuses to guess: topic,
 * site and domain it is told, or says that they are to be filled in. Called by run_try.c. */
#include "guess_inside.h"

#include <base/json.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TOPIC_TEXT 256

static void put(struct eg_buf *out, const char *text)
{
    eg_buf_text(out, text);
}

/* In quotes: whatever a payload holds is a text then. JSON's are YAML's, too, but for characters that end a line in YAML. */
static void put_quoted(struct eg_buf *out, const char *text)
{
    char escape[8];
    put(out, "\"");
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t odd = guess_odd((const char *)at);
        unsigned code = odd == 3   ? (at[0] & 0x0Fu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu)
                        : odd == 2 ? (at[0] & 0x1Fu) << 6 | (at[1] & 0x3Fu)
                                   : *at;
        snprintf(escape, sizeof escape, *at == '"' || *at == '\\' ? "\\%c" : odd ? "\\u%04x" : "%c", code);
        put(out, escape);
        at += odd ? odd : 1;
    }
    put(out, "\"");
}

static void put_key(struct eg_buf *out, const char *key, const char *text)
{
    put(out, "  ");
    put(out, key);
    put(out, ": ");
    put_quoted(out, text);
    put(out, "\n");
}

static void put_number(struct eg_buf *out, double value)
{
    char text[EG_NUMBER_TEXT];
    put(out, eg_number_format(value, text));
}

/* --- the topic --- */

static bool generic(const char *level)
{
    static const char *const words[] = {
        "state",     "data",   "up",    "json",   "sensor", "sensors", "reading",     "readings",
        "telemetry", "tele",   "stat",  "status", "event",  "events",  "value",       "values",
        "devices",   "device", "info",  "raw",    "uplink", "rx",      "measurement", "measurements",
        "air",       "soil",   "waste", "water",  NULL};
    for (size_t i = 0; words[i]; i++)
        if (strcasecmp(words[i], level) == 0)
            return true;
    return level[0] == 'v' && isdigit((unsigned char)level[1]) && strlen(level) <= 3;
}

static bool digits_in(const char *text)
{
    return strpbrk(text, "0123456789") != NULL;
}

/* Which level of the topic names the device: the one that the payload names, else one with digits, else the last that is no everyday word.
 * -1: none. */
static int device_level(const char *topic, const char *device)
{
    char level[TOPIC_TEXT];
    int found = -1, rank = 0, number = 0;
    for (const char *at = topic;; number++) {
        size_t length = strcspn(at, "/");
        snprintf(level, sizeof level, "%.*s", (int)length, at);
        int worth = !*level                                    ? 0
                    : device && strcasecmp(device, level) == 0 ? 4
                    : generic(level)                           ? 0
                    : digits_in(level)                         ? 2
                                                               : 1;
        if (worth && worth >= rank && (number > 0 || worth > 2)) {
            found = number;
            rank = worth;
        }
        if (!at[length])
            return found;
        at += length + 1;
    }
}

static void write_template(const char *topic, int level, char out[TOPIC_TEXT])
{
    int number = 0;
    size_t used = 0;
    *out = '\0';
    for (const char *at = topic; used < TOPIC_TEXT; number++) {
        size_t length = strcspn(at, "/");
        used += (size_t)snprintf(out + used, TOPIC_TEXT - used, "%s%.*s", number ? "/" : "",
                                 number == level ? 8 : (int)length, number == level ? "{device}" : at);
        if (!at[length])
            return;
        at += length + 1;
    }
}

static void put_id(struct eg_buf *out, const char *topic)
{
    char id[32] = "guessed";
    size_t used = 0;
    for (const char *at = topic ? topic : ""; *at && used + 1 < sizeof id; at++) {
        char c = (char)tolower((unsigned char)*at);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            id[used++] = c;
        else if (*at == '/' && used)
            break;
        else if (used && id[used - 1] != '-')
            id[used++] = '-';
        if (used)
            id[used] = '\0';
    }
    put(out, "- id: ");
    put(out, id);
    put(out, "\n");
}

static void put_topic(struct eg_buf *out, const struct guess_place *place, const char *device,
                      bool payload_names)
{
    char template[TOPIC_TEXT];
    if (!place->topic) {
        guess_note(out, "the topic was not told: put the devices' own here, {device} for the level that "
                        "names the device");
        put_key(out, "topic", payload_names ? "guessed/+" : "guessed/{device}");
        return;
    }
    int level = device_level(place->topic, device);
    if (payload_names) /* the level that changes from device to device stays open */
        level = device && level >= 0 ? level : -1;
    write_template(place->topic, level, template);
    put_key(out, "topic", template);
    if (level < 0 && !payload_names)
        put_key(out, "device", "guessed");
}

static void put_place(struct eg_buf *out, const struct guess_place *place, const char *domain)
{
    if (!place->site)
        guess_note(out, "the site was not told: one of the configuration's");
    put_key(out, "site", place->site ? place->site : "your-site");
    put_key(out, "domain", place->domain ? place->domain : domain);
}

/* --- fields --- */

static const struct {
    enum eg_quantity first, last;
    const char *domain;
} rooms[] = {{EG_Q_soil_moisture, EG_Q_zn, "soil"},
             {EG_Q_fill_level, EG_Q_tilt, "waste"},
             {EG_Q_water_temp, EG_Q_level, "water"}};
#define ROOMS (sizeof rooms / sizeof *rooms)

static bool in_room(size_t room, int quantity)
{
    return quantity >= (int)rooms[room].first && quantity <= (int)rooms[room].last;
}

static const char *domain_of_one(int quantity)
{
    for (size_t r = 0; r < ROOMS; r++)
        if (in_room(r, quantity))
            return rooms[r].domain;
    return "air";
}

static const char *domain_of(const struct guess *guess)
{
    size_t best = 0;
    const char *domain = "air";
    for (size_t r = 0; r < ROOMS; r++) {
        size_t count = 0;
        for (size_t i = 0; i < guess->field_count; i++)
            count += in_room(r, guess->fields[i].unit.quantity);
        if (count > best) {
            best = count;
            domain = rooms[r].domain;
        }
    }
    return domain;
}

static void put_field(struct eg_buf *out, const struct guess_field *field)
{
    const struct eg_quantity_info *info = eg_quantity_info(field->unit.quantity);
    char value[EG_NUMBER_TEXT], note[GUESS_NOTE];
    put(out, "    - {path: ");
    put_quoted(out, field->path);
    put(out, ", quantity: ");
    put(out, info->name);
    if (field->unit.unit) {
        put(out, ", unit: ");
        put_quoted(out, field->unit.unit);
    }
    if (*field->channel) {
        put(out, ", channel: ");
        put_quoted(out, field->channel);
    }
    if (field->unit.scale != 1 && !field->missing) {
        put(out, ", scale: ");
        put_number(out, field->unit.scale);
    }
    if (field->missing) {
        put(out, ", missing: [");
        put_number(out, field->number);
        put(out, "]");
    }
    put(out, "}  ");
    if (field->missing)
        snprintf(note, sizeof note, "%s: the device could not measure",
                 eg_number_format(field->number, value));
    else if (!field->has_number)
        snprintf(note, sizeof note, "without a value in this payload");
    else
        snprintf(note, sizeof note, "%s %s%s", eg_number_format(field->unit.value, value), info->unit,
                 field->unit.sure ? "" : ", a guess by its size");
    guess_note(out, "%s", note);
}

static void put_times(struct eg_buf *out, const struct guess *guess, const struct guess_place *place)
{
    if (!guess->time)
        return;
    put_key(out, "time", guess->time->pointer);
    if (guess->nanoseconds)
        put_key(out, "precision", "ns");
    if (!guess->zoneless)
        return;
    if (place->utc_offset)
        put_key(out, "utc_offset", place->utc_offset);
    guess_note(out, "  the time says no zone: is it %s?", place->utc_offset ? place->utc_offset : "UTC");
}

void guess_write(const struct guess *guess, const struct guess_place *place, struct eg_buf *out)
{
    bool named = guess->device != NULL;
    const char *device = named ? cJSON_GetStringValue(guess->device->item) : NULL;
    put_id(out, place->topic);
    put_topic(out, place, device, named);
    put_place(out, place, domain_of(guess));
    put(out, "  driver: json\n");
    if (named)
        put_key(out, "device_path", guess->device->pointer);
    put_times(out, guess, place);
    if (*guess->readings)
        put_key(out, "readings", guess->readings);
    if (guess->channel)
        put_key(out, "channel", guess->channel->pointer);
    if (*guess->key) {
        put_key(out, "quantity", guess->key);
        if (*guess->value)
            put_key(out, "value", guess->value);
    }
    put(out, "  fields:\n");
    for (size_t i = 0; i < guess->field_count; i++)
        put_field(out, &guess->fields[i]);
    if (guess->notes.length)
        guess_note(out, "left out:");
    if (guess->notes.length)
        eg_buf_add(out, guess->notes.data, guess->notes.length);
    if (guess->cut)
        guess_note(out, "there is more, deeper or longer than is looked at");
}

void guess_write_driver(const char *driver, bool names_device, const struct guess_place *place,
                        struct eg_buf *out)
{
    put_id(out, place->topic);
    put_topic(out, place, NULL, names_device);
    put_place(out, place, "air");
    put(out, "  driver: ");
    put(out, driver);
    put(out, "\n");
}

void guess_write_preset(const char *preset, const struct guess_place *place, struct eg_buf *out)
{
    put_id(out, place->topic);
    put(out, "  preset: ");
    put(out, preset);
    put(out, "\n");
    put_topic(out, place, NULL, false);
    put_place(out, place, "air");
}

/* The topic is a certain one, so the device stands beside it, where the announcement names it. */
void guess_write_announced(const struct guess_announced *announced, const struct guess_place *place,
                           struct eg_buf *out)
{
    struct guess_place where = *place;
    const char *unit = announced->unit_known && *announced->unit ? announced->unit : NULL;
    where.topic = announced->topic;
    put_id(out, announced->topic);
    if (announced->device) {
        put_key(out, "topic", announced->topic);
        put_key(out, "device", announced->device);
    } else {
        put_topic(out, &where, NULL, false);
    }
    put_place(out, &where, domain_of_one(announced->quantity));
    put(out, *announced->path ? "  driver: json\n  unmatched: ignore\n  fields:\n    - {path: "
                              : "  driver: value\n  unmatched: ignore\n  quantity: ");
    if (*announced->path) {
        put_quoted(out, announced->path);
        put(out, ", quantity: ");
    }
    put(out, eg_quantity_info(announced->quantity)->name);
    put(out, *announced->path ? "" : "\n");
    if (unit && *announced->path) {
        put(out, ", unit: ");
        put_quoted(out, unit);
    } else if (unit) {
        put_key(out, "unit", unit);
    }
    put(out, *announced->path ? "}\n" : "");
    if (!announced->unit_known)
        guess_note(out, "the announced unit \"%s\" is none of %s: is it %s?", announced->unit,
                   eg_quantity_info(announced->quantity)->name, eg_quantity_info(announced->quantity)->unit);
}
