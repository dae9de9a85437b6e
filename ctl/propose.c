/* Knows in which order to look for somebody who understands a payload: a driver that knows its format, a preset, a guess at its JSON; and
 * tries what it proposes. Called by run_try.c. */
#include "propose.h"
#include "session.h"

#include <base/utf8.h>
#include <base/zone.h>
#include <conf/conf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX ((size_t)1 << 20)
#define TOPIC "guessed/unnamed"
#define FORMAT_LEAST 8 /* bytes of a text that is taken for coded bytes */

void propose_offset(int64_t at_ms, char out[8])
{
    char text[16];
    struct tm tm;
    time_t seconds = (time_t)(at_ms / 1000);
    *out = '\0';
    if (localtime_r(&seconds, &tm) && strftime(text, sizeof text, "%z", &tm) == 5)
        snprintf(out, 8, "%.3s:%.2s", text, text + 3);
}

/* --- who reads it as it is --- */

static struct eg_message message_of(const uint8_t *payload, size_t length, const char *topic)
{
    return (struct eg_message){.topic = topic,
                               .topic_len = strlen(topic),
                               .payload = length ? payload : NULL,
                               .payload_len = length,
                               .arrived_ms = INT64_C(1795435200000)};
}

/* What the driver makes of it without a mapping. */
static enum eg_verdict verdict_of(const struct eg_driver *driver, const struct eg_message *message,
                                  struct eg_sink *sink)
{
    char error[256];
    int field;
    void *prepared = NULL;
    const struct eg_mapping plain = {.device = driver->device};
    if (driver->prepare(&plain, &prepared, error, sizeof error, &field) != 0)
        return EG_NOT_MINE;
    eg_sink_reset(sink);
    enum eg_verdict verdict = driver->decode(prepared, message, sink);
    driver->release(prepared);
    return verdict;
}

/* A driver other than json, which knows the format as a whole: the one that reads the most; else one that lacks no more than a codec. */
static const struct eg_driver *specialist(const struct eg_message *message, struct eg_sink *sink,
                                          size_t *ret_count)
{
    const struct eg_driver *found = NULL, *driver;
    size_t most = 0;
    for (size_t i = 0; (driver = eg_driver_at(i)); i++) {
        bool word = eg_utf8_valid((const char *)message->payload, message->payload_len) &&
                    message->payload_len < FORMAT_LEAST; /* may be base64 by chance */
        if (!strcmp(driver->name, "json") || (word && !strcmp(driver->name, "cayenne-lpp")))
            continue;
        enum eg_verdict verdict = verdict_of(driver, message, sink);
        bool coded = verdict == EG_IMPLAUSIBLE && driver->codecs && !most && strstr(sink->reason, "codec");
        if ((verdict != EG_DECODED || sink->count <= most) && !coded)
            continue;
        most = coded ? 0 : sink->count;
        found = driver;
    }
    *ret_count = most;
    return found;
}

struct search { /* for a preset */
    const struct eg_message *message;
    struct eg_sink *sink;
    size_t best;
    char id[64];
};

static size_t decoded_by(const char *text, size_t length, const struct eg_message *message,
                         struct eg_sink *sink)
{
    struct eg_buf faults;
    size_t count = 0;
    eg_buf_init(&faults, TEXT_MAX);
    struct eg_conf *conf = eg_conf_parse("guess", text, length, &faults);
    if (conf) {
        const struct eg_conf_source *source = &conf->sources[0];
        eg_sink_reset(sink);
        if (source->driver->decode(source->prepared, message, sink) == EG_DECODED)
            count = sink->count;
    }
    eg_conf_destroy(conf);
    eg_buf_finish(&faults);
    return count;
}

static void try_preset(void *user, const struct eg_conf_preset *preset)
{
    struct search *search = user;
    char text[512];
    if (!preset->driver || strcmp(preset->driver, "json") != 0)
        return;
    int length = snprintf(
        text, sizeof text,
        "sites: [{id: s}]\nsources: [{id: g, preset: %s, topic: g, site: s, domain: air, device: d}]\n",
        preset->id);
    if (length < 0 || (size_t)length >= sizeof text)
        return;
    size_t count = decoded_by(text, (size_t)length, search->message, search->sink);
    if (count <= search->best)
        return;
    search->best = count;
    snprintf(search->id, sizeof search->id, "%s", preset->id);
}

/* --- the guess --- */

/* Tries what is proposed: what --check refuses is a fault of ours. False: after its sentences. */
static bool prove(const struct eg_buf *source, const struct guess_place *place,
                  const struct eg_message *message, struct eg_sink *sink, size_t *ret_count)
{
    struct eg_buf text, faults;
    eg_buf_init(&text, TEXT_MAX);
    eg_buf_init(&faults, TEXT_MAX);
    eg_buf_text(&text, "sites: [{id: ");
    eg_buf_text(&text, place->site ? place->site : "your-site");
    eg_buf_text(&text, "}]\nsources:\n");
    eg_buf_add(&text, source->data, source->length);
    struct eg_conf *conf = text.failed ? NULL : eg_conf_parse("guess", text.data, text.length, &faults);
    if (!conf)
        fputs(faults.length ? faults.data : "ecogovctl: no memory for the guess\n", stderr);
    else
        *ret_count = decoded_by(text.data, text.length, message, sink);
    bool good = conf != NULL;
    eg_conf_destroy(conf);
    eg_buf_finish(&text);
    eg_buf_finish(&faults);
    return good;
}

