/* Gases that a device tells in cubic metres of the air as it is, brought to the reference state (298.15 K, 1013.25 hPa). */
#ifndef EG_AMBIENT_H
#define EG_AMBIENT_H

#include <conf/conf.h>

/* What is in the sink becomes what limits are written in, by the temperature and the pressure of the same message. A gas that cannot be
 * converted is taken out, and told as a value that could not be read. */
void eg_ambient_apply(const struct eg_conf_source *source, struct eg_sink *sink);

#endif
