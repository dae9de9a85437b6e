/* Any bytes as JSON: the one pass of the drivers reads what the scan and cJSON together do, refuses what they refuse, and reads not one
 * byte further. Input: the payload. */
#include "input.h"
#include "json_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct eg_sink sink;
    struct input input = {data, data + size};
    size_t length;
    uint8_t *payload = input_exact(&input, SIZE_MAX, &length);
    const char *differ = json_judge(payload, length, &sink);
    DEMAND(!differ, "%s: %s", differ, sink.reason);
    free(payload);
    return 0;
}
