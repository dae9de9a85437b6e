/* The blob of a rule at a series (checkpoints.h). Knows bytes only. Called by commit.c, load.c and the tests. */
#include <store/checkpoints.h>
#include <pipeline/circumstance.h>
#include <store/pack.h>

#include <string.h>

#define VERSION 2
#define VERSION_BARE 1 /* checkpoints alone */
#define VERSION_SITE                                                                                         \
    3 /* of the index of a site: behind them up to where it was judged, and when something came late */
enum { BEFORE, NOTHING, ALL };

static bool holds(const struct eg_rule_state *state)
{
    bool any = state->level || state->case_number;
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        any = any || state->since_ms[level] != EG_TIME_NONE || state->clear_since_ms[level] != EG_TIME_NONE;
    return any;
}

static void put_before(struct eg_buf *out, int64_t ms, int64_t at_ms)
{
    eg_buf_varint(out, ms == EG_TIME_NONE ? 0 : (uint64_t)at_ms - (uint64_t)ms + 1);
}

static void put_since(struct eg_buf *out, const int64_t *since, int64_t at_ms)
{
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        put_before(out, since[level], at_ms);
}

static void put_gaps(struct eg_buf *out, const struct eg_rule_state *state)
{
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        eg_buf_varint(out, (uint64_t)state->gap_ms[level]);
        eg_buf_varint(out, (uint64_t)state->clear_gap_ms[level]);
    }
}

static void put_had(struct eg_buf *out, const struct eg_rule_state *state)
{
    uint64_t bits;
    memcpy(&bits, &state->limit, sizeof bits);
    eg_buf_varint(out, state->had);
    if (state->had)
        eg_buf_varint(out, bits);
}

static void put_one(struct eg_buf *out, const struct eg_checkpoint *one)
{
    const uint8_t kind = one->at_ms == EG_TIME_NONE ? BEFORE : holds(&one->state) ? ALL : NOTHING;
    uint64_t peak;
    eg_buf_add(out, &kind, 1);
    if (kind == BEFORE)
        return;
    eg_buf_zigzag(out, one->at_ms);
    eg_buf_add(out, &one->state.blind, 1);
    put_had(out, &one->state);
    put_before(out, one->state.seen_ms, one->at_ms);
    if (kind == NOTHING)
        return;
    eg_buf_varint(out, one->state.level);
    eg_buf_varint(out, one->state.case_number);
    put_since(out, one->state.since_ms, one->at_ms);
    put_since(out, one->state.clear_since_ms, one->at_ms);
    put_gaps(out, &one->state);
    memcpy(&peak, &one->peak_value, sizeof peak);
    eg_buf_varint(out, peak);
    eg_buf_zigzag(out, one->peak_ms);
}

bool eg_checkpoints_pack(struct eg_buf *out, const struct eg_row_rule_state *row)
{
    const size_t start = out->length;
    const uint8_t version = row->of_site ? VERSION_SITE : VERSION;
    const bool judged = row->state.seen_ms != EG_TIME_NONE;
    eg_buf_add(out, &version, 1);
    eg_buf_add(out, &row->state.blind, 1);
    put_had(out, &row->state);
    eg_buf_varint(out, judged);
    if (judged)
        eg_buf_zigzag(out, row->state.seen_ms);
    put_gaps(out, &row->state);
    for (int i = 0; i < EG_CHECKPOINTS; i++)
        put_one(out, &row->checkpoints[i]);
    if (row->of_site) {
        eg_buf_zigzag(out, row->judged_ms);
        eg_buf_zigzag(out, row->late_ms);
    }
    return eg_pack_finish(out, start);
}

static int64_t get_before(struct eg_cut *cut, int64_t at_ms)
{
    uint64_t back = eg_cut_varint(cut);
    return back ? (int64_t)((uint64_t)at_ms - (back - 1)) : EG_TIME_NONE;
}

static void get_since(struct eg_cut *cut, int64_t *since, int64_t at_ms)
{
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        since[level] = get_before(cut, at_ms);
}

