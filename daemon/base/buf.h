/* A growing byte buffer with a written maximum. After a failure to grow it is `failed` and ignores further writes; the
 * content so far stays. Always NUL-terminated behind `length` once anything was written. */
#ifndef EG_BUF_H
#define EG_BUF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct eg_buf {
    char *data;
    size_t length, capacity, max;
    bool failed;
};
void eg_buf_init(struct eg_buf *buf, size_t max);
void eg_buf_finish(struct eg_buf *buf);
void eg_buf_clear(struct eg_buf *buf); /* keeps the memory, clears `failed` */
bool eg_buf_add(struct eg_buf *buf, const void *data, size_t length);
bool eg_buf_text(struct eg_buf *buf, const char *text);
bool eg_buf_printf(struct eg_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void eg_buf_drop(struct eg_buf *buf, size_t front); /* removes bytes at the front */
/* LEB128 */
bool eg_buf_varint(struct eg_buf *buf, uint64_t value);
bool eg_buf_zigzag(struct eg_buf *buf, int64_t value);
/* A reader over borrowed bytes; hostile input: `failed` is set and 0 returned past the end. */
struct eg_cut {
    const uint8_t *at, *end;
    bool failed;
};
uint64_t eg_cut_varint(struct eg_cut *cut);
int64_t eg_cut_zigzag(struct eg_cut *cut);
const uint8_t *eg_cut_bytes(struct eg_cut *cut, size_t length); /* NULL past the end */
#endif
