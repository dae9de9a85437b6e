/* A conversation with the daemon: calls by name, answers as JSON. */
#ifndef EG_CTL_SESSION_H
#define EG_CTL_SESSION_H
#include "wire.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

struct session {
    struct wire wire;
    bool json; /* answers as they come, for programs */
    int64_t now_ms;
};
struct answer {
    cJSON *root;         /* the whole line; Owned */
    const cJSON *result; /* or, of a notification, its params */
    const char *method;  /* of a notification; else NULL */
    const char *raw;     /* the result as it came; borrowed until the next line */
    size_t raw_length;
};
/* For people, also asks the daemon for its time zone and its time. An EXIT_ code; the sentence is already on stderr. */
int session_open(const char *path, bool json, struct session *ret_session);
void session_close(struct session *session);
int session_send(struct session *session, const char *method, const cJSON *params);
/* The next line. EXIT_REFUSED: the daemon's sentence is on stderr. patience_ms below 0: for ever. */
int session_next(struct session *session, int patience_ms, struct answer *ret_answer);
void answer_finish(struct answer *answer);
#define PATIENCE_MS 60000 /* a write waits for its commit, and that for a slow card */

/* Texts and numbers of an answer that may lack them. */
const char *text_of(const cJSON *object, const char *key); /* NULL when it is no text */
/* The one in the reader's language, where both are there. */
const char *spoken_of(const cJSON *object, const char *key, const char *key_zh);
double number_of(const cJSON *object, const char *key); /* NAN when it is no number */
const cJSON *item_of(const cJSON *object, const char *key);
#endif
