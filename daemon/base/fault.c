/* What is wrong right now. */
#include <base/fault.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct eg_fault *find(struct eg_faults *faults, const char *key)
{
    for (size_t i = 0; i < faults->count; i++)
        if (!strcmp(faults->rows[i].key, key))
            return &faults->rows[i];
    return NULL;
}

bool eg_fault_raise(struct eg_faults *faults, const char *key, int64_t now_ms, const char *format, ...)
{
    char text[sizeof faults->rows->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct eg_fault *fault = find(faults, key);
    if (fault && !strcmp(fault->text, text))
        return false;
    if (!fault) {
        if (faults->count == EG_FAULT_MAX)
            return true; /* it is logged, there is no room to show it */
        fault = &faults->rows[faults->count++];
        snprintf(fault->key, sizeof fault->key, "%s", key);
        fault->since_ms = now_ms;
    }
    memcpy(fault->text, text, sizeof text);
    return true;
}

bool eg_fault_clear(struct eg_faults *faults, const char *key)
{
    struct eg_fault *fault = find(faults, key);
    if (!fault)
        return false;
    size_t at = (size_t)(fault - faults->rows);
    faults->count--;
    memmove(fault, fault + 1, (faults->count - at) * sizeof *fault);
    return true;
}
