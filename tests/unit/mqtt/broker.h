/* A broker that says only what the test wants said: one listening socket on a free port of the loopback, as many links as
 * come, packets taken apart by hand, and the daemon's loop turned until something has happened. No thread, no sleep. */
#ifndef TEST_MQTT_BROKER_H
#define TEST_MQTT_BROKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/clock.h>
#include <mqtt/mqtt.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINKS 8
#define PATIENCE_US INT64_C(20000000)

struct link {
    int fd; /* -1: closed by us or by them */
    uint8_t bytes[65536];
    size_t length;
    bool five, will, clean;
    char client[64], will_topic[64];
    uint32_t expiry;
    unsigned receive_maximum, keepalive;
};
struct seen { /* in the order they came */
    size_t count;
    struct {
        int link, type; /* the packet's first byte >> 4 */
        unsigned mid;
        bool retain;
        char text[256]; /* topic or filter */
        char body[64];
    } rows[4096];
};

static struct {
    int listener, port;
    struct link links[LINKS];
    int link_count;
    struct seen seen;
    uv_loop_t loop;
    /* how it answers */
    uint8_t connack;   /* reason of the next CONNACK */
    bool five_refused; /* MQTT 5 is not spoken here */
    bool session_present, mute /* takes links, says nothing */, puback_held, suback_held;
    uint8_t puback_reason;
} broker;

/* What came through the door. */
static struct {
    size_t messages, dries, links_up, links_down, published;
    struct {
        unsigned mid;
        bool dup, retain;
        uint8_t qos;
        char topic[64], body[64];
    } rows[4096];
    unsigned unacked;
    bool window_full, closed, telling;
    enum eg_window window;
    size_t take_most; /* the door closes after so many; 0: never */
    int64_t tickets[256];
    char errors[256][64];
    char why[256];
} door;

static inline bool door_message(void *user, const struct eg_message *message)
{
    (void)user;
    size_t at = door.messages++;
    assert_true(at < sizeof door.rows / sizeof *door.rows);
    door.rows[at].mid = message->mid;
    door.rows[at].dup = message->dup;
    door.rows[at].retain = message->retain;
    door.rows[at].qos = message->qos;
    assert_int_equal(message->topic_len, strlen(message->topic));
    assert_true(llabs(message->arrived_ms - eg_clock_now_ms()) < 60000);
    snprintf(door.rows[at].topic, sizeof door.rows[at].topic, "%s", message->topic);
    snprintf(door.rows[at].body, sizeof door.rows[at].body, "%.*s", (int)message->payload_len,
             (const char *)message->payload);
    return !door.take_most || door.messages < door.take_most;
}
static inline void door_dry(void *user, unsigned unacked, enum eg_window window)
{
    (void)user;
    door.dries++;
    door.unacked = unacked;
    door.window_full = window == EG_WINDOW_FULL;
    door.window = window;
}
static inline void door_link(void *user, bool connected, const char *why)
{
    (void)user;
    door.links_up += connected;
    door.links_down += !connected;
    snprintf(door.why, sizeof door.why, "%s", why);
}
static inline void door_telling(void *user, bool connected)
{
    (void)user;
    door.telling = connected;
}
static inline void door_published(void *user, int64_t ticket, const char *error)
{
    (void)user;
    door.tickets[door.published] = ticket;
    snprintf(door.errors[door.published++], 64, "%s", error ? error : "");
}
static inline void door_closed(void *user)
{
    (void)user;
    door.closed = true;
}

/* --- the wire --- */

static inline void broker_write(int link, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (length) {
        ssize_t sent = send(broker.links[link].fd, at, length, MSG_NOSIGNAL);
        if (sent < 0)
            fail_msg("the broker cannot write: %s", strerror(errno));
        at += sent;
        length -= (size_t)sent;
    }
}

static inline void broker_publish(int link, unsigned mid, int qos, bool dup, bool retain, const char *topic,
                                  const char *body)
{
    uint8_t packet[600];
    size_t topic_len = strlen(topic), body_len = strlen(body), at = 2;
    size_t rest = 2 + topic_len + (qos ? 2 : 0) + (broker.links[link].five ? 1 : 0) + body_len;
    assert_true(rest < 128);
    packet[0] = (uint8_t)(0x30 | dup << 3 | qos << 1 | retain);
    packet[1] = (uint8_t)rest;
    packet[at++] = (uint8_t)(topic_len >> 8);
    packet[at++] = (uint8_t)topic_len;
    memcpy(packet + at, topic, topic_len);
    at += topic_len;
    if (qos) {
        packet[at++] = (uint8_t)(mid >> 8);
        packet[at++] = (uint8_t)mid;
    }
    if (broker.links[link].five)
        packet[at++] = 0;
    memcpy(packet + at, body, body_len);
    broker_write(link, packet, at + body_len);
}

/* `count` QoS 1 messages, packet identifiers from `mid` on. */
static inline void broker_send(int link, unsigned mid, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char body[16];
        snprintf(body, sizeof body, "%u", mid + i);
        broker_publish(link, mid + i, 1, false, false, "ecogov/shangtian/air/a1", body);
    }
}

