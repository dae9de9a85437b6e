/* MQTT discovery for Home Assistant: each device with its readings and each site with its open cases is described by one retained message
 * on {prefix}/device/{id}/config, once a link and when it changes; their states lie retained below ecogov/state/. What retires is taken
 * back with an empty one. Nothing of it is stored, and nothing of it is subscribed. */
#ifndef EG_HOMEASSISTANT_H
#define EG_HOMEASSISTANT_H

#include <pipeline/pipeline.h>
#include <uv.h>

struct eg_homeassistant;
struct eg_homeassistant_door {
    void *user;
    int (*publish)(void *user, const char *topic, const char *body,
                   size_t length); /* retained; negative: not now */
};
/* Says nothing until it is configured and there is a link. NULL: no memory. */
struct eg_homeassistant *eg_homeassistant_create(uv_loop_t *loop, const struct eg_pipeline *pipeline,
                                                 const struct eg_homeassistant_door *door);
void eg_homeassistant_configure(struct eg_homeassistant *home, const struct eg_conf *conf);
void eg_homeassistant_link(struct eg_homeassistant *home, bool connected);
void eg_homeassistant_release(struct eg_homeassistant *home,
                              const struct eg_batch *batch); /* what has changed */
void eg_homeassistant_close(struct eg_homeassistant *home);  /* frees itself on the loop; accepts NULL */

#endif
