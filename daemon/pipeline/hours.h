/* The last two days of an air pollutant's hours, in memory: what its indices are made of, without asking the store. */
#ifndef EG_HOURS_H
#define EG_HOURS_H

#include <index/hours.h>

#define EG_HOUR_MS INT64_C(3600000)

/* EG_POLLUTANTS: the quantity is none. */
enum eg_pollutant eg_hours_pollutant(int quantity);
#endif
