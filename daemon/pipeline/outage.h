/* Cases of silence: of a device, or of a site. Private to the pipeline. */
#ifndef EG_OUTAGE_H
#define EG_OUTAGE_H
#include <pipeline/unheard.h>

/* The first rule about devices that asks for that there; NULL: none does. */
const struct eg_conf_rule *eg_outage_rule(const struct eg_conf *conf, enum eg_when when, uint32_t site,
                                          const char *domain);
enum eg_level eg_outage_level(const struct eg_conf_rule *rule);
bool eg_outage_configure(struct eg_pipeline *pipeline, const struct eg_conf *conf); /* false: no memory */
int64_t eg_outage_wake(struct eg_pipeline *pipeline); /* when a case is due; INT64_MAX: none will be */
/* That it speaks may tell that a site is alive, which was not known when that was last asked. */
bool eg_outage_cares(const struct eg_pipeline *pipeline, const struct eg_device *device);
void eg_outage_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);
/* A device is heard, whose silence that case spoke for (0: none did, or it was not silent). */
void eg_outage_heard(struct eg_pipeline *pipeline, struct eg_device *device, uint32_t number, int64_t now_ms,
                     struct eg_batch *batch);
#endif
