/* The presets that were built in: conf/sources.d/presets as texts, written by cmake/presets.cmake. Private to the room. */
#ifndef EG_CONF_PRESETS_H
#define EG_CONF_PRESETS_H

#include <stddef.h>

struct eg_preset_text {
    const char *id, *text; /* the file's name without .yaml; not NUL-terminated */
    size_t length;
};
extern const struct eg_preset_text eg_preset_texts[]; /* ends with an id of NULL */

#endif
