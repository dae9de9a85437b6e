/* What a value is worth: calibration, validity, quality control. Part of conf.h. */
#ifndef EG_CONF_QUALITY_H
#define EG_CONF_QUALITY_H

#include <conf/basic.h>
#include <ecogov/quantity.h>
#include <stddef.h>

#define EG_CALIBRATIONS_MAX 64
struct eg_conf_calibration { /* value = raw * scale + offset, for readings from `from_ms` on */
    int quantity;
    const char *channel; /* NULL: any */
    double scale, offset;
    int64_t from_ms;  /* INT64_MIN: ever */
    int64_t until_ms; /* it is good so long; EG_TIME_NONE: nobody said */
};
/* How much of it has to be known for a statistic to be valid. */
struct eg_conf_validity {
    int64_t hour_ms;                               /* spoken for, of an hour */
    unsigned eight_hours, day_hours;               /* valid hours of eight, of a day */
    unsigned month_days, february_days, year_days; /* valid days; a year wants each of its months besides */
};
/* What quality control asks of a series; infinite, INT64_MAX: not asked. */
struct eg_conf_limits {
    double low, high;  /* usual */
    double rise, fall; /* in a minute */
    double spike,
        spike_share; /* by more than that above or below both beside it, and by that share of theirs */
    int64_t stuck_ms, stuck_bad_ms; /* one and the same value for so long */
    double calm, full;              /* not asked of values down to, up from these */
    double noise, noise_share;      /* more than that within a calm hour, and than that share of the mean */
    double drift, drift_share;      /* so far from its neighbours, or by that share */
};
struct eg_conf_quality_row { /* says otherwise of a quantity at a site, of a device, or of both */
    int quantity;
    uint32_t site;      /* EG_CONF_NONE: any */
    const char *device; /* NULL: any */
    struct eg_conf_limits limits;
};
struct eg_conf_quality {
    bool strict;         /* what is in doubt is set aside as if it were bad */
    double humidity;     /* from here on particles are in doubt; infinite: never */
    double neighbours_m; /* so far apart at most */
    struct eg_conf_limits quantities[EG_QUANTITY_COUNT];
    struct eg_conf_quality_row *rows;
    size_t row_count;
};

#endif
