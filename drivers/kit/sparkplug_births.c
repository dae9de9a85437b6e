/* Knows how what a birth said is kept, and found again by alias or name. Refuses to know what a birth is. Called by the driver
 * sparkplug-b.
 *
 * A table is one value of the memory: a head, rows sorted by (by name?, key), then the texts. A metric has a row for its alias and one
 * for its name. */
#include "sparkplug.h"

#include <stdlib.h>
#include <string.h>

#define METRICS 2 /* field numbers of a Payload and of a Template */

struct head {
    uint32_t generation, count;
};
struct row {
    uint64_t key; /* the alias, or the name's hash */
    uint32_t offset;
    uint16_t name_length;
    uint8_t unit_length, by_name;
    uint32_t type, spare;
};

static uint64_t hash(struct eg_sparkplug_text text)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (size_t i = 0; i < text.length; i++)
        h = (h ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001B3);
    return h ^ h >> 29;
}

static int compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->by_name != y->by_name)
        return x->by_name < y->by_name ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

static bool worth_keeping(const struct eg_sparkplug_metric *metric)
{
    return metric->name.length > 0 && metric->name.length <= EG_SPARKPLUG_NAME_MAX &&
           metric->unit.length <= EG_SPARKPLUG_UNIT_MAX;
}

/* The next metric that is worth it. */
static bool next(struct eg_wire *payload, struct eg_sparkplug_metric *ret_metric)
{
    struct eg_wire_field field;
    while (eg_wire_next(payload, &field) == EG_WIRE_FIELD)
        if (field.number == METRICS && field.type == EG_WIRE_BYTES &&
            eg_sparkplug_metric_read(field.body, ret_metric) && worth_keeping(ret_metric))
            return true;
    return false;
}

void eg_sparkplug_births_keep(struct eg_memory *memory, const struct eg_sparkplug_address *address,
                              uint32_t generation, struct eg_wire payload)
{
    char key[EG_MEMORY_KEY_MAX + 1];
    struct eg_sparkplug_metric metric;
    struct eg_wire rest = payload;
    size_t rows = 0, texts = 0, metrics = 0;
    while (next(&rest, &metric)) {
        const size_t more_rows = rows + 1 + metric.has_alias,
                     more_texts = texts + metric.name.length + metric.unit.length;
        if (sizeof(struct head) + more_rows * sizeof(struct row) + more_texts > EG_MEMORY_VALUE_MAX)
            break;
        rows = more_rows;
        texts = more_texts;
        metrics++;
    }
    struct head *head = eg_memory_make(memory, eg_sparkplug_key(address, address->device, "birth", key),
                                       sizeof *head + rows * sizeof(struct row) + texts);
    if (head == NULL)
        return;
    *head = (struct head){generation, (uint32_t)rows};
    struct row *row = (struct row *)(head + 1);
    char *const begin = (char *)head;
    char *to = (char *)(row + rows);
    for (rest = payload; metrics > 0 && next(&rest, &metric); metrics--) {
        const struct row made = {.key = hash(metric.name),
                                 .offset = (uint32_t)(to - begin),
                                 .name_length = (uint16_t)metric.name.length,
                                 .unit_length = (uint8_t)metric.unit.length,
                                 .by_name = 1,
                                 .type = metric.type};
        memcpy(to, metric.name.at, metric.name.length);
        if (metric.unit.length > 0)
            memcpy(to + metric.name.length, metric.unit.at, metric.unit.length);
        to += metric.name.length + metric.unit.length;
        *row++ = made;
        if (metric.has_alias) {
            *row = made;
            row->key = metric.alias;
            (row++)->by_name = 0;
        }
    }
    qsort(head + 1, rows, sizeof *row, compare);
}

void eg_sparkplug_births_forget(struct eg_memory *memory, const struct eg_sparkplug_address *address)
{
    char key[EG_MEMORY_KEY_MAX + 1];
    eg_memory_forget(memory, eg_sparkplug_key(address, address->device, "birth", key));
}

static bool find(struct eg_memory *memory, const char *key, uint32_t generation,
                 const struct eg_sparkplug_metric *metric, struct eg_sparkplug_born *ret_born)
{
    size_t size;
    const struct head *head = eg_memory_find(memory, key, &size);
    if (head == NULL || head->generation != generation)
        return false;
    const bool by_name = metric->name.length > 0;
    const struct row wanted = {.key = by_name ? hash(metric->name) : metric->alias, .by_name = by_name};
    if (!by_name && !metric->has_alias)
        return false;
    const struct row *row = bsearch(&wanted, head + 1, head->count, sizeof *row, compare);
    if (row == NULL)
        return false;
    const char *text = (const char *)head + row->offset;
    if (by_name &&
        (row->name_length != metric->name.length || memcmp(text, metric->name.at, metric->name.length) != 0))
        return false;
    *ret_born = (struct eg_sparkplug_born){
        {text, row->name_length}, {text + row->name_length, row->unit_length}, row->type};
    return true;
}

bool eg_sparkplug_births_find(struct eg_memory *memory, const struct eg_sparkplug_address *address,
                              uint32_t generation, const struct eg_sparkplug_metric *metric,
                              struct eg_sparkplug_born *ret_born)
{
    char key[EG_MEMORY_KEY_MAX + 1];
    if (find(memory, eg_sparkplug_key(address, address->device, "birth", key), generation, metric, ret_born))
        return true;
    return address->device[0] != '\0' &&
           find(memory, eg_sparkplug_key(address, "", "birth", key), generation, metric, ret_born);
}
