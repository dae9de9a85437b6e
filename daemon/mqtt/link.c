/* Connecting and staying connected (link.h).
 *
 * libmosquitto resolves names and connects while its caller waits, so that is done on a worker thread; the loop adopts the socket when it
 * is there. Between the two nobody else touches the client. */
#include <mqtt/link.h>
#include <base/clock.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS 60000
#define STABLE_MS 30000
#define CONNACK_MS 20000
#define INTERRUPT_EVERY_MS 50
#define MISC_EVERY_MS 5000
#define PASSWORD_MAX 1024
/* libmosquitto writes all it has queued in one go, thousands of PUBACKs after a full turn. It stops when the socket takes no more: a small
 * buffer makes bites of it, between which the loop serves others. */
#define SEND_BUFFER_BYTES 2048

struct eg_link_poll { /* lives until libuv lets go of it */
    uv_poll_t handle;
    struct eg_link *link;
    int events;
};

static void attempt(struct eg_link *link);

/* --- callbacks of libmosquitto: only from within eg_link_read() --- */

static void on_connect(struct mosquitto *client, void *user, int code, int flags,
                       const mosquitto_property *properties)
{
    struct eg_link *link = user;
    (void)client;
    (void)properties;
    if (code) {
        link->refused = code;
        return;
    }
    link->session_present = flags & 1;
    link->ready_to_open = true;
}

/* --- the socket --- */

static void poll_freed(uv_handle_t *handle)
{
    free(handle->data);
}

static void forget_socket(struct eg_link *link)
{
    if (!link->poll)
        return;
    uv_poll_stop(&link->poll->handle);
    link->poll->link = NULL;
    link->wake = false;
    uv_close((uv_handle_t *)&link->poll->handle, poll_freed);
    link->poll = NULL;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct eg_link_poll *poll = handle->data;
    struct eg_link *link = poll->link;
    if (!link)
        return;
    if (status < 0) {
        eg_link_drop(link, uv_strerror(status));
        return;
    }
    if (events & UV_WRITABLE) {
        link->wake = false;
        if (eg_link_flush(link) && link->owner.drained)
            link->owner.drained(link->owner.user);
    }
    if (poll->link && (events & UV_READABLE))
        link->owner.readable(link->owner.user);
}

static void watch(struct eg_link *link, int events)
{
    struct eg_link_poll *poll = link->poll;
    if (!poll || poll->events == events)
        return;
    poll->events = events;
    if (events)
        uv_poll_start(&poll->handle, events, on_poll);
    else
        uv_poll_stop(&poll->handle);
}

void eg_link_wake(struct eg_link *link)
{
    link->wake = true;
    if (link->poll)
        watch(link, link->poll->events | UV_WRITABLE);
}

void eg_link_listen(struct eg_link *link, bool reading)
{
    if (link->poll)
        watch(link, (link->poll->events & UV_WRITABLE) | (reading ? UV_READABLE : 0));
}

static void lost(struct eg_link *link, const char *why)
{
    if (link->up && eg_clock_now_ms() - link->since_ms > STABLE_MS)
        link->backoff_ms = 0;
    link->up = false;
    link->owner.lost(link->owner.user, why);
    link->backoff_ms = link->backoff_ms ? link->backoff_ms * 2 : BACKOFF_FIRST_MS;
    if (link->backoff_ms > BACKOFF_MOST_MS)
        link->backoff_ms = BACKOFF_MOST_MS;
}

static void on_timer(uv_timer_t *timer);

static void try_later(struct eg_link *link, uint64_t wait_ms)
{
    if (!link->closing)
        uv_timer_start(&link->timer, on_timer, wait_ms, 0);
}

/* A quarter more or less, so that a village of gateways does not come back at once. */
static uint64_t jittered(struct eg_link *link)
{
    uint64_t spread = link->backoff_ms / 2;
    return link->backoff_ms - spread / 2 + (uint64_t)rand_r(&link->seed) % (spread + 1);
}

void eg_link_drop(struct eg_link *link, const char *why)
{
    bool silent = !link->up && !link->refused;
    forget_socket(link);
    lost(link, why);
    if (link->refused == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION ||
        link->refused == CONNACK_REFUSED_PROTOCOL_VERSION || (silent && ++link->silent_closes >= 2)) {
        link->version = link->version == MQTT_PROTOCOL_V5 ? MQTT_PROTOCOL_V311 : MQTT_PROTOCOL_V5;
        link->silent_closes = 0;
        link->refused = 0;
        try_later(link, 0);
        return;
    }
    link->refused = 0;
    try_later(link, jittered(link));
}

static const char *sentence_of(int code, int error)
{
    return code == MOSQ_ERR_ERRNO ? strerror(error) : mosquitto_strerror(code);
}

