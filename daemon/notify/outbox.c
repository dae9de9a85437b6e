/* Events and messages side by side (outbox.h). Knows which of the two a row is for; nothing else. */
#include <notify/outbox.h>
#include <notify/notify.h>
#include <base/log.h>

#include <stdlib.h>
#include <string.h>

struct eg_outbox {
    struct eg_notify *notify;
    struct eg_lanes *lanes;
    struct eg_lanes_door door;
    void (*closed)(void *user);
    void *user;
};

static void on_delivery(void *user, const struct eg_delivery *delivery)
{
    struct eg_outbox *outbox = user;
    if (!outbox->door.delivery(outbox->door.user, delivery) && !outbox->closed)
        eg_log(EG_LOG_WARNING, "outbox: a delivery's result could not be noted; it will be sent once more");
}

static int publish(void *user, const char *topic, const char *body, size_t length, bool retain,
                   int64_t ticket)
{
    struct eg_outbox *outbox = user;
    return outbox->door.publish(outbox->door.user, topic, body, length, retain, ticket);
}

int eg_outbox_create(uv_loop_t *loop, const struct eg_conf *conf, struct eg_reader *reader,
                     struct eg_faults *faults, const struct eg_lanes_door *door, struct eg_outbox **ret,
                     struct eg_err *err)
{
    struct eg_outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox)
        return eg_err_set(err, EG_ENOMEM, "no memory for the outbox");
    const struct eg_notify_door notify_door = {outbox, publish, on_delivery};
    outbox->door = *door;
    outbox->notify = eg_notify_create(reader, &notify_door);
    int code = outbox->notify ? eg_lanes_create(loop, conf, reader, faults, door, &outbox->lanes, err)
                              : eg_err_set(err, EG_ENOMEM, "no memory for the outbox");
    if (code != EG_OK) {
        eg_notify_destroy(outbox->notify);
        free(outbox);
        return code;
    }
    *ret = outbox;
    return EG_OK;
}

void eg_outbox_configure(struct eg_outbox *outbox, const struct eg_conf *conf)
{
    eg_lanes_configure(outbox->lanes, conf);
}

void eg_outbox_release(struct eg_outbox *outbox, const struct eg_batch *batch)
{
    if (!outbox)
        return;
    if (batch->outbox_count)
        eg_notify_pump(outbox->notify);
    if (batch->outbox_count || batch->outbox_done_count || batch->outbox_tried_count)
        eg_lanes_release(outbox->lanes, batch);
}

void eg_outbox_published(struct eg_outbox *outbox, int64_t ticket, const char *error)
{
    if (outbox && !eg_lanes_published(outbox->lanes, ticket, error))
        eg_notify_published(outbox->notify, ticket, error);
}

void eg_outbox_link(struct eg_outbox *outbox, bool connected)
{
    if (!outbox)
        return;
    eg_notify_link(outbox->notify, connected);
    eg_lanes_link(outbox->lanes, connected);
}

void eg_outbox_figures(const struct eg_outbox *outbox, struct eg_lanes_figures *ret)
{
    memset(ret, 0, sizeof *ret);
    if (outbox)
        eg_lanes_figures(outbox->lanes, ret);
}

bool eg_outbox_look(const struct eg_outbox *outbox, int64_t id, unsigned *ret_tries, int64_t *ret_next_ms,
                    const char **ret_error)
{
    return outbox && eg_lanes_look(outbox->lanes, id, ret_tries, ret_next_ms, ret_error);
}

void eg_outbox_stop(struct eg_outbox *outbox)
{
    if (outbox)
        eg_lanes_stop(outbox->lanes);
}

static void lanes_gone(void *user)
{
    struct eg_outbox *outbox = user;
    void (*closed)(void *) = outbox->closed;
    void *closed_user = outbox->user;
    eg_notify_destroy(outbox->notify);
    free(outbox);
    closed(closed_user);
}

void eg_outbox_close(struct eg_outbox *outbox, void (*closed)(void *user), void *user)
{
    if (!outbox) {
        closed(user);
        return;
    }
    outbox->closed = closed;
    outbox->user = user;
    eg_lanes_close(outbox->lanes, lanes_gone, outbox);
}
