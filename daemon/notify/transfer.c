/* libcurl on the loop (transfer.h): the only file that waits on its sockets. Knows addresses nobody named are not for us; what is sent, and
 * what an answer means, the ways know. Called by by_webhook.c and by_mail.c. */
#include <notify/transfer.h>
#include <base/clock.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 10000L

struct eg_transfers {
    uv_loop_t *loop;
    struct eg_libcurl curl;
    CURLM *multi; /* NULL: libcurl is not loaded */
    uv_timer_t timer;
    struct eg_transfer *first;
    size_t polls; /* not closed yet */
    bool closing;
    void (*closed)(void *user);
    void *user;
};
struct poll {
    uv_poll_t handle;
    struct eg_transfers *transfers;
    curl_socket_t socket;
};

/* --- whose address --- */

static bool is_private_v4(uint32_t address)
{
    static const struct range {
        uint32_t net, mask;
    } ranges[] = {{0x00000000, 0xff000000}, {0x0a000000, 0xff000000}, {0x64400000, 0xffc00000},
                  {0x7f000000, 0xff000000}, {0xa9fe0000, 0xffff0000}, {0xac100000, 0xfff00000},
                  {0xc0a80000, 0xffff0000}, {0xe0000000, 0xe0000000}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if ((address & ranges[i].mask) == ranges[i].net)
            return true;
    return false;
}

static bool is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return is_private_v4(ntohl(v4.sin_addr.s_addr));
    }
    struct sockaddr_in6 v6;
    if (address->sa_family != AF_INET6)
        return true;
    memcpy(&v6, address, sizeof v6);
    const uint8_t *bytes = v6.sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
        return is_private_v4((uint32_t)bytes[12] << 24 | (uint32_t)bytes[13] << 16 |
                             (uint32_t)bytes[14] << 8 | bytes[15]);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) ||
           (bytes[0] & 0xfe) == 0xfc || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) || bytes[0] == 0xff;
}

