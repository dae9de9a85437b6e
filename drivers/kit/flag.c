/* Knows the marks of a reading by name: bit by bit, as answers, exports and SQL show them. Refuses to know what they do. Called by the
 * api, by the SQLite extension and by whoever reads such names back. */
#include <ecogov/reading.h>

#include <string.h>

static const char *const names[EG_FLAG_COUNT] = {
    "late",  "retained",     "correction", "arrival", "imported",    "manual",     "range", "step",
    "stuck", "inconsistent", "humid",      "bad",     "requalified", "calibrated", "clock", "spike"};

const char *eg_flag_name(int bit)
{
    return bit >= 0 && bit < EG_FLAG_COUNT ? names[bit] : NULL;
}

unsigned eg_flag_find(const char *name, size_t length)
{
    for (int bit = 0; bit < EG_FLAG_COUNT; bit++)
        if (strlen(names[bit]) == length && !memcmp(names[bit], name, length))
            return 1U << bit;
    return 0;
}
