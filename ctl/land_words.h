/* What an index of soil or waste was made of, in words. */
#ifndef LAND_WORDS_H
#define LAND_WORDS_H

#include "command.h"

#define LAND_WORDS 512

bool land_is(const cJSON *result); /* an answer of indices.history: of soil or waste, not of air */
const char *land_made_of(const cJSON *point, const char *separator, char *out, size_t size);

#endif
