/* Knows how text reaches a terminal: colours, columns, nothing that could take the terminal over. Refuses to know what is told. */
#include "page.h"
#include "words.h"

#include <base/utf8.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GAP 2

#define CUT_TO 11                /* so much is left at least of a column that is cut */
static bool colours;             /* set once, by page_init() */
static size_t columns_of_screen; /* likewise; 0: nobody knows, or it is no terminal */

void page_init(void)
{
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
    struct winsize size;
    columns_of_screen = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    colours = isatty(STDOUT_FILENO) && !(none && *none) && !(terminal && strcmp(terminal, "dumb") == 0);
}

size_t page_columns(void)
{
    return columns_of_screen ? columns_of_screen : PAGE_COLUMNS;
}

bool page_narrow(void)
{
    return columns_of_screen && columns_of_screen < 100;
}

enum tone page_tone(const char *state)
{
    static const struct {
        const char *state;
        enum tone tone;
    } tones[] = {{"notice", MILD},  {"warning", BAD}, {"critical", WORST}, {"breaching", BAD},
                 {"ok", GOOD},      {"unknown", DIM}, {"open", BOLD},      {"closed", DIM},
                 {"rejected", DIM}, {"fixed", GOOD},  {"reporting", GOOD}, {"silent", BAD},
                 {"late", MILD},    {"retired", DIM}, {"failed", BAD},     {"delivered", GOOD}};
    for (size_t i = 0; state && i < sizeof tones / sizeof *tones; i++)
        if (strcmp(tones[i].state, state) == 0)
            return tones[i].tone;
    return PLAIN;
}

/* The bytes of the character at `at` when it must not reach a terminal, else 0. */
static size_t harmful(const unsigned char *at)
{
    if (*at < 0x20 || *at == 0x7F)
        return 1;
    if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0)
        return 2; /* C1 */
    if (at[0] == 0xE2 && at[1] == 0x80 &&
        ((at[2] >= 0xAA && at[2] <= 0xAE) || at[2] == 0xA8 || at[2] == 0xA9))
        return 3; /* U+202A … U+202E, line and paragraph separators */
    if (at[0] == 0xE2 && at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9)
        return 3; /* U+2066 … U+2069 */
    return 0;
}

static void put_clean(const char *text)
{
    if (!eg_utf8_valid(text, strlen(text)))
        text = "\xEF\xBF\xBD";
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t bad = harmful(at);
        if (bad)
            fputs("\xEF\xBF\xBD", stdout);
        else
            putchar(*at);
        at += bad ? bad : 1;
    }
}

/* As put_clean() prints it. */
size_t page_width(const char *text)
{
    size_t extra = 0;
    if (!eg_utf8_valid(text, strlen(text)))
        return 1;
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        size_t bad = harmful(at);
        if (bad) {
            extra++; /* itself it is counted as no column, but for the separators and marks: */
            if (bad == 3)
                extra--;
            at += bad - 1;
        }
    }
    return eg_utf8_columns(text) + extra;
}

void page_put(enum tone tone, const char *text)
{
    static const char *const codes[] = {"",         "\033[1m",  "\033[2m",   "\033[32m",
                                        "\033[33m", "\033[31m", "\033[1;31m"};
    bool on = colours && tone != PLAIN;
    if (on)
        fputs(codes[tone], stdout);
    put_clean(text);
    if (on)
        fputs("\033[0m", stdout);
}

void page_putf(enum tone tone, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    page_put(tone, text);
}

void page_label(enum tone tone, const char *text, size_t columns)
{
    size_t taken = page_width(text);
    page_put(tone, text);
    printf("%*s", (int)(taken + GAP > columns ? GAP : columns - taken), "");
}

/* --- tables --- */

void table_init(struct table *table, const char *const *heads)
{
    *table = (struct table){0};
    for (; heads[table->columns]; table->columns++)
        table->right[table->columns] = heads[table->columns][0] == '>';
    for (size_t i = 0; i < table->columns; i++)
        table_add(table, DIM, word(heads[i] + table->right[i]));
}

