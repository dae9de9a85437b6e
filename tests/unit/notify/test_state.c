/* The sites' retained state (state.c): told when it is new, not told when it is not, offered again when it could not go out or
 * the link is new. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <notify/state.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    size_t count;
    bool shut;
    char topic[256], body[512];
} wire;

static int publish(void *user, const char *topic, const char *body, size_t length)
{
    assert_ptr_equal(user, &wire);
    if (wire.shut)
        return -1;
    wire.count++;
    snprintf(wire.topic, sizeof wire.topic, "%s", topic);
    snprintf(wire.body, sizeof wire.body, "%.*s", (int)length, body);
    return 0;
}

static struct eg_state *wake_up(void)
{
    static const struct eg_state_door door = {&wire, publish};
    memset(&wire, 0, sizeof wire);
    struct eg_state *state = eg_state_create(&door);
    assert_non_null(state);
    return state;
}

static void offer(struct eg_state *state, const char *site, const char *json)
{
    eg_state_offer(state, site, json, strlen(json), INT64_C(1795417200000));
}

static void what_is_new_is_told_once(void **unused)
{
    (void)unused;
    struct eg_state *state = wake_up();
    offer(state, "shangtian", "{\"devices\":1}");
    assert_int_equal(wire.count, 1);
    assert_string_equal(wire.topic, "ecogov/state/shangtian/summary");
    assert_string_equal(wire.body, "{\"at\":\"2026-11-23T07:00:00.000Z\",\"devices\":1}");
    offer(state, "shangtian", "{\"devices\":1}");
    assert_int_equal(wire.count, 1);
    offer(state, "xiatian", "{\"devices\":1}"); /* another site says the same */
    assert_int_equal(wire.count, 2);
    offer(state, "shangtian", "{\"devices\":2}");
    assert_int_equal(wire.count, 3);
    offer(state, "shangtian", "{\"devices\":1}"); /* back again is news */
    assert_int_equal(wire.count, 4);
    eg_state_destroy(state);
}

static void what_could_not_go_out_is_offered_again(void **unused)
{
    (void)unused;
    struct eg_state *state = wake_up();
    wire.shut = true;
    offer(state, "shangtian", "{\"devices\":1}");
    wire.shut = false;
    offer(state, "shangtian", "{\"devices\":1}");
    assert_int_equal(wire.count, 1);
    eg_state_destroy(state);
}

static void a_new_link_is_told_all(void **unused)
{
    (void)unused;
    struct eg_state *state = wake_up();
    offer(state, "shangtian", "{\"devices\":1}");
    eg_state_forget(state);
    offer(state, "shangtian", "{\"devices\":1}");
    assert_int_equal(wire.count, 2);
    eg_state_destroy(state);
}

static void what_is_no_object_is_not_told(void **unused)
{
    (void)unused;
    struct eg_state *state = wake_up();
    offer(state, "shangtian", "");
    offer(state, "shangtian", "{");
    assert_int_equal(wire.count, 0);
    eg_state_destroy(state);
    eg_state_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_new_is_told_once),
        cmocka_unit_test(what_could_not_go_out_is_offered_again),
        cmocka_unit_test(a_new_link_is_told_all),
        cmocka_unit_test(what_is_no_object_is_not_told),
    };
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
