/* Commit and load: a house that is left after any turn and entered again goes on as if nobody had left.
 *
 * The same hours run through a house that stays open and through houses that are killed after a turn; whatever either shows,
 * and whatever its store holds at the end, must be the same text. */
#include "day.h"

static void live(struct house *house, int from, int to)
{
    for (int turn = from; turn < to; turn++) {
        day_turn(house, turn);
        house_commits(house);
    }
}

static void tell_all(struct house *house, struct eg_buf *out)
{
    eg_buf_init(out, (size_t)1 << 24);
    tell_pipeline(house->pipeline, out);
    tell_store(house, out);
}

/* The day must hold what it promises, or the comparisons below compare nothing. */
static void the_day_has_everything(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_buf all;
    house_start(&house);
    live(&house, 0, DAY_TURNS);
    const struct eg_counters *c = eg_pipeline_counters(house.pipeline);
    assert_true(c->received && c->duplicate && c->quarantined && c->ignored);
    assert_true(c->r_duplicate && c->r_rejected && c->r_corrected > 10);
    assert_int_equal(c->received, c->decoded + c->duplicate + c->quarantined + c->ignored);
    assert_int_equal(c->r_decoded, c->r_stored + c->r_duplicate + c->r_rejected);
    tell_all(&house, &all);
    static const char *const holds[] = {" opened by ecogovd",
                                        " level by ecogovd",
                                        " condition by ecogovd",
                                        " acknowledged by li",
                                        " comment by li",
                                        " verified by wang",
                                        " reopened by li",
                                        "the broker said no",
                                        "quarantine ",
                                        " closed ",
                                        " rejected "};
    for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
        if (!strstr(all.data, holds[i]))
            fail_msg("the day knows no '%s'", holds[i]);
    house_verify(&house, "the day");
    eg_buf_finish(&all);
    house_raze(&house);
}

static void a_kill_after_any_turn_changes_nothing(void **unused)
{
    (void)unused;
    struct house stays;
    struct eg_buf before, after, want, got;
    char what[64];
    house_start(&stays);
    live(&stays, 0, DAY_TURNS);
    tell_all(&stays, &want);
    for (int killed = 1; killed < DAY_TURNS; killed += 3) {
        struct house house;
        house_start(&house);
        live(&house, 0, killed);
        tell_all(&house, &before);
        house_kill(&house);
        tell_all(&house, &after);
        snprintf(what, sizeof what, "entered again after turn %d", killed);
        assert_same_text(&before, &after, what);
        live(&house, killed, DAY_TURNS);
        tell_all(&house, &got);
        snprintf(what, sizeof what, "killed after turn %d, at the end", killed);
        assert_same_text(&want, &got, what);
        eg_buf_finish(&before);
        eg_buf_finish(&after);
        eg_buf_finish(&got);
        house_raze(&house);
    }
    eg_buf_finish(&want);
    house_raze(&stays);
}

/* The same, with the journal sealed in the smallest bites between the turns, and kills in the middle of that. */
static void sealing_changes_no_answer(void **unused)
{
    (void)unused;
    struct house stays, house;
    struct eg_buf want, got;
    house_start(&stays);
    house_start(&house);
    house.store->seal_at = 40;
    house.store->seal_run = 30;
    bool more;
    for (int turn = 0; turn < DAY_TURNS; turn++) {
        live(&stays, turn, turn + 1);
        live(&house, turn, turn + 1);
        for (int bite = 0; bite < turn % 7; bite++) {
            assert_int_equal(eg_store_tidy(house.store, NOW, 0, &more, &house.err), EG_OK);
            if (turn % 5 == 3 && bite == turn % 4)
                house_kill(&house);
        }
        tell_all(&stays, &want);
        tell_all(&house, &got);
        assert_same_text(&want, &got, "sealed");
        eg_buf_finish(&want);
        eg_buf_finish(&got);
    }
    assert_true(house.store->sealed_seq > 0);
    house_verify(&house, "sealed");
    house_raze(&stays);
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_day_has_everything),
        cmocka_unit_test(a_kill_after_any_turn_changes_nothing),
        cmocka_unit_test(sealing_changes_no_answer),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
