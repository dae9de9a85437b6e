/* Knows how a value becomes a field: by its name, by a unit beside it; and how several of one quantity are told apart. Refuses to know the
 * payload's shape. Called by guess.c. */
#include "guess_inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *text_beside(const cJSON *object, const char *const *names)
{
    for (; *names; names++)
        for (const cJSON *item = cJSON_IsObject(object) ? object->child : NULL; item; item = item->next)
            if (guess_same(item->string, *names) && cJSON_IsString(item))
                return item->valuestring;
    return NULL;
}

/* A unit that stands beside the value, or is told for the whole payload. */
static const char *unit_beside(const struct guess_leaf *leaf, int quantity)
{
    static const char *const plain[] = {"unit", "units", "uom", "unit_of_measurement", NULL},
                             *const degrees[] = {"tempunit", "temp_unit", "temperatureunit",
                                                 "temperature_unit", NULL},
                             *const pressures[] = {"pressureunit", "pressure_unit", NULL};
    const char *const *names = quantity == EG_Q_pressure ? pressures : degrees;
    const char *unit = text_beside(leaf->above[0], plain);
    bool asks = quantity == EG_Q_temperature || quantity == EG_Q_pressure || quantity == EG_Q_soil_temp;
    for (size_t i = 0; !unit && asks && i < leaf->depth; i++)
        unit = text_beside(leaf->above[i], names);
    return unit;
}

bool guess_take_field(struct guess *guess, struct guess_leaf *leaf, const char *key)
{
    const char *keys[GUESS_PARTS + 1], *behind = NULL, *beside;
    size_t count = 0;
    struct guess_field *field = &guess->fields[guess->field_count];
    if (guess->field_count == GUESS_FIELDS || (!leaf->depth && !key))
        return false;
    if (key)
        keys[count++] = key;
    for (size_t i = 0; i < leaf->depth && !(key && i); i++)
        keys[count++] = key ? NULL : leaf->keys[i];
    *field = (struct guess_field){.leaf = leaf};
    field->has_number = guess_number(leaf->item, &field->number, &behind);
    bool empty = cJSON_IsNull(leaf->item) ||
                 (cJSON_IsString(leaf->item) && guess_same(leaf->item->valuestring, "nan"));
    if (!field->has_number && !empty)
        return false;
    guess_name(keys, count, NULL, &field->name);
    if (field->name.quantity == EG_QUANTITY_NONE)
        return false;
    beside = behind ? behind : unit_beside(leaf, field->name.quantity);
    if (beside)
        guess_name(keys, count, beside, &field->name);
    field->unit =
        (struct guess_unit){.quantity = field->name.quantity, .scale = 1, .sure = true, .plausible = true};
    if (*field->name.unit)
        field->unit.unit = field->name.unit;
    if (field->has_number)
        guess_unit(&field->name, field->number, &field->unit);
    if (field->unit.unit == field->name.unit && behind)
        field->unit.unit = NULL; /* the driver reads it itself */
    field->missing = field->has_number && !field->unit.plausible;
    if (field->missing && !guess_is_code(field->number)) {
        guess_note(&guess->notes, "%s: %.15g is no %s, in none of its units", leaf->pointer, field->number,
                   eg_quantity_info(field->name.quantity)->name);
        leaf->used = true;
        return false;
    }
    snprintf(field->path, sizeof field->path, "%s", key ? key : leaf->pointer);
    leaf->used = true;
    guess->field_count++;
    return true;
}

/* --- several of one quantity --- */

static bool same_series(const struct guess_field *a, const struct guess_field *b)
{
    return a->unit.quantity == b->unit.quantity && strcmp(a->channel, b->channel) == 0;
}

static void drop_field(struct guess *guess, size_t at)
{
    memmove(&guess->fields[at], &guess->fields[at + 1],
            (guess->field_count - at - 1) * sizeof *guess->fields);
    guess->field_count--;
}

static bool beside(const struct guess_field *a, const struct guess_field *b)
{
    return a->leaf->above[0] == b->leaf->above[0] && strcmp(a->name.channel, b->name.channel) == 0;
}

