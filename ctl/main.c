/* ecogovctl: asks the daemon and shows what it says. Knows options, finding the command, help. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <base/utf8.h>

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/ecogov/ecogov.sock"

static void usage_line(const struct command *command, FILE *out)
{
    fprintf(out, "ecogovctl %s", command->words);
    for (const char *at = command->positional; *at;) {
        size_t length = strcspn(at, " ");
        bool optional = *at == '*';
        fprintf(out, optional ? " [" : " ");
        for (size_t i = optional; i < length; i++)
            putc(at[i] >= 'a' && at[i] <= 'z' ? at[i] - 'a' + 'A' : at[i], out);
        fprintf(out, optional ? "]" : "");
        at += length + (at[length] == ' ');
    }
    for (const char *at = command->options; *at;) {
        size_t length = strcspn(at, " ");
        fprintf(out, argument_is_bare(at, length) ? " [--%.*s]" : " [--%.*s …]", (int)length, at);
        at += length + (at[length] == ' ');
    }
    putc('\n', out);
}

static void usage(FILE *out)
{
    fputs(words_chinese() ? "用法：ecogovctl [-s 套接字] [--json] 命令 …\n\n"
                          : "Usage: ecogovctl [-s SOCKET] [--json] COMMAND …\n\n",
          out);
    for (size_t i = 0; i < command_count; i++)
        fprintf(out, "  %-14s  %s\n", commands[i].words,
                words_chinese() ? commands[i].help_zh : commands[i].help);
    fputs(words_chinese()
              ? "\necogovctl help 命令：查看参数。返回值：0 成功，1 被拒绝，2 用法错误，3 无法连接。\n"
              : "\necogovctl help COMMAND tells its parameters. Exit: 0 done, 1 refused, 2 usage, 3 cannot "
                "reach the daemon.\n",
          out);
}

/* The command whose words begin argv; *ret_words: how many they are. The longest wins. */
static const struct command *find(int argc, char **argv, int *ret_words)
{
    char two[64];
    for (int words = 2; words >= 1; words--) {
        if (argc < words)
            continue;
        snprintf(two, sizeof two, words == 2 ? "%s %s" : "%s", argv[0], words == 2 ? argv[1] : "");
        for (size_t i = 0; i < command_count; i++)
            if (strcmp(commands[i].words, two) == 0) {
                *ret_words = words;
                return &commands[i];
            }
    }
    return NULL;
}

static int unknown(int argc, char **argv)
{
    fprintf(stderr, "ecogovctl: there is no command \"%s%s%s\".", argv[0],
            argc > 1 && strcmp(argv[0], "case") == 0 ? " " : "",
            argc > 1 && strcmp(argv[0], "case") == 0 ? argv[1] : "");
    for (size_t i = 0, said = 0; i < command_count; i++) /* those that begin like it, or hold it */
        if (strncmp(commands[i].words, argv[0], 3) == 0)
            fprintf(stderr, "%s %s", said++ ? "," : " There is:", commands[i].words);
    fputs("\nSee: ecogovctl help\n", stderr);
    return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    int words;
    if (argc == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    const struct command *command = find(argc, argv, &words);
    if (!command)
        return unknown(argc, argv);
    usage_line(command, stdout);
    printf("  %s\n", words_chinese() ? command->help_zh : command->help);
    return EXIT_DONE;
}

static int call(const struct command *command, struct session *session, cJSON *params)
{
    struct answer answer;
    int code = session_send(session, command->method, params);
    if (code == EXIT_DONE)
        code = session_next(session, PATIENCE_MS, &answer);
    if (code != EXIT_DONE)
        return code;
    if (session->json)
        printf("%.*s\n", (int)answer.raw_length, answer.raw);
    else
        command->show(session, answer.result);
    answer_finish(&answer);
    return EXIT_DONE;
}

/* A command that needs no daemon takes its words as they are. */
static int run_here(const struct command *command, bool json, int argc, char **argv)
{
    struct session session = {.json = json};
    cJSON *params = cJSON_CreateObject(), *words = cJSON_AddArrayToObject(params, "words");
    for (int i = 0; i < argc; i++)
        cJSON_AddItemToArray(words, cJSON_CreateString(argv[i]));
    int code = command->run(&session, params);
    cJSON_Delete(params);
    return code;
}

static int run(const char *socket, bool json, int argc, char **argv)
{
    int words;
    struct session session;
    cJSON *params;
    const struct command *command = find(argc, argv, &words);
    if (!command)
        return unknown(argc, argv);
    if (!command->method)
        return run_here(command, json, argc - words, argv + words);
    int code = arguments_parse(command, argc - words, argv + words, &params);
    if (code != EXIT_DONE)
        return code;
    if (!json && strcmp(command->method, "readings.history") == 0 && !cJSON_HasObjectItem(params, "limit"))
        cJSON_AddNumberToObject(params, "limit",
                                5000); /* people mean the whole span; a day by the minute is 1440 */
    code = session_open(socket, json, &session);
    if (code == EXIT_DONE) {
        code = command->run ? command->run(&session, params) : call(command, &session, params);
        session_close(&session);
    }
    cJSON_Delete(params);
    if (fflush(stdout) != 0 && code == EXIT_DONE) {
        perror("ecogovctl: stdout");
        return EXIT_REFUSED;
    }
    return code;
}

/* `ecogovctl status --json` is understood, too. */
static int take_json(int argc, char **argv, bool *json)
{
    int kept = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            *json = true;
        else
            argv[kept++] = argv[i];
    }
    return kept;
}

int main(int argc, char **argv)
{
    const char *env = getenv("ECOGOV_SOCKET"), *socket = env && *env ? env : DEFAULT_SOCKET;
    bool json = false;
    int at = 1;
    /* Numbers keep their point: LC_NUMERIC stays C. */
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_DFL); /* `ecogovctl export | head` ends as people expect */
    words_init();
    page_init();
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[at], "--version") == 0) {
            puts("ecogovctl " ECOGOV_VERSION);
            return EXIT_DONE;
        } else if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            usage(stdout);
            return EXIT_DONE;
        } else if (strcmp(argv[at], "-s") == 0 && at + 1 < argc) {
            socket = argv[++at];
        } else {
            fprintf(stderr,
                    "ecogovctl: %s is no option that stands before a command, or its value is missing.\n",
                    argv[at]);
            return EXIT_USAGE;
        }
    }
    argc = at + take_json(argc - at, argv + at, &json);
    if (at == argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[at], "help") == 0)
        return help(argc - at - 1, argv + at + 1);
    return run(socket, json, argc - at, argv + at);
}
