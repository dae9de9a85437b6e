/* Whose readings a message carries: the device its topic names, or those its payload names, at the site and in the domain of the topic.
 * Registers who is new; refuses to know what they say. Called by message.c. */
#include <pipeline/state.h>

#include <stdio.h>
#include <string.h>

static bool is(struct eg_slice text, const char *name)
{
    return strlen(name) == text.length && !memcmp(name, text.text, text.length);
}

static bool described(const struct eg_conf *conf, const struct eg_routed *routed)
{
    for (size_t i = 0; i < conf->device_count; i++) {
        const struct eg_conf_device *row = &conf->devices[i];
        if (is(routed->device, row->id) && is(routed->site, conf->sites[row->site].id) &&
            (!row->domain || is(routed->domain, row->domain)))
            return true;
    }
    return false;
}

static struct eg_routed name_of(const struct eg_speakers *speakers, uint16_t which)
{
    struct eg_routed routed = speakers->routed;
    if (which) {
        const char *name = speakers->pipeline->sink->devices[which - 1];
        routed.device = (struct eg_slice){name, strlen(name)};
    }
    return routed;
}

static uint32_t look_up(struct eg_speakers *speakers, uint16_t which, struct eg_batch *batch,
                        char reason[EG_REASON_MAX])
{
    struct eg_pipeline *pipeline = speakers->pipeline;
    const struct eg_routed routed = name_of(speakers, which);
    const struct eg_device *device = NULL;
    char why[EG_REASON_MAX] = "";
    uint32_t id = eg_registry_find_device(pipeline, routed.site, routed.domain, routed.device);
    if (id != EG_ID_NONE)
        return id;
    if (!routed.device.length)
        snprintf(why, sizeof why, "neither the topic nor the payload names the device");
    else if (!pipeline->conf->auto_register && !described(pipeline->conf, &routed))
        snprintf(why, sizeof why, "the device is not in the configuration and auto_register is off");
    else
        device = eg_registry_add_device(pipeline, &routed, speakers->message->arrived_ms, batch, why);
    if (!device && !*reason)
        memcpy(reason, why, sizeof why);
    return device ? device->id : EG_ID_NONE;
}

struct eg_device *eg_speakers_known(struct eg_speakers *speakers, uint16_t which)
{
    const struct eg_routed routed = name_of(speakers, which);
    uint32_t id = speakers->ids[which];
    if (!id)
        id = eg_registry_find_device(speakers->pipeline, routed.site, routed.domain, routed.device);
    return id == EG_ID_NONE ? NULL : eg_registry_device(speakers->pipeline, id);
}

struct eg_device *eg_speakers_device(struct eg_speakers *speakers, uint16_t which, struct eg_batch *batch,
                                     char reason[EG_REASON_MAX])
{
    uint32_t *id = &speakers->ids[which];
    if (!*id)
        *id = look_up(speakers, which, batch, reason);
    return *id == EG_ID_NONE ? NULL : eg_registry_device(speakers->pipeline, *id);
}
