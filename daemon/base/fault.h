/* What is wrong right now, for `status` and the log: one sentence per key ("conf", "store.full", "mqtt"). Bounded. */
#ifndef EG_FAULT_H
#define EG_FAULT_H
#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>
#define EG_FAULT_MAX 32
struct eg_fault {
    char key[32];
    char text[512];
    int64_t since_ms;
};
struct eg_faults {
    size_t count;
    struct eg_fault rows[EG_FAULT_MAX];
};
/* True when this key is new or its sentence changed (worth a log line). `since` stays while the key stays. */
bool eg_fault_raise(struct eg_faults *faults, const char *key, int64_t now_ms, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool eg_fault_clear(struct eg_faults *faults, const char *key); /* true when it was there */
#endif
