/* From topics to sources: which template wins, what the levels mean, thousands of them, hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pipeline/route.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 5000
static struct eg_conf_source sources[MANY];
static struct eg_conf conf = {.sources = sources};

static struct eg_route *made(const char *const *topics, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sources[i] = (struct eg_conf_source){
            .id = topics[i], .topic = topics[i], .site = "fix-site", .domain = "fix-domain", .device = NULL};
    conf.source_count = count;
    struct eg_route *route = eg_route_create(&conf);
    assert_non_null(route);
    return route;
}

/* "source site/domain/device", or "" when nothing matches. The topic lies in memory of its own, without a
 * NUL. */
static const char *led(const struct eg_route *route, const char *topic, size_t length)
{
    static char text[600];
    char *exact = malloc(length ? length : 1);
    memcpy(exact, topic, length);
    struct eg_routed routed;
    *text = '\0';
    if (eg_route_find(route, exact, length, &routed))
        snprintf(text, sizeof text, "%u %.*s/%.*s/%.*s", routed.source, (int)routed.site.length,
                 routed.site.text, (int)routed.domain.length, routed.domain.text, (int)routed.device.length,
                 routed.device.text);
    free(exact);
    return text;
}

static void test_templates(void **unused)
{
    (void)unused;
    static const char *const topics[] = {
        "ecogov/{site}/{domain}/{device}", /* 0 */
        "ecogov/{site}/air/{device}",      /* 1 */
        "ecogov/{site}/air/hub",           /* 2 */
        "lora/+/{device}/up",              /* 3 */
        "lora/{device}/gw/up",             /* 4 */
        "deep/{device}/#",                 /* 5 */
        "deep/{device}/x/y",               /* 6 */
        "all/#",                           /* 7 */
        "{device}",                        /* 8 */
        "/{device}",                       /* 9 */
        "twice/{device}/a",                /* 10 */
        "twice/{site}/a",                  /* 11: the same path: the first in the configuration */
        "b/{device}/c/d",
        "b/lit/+/e", /* 12, 13: going back from a literal that leads nowhere */
    };
    static const struct {
        const char *topic, *wanted;
    } table[] = {
        {"ecogov/shangtian/soil/s1", "0 shangtian/soil/s1"},
        {"ecogov/shangtian/air/a1", "1 shangtian/fix-domain/a1"},
        {"ecogov/shangtian/air/hub", "2 shangtian/fix-domain/"},
        {"ecogov/shangtian/air", ""},
        {"ecogov/shangtian/air/a1/x", ""},
        {"ecogov///", "0 //"},
        {"ecogov/上田/air/a1", "1 上田/fix-domain/a1"},
        {"Ecogov/shangtian/soil/s1", ""},
        {"lora/app/d1/up", "3 fix-site/fix-domain/d1"},
        {"lora/d2/gw/up", "4 fix-site/fix-domain/d2"},
        {"lora/d2/gw/down", ""},
        {"deep/d", "5 fix-site/fix-domain/d"},
        {"deep/d/x", "5 fix-site/fix-domain/d"},
        {"deep/d/x/y", "6 fix-site/fix-domain/d"},
        {"deep/d/x/y/z", "5 fix-site/fix-domain/d"},
        {"all", "7 fix-site/fix-domain/"},
        {"all/a/b/c/d/e/f", "7 fix-site/fix-domain/"},
        {"d9", "8 fix-site/fix-domain/d9"},
        {"", "8 fix-site/fix-domain/"},
        {"/d9", "9 fix-site/fix-domain/d9"},
        {"/", "9 fix-site/fix-domain/"},
        {"//", ""},
        {"twice/t/a", "10 fix-site/fix-domain/t"},
        {"b/lit/c/d", "12 fix-site/fix-domain/lit"},
        {"b/lit/c/e", "13 fix-site/fix-domain/"},
        {"ecogov/{site}/{domain}/{device}", "0 {site}/{domain}/{device}"},
        {"ecogov/+/+/+", "0 +/+/+"},
        {"all/#", "7 fix-site/fix-domain/"},
    };
    struct eg_route *route = made(topics, sizeof topics / sizeof *topics);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(led(route, table[i].topic, strlen(table[i].topic)), table[i].wanted) != 0)
            fail_msg("'%s' led to '%s', not '%s'", table[i].topic,
                     led(route, table[i].topic, strlen(table[i].topic)), table[i].wanted);
    assert_string_equal(led(route, "a\0b", 3),
                        "8 fix-site/fix-domain/a"); /* bytes are bytes; what they may be is decided later */
    eg_route_destroy(route);
    eg_route_destroy(NULL);
}

