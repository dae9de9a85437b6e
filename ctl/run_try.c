/* Knows `try`: its command line, and the payload on standard input. What becomes of it, attempt.c knows. Called by main.c. */
#include "attempt.h"
#include "command.h"
#include "propose.h"
#include "shipped.h"

#include <base/clock.h>
#include <base/zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAYLOAD_MAX ((size_t)1 << 20)

#define DEFAULT_CONFIG "/etc/ecogov/ecogov.yaml"

struct options {
    const char *config, *source, *topic, *codec, *site, *domain;
    bool retain, guess;
};

/* --- the command line and standard input --- */

static int bad(const char *what, const char *word)
{
    fprintf(stderr,
            "ecogovctl: try: %s%s\n"
            "  ecogovctl try [-c FILE] [--source ID] --topic TOPIC [--retain] < payload\n"
            "  ecogovctl try --source preset:NAME|driver:NAME [--codec CODEC] [--topic TOPIC] < payload\n"
            "  ecogovctl try --guess [--topic TOPIC] [--site SITE] [--domain DOMAIN] [-c FILE] < payload\n",
            what, word);
    return EXIT_USAGE;
}

/* The value of option `name`, which is argv[*at] or begins it; NULL when it is another. */
static const char *value_of(const char *name, int argc, const char *const *argv, int *at)
{
    size_t length = strlen(name);
    if (strncmp(argv[*at], name, length) != 0)
        return NULL;
    if (argv[*at][length] == '=' && length > 2)
        return argv[*at] + length + 1;
    if (argv[*at][length] || *at + 1 >= argc)
        return NULL;
    return argv[++*at];
}

static int parse(int argc, const char *const *argv, struct options *ret)
{
    struct options options = {0};
    const struct {
        const char *name;
        const char **value;
    } valued[] = {{"--source", &options.source}, {"--topic", &options.topic},   {"--codec", &options.codec},
                  {"--site", &options.site},     {"--domain", &options.domain}, {"--config", &options.config},
                  {"-c", &options.config}};
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at], *value = NULL;
        options.retain = options.retain || strcmp(word, "--retain") == 0;
        options.guess = options.guess || strcmp(word, "--guess") == 0;
        if (strcmp(word, "--retain") == 0 || strcmp(word, "--guess") == 0)
            continue;
        for (size_t i = 0; i < sizeof valued / sizeof *valued && !value; i++)
            if ((value = value_of(valued[i].name, argc, argv, &at)))
                *valued[i].value = value;
        if (!value)
            return bad("it does not understand, or misses the value of ", word);
    }
    bool shipped = shipped_is(options.source);
    if (options.topic && !*options.topic)
        return bad("the --topic is empty", "");
    if (options.guess && options.topic && strpbrk(options.topic, "+#{}"))
        return bad("--guess takes a message's own topic, without +, #, { and }: ", options.topic);
    if (options.guess && (options.source || options.codec || options.retain))
        return bad("--guess goes without --source, --codec and --retain", "");
    if (!options.guess && (options.site || options.domain))
        return bad("--site and --domain are for --guess", "");
    if (shipped && options.config)
        return bad("a preset or driver is tried without a configuration, not with -c ", options.config);
    if (!shipped && options.codec)
        return bad("--codec goes with --source driver:NAME", "");
    if (!options.topic && !options.guess && !shipped)
        return bad("it needs the message's --topic", "");
    *ret = options;
    return EXIT_DONE;
}

/* All of standard input. NULL: it is too long, with a sentence. Given. */
static uint8_t *read_payload(size_t *ret_length)
{
    uint8_t *payload = malloc(PAYLOAD_MAX + 1);
    size_t length = payload ? fread(payload, 1, PAYLOAD_MAX + 1, stdin) : 0;
    if (payload && length <= PAYLOAD_MAX && !ferror(stdin)) {
        *ret_length = length;
        return payload;
    }
    fprintf(stderr, "ecogovctl: try: a payload is read from standard input, at most %zu bytes.\n",
            PAYLOAD_MAX);
    free(payload);
    return NULL;
}

/* --- the command --- */

static struct eg_conf *configuration(const struct options *options, char topic[SHIPPED_TOPIC])
{
    if (shipped_is(options->source))
        return shipped_conf(options->source, options->topic, options->codec, topic);
    if (!options->config && access(DEFAULT_CONFIG, R_OK) != 0) {
        (void)bad("there is no " DEFAULT_CONFIG
                  " that can be read: say -c FILE, or --source preset:NAME or driver:NAME",
                  "");
        return NULL;
    }
    return attempt_load(options->config ? options->config : DEFAULT_CONFIG);
}

static int try_payload(const struct options *options, const uint8_t *payload, size_t length, bool json)
{
    char topic[SHIPPED_TOPIC] = "";
    bool shipped = shipped_is(options->source);
    if (options->topic && strlen(options->topic) >= SHIPPED_TOPIC)
        return bad("the topic is too long", "");
    struct eg_conf *conf = configuration(options, topic);
    const struct attempt attempt = {.source = shipped ? "try" : options->source,
                                    .topic = shipped ? topic : options->topic,
                                    .retain = options->retain,
                                    .made_site = shipped ? SHIPPED_SITE : NULL,
                                    .made_device = shipped ? SHIPPED_DEVICE : NULL,
                                    .arrived_ms = eg_clock_now_ms(),
                                    .payload = payload,
                                    .length = length};
    int code = conf ? attempt_run(conf, &attempt, json) : EXIT_USAGE;
    eg_conf_destroy(conf);
    return code;
}

/* A village of the configuration, so that what is proposed can be pasted as it is: the first that no other stands below. */
static const char *some_site(const struct eg_conf *conf)
{
    for (size_t i = 0; conf && i < conf->site_count; i++) {
        bool leaf = true;
        for (size_t k = 0; k < conf->site_count; k++)
            leaf = leaf && conf->sites[k].parent != i;
        if (leaf)
            return conf->sites[i].id;
    }
    return NULL;
}

static int guess_payload(const struct options *options, const uint8_t *payload, size_t length)
{
    char offset[8] = "";
    bool there = options->config || access(DEFAULT_CONFIG, R_OK) == 0;
    struct eg_conf *conf = there ? attempt_load(options->config ? options->config : DEFAULT_CONFIG) : NULL;
    if (there && !conf)
        return EXIT_USAGE;
    if (conf && eg_zone_use(conf->time_zone))
        propose_offset(eg_clock_now_ms(), offset);
    const struct guess_place place = {.topic = options->topic,
                                      .site = options->site ? options->site : some_site(conf),
                                      .domain = options->domain,
                                      .utc_offset = *offset ? offset : NULL};
    int code = propose(payload, length, &place);
    eg_conf_destroy(conf);
    return code;
}

int run_try(struct session *session, cJSON *params)
{
    const char *argv[24];
    int argc = 0;
    struct options options;
    const cJSON *word;
    cJSON_ArrayForEach(word, item_of(params, "words"))
    {
        if (argc == 24)
            return bad("there are too many words", "");
        argv[argc++] = word->valuestring;
    }
    int code = parse(argc, argv, &options);
    if (code != EXIT_DONE)
        return code;
    size_t length = 0;
    uint8_t *payload = read_payload(&length);
    if (!payload)
        return EXIT_USAGE;
    code = options.guess ? guess_payload(&options, payload, length)
                         : try_payload(&options, payload, length, session->json);
    free(payload);
    return code;
}
