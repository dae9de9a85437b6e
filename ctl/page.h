/* What people see: text that cannot harm a terminal, colours, tables whose columns line up in any script. */
#ifndef EG_CTL_PAGE_H
#define EG_CTL_PAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum tone { PLAIN, BOLD, DIM, GOOD, MILD, BAD, WORST };

/* Colours only on a terminal and without NO_COLOR; its width. Not called: none. */
void page_init(void);
#define PAGE_COLUMNS 80 /* where nobody knows */
size_t page_columns(void);
bool page_narrow(void);                 /* a terminal of fewer than a hundred */
enum tone page_tone(const char *state); /* of a level, condition, handling, device state */
/* Hostile text: control characters and what turns the writing direction come out as U+FFFD. */
void page_put(enum tone tone, const char *text);
void page_putf(enum tone tone, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text and blanks behind it up to `columns`, at least two. */
void page_label(enum tone tone, const char *text, size_t columns);

#define TABLE_COLUMNS 13 /* of devices, with all that any of them tells */
struct table {
    size_t columns, rows, capacity;
    size_t cut_to;             /* so much is left at least of a column that is cut; 0: 11 */
    bool right[TABLE_COLUMNS]; /* numbers: to the right */
    struct cell {
        char *text; /* Owned */
        enum tone tone;
    } * cells; /* rows × columns; the first row is the head */
    bool failed;
};
/* `heads`: words, NULL-terminated; one that begins with '>' is a column of numbers. */
void table_init(struct table *table, const char *const *heads);
/* The next cell, row by row. Copies; NULL (unknown, not given) is shown as "-". */
void table_add(struct table *table, enum tone tone, const char *text);
void table_addf(struct table *table, enum tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints (a table without rows says that there is nothing), and lets go of the memory. On a terminal it fits: long texts are cut, never the
 * first column, which names the row. */
void table_print(struct table *table, int indent);
void table_finish(struct table *table); /* lets go of it unprinted */

/* Times in the daemon's zone, as eg_zone_use() has set it. */
#define PAGE_TEXT 64
const char *page_time(const char *rfc3339,
                      char out[PAGE_TEXT]); /* "11-23 15:04", with the year when it is not this one's */
const char *page_time_full(const char *rfc3339, char out[PAGE_TEXT]); /* "2026-11-23 15:04:05" */
size_t page_width(const char *text);                                  /* in columns of a terminal */
const char *page_span(int64_t ms, char out[PAGE_TEXT]);               /* "3 d 4 h" */
const char *page_bytes(double bytes, char out[PAGE_TEXT]);            /* "1.4 MB" */
const char *page_count(double count, char out[PAGE_TEXT]);            /* "1,234,567" */
/* A value with the decimals its quantity is shown with. */
const char *page_value(const char *quantity, double value, char out[PAGE_TEXT]);
const char *page_unit(const char *unit, char out[PAGE_TEXT]); /* "µg/m³" for "ug/m3"; "" for "1" */
#endif
