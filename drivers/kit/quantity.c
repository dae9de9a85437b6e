/* The dictionary, rendered as a table (quantity.def is the one truth), and its names as an index that the
 * caller owns. Called by everyone; knows nothing of payloads. */
#include <ecogov/quantity.h>

#include <assert.h>
#include <string.h>

static const struct eg_quantity_info infos[EG_QUANTITY_COUNT] = {
#define EG_QUANTITY(id, unit, low, high, decimals, aliases, about_en, about_zh)                              \
    [EG_Q_##id] = {#id, unit, low, high, decimals, aliases, about_en, about_zh},
#include <ecogov/quantity.def>
#undef EG_QUANTITY
};

const struct eg_quantity_info *eg_quantity_info(int quantity)
{
    assert(quantity >= 0 && quantity < EG_QUANTITY_COUNT);
    return &infos[quantity];
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(const char *name, size_t length, const char *known, size_t known_length)
{
    if (length != known_length)
        return false;
    if (memcmp(name, known, length) == 0) /* as a rule */
        return true;
    for (size_t i = 0; i < length; i++)
        if (lower(name[i]) != known[i])
            return false;
    return true;
}

static uint32_t spot(const char *name, size_t length)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((uint8_t)name[i] | 0x20u)) * 16777619u; /* the same in any case */
    return hash ^ hash >> 15;
}

static void index_add(struct eg_quantity_index *index, const char *name, size_t length, int quantity)
{
    uint32_t at = spot(name, length);
    while (index->slots[at % EG_QUANTITY_SLOTS].name)
        at++;
    index->slots[at % EG_QUANTITY_SLOTS] =
        (struct eg_quantity_slot){name, (uint16_t)length, (int16_t)quantity};
}

/* The next blank-separated word; NULL behind the last. */
static const char *next_word(const char **rest, size_t *ret_length)
{
    const char *word = *rest;
    if (!*word)
        return NULL;
    const char *end = strchr(word, ' ');
    *ret_length = end ? (size_t)(end - word) : strlen(word);
    *rest = word + *ret_length + (end != NULL);
    return word;
}

bool eg_quantity_derived(int quantity)
{
    return quantity >= EG_Q_aqi_cn && quantity <= EG_Q_salinity_class; /* they stand together */
}

bool eg_quantity_direction(int quantity)
{
    return quantity == EG_Q_wind_dir;
}

void eg_quantity_index_init(struct eg_quantity_index *index)
{
    memset(index, 0, sizeof *index);
    for (int i = 0; i < EG_QUANTITY_COUNT; i++) {
        const char *aliases = infos[i].aliases, *word;
        size_t length;
        if (eg_quantity_derived(i))
            continue;
        index_add(index, infos[i].name, strlen(infos[i].name), i);
        while ((word = next_word(&aliases, &length)))
            index_add(index, word, length, i);
    }
}

int eg_quantity_index_find(const struct eg_quantity_index *index, const char *name, size_t length)
{
    for (uint32_t at = spot(name, length);; at++) {
        const struct eg_quantity_slot *slot = &index->slots[at % EG_QUANTITY_SLOTS];
        if (!slot->name)
            return EG_QUANTITY_NONE;
        if (same(name, length, slot->name, slot->length))
            return slot->quantity;
    }
}

int eg_quantity_find(const char *name, size_t length)
{
    for (int i = 0; i < EG_QUANTITY_COUNT; i++) {
        const char *aliases = infos[i].aliases, *word;
        size_t known;
        if (same(name, length, infos[i].name, strlen(infos[i].name)))
            return i;
        while ((word = next_word(&aliases, &known)))
            if (same(name, length, word, known))
                return i;
    }
    return EG_QUANTITY_NONE;
}
