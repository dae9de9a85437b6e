/* csv: rows of separated values, with a line of column names or without.
 *
 *   time,temp,rh                               "Datum";"Uhrzeit";"PM2,5 (µg/m³)"
 *   2026-11-23T07:00:00Z,21.5,60               23.11.2026;08:00;"12,5"
 *   2026-11-23T07:10:00Z,21.4,61
 *                                              separator: ";"  decimal: ","  time: Datum+Uhrzeit  time_format: "%d.%m.%Y %H:%M"
 *   1795417200;21.5;60                         time: "1"  fields: [{path: "2", quantity: temperature}, {path: "3", …}]
 *
 * A column is named by what stands over it (in any case) or by its number from 1 on. fields: (path = the column) say what is read; without
 * fields, columns are, by the dictionary; a unit in brackets behind a column's name counts where nobody says another. time:, channel: and
 * device_path: are columns, too; the time may be of several, joined with '+'; when nothing is said, it is a column called time,
 * timestamp, ts, datetime or date_time, or date and time. Without a time a message has one row.
 *
 * Where all that is said are numbers of columns there need be no line of names: one that is there is found out by holding no number. A
 * line of names that comes again is passed over, and so are empty lines and those that begin with '#'. separator: is "," ";" "|" or "tab";
 * when nothing is said, it is the first of tab, ';' and ',' that stands in the first line. Cells may be in quotation marks (RFC 4180).
 *
 * Empty cells and words are no readings, "nan" and the field's codes are faults. Refused: a number that is none, a column that is said
 * and is not there, a time that is none, two readings of one time, or nothing known at all.
 *
 * https://www.rfc-editor.org/rfc/rfc4180 */
#include <ecogov/driver.h>

#include "kit/csv_plan.h"
#include "kit/csv_row.h"
#include "kit/excerpt.h"
#include "kit/names.h"
#include "kit/twice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BYTES_MAX (256 * 1024)
#define CELL_MAX 64 /* bytes of a number */
#define TIME_MAX 64
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

struct place { /* a value's column in this message */
    size_t column;
    const struct eg_field_plan *plan;
    struct eg_field_plan own;
};
struct reader {
    const struct eg_csv_plan *plan;
    struct eg_sink *sink;
    struct eg_csv csv;
    size_t times[EG_CSV_TIMES_MAX], time_count, channel, device;
    struct place places[EG_CSV_FIELDS_MAX];
    size_t place_count;
    char unknown[EG_EXCERPT_MAX];
};

/* --- the line of names --- */

/* A column's name without the unit in brackets behind it, which is copied. */
static size_t bare_name(const struct eg_csv_cell *cell, char unit[CELL_MAX])
{
    size_t length = cell->length;
    unit[0] = '\0';
    if (length < 3 || (cell->text[length - 1] != ')' && cell->text[length - 1] != ']'))
        return length;
    const char open = cell->text[length - 1] == ')' ? '(' : '[';
    size_t at = length - 1;
    while (at > 0 && cell->text[at] != open)
        at--;
    if (at == 0 || length - at - 2 >= CELL_MAX)
        return length;
    (void)snprintf(unit, CELL_MAX, "%.*s", (int)(length - at - 2), cell->text + at + 1);
    while (at > 0 && cell->text[at - 1] == ' ')
        at--;
    return at;
}

static bool same_name(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(text, name, length) == 0;
}

static size_t find_column(const struct reader *reader, const char *name)
{
    char unit[CELL_MAX];
    for (size_t i = 0; i < reader->csv.count; i++)
        if (same_name(reader->csv.cells[i].text, reader->csv.cells[i].length, name))
            return i;
    for (size_t i = 0; i < reader->csv.count; i++)
        if (same_name(reader->csv.cells[i].text, bare_name(&reader->csv.cells[i], unit), name))
            return i;
    return EG_CSV_NOWHERE;
}

