/* Hashing and names. */
#include <base/hash.h>

#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
    a ^= b;
    a *= UINT64_C(0x9E3779B97F4A7C15);
    a ^= a >> 32;
    a *= UINT64_C(0xD6E8FEB86659FD93);
    return a ^ (a >> 29);
}

uint64_t eg_hash(const void *data, size_t length, uint64_t seed)
{
    const unsigned char *at = data;
    uint64_t hash = mix(seed, (uint64_t)length + UINT64_C(0x2545F4914F6CDD1D));
    for (; length >= 8; at += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = mix(hash, word);
    }
    if (length) {
        uint64_t word = 0;
        memcpy(&word, at, length);
        hash = mix(hash, word);
    }
    return mix(hash, UINT64_C(0xA24BAED4963EE407));
}

struct slot {
    char *name; /* NULL: free */
    uint32_t length, value;
};
struct eg_names {
    struct slot *slots;
    size_t capacity, count, most; /* capacity: a power of two */
    uint64_t seed;
};

struct eg_names *eg_names_create(size_t most, uint64_t seed)
{
    struct eg_names *names = calloc(1, sizeof *names);
    if (!names)
        return NULL;
    names->capacity = 64;
    names->most = most;
    names->seed = seed;
    names->slots = calloc(names->capacity, sizeof *names->slots);
    if (!names->slots) {
        free(names);
        return NULL;
    }
    return names;
}

void eg_names_clear(struct eg_names *names)
{
    for (size_t i = 0; i < names->capacity; i++)
        free(names->slots[i].name);
    memset(names->slots, 0, names->capacity * sizeof *names->slots);
    names->count = 0;
}

void eg_names_destroy(struct eg_names *names)
{
    if (!names)
        return;
    eg_names_clear(names);
    free(names->slots);
    free(names);
}

/* The slot that holds the name, or the free one where it would go. */
static struct slot *slot_of(const struct eg_names *names, const char *name, size_t length)
{
    size_t at = (size_t)eg_hash(name, length, names->seed);
    for (;; at++) {
        struct slot *slot = &names->slots[at & (names->capacity - 1)];
        if (!slot->name || (slot->length == length && !memcmp(slot->name, name, length)))
            return slot;
    }
}

uint32_t eg_names_find(const struct eg_names *names, const char *name, size_t length)
{
    const struct slot *slot = slot_of(names, name, length);
    return slot->name ? slot->value : EG_ID_NONE;
}

static bool grow(struct eg_names *names)
{
    struct slot *old = names->slots;
    size_t capacity = names->capacity;
    struct slot *slots = calloc(capacity * 2, sizeof *slots);
    if (!slots)
        return false;
    names->slots = slots;
    names->capacity = capacity * 2;
    for (size_t i = 0; i < capacity; i++)
        if (old[i].name)
            *slot_of(names, old[i].name, old[i].length) = old[i];
    free(old);
    return true;
}

bool eg_names_set(struct eg_names *names, const char *name, size_t length, uint32_t value)
{
    struct slot *slot = slot_of(names, name, length);
    if (slot->name) {
        slot->value = value;
        return true;
    }
    if (names->count >= names->most || length >= UINT32_MAX)
        return false;
    if ((names->count + 1) * 4 > names->capacity * 3) {
        if (!grow(names))
            return false;
        slot = slot_of(names, name, length);
    }
    slot->name = malloc(length + 1);
    if (!slot->name)
        return false;
    memcpy(slot->name, name, length);
    slot->name[length] = '\0';
    slot->length = (uint32_t)length;
    slot->value = value;
    names->count++;
    return true;
}

size_t eg_names_count(const struct eg_names *names)
{
    return names->count;
}