static void test_quantity_and_channel(void **unused)
{
    (void)unused;
    static const char *const topics[] = {"a/{device}/{quantity}/{channel}", "b/{channel}/{device}"};
    struct eg_route *route = made(topics, 2);
    struct eg_routed routed;
    assert_true(eg_route_find(route, "a/d1/pm25/left", 14, &routed));
    assert_memory_equal(routed.quantity.text, "pm25", 4);
    assert_int_equal(routed.quantity.length, 4);
    assert_memory_equal(routed.channel.text, "left", 4);
    assert_int_equal(routed.channel.length, 4);
    assert_true(eg_route_find(route, "b/10cm/d2", 9, &routed));
    assert_int_equal(routed.quantity.length, 0);
    assert_memory_equal(routed.channel.text, "10cm", 4);
    eg_route_destroy(route);
}

static void test_no_templates(void **unused)
{
    (void)unused;
    struct eg_route *route = made(NULL, 0);
    assert_string_equal(led(route, "a", 1), "");
    eg_route_destroy(route);
}

/* A topic has 65535 bytes at most, and all of them may be slashes. */
static void test_hostile_topics(void **unused)
{
    (void)unused;
    static const char *const topics[] = {"#", "a/{device}/#"};
    static char topic[65536];
    struct eg_route *route = made(topics, 2);
    memset(topic, '/', sizeof topic);
    for (size_t levels = 1; levels <= 32; levels++)
        assert_string_equal(led(route, topic, levels - 1), "0 fix-site/fix-domain/");
    assert_string_equal(led(route, topic, 32), ""); /* 33 levels: more than a template may have */
    assert_string_equal(led(route, topic, 65535), "");
    memset(topic, 'x', sizeof topic);
    assert_string_equal(led(route, topic, 65535), "0 fix-site/fix-domain/");
    topic[0] = 'a';
    topic[1] = '/';
    struct eg_routed routed;
    assert_true(eg_route_find(route, topic, 65535, &routed));
    assert_int_equal(routed.device.length, 65533);
    eg_route_destroy(route);
}

/* Thousands of templates: each finds its own, and no other. */
static void test_thousands(void **unused)
{
    (void)unused;
    static char texts[MANY][40];
    static const char *topics[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], i % 2 ? "v%d/{device}/state" : "net/%d/+/{device}/#", i);
        topics[i] = texts[i];
    }
    struct eg_route *route = made(topics, MANY);
    char topic[60], wanted[60];
    for (int i = 0; i < MANY; i++) {
        snprintf(topic, sizeof topic, i % 2 ? "v%d/d%d/state" : "net/%d/x/d%d/any/thing", i, i);
        snprintf(wanted, sizeof wanted, "%d fix-site/fix-domain/d%d", i, i);
        assert_string_equal(led(route, topic, strlen(topic)), wanted);
    }
    assert_string_equal(led(route, "net/5000/x/d", 12), "");
    assert_string_equal(led(route, "v1/d/State", 10), "");
    eg_route_destroy(route);
}

static void test_reserved(void **unused)
{
    (void)unused;
    static const struct {
        const char *topic;
        bool reserved;
    } table[] = {{"ecogov/state/daemon", true},
                 {"ecogov/state/shangtian/summary", true},
                 {"ecogov/events/case/x/y", true},
                 {"ecogov/commands/x", true},
                 {"ecogov/state", false},
                 {"ecogov/states/x/y", false},
                 {"ecogov/shangtian/air/a1", false},
                 {"x/ecogov/state/y", false},
                 {"", false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(eg_route_reserved(table[i].topic, strlen(table[i].topic)), table[i].reserved);
    assert_false(eg_route_reserved("ecogov/state/", 12)); /* not a byte beyond the length */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates),    cmocka_unit_test(test_quantity_and_channel),
        cmocka_unit_test(test_no_templates), cmocka_unit_test(test_hostile_topics),
        cmocka_unit_test(test_thousands),    cmocka_unit_test(test_reserved)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
