/* The US EPA's NowCast: what the air is like now, of the last hours.
 * PM (EPA-454/B-24-002, section IV): of up to 12 hourly means, newest first, c0…c11; w = 1 - (max - min) / max, at least 0.5, 1 where
 * all are zero; sum(w^i * ci) / sum(w^i) over those that are there (the exponent counts hours, also missing ones). Two of the
 * newest three must be there.
 * Ozone: the EPA's method since 2019 is a regression over 336 hours; here is its own fallback for short records (USEPA/O3-Nowcast):
 * 0.85 * O3 + 4.5 ppb of the latest of the last three hours, not below zero, zero where all are zero. To be labelled "surrogate". */
#ifndef EG_INDEX_NOWCAST_H
#define EG_INDEX_NOWCAST_H

#include <stdbool.h>
#include <stddef.h>

#define EG_NOWCAST_HOURS 12

/* `hours` newest first, NAN where missing; those behind the twelfth are not looked at. false: too few. */
bool eg_nowcast_pm(const double *hours, size_t count, double *ret_value, double *ret_weight);
bool eg_nowcast_o3(const double *hours_ppb, size_t count, double *ret_ppb);

#endif
