/* Growing buffers with a maximum, varints, and a reader that never runs past the end. */
#include <base/buf.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eg_buf_init(struct eg_buf *buf, size_t max)
{
    memset(buf, 0, sizeof *buf);
    buf->max = max;
}

void eg_buf_finish(struct eg_buf *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->length = buf->capacity = 0;
}

void eg_buf_clear(struct eg_buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

static bool room_for(struct eg_buf *buf, size_t more)
{
    if (buf->failed || more > buf->max || buf->length > buf->max - more) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->length + more + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

bool eg_buf_add(struct eg_buf *buf, const void *data, size_t length)
{
    if (!room_for(buf, length))
        return false;
    if (length)
        memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
    return true;
}

bool eg_buf_text(struct eg_buf *buf, const char *text)
{
    return eg_buf_add(buf, text, strlen(text));
}

bool eg_buf_printf(struct eg_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !room_for(buf, (size_t)length)) {
        buf->failed = true;
        return false;
    }
    va_start(args, format);
    vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
    va_end(args);
    buf->length += (size_t)length;
    return true;
}

void eg_buf_drop(struct eg_buf *buf, size_t front)
{
    if (front > buf->length)
        front = buf->length;
    if (!front)
        return;
    buf->length -= front;
    memmove(buf->data, buf->data + front, buf->length + 1);
}

bool eg_buf_varint(struct eg_buf *buf, uint64_t value)
{
    unsigned char bytes[10];
    size_t count = 0;
    while (value >= 0x80) {
        bytes[count++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    bytes[count++] = (unsigned char)value;
    return eg_buf_add(buf, bytes, count);
}

bool eg_buf_zigzag(struct eg_buf *buf, int64_t value)
{
    return eg_buf_varint(buf, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

uint64_t eg_cut_varint(struct eg_cut *cut)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && cut->at < cut->end; shift += 7) {
        uint8_t byte = *cut->at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    cut->failed = true;
    cut->at = cut->end;
    return 0;
}

int64_t eg_cut_zigzag(struct eg_cut *cut)
{
    uint64_t value = eg_cut_varint(cut);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

const uint8_t *eg_cut_bytes(struct eg_cut *cut, size_t length)
{
    if (cut->failed || length > (size_t)(cut->end - cut->at)) {
        cut->failed = true;
        cut->at = cut->end;
        return NULL;
    }
    const uint8_t *bytes = cut->at;
    cut->at += length;
    return bytes;
}
