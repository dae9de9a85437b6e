/* A first look at a JSON payload, before a parser that allocates sees it. */
#ifndef EG_JSON_SCAN_H
#define EG_JSON_SCAN_H

#include <ecogov/driver.h>

#define EG_JSON_BYTES_MAX (256 * 1024)
#define EG_JSON_DEPTH_MAX 32
#define EG_JSON_VALUES_MAX 32768 /* a parser's node takes 64 bytes: 2 MiB at most */
#define EG_JSON_NUMBER_MAX 63    /* what cJSON reads of one */

/* EG_DECODED, or EG_MALFORMED with the sink's reason set: too large, empty, not UTF-8, a control character or
 * NUL where none may be, nested too deep, too many values, a number or word that JSON (RFC 8259) does not
 * have. What is left to find is the grammar of brackets, commas and escapes. */
enum eg_verdict eg_json_scan(const uint8_t *payload, size_t length, struct eg_sink *sink);

#endif
