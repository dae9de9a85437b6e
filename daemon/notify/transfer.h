/* libcurl's multi interface on the loop: requests of any protocol without a thread or a wait. Private to the room. */
#ifndef EG_TRANSFER_H
#define EG_TRANSFER_H

#include <base/buf.h>
#include <base/err.h>
#include <base/fault.h>
#include <conf/conf.h>
#include <notify/libcurl.h>
#include <uv.h>

#define EG_REPLY_MAX ((size_t)64 * 1024)

struct eg_transfers;
struct eg_transfer {
    struct eg_transfer *next;
    const struct eg_libcurl *curl;
    CURL *easy;
    struct curl_slist *headers, *recipients; /* Owned, as the next ones */
    curl_mime *mime;
    struct eg_buf request, reply;
    char error[CURL_ERROR_SIZE];
    bool private_network, refused_private, flooded;
    /* Called once, unless the transfers are closed first; the transfer is gone after it. */
    void (*done)(struct eg_transfer *transfer, CURLcode code);
    void *user, *ticket;
    int kind;
};
struct eg_transfers *eg_transfers_create(uv_loop_t *loop); /* NULL: no memory */
/* Loads libcurl if the configuration has a use for it: that waits for the disk, so it is done here and not with the first alert. */
void eg_transfers_configure(struct eg_transfers *transfers, const struct eg_conf *conf,
                            struct eg_faults *faults);
/* One with its handle, set up with what holds for all: no signals, no redirects, no proxy, bounded reply, checked addresses. */
struct eg_transfer *eg_transfer_create(struct eg_transfers *transfers, const char *ca_file, bool insecure,
                                       int64_t timeout_ms, struct eg_err *err); /* NULL: *err says why */
void eg_transfer_destroy(struct eg_transfer *transfer);                         /* one that was not started */
bool eg_transfer_start(struct eg_transfers *transfers, struct eg_transfer *transfer);
/* Breaks off what is under way; `closed` when nothing of it is left on the loop. */
void eg_transfers_close(struct eg_transfers *transfers, void (*closed)(void *user), void *user);

#endif
