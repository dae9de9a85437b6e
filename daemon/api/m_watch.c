/* Knows how a connection becomes a watcher. Refuses to know how watchers are told (watch.c). Called by the
 * table in methods.c. */
#include <api/methods.h>

#include <stdio.h>
#include <string.h>

static const struct {
    enum eg_topic topic;
    const char *name;
} topics[] = {{EG_TOPIC_CASES, "cases"}, {EG_TOPIC_READINGS, "readings"}, {EG_TOPIC_STATUS, "status"}};
#define TOPIC_COUNT (sizeof topics / sizeof *topics)

static unsigned asked_for(const struct eg_call *call)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(call->params, "topics");
    if (!cJSON_IsArray(list))
        return EG_TOPIC_CASES;
    unsigned mask = 0;
    cJSON_ArrayForEach(item, list) for (size_t i = 0; i < TOPIC_COUNT;
                                        i++) if (strcmp(topics[i].name, item->valuestring) == 0) mask |=
        topics[i].topic;
    return mask;
}

/* A second call replaces the first. */
int eg_m_watch(struct eg_call *call)
{
    struct eg_watch *watch = &call->client->watch;
    struct eg_scope scope;
    char digits[EG_CALL_NUMBER_MAX];
    const char *domain = eg_call_text(call, "domain"), *device = eg_call_path(call, "device", digits);
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    memset(watch, 0, sizeof *watch);
    watch->topics = asked_for(call);
    watch->quantity = eg_call_quantity(call);
    snprintf(watch->site, sizeof watch->site, "%s", scope.name);
    snprintf(watch->domain, sizeof watch->domain, "%s", domain ? domain : "");
    snprintf(watch->device, sizeof watch->device, "%s", device ? device : "");

    eg_json_open(call->json, '{');
    eg_json_key(call->json, "watching");
    eg_json_open(call->json, '[');
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (watch->topics & topics[i].topic)
            eg_json_string(call->json, topics[i].name);
    eg_json_close(call->json, ']');
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}