bool eg_link_read(struct eg_link *link)
{
    char why[256];
    if (!link->poll)
        return false;
    int code = mosquitto_loop_read(link->client, 1);
    if (link->ready_to_open) {
        link->ready_to_open = false;
        link->up = true;
        link->silent_closes = 0;
        link->since_ms = eg_clock_now_ms();
        link->owner.opened(link->owner.user, link->session_present);
        eg_link_flush(link);
    }
    if (link->refused) {
        snprintf(why, sizeof why, "the broker %s:%d refuses the connection: %s", link->conf->host,
                 link->conf->port,
                 link->version == MQTT_PROTOCOL_V5 ? mosquitto_reason_string(link->refused)
                                                   : mosquitto_connack_string(link->refused));
        eg_link_drop(link, why);
        return false;
    }
    if (code != MOSQ_ERR_SUCCESS && link->poll) {
        snprintf(why, sizeof why, "the broker %s:%d is gone: %s", link->conf->host, link->conf->port,
                 sentence_of(code, errno));
        eg_link_drop(link, why);
        return false;
    }
    return link->poll != NULL;
}

/* PUBACKs are four bytes each and libmosquitto sends each by itself: held together they leave in full segments. */
static void cork(int fd, int on)
{
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

bool eg_link_flush(struct eg_link *link)
{
    char why[256];
    if (!link->poll)
        return true;
    if (link->up && !link->owner.may_write(link->owner.user)) {
        watch(link, (link->poll->events & UV_READABLE) | (link->wake ? UV_WRITABLE : 0));
        return true;
    }
    int fd = mosquitto_socket(link->client);
    cork(fd, 1);
    int code = mosquitto_loop_write(link->client, 1);
    cork(fd, 0);
    if (code != MOSQ_ERR_SUCCESS) {
        snprintf(why, sizeof why, "the broker %s:%d is gone: %s", link->conf->host, link->conf->port,
                 sentence_of(code, errno));
        eg_link_drop(link, why);
        return true;
    }
    bool more = mosquitto_want_write(link->client);
    watch(link, (link->poll->events & UV_READABLE) | (more || link->wake ? UV_WRITABLE : 0));
    return !more;
}

/* --- connecting --- */

static void connect_work(uv_work_t *work)
{
    struct eg_link *link = work->data;
    link->worker = pthread_self();
    link->working = true;
    mosquitto_property *properties = NULL;
    const struct eg_conf_mqtt *conf = link->conf;
    mosquitto_int_option(link->client, MOSQ_OPT_PROTOCOL_VERSION, link->version);
    if (link->version == MQTT_PROTOCOL_V5) {
        mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                     (uint32_t)(conf->session_expiry_ms / 1000));
        mosquitto_property_add_int16(&properties, MQTT_PROP_RECEIVE_MAXIMUM, (uint16_t)conf->receive_maximum);
    }
    link->connect_code =
        mosquitto_connect_bind_v5(link->client, conf->host, conf->port, conf->keepalive_s, NULL, properties);
    link->connect_errno = errno;
    link->working = false;
    mosquitto_property_free_all(&properties);
}

/* connect() to a machine that swallows packets takes two minutes, and nobody may wait for that when leaving. A signal ends it; again and
 * again, since one that comes just before the call is lost. */
static void interrupt(uv_timer_t *timer)
{
    struct eg_link *link = timer->data;
    if (link->working)
        pthread_kill(link->worker, SIGUSR2);
}

static void interrupted(int number)
{
    (void)number;
}

static void finish_close(struct eg_link *link);

