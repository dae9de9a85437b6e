/* Topics to sources. Knows topic templates and nothing of payloads or devices. Called by message.c.
 *
 * Every template is a path in a trie; {site}, {domain}, {device}, {quantity}, {channel} and '+' are the same edge (any level), so what one
 * means is looked up at the source once the path is found. A tree's node is visited at most once a topic. */
#include <pipeline/route.h>

#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 32

enum role { ROLE_NONE, ROLE_SITE, ROLE_DOMAIN, ROLE_DEVICE, ROLE_QUANTITY, ROLE_CHANNEL };

struct node {
    const char *text; /* of the edge that leads here; NULL: any level */
    size_t length;
    struct node *child, *sibling; /* literal children first, the wildcard one last */
    uint32_t source;              /* a template ends here */
    uint32_t hash_source;         /* a template goes on with '#' from here */
};
struct eg_route {
    const struct eg_conf *conf;
    struct node root;
    uint8_t (*roles)[LEVELS_MAX]; /* [source][level] */
};

static size_t split(const char *topic, size_t length, struct eg_slice levels[LEVELS_MAX])
{
    size_t count = 0;
    const char *start = topic, *end = topic + length;
    for (;;) {
        if (count == LEVELS_MAX)
            return 0;
        const char *slash = memchr(start, '/', (size_t)(end - start));
        levels[count].text = start;
        levels[count++].length = (size_t)((slash ? slash : end) - start);
        if (!slash)
            return count;
        start = slash + 1;
    }
}

static bool same(struct eg_slice a, const char *text)
{
    return strlen(text) == a.length && memcmp(a.text, text, a.length) == 0;
}

static struct node *child_of(struct node *parent, struct eg_slice level, bool any)
{
    struct node **at = &parent->child;
    for (; *at; at = &(*at)->sibling) {
        if (any ? !(*at)->text
                : (*at)->text && (*at)->length == level.length &&
                      !memcmp((*at)->text, level.text, level.length))
            return *at;
        if (!(*at)->text)
            break; /* a literal goes before the wildcard */
    }
    struct node *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        return NULL;
    fresh->text = any ? NULL : level.text;
    fresh->length = level.length;
    fresh->source = fresh->hash_source = EG_CONF_NONE;
    fresh->sibling = *at;
    *at = fresh;
    return fresh;
}

static uint8_t role_of(struct eg_slice level)
{
    static const char *const names[] = {[ROLE_SITE] = "{site}",
                                        [ROLE_DOMAIN] = "{domain}",
                                        [ROLE_DEVICE] = "{device}",
                                        [ROLE_QUANTITY] = "{quantity}",
                                        [ROLE_CHANNEL] = "{channel}"};
    for (uint8_t role = ROLE_SITE; role < sizeof names / sizeof *names; role++)
        if (same(level, names[role]))
            return role;
    return ROLE_NONE;
}

static bool add(struct eg_route *route, uint32_t source)
{
    struct eg_slice levels[LEVELS_MAX];
    const char *text = route->conf->sources[source].topic;
    size_t count = split(text, strlen(text), levels);
    struct node *node = &route->root;
    for (size_t i = 0; i < count; i++) {
        if (same(levels[i], "#")) {
            if (node->hash_source == EG_CONF_NONE)
                node->hash_source = source;
            return true;
        }
        uint8_t role = role_of(levels[i]);
        route->roles[source][i] = role;
        node = child_of(node, levels[i], role != ROLE_NONE || same(levels[i], "+"));
        if (!node)
            return false;
    }
    if (count && node->source == EG_CONF_NONE)
        node->source = source;
    return true;
}

struct eg_route *eg_route_create(const struct eg_conf *conf)
{
    struct eg_route *route = calloc(1, sizeof *route);
    if (!route)
        return NULL;
    route->conf = conf;
    route->root.source = route->root.hash_source = EG_CONF_NONE;
    route->roles = calloc(conf->source_count ? conf->source_count : 1, sizeof *route->roles);
    bool ok = route->roles != NULL;
    for (uint32_t i = 0; ok && i < conf->source_count; i++)
        ok = add(route, i);
    if (!ok) {
        eg_route_destroy(route);
        return NULL;
    }
    return route;
}

static void node_free(struct node *node)
{
    while (node) {
        struct node *next = node->sibling;
        node_free(node->child); /* as deep as a template has levels: LEVELS_MAX */
        free(node);
        node = next;
    }
}

void eg_route_destroy(struct eg_route *route)
{
    if (!route)
        return;
    node_free(route->root.child);
    free(route->roles);
    free(route);
}

static uint32_t walk(const struct node *node, const struct eg_slice *levels, size_t at, size_t count)
{
    if (at == count)
        return node->source != EG_CONF_NONE ? node->source : node->hash_source;
    for (const struct node *child = node->child; child; child = child->sibling) {
        if (child->text &&
            (child->length != levels[at].length || memcmp(child->text, levels[at].text, child->length)))
            continue;
        uint32_t found = walk(child, levels, at + 1, count);
        if (found != EG_CONF_NONE)
            return found;
    }
    return node->hash_source;
}

static struct eg_slice fixed(const char *text)
{
    return (struct eg_slice){text ? text : "", text ? strlen(text) : 0};
}

bool eg_route_find(const struct eg_route *route, const char *topic, size_t length, struct eg_routed *ret)
{
    struct eg_slice levels[LEVELS_MAX];
    size_t count = split(topic, length, levels);
    uint32_t source = count ? walk(&route->root, levels, 0, count) : EG_CONF_NONE;
    if (source == EG_CONF_NONE)
        return false;
    const struct eg_conf_source *row = &route->conf->sources[source];
    struct eg_routed out = {source,  fixed(row->site), fixed(row->domain), fixed(row->device),
                            {"", 0}, {"", 0}};
    for (size_t i = 0; i < count; i++) {
        switch (route->roles[source][i]) {
        case ROLE_SITE:
            out.site = levels[i];
            break;
        case ROLE_DOMAIN:
            out.domain = levels[i];
            break;
        case ROLE_DEVICE:
            out.device = levels[i];
            break;
        case ROLE_QUANTITY:
            out.quantity = levels[i];
            break;
        case ROLE_CHANNEL:
            out.channel = levels[i];
            break;
        default:
            break;
        }
    }
    *ret = out;
    return true;
}

bool eg_route_reserved(const char *topic, size_t length)
{
    static const char *const prefixes[] = {"ecogov/state/", "ecogov/events/", "ecogov/commands/",
                                           "ecogov/notify/"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (length >= strlen(prefixes[i]) && !memcmp(topic, prefixes[i], strlen(prefixes[i])))
            return true;
    return false;
}
