/* Whose readings a series' own are held against: series of the same quantity and channel at other devices of its domain that stand near.
 * Knows where devices stand, by their own position, else by their site's; those of one site are neighbours where that is not known. Refuses
 * to know readings. Called by examine.c. */
#include <pipeline/examine.h>

#include <math.h>
#include <string.h>

#define EARTH_M 6371008.8          /* mean radius */
#define METRES_PER_DEGREE 110500.0 /* of latitude, at the least */
#define RADIANS(degrees) ((degrees)*0.017453292519943295)

struct place {
    double latitude, longitude; /* NAN: nobody said */
};

static struct place place_of(const struct eg_conf *conf, const struct eg_device *device)
{
    const struct eg_conf_device *described = device->described;
    const struct eg_conf_site *site = &conf->sites[device->site];
    if (described && isfinite(described->latitude) && isfinite(described->longitude))
        return (struct place){described->latitude, described->longitude};
    return (struct place){site->latitude, site->longitude};
}

/* Haversine. */
static double metres(struct place a, struct place b)
{
    double lat = sin(RADIANS(b.latitude - a.latitude) / 2), lon = sin(RADIANS(b.longitude - a.longitude) / 2);
    double h = lat * lat + cos(RADIANS(a.latitude)) * cos(RADIANS(b.latitude)) * lon * lon;
    return 2 * EARTH_M * asin(sqrt(h < 1 ? h : 1));
}

static bool known(struct place place)
{
    return isfinite(place.latitude) && isfinite(place.longitude);
}

/* Infinite: not near. */
static double apart(const struct eg_conf *conf, const struct eg_device *a, struct place at,
                    const struct eg_device *b)
{
    struct place there = place_of(conf, b);
    if (!known(at) || !known(there))
        return a->site == b->site ? 0 : INFINITY;
    if (fabs(at.latitude - there.latitude) * METRES_PER_DEGREE > conf->quality.neighbours_m)
        return INFINITY;
    double distance = metres(at, there);
    return distance <= conf->quality.neighbours_m ? distance : INFINITY;
}

size_t eg_neighbours_of(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t since_ms,
                        uint32_t ret_ids[EG_NEIGHBOURS_MOST])
{
    double distances[EG_NEIGHBOURS_MOST];
    size_t count = 0;
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    struct place at = place_of(pipeline->conf, device);
    for (size_t i = 0; i < pipeline->series_count; i++) {
        const struct eg_series *other = pipeline->series[i];
        const struct eg_device *there = &pipeline->devices[other->device - 1];
        if (other->quantity != series->quantity || other->device == series->device || !other->has_last ||
            other->last_ms < since_ms || strcmp(other->channel, series->channel) != 0 ||
            there->site == EG_CONF_NONE || strcmp(there->domain, device->domain) != 0 ||
            eg_registry_retired(there))
            continue;
        double distance = apart(pipeline->conf, device, at, there);
        if (isinf(distance) || (count == EG_NEIGHBOURS_MOST && distance >= distances[count - 1]))
            continue;
        size_t place = count < EG_NEIGHBOURS_MOST ? count++ : count - 1;
        for (; place > 0 && distances[place - 1] > distance; place--) {
            distances[place] = distances[place - 1];
            ret_ids[place] = ret_ids[place - 1];
        }
        distances[place] = distance;
        ret_ids[place] = other->id;
    }
    return count;
}
