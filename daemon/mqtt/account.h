/* An account, in a file, of what the broker's session may hold of our subscriptions: written before anything is subscribed,
 * shortened when the broker has confirmed what was unsubscribed. So it may name too much after a kill, never too little.
 * Private to the room. */
#ifndef EG_ACCOUNT_H
#define EG_ACCOUNT_H

#include <base/err.h>
#include <stdbool.h>
#include <stddef.h>

#define EG_SUBSCRIPTION_MAX 256 /* bytes */
#define EG_ACCOUNT_MAX 4096     /* subscriptions */

struct eg_account {
    char *path; /* NULL: none is kept */
    char (*topics)[EG_SUBSCRIPTION_MAX];
    size_t count;
    bool changed; /* since it was read or written */
};

/* What the file holds; one that is not there is empty. */
int eg_account_open(struct eg_account *account, const char *path, struct eg_err *err);
void eg_account_finish(struct eg_account *account);
bool eg_account_add(struct eg_account *account, const char *topic); /* false: no memory, or too many */
/* Drops what `wanted` does not want. */
void eg_account_keep(struct eg_account *account, bool (*wanted)(const void *arg, const char *topic),
                     const void *arg);
/* Writes what has changed, as a whole or not at all. */
int eg_account_write(struct eg_account *account, struct eg_err *err);

#endif
