/* Knows separators, quotation marks and ends of lines. Refuses to know what stands in a cell. Called by the driver csv. */
#include "csv_row.h"

#include "codepoint.h"

#include <string.h>

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Behind the end of a line, whichever it is. */
static void skip_end(struct eg_csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at < csv->end && *csv->at == '\n')
        csv->at++;
    csv->next_line++;
}

static void skip_line(struct eg_csv *csv)
{
    while (csv->at < csv->end && !ends_line(*csv->at))
        csv->at++;
    skip_end(csv);
}

static void skip_what_is_no_row(struct eg_csv *csv)
{
    while (csv->at < csv->end) {
        const char *at = csv->at;
        while (at < csv->end && *at == ' ')
            at++;
        if (at < csv->end && *at != '#' && !ends_line(*at))
            return;
        csv->at = at;
        skip_line(csv);
    }
}

static char find_separator(const struct eg_csv *csv, bool decimal_comma)
{
    static const char candidates[] = "\t;,";
    bool seen[sizeof candidates] = {false}, quoted = false;
    for (const char *at = csv->at; at < csv->end && (quoted || !ends_line(*at)); at++) {
        quoted = quoted != (*at == '"');
        const char *found = quoted || *at == '\0' ? NULL : strchr(candidates, *at);
        if (found != NULL)
            seen[found - candidates] = true;
    }
    return seen[0] ? '\t' : seen[1] || decimal_comma ? ';' : ',';
}

void eg_csv_begin(struct eg_csv *csv, const uint8_t *payload, size_t length, char separator,
                  bool decimal_comma)
{
    const char *text = (const char *)payload;
    const size_t mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    csv->at = text + mark;
    csv->end = text + length;
    csv->line = csv->next_line = 1;
    csv->count = csv->used = 0;
    csv->wrong = NULL;
    skip_what_is_no_row(csv);
    csv->separator = separator != '\0' ? separator : find_separator(csv, decimal_comma);
}

static bool refuse(struct eg_csv *csv, const char *wrong)
{
    csv->wrong = wrong;
    return false;
}

/* Up to the closing mark; two marks are one. */
static bool read_quoted(struct eg_csv *csv, struct eg_csv_cell *cell)
{
    const char *begin = ++csv->at;
    size_t doubled = 0;
    for (; csv->at < csv->end; csv->at++) {
        if (ends_line(*csv->at) && !(*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n'))
            csv->next_line++;
        if (*csv->at != '"')
            continue;
        if (csv->at + 1 == csv->end || csv->at[1] != '"')
            break;
        csv->at++;
        doubled++;
    }
    if (csv->at == csv->end)
        return refuse(csv, "a quotation mark is not closed");
    *cell = (struct eg_csv_cell){begin, (size_t)(csv->at++ - begin)};
    if (doubled == 0)
        return true;
    if (cell->length > EG_CSV_ROOM - csv->used)
        return refuse(csv, "its texts with quotation marks in them are too long");
    char *to = csv->room + csv->used;
    for (size_t i = 0; i < cell->length; i++) {
        csv->room[csv->used++] = begin[i];
        i += begin[i] == '"';
    }
    *cell = (struct eg_csv_cell){to, cell->length - doubled};
    return true;
}

static bool ends_cell(const struct eg_csv *csv)
{
    return csv->at == csv->end || *csv->at == csv->separator || ends_line(*csv->at);
}

static bool read_cell(struct eg_csv *csv, struct eg_csv_cell *cell)
{
    while (!ends_cell(csv) && is_blank(*csv->at))
        csv->at++;
    if (csv->at < csv->end && *csv->at == '"') {
        if (!read_quoted(csv, cell))
            return false;
        while (!ends_cell(csv) && is_blank(*csv->at))
            csv->at++;
        return ends_cell(csv) || refuse(csv, "something follows a closing quotation mark");
    }
    const char *begin = csv->at;
    while (!ends_cell(csv))
        csv->at++;
    const char *end = csv->at;
    while (end > begin && is_blank(end[-1]))
        end--;
    *cell = (struct eg_csv_cell){begin, (size_t)(end - begin)};
    return true;
}

static bool is_text(const struct eg_csv_cell *whole)
{
    for (size_t at = 0; at < whole->length;) {
        uint32_t codepoint;
        const unsigned char c = (unsigned char)whole->text[at];
        const size_t used = c >= 0x80 ? eg_codepoint_next(whole->text + at, whole->length - at, &codepoint)
                            : c >= 0x20 || c == '\t' || c == '\r' || c == '\n' ? 1
                                                                               : 0;
        if (used == 0)
            return false;
        at += used;
    }
    return true;
}

enum eg_csv_result eg_csv_next(struct eg_csv *csv)
{
    skip_what_is_no_row(csv);
    csv->count = csv->used = 0;
    csv->line = csv->next_line;
    if (csv->at == csv->end)
        return EG_CSV_END;
    const char *begin = csv->at;
    for (;;) {
        if (csv->count == EG_CSV_CELLS_MAX) {
            csv->wrong = "more than 256 columns";
            return EG_CSV_WRONG;
        }
        if (!read_cell(csv, &csv->cells[csv->count++]))
            return EG_CSV_WRONG;
        if (csv->at == csv->end || ends_line(*csv->at))
            break;
        csv->at++;
    }
    csv->whole = (struct eg_csv_cell){begin, (size_t)(csv->at - begin)};
    if (!is_text(&csv->whole)) {
        csv->wrong = "control characters, or no UTF-8";
        return EG_CSV_WRONG;
    }
    skip_end(csv);
    return EG_CSV_ROW;
}
