/* Knows RFC 6901. Refuses to know what the values mean.
 * Called by drivers that read JSON whose shape the configuration describes. */
#include "json_pointer.h"

#include <stdlib.h>
#include <string.h>

/* "0", or digits without a leading zero (RFC 6901, section 4); nothing that overflows can exist in a bounded
 * payload. */
static long parse_index(const char *name)
{
    const size_t length = strlen(name);
    long index = 0;
    if (length == 0 || length > 6 || (name[0] == '0' && length > 1))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        index = index * 10 + (name[i] - '0');
    }
    return index;
}

const char *eg_json_pointer_init(struct eg_json_pointer *ret_pointer, const char *path)
{
    struct eg_json_pointer *pointer = ret_pointer;
    *pointer = (struct eg_json_pointer){0};
    if (path[0] != '/')
        return "is no JSON Pointer: it begins with '/' (RFC 6901)";
    if (strnlen(path, EG_JSON_POINTER_BYTES) >= EG_JSON_POINTER_BYTES)
        return "is too long for a JSON Pointer";
    pointer->text = strdup(path);
    if (pointer->text == NULL)
        return "cannot be kept: no memory";

    char *out = pointer->text; /* unescaping only shortens */
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '/') {
            if (pointer->count == EG_JSON_POINTER_PARTS)
                return "has more than 16 parts";
            *out++ = '\0';
            pointer->parts[pointer->count++].name = out;
        } else if (*at == '~') {
            if (at[1] != '0' && at[1] != '1')
                return "is no JSON Pointer: '~' is written ~0, and '/' within a name ~1 (RFC 6901)";
            *out++ = *++at == '0' ? '~' : '/';
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
    for (size_t i = 0; i < pointer->count; i++)
        pointer->parts[i].index = parse_index(pointer->parts[i].name);
    return NULL;
}

void eg_json_pointer_finish(struct eg_json_pointer *pointer)
{
    free(pointer->text);
    *pointer = (struct eg_json_pointer){0};
}

static const cJSON *find_element(const cJSON *array, long index)
{
    const cJSON *item = index < 0 ? NULL : array->child;
    while (item != NULL && index-- > 0)
        item = item->next;
    return item;
}

static const cJSON *find_member(const cJSON *object, const char *name, const char **ret_twice)
{
    const cJSON *found = NULL;
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        if (item->string[0] != name[0] || strcmp(item->string, name) != 0)
            continue;
        if (found != NULL) {
            *ret_twice = item->string;
            return NULL;
        }
        found = item;
    }
    return found;
}

const cJSON *eg_json_pointer_follow(const struct eg_json_pointer *pointer, const cJSON *from,
                                    const char **ret_twice)
{
    for (size_t i = 0; i < pointer->count && from != NULL; i++) {
        const int type = from->type & 0xFF;
        if (type == cJSON_Object)
            from = find_member(from, pointer->parts[i].name, ret_twice);
        else if (type == cJSON_Array)
            from = find_element(from, pointer->parts[i].index);
        else
            return NULL;
    }
    return from;
}
