/* Knows how a row of an export is read back, and says which one cannot be. Refuses to know what becomes of it: the pipeline takes all
 * rows of a call or none (import.c), and the answer waits for the commit. Called by the table in methods.c. */
#include <api/methods.h>
#include <ecogov/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIME, SITE, DEVICE, QUANTITY, CHANNEL, VALUE, UNIT, FLAGS, COLUMNS };

static bool copy(const cJSON *cell, char *out, size_t size)
{
    return cJSON_IsString(cell) && (size_t)snprintf(out, size, "%s", cell->valuestring) < size;
}

static bool take_flags(const cJSON *cell, uint16_t *ret)
{
    const cJSON *word;
    unsigned flags = 0;
    if (!cJSON_IsArray(cell))
        return false;
    cJSON_ArrayForEach(word, cell)
    {
        unsigned flag = cJSON_IsString(word) ? eg_flag_find(word->valuestring, strlen(word->valuestring)) : 0;
        if (!flag)
            return false;
        flags |= flag;
    }
    *ret = (uint16_t)flags;
    return true;
}

/* What is wrong with it, or NULL. */
static const char *take_row(const cJSON *row, const char *domain, struct eg_import_row *ret)
{
    const cJSON *cells[COLUMNS] = {NULL};
    struct eg_unit_map unit;
    int count = 0;
    for (const cJSON *cell = row->child; cell; cell = cell->next, count++)
        if (count < COLUMNS)
            cells[count] = cell;
    if (count != COLUMNS)
        return "a row is time, site, device, quantity, channel, value, unit, flags";
    if (!cJSON_IsString(cells[TIME]) ||
        !eg_time_parse(cells[TIME]->valuestring, strlen(cells[TIME]->valuestring), &ret->reading.time_ms))
        return "its time is none (RFC 3339)";
    if (!copy(cells[SITE], ret->site, sizeof ret->site) ||
        !copy(cells[DEVICE], ret->device, sizeof ret->device) ||
        !copy(cells[CHANNEL], ret->reading.channel, sizeof ret->reading.channel))
        return "site, device and channel must be texts of at most 63, 63 and 31 bytes";
    for (const char *at = ret->reading.channel; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return "the channel is not printable";
    int quantity = cJSON_IsString(cells[QUANTITY])
                       ? eg_quantity_find(cells[QUANTITY]->valuestring, strlen(cells[QUANTITY]->valuestring))
                       : EG_QUANTITY_NONE;
    if (quantity == EG_QUANTITY_NONE)
        return "its quantity is not in the dictionary (ecogovctl quantities)";
    ret->reading.quantity = (uint16_t)quantity;
    if (!cJSON_IsNumber(cells[VALUE]))
        return "its value is no number";
    if (!cJSON_IsString(cells[UNIT]) || !eg_unit_find(quantity, cells[UNIT]->valuestring, &unit))
        return "its quantity cannot come in that unit";
    ret->reading.value = eg_unit_apply(&unit, cells[VALUE]->valuedouble);
    if (!take_flags(cells[FLAGS], &ret->reading.flags))
        return "its flags must be an array of late, retained, correction, arrival, imported";
    snprintf(ret->domain, sizeof ret->domain, "%s", domain ? domain : "");
    return NULL;
}

static int take_rows(struct eg_call *call, const cJSON *given, struct eg_import_row *rows, int64_t first)
{
    struct eg_desk *desk = call->desk;
    size_t count = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, given)
    {
        const char *wrong = take_row(row, eg_call_text(call, "domain"), &rows[count]);
        if (wrong)
            return eg_call_fail(call, EG_RPC_PARAMS, "row %lld: %s", (long long)(first + (int64_t)count),
                                wrong);
        count++;
    }
    struct eg_import import = {
        .rows = rows, .count = count, .first = first, .ticket = call->asked ? ++desk->last_ticket : 0};
    call->ticket = import.ticket;
    if (!desk->door->import || !desk->door->import(desk->door->user, &import))
        return eg_call_full(call);
    return EG_CALL_LATER;
}

int eg_m_import(struct eg_call *call)
{
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(call->params, "rows");
    struct eg_import_row *rows = calloc((size_t)cJSON_GetArraySize(given), sizeof *rows);
    if (!rows)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the rows.");
    int code = take_rows(call, given, rows, eg_call_int(call, "first", 1));
    free(rows);
    return code;
}
