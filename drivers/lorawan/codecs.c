/* The table of codecs. Knows none of them. */
#include "lorawan.h"

#include <string.h>

static const struct eg_codec codecs[] = {
#define EG_CODEC(name, function, variant) {name, eg_codec_##function, variant},
#include "codecs.def"
#undef EG_CODEC
};

const char *const eg_codec_names[] = {
#define EG_CODEC(name, function, variant) name,
#include "codecs.def"
#undef EG_CODEC
    NULL};

const struct eg_codec *eg_codec_find(const char *name)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (strcmp(codecs[i].name, name) == 0)
            return &codecs[i];
    return NULL;
}