static inline unsigned number_at(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static inline void copy_text(const uint8_t *at, size_t length, char *out, size_t size)
{
    if (length >= size)
        length = size - 1;
    memcpy(out, at, length);
    out[length] = '\0';
}

static inline void text_at(const uint8_t *at, char *out, size_t size)
{
    copy_text(at + 2, number_at(at), out, size);
}

static inline void take_connect(int link, const uint8_t *at)
{
    struct link *l = &broker.links[link];
    uint8_t level = at[6], flags = at[7];
    l->five = level == 5;
    l->clean = flags & 2;
    l->will = flags & 4;
    l->keepalive = number_at(at + 8);
    at += 10;
    if (l->five) {
        const uint8_t *end = at + 1 + at[0];
        for (at++; at < end;) {
            uint8_t id = *at++;
            assert_true(id == 17 || id == 33);
            if (id == 17) {
                l->expiry = (uint32_t)number_at(at) << 16 | number_at(at + 2);
                at += 4;
            } else {
                l->receive_maximum = number_at(at);
                at += 2;
            }
        }
    }
    text_at(at, l->client, sizeof l->client);
    at += 2 + number_at(at);
    if (l->will)
        text_at(at + (l->five ? 1 + at[0] : 0), l->will_topic, sizeof l->will_topic);
    if (broker.mute)
        return;
    uint8_t reason = l->five && broker.five_refused ? 0x84 : broker.connack;
    uint8_t five[] = {0x20, 3, broker.session_present && !reason, reason, 0},
            four[] = {0x20, 2, broker.session_present && !reason, reason};
    broker_write(link, l->five ? five : four, l->five ? sizeof five : sizeof four);
}

static inline void answer(int link, uint8_t type, unsigned mid, int reason)
{
    uint8_t bytes[8] = {type, 2, (uint8_t)(mid >> 8), (uint8_t)mid};
    size_t length = 4;
    if (broker.links[link].five && type != 0x40)
        bytes[length++] = 0; /* no properties */
    if (reason >= 0)
        bytes[length++] = (uint8_t)reason;
    bytes[1] = (uint8_t)(length - 2);
    broker_write(link, bytes, length);
}

static inline void take_packet(int link, uint8_t head, const uint8_t *at, size_t rest)
{
    struct link *l = &broker.links[link];
    struct seen *seen = &broker.seen;
    assert_true(seen->count < sizeof seen->rows / sizeof *seen->rows);
    size_t row = seen->count++;
    const uint8_t *end = at + rest;
    memset(&seen->rows[row], 0, sizeof seen->rows[row]);
    seen->rows[row].link = link;
    seen->rows[row].type = head >> 4;
    switch (head >> 4) {
    case 1:
        take_connect(link, at);
        break;
    case 3: {
        int qos = head >> 1 & 3;
        seen->rows[row].retain = head & 1;
        text_at(at, seen->rows[row].text, 256);
        at += 2 + number_at(at);
        seen->rows[row].mid = qos ? number_at(at) : 0;
        at += (qos ? 2 : 0) + (l->five ? 1 : 0);
        copy_text(at, (size_t)(end - at), seen->rows[row].body, 64);
        if (qos && !broker.puback_held)
            answer(link, 0x40, seen->rows[row].mid, broker.puback_reason ? broker.puback_reason : -1);
        break;
    }
    case 4:
        seen->rows[row].mid = number_at(at);
        break;
    case 8:
    case 10:
        seen->rows[row].mid = number_at(at);
        text_at(at + 2 + (l->five ? 1 : 0), seen->rows[row].text, 256);
        if (head >> 4 == 10 || !broker.suback_held)
            answer(link, head >> 4 == 8 ? 0x90 : 0xb0, seen->rows[row].mid,
                   head >> 4 == 8 ? 1
                   : l->five      ? 0
                                  : -1);
        break;
    case 12: {
        static const uint8_t pong[] = {0xd0, 0};
        broker_write(link, pong, 2);
        break;
    }
    default:
        break;
    }
}

static inline void take_bytes(int link)
{
    struct link *l = &broker.links[link];
    ssize_t got = recv(l->fd, l->bytes + l->length, sizeof l->bytes - l->length, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        close(l->fd);
        l->fd = -1;
        return;
    }
    l->length += got > 0 ? (size_t)got : 0;
    for (;;) {
        size_t head = 1, rest = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (head >= l->length)
                return;
            rest |= (size_t)(l->bytes[head] & 127) << shift;
            if (!(l->bytes[head++] & 128))
                break;
        }
        if (l->length < head + rest)
            return;
        take_packet(link, l->bytes[0], l->bytes + head, rest);
        l->length -= head + rest;
        memmove(l->bytes, l->bytes + head + rest, l->length);
    }
}

/* --- turning the loop --- */

