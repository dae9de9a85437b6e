/* A broker that costs next to nothing: fake_broker [--messages N] [--window N] [--devices N] [--step MS]
 * [--hold] [--rate N] [--alarm-every N].
 *
 * Knows just enough MQTT 5 to please one subscriber: CONNECT, SUBSCRIBE, PINGREQ, its PUBACKs, and the QoS 1
 * publications of a second client, which it acknowledges and forgets. The whole stream of PUBLISH packets is
 * rendered before the port is told, so that while the clock runs there is nothing to do but write() and
 * count. Refuses to know retained messages, sessions, wills, topics filters and TLS.
 *
 * Says "port N" first. The stream starts with the first SUBSCRIBE (with --hold: when a line or the end comes
 * on stdin, too) and never has more messages unacknowledged than the subscriber's Receive Maximum or
 * --window, the lesser, so that no packet identifier is in use twice. PUBACKs must come in the order of the
 * PUBLISHes (MQTT 4.6). Says, at the end: "messages N seconds S window W", S from the first PUBLISH to the
 * last PUBACK.
 *
 * --rate: no more messages a second than that. --alarm-every: each N-th message is of a device of its own (d50000, d50001 …) and beyond
 * what any other ever says; at the end "alarm K S" tells when (CLOCK_MONOTONIC, just before the write()) it went out. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SITES 10
#define HOT_EVERY 50   /* one device in so many goes beyond the rules' limits half-way */
#define ALARMS 50000   /* the first device that breaches */
#define ALARM_PM25 999 /* no walk comes so far */
#define PEERS 8
#define IDS 65535u
#define WRITE_MAX ((size_t)256 * 1024)

enum { CONNECT = 1, PUBLISH = 3, PUBACK = 4, SUBSCRIBE = 8, UNSUBSCRIBE = 10, PINGREQ = 12, DISCONNECT = 14 };

struct peer {
    int fd; /* -1: free */
    size_t used;
    unsigned receive_maximum;
    uint8_t in[65536];
};
static struct {
    size_t messages, devices, window;
    int64_t step_ms;
    size_t rate, alarm_every; /* 0: as fast as it goes; none */
    double *alarms_s;         /* when they were sent */
    bool hold;
    uint8_t *stream;
    size_t size; /* of one message: all are equally long */
    size_t sent_bytes, acked;
    double began_s;
    struct peer peers[PEERS], *subscriber;
} broker = {.messages = 500000, .devices = 1000, .window = IDS, .step_ms = 60000};

