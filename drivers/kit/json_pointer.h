/* JSON Pointer (RFC 6901): compiled once, followed per message. Follows cJSON's nodes, needs none of its
 * functions. */
#ifndef EG_JSON_POINTER_H
#define EG_JSON_POINTER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define EG_JSON_POINTER_PARTS 16
#define EG_JSON_POINTER_BYTES 512

struct eg_json_pointer {
    size_t count;
    struct {
        const char *name; /* unescaped; points into text */
        long index;       /* of an array's element; -1 when the name cannot be one */
    } parts[EG_JSON_POINTER_PARTS];
    char *text;
};

/* NULL, or what is wrong with it, as the rest of a sentence that begins with the path. *ret_pointer is for
 * finish() also then. */
const char *eg_json_pointer_init(struct eg_json_pointer *ret_pointer, const char *path);
void eg_json_pointer_finish(struct eg_json_pointer *pointer);

/* What the pointer points at; NULL when there is no such thing. A key on the way that stands in its object
 * twice makes it ambiguous: then NULL, and the key in *ret_twice (else untouched). */
const cJSON *eg_json_pointer_follow(const struct eg_json_pointer *pointer, const cJSON *from,
                                    const char **ret_twice);

#endif
