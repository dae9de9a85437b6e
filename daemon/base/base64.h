/* RFC 4648: bytes as text. */
#ifndef EG_BASE64_H
#define EG_BASE64_H

#include <base/buf.h>
#include <stdint.h>

void eg_base64_write(const uint8_t *bytes, size_t length, struct eg_buf *out);
/* With padding or without. Owned by the caller, at least a byte of memory; NULL: it is no base64, or there is no memory. */
uint8_t *eg_base64_read(const char *text, size_t *ret_length);

#endif