static enum eg_verdict locate(const struct reader *reader, const struct eg_csv_column *column, size_t *ret_at)
{
    char shown[EG_EXCERPT_MAX];
    *ret_at = column->number != EG_CSV_NOWHERE ? column->number : EG_CSV_NOWHERE;
    if (column->name[0] == '\0' || *ret_at != EG_CSV_NOWHERE)
        return EG_DECODED;
    *ret_at = find_column(reader, column->name);
    return *ret_at != EG_CSV_NOWHERE
               ? EG_DECODED
               : REFUSE(reader->sink, EG_IMPLAUSIBLE, "line %zu has no column \"%s\"", reader->csv.line,
                        eg_excerpt_write(column->name, strlen(column->name), shown));
}

static void locate_usual_time(struct reader *reader)
{
    static const char *const usual[] = {"time", "timestamp", "ts", "datetime", "date_time", "date time"};
    const size_t date = find_column(reader, "date"), time = find_column(reader, "time");
    if (date != EG_CSV_NOWHERE && time != EG_CSV_NOWHERE) {
        reader->times[0] = date;
        reader->times[1] = time;
        reader->time_count = 2;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual && reader->time_count == 0; i++) {
        reader->times[0] = find_column(reader, usual[i]);
        reader->time_count = reader->times[0] != EG_CSV_NOWHERE;
    }
}

/* The unit that the column says, for a plan that has none. */
static enum eg_verdict take_unit(struct reader *reader, struct place *place, const char *unit)
{
    char shown[EG_EXCERPT_MAX];
    if (unit[0] == '\0' || eg_unit_find(place->own.quantity, unit, &place->own.unit))
        return EG_DECODED;
    return REFUSE(reader->sink, EG_IMPLAUSIBLE, "%s does not come in \"%s\"; say its unit in fields",
                  eg_quantity_info(place->own.quantity)->name, eg_excerpt_write(unit, strlen(unit), shown));
}

static enum eg_verdict place_field(struct reader *reader, const struct eg_csv_field *field, bool by_name)
{
    char unit[CELL_MAX];
    struct place *place = &reader->places[reader->place_count++];
    place->plan = &field->plan;
    const enum eg_verdict verdict = locate(reader, &field->column, &place->column);
    if (verdict != EG_DECODED || !by_name || field->own_unit || place->column >= reader->csv.count)
        return verdict;
    (void)bare_name(&reader->csv.cells[place->column], unit);
    place->own = field->plan; /* borrows its lists */
    place->plan = &place->own;
    return take_unit(reader, place, unit);
}

static enum eg_verdict place_known(struct reader *reader)
{
    char unit[CELL_MAX];
    enum eg_verdict verdict = EG_DECODED;
    for (size_t i = 0;
         i < reader->csv.count && reader->place_count < EG_CSV_FIELDS_MAX && verdict == EG_DECODED; i++) {
        const struct eg_csv_cell *cell = &reader->csv.cells[i];
        struct place *place = &reader->places[reader->place_count];
        const size_t length = bare_name(cell, unit);
        int quantity = eg_quantity_index_find(&reader->plan->names, cell->text, length);
        place->own = (struct eg_field_plan){.scale = 1, .unit = {1, 0}};
        if (i == reader->device || i == reader->channel || i == reader->times[0] ||
            (quantity == EG_QUANTITY_NONE && !eg_names_guess(&reader->plan->names, cell->text, length, NULL,
                                                             &quantity, place->own.channel))) {
            if (reader->unknown[0] == '\0' && i != reader->times[0])
                (void)eg_excerpt_write(cell->text, cell->length, reader->unknown);
            continue;
        }
        place->own.quantity = (uint16_t)quantity;
        place->plan = &place->own;
        place->column = i;
        reader->place_count++;
        verdict = take_unit(reader, place, unit);
    }
    return verdict;
}

/* Where everything is; `by_name`: the row at hand is the line of names. */
static enum eg_verdict settle(struct reader *reader, bool by_name)
{
    const struct eg_csv_plan *plan = reader->plan;
    enum eg_verdict verdict = locate(reader, &plan->channel, &reader->channel);
    if (verdict == EG_DECODED)
        verdict = locate(reader, &plan->device, &reader->device);
    reader->times[0] = EG_CSV_NOWHERE;
    for (; reader->time_count < plan->time_count && verdict == EG_DECODED; reader->time_count++)
        verdict = locate(reader, &plan->times[reader->time_count], &reader->times[reader->time_count]);
    if (by_name && plan->time_count == 0)
        locate_usual_time(reader);
    for (size_t i = 0; i < plan->field_count && verdict == EG_DECODED; i++)
        verdict = place_field(reader, &plan->fields[i], by_name);
    return plan->field_count > 0 || verdict != EG_DECODED ? verdict : place_known(reader);
}

