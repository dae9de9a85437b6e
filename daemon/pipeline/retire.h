/* Devices taken out of service by people, and back. Private to the pipeline. */
#ifndef EG_RETIRE_H
#define EG_RETIRE_H
#include <pipeline/state.h>

void eg_retire_take(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                    struct eg_batch *batch); /* "retire" "restore" */
/* A retired device is heard, by what is of that time. */
void eg_retire_heard(struct eg_pipeline *pipeline, struct eg_device *device, int64_t time_ms,
                     int64_t arrived_ms, struct eg_batch *batch);
void eg_retire_finish(struct eg_device *device);

#endif