/* The same value said twice: tC and tF. */
static bool repeats(const struct guess_field *a, const struct guess_field *b)
{
    double scale = fmax(1, fabs(a->unit.value));
    bool measured = a->has_number && b->has_number && !a->missing && !b->missing;
    return measured && beside(a, b) && fabs(a->unit.value - b->unit.value) <= 0.02 * scale;
}

/* A corrected value and the one before the correction. */
static bool refines(const struct guess_field *a, const struct guess_field *b)
{
    return a->name.refined && !b->name.refined && beside(a, b);
}

static void settle_pair(struct guess *guess, size_t a, size_t b, bool *ret_again)
{
    struct guess_field *first = &guess->fields[a], *second = &guess->fields[b];
    if (refines(second, first)) {
        guess_note(&guess->notes, "%s: %s is taken, the corrected value", first->path, second->path);
        drop_field(guess, a);
    } else if (refines(first, second) || repeats(first, second)) {
        guess_note(&guess->notes, "%s: %s is taken, %s", second->path, first->path,
                   refines(first, second) ? "the corrected value" : "the same once more");
        drop_field(guess, b);
    } else {
        return;
    }
    *ret_again = true;
}

static bool rival(const struct guess *guess, size_t at, bool elsewhere)
{
    const struct guess_field *field = &guess->fields[at];
    for (size_t i = 0; i < guess->field_count; i++) {
        const struct guess_field *other = &guess->fields[i];
        if (i != at && other->unit.quantity == field->unit.quantity &&
            (!elsewhere || other->leaf->above[0] != field->leaf->above[0]))
            return true;
    }
    return false;
}

/* What the key says beside the quantity, else, where they stand in several places, the key above it. */
static void tell_apart(const struct guess *guess, size_t at, char out[EG_CHANNEL_MAX + 1])
{
    const struct guess_field *field = &guess->fields[at];
    const char *text = field->name.channel;
    bool spread = guess->shape < GUESS_KEYED && rival(guess, at, true);
    struct guess_name name;
    for (size_t i = 1; !*text && spread && i < field->leaf->depth; i++) {
        const char *key = field->leaf->keys[i];
        if (!key)
            continue;
        guess_name(&key, 1, NULL,
                   &name); /* "temperature": {"value": 21} tells nothing apart, "temperature:0" does */
        text = name.quantity == EG_QUANTITY_NONE ? key : name.channel;
    }
    snprintf(out, EG_CHANNEL_MAX + 1, "%.*s", EG_CHANNEL_MAX, text);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
            *c = '-';
}

/* Beside soil's own quantities EC and pH are soil's, too. */
static void place_in_soil(struct guess *guess)
{
    bool soil = false, water = false;
    for (size_t i = 0; i < guess->field_count; i++) {
        int quantity = guess->fields[i].unit.quantity;
        soil = soil || (quantity >= EG_Q_soil_moisture && quantity <= EG_Q_soil_ph);
        water = water || (quantity >= EG_Q_water_temp && quantity <= EG_Q_level && quantity != EG_Q_ec &&
                          quantity != EG_Q_ph);
    }
    for (size_t i = 0; soil && !water && i < guess->field_count; i++) {
        struct guess_unit *unit = &guess->fields[i].unit;
        unit->quantity = unit->quantity == EG_Q_ec   ? EG_Q_soil_ec
                         : unit->quantity == EG_Q_ph ? EG_Q_soil_ph
                                                     : unit->quantity;
    }
}

void guess_settle(struct guess *guess)
{
    place_in_soil(guess);
    for (bool again = true; again;) {
        again = false;
        for (size_t a = 0; a < guess->field_count && !again; a++)
            for (size_t b = a + 1; b < guess->field_count && !again; b++)
                if (guess->fields[a].unit.quantity == guess->fields[b].unit.quantity)
                    settle_pair(guess, a, b, &again);
    }
    for (size_t i = 0; i < guess->field_count; i++)
        if (rival(guess, i, false))
            tell_apart(guess, i, guess->fields[i].channel);
    for (size_t i = 0; i < guess->field_count; i++) /* those that are still alike are numbered */
        for (size_t k = 0, number = 2; k < i; k++)
            if (same_series(&guess->fields[k], &guess->fields[i])) {
                snprintf(guess->fields[i].channel, sizeof guess->fields[i].channel, "%zu", number++);
                k = (size_t)-1;
            }
}
