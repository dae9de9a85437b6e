/* Sentences of ours in the reader's language: every one of phrase.def, what is none, times, what is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/zone.h>
#include <pipeline/phrase.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *english, *chinese;
} phrases[] = {
#define PHRASE(english, chinese) {english, chinese},
#include <pipeline/phrase.def>
#undef PHRASE
};
#define PHRASES (sizeof phrases / sizeof *phrases)

/* With <a> in the first place, <b> in the second. */
static void fill(const char *pattern, char *out)
{
    while (*pattern) {
        size_t sign = !strncmp(pattern, "%w", 2) ? 2 : 1;
        if (*pattern != '%' || pattern[sign] < '1' || pattern[sign] > '4') {
            *out++ = *pattern++;
            continue;
        }
        const char mark[] = {'<', (char)(pattern[sign] - '1' + 'a'), '>'};
        memcpy(out, mark, sizeof mark);
        out += sizeof mark;
        pattern += sign + 1;
    }
    *out = '\0';
}

static bool has_place(const char *pattern, char place)
{
    const char plain[] = {'%', place, '\0'}, word[] = {'%', 'w', place, '\0'};
    return strstr(pattern, plain) || strstr(pattern, word);
}

/* Each is known as itself, and none is hidden by one before it. */
static void test_every_phrase(void **unused)
{
    (void)unused;
    char english[1024], chinese[1024], said[1024];
    for (size_t i = 0; i < PHRASES; i++) {
        fill(phrases[i].english, english);
        fill(phrases[i].chinese, chinese);
        eg_phrase_say(english, true, NULL, said, sizeof said);
        assert_string_equal(said, chinese);
        eg_phrase_say(english, false, NULL, said, sizeof said);
        assert_string_equal(said, english);
        for (char place = '1'; place <= '4'; place++) /* nothing is left out, nothing is made up */
            assert_int_equal(has_place(phrases[i].english, place), has_place(phrases[i].chinese, place));
    }
}

static char *all_sources(void)
{
    glob_t files;
    size_t size = 0, used = 0;
    char *text = NULL;
    assert_int_equal(glob(SOURCE_DIR "/daemon/pipeline/*.c", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *file = fopen(files.gl_pathv[i], "re");
        assert_non_null(file);
        do {
            if (size - used < 65536)
                text = realloc(text, size += (size_t)1 << 20);
            used += fread(text + used, 1, 65535, file);
        } while (!feof(file));
        fclose(file);
    }
    text[used] = '\0';
    globfree(&files);
    return text;
}

static bool holds(const char *sources, const char *words, size_t length)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)length, words);
    return strstr(sources, text) != NULL;
}

/* The words between the places, as far as they are enough to be told by, stand in the sources: their beginning, or their end. */
static bool is_said(const char *sources, const char *pattern)
{
    while (*pattern) {
        size_t length = strcspn(pattern, "%"), some = length < 24 ? length : 24,
               end = length < 14 ? length : 14;
        if ((length >= 8 || !pattern[length]) && length &&
            (holds(sources, pattern, some) || (length > 8 && holds(sources, pattern + length - end, end))))
            return true;
        pattern += length + (pattern[length] ? 2 : 0);
    }
    return false;
}

/* Somebody says it. */
static void test_every_phrase_is_said(void **unused)
{
    (void)unused;
    char *sources = all_sources();
    for (size_t i = 0; i < PHRASES; i++)
        if (!is_said(sources, phrases[i].english))
            fail_msg("nobody says \"%s\"", phrases[i].english);
    free(sources);
}

static const char *in_chinese(const char *english)
{
    return !strcmp(english, "closed") ? "已关闭" : !strcmp(english, "fix") ? "整改" : english;
}

static void says(const char *sentence, bool chinese, const char *expected)
{
    char said[1024];
    eg_phrase_say(sentence, chinese, in_chinese, said, sizeof said);
    assert_string_equal(said, expected);
}

static void test_what_differs(void **unused)
{
    (void)unused;
    assert_true(eg_zone_use("Asia/Shanghai"));
    says("not heard since 2026-11-23T00:57:00.000Z", false, "not heard since 2026-11-23 08:57");
    says("not heard since 2026-11-23T00:57:00.000Z", true, "自 2026-11-23 08:57 起未上报");
    says("3 devices, none heard since 2026-11-23T05:57:00.000Z: a1, a2, a3", true,
         "3 台设备自 2026-11-23 13:57 起均未上报：a1, a2, a3");
    says("case v-1 is closed: fix is not allowed now; allowed: reopen, comment", true,
         "案件 v-1 目前为“已关闭”，不能执行 fix；可执行：reopen, comment");
    says("case v-1 is closed: fix is not allowed now; allowed: reopen, comment", false,
         "case v-1 is closed: fix is not allowed now; allowed: reopen, comment");
    says("pm25 has been 20 ug/m3 since 2026-11-23T00:00:00Z", true,
         "pm25 自 2026-11-23 08:00 起一直为 20 ug/m3");
    says("2026 was dry, 20 mm", true, "2026 was dry, 20 mm"); /* none of ours, and no time */
    says("since 2026-11-23T99:00:00Z", false, "since 2026-11-23T99:00:00Z");
    says("", true, "");
}

/* Whatever the room, it ends, and no character is cut in two. */
static void test_what_is_cut(void **unused)
{
    (void)unused;
    char said[64];
    for (size_t size = 1; size < sizeof said; size++) {
        memset(said, 'x', sizeof said);
        eg_phrase_say("not heard since long ago, at 2026-11-23T00:57:00.000Z", true, NULL, said, size);
        assert_true(strlen(said) < size);
        assert_true(said[size] == 'x');
        for (size_t i = 0, wants = 0; said[i] || wants; i++) {
            unsigned char byte = (unsigned char)said[i];
            if (wants)
                assert_int_equal(byte & 0xc0, 0x80);
            wants = wants ? wants - 1 : byte >= 0xe0 ? 2 : 0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_phrase), cmocka_unit_test(test_every_phrase_is_said),
        cmocka_unit_test(test_what_differs), cmocka_unit_test(test_what_is_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
