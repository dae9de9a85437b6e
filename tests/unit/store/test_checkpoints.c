/* Where a rule stands, as a blob: what goes in comes out, blobs of before are read, damaged ones refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/hash.h>
#include <pipeline/circumstance.h>
#include <store/checkpoints.h>

#include <string.h>

#define NOON INT64_C(1795435200000)

static struct eg_rule_state state(int64_t at_ms)
{
    struct eg_rule_state one = {.level = EG_LEVEL_WARNING,
                                .case_number = 12,
                                .had = EG_LEVEL_CRITICAL,
                                .limit = 0.35,
                                .blind = EG_BLIND_STALE,
                                .seen_ms = at_ms - 90000};
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        one.since_ms[level] = one.clear_since_ms[level] = EG_TIME_NONE;
    one.since_ms[EG_LEVEL_WARNING] = at_ms - 7200000;
    one.gap_ms[EG_LEVEL_WARNING] = 3600000;
    one.clear_since_ms[EG_LEVEL_NOTICE] = at_ms - 5;
    one.clear_gap_ms[EG_LEVEL_NOTICE] = 3;
    return one;
}

static struct eg_row_rule_state row(void)
{
    struct eg_row_rule_state one = {.rule = "r", .series = 3, .checkpointed = true, .state = state(NOON)};
    one.checkpoints[EG_OLDER] = (struct eg_checkpoint){.at_ms = EG_TIME_NONE};
    one.checkpoints[EG_NEWER] = (struct eg_checkpoint){
        .at_ms = NOON - 60000, .state = state(NOON - 60000), .peak_value = 99.5, .peak_ms = NOON};
    return one;
}

static void same(const struct eg_rule_state *a, const struct eg_rule_state *b)
{
    assert_true(a->level == b->level && a->case_number == b->case_number);
    assert_true(a->had == b->had && !(a->limit < b->limit) && !(a->limit > b->limit));
    assert_true(a->blind == b->blind && a->seen_ms == b->seen_ms);
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        assert_true(a->since_ms[level] == b->since_ms[level] && a->gap_ms[level] == b->gap_ms[level]);
        assert_true(a->clear_since_ms[level] == b->clear_since_ms[level] &&
                    a->clear_gap_ms[level] == b->clear_gap_ms[level]);
    }
}

static void test_round(void **unused)
{
    struct eg_buf out;
    struct eg_row_rule_state in = row(), back = row();
    (void)unused;
    eg_buf_init(&out, 4096);
    assert_true(eg_checkpoints_pack(&out, &in));
    back.state.blind = back.state.had = 0; /* the columns bring the rest */
    back.state.seen_ms = 0;
    memset(back.state.gap_ms, 0, sizeof back.state.gap_ms);
    memset(back.state.clear_gap_ms, 0, sizeof back.state.clear_gap_ms);
    memset(back.checkpoints, 0x55, sizeof back.checkpoints);
    assert_int_equal(eg_checkpoints_unpack((const uint8_t *)out.data, out.length, &back), EG_OK);
    same(&in.state, &back.state);
    assert_true(back.checkpoints[EG_OLDER].at_ms == EG_TIME_NONE);
    assert_true(back.checkpoints[EG_NEWER].at_ms == NOON - 60000 &&
                back.checkpoints[EG_NEWER].peak_value == 99.5 && back.checkpoints[EG_NEWER].peak_ms == NOON);
    same(&in.checkpoints[EG_NEWER].state, &back.checkpoints[EG_NEWER].state);
    eg_buf_finish(&out);
}

static void test_of_a_site(void **unused)
{
    struct eg_buf out;
    struct eg_row_rule_state in = row(), back = row();
    (void)unused;
    in.of_site = true;
    in.judged_ms = NOON;
    in.late_ms = EG_TIME_NONE;
    eg_buf_init(&out, 4096);
    assert_true(eg_checkpoints_pack(&out, &in));
    assert_int_equal(eg_checkpoints_unpack((const uint8_t *)out.data, out.length, &back), EG_OK);
    same(&in.checkpoints[EG_NEWER].state, &back.checkpoints[EG_NEWER].state);
    assert_true(back.of_site && back.judged_ms == NOON && back.late_ms == EG_TIME_NONE);
    in.of_site = false;
    eg_buf_clear(&out);
    assert_true(eg_checkpoints_pack(&out, &in));
    assert_int_equal(eg_checkpoints_unpack((const uint8_t *)out.data, out.length, &back), EG_OK);
    assert_false(back.of_site);
    eg_buf_finish(&out);
}

static void sum(uint8_t *blob, size_t length)
{
    uint32_t hash = (uint32_t)eg_hash(blob, length, 0);
    memcpy(blob + length, &hash, 4);
}

/* Version 1: twice "nothing held", at 1 ms and at 2. */
static void test_before(void **unused)
{
    uint8_t blob[16] = {1, 1, 2, 1, 4};
    struct eg_row_rule_state back = row();
    (void)unused;
    sum(blob, 5);
    assert_int_equal(eg_checkpoints_unpack(blob, 9, &back), EG_OK);
    assert_true(back.checkpoints[EG_OLDER].at_ms == 1 && back.checkpoints[EG_NEWER].at_ms == 2);
    assert_true(back.checkpoints[EG_NEWER].state.seen_ms == 2 && !back.checkpoints[EG_NEWER].state.blind);
    assert_int_equal(back.state.level, EG_LEVEL_WARNING);
}

static void test_damaged(void **unused)
{
    struct eg_buf out;
    struct eg_row_rule_state in = row(), back = row();
    uint8_t blob[256];
    (void)unused;
    eg_buf_init(&out, 4096);
    assert_true(eg_checkpoints_pack(&out, &in) && out.length < sizeof blob);
    for (size_t cut = 0; cut < out.length; cut++) { /* shorter, and with a sum that fits */
        memcpy(blob, out.data, cut);
        if (cut > 4) {
            sum(blob, cut - 4);
            assert_int_equal(eg_checkpoints_unpack(blob, cut, &back), EG_ECORRUPT);
        }
        assert_int_equal(eg_checkpoints_unpack((const uint8_t *)out.data, cut, &back), EG_ECORRUPT);
    }
    memcpy(blob, out.data, out.length);
    blob[1] = EG_BLIND_COUNT;
    sum(blob, out.length - 4);
    assert_int_equal(eg_checkpoints_unpack(blob, out.length, &back), EG_ECORRUPT);
    same(&back.state, &in.state); /* untouched */
    assert_int_equal(eg_checkpoints_unpack(NULL, 0, &back), EG_ECORRUPT);
    eg_buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round), cmocka_unit_test(test_of_a_site),
                                       cmocka_unit_test(test_before), cmocka_unit_test(test_damaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
