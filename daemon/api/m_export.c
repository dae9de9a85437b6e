/* Knows how all readings leave as lines of rows, a bite at a time. Refuses to know the socket: peer.c asks
 * for the next bite when the last one is gone. Called by the table in methods.c (to begin) and by rpc.c (to
 * go on). */
#include <api/methods.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITE_POINTS 600
#define EMPTY_BITES_MAX 16 /* that match nothing, before others get their turn */
/* A line is ended here; the longest row fits into what is left to 64 KiB. */
#define LINE_MAX_BYTES (60 * 1024)

struct eg_stream {
    struct eg_export *snapshot;
    uint8_t *wanted; /* a bit per series */
    size_t series_count;
    uint64_t rows;
    /* During a bite. */
    const struct eg_desk *desk;
    struct eg_buf *out;
    struct eg_json json;
    size_t line_start;
    bool line_open, broken;
};

void eg_m_export_close(struct eg_desk *desk, struct eg_stream *stream)
{
    if (!stream)
        return;
    eg_export_close(stream->snapshot);
    free(stream->wanted);
    free(stream);
    desk->exports--;
}

static bool is_wanted(void *arg, uint32_t series)
{
    const struct eg_stream *stream = arg;
    return series < stream->series_count && (stream->wanted[series / 8] >> (series % 8) & 1);
}

/* The filter as bits, made once: it may outlive the configuration it was asked under. */
static int mark_wanted(struct eg_call *call, struct eg_stream *stream)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    char digits[EG_CALL_NUMBER_MAX];
    const char *name = eg_call_path(call, "device", digits);
    int quantity = eg_call_quantity(call);
    struct eg_scope scope;
    struct eg_series_view series;
    struct eg_device_view device;
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    stream->series_count = eg_pipeline_series_count(pipeline) + 1;
    stream->wanted = calloc(stream->series_count / 8 + 1, 1);
    if (!stream->wanted)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the export.");
    for (size_t id = 1; id < stream->series_count; id++)
        if (eg_pipeline_series(pipeline, (uint32_t)id, &series) &&
            (quantity == EG_QUANTITY_NONE || series.quantity == quantity) &&
            eg_pipeline_device(pipeline, series.device, &device) &&
            (!name || eg_call_device_is(&device, name)) &&
            eg_scope_has_device(call->desk->conf, &scope, &device))
            stream->wanted[id / 8] = (uint8_t)(stream->wanted[id / 8] | 1U << (id % 8));
    return 0;
}

static int begin(struct eg_call *call, struct eg_stream *stream)
{
    struct eg_err err = {0};
    struct eg_export_filter filter = {.from_ms = eg_call_time(call, "from", EG_TIME_NONE),
                                      .to_ms = eg_call_time(call, "to", EG_TIME_NONE),
                                      .wanted = is_wanted,
                                      .arg = stream};
    int code = mark_wanted(call, stream);
    if (code < 0)
        return code;
    if (eg_export_open(call->desk->store, &filter, &stream->snapshot, &err) < 0)
        return eg_call_fail_err(call, &err);
    return 0;
}

int eg_m_export(struct eg_call *call)
{
    struct eg_desk *desk = call->desk;
    if (!desk->store)
        return eg_call_no_store(call);
    if (desk->exports >= EG_CALL_EXPORT_MAX)
        return eg_call_fail(call, EG_RPC_BUSY, "%d exports are under way already; wait for one to end.",
                            EG_CALL_EXPORT_MAX);
    struct eg_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the export.");
    desk->exports++;
    int code = begin(call, stream);
    if (code < 0) {
        eg_m_export_close(desk, stream);
        return code;
    }
    call->client->stream = stream;
    call->ticket = 0;
    return EG_CALL_LATER;
}

/* --- a bite --- */

static void open_line(struct eg_stream *stream)
{
    stream->line_open = true;
    stream->line_start = stream->out->length;
    eg_json_init(&stream->json, stream->out);
    eg_json_open(&stream->json, '{');
    eg_json_put_string(&stream->json, "jsonrpc", "2.0");
    eg_json_put_string(&stream->json, "method", "export");
    eg_json_key(&stream->json, "params");
    eg_json_open(&stream->json, '{');
    eg_json_key(&stream->json, "rows");
    eg_json_open(&stream->json, '[');
}

static void close_line(struct eg_stream *stream)
{
    if (!stream->line_open)
        return;
    eg_json_close(&stream->json, ']');
    eg_json_close(&stream->json, '}');
    eg_json_close(&stream->json, '}');
    eg_buf_text(stream->out, "\n");
    stream->line_open = false;
}

static bool write_row(void *arg, uint32_t id, const struct eg_point *point)
{
    struct eg_stream *stream = arg;
    struct eg_series_view series;
    struct eg_device_view device;
    if (!eg_pipeline_series(stream->desk->pipeline, id, &series) ||
        !eg_pipeline_device(stream->desk->pipeline, series.device, &device))
        return !(stream->broken = true);
    if (!stream->line_open)
        open_line(stream);
    const struct eg_quantity_info *info = eg_quantity_info(series.quantity);
    struct eg_json *json = &stream->json;
    eg_json_open(json, '[');
    eg_json_time(json, point->time_ms);
    eg_json_string(json, device.site);
    eg_json_string(json, device.device);
    eg_json_string(json, info->name);
    eg_json_string(json, series.channel);
    eg_json_number(json, point->value);
    eg_json_string(json, info->unit);
    eg_m_readings_flags(json, point->flags);
    eg_json_close(json, ']');
    stream->rows++;
    if (stream->out->length - stream->line_start > LINE_MAX_BYTES)
        close_line(stream);
    stream->broken = stream->out->failed;
    return !stream->broken;
}

int eg_m_export_bite(struct eg_desk *desk, struct eg_stream *stream, struct eg_buf *out, uint64_t *ret_rows,
                     char *sentence, size_t sentence_size)
{
    struct eg_err err = {.code = EG_EIO, .text = "The export broke off."};
    bool done = false;
    stream->desk = desk;
    stream->out = out;
    stream->line_open = false;
    int code = EG_OK;
    size_t before = out->length;
    for (int bite = 0; bite < EMPTY_BITES_MAX && !done && code >= 0 && out->length == before; bite++)
        code = eg_export_next(stream->snapshot, BITE_POINTS, write_row, stream, &done, &err);
    if (!done && out->length == before)
        open_line(stream); /* a line without rows: when it is gone, we are asked again */
    close_line(stream);
    if (code < 0 || stream->broken) {
        snprintf(sentence, sentence_size, "%s", err.text);
        return eg_call_code(err.code);
    }
    *ret_rows = stream->rows;
    return done ? 1 : 0;
}
