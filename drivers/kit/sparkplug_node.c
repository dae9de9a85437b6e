/* Knows Sparkplug's topics, and what holds from one message of an edge node to the next: its session, how far it has counted, who is
 * behind it. Refuses to know payloads. Called by the driver sparkplug-b. */
#include "sparkplug.h"

#include <ecogov/reading.h>

#include <stdio.h>
#include <string.h>

/* --- topics --- */

/* The next level; false when there is none, it is empty or too long. */
static bool take_level(const char **at, char out[EG_SPARKPLUG_PART_MAX + 1])
{
    const size_t length = strcspn(*at, "/");
    if (length == 0 || length > EG_SPARKPLUG_PART_MAX)
        return false;
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length + ((*at)[length] == '/');
    return true;
}

/* A bridge may have put levels in front, and so does a broker that keeps births. */
bool eg_sparkplug_address_read(const char *topic, struct eg_sparkplug_address *ret_address)
{
    static const char mark[] = "spBv1.0/";
    static const char *const kinds[] = {"BIRTH", "DATA", "DEATH"};
    struct eg_sparkplug_address address = {.device = ""};
    char word[EG_SPARKPLUG_PART_MAX + 1];
    const char *at = strstr(topic, mark);
    if (at == NULL || (at != topic && at[-1] != '/'))
        return false;
    at += sizeof mark - 1;
    if (!take_level(&at, address.group) || !take_level(&at, word) || !take_level(&at, address.node))
        return false;
    const bool of_device = word[0] == 'D';
    if ((!of_device && word[0] != 'N') || (of_device && !take_level(&at, address.device)) || *at != '\0')
        return false;
    for (int kind = EG_SPARKPLUG_BIRTH; kind <= EG_SPARKPLUG_DEATH; kind++)
        if (strcmp(word + 1, kinds[kind]) == 0) {
            address.kind = (enum eg_sparkplug_kind)kind;
            *ret_address = address;
            return true;
        }
    return false;
}

char *eg_sparkplug_key(const struct eg_sparkplug_address *address, const char *device, const char *what,
                       char out[EG_MEMORY_KEY_MAX + 1])
{
    (void)snprintf(out, EG_MEMORY_KEY_MAX + 1, "sparkplug-b %s/%s/%s/%s", what, address->group, address->node,
                   device);
    return out;
}

/* --- the session --- */

struct eg_sparkplug_node *eg_sparkplug_node_find(struct eg_memory *memory,
                                                 const struct eg_sparkplug_address *address)
{
    char key[EG_MEMORY_KEY_MAX + 1];
    size_t size;
    return eg_memory_find(memory, eg_sparkplug_key(address, "", "node", key), &size);
}

/* What was forgotten must not come to hold again: without a past, generations begin anywhere. */
struct eg_sparkplug_node *eg_sparkplug_node_begin(struct eg_memory *memory,
                                                  const struct eg_sparkplug_address *address, int64_t now_ms)
{
    char key[EG_MEMORY_KEY_MAX + 1];
    const struct eg_sparkplug_node *old = eg_sparkplug_node_find(memory, address);
    const uint32_t generation = old == NULL ? (uint32_t)now_ms : old->generation + 1;
    struct eg_sparkplug_node *node =
        eg_memory_make(memory, eg_sparkplug_key(address, "", "node", key), sizeof *node);
    if (node != NULL)
        node->generation = generation == 0 ? 1 : generation;
    return node;
}

void eg_sparkplug_node_count(struct eg_sparkplug_node *node, uint8_t seq)
{
    const uint8_t step = (uint8_t)(seq - node->seq);
    if (node->has_seq && step > 0x80)
        return; /* one that was held up */
    if (node->has_seq && step > 1)
        node->gap += step - 1U;
    node->has_seq = true;
    node->seq = seq;
}

void eg_sparkplug_node_end(struct eg_sparkplug_node *node)
{
    node->generation++;
    node->has_seq = node->has_bd_seq = false;
}

/* --- its devices --- */

const char *eg_sparkplug_node_devices(struct eg_memory *memory, const struct eg_sparkplug_address *address,
                                      size_t *ret_size)
{
    char key[EG_MEMORY_KEY_MAX + 1];
    *ret_size = 0;
    return eg_memory_find(memory, eg_sparkplug_key(address, "", "devices", key), ret_size);
}

void eg_sparkplug_node_add(struct eg_memory *memory, const struct eg_sparkplug_address *address)
{
    char key[EG_MEMORY_KEY_MAX + 1], names[EG_SINK_DEVICES * (EG_SPARKPLUG_PART_MAX + 1)];
    const size_t length = strlen(address->device) + 1;
    size_t size;
    const char *kept = eg_sparkplug_node_devices(memory, address, &size);
    for (size_t at = 0; at < size; at += strlen(kept + at) + 1)
        if (strcmp(kept + at, address->device) == 0)
            return;
    if (size + length > sizeof names)
        return; /* more than a message can speak for: they go silent by their own rhythm */
    if (size > 0)
        memcpy(names, kept, size);
    memcpy(names + size, address->device, length);
    char *fresh = eg_memory_make(memory, eg_sparkplug_key(address, "", "devices", key), size + length);
    if (fresh != NULL)
        memcpy(fresh, names, size + length);
}
