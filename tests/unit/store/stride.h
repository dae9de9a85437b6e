/* How many of the places where something may fail a test tries: some of them, in CI; all of them with ECOGOV_FAULTS=all. Chance begins at
 * ECOGOV_SEED, else where it always does. */
#ifndef TEST_STORE_STRIDE_H
#define TEST_STORE_STRIDE_H

#include <stdlib.h>
#include <string.h>

static long stride(long some)
{
    const char *asked = getenv("ECOGOV_FAULTS");
    return asked && strcmp(asked, "all") == 0 ? 1 : some;
}

static inline unsigned stride_seed(void)
{
    const char *asked = getenv("ECOGOV_SEED");
    return asked ? (unsigned)strtoul(asked, NULL, 10) : 20261124u;
}

#endif
