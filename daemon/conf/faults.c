/* Faults in order, and the word that was probably meant. */
#include <conf/faults.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 40

void eg_faults_add(struct eg_conf_faults *faults, unsigned file, const char *name, yaml_mark_t mark,
                   const char *format, ...)
{
    if (faults->count >= EG_CONF_FAULTS_MAX)
        return;
    if (faults->count == faults->capacity) {
        size_t more = faults->capacity ? faults->capacity * 2 : 16;
        struct eg_conf_fault *rows = realloc(faults->rows, more * sizeof *rows);
        if (!rows) {
            faults->failed = true;
            return;
        }
        faults->rows = rows;
        faults->capacity = more;
    }
    struct eg_conf_fault *row = &faults->rows[faults->count++];
    va_list args;
    row->file = file;
    row->name = name;
    row->line = mark.line + 1;
    row->column = mark.column + 1;
    va_start(args, format);
    vsnprintf(row->text, sizeof row->text, format, args);
    va_end(args);
    for (char *c = row->text; *c; c++) /* a fault is one line, whatever it quotes */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static int by_place(const void *left, const void *right)
{
    const struct eg_conf_fault *a = left, *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

void eg_faults_write(struct eg_conf_faults *faults, struct eg_buf *out)
{
    if (faults->count)
        qsort(faults->rows, faults->count, sizeof *faults->rows, by_place);
    for (size_t i = 0; i < faults->count; i++)
        eg_buf_printf(out, "%s:%zu:%zu: %s\n", faults->rows[i].name, faults->rows[i].line,
                      faults->rows[i].column, faults->rows[i].text);
    if (faults->count == EG_CONF_FAULTS_MAX)
        eg_buf_text(out, "there are more faults than these\n");
    if (faults->failed)
        eg_buf_text(out, "no memory for the configuration\n");
}

void eg_faults_finish(struct eg_conf_faults *faults)
{
    free(faults->rows);
    memset(faults, 0, sizeof *faults);
}

/* Edit distance (insert, delete, replace, swap of neighbours), words up to WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1], la = strlen(a), lb = strlen(b);
    if (la > WORD_MAX || lb > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);
            best = before[j] + 1 < best ? before[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[la % 3][lb];
}

const char *eg_faults_nearest(const char *word, const char *(*next)(const void *from, size_t index),
                              const void *from)
{
    const char *best = NULL, *candidate;
    size_t least = strlen(word) / 2 + 1;
    for (size_t i = 0; (candidate = next(from, i)); i++) {
        size_t d = distance(word, candidate);
        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    return least <= 3 ? best : NULL;
}