/* --- a row of values --- */

static struct eg_csv_cell cell_at(const struct reader *reader, size_t column)
{
    return column < reader->csv.count ? reader->csv.cells[column] : (struct eg_csv_cell){"", 0};
}

static enum eg_verdict read_time(const struct reader *reader, int64_t *ret_ms)
{
    char text[TIME_MAX], shown[EG_EXCERPT_MAX];
    size_t used = 0;
    for (size_t i = 0; i < reader->time_count; i++) {
        const struct eg_csv_cell cell = cell_at(reader, reader->times[i]);
        if (cell.length + 1 >= sizeof text - used)
            return REFUSE(reader->sink, EG_MALFORMED, "line %zu: \"%s\" is too long for a time",
                          reader->csv.line, eg_excerpt_write(cell.text, cell.length, shown));
        if (used > 0 && cell.length > 0)
            text[used++] = ' ';
        memcpy(text + used, cell.text, cell.length);
        used += cell.length;
    }
    if (used == 0 || eg_stamp_text(&reader->plan->stamp, text, used, ret_ms))
        return EG_DECODED;
    return REFUSE(reader->sink, EG_MALFORMED, "line %zu: \"%s\" is no time; say its time_format",
                  reader->csv.line, eg_excerpt_write(text, used, shown));
}

static enum eg_field_kind read_number(const struct reader *reader, const struct eg_field_plan *plan,
                                      struct eg_csv_cell cell, double *ret_value)
{
    char copy[CELL_MAX];
    if (!reader->plan->comma || cell.length > sizeof copy)
        return eg_field_text(plan, cell.text, cell.length, ret_value);
    for (size_t i = 0; i < cell.length; i++)
        copy[i] = cell.text[i] == ',' ? '.' : cell.text[i];
    return eg_field_text(plan, copy, cell.length, ret_value);
}

static enum eg_verdict read_cell(struct reader *reader, const struct place *place, const char *channel,
                                 int64_t time_ms)
{
    char shown[EG_EXCERPT_MAX];
    const struct eg_csv_cell cell = cell_at(reader, place->column);
    const struct eg_field_plan *plan = place->plan;
    double value;
    if (plan->channel[0] != '\0')
        channel = plan->channel;
    switch (cell.length == 0 ? EG_FIELD_NONE : read_number(reader, plan, cell, &value)) {
    case EG_FIELD_NUMBER:
        return eg_sink_add(reader->sink, plan->quantity, channel, time_ms, value) ? EG_DECODED
                                                                                  : EG_IMPLAUSIBLE;
    case EG_FIELD_FAULT:
        eg_sink_fault(reader->sink, plan->quantity, channel, eg_excerpt_write(cell.text, cell.length, shown));
        return EG_DECODED;
    case EG_FIELD_WRONG:
        return REFUSE(reader->sink, EG_MALFORMED, "line %zu: \"%s\" is no number for %s", reader->csv.line,
                      eg_excerpt_write(cell.text, cell.length, shown),
                      eg_quantity_info(plan->quantity)->name);
    default:
        return EG_DECODED;
    }
}

static enum eg_verdict read_values(struct reader *reader)
{
    char channel[EG_CHANNEL_MAX + 1] = "";
    int64_t time_ms = EG_TIME_NONE;
    const struct eg_csv_cell device = cell_at(reader, reader->device), own = cell_at(reader, reader->channel);
    if (own.length > EG_CHANNEL_MAX)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE,
                      "line %zu: the channel's name has %zu bytes, the most is %d", reader->csv.line,
                      own.length, EG_CHANNEL_MAX);
    memcpy(channel, own.text, own.length);
    if (!eg_sink_device(reader->sink, device.text, device.length))
        return EG_IMPLAUSIBLE;
    enum eg_verdict verdict = read_time(reader, &time_ms);
    for (size_t i = 0; i < reader->place_count && verdict == EG_DECODED; i++)
        verdict = read_cell(reader, &reader->places[i], channel, time_ms);
    return verdict;
}

