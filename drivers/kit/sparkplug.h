/* Metrics of a Sparkplug B payload, and what births told of them. */
#ifndef EG_SPARKPLUG_H
#define EG_SPARKPLUG_H

#include "wire.h"

#include <ecogov/memory.h>

#define EG_SPARKPLUG_METRICS_MAX 8192 /* of a payload */
#define EG_SPARKPLUG_NAME_MAX 255     /* bytes of a metric's name, folders included */
#define EG_SPARKPLUG_UNIT_MAX 32
#define EG_SPARKPLUG_QUALITY_GOOD 192

enum eg_sparkplug_type { /* of a value; those that are no number are not told apart */
                         EG_SPARKPLUG_UNKNOWN = 0,
                         EG_SPARKPLUG_INT8 = 1,
                         EG_SPARKPLUG_INT16 = 2,
                         EG_SPARKPLUG_INT32 = 3,
                         EG_SPARKPLUG_INT64 = 4,
                         EG_SPARKPLUG_UINT64 = 8,
                         EG_SPARKPLUG_FLOAT = 9,
                         EG_SPARKPLUG_DOUBLE = 10,
                         EG_SPARKPLUG_BOOLEAN = 11,
                         EG_SPARKPLUG_STRING = 12,
                         EG_SPARKPLUG_TEXT = 14,
};
enum eg_sparkplug_held {
    EG_SPARKPLUG_NOTHING,
    EG_SPARKPLUG_INTEGER,
    EG_SPARKPLUG_REAL,
    EG_SPARKPLUG_TRUTH,
    EG_SPARKPLUG_WORDS,
    EG_SPARKPLUG_MEMBERS /* a template's metrics */,
    EG_SPARKPLUG_ELSE
};

struct eg_sparkplug_text {
    const char *at;
    size_t length;
};
struct eg_sparkplug_metric {
    struct eg_sparkplug_text name, unit; /* length 0: not told */
    bool has_alias, has_time, has_quality, is_null, is_transient, is_definition;
    uint64_t alias, time;
    int64_t quality;
    uint32_t type; /* enum eg_sparkplug_type, or one beyond */
    enum eg_sparkplug_held held;
    uint64_t integer;
    double real;
    struct eg_sparkplug_text text;
    struct eg_wire members;
};

/* False: no protobuf, or no Sparkplug. */
bool eg_sparkplug_metric_read(struct eg_wire wire, struct eg_sparkplug_metric *ret_metric);
/* As its type says: two's complement, a float's shortest decimal. False: it is no number. Not finite where the device says so. */
bool eg_sparkplug_metric_number(const struct eg_sparkplug_metric *metric, double *ret_number);

/* --- what is remembered of a node (sparkplug_node.c) --- */

#define EG_SPARKPLUG_PART_MAX 127 /* bytes of a group's, node's or device's name */

enum eg_sparkplug_kind { EG_SPARKPLUG_BIRTH, EG_SPARKPLUG_DATA, EG_SPARKPLUG_DEATH };
struct eg_sparkplug_address {
    enum eg_sparkplug_kind kind;
    char group[EG_SPARKPLUG_PART_MAX + 1], node[EG_SPARKPLUG_PART_MAX + 1],
        device[EG_SPARKPLUG_PART_MAX + 1]; /* "": the node itself */
};
struct eg_sparkplug_node { /* in its session: from birth to death */
    uint32_t generation;   /* of births that hold */
    uint32_t gap;          /* messages that never came, not told yet */
    uint64_t bd_seq;
    bool has_bd_seq, has_seq;
    uint8_t seq;
};

/* False: no topic of a birth, data or death. */
bool eg_sparkplug_address_read(const char *topic, struct eg_sparkplug_address *ret_address);
/* NULL: nothing is known of it. Borrowed until something is remembered. */
struct eg_sparkplug_node *eg_sparkplug_node_find(struct eg_memory *memory,
                                                 const struct eg_sparkplug_address *address);
/* A new session: what was told before does not hold any more. NULL: there is no memory. */
struct eg_sparkplug_node *eg_sparkplug_node_begin(struct eg_memory *memory,
                                                  const struct eg_sparkplug_address *address, int64_t now_ms);
void eg_sparkplug_node_count(struct eg_sparkplug_node *node, uint8_t seq);
void eg_sparkplug_node_end(struct eg_sparkplug_node *node);
/* Its devices since its last birth, for its death: one name after the other, each with its NUL. */
void eg_sparkplug_node_add(struct eg_memory *memory, const struct eg_sparkplug_address *address);
const char *eg_sparkplug_node_devices(struct eg_memory *memory, const struct eg_sparkplug_address *address,
                                      size_t *ret_size);

/* --- what births told (sparkplug_births.c) --- */

struct eg_sparkplug_born {
    struct eg_sparkplug_text name, unit;
    uint32_t type;
};
/* Remembers the metrics of a birth (a whole payload that has been looked through), as of `generation`: as many as there is room for. */
void eg_sparkplug_births_keep(struct eg_memory *memory, const struct eg_sparkplug_address *address,
                              uint32_t generation, struct eg_wire payload);
void eg_sparkplug_births_forget(struct eg_memory *memory, const struct eg_sparkplug_address *address);
/* By name, else by alias, at the device or else at its node. False: nothing is known of it, or only of another generation. */
bool eg_sparkplug_births_find(struct eg_memory *memory, const struct eg_sparkplug_address *address,
                              uint32_t generation, const struct eg_sparkplug_metric *metric,
                              struct eg_sparkplug_born *ret_born);

/* For sparkplug_node.c and sparkplug_births.c. */
char *eg_sparkplug_key(const struct eg_sparkplug_address *address, const char *device, const char *what,
                       char out[EG_MEMORY_KEY_MAX + 1]);

#endif
