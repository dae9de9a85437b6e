/* Knows `try`: its command line, and the payload on standard input. What becomes of it, attempt.c knows. Called by main.c. */
#include "attempt.h"
#include "command.h"

#include <base/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX ((size_t)1 << 20)

struct options {
    const char *config, *source, *topic;
    bool retain;
};

/* --- the command line and standard input --- */

static int bad(const char *what, const char *word)
{
    fprintf(
        stderr,
        "ecogovctl: try: %s%s\n  ecogovctl try [-c FILE] [--source ID] --topic TOPIC [--retain] < payload\n",
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
    struct options options = {.config = "/etc/ecogov/ecogov.yaml"};
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at], *value;
        if (strcmp(word, "--retain") == 0)
            options.retain = true;
        else if ((value = value_of("--source", argc, argv, &at)))
            options.source = value;
        else if ((value = value_of("--topic", argc, argv, &at)))
            options.topic = value;
        else if ((value = value_of("--config", argc, argv, &at)) || (value = value_of("-c", argc, argv, &at)))
            options.config = value;
        else
            return bad("it does not understand, or misses the value of ", word);
    }
    if (!options.topic || !*options.topic)
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

int run_try(struct session *session, cJSON *params)
{
    const char *argv[16];
    int argc = 0;
    struct options options;
    const cJSON *word;
    cJSON_ArrayForEach(word, item_of(params, "words"))
    {
        if (argc == 16)
            return bad("there are too many words", "");
        argv[argc++] = word->valuestring;
    }
    int code = parse(argc, argv, &options);
    if (code != EXIT_DONE)
        return code;
    struct eg_conf *conf = attempt_load(options.config);
    size_t length = 0;
    uint8_t *payload = conf ? read_payload(&length) : NULL;
    const struct attempt attempt = {.source = options.source,
                                    .topic = options.topic,
                                    .retain = options.retain,
                                    .arrived_ms = eg_clock_now_ms(),
                                    .payload = payload,
                                    .length = length};
    code = payload ? attempt_run(conf, &attempt, session->json) : EXIT_USAGE;
    free(payload);
    eg_conf_destroy(conf);
    return code;
}
