/* Telling watchers. */
#ifndef EG_API_WATCH_H
#define EG_API_WATCH_H
#include <api/client.h>
/* Appends what `watch` asks for of this batch, a line each. False: more than `most` bytes are in `out` now;
 * it stopped there. */
bool eg_watch_batch(const struct eg_desk *desk, const struct eg_watch *watch, const struct eg_batch *batch,
                    struct eg_buf *out, size_t most);
/* Appends a status notification when it has changed since the last one. */
void eg_watch_status(const struct eg_desk *desk, struct eg_watch *watch, struct eg_buf *out);
#endif