static int tell(struct eg_buf *out, const struct guess_place *place, const struct eg_message *message,
                struct eg_sink *sink, const char *preset, size_t preset_count)
{
    size_t count = 0;
    if (out->failed || !prove(out, place, message, sink, &count))
        return EXIT_REFUSED;
    if (count)
        printf("# a guess, to be looked over: it reads %zu value%s of this payload\n", count,
               count == 1 ? "" : "s");
    else
        printf("# a guess, to be looked over: it reads no value of this payload: %.*s\n",
               (int)strcspn(sink->reason, "\n"), sink->reason);
    if (preset)
        printf("# preset: %s reads %zu; see: ecogovctl presets %s\n", preset, preset_count, preset);
    fputs(out->data, stdout);
    return EXIT_DONE;
}

static int refuse(const char *why)
{
    fprintf(stderr, "ecogovctl: try: %s\n", why);
    return EXIT_REFUSED;
}

static int propose_json(const cJSON *json, const struct guess_place *place, const struct eg_message *message,
                        struct eg_sink *sink)
{
    struct search search = {.message = message, .sink = sink};
    struct eg_buf out;
    struct guess *guess = calloc(1, sizeof *guess);
    if (!guess || !guess_read(json, guess)) {
        free(guess);
        return refuse("there is no memory for it");
    }
    int code;
    eg_buf_init(&out, TEXT_MAX);
    (void)eg_conf_presets(try_preset, &search);
    guess_write(guess, place, &out);
    if (!guess->field_count && search.best) {
        eg_buf_clear(&out);
        guess_write_preset(search.id, place, &out);
        code = tell(&out, place, message, sink, NULL, 0);
    } else if (guess->field_count) {
        code = tell(&out, place, message, sink, search.best ? search.id : NULL, search.best);
    } else {
        fputs(guess->notes.length ? guess->notes.data : "", stdout);
        code = refuse("no name in it is that of a quantity (ecogovctl quantities)");
    }
    eg_buf_finish(&out);
    guess_finish(guess);
    free(guess);
    return code;
}

/* What is announced is published elsewhere: a source of that topic, which this payload cannot prove but for its words. */
static int propose_announced(const cJSON *json, const struct guess_place *place,
                             const struct eg_message *message, struct eg_sink *sink)
{
    struct guess_announced announced;
    struct eg_buf out;
    size_t count;
    const char *why = guess_read_announced(json, &announced);
    if (why)
        return refuse(why);
    eg_buf_init(&out, TEXT_MAX);
    guess_write_announced(&announced, place, &out);
    int code = !out.failed && prove(&out, place, message, sink, &count) ? EXIT_DONE : EXIT_REFUSED;
    if (code == EXIT_DONE) {
        puts("# Home Assistant was told of this value; look it over, and try it with a message of its topic. "
             "What else comes there");
        puts("# belongs into the same source, as a field more; nothing is subscribed to by itself.");
        fputs(out.data, stdout);
    }
    eg_buf_finish(&out);
    return code;
}

/* A driver may take a few names that are everybody's; one that knows envelopes does not. */
static bool guess_reads_more(const cJSON *json, const struct eg_driver *driver, size_t than,
                             const struct guess_place *place, const struct eg_message *message,
                             struct eg_sink *sink)
{
    struct eg_buf out;
    size_t count = 0;
    struct guess *guess = driver->codecs || driver->device || !json ? NULL : calloc(1, sizeof *guess);
    if (!guess)
        return false;
    eg_buf_init(&out, TEXT_MAX);
    if (guess_read(json, guess) && guess->field_count) {
        guess_write(guess, place, &out);
        (void)prove(&out, place, message, sink, &count);
    }
    eg_buf_finish(&out);
    guess_finish(guess);
    free(guess);
    return count > than;
}

int propose(const uint8_t *payload, size_t length, const struct guess_place *place)
{
    struct eg_buf out;
    struct eg_message message = message_of(payload, length, place->topic ? place->topic : TOPIC);
    struct eg_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return refuse("there is no memory for it");
    int code;
    size_t count = 0;
    const struct eg_driver *driver = specialist(&message, sink, &count);
    cJSON *json = length && eg_utf8_valid((const char *)payload, length)
                      ? cJSON_ParseWithLength((const char *)payload, length)
                      : NULL;
    if (guess_is_announced(json)) {
        code = propose_announced(json, place, &message, sink);
    } else if (driver && !guess_reads_more(json, driver, count, place, &message, sink)) {
        eg_buf_init(&out, TEXT_MAX);
        guess_write_driver(driver->name, driver->device != NULL, place, &out);
        code = tell(&out, place, &message, sink, NULL, 0);
        eg_buf_finish(&out);
    } else if (cJSON_IsObject(json) || cJSON_IsArray(json)) {
        code = propose_json(json, place, &message, sink);
    } else {
        code = refuse("it is no JSON, and no driver reads it without a mapping (ecogovctl drivers)");
    }
    cJSON_Delete(json);
    free(sink);
    return code;
}
