/* Durations and sizes as text. */
#include <base/span.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit spans[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct unit sizes[] = {{"B", 1},           {"KB", 1000},          {"MB", 1000000},
                                    {"GB", 1000000000}, {"TB", 1000000000000}, {"KiB", 1024},
                                    {"MiB", 1048576},   {"GiB", 1073741824},   {"TiB", 1099511627776}};

static bool parse(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
    int64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (number > (INT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (*at - '0');
    }
    if (at == text)
        return false;
    if (!*at && number == 0) {
        *ret = 0;
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (!strcmp(at, units[i].name)) {
            if (number > INT64_MAX / units[i].factor)
                return false;
            *ret = number * units[i].factor;
            return true;
        }
    return false;
}

bool eg_span_parse(const char *text, int64_t *ret_ms)
{
    return parse(text, spans, sizeof spans / sizeof *spans, ret_ms);
}

bool eg_size_parse(const char *text, int64_t *ret_bytes)
{
    return parse(text, sizes, sizeof sizes / sizeof *sizes, ret_bytes);
}

char *eg_span_format(int64_t ms, char out[32])
{
    size_t unit = sizeof spans / sizeof *spans - 1;
    while (unit && (ms == 0 || ms % spans[unit].factor != 0))
        unit--;
    if (ms == 0)
        unit = 1;
    snprintf(out, 32, "%" PRId64 "%s", ms / spans[unit].factor, spans[unit].name);
    return out;
}
