/* Knows which drivers there are: the lines of drivers.def. Refuses to know what any of them does.
 * Called by the configuration, which names a driver per source, and by whoever lists them. */
#include <ecogov/driver.h>

#include <string.h>

#define EG_DRIVER(name) extern const struct eg_driver eg_driver_##name;
#include "drivers.def"
#undef EG_DRIVER

static const struct eg_driver *const drivers[] = {
#define EG_DRIVER(name) &eg_driver_##name,
#include "drivers.def"
#undef EG_DRIVER
};

const struct eg_driver *eg_driver_at(size_t index)
{
    return index < sizeof drivers / sizeof drivers[0] ? drivers[index] : NULL;
}

const struct eg_driver *eg_driver_find(const char *name)
{
    if (name == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    return NULL;
}