/* Here the name is resolved: what it says now counts, not what it said when the configuration was checked. */
static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct eg_transfer *transfer = user;
    (void)purpose;
    if (!transfer->private_network && is_private(&address->addr)) {
        transfer->refused_private = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- libcurl and the loop --- */

static void finish(struct eg_transfers *transfers, struct eg_transfer *transfer, CURLcode code)
{
    struct eg_transfer **place = &transfers->first;
    while (*place && *place != transfer)
        place = &(*place)->next;
    if (*place)
        *place = transfer->next;
    transfers->curl.multi_remove_handle(transfers->multi, transfer->easy);
    transfer->done(transfer, code);
    eg_transfer_destroy(transfer);
}

static void collect(struct eg_transfers *transfers)
{
    int left;
    for (CURLMsg *message;
         !transfers->closing && (message = transfers->curl.multi_info_read(transfers->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        char *transfer = NULL;
        transfers->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(transfers, (struct eg_transfer *)(void *)transfer, message->data.result);
    }
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct poll *poll = handle->data;
    struct eg_transfers *transfers = poll->transfers;
    int running, mask = status < 0 ? CURL_CSELECT_ERR : 0;
    mask |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    mask |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    transfers->curl.multi_socket_action(transfers->multi, poll->socket, mask, &running);
    collect(transfers);
}

static void on_timeout(uv_timer_t *timer)
{
    struct eg_transfers *transfers = timer->data;
    int running;
    transfers->curl.multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(transfers);
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct eg_transfers *transfers = user;
    (void)multi;
    if (timeout_ms < 0 || transfers->closing)
        uv_timer_stop(&transfers->timer);
    else
        uv_timer_start(&transfers->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static void check_closed(struct eg_transfers *transfers)
{
    if (!transfers->closing || transfers->polls)
        return;
    void (*closed)(void *) = transfers->closed;
    void *user = transfers->user;
    free(transfers);
    closed(user);
}

static void poll_closed(uv_handle_t *handle)
{
    struct poll *poll = handle->data;
    struct eg_transfers *transfers = poll->transfers;
    free(poll);
    transfers->polls--;
    check_closed(transfers);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *socket_user)
{
    struct eg_transfers *transfers = user;
    struct poll *poll = socket_user;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (poll) {
            uv_poll_stop(&poll->handle);
            uv_close((uv_handle_t *)&poll->handle, poll_closed);
            transfers->curl.multi_assign(transfers->multi, socket, NULL);
        }
        return 0;
    }
    if (!poll) {
        poll = calloc(1, sizeof *poll);
        if (!poll || uv_poll_init_socket(transfers->loop, &poll->handle, socket) != 0) {
            free(poll);
            return -1;
        }
        poll->transfers = transfers;
        poll->socket = socket;
        poll->handle.data = poll;
        transfers->polls++;
        transfers->curl.multi_assign(transfers->multi, socket, poll);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(&poll->handle, events, on_ready);
    return 0;
}

/* --- one of them --- */

static int need_libcurl(struct eg_transfers *transfers, struct eg_err *err)
{
    if (transfers->multi)
        return EG_OK;
    int code = eg_libcurl_load(EG_LIBCURL, &transfers->curl, err);
    CURLM *multi = code == EG_OK ? transfers->curl.multi_init() : NULL;
    if (!multi)
        return code == EG_OK ? eg_err_set(err, EG_ENOMEM, "no memory for libcurl") : code;
    transfers->multi = multi;
    transfers->curl.multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    transfers->curl.multi_setopt(multi, CURLMOPT_SOCKETDATA, transfers);
    transfers->curl.multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    transfers->curl.multi_setopt(multi, CURLMOPT_TIMERDATA, transfers);
    return EG_OK;
}

static size_t on_reply(char *data, size_t size, size_t count, void *user)
{
    struct eg_transfer *transfer = user;
    size_t length = size * count;
    if (eg_buf_add(&transfer->reply, data, length))
        return length;
    transfer->flooded = true;
    return 0;
}

struct eg_transfer *eg_transfer_create(struct eg_transfers *transfers, const char *ca_file, bool insecure,
                                       int64_t timeout_ms, struct eg_err *err)
{
    struct eg_transfer *transfer = transfers->closing ? NULL : calloc(1, sizeof *transfer);
    CURL *easy = transfer && need_libcurl(transfers, err) == EG_OK ? transfers->curl.easy_init() : NULL;
    if (!easy) {
        if (!*err->text)
            eg_err_set(err, EG_ENOMEM, "no memory for a request");
        free(transfer);
        return NULL;
    }
    transfer->curl = &transfers->curl;
    transfer->easy = easy;
    eg_buf_init(&transfer->reply, EG_REPLY_MAX);
    transfer->curl->easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    transfer->curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    transfer->curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    transfer->curl->easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    transfer->curl->easy_setopt(easy, CURLOPT_PROXY, ""); /* nor what the environment says */
    transfer->curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    transfer->curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
    transfer->curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    transfer->curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    transfer->curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, insecure ? 0L : 1L);
    transfer->curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, insecure ? 0L : 2L);
    transfer->curl->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file)
        transfer->curl->easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    transfer->curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    transfer->curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    transfer->curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
    transfer->curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    return transfer;
}

void eg_transfer_destroy(struct eg_transfer *transfer)
{
    transfer->curl->easy_cleanup(transfer->easy);
    transfer->curl->mime_free(transfer->mime);
    transfer->curl->slist_free_all(transfer->headers);
    transfer->curl->slist_free_all(transfer->recipients);
    eg_buf_finish(&transfer->request);
    eg_buf_finish(&transfer->reply);
    free(transfer);
}

bool eg_transfer_start(struct eg_transfers *transfers, struct eg_transfer *transfer)
{
    if (transfers->curl.multi_add_handle(transfers->multi, transfer->easy) != CURLM_OK)
        return false;
    transfer->next = transfers->first;
    transfers->first = transfer;
    return true;
}

struct eg_transfers *eg_transfers_create(uv_loop_t *loop)
{
    struct eg_transfers *transfers = calloc(1, sizeof *transfers);
    if (transfers) {
        transfers->loop = loop;
        uv_timer_init(loop, &transfers->timer);
        transfers->timer.data = transfers;
    }
    return transfers;
}

void eg_transfers_configure(struct eg_transfers *transfers, const struct eg_conf *conf,
                            struct eg_faults *faults)
{
    struct eg_err err = {0};
    int code = EG_OK;
    for (size_t i = 0; code == EG_OK && i < conf->channel_count; i++)
        if (conf->channels[i].kind == EG_BY_WEBHOOK || conf->channels[i].kind == EG_BY_MAIL)
            code = need_libcurl(transfers, &err);
    if (code == EG_OK)
        eg_fault_clear(faults, "notify.libcurl");
    else
        eg_fault_raise(faults, "notify.libcurl", eg_clock_now_ms(), "%s", err.text);
}

static void timer_closed(uv_handle_t *handle)
{
    struct eg_transfers *transfers = handle->data;
    transfers->polls--;
    check_closed(transfers);
}

void eg_transfers_close(struct eg_transfers *transfers, void (*closed)(void *user), void *user)
{
    transfers->closing = true;
    transfers->closed = closed;
    transfers->user = user;
    transfers->polls++; /* the timer */
    for (struct eg_transfer *transfer = transfers->first, *next; transfer; transfer = next) {
        next = transfer->next;
        transfers->curl.multi_remove_handle(transfers->multi, transfer->easy);
        eg_transfer_destroy(transfer);
    }
    transfers->first = NULL;
    if (transfers->multi)
        transfers->curl.multi_cleanup(
            transfers->multi); /* closes kept connections, too, through on_socket() */
    uv_close((uv_handle_t *)&transfers->timer, timer_closed);
}
