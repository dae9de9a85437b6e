/* A device's own state, for devices.list. */
#ifndef EG_API_HEALTH_H
#define EG_API_HEALTH_H
#include <api/call.h>

#define EG_HEALTH_TRENDS 100 /* devices of one answer whose days are read from the store */

/* The members that tell of its health, into the open object. */
void eg_health_write(struct eg_call *call, const struct eg_device_view *view, bool with_trend);
#endif