static void get_gaps(struct eg_cut *cut, struct eg_rule_state *state)
{
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        uint64_t gap = eg_cut_varint(cut), clear = eg_cut_varint(cut);
        cut->failed = cut->failed || gap > INT64_MAX || clear > INT64_MAX;
        state->gap_ms[level] = (int64_t)(cut->failed ? 0 : gap);
        state->clear_gap_ms[level] = (int64_t)(cut->failed ? 0 : clear);
    }
}

static uint8_t get_blind(struct eg_cut *cut)
{
    const uint8_t *byte = eg_cut_bytes(cut, 1);
    cut->failed = cut->failed || !byte || *byte >= EG_BLIND_COUNT;
    return cut->failed ? 0 : *byte;
}

static void get_had(struct eg_cut *cut, struct eg_rule_state *state)
{
    uint64_t had = eg_cut_varint(cut), bits = had ? eg_cut_varint(cut) : 0;
    cut->failed = cut->failed || had >= EG_LEVEL_COUNT;
    state->had = (uint8_t)(cut->failed ? 0 : had);
    memcpy(&state->limit, &bits, sizeof bits);
}

static void get_one(struct eg_cut *cut, int version, struct eg_checkpoint *one)
{
    const uint8_t *kind = eg_cut_bytes(cut, 1);
    memset(one, 0, sizeof *one);
    one->at_ms = one->state.seen_ms = EG_TIME_NONE;
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        one->state.since_ms[level] = one->state.clear_since_ms[level] = EG_TIME_NONE;
    if (!kind || *kind == BEFORE)
        return;
    one->at_ms = one->state.seen_ms = eg_cut_zigzag(cut);
    if (version != VERSION_BARE) {
        one->state.blind = get_blind(cut);
        get_had(cut, &one->state);
        one->state.seen_ms = get_before(cut, one->at_ms);
    }
    if (*kind == NOTHING)
        return;
    uint64_t level = eg_cut_varint(cut);
    uint64_t number = eg_cut_varint(cut);
    cut->failed = cut->failed || *kind != ALL || level >= EG_LEVEL_COUNT || number > UINT32_MAX;
    one->state.level = (uint8_t)(cut->failed ? 0 : level);
    one->state.case_number = (uint32_t)number;
    get_since(cut, one->state.since_ms, one->at_ms);
    get_since(cut, one->state.clear_since_ms, one->at_ms);
    if (version != VERSION_BARE)
        get_gaps(cut, &one->state);
    uint64_t peak = eg_cut_varint(cut);
    memcpy(&one->peak_value, &peak, sizeof peak);
    one->peak_ms = eg_cut_zigzag(cut);
}

int eg_checkpoints_unpack(const uint8_t *blob, size_t length, struct eg_row_rule_state *row)
{
    struct eg_cut cut;
    struct eg_row_rule_state found = *row;
    const int version = length && (*blob == VERSION_BARE || *blob == VERSION_SITE) ? *blob : VERSION;
    if (!eg_pack_open(blob, length, (uint8_t)version, &cut))
        return EG_ECORRUPT;
    if (version != VERSION_BARE) {
        found.state.blind = get_blind(&cut);
        get_had(&cut, &found.state);
        uint64_t judged = eg_cut_varint(&cut);
        found.state.seen_ms = judged ? eg_cut_zigzag(&cut) : EG_TIME_NONE;
        get_gaps(&cut, &found.state);
    }
    for (int i = 0; i < EG_CHECKPOINTS && !cut.failed; i++)
        get_one(&cut, version, &found.checkpoints[i]);
    found.of_site = version == VERSION_SITE;
    if (found.of_site) {
        found.judged_ms = eg_cut_zigzag(&cut);
        found.late_ms = eg_cut_zigzag(&cut);
    }
    if (cut.failed || cut.at != cut.end)
        return EG_ECORRUPT;
    *row = found;
    return EG_OK;
}
