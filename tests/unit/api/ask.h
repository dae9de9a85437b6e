/* Lines in, answers out, with no socket: a client at its desk in the house of house.h, and what an answer is looked at with. */
#ifndef TESTS_API_ASK_H
#define TESTS_API_ASK_H

#include "house.h"

static struct eg_desk desk;
static struct eg_client client;

static inline int set_up(void **state)
{
    (void)state;
    furnish();
    desk = (struct eg_desk){.conf = &house.conf,
                            .pipeline = SOMETHING(eg_pipeline),
                            .store = SOMETHING(eg_store),
                            .reader = SOMETHING(eg_reader),
                            .door = &door,
                            .owner = 4711};
    eg_client_init(&client, 0, 0);
    return 0;
}
static inline int take_down(void **state)
{
    (void)state;
    eg_client_finish(&desk, &client);
    free(house.points);
    house.points = NULL;
    return 0;
}

/* The answer to a line that is answered at once; NULL: nothing was said. Its one line is checked to be one.
 */
static inline cJSON *ask(const char *line)
{
    assert_true(eg_rpc_line(&desk, &client, line, strlen(line)));
    const struct eg_buf *text = &client.reply.text;
    if (text->length == 0)
        return NULL;
    assert_true(text->data[text->length - 1] == '\n');
    assert_ptr_equal(memchr(text->data, '\n', text->length), text->data + text->length - 1);
    cJSON *root = cJSON_ParseWithOpts(text->data, NULL, true);
    if (!root)
        fail_msg("not JSON: %s", text->data);
    return root;
}
static inline cJSON *call(const char *method, const char *params)
{
    char line[8192];
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}", method,
             params);
    return ask(line);
}
static inline const cJSON *at(const cJSON *value, const char *path)
{
    char step[64];
    while (*path) {
        size_t n = strcspn(path, "/");
        snprintf(step, sizeof step, "%.*s", (int)n, path);
        value = cJSON_IsArray(value) ? cJSON_GetArrayItem(value, (int)strtol(step, NULL, 10))
                                     : cJSON_GetObjectItemCaseSensitive(value, step);
        if (!value)
            fail_msg("there is no %s", step);
        path += n + (path[n] == '/');
    }
    return value;
}
static inline double number(const cJSON *value, const char *path)
{
    assert_true(cJSON_IsNumber(at(value, path)));
    return at(value, path)->valuedouble;
}
static inline const char *text(const cJSON *value, const char *path)
{
    assert_true(cJSON_IsString(at(value, path)));
    return at(value, path)->valuestring;
}
static inline int size(const cJSON *value, const char *path)
{
    assert_true(cJSON_IsArray(at(value, path)));
    return cJSON_GetArraySize(at(value, path));
}
/* The answer is this error, and its sentence holds `word`. */
static inline void refused(cJSON *answer, int code, const char *word)
{
    assert_non_null(answer);
    assert_int_equal(number(answer, "error/code"), code);
    if (!strstr(text(answer, "error/message"), word))
        fail_msg("\"%s\" does not say \"%s\"", text(answer, "error/message"), word);
    assert_null(cJSON_GetObjectItem(answer, "result"));
    cJSON_Delete(answer);
}

#endif
