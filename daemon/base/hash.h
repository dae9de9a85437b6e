/* Non-cryptographic 64-bit hashing and a bounded table from byte strings to uint32_t ids. */
#ifndef EG_HASH_H
#define EG_HASH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* Stable across versions and machines (little-endian): hashes are stored. */
uint64_t eg_hash(const void *data, size_t length, uint64_t seed);
#define EG_ID_NONE UINT32_MAX
struct eg_names;                                              /* opaque; names are copied */
struct eg_names *eg_names_create(size_t most, uint64_t seed); /* NULL: no memory */
void eg_names_destroy(struct eg_names *names);
uint32_t eg_names_find(const struct eg_names *names, const char *name,
                       size_t length); /* value, or EG_ID_NONE */
/* Adds or replaces. False when `most` names are in, or no memory. */
bool eg_names_set(struct eg_names *names, const char *name, size_t length, uint32_t value);
size_t eg_names_count(const struct eg_names *names);
void eg_names_clear(struct eg_names *names);
#endif
