/* lorawan: a device's own bytes, without an event around them: binary, or base64 or hexadecimal as text. codec says whose they are. The
 * port is not told, so codecs that want one take it as given.
 *
 *   04 67 ff d7                    or "BGf/1w==", or "0467ffd7" */
#include "lorawan/lorawan.h"

#include <stdio.h>

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    if (mapping->codec != NULL && mapping->codec[0] != '\0')
        return eg_lorawan_prepare(mapping, ret_prepared, error, error_size, ret_field);
    *ret_field = -1;
    (void)snprintf(error, error_size, "say codec: bare bytes do not tell which device they are from");
    return -1;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    const struct eg_lorawan_plan *plan = prepared;
    if (plan != NULL)
        return eg_lorawan_read_bytes(plan, plan->codec, message, sink);
    eg_sink_reset(sink);
    return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "the source names no codec");
}

extern const struct eg_driver eg_driver_lorawan;
const struct eg_driver eg_driver_lorawan = {
    .name = "lorawan",
    .about = "the bytes of a LoRaWAN device, binary, base64 or hexadecimal, by a codec",
    .codecs = eg_codec_names,
    .keys = "codec fields",
    .prepare = prepare,
    .release = eg_lorawan_release,
    .decode = decode,
};
