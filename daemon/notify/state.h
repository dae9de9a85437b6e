/* The retained state of the sites (CONTRACT §6): ecogov/state/{site}/summary, told when it has changed since it was told last. Knows
 * what was told; when to look and through which client it goes, it does not know. What could not go out is offered again by the
 * next look, so nothing of it is stored. */
#ifndef EG_STATE_TOPICS_H
#define EG_STATE_TOPICS_H

#include <stddef.h>
#include <stdint.h>

struct eg_state;
struct eg_state_door {
    void *user;
    int (*publish)(void *user, const char *topic, const char *body, size_t length); /* negative: not now */
};
struct eg_state *eg_state_create(const struct eg_state_door *door); /* NULL: no memory */
void eg_state_destroy(struct eg_state *state);                      /* accepts NULL */
/* A new link: the broker may have forgotten all. */
void eg_state_forget(struct eg_state *state);
/* `json`: an object about the site. Goes out with "at" put in front, unless it is what was told last. */
void eg_state_offer(struct eg_state *state, const char *site, const char *json, size_t length, int64_t at_ms);

#endif
