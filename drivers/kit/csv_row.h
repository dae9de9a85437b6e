/* Rows of separated cells (RFC 4180, and what passes for it), read on the payload itself. */
#ifndef EG_CSV_ROW_H
#define EG_CSV_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EG_CSV_CELLS_MAX 256
#define EG_CSV_ROOM 2048 /* bytes of a row's cells that hold doubled quotation marks */

struct eg_csv_cell {
    const char *text; /* without blanks around it; of the payload, or of the row's room: until the next row */
    size_t length;
};
struct eg_csv {
    const char *at, *end;
    char separator;
    size_t line; /* of the row, from 1 on */
    size_t next_line;
    size_t count;
    struct eg_csv_cell cells[EG_CSV_CELLS_MAX];
    struct eg_csv_cell whole; /* the row as it stands */
    const char *wrong;        /* a sentence */
    size_t used;
    char room[EG_CSV_ROOM];
};
enum eg_csv_result { EG_CSV_ROW, EG_CSV_END, EG_CSV_WRONG };

/* Separator '\0': the first of tab, ';' and ',' that stands in the first row; never ',' with a decimal comma. */
void eg_csv_begin(struct eg_csv *csv, const uint8_t *payload, size_t length, char separator,
                  bool decimal_comma);
/* Passes over empty lines and those that begin with '#'. */
enum eg_csv_result eg_csv_next(struct eg_csv *csv);

#endif
