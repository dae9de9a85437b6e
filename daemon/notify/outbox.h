/* The room's front: what was committed to the outbox goes out, events to the broker (notify.h) and messages to parties (lanes.h). Called by
 * house.c on the loop's thread. */
#ifndef EG_OUTBOX_H
#define EG_OUTBOX_H

#include <notify/lanes.h>

/* NULL stands for an outbox that is gone: nothing happens. */
struct eg_outbox;
int eg_outbox_create(uv_loop_t *loop, const struct eg_conf *conf, struct eg_reader *reader,
                     struct eg_faults *faults, const struct eg_lanes_door *door, struct eg_outbox **ret,
                     struct eg_err *err);
void eg_outbox_configure(struct eg_outbox *outbox, const struct eg_conf *conf);
void eg_outbox_release(struct eg_outbox *outbox, const struct eg_batch *batch); /* it is on disk */
void eg_outbox_published(struct eg_outbox *outbox, int64_t ticket, const char *error);
void eg_outbox_link(struct eg_outbox *outbox, bool connected);
void eg_outbox_figures(const struct eg_outbox *outbox, struct eg_lanes_figures *ret);
bool eg_outbox_look(const struct eg_outbox *outbox, int64_t id, unsigned *ret_tries, int64_t *ret_next_ms,
                    const char **ret_error);
void eg_outbox_stop(struct eg_outbox *outbox); /* begins nothing new */
void eg_outbox_close(struct eg_outbox *outbox, void (*closed)(void *user), void *user);

#endif
