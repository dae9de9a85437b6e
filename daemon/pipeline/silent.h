/* Whether a device has fallen silent. */
#ifndef EG_SILENT_H
#define EG_SILENT_H
#include <pipeline/pipeline.h>

bool eg_silent_is(const struct eg_device_view *view, int64_t now_ms);
#endif