static void connect_done(uv_work_t *work, int status)
{
    struct eg_link *link = work->data;
    char why[256];
    (void)status;
    link->connecting = false;
    if (link->closing) {
        finish_close(link);
        return;
    }
    if (link->owner.tried)
        link->owner.tried(link->owner.user);
    struct eg_link_poll *poll = link->connect_code == MOSQ_ERR_SUCCESS ? calloc(1, sizeof *poll) : NULL;
    if (!poll || uv_poll_init_socket(link->loop, &poll->handle, mosquitto_socket(link->client)) != 0) {
        free(poll);
        snprintf(why, sizeof why, "the broker %s:%d cannot be reached: %s", link->conf->host,
                 link->conf->port,
                 link->connect_code == MOSQ_ERR_EAI ? "its name is not known"
                                                    : sentence_of(link->connect_code, link->connect_errno));
        lost(link, why);
        try_later(link, jittered(link));
        return;
    }
    int send_buffer = SEND_BUFFER_BYTES;
    setsockopt(mosquitto_socket(link->client), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    poll->handle.data = poll;
    poll->link = link;
    link->poll = poll;
    link->tried_us = eg_clock_mono_us();
    watch(link, UV_READABLE);
    eg_link_flush(link);
    uv_timer_start(&link->timer, on_timer, MISC_EVERY_MS, MISC_EVERY_MS);
}

static void attempt(struct eg_link *link)
{
    link->connecting = true;
    uv_queue_work(link->loop, &link->work, connect_work, connect_done);
}

static void on_timer(uv_timer_t *timer)
{
    struct eg_link *link = timer->data;
    if (!link->poll) {
        if (!link->connecting)
            attempt(link);
        return;
    }
    if (!link->up && eg_clock_mono_us() - link->tried_us > (int64_t)CONNACK_MS * 1000) {
        eg_link_drop(link, "the broker took the connection but does not answer");
        return;
    }
    if (mosquitto_loop_misc(link->client) != MOSQ_ERR_SUCCESS)
        eg_link_drop(link, "the broker does not answer any more");
    else
        eg_link_flush(link);
}

/* --- moving in and out --- */

static int read_password(const char *path, char out[PASSWORD_MAX], struct eg_err *err)
{
    FILE *file = fopen(path, "re");
    if (!file || !fgets(out, PASSWORD_MAX, file)) {
        int code = eg_err_set(err, EG_EIO, "mqtt.password_file %s cannot be read: %s", path,
                              file ? "it is empty" : strerror(errno));
        if (file)
            fclose(file);
        return code;
    }
    fclose(file);
    out[strcspn(out, "\r\n")] = '\0';
    return EG_OK;
}

static int set_secrets(struct eg_link *link, struct eg_err *err)
{
    const struct eg_conf_mqtt *conf = link->conf;
    char password[PASSWORD_MAX] = "";
    int code = EG_OK;
    if (conf->user) {
        if (conf->password_file)
            code = read_password(conf->password_file, password, err);
        if (code == EG_OK && mosquitto_username_pw_set(link->client, conf->user,
                                                       conf->password_file ? password : conf->password))
            code = eg_err_set(err, EG_EINVAL, "mqtt.user or its password cannot be used");
        explicit_bzero(password, sizeof password);
    }
    if (code == EG_OK && (conf->tls || conf->ca_file)) {
        int tls = mosquitto_tls_set(link->client, conf->ca_file, conf->ca_file ? NULL : "/etc/ssl/certs",
                                    conf->cert_file, conf->key_file, NULL);
        if (tls || mosquitto_tls_insecure_set(link->client, conf->tls_insecure))
            code =
                eg_err_set(err, EG_EINVAL, "TLS cannot be set up with mqtt.ca_file, cert_file, key_file: %s",
                           mosquitto_strerror(tls));
    }
    return code;
}

int eg_link_init(struct eg_link *link, uv_loop_t *loop, const struct eg_conf_mqtt *conf,
                 const char *client_id, bool threaded, const struct eg_link_owner *owner, struct eg_err *err)
{
    memset(link, 0, sizeof *link);
    link->loop = loop;
    link->conf = conf;
    link->owner = *owner;
    link->version = MQTT_PROTOCOL_V5;
    link->seed = (unsigned)eg_clock_mono_us();
    link->client = mosquitto_new(client_id, false, link);
    if (!link->client)
        return eg_err_set(err, EG_ENOMEM, "no MQTT client with the id '%s': %s", client_id, strerror(errno));
    mosquitto_threaded_set(link->client, threaded);
    mosquitto_int_option(link->client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_v5_callback_set(link->client, on_connect);
    int code = set_secrets(link, err);
    if (code != EG_OK) {
        mosquitto_destroy(link->client);
        link->client = NULL;
        return code;
    }
    uv_timer_init(loop, &link->timer);
    link->timer.data = link->work.data = link;
    return EG_OK;
}

void eg_link_start(struct eg_link *link)
{
    attempt(link);
}

static void timer_closed(uv_handle_t *handle)
{
    struct eg_link *link = handle->data;
    mosquitto_destroy(link->client);
    link->client = NULL;
    link->closed(link->closed_user);
}

static void finish_close(struct eg_link *link)
{
    forget_socket(link);
    uv_close((uv_handle_t *)&link->timer, timer_closed);
}

void eg_link_close(struct eg_link *link, void (*closed)(void *user), void *user)
{
    link->closing = true;
    link->closed = closed;
    link->closed_user = user;
    uv_timer_stop(&link->timer);
    if (link->connecting) {                                    /* connect_done() goes on */
        struct sigaction action = {.sa_handler = interrupted}; /* no SA_RESTART: that is the point */
        sigaction(SIGUSR2, &action, NULL);
        uv_timer_start(&link->timer, interrupt, 0, INTERRUPT_EVERY_MS);
        return;
    }
    if (link->poll && link->up) {
        mosquitto_disconnect(link->client);
        if (link->owner.may_write(link->owner.user))
            mosquitto_loop_write(link->client, 1);
    }
    finish_close(link);
}
