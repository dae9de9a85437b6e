/* Durations and sizes as configuration writes them: "500ms 30s 10m 1h 24h 30d", "64KB 4GB 512MiB" (K=1000, Ki=1024). */
#ifndef EG_SPAN_H
#define EG_SPAN_H
#include <stdbool.h>
#include <stdint.h>
bool eg_span_parse(const char *text,
                   int64_t *ret_ms); /* "0" and "0s" are 0; a bare other number, a sign, overflow: false */
char *eg_span_format(int64_t ms, char out[32]); /* the largest unit that is exact: "90m", "24h"→"1d", "0s" */
bool eg_size_parse(const char *text, int64_t *ret_bytes);
#endif