static _Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("fake_broker: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static double now_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the stream --- */

static unsigned draw(uint32_t *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* A walk between two bounds, in tenths; always three digits, so that all messages have one length. */
static int walk(int at, int low, int high, uint32_t *seed)
{
    at += (int)draw(seed, 21) - 10;
    return at < low ? low : at > high ? high : at;
}

static bool is_alarm(size_t number)
{
    return broker.alarm_every && number % broker.alarm_every == broker.alarm_every - 1;
}

static size_t render(uint8_t *out, size_t number, int64_t time_ms, int pm25, int temperature)
{
    char topic[64], payload[128];
    bool alarm = is_alarm(number);
    size_t device = alarm ? ALARMS + number / broker.alarm_every : number % broker.devices;
    int topic_len = snprintf(topic, sizeof topic, "ecogov/v%zu/air/d%05zu", device % SITES, device);
    int payload_len = snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%d.%d,\"temperature\":%d.%d}",
                               (long long)time_ms, pm25 / 10, pm25 % 10, temperature / 10, temperature % 10);
    size_t rest = (size_t)(2 + topic_len + 2 + 1 + payload_len), at = 0, id = number % IDS + 1;
    if (rest > 127)
        die("a message of %zu bytes does not fit one length byte", rest);
    out[at++] = PUBLISH << 4 | 1 << 1;
    out[at++] = (uint8_t)rest;
    out[at++] = 0;
    out[at++] = (uint8_t)topic_len;
    memcpy(out + at, topic, (size_t)topic_len);
    at += (size_t)topic_len;
    out[at++] = (uint8_t)(id >> 8);
    out[at++] = (uint8_t)id;
    out[at++] = 0; /* no properties */
    memcpy(out + at, payload, (size_t)payload_len);
    return at + (size_t)payload_len;
}

static void render_all(void)
{
    uint8_t probe[256];
    int *pm25 = calloc(broker.devices, sizeof *pm25),
        *temperature = calloc(broker.devices, sizeof *temperature);
    size_t rounds = (broker.messages + broker.devices - 1) / broker.devices, used = 0;
    int64_t start_ms = (int64_t)(now_s(CLOCK_REALTIME) * 1000) - (int64_t)rounds * broker.step_ms;
    uint32_t seed = 1;
    broker.size = render(probe, 0, start_ms, 300, 200);
    broker.stream = malloc(broker.messages * broker.size);
    if (broker.alarm_every)
        broker.alarms_s = calloc(broker.messages / broker.alarm_every + 1, sizeof *broker.alarms_s);
    if (!pm25 || !temperature || !broker.stream || (broker.alarm_every && !broker.alarms_s))
        die("no memory for %zu messages", broker.messages);
    for (size_t i = 0; i < broker.devices; i++) {
        pm25[i] = 300;
        temperature[i] = 200;
    }
    for (size_t i = 0; i < broker.messages; i++) {
        size_t device = i % broker.devices, round = i / broker.devices;
        bool hot = device % HOT_EVERY == 7 && round >= rounds / 2;
        pm25[device] = walk(pm25[device], hot ? 900 : 105, hot ? 990 : 700, &seed);
        temperature[device] = walk(temperature[device], 150, 349, &seed);
        used += render(broker.stream + used, i, start_ms + (int64_t)round * broker.step_ms,
                       is_alarm(i) ? ALARM_PM25 : pm25[device], temperature[device]);
    }
    if (used != broker.messages * broker.size)
        die("the messages are not equally long");
    free(pm25);
    free(temperature);
}

/* --- packets --- */

static void say(struct peer *peer, const uint8_t *bytes, size_t length)
{
    if (send(peer->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        die("a few bytes could not be sent: %s", strerror(errno));
}

/* Of the properties a CONNECT may have, but for texts, which end the search. */
static size_t property_bytes(uint8_t property)
{
    switch (property) {
    case 0x11: /* Session Expiry Interval */
    case 0x27: /* Maximum Packet Size */
        return 5;
    case 0x21: /* Receive Maximum */
    case 0x22: /* Topic Alias Maximum */
        return 3;
    case 0x17: /* Request Problem Information */
    case 0x19: /* Request Response Information */
        return 2;
    default:
        return SIZE_MAX / 2;
    }
}

/* The subscriber's Receive Maximum, from CONNECT's properties. */
static void take_connect(struct peer *peer, const uint8_t *body, size_t length)
{
    static const uint8_t connack[] = {0x20, 3, 0, 0, 0};
    if (length < 11 || memcmp(body, "\0\4MQTT\5", 7) != 0)
        die("the client does not speak MQTT 5");
    peer->receive_maximum = IDS;
    size_t at = 11, end = 11 + body[10]; /* libmosquitto's CONNECT has few properties: one length byte */
    while (at + 2 < end && at + 2 < length) {
        if (body[at] == 0x21)
            peer->receive_maximum = (unsigned)(body[at + 1] << 8 | body[at + 2]);
        at += property_bytes(body[at]);
    }
    say(peer, connack, sizeof connack);
}

/* SUBACK or UNSUBACK for one topic a packet, as libmosquitto sends them. */
static void take_subscribe(struct peer *peer, int type, const uint8_t *body, size_t length)
{
    if (length < 3)
        die("a SUBSCRIBE of %zu bytes", length);
    const uint8_t ack[] = {type == SUBSCRIBE ? 0x90 : 0xb0, 4, body[0], body[1], 0, type == SUBSCRIBE};
    say(peer, ack, sizeof ack);
    if (type == SUBSCRIBE && !broker.subscriber) {
        broker.subscriber = peer;
        if (peer->receive_maximum < broker.window)
            broker.window = peer->receive_maximum;
    }
}

static void take_publish(struct peer *peer, int flags, const uint8_t *body, size_t length)
{
    size_t topic_len = length < 2 ? length : (size_t)(body[0] << 8 | body[1]);
    if (!(flags & 6))
        return;
    if (length < topic_len + 4)
        die("a PUBLISH of %zu bytes", length);
    const uint8_t ack[] = {PUBACK << 4, 2, body[2 + topic_len], body[3 + topic_len]};
    say(peer, ack, sizeof ack);
}

static void take_puback(const uint8_t *body)
{
    size_t id = (size_t)(body[0] << 8 | body[1]), expected = broker.acked % IDS + 1;
    if (id != expected)
        die("PUBACK %zu came where %zu was expected", id, expected);
    if (broker.acked * broker.size >= broker.sent_bytes)
        die("PUBACK %zu came before its PUBLISH was sent", id);
    broker.acked++;
}

/* All whole packets at the buffer's beginning; false: the client has left. */
static bool take_packets(struct peer *peer)
{
    size_t at = 0;
    while (peer->used - at >= 2) {
        const uint8_t *packet = peer->in + at;
        size_t rest = 0, head = 1, shift = 0;
        do {
            rest |= (size_t)(packet[head] & 0x7f) << shift;
            shift += 7;
        } while (packet[head++] & 0x80 && head < 5 && at + head < peer->used);
        if (packet[head - 1] & 0x80 || peer->used - at < head + rest)
            break;
        const uint8_t *body = packet + head;
        switch (packet[0] >> 4) {
        case PUBACK:
            take_puback(body);
            break;
        case CONNECT:
            take_connect(peer, body, rest);
            break;
        case SUBSCRIBE:
        case UNSUBSCRIBE:
            take_subscribe(peer, packet[0] >> 4, body, rest);
            break;
        case PUBLISH:
            take_publish(peer, packet[0] & 15, body, rest);
            break;
        case PINGREQ:
            say(peer, (const uint8_t[]){0xd0, 0}, 2);
            break;
        case DISCONNECT:
            return false;
        default:
            die("a packet of type %d", packet[0] >> 4);
        }
        at += head + rest;
    }
    peer->used -= at;
    memmove(peer->in, peer->in + at, peer->used);
    return true;
}

/* --- sockets --- */

static int listen_anywhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        die("no socket: %s", strerror(errno));
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void take_peer(int listener)
{
    int on = 1, fd = accept(listener, NULL, NULL);
    for (size_t i = 0; i < PEERS; i++)
        if (broker.peers[i].fd < 0) {
            fcntl(fd, F_SETFL, O_NONBLOCK);
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            broker.peers[i].fd = fd;
            broker.peers[i].used = 0;
            return;
        }
    die("more than %d connections", PEERS);
}

static void read_peer(struct peer *peer)
{
    ssize_t got = recv(peer->fd, peer->in + peer->used, sizeof peer->in - peer->used, 0);
    if (got > 0)
        peer->used += (size_t)got;
    else if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0 && take_packets(peer))
        return;
    if (peer == broker.subscriber && broker.hold)
        exit(0); /* nobody wanted the stream */
    if (peer == broker.subscriber)
        die("the subscriber left after %zu of %zu messages", broker.acked, broker.messages);
    close(peer->fd);
    peer->fd = -1;
}

/* How far the stream may be sent now. */
static size_t limit_bytes(void)
{
    size_t most = broker.acked + broker.window;
    if (!broker.subscriber || broker.hold)
        return 0;
    if (broker.rate && broker.sent_bytes) {
        size_t due = (size_t)((now_s(CLOCK_MONOTONIC) - broker.began_s) * (double)broker.rate) + 1;
        most = due < most ? due : most;
    }
    most = most < broker.messages ? most : broker.messages;
    size_t bytes = most * broker.size;
    return bytes > broker.sent_bytes ? bytes : broker.sent_bytes;
}

static void note_alarms(size_t before, double at_s)
{
    size_t first = before / broker.size, behind = broker.sent_bytes / broker.size; /* whole messages */
    for (size_t i = first; i < behind; i++)
        if (is_alarm(i))
            broker.alarms_s[i / broker.alarm_every] = at_s;
}

static void send_some(void)
{
    size_t length = limit_bytes() - broker.sent_bytes, before = broker.sent_bytes;
    double at_s = now_s(CLOCK_MONOTONIC);
    if (broker.sent_bytes == 0) {
        broker.began_s = at_s;
        length = broker.rate ? broker.size : length; /* from here on the clock tells how many are due */
    }
    ssize_t sent = send(broker.subscriber->fd, broker.stream + broker.sent_bytes,
                        length < WRITE_MAX ? length : WRITE_MAX, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        die("the subscriber is gone after %zu messages: %s", broker.acked, strerror(errno));
    broker.sent_bytes += sent > 0 ? (size_t)sent : 0;
    note_alarms(before, at_s);
}

static void serve(int listener)
{
    while (broker.acked < broker.messages) {
        struct pollfd polls[PEERS + 2] = {{listener, POLLIN, 0},
                                          {broker.hold ? STDIN_FILENO : -1, POLLIN, 0}};
        for (size_t i = 0; i < PEERS; i++) {
            bool writes = &broker.peers[i] == broker.subscriber && limit_bytes() > broker.sent_bytes;
            polls[i + 2] =
                (struct pollfd){broker.peers[i].fd, (short)(writes ? POLLIN | POLLOUT : POLLIN), 0};
        }
        if (poll(polls, PEERS + 2, broker.rate ? 1 : -1) < 0)
            die("poll: %s", strerror(errno));
        if (polls[0].revents)
            take_peer(listener);
        if (polls[1].revents)
            broker.hold = false;
        for (size_t i = 0; i < PEERS; i++) {
            if (polls[i + 2].revents & ~POLLOUT)
                read_peer(&broker.peers[i]);
            if (polls[i + 2].revents & POLLOUT && broker.peers[i].fd >= 0)
                send_some();
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"messages", required_argument, NULL, 'm'},
                                            {"window", required_argument, NULL, 'w'},
                                            {"devices", required_argument, NULL, 'd'},
                                            {"step", required_argument, NULL, 's'},
                                            {"hold", no_argument, NULL, 'h'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"alarm-every", required_argument, NULL, 'a'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        size_t number = optarg ? strtoul(optarg, NULL, 10) : 1;
        if (option == '?' || !number || (option == 'w' && number > IDS))
            die("usage: fake_broker [--messages N] [--window N] [--devices N] [--step MS] [--hold] [--rate "
                "N] "
                "[--alarm-every N]");
        switch (option) {
        case 'm':
            broker.messages = number;
            break;
        case 'w':
            broker.window = number;
            break;
        case 'd':
            broker.devices = number;
            break;
        case 's':
            broker.step_ms = (int64_t)number;
            break;
        case 'r':
            broker.rate = number;
            break;
        case 'a':
            broker.alarm_every = number;
            break;
        default:
            broker.hold = true;
        }
    }
    for (size_t i = 0; i < PEERS; i++)
        broker.peers[i].fd = -1;
    render_all();
    serve(listen_anywhere());
    for (size_t i = 0; broker.alarm_every && i < broker.messages / broker.alarm_every; i++)
        printf("alarm %zu %.6f\n", i, broker.alarms_s[i]);
    printf("messages %zu seconds %.6f window %zu\n", broker.messages, now_s(CLOCK_MONOTONIC) - broker.began_s,
           broker.window);
    return 0;
}
