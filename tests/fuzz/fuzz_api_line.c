/* Any bytes as lines of the local socket, through the envelope, the parameters and every handler, with a real
 * configuration and pipeline and no store behind it: nothing may crash, and what is said must be lines of
 * JSON. */
#include <api/rpc.h>
#include <api/methods.h>
#include <base/buf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "sites:\n"
                           "  - {id: county, name: County, level: county}\n"
                           "  - {id: shangtian, name: Shangtian, level: village, parent: county}\n"
                           "sources:\n"
                           "  - {id: default, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n";

static struct eg_faults faults;
static uint64_t tickets[64];
static size_t ticket_count;

static void state(void *user, struct eg_api_state *ret)
{
    (void)user;
    *ret = (struct eg_api_state){.started_ms = 1, .now_ms = INT64_C(1795417200000), .faults = &faults};
}
static bool command(void *user, const struct eg_command *asked)
{
    (void)user;
    if (ticket_count == sizeof tickets / sizeof *tickets || !asked->case_id || !asked->verb || !asked->user)
        return false;
    tickets[ticket_count++] = asked->ticket;
    return true;
}
static const struct eg_api_door door = {.state = state, .command = command};
static struct eg_desk desk = {.door = &door};

static void feed(struct eg_pipeline *pipeline)
{
    static const char payload[] = "{\"pm25\":40,\"temperature\":21.5}";
    static const char topic[] = "ecogov/shangtian/air/a1";
    struct eg_batch batch;
    eg_batch_init(&batch);
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = INT64_C(1795417190000)};
    event.message = (struct eg_message){.topic = topic,
                                        .topic_len = sizeof topic - 1,
                                        .payload = (const uint8_t *)payload,
                                        .payload_len = sizeof payload - 1,
                                        .arrived_ms = event.now_ms,
                                        .mid = 1,
                                        .qos = 1};
    eg_pipeline_event(pipeline, &event, &batch);
    eg_batch_finish(&batch);
}

static void build(void)
{
    struct eg_buf said;
    eg_buf_init(&said, 4096);
    struct eg_conf *conf = eg_conf_parse("fuzz.yaml", text, sizeof text - 1, &said);
    if (!conf) {
        fprintf(stderr, "%s", said.data ? said.data : "no configuration\n");
        abort();
    }
    static const struct eg_past past;
    struct eg_pipeline *pipeline = eg_pipeline_create(conf, &past);
    if (!pipeline)
        abort();
    feed(pipeline);
    desk.conf = conf; /* both live as long as the fuzzer */
    desk.pipeline = pipeline;
    eg_buf_finish(&said);
}

/* Every reply is whole lines, and each is JSON. */
static void check(const struct eg_buf *said)
{
    if (said->length == 0)
        return;
    if (said->data[said->length - 1] != '\n' || memchr(said->data, '\n', said->length - 1))
        abort();
    cJSON *root = cJSON_ParseWithLength(said->data, said->length);
    if (!root)
        abort();
    cJSON_Delete(root);
}

static void line(struct eg_client *client, const char *bytes, size_t length)
{
    if (length > EG_RPC_LINE_MAX)
        return;
    ticket_count = 0;
    if (!eg_rpc_line(&desk, client, bytes, length))
        for (size_t i = 0; i < ticket_count; i++) {
            struct eg_answer answer = {
                .ticket = tickets[i], .code = EG_ENOTFOUND, .sentence = "There is no such case."};
            eg_rpc_answer(&desk, client, &answer);
        }
    if (!eg_rpc_complete(client))
        abort();
    check(&client->reply.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!desk.conf)
        build();
    struct eg_client client;
    eg_client_init(&client, 0, 0);
    const char *at = (const char *)data, *end = at + size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            stop = end;
        line(&client, at, (size_t)(stop - at));
        at = stop + 1;
    }
    eg_client_finish(&desk, &client);
    return 0;
}
