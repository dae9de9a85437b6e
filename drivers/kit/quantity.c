/* Knows the dictionary: every quantity by number and by each of its names. Refuses to know units and payloads.
 * Called for every key of every payload, so a look-up is one hash and about one comparison, in a table made by
 * docs/quantities.py and kept in read-only memory. */
#include <ecogov/quantity.h>

#include <assert.h>
#include <stdint.h>

static const struct eg_quantity_info quantities[] = {
#define EG_QUANTITY(id, unit, low, high, decimals, aliases, about_en, about_zh)                                        \
    {#id, unit, low, high, decimals, aliases, about_en, about_zh},
#include <ecogov/quantity.def>
#undef EG_QUANTITY
};

/* Defines EG_INDEX_QUANTITIES, EG_INDEX_SLOTS, EG_INDEX_LONGEST, index_names[] (all names in a row) and
 * index_slots[]: open addressing with linear probing, length 0 = free. */
struct slot {
    uint16_t name; /* where it begins in index_names */
    uint8_t length;
    uint8_t quantity;
};
#include "quantity_index.inc"

_Static_assert(EG_QUANTITY_COUNT == EG_INDEX_QUANTITIES, "quantity.def has changed: run docs/quantities.py");
_Static_assert(EG_QUANTITY_COUNT <= UINT8_MAX, "a slot holds a quantity in eight bits");

const struct eg_quantity_info *eg_quantity_info(int quantity)
{
    assert(quantity >= 0 && quantity < EG_QUANTITY_COUNT);
    return &quantities[quantity];
}

/* FNV-1a; setting bit 5 folds the case of letters (and of a few signs, which only costs a collision). */
static uint32_t hash_name(const char *name, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((unsigned char)name[i] | 0x20U)) * 16777619U;
    return hash ^ hash >> 15;
}

static bool same_name(const char *lower, const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = name[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != lower[i])
            return false;
    }
    return true;
}

int eg_quantity_find(const char *name, size_t length)
{
    if (length == 0 || length > EG_INDEX_LONGEST)
        return EG_QUANTITY_NONE;
    for (uint32_t at = hash_name(name, length) % EG_INDEX_SLOTS;; at = (at + 1) % EG_INDEX_SLOTS) {
        const struct slot *slot = &index_slots[at];
        if (slot->length == 0)
            return EG_QUANTITY_NONE;
        if (slot->length == length && same_name(index_names + slot->name, name, length))
            return slot->quantity;
    }
}