/* --- the whole --- */

/* No cell that is looked at holds a number, and one holds a word. */
static bool is_line_of_names(const struct reader *reader)
{
    bool word = false;
    double value;
    for (size_t i = 0; i < reader->place_count; i++) {
        const struct eg_csv_cell cell = cell_at(reader, reader->places[i].column);
        const enum eg_field_kind kind =
            cell.length == 0 ? EG_FIELD_NONE : read_number(reader, reader->places[i].plan, cell, &value);
        if (kind != EG_FIELD_NONE)
            return false;
        word = word || cell.length > 0;
    }
    return word;
}

static enum eg_verdict read_rows(struct reader *reader)
{
    struct eg_csv_cell names = {"", 0}; /* the whole line, as it stands */
    enum eg_verdict verdict = EG_DECODED;
    enum eg_csv_result result;
    for (size_t row = 0; verdict == EG_DECODED; row++) {
        result = eg_csv_next(&reader->csv);
        if (result == EG_CSV_END)
            return EG_DECODED;
        if (result == EG_CSV_WRONG)
            return REFUSE(reader->sink, EG_MALFORMED, "line %zu: %s", reader->csv.line, reader->csv.wrong);
        if (row == 0) {
            verdict = settle(reader, reader->plan->named);
            if (verdict == EG_DECODED && (reader->plan->named || is_line_of_names(reader)))
                names = reader->csv.whole;
            else if (verdict == EG_DECODED)
                verdict = read_values(reader);
        } else if (names.length != reader->csv.whole.length ||
                   memcmp(names.text, reader->csv.whole.text, names.length) != 0) {
            verdict = read_values(reader);
        }
    }
    return verdict;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    struct eg_csv_plan plain;
    struct reader reader;
    eg_sink_reset(sink);
    if (message->payload_len == 0 || message->payload_len > BYTES_MAX)
        return REFUSE(sink, EG_MALFORMED, "%zu bytes; a table has 1 to %d", message->payload_len, BYTES_MAX);
    if (prepared == NULL) {
        plain = (struct eg_csv_plan){
            .named = true, .channel = {.number = EG_CSV_NOWHERE}, .device = {.number = EG_CSV_NOWHERE}};
        eg_quantity_index_init(&plain.names);
    }
    reader.plan = prepared == NULL ? &plain : prepared;
    reader.sink = sink;
    reader.time_count = reader.place_count = 0;
    reader.unknown[0] = '\0';
    eg_csv_begin(&reader.csv, message->payload, message->payload_len, reader.plan->separator,
                 reader.plan->comma);
    const enum eg_verdict verdict = read_rows(&reader);
    if (verdict != EG_DECODED)
        return verdict;
    if (sink->count == 0 && sink->fault_count == 0)
        return REFUSE(sink, EG_IMPLAUSIBLE,
                      reader.place_count == 0 && reader.unknown[0] != '\0'
                          ? "no column is a known quantity, the first is \"%s\"; name it in fields"
                          : "there is no value in it%s",
                      reader.place_count == 0 ? reader.unknown : "");
    const size_t twice = eg_twice_find(sink);
    return twice == sink->count ? EG_DECODED
                                : REFUSE(sink, EG_MALFORMED, "%s is given twice for one time%s",
                                         eg_quantity_info(sink->readings[twice].quantity)->name,
                                         reader.time_count == 0 ? ": say which column the time is" : "");
}

extern const struct eg_driver eg_driver_csv;
const struct eg_driver eg_driver_csv = {
    .name = "csv",
    .about = "Rows of separated values, with a line of names or without",
    .keys = "time channel device_path unit precision utc_offset time_format separator decimal fields words",
    .prepare = eg_csv_plan_prepare,
    .release = eg_csv_plan_release,
    .decode = decode,
};
