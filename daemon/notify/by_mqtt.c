/* A publication on the broker. The same client tells of events; which one that is, the door knows. Its answer comes by
 * eg_lanes_published(). Called by lanes.c. */
#include <notify/ways.h>

#include <string.h>

bool eg_by_mqtt(struct eg_ways *ways, const struct eg_parcel *parcel, struct eg_outcome *ret)
{
    int code =
        ways->publish(ways->user, parcel->recipient, parcel->body, strlen(parcel->body), false, parcel->id);
    if (code == EG_EINVAL)
        eg_outcome_set(ret, EG_NEVER, "the broker takes no such publication");
    else if (code < 0)
        eg_outcome_set(ret, EG_AGAIN, "the broker is away or has enough for now");
    return code >= 0;
}
