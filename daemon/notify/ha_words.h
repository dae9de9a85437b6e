/* What Home Assistant is told: topics, descriptions, states. Private to homeassistant.c; pure. */
#ifndef EG_HA_WORDS_H
#define EG_HA_WORDS_H

#include <base/buf.h>
#include <pipeline/pipeline.h>

#define EG_HA_TOPIC 512
#define EG_HA_BODY ((size_t)512 * 1024)

struct eg_ha {
    char prefix[128], mark[80]; /* mark: of this daemon, in all ids */
    enum eg_language language;
    int64_t interval_ms, retire_ms;
};
void eg_ha_init(struct eg_ha *ha, const struct eg_conf *conf);
/* The description of a device, and where it goes. */
void eg_ha_device_config(const struct eg_ha *ha, const struct eg_pipeline *pipeline,
                         const struct eg_device_view *device, char topic[EG_HA_TOPIC], struct eg_buf *out);
void eg_ha_device_state(const struct eg_ha *ha, const struct eg_pipeline *pipeline,
                        const struct eg_device_view *device, int64_t now_ms, char topic[EG_HA_TOPIC],
                        struct eg_buf *out);
/* Open cases by level, each site with those below it; `counts` has as many as the configuration has sites. */
struct eg_ha_cases {
    size_t levels[EG_LEVEL_COUNT];
};
void eg_ha_count(const struct eg_pipeline *pipeline, struct eg_ha_cases *counts);
void eg_ha_site_config(const struct eg_ha *ha, const struct eg_pipeline *pipeline, size_t site,
                       char topic[EG_HA_TOPIC], struct eg_buf *out);
void eg_ha_site_state(const struct eg_conf_site *site, const struct eg_ha_cases *cases,
                      char topic[EG_HA_TOPIC], struct eg_buf *out);

#endif
