/* Checkpoints of a rule at a series as bytes (checkpoints.h). Knows bytes only. Called by commit.c, load.c and the tests. */
#include <store/checkpoints.h>
#include <store/pack.h>

#include <string.h>

#define VERSION 1
enum { BEFORE, NOTHING, ALL };

static bool holds(const struct eg_rule_state *state)
{
    bool any = state->level || state->case_number;
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        any = any || state->since_ms[level] != EG_TIME_NONE || state->clear_since_ms[level] != EG_TIME_NONE;
    return any;
}

static void put_since(struct eg_buf *out, const int64_t *since, int64_t at_ms)
{
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        eg_buf_varint(out, since[level] == EG_TIME_NONE ? 0 : (uint64_t)at_ms - (uint64_t)since[level] + 1);
}

bool eg_checkpoints_pack(struct eg_buf *out, const struct eg_checkpoint checkpoints[EG_CHECKPOINTS])
{
    const size_t start = out->length;
    const uint8_t version = VERSION;
    eg_buf_add(out, &version, 1);
    for (int i = 0; i < EG_CHECKPOINTS; i++) {
        const struct eg_checkpoint *one = &checkpoints[i];
        const uint8_t kind = one->at_ms == EG_TIME_NONE ? BEFORE : holds(&one->state) ? ALL : NOTHING;
        uint64_t peak;
        eg_buf_add(out, &kind, 1);
        if (kind == BEFORE)
            continue;
        eg_buf_zigzag(out, one->at_ms);
        if (kind == NOTHING)
            continue;
        eg_buf_varint(out, one->state.level);
        eg_buf_varint(out, one->state.case_number);
        put_since(out, one->state.since_ms, one->at_ms);
        put_since(out, one->state.clear_since_ms, one->at_ms);
        memcpy(&peak, &one->peak_value, sizeof peak);
        eg_buf_varint(out, peak);
        eg_buf_zigzag(out, one->peak_ms);
    }
    return eg_pack_finish(out, start);
}

static void get_since(struct eg_cut *cut, int64_t *since, int64_t at_ms)
{
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        uint64_t back = eg_cut_varint(cut);
        since[level] = back ? (int64_t)((uint64_t)at_ms - (back - 1)) : EG_TIME_NONE;
    }
}

static void get_one(struct eg_cut *cut, struct eg_checkpoint *one)
{
    const uint8_t *kind = eg_cut_bytes(cut, 1);
    memset(one, 0, sizeof *one);
    one->at_ms = EG_TIME_NONE;
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        one->state.since_ms[level] = one->state.clear_since_ms[level] = EG_TIME_NONE;
    if (!kind || *kind == BEFORE)
        return;
    one->at_ms = eg_cut_zigzag(cut);
    if (*kind == NOTHING)
        return;
    uint64_t level = eg_cut_varint(cut);
    uint64_t number = eg_cut_varint(cut);
    cut->failed = cut->failed || *kind != ALL || level >= EG_LEVEL_COUNT || number > UINT32_MAX;
    one->state.level = (uint8_t)(cut->failed ? 0 : level);
    one->state.case_number = (uint32_t)number;
    get_since(cut, one->state.since_ms, one->at_ms);
    get_since(cut, one->state.clear_since_ms, one->at_ms);
    uint64_t peak = eg_cut_varint(cut);
    memcpy(&one->peak_value, &peak, sizeof peak);
    one->peak_ms = eg_cut_zigzag(cut);
}

int eg_checkpoints_unpack(const uint8_t *blob, size_t length, struct eg_checkpoint ret[EG_CHECKPOINTS])
{
    struct eg_cut cut;
    struct eg_checkpoint found[EG_CHECKPOINTS];
    if (!eg_pack_open(blob, length, VERSION, &cut))
        return EG_ECORRUPT;
    for (int i = 0; i < EG_CHECKPOINTS && !cut.failed; i++)
        get_one(&cut, &found[i]);
    if (cut.failed || cut.at != cut.end)
        return EG_ECORRUPT;
    memcpy(ret, found, sizeof found);
    return EG_OK;
}
