/* Any bytes as a configuration. It loads and makes sense, or it does not and every fault is a line with a place in it, in order;
 * twice the same. Files and includes are not reached from here. */
#include "input.h"

#include <conf/conf.h>

#define NAME "fuzz.yaml"
#define FAULTS_BYTES ((size_t)1 << 20)

/* "fuzz.yaml:LINE:COLUMN: sentence"; the place as one number, to compare. */
static unsigned long long place(const char *line, size_t length, unsigned long lines)
{
    char text[1024], *end;
    DEMAND(length < sizeof text, "a fault of %zu bytes", length);
    memcpy(text, line, length);
    text[length] = '\0';
    DEMAND(!strncmp(text, NAME ":", sizeof NAME), "no file: %s", text);
    unsigned long row = strtoul(text + sizeof NAME, &end, 10);
    DEMAND(row >= 1 && row <= lines && *end == ':', "line %lu of %lu: %s", row, lines, text);
    unsigned long column = strtoul(end + 1, &end, 10);
    DEMAND(column >= 1 && !strncmp(end, ": ", 2) && end[2], "no column or no sentence: %s", text);
    for (const char *c = end; *c; c++)
        DEMAND((unsigned char)*c >= 0x20 && *c != 0x7f, "a control byte in a fault");
    return (unsigned long long)row << 32 | (column & 0xFFFFFFFF);
}

static void check_faults(const struct eg_buf *said, unsigned long lines)
{
    DEMAND(said->length && !said->failed, "refused without a sentence");
    DEMAND(said->data[said->length - 1] == '\n', "the last fault has no end");
    unsigned long long before = 0;
    const char *at = said->data, *end = said->data + said->length;
    for (const char *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!strncmp(at, "there are more faults", 21))
            return;
        unsigned long long now = place(at, (size_t)(stop - at), lines);
        DEMAND(now >= before, "faults are out of order: %s", said->data);
        before = now;
    }
}

static void check_conf(const struct eg_conf *conf)
{
    DEMAND(conf->source_count >= 1, "no source");
    DEMAND(conf->time_zone && *conf->time_zone && conf->store.path && conf->socket.path,
           "a default is missing");
    DEMAND(conf->mqtt.port >= 1 && conf->mqtt.port <= 65535, "port %d", conf->mqtt.port);
    for (size_t i = 0; i < conf->site_count; i++) {
        const struct eg_conf_site *site = &conf->sites[i];
        DEMAND(site->parent == EG_CONF_NONE || site->parent < conf->site_count, "parent %u", site->parent);
        DEMAND((unsigned)site->mode < EG_MODE_COUNT, "mode %d", (int)site->mode);
        uint32_t up = site->parent;
        for (size_t steps = 0; up != EG_CONF_NONE; up = conf->sites[up].parent)
            DEMAND(steps++ < conf->site_count, "site '%s' is above itself", site->id);
        DEMAND(eg_conf_site_find(conf, site->id, strlen(site->id)) == i, "site '%s' is there twice",
               site->id);
        for (size_t k = 0; k < site->party_count; k++)
            DEMAND(site->parties[k] < conf->party_count, "party %u", site->parties[k]);
    }
    for (size_t i = 0; i < conf->device_count; i++)
        DEMAND(conf->devices[i].site < conf->site_count, "device '%s' is nowhere", conf->devices[i].id);
    for (size_t i = 0; i < conf->source_count; i++)
        DEMAND(conf->sources[i].driver && conf->sources[i].topic && *conf->sources[i].topic, "source '%s'",
               conf->sources[i].id);
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct eg_conf_rule *rule = &conf->rules[i];
        DEMAND(rule->quantity >= 0 && rule->quantity < EG_QUANTITY_COUNT, "quantity %d", rule->quantity);
        DEMAND((unsigned)rule->statistic < EG_STAT_COUNT && rule->window_ms >= 1000, "rule '%s'", rule->id);
        for (size_t k = 0; k < rule->site_count; k++)
            DEMAND(rule->sites[k] < conf->site_count, "site %u", rule->sites[k]);
    }
}

static unsigned long count_lines(const uint8_t *text, size_t length)
{
    unsigned long lines = 2; /* a fault may lie behind the last line */
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n' || text[i] == '\r' || text[i] == 0x85 || text[i] == 0xA8 || text[i] == 0xA9;
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct eg_buf first, second;
    size_t length;
    uint8_t *text = input_exact(&input, SIZE_MAX, &length);
    eg_buf_init(&first, FAULTS_BYTES);
    eg_buf_init(&second, FAULTS_BYTES);
    struct eg_conf *conf = eg_conf_parse(NAME, (const char *)text, length, &first);
    if (conf) {
        DEMAND(!first.length, "it loads, and yet: %s", first.data);
        check_conf(conf);
    } else {
        check_faults(&first, count_lines(text, length));
    }
    struct eg_conf *again = eg_conf_parse(NAME, (const char *)text, length, &second);
    DEMAND(!conf == !again && first.length == second.length &&
               (!first.length || !memcmp(first.data, second.data, first.length)),
           "another answer the second time");
    eg_conf_destroy(conf);
    eg_conf_destroy(again);
    eg_buf_finish(&first);
    eg_buf_finish(&second);
    free(text);
    return 0;
}
