/* The drivers there are. */
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
    return index < sizeof drivers / sizeof *drivers ? drivers[index] : NULL;
}

const struct eg_driver *eg_driver_find(const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (!strcmp(drivers[i]->name, name))
            return drivers[i];
    return NULL;
}

bool eg_driver_heeds(const struct eg_driver *driver, const char *key)
{
    const size_t length = strlen(key);
    for (const char *at = driver->keys; at && (at = strstr(at, key)); at += length)
        if ((at == driver->keys || at[-1] == ' ') && (!at[length] || at[length] == ' '))
            return true;
    return !driver->keys;
}

const char *eg_verdict_name(enum eg_verdict verdict)
{
    static const char *const names[EG_VERDICT_COUNT] = {"decoded", "not_mine", "malformed", "checksum",
                                                        "implausible"};
    return (unsigned)verdict < EG_VERDICT_COUNT ? names[verdict] : "?";
}
