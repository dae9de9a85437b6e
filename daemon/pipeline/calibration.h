/* Private to the pipeline: from what a device said to what is stored. */
#ifndef EG_CALIBRATION_H
#define EG_CALIBRATION_H

#include <ecogov/reading.h>

struct eg_batch;
struct eg_device;
struct eg_series;
struct eg_speakers;

#define EG_STEPS_MAX 256
struct eg_scaling { /* from then on value = raw * scale + offset */
    int64_t since_ms;
    double scale, offset;
};

/* All readings of the message, before anything is made of a value, so that what is compared is what will be stored. */
void eg_calibration_message(struct eg_speakers *speakers, struct eg_batch *batch, char reason[EG_REASON_MAX]);
/* Its readings of that time are not as they came. */
bool eg_calibration_holds(const struct eg_series *series, int64_t ms);
/* Of a series that is new, before its first reading. */
void eg_calibration_settle(const struct eg_device *device, struct eg_series *series, struct eg_batch *batch);

#endif
