/* How a device stands, as it is shown. */
#ifndef EG_SILENT_H
#define EG_SILENT_H
#include <pipeline/pipeline.h>

enum eg_standing { EG_REPORTING, EG_STANDING_LATE, EG_SILENT, EG_RETIRED, EG_STANDING_COUNT };
const char *eg_standing_name(enum eg_standing standing); /* "reporting" "late" "silent" "retired" */
enum eg_standing eg_silent_standing(const struct eg_device_view *view, int64_t now_ms);
bool eg_silent_is(const struct eg_device_view *view, int64_t now_ms);
#endif
