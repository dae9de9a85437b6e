/* The fuzzer's bytes, cut up; and the one way a harness says that something is wrong. Past the end everything reads as zero. */
#ifndef EG_FUZZ_INPUT_H
#define EG_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEMAND(condition, ...)                                                                               \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                  \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fputc('\n', stderr);                                                                             \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Around what belongs to the harness alone: the search counts the ways through the daemon, and pays for each it counts. */
#define UNWATCHED_BEGIN                                                                                      \
    _Pragma("clang attribute push(__attribute__((no_sanitize(\"coverage\"))), apply_to = function)")
#define UNWATCHED_END _Pragma("clang attribute pop")

struct input {
    const uint8_t *at, *end;
};

static inline size_t input_left(const struct input *input)
{
    return (size_t)(input->end - input->at);
}

static inline unsigned input_byte(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

/* `bytes` little-endian bytes, 1 to 8. */
static inline uint64_t input_number(struct input *input, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)input_byte(input) << (8 * i);
    return value;
}

/* At most `most` bytes in a block of exactly their size: one byte read too many is a report. Owned by the caller. */
static inline uint8_t *input_exact(struct input *input, size_t most, size_t *ret_length)
{
    size_t length = input_left(input) < most ? input_left(input) : most;
    uint8_t *bytes = malloc(length ? length : 1);
    if (!bytes)
        abort();
    if (length)
        memcpy(bytes, input->at, length);
    input->at += length;
    *ret_length = length;
    return bytes;
}

/* Up to (not including) the next `stop` byte or the end, as text that ends at its first zero byte. Owned by the caller. */
static inline char *input_text(struct input *input, char stop)
{
    const uint8_t *found = input->at < input->end ? memchr(input->at, stop, input_left(input)) : NULL;
    size_t length = found ? (size_t)(found - input->at) : input_left(input);
    char *text = malloc(length + 1);
    if (!text)
        abort();
    if (length)
        memcpy(text, input->at, length);
    text[length] = '\0';
    input->at = found ? found + 1 : input->end;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
