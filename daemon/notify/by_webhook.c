/* An HTTP POST. Knows what HTTP's answers mean for whether to try again; what the receiver is told and answers itself, robots.c knows.
 * Called by lanes.c. */
#include <notify/ways.h>
#include <base/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#define RETRY_AFTER_MAX_MS INT64_C(3600000)

/* Redirects might lead anywhere; a new address belongs into the configuration. */
static void judge(struct eg_transfer *transfer, CURLcode code, struct eg_outcome *outcome)
{
    long status = 0;
    curl_off_t after = 0;
    transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &after);
    if (transfer->refused_private)
        eg_outcome_set(outcome, EG_NEVER,
                       "its address is a private one; set private_network: true if that is meant");
    else if (transfer->flooded)
        eg_outcome_set(outcome, EG_AGAIN, "the answer is longer than %zu bytes", EG_REPLY_MAX);
    else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        eg_outcome_set(outcome, EG_AGAIN, "its certificate is not to be trusted: %.150s",
                       *transfer->error ? transfer->error : transfer->curl->easy_strerror(code));
    else if (code != CURLE_OK)
        eg_outcome_set(outcome, EG_AGAIN, "%.200s",
                       *transfer->error ? transfer->error : transfer->curl->easy_strerror(code));
    else
        eg_robot_judge((enum eg_format)transfer->kind, status,
                       transfer->reply.data ? transfer->reply.data : "", transfer->reply.length, outcome);
    if (outcome->fate == EG_AGAIN && after > 0) {
        outcome->retry_after_ms =
            after > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : (int64_t)after * 1000;
    }
}

static void on_done(struct eg_transfer *transfer, CURLcode code)
{
    struct eg_ways *ways = transfer->user;
    struct eg_outcome outcome = {EG_ARRIVED, 0, ""};
    judge(transfer, code, &outcome);
    ways->done(ways->user, transfer->ticket, &outcome);
}

/* A bare address in the url is named by the configuration. */
static bool names_address(const char *url)
{
    const char *host = strstr(url, "://");
    char text[64];
    unsigned char bytes[16];
    if (!host)
        return false;
    host += 3;
    const char *at = memchr(host, '@', strcspn(host, "/?#"));
    host = at ? at + 1 : host;
    bool six = *host == '[';
    snprintf(text, sizeof text, "%.*s", (int)strcspn(host + six, six ? "]" : ":/?#"), host + six);
    return inet_pton(six ? AF_INET6 : AF_INET, text, bytes) == 1 || !strcmp(text, "localhost");
}

static bool add_header(struct eg_transfer *transfer, const char *name, const char *value)
{
    char line[4600];
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *more = transfer->curl->slist_append(transfer->headers, line);
    transfer->headers = more ? more : transfer->headers;
    return more != NULL;
}

static bool set_up(struct eg_transfer *transfer, const struct eg_conf_channel *channel,
                   const struct eg_parcel *parcel, struct eg_letter *letter)
{
    char bearer[4200];
    bool ok = add_header(transfer, "Content-Type", letter->content_type) &&
              add_header(transfer, "Idempotency-Key", parcel->key) && add_header(transfer, "Expect", "");
    for (size_t i = 0; ok && i < letter->header_count; i++) {
        struct curl_slist *more = transfer->curl->slist_append(transfer->headers, letter->headers[i]);
        transfer->headers = more ? more : transfer->headers;
        ok = more != NULL;
    }
    if (ok && channel->token) {
        snprintf(bearer, sizeof bearer, "Bearer %s", channel->token);
        ok = add_header(transfer, "Authorization", bearer);
        explicit_bzero(bearer, sizeof bearer);
    }
    transfer->request = letter->body; /* handed over */
    memset(&letter->body, 0, sizeof letter->body);
    transfer->private_network = channel->private_network || names_address(channel->url);
    transfer->curl->easy_setopt(transfer->easy, CURLOPT_URL, letter->url.data);
    transfer->curl->easy_setopt(transfer->easy, CURLOPT_USERAGENT, "ecogovd/" ECOGOV_VERSION);
    transfer->curl->easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, transfer->request.data);
    transfer->curl->easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE, (long)transfer->request.length);
    transfer->curl->easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    return ok;
}

bool eg_by_webhook(struct eg_ways *ways, const struct eg_conf_channel *channel,
                   const struct eg_parcel *parcel, void *ticket, struct eg_outcome *ret)
{
    struct eg_letter letter;
    struct eg_err err = {0};
    bool written = eg_robot_write(channel, parcel, eg_clock_now_ms(), &letter);
    struct eg_transfer *transfer = written
                                       ? eg_transfer_create(ways->transfers, channel->ca_file,
                                                            channel->tls_insecure, channel->timeout_ms, &err)
                                       : NULL;
    bool started = false;
    if (transfer) {
        transfer->done = on_done;
        transfer->user = ways;
        transfer->ticket = ticket;
        transfer->kind = (int)channel->format;
        started = set_up(transfer, channel, parcel, &letter) && eg_transfer_start(ways->transfers, transfer);
        if (!started)
            eg_transfer_destroy(transfer);
    }
    eg_buf_finish(&letter.body);
    eg_buf_finish(&letter.url);
    if (!started)
        eg_outcome_set(ret, EG_AGAIN, "%s", *err.text ? err.text : "no memory for a request");
    return started;
}
