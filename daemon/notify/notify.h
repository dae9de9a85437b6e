/* The outbox speaks: rows written in a turn are sent after its commit, and their result comes back as a delivery event. Knows the
 * outbox and a door to publish through; which client that is, it does not know. At most what was in flight at a kill is sent twice
 * (same key). */
#ifndef EG_NOTIFY_H
#define EG_NOTIFY_H

#include <store/store.h>

struct eg_notify;
struct eg_notify_door {
    void *user;
    /* Negative: not now; EG_EINVAL: never. */
    int (*publish)(void *user, const char *topic, const char *body, size_t length, bool retain,
                   int64_t ticket);
    void (*delivery)(void *user, const struct eg_delivery *delivery);
};
struct eg_notify *eg_notify_create(struct eg_reader *reader,
                                   const struct eg_notify_door *door); /* NULL: no memory */
void eg_notify_destroy(struct eg_notify *notify);
/* Sends what waits, as far as the door takes it. After a commit with outbox rows, a `published`, and when the link is up. */
void eg_notify_pump(struct eg_notify *notify);
void eg_notify_published(struct eg_notify *notify, int64_t ticket, const char *error);
void eg_notify_link(struct eg_notify *notify, bool connected); /* down: what was in flight is sent again */

#endif
