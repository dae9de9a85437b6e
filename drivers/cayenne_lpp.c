/* cayenne-lpp: Cayenne Low Power Payload with nothing around it: binary, or base64 or hexadecimal as text. Inside a LoRaWAN event it is
 * a codec of drivers chirpstack and ttn. The format is drawn in lorawan/cayenne.c.
 *
 *   05 67 ff d7                    or "BWf/1w==", or "0567ffd7"
 *
 * https://docs.mydevices.com/docs/lorawan/cayenne-lpp */
#include "lorawan/lorawan.h"

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    static const struct eg_codec codec = {"cayenne-lpp", eg_codec_cayenne, 0};
    return eg_lorawan_read_bytes(prepared, &codec, message, sink);
}

extern const struct eg_driver eg_driver_cayenne_lpp;
const struct eg_driver eg_driver_cayenne_lpp = {
    .name = "cayenne-lpp",
    .about = "Cayenne Low Power Payload, binary, base64 or hexadecimal",
    .keys = "fields",
    .prepare = eg_lorawan_prepare,
    .release = eg_lorawan_release,
    .decode = decode,
};
