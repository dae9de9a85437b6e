/* A JSON payload as a tree of cJSON's nodes, to be read only: made in one pass, on the caller's stack for all that devices usually send. */
#ifndef EG_JSON_TREE_H
#define EG_JSON_TREE_H

#include <ecogov/driver.h>

#include <cjson/cJSON.h>

#define EG_JSON_TREE_NODES 96
#define EG_JSON_TREE_BYTES 2048

struct eg_json_block;

/* Stays where it is: it points into itself. Whoever reads it may use cJSON's functions that look, never those that change or delete. */
struct eg_json_tree {
    const cJSON *root;
    struct eg_json_block *blocks; /* of nodes beyond the first ones; Owned */
    char *text; /* of the payload, in which strings are unescaped; Owned where it is not `bytes` */
    cJSON nodes[EG_JSON_TREE_NODES];
    char bytes[EG_JSON_TREE_BYTES];
};

/* EG_DECODED, or EG_MALFORMED with the sink's reason set: what eg_json_scan() refuses, what is no JSON (RFC 8259), and anything behind the
 * value. Then there is nothing to finish. A key that is given twice is there twice. */
enum eg_verdict eg_json_tree_read(struct eg_json_tree *tree, const uint8_t *payload, size_t length,
                                  struct eg_sink *sink);
void eg_json_tree_finish(struct eg_json_tree *tree);

#endif
