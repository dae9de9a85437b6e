/* What a driver remembers from one message to the next, where its format cannot be read without: names that were told once and are
 * numbers from then on, the last of a sequence. The pipeline owns it and hands it over with the message; a driver without one (a test, a
 * replayed payload, `ecogovctl try`) reads what it can.
 *
 * Bounded: what was not asked for longest gives way. It begins empty with the daemon, so what is in it must come again by itself. Keys
 * begin with the driver's name, so that drivers do not meet. */
#ifndef ECOGOV_MEMORY_H
#define ECOGOV_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EG_MEMORY_KEY_MAX 511                         /* bytes */
#define EG_MEMORY_VALUE_MAX ((size_t)256 * 1024)      /* bytes of one value */
#define EG_MEMORY_BYTES_MAX ((size_t)8 * 1024 * 1024) /* of all, keys included */

struct eg_memory;

struct eg_memory *eg_memory_create(void); /* NULL: no memory */
void eg_memory_destroy(struct eg_memory *memory);
/* Room of `size` bytes under `key`, all zero, instead of what was there. NULL: too large, or no memory; then nothing is there. The
 * driver fills it, and may write into it later. Aligned for anything. Borrowed until the next eg_memory_make(). */
void *eg_memory_make(struct eg_memory *memory, const char *key, size_t size);
/* What is there; NULL: nothing. `memory` may be NULL. */
void *eg_memory_find(struct eg_memory *memory, const char *key, size_t *ret_size);
void eg_memory_forget(struct eg_memory *memory, const char *key);

#endif