void table_add(struct table *table, enum tone tone, const char *text)
{
    if (table->rows == table->capacity && !table->failed) {
        size_t capacity = table->capacity ? table->capacity * 2 : 256;
        struct cell *cells = realloc(table->cells, capacity * sizeof *cells);
        table->failed = !cells;
        if (cells) {
            table->cells = cells;
            table->capacity = capacity;
        }
    }
    text = text ? text : "-";
    char *copy = table->failed ? NULL : calloc(1, strlen(text) + sizeof "…");
    if (!copy)
        table->failed = true;
    else
        table->cells[table->rows++] = (struct cell){.text = memcpy(copy, text, strlen(text)), .tone = tone};
}

void table_addf(struct table *table, enum tone tone, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    table_add(table, tone, text);
}

/* What does not fit ends in an ellipsis. */
static void cut(char *text, size_t columns)
{
    size_t end = 0;
    if (page_width(text) <= columns)
        return;
    for (size_t at = 1; text[at - 1]; at++) {
        char kept = text[at];
        if (((unsigned char)kept & 0xC0) == 0x80)
            continue; /* within a character */
        text[at] = '\0';
        bool fits = page_width(text) < columns;
        text[at] = kept;
        if (!fits)
            break;
        end = at;
    }
    memcpy(text + end, "…", sizeof "…"); /* table_add() left room */
}

/* On a terminal that is too narrow columns move together and texts are cut, rather than rows broken: the widest first, never the first
 * column, which names the row. Gives the gap. */
static size_t fit(const struct table *table, size_t *widths, size_t room)
{
    size_t all = 0, gap = GAP, widest = 1, least = table->cut_to ? table->cut_to : CUT_TO;
    for (size_t i = 0; i < table->columns; i++)
        all += widths[i] + (i ? GAP : 0);
    if (all > room) {
        all -= (table->columns - 1) * (GAP - 1);
        gap = 1;
    }
    for (; all > room && widest; all--) {
        widest = 0;
        for (size_t i = 1; i < table->columns; i++)
            if (!table->right[i] && widths[i] > least && (!widest || widths[i] > widths[widest]))
                widest = i;
        widths[widest] -= widest ? 1 : 0;
    }
    for (size_t i = 0; i < table->rows; i++)
        if (i % table->columns && !table->right[i % table->columns])
            cut(table->cells[i].text, widths[i % table->columns]);
    return gap;
}

static void print_row(const struct table *table, size_t row, const size_t *widths, size_t gap, int indent)
{
    printf("%*s", indent, "");
    for (size_t i = 0; i < table->columns; i++) {
        const struct cell *cell = &table->cells[row * table->columns + i];
        int pad = (int)(widths[i] - page_width(cell->text));
        bool last = i + 1 == table->columns;
        if (table->right[i])
            printf("%*s", pad, "");
        page_put(cell->tone, cell->text);
        if (!last)
            printf("%*s", (table->right[i] ? 0 : pad) + (int)gap, "");
    }
    putchar('\n');
}

void table_finish(struct table *table)
{
    for (size_t i = 0; i < table->rows; i++)
        free(table->cells[i].text);
    free(table->cells);
}

void table_print(struct table *table, int indent)
{
    size_t widths[TABLE_COLUMNS] = {0}, gap = GAP, rows = table->columns ? table->rows / table->columns : 0;
    for (size_t i = 0; i < rows * table->columns; i++) {
        size_t columns = page_width(table->cells[i].text);
        if (columns > widths[i % table->columns])
            widths[i % table->columns] = columns;
    }
    if (columns_of_screen > (size_t)indent)
        gap = fit(table, widths, columns_of_screen - (size_t)indent);
    if (rows <= 1)
        printf("%*s%s\n", indent, "", word("Nothing to show."));
    for (size_t row = 0; rows > 1 && row < rows; row++)
        print_row(table, row, widths, gap, indent);
    if (table->failed)
        fputs("ecogovctl: there was no memory for the whole table.\n", stderr);
    table_finish(table);
}
