/* A configuration for one of the drivers or presets that come with ecogov, so that a payload can be tried without any. */
#ifndef EG_CTL_SHIPPED_H
#define EG_CTL_SHIPPED_H
#include <conf/conf.h>

#define SHIPPED_SITE "nowhere" /* where neither topic nor payload say more */
#define SHIPPED_DEVICE "unnamed"
#define SHIPPED_TOPIC 256

bool shipped_is(const char *source); /* "preset:NAME", "driver:NAME" */
/* One source, "try", that takes `topic`; NULL: its preset's usual one. `codec` may be NULL. *ret_topic: the topic it takes. NULL after a
 * sentence on stderr. */
struct eg_conf *shipped_conf(const char *source, const char *topic, const char *codec,
                             char ret_topic[SHIPPED_TOPIC]);
#endif
