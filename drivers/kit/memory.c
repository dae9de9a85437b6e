/* A bounded table of what drivers remember. Knows keys, bytes and what was asked for last; refuses to know what they mean. Owned by the
 * pipeline, used by drivers. */
#include <ecogov/memory.h>

#include <stdlib.h>
#include <string.h>

#define SLOTS 1024

struct entry {
    struct entry *next;          /* in its slot */
    struct entry *newer, *older; /* by when it was asked for */
    size_t size;
    char *key; /* behind the value */
    max_align_t value[];
};
struct eg_memory {
    struct entry *slots[SLOTS];
    struct entry *newest, *oldest;
    size_t bytes;
};

struct eg_memory *eg_memory_create(void)
{
    return calloc(1, sizeof(struct eg_memory));
}

static size_t bytes_of(const struct entry *entry)
{
    return sizeof *entry + entry->size + strlen(entry->key) + 1;
}

static struct entry **slot_of(struct eg_memory *memory, const char *key)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *at = key; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    return &memory->slots[(hash ^ hash >> 16) % SLOTS];
}

static void unlink_age(struct eg_memory *memory, struct entry *entry)
{
    *(entry->newer == NULL ? &memory->newest : &entry->newer->older) = entry->older;
    *(entry->older == NULL ? &memory->oldest : &entry->older->newer) = entry->newer;
}

static void link_newest(struct eg_memory *memory, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = memory->newest;
    *(entry->older == NULL ? &memory->oldest : &entry->older->newer) = entry;
    memory->newest = entry;
}

static void drop(struct eg_memory *memory, struct entry **at)
{
    struct entry *entry = *at;
    *at = entry->next;
    unlink_age(memory, entry);
    memory->bytes -= bytes_of(entry);
    free(entry);
}

/* Where it hangs; what hangs there is NULL when it is not there. */
static struct entry **look(struct eg_memory *memory, const char *key)
{
    struct entry **at = slot_of(memory, key);
    while (*at != NULL && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    return at;
}

void eg_memory_forget(struct eg_memory *memory, const char *key)
{
    struct entry **at = memory == NULL ? NULL : look(memory, key);
    if (at != NULL && *at != NULL)
        drop(memory, at);
}

void eg_memory_destroy(struct eg_memory *memory)
{
    while (memory != NULL && memory->oldest != NULL)
        eg_memory_forget(memory, memory->oldest->key);
    free(memory);
}

void *eg_memory_make(struct eg_memory *memory, const char *key, size_t size)
{
    const size_t length = strnlen(key, EG_MEMORY_KEY_MAX + 1);
    eg_memory_forget(memory, key);
    if (memory == NULL || length > EG_MEMORY_KEY_MAX || size > EG_MEMORY_VALUE_MAX)
        return NULL;
    struct entry *entry = calloc(1, sizeof *entry + size + length + 1);
    if (entry == NULL)
        return NULL;
    entry->size = size;
    entry->key = (char *)entry->value + size;
    memcpy(entry->key, key, length + 1);
    struct entry **at = slot_of(memory, key);
    entry->next = *at;
    *at = entry;
    link_newest(memory, entry);
    memory->bytes += bytes_of(entry);
    while (memory->bytes > EG_MEMORY_BYTES_MAX && memory->oldest != entry)
        eg_memory_forget(memory, memory->oldest->key);
    return entry->value;
}

void *eg_memory_find(struct eg_memory *memory, const char *key, size_t *ret_size)
{
    struct entry **at = memory == NULL ? NULL : look(memory, key);
    if (at == NULL || *at == NULL)
        return NULL;
    unlink_age(memory, *at);
    link_newest(memory, *at);
    *ret_size = (*at)->size;
    return (*at)->value;
}
