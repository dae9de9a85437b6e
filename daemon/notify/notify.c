/* Pumps the outbox through a door (notify.h). Called by house.c on the loop's thread. */
#include <notify/notify.h>

#include <stdlib.h>
#include <string.h>

#define BITE 32

struct eg_notify {
    struct eg_reader *reader;
    struct eg_notify_door door;
    int64_t handed_over; /* the newest row that is in flight or done */
    bool connected, full;
};

struct eg_notify *eg_notify_create(struct eg_reader *reader, const struct eg_notify_door *door)
{
    struct eg_notify *notify = calloc(1, sizeof *notify);
    if (notify) {
        notify->reader = reader;
        notify->door = *door;
    }
    return notify;
}

void eg_notify_destroy(struct eg_notify *notify)
{
    free(notify);
}

static void tell(struct eg_notify *notify, int64_t id, const char *error)
{
    struct eg_delivery delivery = {.outbox_id = id, .delivered = error == NULL, .error = error};
    notify->door.delivery(notify->door.user, &delivery);
}

static bool send_row(void *arg, const struct eg_outbox_view *row)
{
    struct eg_notify *notify = arg;
    if (*row->party) { /* lanes.c */
        notify->handed_over = row->id;
        return true;
    }
    int code = notify->door.publish(notify->door.user, row->recipient, row->body, strlen(row->body),
                                    row->retain, row->id);
    if (code < 0 && code != EG_EINVAL) {
        notify->full = true;
        return false;
    }
    notify->handed_over = row->id;
    if (code == EG_EINVAL) /* it must not stand in the way of those behind it */
        tell(notify, row->id, "the broker takes no such publication");
    return true;
}

void eg_notify_pump(struct eg_notify *notify)
{
    int64_t before;
    notify->full = false;
    do {
        before = notify->handed_over;
        if (!notify->connected ||
            eg_reader_outbox(notify->reader, true, before, BITE, send_row, notify, NULL) < 0)
            return;
    } while (!notify->full && notify->handed_over != before);
}

void eg_notify_published(struct eg_notify *notify, int64_t ticket, const char *error)
{
    tell(notify, ticket, error);
    if (notify->full)
        eg_notify_pump(notify);
}

void eg_notify_link(struct eg_notify *notify, bool connected)
{
    notify->connected = connected;
    if (!connected)
        notify->handed_over = 0;
    else
        eg_notify_pump(notify);
}
