/* Knows how words on a command line become the parameters of a call. Refuses to know what they mean: the daemon judges values.
 * Called by main.c. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The length of the next word of a blank-separated list; moves *list behind it. 0 at the end. */
static size_t next_word(const char **list, const char **ret_word)
{
    *list += strspn(*list, " ");
    size_t length = strcspn(*list, " ");
    *ret_word = *list;
    *list += length;
    return length;
}

static bool among(const char *list, const char *name, size_t length)
{
    const char *entry;
    for (size_t n; (n = next_word(&list, &entry));)
        if (n == length && strncmp(entry, name, n) == 0)
            return true;
    return false;
}

static void add_list(cJSON *params, const char *name, const char *value)
{
    cJSON *list = cJSON_AddArrayToObject(params, name);
    while (*value) {
        size_t length = strcspn(value, ",");
        char entry[64];
        snprintf(entry, sizeof entry, "%.*s", (int)length, value);
        cJSON_AddItemToArray(list, cJSON_CreateString(entry));
        value += length + (value[length] == ',');
    }
}

static int add(cJSON *params, const char *name, const char *value)
{
    static const char numbers[] = "limit version value hours faster";
    if (cJSON_HasObjectItem(params, name)) {
        fprintf(stderr, "ecogovctl: %s is given twice.\n", name);
        return EXIT_USAGE;
    }
    if (strcmp(name, "topics") == 0) {
        add_list(params, name, value);
    } else if (among(numbers, name, strlen(name))) {
        char *end;
        double number = strtod(value, &end);
        if (end == value || *end) {
            fprintf(stderr, "ecogovctl: --%s takes a number, not \"%s\".\n", name, value);
            return EXIT_USAGE;
        }
        cJSON_AddNumberToObject(params, name, number);
    } else {
        cJSON_AddStringToObject(params, name, value);
    }
    return EXIT_DONE;
}

bool argument_is_bare(const char *name, size_t length)
{
    return among("pending all retain guess indices", name, length);
}

static int option(const struct command *command, int argc, char **argv, int *at, cJSON *params)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    char key[32];
    if (length >= sizeof key || !among(command->options, name, length)) {
        fprintf(stderr, "ecogovctl: %s has no option --%.*s; see: ecogovctl help %s\n", command->words,
                (int)length, name, command->words);
        return EXIT_USAGE;
    }
    snprintf(key, sizeof key, "%.*s", (int)length, name);
    if (argument_is_bare(key, strlen(key)) && !equals) {
        cJSON_AddTrueToObject(params, key);
        return EXIT_DONE;
    }
    if (!equals && *at + 1 >= argc) {
        fprintf(stderr, "ecogovctl: --%s needs a value.\n", key);
        return EXIT_USAGE;
    }
    return add(params, key, equals ? equals + 1 : argv[++*at]);
}

static int by_place(const struct command *command, int argc, char **argv, cJSON *params)
{
    const char *places = command->positional, *place;
    bool plain = false; /* behind "--" nothing is an option */
    for (int i = 0; i < argc; i++) {
        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = true;
            continue;
        }
        if (!plain && strncmp(argv[i], "--", 2) == 0) {
            int code = option(command, argc, argv, &i, params);
            if (code != EXIT_DONE)
                return code;
            continue;
        }
        char name[32];
        size_t length = next_word(&places, &place);
        if (!length) {
            fprintf(stderr, "ecogovctl: %s does not know what to do with \"%s\"; see: ecogovctl help %s\n",
                    command->words, argv[i], command->words);
            return EXIT_USAGE;
        }
        bool optional = *place == '*';
        snprintf(name, sizeof name, "%.*s", (int)length - optional, place + optional);
        int code = add(params, name, argv[i]);
        if (code != EXIT_DONE)
            return code;
    }
    size_t length = next_word(&places, &place);
    if (length && *place != '*') {
        fprintf(stderr, "ecogovctl: %s needs the %.*s; see: ecogovctl help %s\n", command->words, (int)length,
                place, command->words);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

int arguments_parse(const struct command *command, int argc, char **argv, cJSON **ret_params)
{
    cJSON *params = cJSON_CreateObject();
    int code = by_place(command, argc, argv, params);
    if (code != EXIT_DONE) {
        cJSON_Delete(params);
        return code;
    }
    *ret_params = params;
    return EXIT_DONE;
}
