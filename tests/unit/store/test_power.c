/* The power goes at the n-th write, sync or truncation, for every n of a small life: what was not synced is gone, all of it or such
 * sectors as chance wants. What is found then is the state of a committed turn, whole: every turn that was acknowledged, perhaps the
 * one under way, and nothing else; and life goes on to the same end. Bites of tidying are not synced: they may be gone whole. */
#include "disk.h"
#include "life.h"
#include "stride.h"

/* False: the life was over before. */
static bool cut_one(long at, unsigned seed)
{
    struct life life = {0};
    char what[96];
    unsigned chance = seed;
    snprintf(what, sizeof what, "power gone at operation %ld, seed %u", at, seed);
    disk_new();
    disk.keeps = true;
    disk.fail_at = at;
    house_make(&life.house, "1GB");
    if (house_enter(&life.house) == EG_OK)
        live(&life, 0, TURNS);
    house_leave(&life.house); /* nothing that closing would write gets there */
    bool cut = disk.cut;
    disk_power_on(seed ? &chance : NULL);
    live_on(&life, what);
    house_raze(&life.house);
    return cut;
}

static void the_power_may_go_at_any_operation(void **unused)
{
    (void)unused;
    long at = 1, step = stride(3);
    unsigned seed = stride_seed();
    live_on_a_good_disk();
    for (; cut_one(at, 0); at += step)
        for (unsigned again = 0; again < (step == 1 ? 3 : 1); again++)
            cut_one(at, seed + 1000 * again + (unsigned)at);
    assert_true(at > 100);
    end_states();
    print_message("power cut at each %ldth of %ld writes, syncs, truncations; seed %u\n", step, at, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_power_may_go_at_any_operation),
    };
    return cmocka_run_group_tests_name("power", tests, disk_put_in, NULL);
}
