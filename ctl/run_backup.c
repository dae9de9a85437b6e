/* Knows `backup`: a name as the shell sees it becomes the absolute one the daemon asks for; waits as long as the copy takes. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool make_absolute(cJSON *params)
{
    char here[4096], whole[8192];
    const char *file = text_of(params, "file");
    if (!file || file[0] == '/' || !file[0])
        return true;
    if (!getcwd(here, sizeof here)) {
        perror("ecogovctl: the current folder");
        return false;
    }
    snprintf(whole, sizeof whole, "%s/%s", here, file);
    return cJSON_ReplaceItemInObjectCaseSensitive(params, "file", cJSON_CreateString(whole)) != 0;
}

static void show(const cJSON *result)
{
    char bytes[PAGE_TEXT], readings[PAGE_TEXT];
    printf(word("%s: %s, %s readings, %.1f s, checked\n"),
           text_of(result, "file") ? text_of(result, "file") : "-",
           page_bytes(number_of(result, "bytes"), bytes), page_count(number_of(result, "readings"), readings),
           number_of(result, "seconds"));
}

int run_backup(struct session *session, cJSON *params)
{
    struct answer answer;
    if (!make_absolute(params))
        return EXIT_USAGE;
    int code = session_send(session, "store.backup", params);
    if (code == EXIT_DONE)
        code = session_next(session, -1, &answer); /* gigabytes on a slow card take their time */
    if (code != EXIT_DONE)
        return code;
    if (session->json)
        printf("%.*s\n", (int)answer.raw_length, answer.raw);
    else
        show(answer.result);
    answer_finish(&answer);
    return EXIT_DONE;
}
