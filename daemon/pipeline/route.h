/* From a topic to a source and the names in its levels, by a trie over the topic templates: O(topic length). */
#ifndef EG_ROUTE_H
#define EG_ROUTE_H

#include <conf/conf.h>

struct eg_route;

struct eg_slice {
    const char *text; /* borrowed from the topic or the configuration; not NUL-terminated */
    size_t length;
};
struct eg_routed {
    uint32_t source;                                         /* index in conf->sources */
    struct eg_slice site, domain, device, quantity, channel; /* length 0: the topic has none */
};

struct eg_route *eg_route_create(const struct eg_conf *conf); /* NULL: no memory */
void eg_route_destroy(struct eg_route *route);
/* The most literal template wins; among equals the first in the configuration. False when none matches. */
bool eg_route_find(const struct eg_route *route, const char *topic, size_t length, struct eg_routed *ret);
/* What ecogov itself publishes or reserves (CONTRACT §6): never a reading. */
bool eg_route_reserved(const char *topic, size_t length);

#endif