/* One round: what the daemon has to do, what the broker has got. True: somebody did something. */
static inline bool turn_once(int wait_ms)
{
    struct pollfd fds[2 + LINKS] = {{.fd = broker.listener, .events = POLLIN},
                                    {.fd = uv_backend_fd(&broker.loop), .events = POLLIN}};
    for (int i = 0; i < LINKS; i++)
        fds[2 + i] = (struct pollfd){.fd = i < broker.link_count ? broker.links[i].fd : -1, .events = POLLIN};
    int timeout = uv_backend_timeout(&broker.loop);
    if (timeout < 0 || timeout > wait_ms)
        timeout = wait_ms;
    int ready = poll(fds, 2 + LINKS, timeout);
    if (fds[0].revents) {
        int on = 1;
        assert_true(broker.link_count < LINKS);
        struct link *l = &broker.links[broker.link_count++];
        memset(l, 0, sizeof *l);
        l->fd = accept(broker.listener, NULL, NULL);
        assert_true(l->fd >= 0);
        setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    for (int i = 0; i < broker.link_count; i++)
        if (broker.links[i].fd >= 0 && fds[2 + i].revents)
            take_bytes(i);
    uv_run(&broker.loop, UV_RUN_NOWAIT);
    return ready > 0;
}

#define until(condition)                                                                                     \
    do {                                                                                                     \
        int64_t give_up_us = eg_clock_mono_us() + PATIENCE_US;                                               \
        while (!(condition)) {                                                                               \
            turn_once(1000);                                                                                 \
            if (eg_clock_mono_us() > give_up_us)                                                             \
                fail_msg("waited in vain for " #condition);                                                  \
        }                                                                                                    \
    } while (0)

/* Until nobody has anything to say any more: all that was on its way has come. */
static inline void settle(void)
{
    for (int quiet = 0; quiet < 3;)
        quiet = turn_once(5) ? 0 : quiet + 1;
}

static inline size_t count_seen(int link, int type)
{
    size_t count = 0;
    for (size_t i = 0; i < broker.seen.count; i++)
        count += broker.seen.rows[i].type == type && (link < 0 || broker.seen.rows[i].link == link);
    return count;
}

static inline bool has_seen(int type, const char *text)
{
    for (size_t i = 0; i < broker.seen.count; i++)
        if (broker.seen.rows[i].type == type && strcmp(broker.seen.rows[i].text, text) == 0)
            return true;
    return false;
}

enum { CONNECT = 1, PUBLISH = 3, PUBACK = 4, SUBSCRIBE = 8, UNSUBSCRIBE = 10, DISCONNECT = 14 };

/* --- both sides --- */

static inline struct eg_conf *make_conf(const char *sources, bool publish)
{
    char text[4096];
    struct eg_buf faults;
    eg_buf_init(&faults, 4096);
    int length = snprintf(text, sizeof text,
                          "mqtt: {host: 127.0.0.1, port: %d, client_id: test, keepalive: 60s, "
                          "session_expiry: 2d, publish: %s}\n"
                          "sites:\n  - {id: shangtian, name: Shangtian, level: village}\n"
                          "sources:\n%s",
                          broker.port, publish ? "true" : "false", sources);
    struct eg_conf *conf = eg_conf_parse("mqtt.yaml", text, (size_t)length, &faults);
    if (!conf)
        fail_msg("the test's configuration: %s", faults.data);
    eg_buf_finish(&faults);
    return conf;
}

static const char plain[] = "  - {id: plain, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n";

static inline int open_broker(void **unused)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    (void)unused;
    memset(&broker, 0, sizeof broker);
    memset(&door, 0, sizeof door);
    broker.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(broker.listener, (struct sockaddr *)&address, size) != 0 ||
        listen(broker.listener, LINKS) != 0 ||
        getsockname(broker.listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    broker.port = ntohs(address.sin_port);
    return uv_loop_init(&broker.loop);
}

static inline int close_broker(void **unused)
{
    (void)unused;
    for (int i = 0; i < broker.link_count; i++)
        if (broker.links[i].fd >= 0)
            close(broker.links[i].fd);
    close(broker.listener);
    return uv_loop_close(&broker.loop);
}

static inline struct eg_mqtt *start(const struct eg_conf *conf)
{
    static const struct eg_mqtt_door the_door = {NULL,      door_message, door_dry,
                                                 door_link, door_telling, door_published};
    struct eg_mqtt *mqtt = NULL;
    struct eg_err err;
    if (eg_mqtt_create(&broker.loop, conf, &the_door, &mqtt, &err) != EG_OK)
        fail_msg("%s", err.text);
    return mqtt;
}

static inline void leave(struct eg_mqtt *mqtt, struct eg_conf *conf)
{
    eg_mqtt_close(mqtt, door_closed, NULL);
    until(door.closed);
    settle();
    eg_conf_destroy(conf);
}

/* The taker's link is the one without a will. */
static inline int taker_link(int from)
{
    for (int i = from; i < broker.link_count; i++)
        if (*broker.links[i].client && !broker.links[i].will)
            return i;
    return -1;
}

static inline void hang_up(int link)
{
    close(broker.links[link].fd);
    broker.links[link].fd = -1;
}

#endif
