/* A short life of a house on a disk that fails: what it shows after each turn on a good disk, and whether what is found after a failure is
 * the state of a committed turn, whole. */
#ifndef TEST_STORE_LIFE_H
#define TEST_STORE_LIFE_H

#include "day.h"
#include "disk.h"

#define TURNS 6

struct life {
    struct house house;
    int acknowledged; /* turns whose commit said EG_OK */
    bool torn;        /* the last one's commit said otherwise */
};

static void tell_all(struct house *house, struct eg_buf *out)
{
    eg_buf_init(out, (size_t)1 << 24);
    tell_pipeline(house->pipeline, out);
    tell_store(house, out);
}

static bool commit_turn(struct life *life)
{
    struct house *house = &life->house;
    assert_false(house->batch.failed);
    int code = EG_EFULL;
    eg_pipeline_settle(house->pipeline, &house->batch);
    for (int tries = 0; code == EG_EFULL && tries < 3; tries++)
        code = eg_store_commit(house->store, &house->batch, &house->err);
    life->torn = code != EG_OK;
    if (code != EG_OK) {
        assert_true(*house->err.text);
        return false;
    }
    eg_batch_clear(&house->batch);
    life->acknowledged++;
    return true;
}

/* Turns with bites of tidying between them. False: the house would leave, to start again from what is on disk. */
static bool live(struct life *life, int from, int to)
{
    struct house *house = &life->house;
    bool more;
    house->store->seal_at = 20;
    house->store->seal_run = 15;
    for (int turn = from; turn < to; turn++) {
        day_turn(house, turn);
        if (!commit_turn(life))
            return false;
        for (int bite = 0; bite < 5; bite++)
            if (eg_store_tidy(house->store, NOW, turn % 2 ? 0 : 1000000, &more, &house->err) != EG_OK)
                assert_true(*house->err.text); /* said, not fatal: it is tried again */
    }
    return true;
}

static struct eg_buf states[TURNS + 1]; /* what a house with a good disk shows after each turn */

static void live_on_a_good_disk(void)
{
    struct life life = {0};
    disk_new();
    house_make(&life.house, "1GB");
    assert_int_equal(house_enter(&life.house), EG_OK);
    tell_all(&life.house, &states[0]);
    for (int turn = 0; turn < TURNS; turn++) {
        assert_true(live(&life, turn, turn + 1));
        tell_all(&life.house, &states[turn + 1]);
    }
    assert_true(life.house.store->sealed_seq > 0);
    house_raze(&life.house);
}

static void end_states(void)
{
    for (int turn = 0; turn <= TURNS; turn++)
        eg_buf_finish(&states[turn]);
}

/* Which of the turns this is the state after, or -1. */
static int find_state(struct house *house)
{
    struct eg_buf found;
    int at = -1;
    tell_all(house, &found);
    for (int turn = 0; turn <= TURNS; turn++)
        if (found.length == states[turn].length && !memcmp(found.data, states[turn].data, found.length))
            at = turn;
    eg_buf_finish(&found);
    return at;
}

static void live_on(struct life *life, const char *what)
{
    struct house *house = &life->house;
    if (house_enter(house) != EG_OK)
        fail_msg("%s: it cannot be entered again: %s", what, house->err.text);
    int at = find_state(house);
    if (at != life->acknowledged && !(life->torn && at == life->acknowledged + 1))
        fail_msg("%s: %d turns were acknowledged%s, and what is there is turn %d's", what, life->acknowledged,
                 life->torn ? ", one more was begun" : "", at);
    const struct eg_counters *c = eg_pipeline_counters(house->pipeline);
    assert_int_equal(c->received, c->decoded + c->duplicate + c->quarantined + c->ignored);
    assert_int_equal(c->r_decoded, c->r_stored + c->r_duplicate + c->r_rejected);
    if (!live(life, at, TURNS) || find_state(house) != TURNS)
        fail_msg("%s: from turn %d on it did not come to the same end", what, at);
    house_verify(house, what);
}

#endif
